"""LockOSThread: a goroutine and a thread that belong to each other.

A locked goroutine that parks leaves its thread asleep without a P (stoplockedm). Whoever picks it later hands over the
P and wakes that thread (startlockedm): two thread switches a hand-off. A thread whose locked goroutine ends dies with
it, but for m0, which is parked for ever.

While a P runs a locked goroutine its parks must go through g0, so `next_check_ns` is forced to 0.
Go: runtime/proc.go LockOSThread, stoplockedm, startlockedm.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..base.errors import throw
from ..base.events import GO_HAND_OVER, THREAD_EXIT
from ..kernel import costs
from .spin import acquirep, handoffp, notesleep, notewakeup, releasep, stopm
from .status import RUNNABLE

if TYPE_CHECKING:
    from .g import G
    from .m import M

MAX_NESTING = 0xFFFFFFFF


def lock_os_thread(m: M, g: G) -> None:
    """Wire g to m, one level deeper."""
    m.clock += costs.LOCK_THREAD
    m.sched.start_template_thread(m)
    g.lock_count += 1
    if g.lockedm is None:
        m.lockedg = g
        g.lockedm = m
        m.sched.locked_count += 1
        m.sched.refresh_all_checks()


def unlock_os_thread(m: M, g: G) -> None:
    """One level less; at none the wiring ends. Below none it does nothing."""
    if g.lock_count == 0:
        return
    g.lock_count -= 1
    if g.lock_count == 0:
        release_lock(m, g)


def release_lock(m: M, g: G) -> None:
    """End the wiring, however deep it was."""
    g.lock_count = 0
    g.lockedm = None
    m.lockedg = None
    m.sched.locked_count -= 1
    m.sched.refresh_all_checks()


def stoplockedm(m: M) -> None:
    """On g0: sleep until somebody picks this thread's goroutine and hands over a P.

    Go: runtime/proc.go stoplockedm.
    """
    gp = m.lockedg
    if gp is None or gp.lockedm is not m:
        throw("stoplockedm: inconsistent locking")
    sched = m.sched
    if m.p is not None:
        handoffp(m, releasep(m, "locked goroutine waits"))
    sched.nmidlelocked += 1
    sched.checkdead()
    notesleep(m)
    if gp.status != RUNNABLE:
        throw("stoplockedm: not runnable")
    pp = m.nextp
    if pp is None:
        throw("stoplockedm: woken without a P")
    m.nextp = None
    acquirep(m, pp)


def startlockedm(m: M, gp: G, queue: str, why: str) -> None:
    """On g0: gp, just picked, belongs to another thread: hand it the P and sleep.

    Go: runtime/proc.go startlockedm.
    """
    mp = gp.lockedm
    if mp is None or mp is m:
        throw("startlockedm: locked to me")
    if mp.nextp is not None:
        throw("startlockedm: m has p")
    m.sched.nmidlelocked -= 1
    if m.watch is not None:
        m.emit(GO_HAND_OVER, gp.goid, queue, why, mp.id)
    mp.nextp = releasep(m, "hand over to a locked thread")
    notewakeup(m, mp)
    stopm(m)


def exit_locked(m: M) -> None:
    """On g0: the locked goroutine ended, so its thread does; m0 sleeps for ever instead.

    Go: runtime/proc.go mexit.
    """
    sched = m.sched
    if m.watch is not None:
        m.emit(THREAD_EXIT)
    if m.id:
        sched.allm.remove(m)
        sched.dead_ms.append(m)
    handoffp(m, releasep(m, "thread exits"))
    sched.nmfreed += 1
    sched.checkdead()
    m.parked = False
    sched.kernel.futex_sleep(m)
    throw("locked m0 woke up")
