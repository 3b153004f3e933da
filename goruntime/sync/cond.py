"""Cond: wait until somebody says that something may have changed.

Go: sync/cond.go Cond.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from ..base.events import COND_NOTIFY, COND_WAIT
from ..kernel import costs
from ..lang.owner import Owned, belong, current_m, unbroken
from ..lang.panic import panic
from ..sched import waitreason
from ..sched.ops import OP_COND_WAIT, OP_NOTIFY
from ..sched.preempt import end_again, safepoint
from ..sched.sema import NotifyList

if TYPE_CHECKING:
    from ..sched.g import G
    from ..sched.m import M

COST = costs.COND
PARK_REASON = waitreason.SYNC_COND_WAIT


class Locker(Protocol):
    """What can be locked: Mutex, RWMutex, its rlocker(), or one of the user's.

    Go: sync/mutex.go Locker.
    """

    def lock(self) -> None:
        """Wait until it is free, and take it."""

    def unlock(self) -> None:
        """Give it back."""


class Cond(Owned):
    """A condition over what the lock `l` protects: `with c.l: while not condition(): c.wait()`.

    Raises: TypeError if l has no lock and unlock.
    Go: sync/cond.go Cond, NewCond.
    """

    __slots__ = ("is_copied", "is_used", "l", "notify")
    KIND = "cond"

    def __init__(self, l: Locker) -> None:  # noqa: E741  Go's name
        if not (callable(getattr(l, "lock", None)) and callable(getattr(l, "unlock", None))):
            raise TypeError(f"sync.Cond: l must be a lock, with the methods lock and unlock, not {l!r}")
        Owned.__init__(self)
        self.l = l
        self.notify = NotifyList()
        self.is_used = False
        self.is_copied = False

    def wait(self) -> None:
        """Unlock `l`, wait for a signal or broadcast, and lock `l` again. Nothing else ends the wait.

        The condition may have changed again meanwhile: call it in a loop.
        Raises: Panic "sync.Cond is copied"; what `l` raises; RuntimeError outside a goroutine.
        Go: sync/cond.go Cond.Wait.
        """
        m, g = current_m("sync.Cond.wait")
        if self.sched is not m.sched:
            belong(self, m.sched)
        m.clock += COST
        ticket = unbroken(m, g, self._begin)
        self.l.unlock()
        m = g.m
        unbroken(m, g, self._sleep, ticket)
        self.l.lock()

    def signal(self) -> None:
        """Let the goroutine go on that has waited longest, if there is one.

        Raises: Panic "sync.Cond is copied"; RuntimeError outside a goroutine.
        Go: sync/cond.go Cond.Signal.
        """
        self.step("sync.Cond.signal", COST, OP_NOTIFY, self._wake, False)

    def broadcast(self) -> None:
        """Let all go on that wait.

        Raises: Panic "sync.Cond is copied"; RuntimeError outside a goroutine.
        Go: sync/cond.go Cond.Broadcast.
        """
        self.step("sync.Cond.broadcast", COST, OP_NOTIFY, self._wake, True)

    def _begin(self, m: M, g: G) -> int:
        """Take a ticket. In exploration this is one step with what follows: the unlock, a point of its own."""
        if m.clock >= m.horizon:
            sched = m.sched
            following = safepoint(m, g, OP_COND_WAIT, self)
            if following is None:
                end_again(sched)
            m = following
        self._use(m)
        ticket = self.notify.add()
        if m.watch is not None:
            m.emit(COND_WAIT, self.event_name(), ticket)
        return ticket

    def _sleep(self, m: M, g: G, ticket: int) -> None:
        m = self.notify.sleep(m, g, ticket, self, PARK_REASON)
        self.join(m)

    def _wake(self, m: M, g: G, is_broadcast: bool) -> None:
        self._use(m)
        if m.watch is not None:
            count = self.notify.wait - self.notify.notify
            m.emit(COND_NOTIFY, self.event_name(), "broadcast" if is_broadcast else "signal", count)
        if is_broadcast:
            self.notify.notify_all(m, self)
        else:
            self.notify.notify_one(m, self)

    def _use(self, m: M) -> None:
        """Join the clocks; refuse a copy.

        Go: sync/cond.go copyChecker.
        """
        self.join(m)
        if self.is_copied:
            panic("sync.Cond is copied")
        self.is_used = True

    def __copy__(self) -> Cond:
        """A copy; if this one was used, the copy panics when it is."""
        twin = Cond(self.l)
        twin.is_copied = self.is_used or self.is_copied
        return twin

    def __deepcopy__(self, memo: dict[int, Any]) -> Cond:
        return self.__copy__()

    def check(self) -> None:
        """The list of waiters is in order."""
        self.notify.check()

    def __repr__(self) -> str:
        return f"<sync.Cond, {len(self.notify.waiting())} waiting>"


__all__ = ["Cond", "Locker"]
