"""Mutex: mutual exclusion with a normal and a starvation mode.

The state is Go's word: locked, woken, starving, and above them the number of waiters.

*Normal mode.* Waiters queue in FIFO order, but one that is woken does not own the mutex: it competes with whoever runs
and comes by, and those usually win. A waiter that loses queues again, at the front. The woken bit says that somebody is
on the way already, so that unlocks wake nobody else. A goroutine that finds the mutex locked spins a little first, if
others run on other Ps.

*Starvation mode.* A waiter that is woken after more than 1 ms and loses switches to it. Then an unlock hands the mutex
straight to the first waiter, which runs at once; whoever comes queues at the tail. The mode ends with a waiter that is
the last one, or that waited less than 1 ms.

Go: internal/sync/mutex.go Mutex.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from greenlet import getcurrent

from ..base.errors import throw
from ..base.events import SYNC_LOCK, SYNC_UNLOCK
from ..kernel import costs
from ..lang.error import SURVIVABLE
from ..lang.owner import Owned, outside
from ..sched import waitreason
from ..sched.ops import OP_LOCK, OP_TRY_LOCK, OP_UNLOCK
from ..sched.park import park, ready, struck_m
from ..sched.preempt import safepoint
from ..sched.sema import Sema
from ..sched.sudog import acquire_sudog

if TYPE_CHECKING:
    from ..sched.bubble import Bubble
    from ..sched.g import G
    from ..sched.m import M

LOCKED = 1
WOKEN = 2
STARVING = 4
FLAGS = 7
WAITER_SHIFT = 3
ONE_WAITER = 1 << WAITER_SHIFT
STARVATION_NS = 1_000_000  # Go: starvationThresholdNs
ACTIVE_SPIN = 4  # rounds; Go: active_spin

COST = costs.MUTEX
WAIT_COST = costs.NANOTIME + costs.SEMA + costs.SEMA_QUEUE
WAKE_COST = costs.SEMA + costs.SEMA_WAKE
FREE, SPUN, WAITED, HANDED_OVER = "free", "after spinning", "after waiting", "handed over"
SPIN_COST = costs.MUTEX_SPIN
PARK_REASON = waitreason.SYNC_MUTEX_LOCK


class Mutex(Owned):
    """A mutual exclusion lock. `with mu:` locks and unlocks it. It is not tied to a goroutine: another may unlock it.

    Go: sync/mutex.go Mutex.
    """

    __slots__ = ("held_in", "sema", "state")
    KIND = "mutex"

    def __init__(self) -> None:
        Owned.__init__(self)
        self.state = 0
        self.held_in: Bubble | None = None  # whose goroutine has locked it; see is_held_in
        self.sema: Sema | None = None  # made when somebody first waits

    def lock(self) -> None:  # hot: mutex
        """Lock, waiting until it is free.

        Raises: RuntimeError outside a goroutine.
        Go: sync/mutex.go Mutex.Lock.
        """
        g: G = getcurrent()  # type: ignore[assignment]
        try:
            m = g.m
            clock = m.clock + COST
        except AttributeError:
            raise outside("sync.Mutex.lock") from None
        if self.ns > clock:
            clock = self.ns
        # Unoptimised form: the last call below, always.
        if clock < m.horizon and self.sched is m.sched and m.watch is None:
            m.clock = self.ns = clock
            if not self.state:
                self.state = LOCKED
                return
            try:
                self._lock_taken(m, g)
            except SURVIVABLE:
                raise
            except BaseException as exc:  # see sched/park.py: something may be half done
                m = g.m or m
                m.curg, m.mcall, g.param = g, struck_m, exc
                m.g0.switch()
                raise
        else:
            self.step("sync.Mutex.lock", COST, OP_LOCK, self.lock_now)

    def unlock(self) -> None:  # hot: mutex
        """Unlock; a waiter, if there is one, is woken, and in starvation mode gets it and runs at once.

        Raises: FatalError "sync: unlock of unlocked mutex", which cannot be recovered; RuntimeError outside a
        goroutine.
        Go: sync/mutex.go Mutex.Unlock.
        """
        g: G = getcurrent()  # type: ignore[assignment]
        try:
            m = g.m
            clock = m.clock + COST
        except AttributeError:
            raise outside("sync.Mutex.unlock") from None
        if self.ns > clock:
            clock = self.ns
        # Unoptimised form: the last call below, always.
        if clock < m.horizon and self.sched is m.sched and m.watch is None:
            m.clock = self.ns = clock
            if self.state == LOCKED:
                self.state = 0
                return
            try:
                sema = self.sema
                state = self.state
                # Unoptimised form: the call below. This is its outcome for waiters of whom none is woken or starving.
                if sema is not None and state & FLAGS == LOCKED:
                    sg = sema.first
                    if sg is not None:
                        self.state = state - (LOCKED + ONE_WAITER - WOKEN)
                        following = sema.first = sg.next
                        if following is None:
                            sema.last = None
                        else:
                            following.prev = sg.next = None
                        sema.count += 1
                        m.sched.mutex_wait_ns += clock - sg.g.ns
                        sg.release_ns = m.clock = clock + WAKE_COST
                        ready(m, sg.g, self)
                        return
                self.unlock_now(m, g)
            except SURVIVABLE:
                raise
            except BaseException as exc:  # see sched/park.py: something may be half done
                m = g.m or m
                m.curg, m.mcall, g.param = g, struck_m, exc
                m.g0.switch()
                raise
        else:
            self.step("sync.Mutex.unlock", COST, OP_UNLOCK, self.unlock_now)

    def try_lock(self) -> bool:
        """Lock if that is possible at once; says whether it was.

        Raises: RuntimeError outside a goroutine.
        Go: sync/mutex.go Mutex.TryLock.
        """
        return bool(self.step("sync.Mutex.try_lock", COST, OP_TRY_LOCK, self.try_lock_now))

    def __enter__(self) -> None:
        self.lock()

    def __exit__(self, *_: object) -> None:
        self.unlock()

    # What the operations do, without a safepoint. RWMutex and Once use these too.

    def lock_now(self, m: M, g: G) -> M:
        """Lock; returns the M that g is on."""
        how = FREE
        if self.state:
            how = self.lock_slow(m, g)
            m = g.m
        else:
            self.state = LOCKED
        self.held_in = g.bubble
        if m.watch is not None:
            m.emit(SYNC_LOCK, self.event_name(), how)
        return m

    def try_lock_now(self, m: M, g: G) -> bool:
        """Lock if it is free and nobody is starving."""
        is_free = not self.state & (LOCKED | STARVING)
        if is_free:
            self.state |= LOCKED
            self.held_in = g.bubble
        if m.watch is not None:
            m.emit(SYNC_LOCK, self.event_name(), "tried" if is_free else "refused")
        return is_free

    def _lock_taken(self, m: M, g: G) -> None:  # hot: mutex_handoff
        """Lock one that is not free.

        Unoptimised form: lock_slow(m, g). What goes before is its most frequent outcome: this goroutine queues at the
        end, and when it is woken the mutex is still free.
        """
        sema = self.sema
        if sema is None:
            sema = self.sema = Sema()
        state = self.state
        if state & (LOCKED | STARVING) != LOCKED or sema.count or (m.sched.gomaxprocs > 1 and can_spin(m, 0)):
            self.lock_slow(m, g)
            self.held_in = g.bubble
            return
        self.state = state + ONE_WAITER
        sg = g.sudog or acquire_sudog(m, g)
        sg.ticket = 0
        wait_start_ns = m.clock + costs.NANOTIME
        sg.acquire_ns = wait_start_ns + costs.SEMA
        m.clock += WAIT_COST
        last = sg.prev = sema.last
        sg.next = None
        sema.last = sg
        if last is None:
            sema.first = sg
        else:
            last.next = sg
        m = park(m, g, PARK_REASON, self)
        state = self.state
        if state & FLAGS == WOKEN and sema.count:
            if self.ns > m.clock:
                m.clock = self.ns
            else:
                self.ns = m.clock
            sema.count -= 1
            self.state = state + (LOCKED - WOKEN)
            self.held_in = g.bubble
            return
        if not sg.ticket:
            if sema.count:
                sema.count -= 1
            else:
                m = sema.wait(m, g, PARK_REASON, False, self)
        self.join(m)
        self.lock_slow(m, g, wait_start_ns)
        self.held_in = g.bubble

    def lock_slow(self, m: M, g: G, wait_start_ns: int = -1) -> str:
        """Lock one that is locked or has waiters; says how it was got. g may be on another M then.

        wait_start_ns: if it has waited already, and was woken just now, since when.
        Go: internal/sync/mutex.go lockSlow.
        """
        is_starving = is_awoke = False
        was_woken = wait_start_ns >= 0
        spins = 0
        while True:
            old = self.state
            if was_woken:
                if m.clock - wait_start_ns > STARVATION_NS:
                    is_starving = True
                if old & STARVING:
                    self._take_over(old, is_starving)
                    return HANDED_OVER
                is_awoke = True
                spins = 0
                was_woken = False
            if old & (LOCKED | STARVING) == LOCKED and can_spin(m, spins):
                if not is_awoke and not old & WOKEN and old >= ONE_WAITER:
                    self.state = old | WOKEN
                    is_awoke = True
                m = spin(m, g)
                spins += 1
                if self.ns > m.clock:
                    m.clock = self.ns
                continue
            new = old
            if not old & STARVING:
                new |= LOCKED
            if old & (LOCKED | STARVING):
                new += ONE_WAITER
            if is_starving and old & LOCKED:
                new |= STARVING
            if is_awoke:
                if not new & WOKEN:
                    throw("sync: inconsistent mutex state")
                new -= WOKEN
            self.state = new
            if not old & (LOCKED | STARVING):
                return WAITED if wait_start_ns >= 0 else SPUN if spins else FREE
            is_lifo = wait_start_ns >= 0
            if not is_lifo:
                m.clock += costs.NANOTIME
                wait_start_ns = m.clock
            if self.sema is None:
                self.sema = Sema()
            m = self.sema.acquire(m, g, PARK_REASON, is_lifo, self)
            self.join(m)
            was_woken = True

    def _take_over(self, old: int, is_starving: bool) -> None:
        """It was handed over: but it is not marked as locked, and this goroutine still counts as a waiter."""
        if old & (LOCKED | WOKEN) or old < ONE_WAITER:
            throw("sync: inconsistent mutex state")
        old += LOCKED - ONE_WAITER
        if not is_starving or old < ONE_WAITER:
            old -= STARVING
        self.state = old

    def unlock_now(self, m: M, g: G) -> M:
        """Unlock; returns the M that g is on.

        Go: internal/sync/mutex.go Unlock, unlockSlow.
        """
        old = self.state
        if not old & LOCKED:
            m.sched.fatal(m, g, "sync: unlock of unlocked mutex")
        old -= LOCKED
        is_handoff = old & STARVING != 0
        if not is_handoff and (old < ONE_WAITER or old & WOKEN):
            self.state = old
            if m.watch is not None:
                m.emit(SYNC_UNLOCK, self.event_name(), "free")
            return m
        self.state = old if is_handoff else old - ONE_WAITER | WOKEN
        if m.watch is not None:
            m.emit(SYNC_UNLOCK, self.event_name(), "hands over" if is_handoff else "wakes a waiter")
        sema = self.sema
        if sema is None:
            throw("sync: mutex with waiters has no semaphore")
        return sema.release(m, g, is_handoff, obj=self)

    def ready(self, op: int, g: G) -> bool:
        """Would the operation complete now?"""
        return op != OP_LOCK or not self.state & (LOCKED | STARVING)

    def is_fatal(self, op: int) -> bool:
        """Would the operation end the program now?"""
        return op == OP_UNLOCK and not self.state & LOCKED

    def is_held_in(self, bubble: Bubble, _op: int = OP_LOCK) -> bool:
        """For a synctest bubble with durable mutexes: one of its goroutines holds it.

        While there is such a bubble no operation takes the shortest way: all others remember whose the mutex is. A
        bubble that has begun after the lock is another one.
        """
        return bool(self.state & LOCKED) and self.held_in is bubble

    def check(self) -> None:
        """The state and the queue agree."""
        state = self.state
        waiting = 0
        if self.sema is not None:
            self.sema.check()
            waiting = len(self.sema.waiting())
        if waiting > state >> WAITER_SHIFT:
            throw("check: mutex has waiters that it does not count")
        if state & STARVING and not state >> WAITER_SHIFT:
            throw("check: starving mutex without waiters")

    def __repr__(self) -> str:
        return f"<sync.Mutex{_said(self.state)}>"


def _said(state: int) -> str:
    """For people: what a mutex' state is."""
    text = ", locked" if state & LOCKED else ""
    text += ", starving" if state & STARVING else ""
    return f"{text}, {state >> WAITER_SHIFT} waiting" if state >> WAITER_SHIFT else text


def can_spin(m: M, spins: int) -> bool:
    """Is it worth waiting on this CPU: few rounds so far, others run on other Ps, nobody waits for this one?

    Go: runtime/proc.go internal_sync_runtime_canSpin.
    """
    sched = m.sched
    return (
        spins < ACTIVE_SPIN
        and sched.gomaxprocs > sched.npidle + sched.nmspinning + 1
        and sched.run_config.cpus > 1
        and m.p.is_runq_empty()
    )


def spin(m: M, g: G) -> M:
    """Wait for one round on this CPU, while others run on theirs; returns the M that g is on.

    However large the quantum is, they come as far as this one does: else it would look again before anybody has moved.
    Go: runtime/proc.go internal_sync_runtime_doSpin.
    """
    m.sched.kernel.compute(m, SPIN_COST)
    if m.clock >= m.horizon:
        return safepoint(m, g, OP_TRY_LOCK, None) or m
    return m


__all__ = ["Mutex"]
