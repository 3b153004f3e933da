"""Stopping the world, and changing the number of Ps while it stands.

Protocol. The stopper sets `gcwaiting`, asks every running goroutine to give way, takes the Ps that are idle or in a
system call directly, and sleeps on the stop note until the last running P has stopped itself (gcstopm), asking again
every 100 us. Starting the world hands each P with work to a thread and leaves the others idle. Who may stop the world
is a FIFO of waiting goroutines (worldsema, with hand-off).

Differs: the stop note has no wake-up latency, so a stop ends with the last P's safepoint.
Go: runtime/proc.go stopTheWorldWithSema, startTheWorldWithSema, procresize.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ..base.errors import throw
from ..base.events import MAXPROCS, PROC_START, STW_BEGIN, STW_END, STW_STOPPED, THREAD_NEW, THREAD_WAKE
from ..kernel import costs
from .histogram import TimeHistogram
from .p import P
from .park import sent_back
from .preempt import horizon_of, preemptall
from .spin import acquirep, notewakeup, pidleget, pidleput, releasep, stop_spinning, stopm, wakep
from .status import PDEAD, PGCSTOP, PIDLE, PRUNNING, RUNNING, SYSCALL, WAITING, casgstatus, set_pstatus
from .steal import steal_order
from .timers import take_over
from .waitreason import STOPPING_THE_WORLD

if TYPE_CHECKING:
    from .g import G
    from .m import M
    from .sched import Sched

REASK_AFTER = 100_000  # ns
REASONS_OF_THE_COLLECTOR = ("GC mark termination", "GC sweep termination")


def with_world_stopped(m: M, g: G, reason: str, work: Callable[[M], None]) -> M:
    """Stop the world, run `work` on g0, start the world; returns the M that g is on then.

    Go: runtime/proc.go stopTheWorld, startTheWorld.
    """
    m.sched.worldsema.acquire(m, g)
    m = g.m

    def on_g0(m: M) -> None:
        stop_the_world(m, reason)
        work(m)
        start_the_world(m)
        gp = m.curg
        m.horizon = horizon_of(m)
        gp.switch()

    m.mcall = on_g0
    m.g0.switch()
    m = g.m or sent_back(g)
    return m.sched.worldsema.release(m, g, is_handoff=True, yields=False)


def stop_the_world(m: M, reason: str) -> None:
    """On g0, for m.curg: returns when no other P runs.

    Go: runtime/proc.go stopTheWorldWithSema.
    """
    sched = m.sched
    gp = m.curg
    gp.waitreason = STOPPING_THE_WORLD
    casgstatus(gp, RUNNING, WAITING)
    if m.watch is not None:
        m.emit(STW_BEGIN, reason)
    started_ns = m.clock
    sched.stw_started_ns = started_ns
    sched.stw_reason = reason
    m.clock += costs.STOP_THE_WORLD
    sched.stopwait = sched.gomaxprocs
    sched.gcwaiting = True
    preemptall(m)
    set_pstatus(m.p, PRUNNING, PGCSTOP)
    sched.stopwait -= 1
    for pp in sched.allp:
        owner = pp.m
        if pp.status == PRUNNING and owner is not None and owner.curg is not None and owner.curg.status == SYSCALL:
            owner.p = None  # type: ignore[assignment]  # its system call goes on without a P
            pp.m = None
            pp.syscalltick += 1
            set_pstatus(pp, PRUNNING, PGCSTOP)
            sched.stopwait -= 1
    while (idle := pidleget(sched)) is not None:
        set_pstatus(idle, PIDLE, PGCSTOP)
        sched.stopwait -= 1
    sched.stopper = m
    while sched.stopwait:
        sched.kernel.sleep(m, REASK_AFTER)
        preemptall(m)
    sched.stopper = None
    for pp in sched.allp:
        if pp.status != PGCSTOP:
            throw("stopTheWorld: not stopped (status != _Pgcstop)")
    _record(sched, "stopping", m.clock - started_ns)
    if m.watch is not None:
        m.emit(STW_STOPPED, m.clock - started_ns)
    casgstatus(gp, WAITING, RUNNING)


def one_stopped(m: M) -> None:
    """One more P has stopped; the last one tells the stopper."""
    sched = m.sched
    sched.stopwait -= 1
    if sched.stopwait < 0:
        throw("stopwait < 0")
    if sched.stopwait == 0 and sched.stopper is not None:
        sched.kernel.hasten(sched.stopper, m.clock)


def gcstopm(m: M) -> None:
    """On g0: give up the P because the world stops; returns when this thread has a P again.

    Go: runtime/proc.go gcstopm.
    """
    if not m.sched.gcwaiting:
        throw("gcstopm: not waiting for gc")
    if m.spinning:
        stop_spinning(m)
    pp = releasep(m, "stop the world")
    set_pstatus(pp, PIDLE, PGCSTOP)
    m.sched.old_m[pp.id] = m
    one_stopped(m)
    stopm(m)


def start_the_world(m: M) -> None:
    """On g0: let everybody go on, with `newprocs` Ps if that was asked for.

    Go: runtime/proc.go startTheWorldWithSema.
    """
    sched = m.sched
    sched.poll_for_all(m)
    count = sched.newprocs or sched.gomaxprocs
    sched.newprocs = 0
    runnable = procresize(m, count)
    sched.gcwaiting = False
    if sched.sysmonwait:
        sched.wake_sysmon(m)
    for pp, mp in _assign_threads(sched, runnable):
        if mp is None:
            mp = sched.new_m(m)
            mp.nextp = pp
            if m.watch is not None:
                m.emit(THREAD_NEW, mp.id)
            m.clock += costs.THREAD_CREATE
            sched.kernel.enqueue(mp, m.clock + costs.THREAD_START)
        else:
            if mp.nextp is not None:
                throw("startTheWorld: inconsistent mp->nextp")
            mp.nextp = pp
            if m.watch is not None:
                m.emit(THREAD_WAKE, mp.id, "start the world")
            notewakeup(m, mp)
    m.clock += costs.STOP_THE_WORLD
    _record(sched, "total", m.clock - sched.stw_started_ns)
    if m.watch is not None:
        m.emit(STW_END, m.clock - sched.stw_started_ns)
    wakep(m)


def _record(sched: Sched, what: str, duration_ns: int) -> None:
    """Count how long this stop took, for package metrics; the collector's apart from all others."""
    name = f"{what}/gc" if sched.stw_reason in REASONS_OF_THE_COLLECTOR else f"{what}/other"
    pauses = sched.pauses.get(name)
    if pauses is None:
        pauses = sched.pauses[name] = TimeHistogram()
    pauses.record(duration_ns)


