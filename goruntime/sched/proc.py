"""Creating and ending goroutines; the deadlock check.

Go: runtime/proc.go newproc, goexit0, checkdead.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..base.errors import throw
from ..base.events import DIRECT, GO_CREATE, GO_END
from ..base.names import function_name
from .coro import coroexit, run_instead
from .g import GFREE_SPILL, NO_KWARGS, NO_ORIGIN, G
from .park import dropg
from .preempt import horizon_of
from .status import DEAD, DEBUG, DURABLE, IDLE, PREEMPTED, RUNNABLE, RUNNING, SYSCALL, WAITING, casgstatus
from .system import GOID_BATCH, register_system_goroutines
from .threadlock import exit_locked
from .timers import has_timers
from .waitreason import STOPPING_THE_WORLD

if TYPE_CHECKING:
    from .m import M
    from .p import P
    from .sched import Sched

GFREE_REFILL = 32


def newproc1(m: M, fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> G:  # hot: spawn
    """A runnable goroutine that will call fn; in no queue yet.

    Go: runtime/proc.go newproc1.
    """
    sched = m.sched
    p = m.p
    gp = p.gfree.pop() if p.gfree else gfget(sched, p)
    if gp.status != DEAD:
        throw("newproc1: new g is not Gdead")
    goid = p.goid_next
    if goid == p.goid_end:
        goid = sched.goid_last + 1
        sched.goid_last += GOID_BATCH
        p.goid_end = goid + GOID_BATCH
    p.goid_next = goid + 1
    gp.goid = goid
    gp.fn = fn
    gp.args = args
    gp.kwargs = kwargs or NO_KWARGS
    gp.ns = m.clock
    gp.gr_context = sched.context.copy() if sched.context else None  # None: an empty one when it needs one
    if DEBUG:
        casgstatus(gp, DEAD, RUNNABLE)
    gp.is_fresh = True
    gp.status = RUNNABLE
    return gp


def gfget(sched: Sched, pp: P) -> G:
    """A dead G for reuse: the P's list is empty, so refill it from the scheduler's, else make or borrow one.

    While there is a synctest bubble the Ps' lists stay empty, so that every new goroutine comes here and gets its own.
    Go: runtime/proc.go gfget.
    """
    shared = sched.gfree
    if sched.bubbles:
        gp = shared.pop() if shared else new_g(sched)
        join_bubble(sched, pp, gp)
        return gp
    if shared:
        count = min(GFREE_REFILL, len(shared))
        pp.gfree = shared[: -count - 1 : -1]
        del shared[-count:]
        return pp.gfree.pop()
    return new_g(sched)


def join_bubble(sched: Sched, pp: P, gp: G) -> None:
    """A new goroutine belongs to the synctest bubble of who starts it: a goroutine, or a timer.

    Go: runtime/proc.go newproc1.
    """
    caller = pp.m.curg if pp.m is not None else None
    bubble = caller.bubble if caller is not None else sched.timer_bubble
    if bubble is not None:
        bubble.started(gp)


def new_g(sched: Sched) -> G:
    """A G that this run has not had yet."""
    gp = sched.pool.take_g()
    gp.status = IDLE
    casgstatus(gp, IDLE, DEAD)
    gp.index = len(sched.allgs)
    sched.allgs.append(gp)
    return gp


def gfput(sched: Sched, pp: P, gp: G) -> None:
    """Keep a dead G; 64 spill down to half of it into the scheduler's list.

    Go: runtime/proc.go gfput.
    """
    if gp.status != DEAD:
        throw("gfput: bad status (not Gdead)")
    if sched.bubbles:
        sched.gfree.append(gp)
        return
    pp.gfree.append(gp)
    if len(pp.gfree) >= GFREE_SPILL:
        spill = GFREE_SPILL // 2
        sched.gfree.extend(reversed(pp.gfree[-spill - 1 :]))
        del pp.gfree[-spill - 1 :]


def goexit0(m: M) -> None:
    """On g0: the running goroutine is done. A coroutine's last switch is made here.

    Go: runtime/proc.go goexit0, gdestroy.
    """
    gp = m.curg
    gnext = coroexit(m, gp) if gp.coroarg is not None else None
    if m.watch is not None:
        m.emit(GO_END)
    casgstatus(gp, RUNNING, DEAD)
    was_locked = gp.lockedm is not None
    if was_locked:
        gp.lock_count = 0
        gp.lockedm = None
        m.lockedg = None
        m.sched.locked_count -= 1
    gp.panicking = gp.unwinding = gp.frames = None
    gp.param = None
    dropg(m)
    if gp.bubble is not None:
        gp.bubble.ended(m, gp)
    gfput(m.sched, m.p, gp)
    if was_locked:
        m.sched.refresh_all_checks()
        exit_locked(m)
    if gnext is not None:
        run_instead(m, gnext)
        m.horizon = horizon_of(m)
        gnext.switch()


def new_main(sched: Sched, m: M, fn: Callable[..., Any], args: tuple[Any, ...]) -> G:
    """Goroutine 1, runnable, next on m's P; then the system goroutines.

    Go: runtime/proc.go main.
    """
    gp = newproc1(m, fn, args, {})
    if gp.goid != 1:
        throw("main goroutine is not goroutine 1")
    gp.origin = NO_ORIGIN
    if m.watch is not None:
        m.emit(GO_CREATE, gp.goid, function_name(fn), DIRECT)
    register_system_goroutines(sched, m)
    m.p.runnext = gp
    return gp


def checkdead(sched: Sched) -> None:
    """A thread goes to sleep: can anything still happen?

    Counts threads that run, so a thread in the poller, a host call in flight or a timer in any heap silences it, as in
    Go. A stopped timer does not.
    Go: runtime/proc.go checkdead.
    """
    if sched.is_ending or sched.controller is not None:
        return
    running = sched.m_count - sched.nmfreed - len(sched.midle) - sched.nmidlelocked - sched.nmsys
    if running > 0:
        return
    if running < 0:
        throw("checkdead: inconsistent counts")
    user_count = 0
    for gp in sched.allgs:
        if gp.is_system:
            continue
        if gp.status in (WAITING, DURABLE, PREEMPTED):
            user_count += 1
        elif gp.status in (RUNNABLE, RUNNING, SYSCALL):
            throw("checkdead: runnable g")
    if user_count == 0:
        sched.fatal_on_g0("no goroutines (main called runtime.Goexit) - deadlock!", is_deadlock=True)
    if any(has_timers(pp) for pp in sched.allp):
        return
    sched.fatal_on_g0("all goroutines are asleep - deadlock!", is_deadlock=True)


def check_goroutines(sched: Sched) -> None:
    """Every goroutine is in a legal state for where it is."""
    running = {m.curg.goid: m for m in sched.allm if m.curg is not None}
    for gp in sched.allgs:
        if gp.status in (RUNNING, SYSCALL) and (gp.goid not in running or gp.m is not running[gp.goid]):
            throw("check: running goroutine is on no thread")
        is_stopping = gp.status == WAITING and gp.waitreason == STOPPING_THE_WORLD  # WAITING, but on its thread
        if gp.status in (WAITING, DURABLE, RUNNABLE, DEAD) and gp.m is not None and not is_stopping:
            throw("check: goroutine that does not run is on a thread")
