"""Package singleflight: several who want the same at the same time get it from one call.

    flights = singleflight.Group()
    page, shared = flights.do(url, fetch, url)

While a call for a key is on its way, whoever else comes with that key waits for it, and gets the same.

What Go's does with its mutex held is one operation here.

Go: internal/singleflight/singleflight.go Group.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, Any, NamedTuple

from .base.errors import GoexitUnwind
from .base.events import CRITICAL
from .kernel import costs
from .lang.chan import RecvOnly, chan
from .lang.error import Panic
from .lang.go import starter
from .lang.owner import Owned, current_m
from .lang.panic import forget_unwinding, goexit, panic, refuse_generators, with_defers
from .lang.select import select
from .sched.inner import own_step
from .sched.ops import OP_CRITICAL
from .sched.preempt import end_again
from .sync import WaitGroup

if TYPE_CHECKING:
    from .sched.g import G
    from .sched.m import M


class Result(NamedTuple):
    """What `do_chan` sends: the value, or the error; and whether others got it too.

    Go: internal/singleflight/singleflight.go Result.
    """

    val: Any
    err: BaseException | None
    shared: bool


class PanicError(Exception):
    """The panic of a call, as everybody who waited for it gets it. `.value` is what it panicked with."""

    def __init__(self, value: Any, stack: str) -> None:
        super().__init__(value, stack)
        self.value = value
        self.stack = stack

    def unwrap(self) -> BaseException | None:
        """The value, if that is an error."""
        return self.value if isinstance(self.value, BaseException) else None

    def error(self) -> str:
        """The value, and where it happened."""
        return f"{self.value}\n\n{self.stack}"

    def __str__(self) -> str:
        return self.error()


class _Call:
    """One call, on its way or over.

    Go: internal/singleflight/singleflight.go call.
    """

    __slots__ = ("chans", "dups", "err", "has_goexited", "trace", "val", "wg")

    def __init__(self) -> None:
        self.wg = WaitGroup()
        self.wg.counter = 1
        # Written before wg is done, read afterwards.
        self.val: Any = None
        self.err: BaseException | None = None
        self.trace: Any = None  # where err came from
        self.has_goexited = False
        # In the group's operations only.
        self.dups = 0
        self.chans: list[chan[Result]] = []


class Group(Owned):
    """Calls under keys. Keys are the same if a dict would take them for the same.

    Go: internal/singleflight/singleflight.go Group.
    """

    __slots__ = ("_calls",)
    KIND = "singleflight"

    def __init__(self) -> None:
        Owned.__init__(self)
        self._calls: dict[Hashable, _Call] = {}

    def do(self, key: Hashable, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> tuple[Any, bool]:
        """What fn(*args, **kwargs) returns, and whether it was given to others too; from a call under way if there is
        one for this key.

        What fn raises is raised for everybody who waited. A panic is a `PanicError` for each, Goexit ends each.
        Differs: fn may take arguments; an error is raised, so nobody learns whether it was shared.
        Raises: what fn raises; TypeError if fn is not callable or key has no hash; RuntimeError outside a goroutine.
        Go: internal/singleflight/singleflight.go Do.
        """
        _check(key, fn, "singleflight.Group.do")
        call, is_first = self._operate("do", self._join, key, None)
        if is_first:
            _do_call(self, call, key, fn, args, kwargs)
            return _outcome(call), call.dups > 0
        call.wg.wait()
        if call.has_goexited or isinstance(call.err, PanicError):
            own_step(*current_m("singleflight.Group.do"))
        if call.has_goexited:
            goexit()
        if isinstance(call.err, PanicError):
            panic(call.err)
        return _outcome(call), True

    def do_chan(self, key: Hashable, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> RecvOnly[Result]:
        """As `do`, in a goroutine of its own: returns a channel that gets a `Result` when it is there.

        A panic ends the program: nobody could recover it. After Goexit nothing is sent.
        Raises: TypeError, RuntimeError as `do`.
        Go: internal/singleflight/singleflight.go DoChan.
        """
        _check(key, fn, "singleflight.Group.do_chan")
        ch: chan[Result] = chan(1)
        call, is_first = self._operate("do_chan", self._join, key, ch)
        if is_first:
            _start_call(_do_call, self, call, key, fn, args, kwargs)
        return ch.recv_only()

    def forget(self, key: Hashable) -> None:
        """The next `do` with this key calls its function, also while an earlier call is still on its way.

        Raises: TypeError if key has no hash; RuntimeError outside a goroutine.
        """
        hash_of(key, "singleflight.Group.forget")
        self._operate("forget", self._forget, key)

    # What the operations do.

    def _operate(self, operation: str, do: Callable[..., Any], *args: Any) -> Any:
        """One operation. In the `finally` of an abandoned goroutine there is nothing to wait for: its end goes on."""
        what = f"singleflight.Group.{operation}"
        found = self.step(what, costs.CRITICAL, OP_CRITICAL, self._noted, operation, do, args)
        if found is None:
            end_again(current_m("singleflight.Group")[0].sched)
        return found

    def _noted(self, m: M, g: G, operation: str, do: Callable[..., Any], args: tuple[Any, ...]) -> Any:
        if m.watch is not None:
            m.emit(CRITICAL, self.event_name(), operation)
        return do(*args)

    def _join(self, key: Hashable, ch: chan[Result] | None) -> tuple[_Call, bool]:
        """The call that is under way, or a new one, which the caller is to make."""
        call = self._calls.get(key)
        is_first = call is None
        if call is None:
            call = self._calls[key] = _Call()
        else:
            call.dups += 1
        if ch is not None:
            call.chans.append(ch)
        return call, is_first

    def _land(self, key: Hashable, call: _Call) -> bool:
        if self._calls.get(key) is call:
            del self._calls[key]
        return call.dups > 0

    def _forget(self, key: Hashable) -> bool:
        return self._calls.pop(key, None) is not None

    def __repr__(self) -> str:
        return f"<singleflight.Group, {len(self._calls)} under way>"


def hash_of(key: Any, what: str) -> None:
    """key must have a hash, as a key of a dict.

    Raises: TypeError if it has none.
    """
    if type(key).__hash__ is None:
        raise TypeError(f"{what}: key must have a hash, as a key of a dict; {type(key).__name__} has none")


def _check(key: Any, fn: Any, what: str) -> None:
    hash_of(key, what)
    refuse_generators(fn, what, "key, ")


def _outcome(call: _Call) -> Any:
    error = call.err
    if error is not None:
        own_step(*current_m("singleflight.Group.do"))
        try:
            raise error.with_traceback(call.trace)  # each who waited adds its own frames to where it came from
        finally:
            del error
    return call.val


_start_call = starter("golang.org/x/sync/singleflight", "(*Group).DoChan")
_start_panic = starter("golang.org/x/sync/singleflight", "(*Group).doCall.func1")


def _do_call(
    group: Group, call: _Call, key: Hashable, fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> None:
    """The one call, and passing on what came of it, whatever that is.

    Go: internal/singleflight/singleflight.go doCall.
    """
    _, g = current_m("singleflight.Group.do")
    try:
        call.val = with_defers(fn)(*args, **kwargs)
    except GoexitUnwind:
        call.has_goexited = True
        _pass_on(group, call, key)
        raise
    except Panic as failure:
        forget_unwinding(g)
        value = failure if failure.value is failure else failure.value
        call.err = PanicError(value, "".join(traceback.format_tb(failure.__traceback__)))
    except Exception as error:  # noqa: BLE001  whatever it is, it is the result
        forget_unwinding(g)
        call.err, call.trace = error, error.__traceback__
    _pass_on(group, call, key)


def _pass_on(group: Group, call: _Call, key: Hashable) -> None:
    """The call is over: wake who waits for it."""
    is_shared = group._operate("land", group._land, key, call)
    call.wg.done()
    if call.has_goexited:
        return
    if not isinstance(call.err, PanicError):
        for ch in call.chans:
            ch.send(Result(call.val, call.err, is_shared))
        return
    own_step(*current_m("singleflight.Group.do"))
    if call.chans:
        _start_panic(panic, call.err)
        select()  # nobody could recover it: this goroutine stays, to be seen in the dump
    panic(call.err)


__all__ = ["Group", "PanicError", "Result"]
