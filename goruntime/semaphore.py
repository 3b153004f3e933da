"""Package semaphore: a weighted semaphore, of which each holder takes as much as it needs.

    slots = semaphore.Weighted(10)
    slots.acquire(ctx, 3)
    try:
        ...
    finally:
        slots.release(3)

Who waits is served first come, first served: one that wants much is not overtaken by those that want little.

What Go's does with its mutex held is one operation here.

Go: cmd/vendor/golang.org/x/sync/semaphore/semaphore.go Weighted.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from .base.events import CRITICAL
from .context import Context
from .context.base import canceled_error, channel_of, check_parent
from .kernel import costs
from .lang.chan import chan
from .lang.owner import Owned
from .lang.panic import panic
from .lang.select import default, select
from .sched.ops import OP_CRITICAL

if TYPE_CHECKING:
    from .sched.g import G
    from .sched.m import M

COST = costs.CRITICAL
# What came of asking for some, if it was not to wait.
TAKEN, CANCELED, TOO_MUCH = "taken", "canceled", "too much"


class _Waiter:
    """Somebody who waits for n.

    Go: cmd/vendor/golang.org/x/sync/semaphore/semaphore.go waiter.
    """

    __slots__ = ("has_left", "n", "ready")

    def __init__(self, n: int) -> None:
        self.n = n
        self.ready: chan[None] = chan()  # closed when it has got them
        self.has_left = False


class Weighted(Owned):
    """`Weighted(n)`: n is how much can be held at a time, in all.

    Raises: TypeError if n is no integer, ValueError if it is negative.
    Go: cmd/vendor/golang.org/x/sync/semaphore/semaphore.go NewWeighted.
    """

    __slots__ = ("_cur", "_size", "_waiters")
    KIND = "semaphore"

    def __init__(self, n: int) -> None:
        Owned.__init__(self)
        self._size = _weight(n, "semaphore.Weighted")
        self._cur = 0
        self._waiters: deque[_Waiter] = deque()  # those who gave up stay in it until they are first

    def acquire(self, ctx: Context, n: int = 1) -> None:
        """Take n, waiting for them until ctx is canceled. When it is canceled already, nothing is taken.

        More than the semaphore has is waited for until ctx is canceled, and holds nobody else up.
        Differs: n is 1 unless given; it raises where Go returns the error.
        Raises: ctx.err() if ctx was canceled first; Panic if ctx is None; TypeError, ValueError for a bad n;
        RuntimeError outside a goroutine.
        Go: cmd/vendor/golang.org/x/sync/semaphore/semaphore.go Acquire.
        """
        check_parent(ctx, "semaphore.Weighted.acquire", "ctx")
        n = _weight(n, "semaphore.Weighted.acquire")
        done = channel_of(ctx.done())
        found = self.step("semaphore.Weighted.acquire", COST, OP_CRITICAL, self._acquire, done, n)
        if found is CANCELED:
            raise canceled_error(ctx)
        if found is TOO_MUCH:
            done.recv()
            raise canceled_error(ctx)
        if not isinstance(found, _Waiter):
            return
        if select(done.recv, found.ready.recv)[0] == 0:
            self.step("semaphore.Weighted.acquire", COST, OP_CRITICAL, self._give_up, found)
            raise canceled_error(ctx)
        if select(done.recv, default)[0] == 0:
            self.release(n)
            raise canceled_error(ctx)

    def _acquire(self, m: M, g: G, done: chan[Any], n: int) -> _Waiter | str:
        self._note(m, "acquire")
        if done and m.sched.controller is not None:
            m.sched.controller.touches(g, done, False)
        if done.closed:
            return CANCELED
        if self._size - self._cur >= n and self._front() is None:
            self._cur += n
            return TAKEN
        if n > self._size:
            return TOO_MUCH
        waiter = _Waiter(n)
        self._waiters.append(waiter)
        return waiter

    def _give_up(self, m: M, g: G, waiter: _Waiter) -> None:
        """The context was canceled, perhaps just when it got them: then they go back."""
        self._note(m, "give up")
        if waiter.ready.closed:
            self._cur -= waiter.n
            self._notify(m)
            return
        is_front = self._front() is waiter
        waiter.has_left = True
        if is_front and self._size > self._cur:
            self._notify(m)

    def try_acquire(self, n: int = 1) -> bool:
        """Take n if that is possible at once; says whether it was. Never while somebody waits.

        Raises: TypeError, ValueError for a bad n; RuntimeError outside a goroutine.
        Go: cmd/vendor/golang.org/x/sync/semaphore/semaphore.go TryAcquire.
        """
        n = _weight(n, "semaphore.Weighted.try_acquire")
        return bool(self.step("semaphore.Weighted.try_acquire", COST, OP_CRITICAL, self._try_acquire, n))

    def _try_acquire(self, m: M, g: G, n: int) -> bool:
        self._note(m, "try_acquire")
        has = self._size - self._cur >= n and self._front() is None
        if has:
            self._cur += n
        return has

    def release(self, n: int = 1) -> None:
        """Give n back, and to those who wait.

        Raises: Panic "semaphore: released more than held"; TypeError, ValueError for a bad n; RuntimeError outside a
        goroutine.
        Go: cmd/vendor/golang.org/x/sync/semaphore/semaphore.go Release.
        """
        n = _weight(n, "semaphore.Weighted.release")
        self.step("semaphore.Weighted.release", COST, OP_CRITICAL, self._release, n)

    def _release(self, m: M, g: G, n: int) -> None:
        self._note(m, "release")
        self._cur -= n
        if self._cur < 0:
            panic("semaphore: released more than held")
        self._notify(m)

    # The queue.

    def _front(self) -> _Waiter | None:
        waiters = self._waiters
        while waiters and waiters[0].has_left:
            waiters.popleft()
        return waiters[0] if waiters else None

    def _notify(self, m: M) -> None:
        """Serve who waits, in order, as far as it goes.

        Go: cmd/vendor/golang.org/x/sync/semaphore/semaphore.go notifyWaiters.
        """
        while (waiter := self._front()) is not None and self._size - self._cur >= waiter.n:
            self._cur += waiter.n
            self._waiters.popleft()
            m.clock += costs.CHAN_CLOSE
            waiter.ready.ns = max(waiter.ready.ns, m.clock)
            waiter.ready.shut(m)

    def _note(self, m: M, operation: str) -> None:
        if m.watch is not None:
            m.emit(CRITICAL, self.event_name(), operation)

    def check(self) -> None:
        """Nobody waits who could be served."""
        assert 0 <= self._cur <= self._size
        front = self._front()
        assert front is None or self._size - self._cur < front.n

    def __repr__(self) -> str:
        waiting = sum(not waiter.has_left for waiter in self._waiters)
        return f"<semaphore.Weighted {self._cur}/{self._size}{f', {waiting} waiting' if waiting else ''}>"


def _weight(n: Any, what: str) -> int:
    if isinstance(n, bool) or not isinstance(n, int):
        raise TypeError(f"{what}: n must be an integer, not {type(n).__name__}")
    if n < 0:
        raise ValueError(f"{what}: n must not be negative: {n}")
    return n


__all__ = ["Weighted"]
