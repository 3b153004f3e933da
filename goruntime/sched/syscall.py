"""System calls: the goroutine leaves Go, its P stays with the thread until sysmon wants it.

entersyscall marks the goroutine SYSCALL and remembers the P; nothing else happens, so a short call costs next to
nothing. Sysmon, or a stop of the world, may take the P away meanwhile. exitsyscall keeps the P if it is still there,
else takes the old one back or an idle one; without any the goroutine goes to the global queue and the thread sleeps.

Go: runtime/proc.go reentersyscall, exitsyscall.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..base.events import GO_SYSCALL, GO_SYSEXIT
from ..kernel import costs
from ..kernel.blocking import HostCall
from .ops import OP_SYSCALL, OP_WRITE
from .park import dropg, sent_back
from .preempt import end_again, horizon_of, safepoint
from .schedule import execute
from .spin import acquirep, handoffp, pidleget, releasep, stopm
from .status import PGCSTOP, PIDLE, PRUNNING, RUNNABLE, RUNNING, SYSCALL, casgstatus, set_pstatus
from .stw import one_stopped
from .sudog import shed_sudog
from .threadlock import stoplockedm

if TYPE_CHECKING:
    from .g import G
    from .m import M
    from .p import P


def take_syscall_p(pp: P) -> bool:
    """Take a P from the thread that is in a system call with it; it is idle then, in no list.

    Go: runtime/proc.go takeP.
    """
    owner = pp.m
    if pp.status != PRUNNING or owner is None or owner.curg is None or owner.curg.status != SYSCALL:
        return False
    owner.p = None  # type: ignore[assignment]
    pp.m = None
    pp.syscalltick += 1
    set_pstatus(pp, PRUNNING, PIDLE)
    return True


def entersyscall(m: M, g: G, name: str) -> None:
    """g is about to leave Go.

    Go: runtime/proc.go reentersyscall.
    """
    sched = m.sched
    shed_sudog(m, g)
    m.clock += costs.ENTERSYSCALL
    m.syscalltick = m.p.syscalltick
    m.oldp = m.p
    if m.watch is not None:
        m.emit(GO_SYSCALL, name)
    casgstatus(g, RUNNING, SYSCALL)
    if sched.gcwaiting:
        pp = m.p
        take_syscall_p(pp)
        set_pstatus(pp, PIDLE, PGCSTOP)
        one_stopped(m)
    if sched.sysmonwait:
        sched.wake_sysmon(m)


def entersyscallblock(m: M, g: G, name: str) -> None:
    """g is about to block outside of Go, for who knows how long: its P is handed off at once.

    Go: runtime/proc.go entersyscallblock.
    """
    shed_sudog(m, g)
    m.clock += costs.ENTERSYSCALL
    m.syscalltick = m.p.syscalltick
    m.p.syscalltick += 1
    m.oldp = m.p
    if m.watch is not None:
        m.emit(GO_SYSCALL, name)
    handoffp(m, releasep(m, "syscall"))
    casgstatus(g, RUNNING, SYSCALL)
    if m.sched.sysmonwait:
        m.sched.wake_sysmon(m)


def exitsyscall(m: M, g: G) -> M:
    """g is back from the system call; returns the M it is on when it may go on.

    Go: runtime/proc.go exitsyscall.
    """
    m.clock += costs.EXITSYSCALL
    casgstatus(g, SYSCALL, RUNNING)
    oldp = m.oldp
    m.oldp = None
    how = "kept its P"
    if m.p is None:
        how = _try_get_p(m, oldp)
    if m.p is not None:
        if m.watch is not None:
            m.emit(GO_SYSEXIT, how)
        m.p.syscalltick += 1
        m.horizon = horizon_of(m)
        return m
    m.clock += costs.EXITSYSCALL_SLOW
    m.mcall = exitsyscall_no_p
    m.g0.switch()
    m = g.m or sent_back(g)
    m.p.syscalltick += 1
    return m


def _try_get_p(m: M, oldp: P | None) -> str:
    """Take the old P back from whoever is in a system call with it, else any idle one.

    Go: runtime/proc.go exitsyscallTryGetP.
    """
    sched = m.sched
    if oldp is not None and take_syscall_p(oldp):
        acquirep(m, oldp)
        return "took its P back"
    pp = pidleget(sched)
    if pp is not None:
        acquirep(m, pp)
        if sched.sysmonwait:
            sched.wake_sysmon(m)
        return "took an idle P"
    return "no P"


def exitsyscall_no_p(m: M) -> None:
    """On g0, without a P: queue the goroutine globally and sleep.

    Go: runtime/proc.go exitsyscallNoP.
    """
    sched = m.sched
    gp = m.curg
    if m.watch is not None:
        m.emit(GO_SYSEXIT, "no P: to the global queue")
    casgstatus(gp, RUNNING, RUNNABLE)
    locked = gp.lockedm is not None
    dropg(m)
    pp = pidleget(sched)
    if pp is not None:
        acquirep(m, pp)
        execute(m, gp, False, "direct", "found an idle P")
        return
    sched.runq.append(gp)
    if locked:
        stoplockedm(m)
        execute(m, gp, False, "direct", "locked to this thread")
        return
    stopm(m)


def blocking_syscall(m: M, g: G, call: HostCall, takes_ns: int) -> None:
    """Let a thread of the host make the call while this simulated thread waits; the caller looks at its outcome.

    Under the virtual clock the call completes takes_ns after its start, and the kernel waits for the host there.
    """
    if m.clock >= m.horizon:
        sched = m.sched
        if safepoint(m, g, OP_SYSCALL, None) is None:
            end_again(sched)
        if sched.controller is not None:
            sched.controller.host_call(g.m, g, call)
            return
    _blocking_syscall(g, call, takes_ns)


def _blocking_syscall(g: G, call: HostCall, takes_ns: int) -> None:
    m = g.m
    kernel = m.sched.kernel
    kernel.start_call(m, call)
    entersyscall(m, g, call.name)
    kernel.await_call(m, takes_ns)
    exitsyscall(m, g)


def short_syscall(m: M, g: G, name: str, takes_ns: int, fn: Callable[[], Any]) -> Any:
    """Run a call that does not block, such as a write to a file, on this host thread; charge takes_ns.

    None when the run is over: nothing was called.
    """
    if m.clock >= m.horizon:
        following = safepoint(m, g, OP_WRITE, None)
        if following is None:
            return None
        controller = following.sched.controller
        if controller is not None:
            return controller.perform(g, _short_syscall, g, name, takes_ns, fn)
    return _short_syscall(g, name, takes_ns, fn)


def _short_syscall(g: G, name: str, takes_ns: int, fn: Callable[[], Any]) -> Any:
    m = g.m
    entersyscall(m, g, name)
    result = error = None
    try:
        result = fn()
    except BaseException as raised:  # a closed pipe, say: first the goroutine comes back from the call
        error = raised
    m.clock += takes_ns
    if m.clock >= m.horizon:
        m.sched.kernel.yield_cpu(m)  # sysmon may take the P here, as it may in Go
    exitsyscall(m, g)
    if error is not None:
        raise error
    return result
