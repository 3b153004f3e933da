"""Once: do something exactly once; and functions that are called only the first time.

Go: sync/once.go Once; sync/oncefunc.go OnceFunc, OnceValue, OnceValues.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

from ..base.events import ONCE_DO
from ..kernel import costs
from ..lang.owner import Owned
from ..lang.panic import defer, func, panic, recover, refuse_generators, with_defers
from ..sched.ops import OP_ONCE, OP_UNLOCK
from .mutex import Mutex

if TYPE_CHECKING:
    from ..sched.bubble import Bubble
    from ..sched.g import G
    from ..sched.m import M

R = TypeVar("R")

COST = costs.ONCE


class Once(Owned):
    """Does one thing once, whoever comes first; the others wait until it is done.

    Go: sync/once.go Once.
    """

    __slots__ = ("is_done", "m")
    KIND = "once"

    def __init__(self) -> None:
        Owned.__init__(self)
        self.is_done = False
        self.m = Mutex()

    def do(self, f: Callable[[], Any]) -> None:
        """Call f if nobody has called `do` before; else wait until that call is over. Done is done, even if f panics.

        f may use `defer`. If it calls this `do` it waits for itself: a deadlock.
        Raises: what f raises; TypeError if f is not callable; RuntimeError outside a goroutine.
        Go: sync/once.go Once.Do.
        """
        if not callable(f):
            raise TypeError(f"sync.Once.do: {f!r} is not callable; write do(f), not do(f())")
        if self.is_done and self.quick(COST):
            return
        if self.step("sync.Once.do", COST, OP_ONCE, self._enter):
            try:
                with_defers(f)()
            finally:
                self.step("sync.Once.do", COST, OP_UNLOCK, self._leave)

    def _enter(self, m: M, g: G) -> bool:
        if not self.is_done:
            m = self.m.lock_now(m, g)
            self.join(m)  # whoever had to wait goes on no earlier than the first has ended
            if not self.is_done:
                if m.watch is not None:
                    m.emit(ONCE_DO, self.event_name(), "first")
                return True
            m = self.m.unlock_now(m, g)
        if m.watch is not None:
            m.emit(ONCE_DO, self.event_name(), "done before")
        return False

    def _leave(self, m: M, g: G) -> None:
        self.is_done = True
        if m.watch is not None:
            m.emit(ONCE_DO, self.event_name(), "done")
        self.m.unlock_now(m, g)

    def ready(self, op: int, g: G) -> bool:
        """Would the operation complete now?"""
        return op != OP_ONCE or self.is_done or not self.m.state

    def is_held_in(self, bubble: Bubble, _op: int) -> bool:
        """For a synctest bubble with durable mutexes: one of its goroutines does it."""
        return self.m.is_held_in(bubble)

    def check(self) -> None:
        """The mutex' invariants hold."""
        self.m.check()

    def __repr__(self) -> str:
        return f"<sync.Once{', done' if self.is_done else ''}>"


class _Held:
    """What a function that is called once has come to."""

    __slots__ = ("f", "is_valid", "once", "panicked", "result")

    def __init__(self, f: Callable[[], Any]) -> None:
        self.f: Callable[[], Any] | None = f
        self.once = Once()
        self.is_valid = False
        self.panicked: Any = None
        self.result: Any = None

    def call(self) -> Any:
        """The result of the one call, or its panic again."""
        self.once.do(self._first)
        if not self.is_valid and self.once.is_done:  # else the run is over, and nothing was done
            panic(self.panicked)
        return self.result

    @func
    def _first(self) -> None:
        f = self.f
        assert f is not None
        defer(self._after_first)
        self.result = with_defers(f)()
        self.is_valid = True

    def _after_first(self) -> None:
        self.f = None
        self.panicked = recover()
        if not self.is_valid:
            panic(self.panicked)


def once_func(f: Callable[[], Any]) -> Callable[[], None]:
    """A function that calls f the first time it is called; if f panics, every call panics with the same value.

    Raises: TypeError if f is not callable.
    Go: sync/oncefunc.go OnceFunc.
    """
    held = _Held(_checked(f, "sync.once_func"))

    @wraps(f)
    def call() -> None:
        held.call()

    return call


def once_value(f: Callable[[], R]) -> Callable[[], R]:
    """A function that returns what f returned when it was called the first time, the only one.

    If f panics, every call panics with the same value.
    Raises: TypeError if f is not callable.
    Go: sync/oncefunc.go OnceValue.
    """
    held = _Held(_checked(f, "sync.once_value"))

    @wraps(f)
    def call() -> R:
        return held.call()  # type: ignore[no-any-return]

    return call


def once_values(f: Callable[[], R]) -> Callable[[], R]:
    """The same for a function that returns a pair: in Python that is one value.

    Raises: TypeError if f is not callable.
    Go: sync/oncefunc.go OnceValues.
    """
    held = _Held(_checked(f, "sync.once_values"))

    @wraps(f)
    def call() -> R:
        return held.call()  # type: ignore[no-any-return]

    return call


def _checked(f: Any, what: str) -> Any:
    refuse_generators(f, what)
    return f


__all__ = ["Once", "once_func", "once_value", "once_values"]
