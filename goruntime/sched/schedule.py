"""The scheduler proper: what an M does when it has no goroutine.

`mstart` is the life of a thread's g0. Each round does one thing: what a goroutine asked for by `mcall`, or finding the
next goroutine and switching to it. The search keeps Go's order to the letter, because that order is what a program
with one P shows:

    stop-the-world, safe-point function · own timers · GC worker · every 61st slice one global G · finalizers
    · runnext, ring · global batch · netpoll · spin: steal, timers of others · idle GC worker · release the P,
    look again, poll until the next timer, sleep

Go: runtime/proc.go schedule, findRunnable, execute.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..base.errors import throw
from ..base.events import DIRECT, GO_START
from ..kernel import costs
from .netpoll import emit_ready, netpoll_block
from .park import COLLECT_EVERY
from .preempt import FAIRNESS, horizon_of
from .runq import globrunqgetbatch
from .spin import (
    acquirep,
    become_spinning,
    pidleget,
    pidleget_spinning,
    pidleput,
    releasep,
    resetspinning,
    stop_spinning,
    stopm,
    wakep,
)
from .status import DEBUG, RUNNABLE, RUNNING, WAITING, casgstatus
from .steal import steal_work
from .stw import gcstopm
from .threadlock import startlockedm, stoplockedm
from .timers import check_timers

if TYPE_CHECKING:
    from .g import G
    from .m import M
    from .p import P
    from .sched import Sched

Found = tuple["G", bool, str, str]  # goroutine, inherits the time slice, from which queue, why there
SCHEDULE_COST = costs.SCHEDULE


def mstart(m: M) -> None:
    """The life of a thread: runs on its g0 until the run ends.

    Go: runtime/proc.go mstart1.
    """
    if m.nextp is not None:
        pp = m.nextp
        m.nextp = None
        acquirep(m, pp)
    while True:
        call = m.mcall
        if call is None:
            schedule(m)
        else:
            m.mcall = None
            call(m)


def schedule(m: M) -> None:  # hot: sleep
    """One round: find a goroutine and run it. Returns when somebody switches to this g0.

    Go: runtime/proc.go schedule.
    """
    sched = m.sched
    # Unoptimised form: sched.count_schedule().
    sched.schedules = count = sched.schedules + 1
    if count % COLLECT_EVERY == 0 or sched.max_schedules:
        sched.schedule_counted()
    if m.clock >= sched.kernel.natural_horizon(m):
        sched.kernel.yield_cpu(m)  # goroutines that end without an operation reach no safepoint: here is one
    if m.lockedg is not None:
        stoplockedm(m)
        execute(m, m.lockedg, False, "direct", "locked to this thread")
        return
    while True:
        pp = m.p
        pp.preempt = False
        if m.spinning and (pp.runnext is not None or pp.runq):
            throw("schedule: spinning with local work")
        gp, inherits, queue, why = find_runnable(m)
        if m.spinning:
            resetspinning(m)
        if why == "worker":
            wakep(m)
        if gp.lockedm is None:
            break
        startlockedm(m, gp, queue, why)
    execute(m, gp, inherits, queue, why)


def execute(m: M, gp: G, inherits: bool, queue: str, why: str) -> None:  # hot: sleep
    """Run gp on m. Returns when somebody switches to this g0.

    Go: runtime/proc.go execute.
    """
    # Unoptimised form: casgstatus(gp, RUNNABLE, RUNNING).
    if DEBUG:
        casgstatus(gp, RUNNABLE, RUNNING)
    elif gp.status != RUNNABLE:
        throw("execute: bad g status")
    gp.status = RUNNING
    clock = m.clock + SCHEDULE_COST
    m.clock = gp.ns if gp.ns > clock else clock
    gp.m = m
    m.curg = gp
    gp.preempt = False
    if not inherits:
        m.p.schedtick += 1
    m.horizon = horizon_of(m)
    if m.watch is not None:
        m.emit(GO_START, queue, why)
    gp.switch()


def find_runnable(m: M) -> Found:  # hot: sleep
    """Find a goroutine for m to run; sleeps until there is one.

    Go: runtime/proc.go findRunnable.
    """
    sched = m.sched
    while True:
        if sched.is_ending or sched.kernel.interrupted:
            sched.interrupt_run()
        if sched.controller is not None:
            return sched.controller.pick(m)
        if sched.gcwaiting:
            gcstopm(m)
            continue
        pp = m.p
        if pp.run_safe_point_fn:
            sched.run_safe_point_for(m, pp)
        poll_until_ns = 0
        if pp.timers:
            check_timers(m, pp)
            poll_until_ns = pp.timers[0][0] if pp.timers else 0  # unoptimised form: wake_time(pp)
        found = _find_here(m, sched, pp)
        if found is not None:
            return found
        netpolled = sched.netpoll_now(m)
        if netpolled is not None:
            return netpolled, False, "direct", "netpoll"
        if m.spinning or 2 * sched.nmspinning < sched.gomaxprocs - sched.npidle:
            if not m.spinning:
                become_spinning(m)
            stolen, inherits, again, when_ns = steal_work(m)
            if stolen is not None:
                if inherits:
                    return stolen, True, "runnext", "timer of another P"
                return stolen, False, "direct", "stolen"
            if again:
                continue
            if when_ns and (poll_until_ns == 0 or when_ns < poll_until_ns):
                poll_until_ns = when_ns
        found = _go_idle(m, poll_until_ns)
        if found is not None:
            return found


def _find_here(m: M, sched: Sched, pp: P) -> Found | None:
    """Steps that need neither another P nor sleep: GC worker, fairness, local queue, global queue."""
    for source in sched.work_sources:
        worker = source(m, pp)
        if worker is not None:
            return worker, False, "direct", "worker"
    if pp.schedtick % FAIRNESS == 0 and sched.runq:
        m.clock += costs.GLOBAL_QUEUE
        return sched.runq.popleft(), False, "global", "every 61st slice"
    gp = pp.runnext
    if gp is not None:
        pp.runnext = None
        return gp, True, "runnext", "local"
    if pp.runq:
        return pp.runq.popleft(), False, "ring", "local"
    if sched.runq:
        m.clock += costs.GLOBAL_QUEUE
        return globrunqgetbatch(sched, pp), False, "global", "local queue is empty"
    return None


def _go_idle(m: M, poll_until_ns: int) -> Found | None:
    """Nothing to do: release the P, look once more at every source, then sleep. None: start over, with a P.

    The order matters: the count of spinners drops before the last look. The other way round, work could be submitted
    after the look while the submitter still sees a spinner and wakes nobody.
    Go: runtime/proc.go findRunnable, from "return P and block".
    """
    sched = m.sched
    pp = m.p
    if sched.gcwaiting or pp.run_safe_point_fn:
        return None
    if sched.runq:
        return globrunqgetbatch(sched, pp), False, "global", "before going idle"
    if not m.spinning and sched.needspinning:
        become_spinning(m)
        return None
    pidleput(sched, releasep(m))
    was_spinning = m.spinning
    if was_spinning:
        stop_spinning(m)
        if sched.runq:
            idle = pidleget_spinning(sched)
            if idle is not None:
                gp = globrunqgetbatch(sched, idle)
                acquirep(m, idle)
                become_spinning(m)
                return gp, False, "global", "last look"
        for other in sched.allp:
            if other.runnext is not None or other.runq:
                idle = pidleget_spinning(sched)
                if idle is not None:
                    acquirep(m, idle)
                    become_spinning(m)
                    return None
                break
        for other in sched.allp:
            heap = other.timers
            if heap and (poll_until_ns == 0 or heap[0][0] < poll_until_ns):
                poll_until_ns = heap[0][0]
    if (poll_until_ns or sched.netpoll_waiters) and sched.lastpoll_ns != 0:
        return _poll_until(m, poll_until_ns, was_spinning)
    if poll_until_ns and (sched.poll_until_ns == 0 or sched.poll_until_ns > poll_until_ns):
        sched.netpoll_break(m)
    stopm(m)
    return None


def _poll_until(m: M, poll_until_ns: int, was_spinning: bool) -> Found | None:
    """Be the one thread that sleeps in the poller, until the next timer; then take an idle P, or sleep for good.

    Go: runtime/proc.go findRunnable, "Poll network until next timer".
    """
    sched = m.sched
    ready_list = netpoll_block(m, poll_until_ns)
    pp = pidleget(sched)
    if pp is None:
        sched.injectglist(m, ready_list)
        stopm(m)
        return None
    acquirep(m, pp)
    if ready_list:
        gp = ready_list[0]
        sched.injectglist(m, ready_list[1:])
        casgstatus(gp, WAITING, RUNNABLE)
        if m.watch is not None:
            emit_ready(m, gp, DIRECT)
        return gp, False, "direct", "netpoll"
    if was_spinning:
        become_spinning(m)
    return None
