"""WaitGroup: wait until a number of tasks is done.

Go keeps the counter and the number of waiters in one word, which each operation changes atomically. What it cannot make
atomic is the end of a wait: the last `done` sets the count to 0, and then lets the waiters go; each waiter wakes up,
and then looks whether the group was used again. Whoever adds in these gaps misuses it, and one of the two panics. Here
the first gap shows in exploration only (it is an inner point), the second one always.

Go: sync/waitgroup.go WaitGroup.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from greenlet import getcurrent

from ..base.errors import GoexitUnwind, throw
from ..base.events import WAITGROUP_ADD, WAITGROUP_WAIT
from ..kernel import costs
from ..lang.go import starter
from ..lang.owner import Owned, current_m, outside
from ..lang.panic import defer, func, panic, recover, refuse_generators, with_defers
from ..sched import waitreason
from ..sched.inner import inner_point
from ..sched.ops import OP_ADD, OP_RELEASE, OP_WAIT, OP_WAITED
from ..sched.sema import Sema

if TYPE_CHECKING:
    from ..sched.bubble import Bubble
    from ..sched.g import G
    from ..sched.m import M

MAX_COUNT = (1 << 31) - 1

COST = costs.WAITGROUP
PARK_REASON = waitreason.SYNC_WAITGROUP_WAIT


class WaitGroup(Owned):
    """Waits for tasks: `add` before each starts (or `go`), `done` when it ends, `wait` until all are.

    Go: sync/waitgroup.go WaitGroup.
    """

    __slots__ = ("bubble", "counter", "sema", "waiters")
    KIND = "waitgroup"

    def __init__(self) -> None:
        Owned.__init__(self)
        self.bubble: Bubble | None = None  # whose goroutines add to it; until it is done and waited for
        self.counter = 0
        self.waiters = 0
        self.sema: Sema | None = None  # made when somebody first waits

    def add(self, delta: int) -> None:
        """Add delta, which may be negative, to the number of tasks; at 0 all who wait go on.

        In a synctest bubble it becomes the bubble's own, so that waiting for it is durable; only the bubble's
        goroutines may add to it then.
        Raises: Panic "sync: negative WaitGroup counter", and "sync: WaitGroup misuse: Add called concurrently with
        Wait"; FatalError "sync: WaitGroup.Add called from inside and outside synctest bubble", "sync: WaitGroup.Add
        called from multiple synctest bubbles"; TypeError if delta is no integer; RuntimeError outside a goroutine.
        Differs: in Go a package variable that is no pointer never becomes a bubble's own.
        Go: sync/waitgroup.go WaitGroup.Add.
        """
        if type(delta) is not int:
            if isinstance(delta, bool) or not hasattr(delta, "__index__"):
                raise TypeError(f"sync.WaitGroup.add: delta must be an integer, not {type(delta).__name__}")
            delta = delta.__index__()
        count = self.counter + delta
        is_plain = not self.waiters and 0 <= count <= MAX_COUNT
        if is_plain and self.bubble is getattr(getcurrent(), "bubble", None) and self.quick(COST):
            self.counter = count
        else:
            self._change_by(delta, "sync.WaitGroup.add")

    def done(self) -> None:  # hot: waitgroup
        """One task less: add(-1).

        Raises: as `add`.
        Go: sync/waitgroup.go WaitGroup.Done.
        """
        g: G = getcurrent()  # type: ignore[assignment]
        try:
            m = g.m
            clock = m.clock + COST
        except AttributeError:
            raise outside("sync.WaitGroup.done") from None
        if self.ns > clock:
            clock = self.ns
        # Unoptimised form: the call below, always.
        count = self.counter - 1
        is_plain = (count > 0 or (count == 0 and not self.waiters)) and self.bubble is g.bubble
        if is_plain and clock < m.horizon and self.sched is m.sched and m.watch is None:
            m.clock = self.ns = clock
            self.counter = count
        else:
            self._change_by(-1, "sync.WaitGroup.done")

    def wait(self) -> None:
        """Wait until there are no tasks.

        Raises: Panic "sync: WaitGroup is reused before previous Wait has returned"; RuntimeError outside a goroutine.
        Go: sync/waitgroup.go WaitGroup.Wait.
        """
        self.step("sync.WaitGroup.wait", COST, OP_WAIT, self._await)

    def go(self, f: Callable[..., Any], /, *args: Any, **kwargs: Any) -> None:
        """Start a goroutine that calls f(*args, **kwargs), as a task of this group: add(1) before, done when f ends.

        A panic in f ends the program without a done, so that nobody who waits goes on before it does. f has defer and
        recover, as a goroutine's function has.
        Differs: f may take arguments; what it returns is dropped.
        Raises: as `add`; TypeError if f is not callable, or is a generator or coroutine function.
        Go: sync/waitgroup.go WaitGroup.Go.
        """
        current_m("sync.WaitGroup.go")
        refuse_generators(f, "sync.WaitGroup.go")
        self.add(1)
        _start(_task, self, f, args, kwargs)

    # What the operations do.

    def _change_by(self, delta: int, what: str) -> None:
        _, g = current_m(what)
        g.param = delta  # for `ends`
        self.step(what, COST, OP_ADD, self._change, delta)

    def _change(self, m: M, g: G, delta: int) -> None:
        if self.bubble is not g.bubble:
            self._associate(m, g)
        waiters = self.waiters
        counter = self.counter + delta
        if not -MAX_COUNT <= counter <= MAX_COUNT:
            counter = (counter + (1 << 31)) % (1 << 32) - (1 << 31)  # Go's counter has 32 bits
        self.counter = counter
        if m.watch is not None:
            m.emit(WAITGROUP_ADD, self.event_name(), delta, counter)
        if counter < 0:
            panic("sync: negative WaitGroup counter")
        if waiters and delta > 0 and counter == delta:
            panic("sync: WaitGroup misuse: Add called concurrently with Wait")
        if counter or not waiters:
            return
        m = inner_point(m, g, OP_RELEASE, self)
        if self.counter or self.waiters != waiters:
            panic("sync: WaitGroup misuse: Add called concurrently with Wait")
        self.waiters = 0
        self.bubble = None
        sema = self.sema
        if sema is None:
            throw("sync: WaitGroup with waiters has no semaphore")
        for _ in range(waiters):
            m = sema.release(m, g, obj=self)

    def _await(self, m: M, g: G) -> None:
        if m.watch is not None:
            m.emit(WAITGROUP_WAIT, self.event_name(), self.counter)
        if not self.counter:
            if not self.waiters and self.bubble is g.bubble:
                self.bubble = None
            return
        self.waiters += 1
        if self.sema is None:
            self.sema = Sema()
        m = self.sema.acquire(m, g, PARK_REASON, obj=self)
        m = inner_point(m, g, OP_WAITED, self)
        self.join(m)
        if self.counter or self.waiters:
            panic("sync: WaitGroup is reused before previous Wait has returned")

    def _associate(self, m: M, g: G) -> None:
        """It becomes the own of the synctest bubble that g is in, unless others have added to it.

        Go: internal/synctest/synctest.go Associate.
        """
        if g.bubble is not None and self.bubble is not None:
            m.sched.fatal(m, g, "sync: WaitGroup.Add called from multiple synctest bubbles")
        if g.bubble is None or self.counter or self.waiters:
            m.sched.fatal(m, g, "sync: WaitGroup.Add called from inside and outside synctest bubble")
        self.bubble = g.bubble

    def ready(self, op: int, g: G) -> bool:
        """Would the operation complete now?"""
        return op != OP_WAIT or not self.counter

    def ends(self, op: int, g: G) -> list[tuple[Any, bool]]:
        """For exploration: a wait must have begun when the `done` comes that ends it, as partners meet on a channel."""
        if op == OP_WAIT:
            return [(self, False)]
        if op == OP_ADD and self.counter and self.counter + g.param == 0:
            return [(self, True)]
        return []

    def check(self) -> None:
        """Nobody waits for nothing."""
        if self.sema is not None:
            self.sema.check()
            if len(self.sema.waiting()) != self.waiters:
                throw("check: WaitGroup miscounts its waiters")
        if self.waiters and not self.counter:
            throw("check: goroutines wait for a WaitGroup that is done")

    def __repr__(self) -> str:
        waiting = f", {self.waiters} waiting" if self.waiters else ""
        return f"<sync.WaitGroup {self.counter}{waiting}>"


_start = starter("sync", "(*WaitGroup).Go")


def _task(wg: WaitGroup, f: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:  # hot: task
    """The goroutine that `go` starts.

    Unoptimised form: defer a function that recovers, panics again, or is done, and call f.
    """
    try:
        with_defers(f)(*args, **kwargs)
    except GoexitUnwind:
        wg.done()
        raise
    except Exception as exc:  # noqa: BLE001  any of them is a panic
        _panic_again(exc)
    wg.done()


@func
def _panic_again(exc: Exception) -> None:
    """Panic with what f has panicked with, as Go's task does that has recovered it."""
    defer(_recovered)
    raise exc


def _recovered() -> None:
    value = recover()
    if value is not None:  # it is with GODEBUG=panicnil=1: then the task is done
        panic(value)


__all__ = ["WaitGroup"]
