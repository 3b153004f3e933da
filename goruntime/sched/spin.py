"""Waking and stopping threads: spinning, startm, stopm, handoffp.

An M that is out of work spins: it looks at other Ps' queues before it sleeps. `wakep` starts one spinning M when work
appears, at most one at a time; the last spinner to find work wakes the next (resetspinning). Ps and Ms go idle in
stacks: the last one in is the first one out.

Go: runtime/proc.go wakep, startm, stopm, handoffp, resetspinning.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..base.errors import throw
from ..base.events import PROC_START, PROC_STOP, THREAD_NEW, THREAD_PARK, THREAD_SPIN, THREAD_WAKE
from ..kernel import costs
from .status import DEBUG, PGCSTOP, PIDLE, PRUNNING, set_pstatus

if TYPE_CHECKING:
    from .m import M
    from .p import P
    from .sched import Sched


def wakep(m: M) -> None:
    """Start one more M, spinning, if nobody spins and a P is idle.

    Go: runtime/proc.go wakep.
    """
    sched = m.sched
    if sched.nmspinning:
        return
    if not sched.npidle:
        sched.needspinning = 1  # unoptimised form: pidleget_spinning(sched)
        return
    pp = pidleget(sched)
    sched.nmspinning += 1
    startm(m, pp, is_spinning=True)


def pidleget(sched: Sched) -> P | None:
    """Take an idle P, the one that went idle last; None when there is none.

    Go: runtime/proc.go pidleget.
    """
    if not sched.npidle:
        return None
    sched.npidle -= 1
    pp = sched.pidle.pop()
    pp.is_idle = False
    return pp


def pidleget_spinning(sched: Sched) -> P | None:
    """Take an idle P for a spinning M; without one, note that a spinner is needed.

    Go: runtime/proc.go pidlegetSpinning.
    """
    pp = pidleget(sched)
    if pp is None:
        sched.needspinning = 1
    return pp


def pidleput(sched: Sched, pp: P) -> None:
    """Put a P on the idle stack.

    Go: runtime/proc.go pidleput.
    """
    if pp.runnext is not None or pp.runq:
        throw("pidleput: P has non-empty run queue")
    pp.is_idle = True
    sched.pidle.append(pp)
    sched.npidle += 1


def acquirep(m: M, pp: P) -> None:
    """Associate pp, idle, with m.

    Go: runtime/proc.go acquirep.
    """
    if m.p is not None or pp.m is not None:
        throw("wirep: already in go")
    # Unoptimised form: set_pstatus(pp, PIDLE, PRUNNING).
    if DEBUG:
        set_pstatus(pp, PIDLE, PRUNNING)
    elif pp.status != PIDLE:
        throw("wirep: invalid p state")
    pp.status = PRUNNING
    m.p = pp
    pp.m = m
    if m.watch is not None:
        m.emit(PROC_START)


def releasep(m: M, why: str = "idle") -> P:
    """Part m from its P, which is idle then but in no list.

    Go: runtime/proc.go releasep.
    """
    pp = m.p
    if pp is None or pp.m is not m or pp.status != PRUNNING:
        throw("releasep: invalid p state")
    if m.watch is not None:
        m.emit(PROC_STOP, why)
    if DEBUG:
        set_pstatus(pp, PRUNNING, PIDLE)
    pp.status = PIDLE
    m.p = None  # type: ignore[assignment]
    pp.m = None
    return pp


def become_spinning(m: M) -> None:
    """Count m among the spinning.

    Go: runtime/proc.go becomeSpinning.
    """
    m.spinning = True
    m.sched.nmspinning += 1
    m.sched.needspinning = 0
    if m.watch is not None:
        m.emit(THREAD_SPIN, True)


def stop_spinning(m: M) -> None:
    """m no longer spins."""
    m.spinning = False
    m.sched.nmspinning -= 1
    if m.sched.nmspinning < 0:
        throw("findRunnable: negative nmspinning")
    if m.watch is not None:
        m.emit(THREAD_SPIN, False)


def resetspinning(m: M) -> None:
    """A spinner found work: stop spinning, and wake the next spinner.

    Go: runtime/proc.go resetspinning.
    """
    if not m.spinning:
        throw("resetspinning: not a spinning m")
    # Unoptimised form: stop_spinning(m); wakep(m).
    sched = m.sched
    m.spinning = False
    sched.nmspinning = count = sched.nmspinning - 1
    if m.watch is not None:
        m.emit(THREAD_SPIN, False)
    if count < 0:
        throw("findRunnable: negative nmspinning")
    if not count:
        if sched.npidle:
            wakep(m)
        else:
            sched.needspinning = 1


def startm(m: M | None, pp: P | None, is_spinning: bool = False) -> None:
    """Let some M run pp (or any idle P): an idle one, the last that slept; else a new one.

    Go: runtime/proc.go startm.
    m: who asks, and pays.
    """
    assert m is not None
    sched = m.sched
    if pp is None:
        pp = pidleget(sched)
        if pp is None:
            return
    if sched.midle:
        nmp = sched.midle.pop()
        nmp.parked = False
        if nmp.spinning:
            throw("startm: m is spinning")
        if nmp.nextp is not None:
            throw("startm: m has p")
        if is_spinning and not pp.is_runq_empty():
            throw("startm: p has runnable gs")
        nmp.spinning = is_spinning
        nmp.nextp = pp
        if m.watch is not None:
            m.emit(THREAD_WAKE, nmp.id, "spin" if is_spinning else "run")
        notewakeup(m, nmp)
        return
    nmp = sched.new_m(m)
    nmp.spinning = is_spinning
    nmp.nextp = pp
    if m.watch is not None:
        m.emit(THREAD_NEW, nmp.id)
    m.clock += costs.THREAD_CREATE
    sched.kernel.enqueue(nmp, m.clock + costs.THREAD_START)


def notewakeup(m: M, sleeper: M) -> None:
    """Wake a thread that sleeps on its note.

    Go: runtime/lock_futex.go notewakeup.
    """
    sleeper.blocked = False
    m.sched.kernel.futex_wake(m, sleeper)


def notesleep(m: M) -> None:
    """Sleep until somebody wakes this thread.

    Go: runtime/lock_futex.go notesleep.
    """
    m.blocked = True
    if m.watch is not None:
        m.emit(THREAD_PARK)
    m.sched.kernel.futex_sleep(m)
    m.blocked = False


def stopm(m: M) -> None:
    """Sleep until somebody has a P for this thread, then take it.

    Go: runtime/proc.go stopm.
    """
    if m.p is not None:
        throw("stopm holding p")
    if m.spinning:
        throw("stopm spinning")
    sched = m.sched
    m.parked = True
    sched.midle.append(m)
    sched.checkdead()
    notesleep(m)
    pp = m.nextp
    if pp is None:
        throw("stopm: woken without a P")
    m.nextp = None
    acquirep(m, pp)


def handoffp(m: M, pp: P) -> None:
    """Give away a P that is with no M: to an M if there may be work for it, else to the idle stack.

    Go: runtime/proc.go handoffp. Must agree with find_runnable.
    """
    sched = m.sched
    if not pp.is_runq_empty() or sched.runq:
        startm(m, pp)
        return
    if sched.has_work_for(pp):
        startm(m, pp)
        return
    if sched.nmspinning + sched.npidle == 0:
        sched.nmspinning += 1
        sched.needspinning = 0
        startm(m, pp, is_spinning=True)
        return
    if sched.gcwaiting:
        set_pstatus(pp, PIDLE, PGCSTOP)
        sched.one_stopped(m)
        return
    if pp.run_safe_point_fn:
        sched.run_safe_point_for(m, pp)
    if sched.runq:
        startm(m, pp)
        return
    if sched.npidle == sched.gomaxprocs - 1 and sched.lastpoll_ns != 0:
        startm(m, pp)
        return
    when = pp.timers[0][0] if pp.timers else 0
    pidleput(sched, pp)
    if when:
        wake_net_poller(m, when)


def wake_net_poller(m: M, when_ns: int) -> None:
    """A timer is due at when_ns: make sure that some thread will wake up for it.

    Go: runtime/proc.go wakeNetPoller.
    """
    sched = m.sched
    if sched.lastpoll_ns == 0:
        # A thread is blocked in the poller: cut its sleep short if it would sleep too long.
        if sched.poll_until_ns == 0 or sched.poll_until_ns > when_ns:
            sched.netpoll_break(m)
    else:
        wakep(m)