def _assign_threads(sched: Sched, runnable: list[P]) -> list[tuple[P, M | None]]:
    """Which thread runs which P, in the order in which they are woken: the P's last one, if it is idle.

    The others get theirs when all of those are taken, None for a new one; Go's list turns their order round.
    Go: runtime/proc.go procresize, "Assign Ms to Ps with runnable goroutines".
    """
    assigned: list[tuple[P, M | None]] = []
    without: list[P] = []
    for pp in runnable:
        mp = sched.old_m.get(pp.id)
        if mp is not None and mp.parked:
            assigned.append((pp, sched.take_idle_m(mp)))
        else:
            without.append(pp)
    for pp in without:
        assigned.insert(0, (pp, sched.take_idle_m(None)))
    sched.old_m.clear()
    return assigned


def procresize(m: M, count: int) -> list[P]:
    """Change the number of Ps; the world is stopped. Returns the Ps with local work, in order; the others are idle.

    Go: runtime/proc.go procresize.
    """
    sched = m.sched
    old = sched.gomaxprocs
    if count <= 0:
        throw("procresize: invalid arg")
    if m.watch is not None and old != count:
        m.emit(MAXPROCS, old, count)
    while len(sched.all_p_ever) < count:
        sched.all_p_ever.append(P(len(sched.all_p_ever)))
    for pp in sched.all_p_ever[old:count]:
        if pp.status == PDEAD:
            set_pstatus(pp, PDEAD, PGCSTOP)
        if sched.p_starts is not None:
            sched.p_starts(pp)
    if m.p is not None and m.p.id < count:
        set_pstatus(m.p, PGCSTOP, PRUNNING)
    else:
        if m.p is not None:
            m.p.m = None
            m.p = None  # type: ignore[assignment]
        first = sched.all_p_ever[0]
        set_pstatus(first, PGCSTOP, PIDLE)
        acquirep(m, first)
    for pp in sched.all_p_ever[count:old]:
        _destroy(m, pp)
    sched.allp = sched.all_p_ever[:count]
    sched.gomaxprocs = count
    sched.steal_steps = steal_order(count)
    sched.refresh_all_checks()
    runnable: list[P] = []
    idle: list[P] = []
    for pp in reversed(sched.allp):
        if pp is m.p:
            continue
        set_pstatus(pp, PGCSTOP, PIDLE)
        (idle if pp.is_runq_empty() else runnable).insert(0, pp)
    for pp in idle:
        pidleput(sched, pp)
    return runnable


def _destroy(m: M, pp: P) -> None:
    """Retire a P: its goroutines go to the head of the global queue, order kept, its timers to m's P.

    Go: runtime/proc.go destroy.
    """
    sched = m.sched
    while pp.runq:
        sched.runq.appendleft(pp.runq.pop())
    if pp.runnext is not None:
        sched.runq.appendleft(pp.runnext)
        pp.runnext = None
    take_over(m, pp)
    if sched.p_ends is not None:
        sched.p_ends(pp)
    sched.gfree.extend(reversed(pp.gfree))
    pp.gfree.clear()
    pp.sudogcache.clear()  # the collector gets them
    set_pstatus(pp, PGCSTOP, PDEAD)


def set_first_procs(sched: Sched, m: M, count: int) -> None:
    """At boot: make the Ps, give the first to m, leave the others idle. Nobody runs yet, so nothing is charged.

    Go: runtime/proc.go schedinit.
    """
    for ident in range(count):
        sched.all_p_ever.append(P(ident))
    sched.allp = list(sched.all_p_ever)
    sched.gomaxprocs = count
    sched.steal_steps = steal_order(count)
    for pp in sched.allp:
        if sched.p_starts is not None:
            sched.p_starts(pp)
        pp.status = PIDLE
        if pp.id:
            pidleput(sched, pp)
    first = sched.allp[0]
    first.status = PRUNNING
    first.m = m
    m.p = first
    if m.watch is not None:
        m.emit(PROC_START)
