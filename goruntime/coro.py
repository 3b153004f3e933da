"""Package coro: pulling values out of an iterator, one at a time, as Go's iter.Pull does.

    def numbers(yield_):
        for i in range(3):
            if not yield_(i):   # the puller has called stop
                return

    next_, stop = coro.pull(numbers)
    try:
        print(next_())          # (0, True)
    finally:
        stop()

An iterator in Go's sense (`iter.Seq`) is a function that calls `yield_` with each of its values, and returns when
`yield_` says False. It runs in a goroutine of its own, a coroutine: each `next_` switches straight to it and back, past
the scheduler, so it is an ordinary function that may call others, which may call `yield_`. An iterable of Python (a
list, a generator, a channel) will do as well.

Go: iter/iter.go Pull, Pull2.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import TYPE_CHECKING, Any

from greenlet import getcurrent

from .base.errors import GoexitUnwind
from .base.names import function_name
from .lang.error import SURVIVABLE
from .lang.owner import belong, current_m, unbroken
from .lang.panic import NO_PLAIN_FUNCTION, forget_unwinding, goexit, panic
from .sched.coro import Coro, coroswitch, newcoro
from .sched.g import G
from .sched.m import M
from .sched.ops import OP_COROUTINE
from .sched.park import struck_m
from .sched.preempt import safepoint

if TYPE_CHECKING:
    from .sched.sched import Sched

Seq = Callable[[Callable[..., bool]], Any]  # Go: iter.Seq, iter.Seq2


def pull(seq: Any) -> tuple[Callable[[], tuple[Any, bool]], Callable[[], None]]:
    """The functions next and stop. `next()` gives `(value, True)`, and `(None, False)` when there is no more.

    seq is a function that takes `yield_`, or any iterable. Whoever does not pull to the end must call `stop()`, or the
    goroutine of seq stays for ever. An exception, panic or Goexit in seq comes out of the call that runs it.
    Only one goroutine at a time may call them.
    Raises: TypeError if seq is neither, or a generator function that was not called; RuntimeError outside a goroutine.
    `next` and `stop`: Panic "iter.Pull: next called again before yield"; FatalError if the goroutine is locked to a
    thread otherwise than when it called `pull`. `yield_`: Panic "iter.Pull: yield called again before next".
    Go: iter/iter.go Pull.
    """
    m, g = current_m("coro.pull")
    puller = _Pull("iter.Pull", _sequence(seq, "coro.pull"), m.sched)
    puller.begin(m, g, seq, sys._getframe(1))
    return puller.next, puller.stop


def pull2(seq: Any) -> tuple[Callable[[], tuple[Any, Any, bool]], Callable[[], None]]:
    """As `pull`, for pairs: seq calls `yield_(key, value)`, and `next()` gives `(key, value, True)`.

    seq may also be an iterable of pairs, such as `d.items()`.
    Raises: as `pull`.
    Go: iter/iter.go Pull2.
    """
    m, g = current_m("coro.pull2")
    puller = _Pull2("iter.Pull2", _sequence(seq, "coro.pull2", is_pairs=True), m.sched)
    puller.begin(m, g, seq, sys._getframe(1))
    return puller.next, puller.stop


class _Pull:
    """What next, stop and yield_ share. Owned by whichever of the two goroutines runs."""

    __slots__ = (
        "coro", "failure", "has_goexited", "is_done", "is_next", "made_at", "name", "ns", "sched", "seq", "values",
    )  # fmt: skip

    def __init__(self, name: str, seq: Seq, sched: Sched) -> None:
        self.name = name
        self.seq: Seq | None = seq
        self.sched: Sched | None = sched
        self.made_at = ""
        self.ns = 0  # its Lamport clock
        self.coro: Coro  # given by `begin`
        self.values: tuple[Any, ...] = ()  # what yield_ was called with; empty at the end
        self.is_done = False  # seq has ended, or is told to
        self.is_next = False  # a next waits for a value
        self.failure: BaseException | None = None  # what came out of seq
        self.has_goexited = False  # Goexit did

    def begin(self, m: M, g: G, seq: Any, frame: FrameType) -> None:
        """Make the coroutine; it does not run yet."""
        module, _, name = function_name(seq).rpartition(".")
        self.coro = unbroken(m, g, newcoro, self.run, (module, name), frame)

    def enter(self, what: str, is_stop: bool = False) -> tuple[M, G]:
        """The safepoint of next, stop and yield_; after it nobody has looked at anything yet."""
        m, g = current_m(f"coro.{what}")
        if self.sched is not m.sched:
            belong(self, m.sched)
        return unbroken(m, g, _enter, self, is_stop), g

    def ready(self, _op: int, _g: G) -> bool:
        """In a `finally` of an abandoned goroutine: would next or yield_ return without running anybody?"""
        return self.is_done

    # In the iterator's goroutine.

    def run(self) -> None:
        """The coroutine: the whole of seq. What leaves it is kept for who pulls."""
        seq, self.seq = self.seq, None
        assert seq is not None
        if self.is_done:
            return
        _, g = current_m(self.name)
        try:
            seq(self.yield_)
        except GoexitUnwind:
            forget_unwinding(g)
            self.has_goexited = True
        except RecursionError as exc:
            g.m.sched.die_of_stack_overflow(g, exc)
        except Exception as exc:  # noqa: BLE001  it is raised where the value is pulled
            forget_unwinding(g)
            self.failure = exc
        self.values = ()
        self.is_done = True

    def yield_(self, *values: Any) -> bool:  # hot: coroutine
        """Hand values to who pulls, and wait for the next pull; False: there will be none, return."""
        g: G = getcurrent()  # type: ignore[assignment]
        m = getattr(g, "m", None)
        # Unoptimised form: the part below, always.
        if (
            m is not None
            and self.ns <= m.clock < m.horizon
            and self.sched is m.sched
            and self.is_next
            and not self.is_done
            and len(values) == self.width
        ):
            try:
                self.ns = m.clock
                self.is_next = False
                self.values = values
                coroswitch(m, g, self.coro)
            except SURVIVABLE:
                raise
            except BaseException as exc:  # see sched/park.py: something may be half done
                m = g.m or m
                m.curg, m.mcall, g.param = g, struck_m, exc
                m.g0.switch()
                raise
            return not self.is_done
        m, g = self.enter("yield_")
        if self.is_done:
            return False
        if len(values) != self.width:
            raise TypeError(
                f"{self.name}: yield_ takes {self.width} argument{'s'[: self.width - 1]}, not {len(values)}"
            )
        if not self.is_next:
            panic(f"{self.name}: yield called again before next")
        unbroken(m, g, _hand_over, self, values)
        return not self.is_done

    # In the goroutine of who pulls.

    width = 1  # values of one yield_

    def next(self) -> Any:  # hot: coroutine
        """The next value and True; None and False when there is none."""
        g: G = getcurrent()  # type: ignore[assignment]
        m = getattr(g, "m", None)
        # Unoptimised form: the second branch.
        if (
            m is not None
            and self.ns <= m.clock < m.horizon
            and self.sched is m.sched
            and not (self.is_next or self.is_done)
        ):
            try:
                self.ns = m.clock
                self.is_next = True
                coroswitch(m, g, self.coro)
            except SURVIVABLE:
                raise
            except BaseException as exc:  # see sched/park.py: something may be half done
                m = g.m or m
                m.curg, m.mcall, g.param = g, struck_m, exc
                m.g0.switch()
                raise
        else:
            m, g = self.enter("next")
            if self.is_done:
                return self.nothing
            if self.is_next:
                panic(f"{self.name}: next called again before yield")
            unbroken(m, g, _take_turn, self)
        if self.failure is not None or self.has_goexited:
            self.pass_on()
        return (*self.values, True) if self.values else self.nothing

    nothing: tuple[Any, ...] = (None, False)

    def stop(self) -> None:
        """End the iteration: yield_ returns False, and seq is to return."""
        m, g = self.enter("stop", is_stop=True)
        if not self.is_done:
            unbroken(m, g, _end, self)
            self.pass_on()

    def pass_on(self) -> None:
        """What came out of seq goes on here."""
        failure, self.failure = self.failure, None
        if self.has_goexited:
            self.has_goexited = False
            goexit()
        if failure is not None:
            try:
                raise failure
            finally:
                del failure  # its traceback holds this frame

    def __repr__(self) -> str:
        return f"<{self.name}{', done' if self.is_done else ''}>"


class _Pull2(_Pull):
    """The same for pairs."""

    __slots__ = ()
    width = 2
    nothing = (None, None, False)


# What happens between a safepoint and the next; see lang.owner.unbroken.


def _enter(m: M, g: G, puller: _Pull, is_stop: bool) -> M:
    if puller.ns > m.clock:
        m.clock = puller.ns
    if m.clock >= m.horizon:
        m = safepoint(m, g, OP_COROUTINE, None if is_stop else puller) or m
    puller.ns = m.clock
    return m


def _take_turn(m: M, g: G, puller: _Pull) -> None:
    puller.is_next = True
    coroswitch(m, g, puller.coro)


def _hand_over(m: M, g: G, puller: _Pull, values: tuple[Any, ...]) -> None:
    puller.is_next = False
    puller.values = values
    coroswitch(m, g, puller.coro)


def _end(m: M, g: G, puller: _Pull) -> None:
    puller.is_done = True
    if not m.sched.is_ending:  # else its goroutine is taken down by itself
        coroswitch(m, g, puller.coro)


def _sequence(seq: Any, what: str, is_pairs: bool = False) -> Seq:
    """seq as a function of yield_."""
    if callable(seq):
        code = getattr(seq, "__code__", None)
        if code is not None and code.co_flags & NO_PLAIN_FUNCTION:
            name = seq.__qualname__
            raise TypeError(
                f"{what}: {name} is a generator function: pass {name}(), or write it as a function of yield_"
            )
        return seq  # type: ignore[no-any-return]
    if not hasattr(type(seq), "__iter__"):
        raise TypeError(f"{what}: {seq!r} is no iterator: it is neither a function of yield_ nor an iterable")

    def over(yield_: Callable[..., bool]) -> None:
        for value in seq:
            if not (yield_(*value) if is_pairs else yield_(value)):
                return

    return over


__all__ = ["pull", "pull2"]
