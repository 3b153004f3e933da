"""func, defer, panic, recover, Goexit.

Problem. Go runs deferred calls on top of the panicking stack; Python unwinds an exception's frames before anybody can
run anything. So the frame of a `func` is where deferred calls run: its wrapper catches what leaves the body, runs the
deferred calls last in first out, and then goes on as Go would.

Records.
* `Frame`: one running `func`, with its deferred calls and its result. `g.frames` is the innermost.
* `PanicRecord`: one panic or Goexit. While its deferred calls run it is `g.panicking`; while it passes through plain
  Python frames on its way to the next `func` it is `g.unwinding`, known again by its exception object.

Rules, as in Go.
1. A panic out of a deferred call takes over from the one whose deferred calls ran (its `link`); the remaining deferred
   calls of the frame go on under the new one.
2. `recover` works only in a function that the panicking frame's deferred calls call directly.
3. After a recovery the frame's remaining deferred calls run and the `func` returns what `returns` set, or None. If the
   recovered panic had taken over from a Goexit, the Goexit goes on.
4. What no frame recovers ends the program, printing the chain oldest first.

Go: runtime/panic.go gopanic, gorecover, Goexit, printpanics.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from functools import partial, wraps
from types import CodeType, FrameType
from typing import Any, NoReturn, ParamSpec, TypeVar, cast

from greenlet import getcurrent

from ..base.errors import AbandonUnwind, GoexitUnwind, Unwind
from ..base.events import GO_PANIC, GO_UNWIND
from ..kernel import costs
from ..sched.g import G
from ..sched.park import struck_m
from .error import Error, GoPlainError, GoRuntimeError, NilDereference, Panic, PanicNilError
from .owner import current_m
from .print import exception_text, own_text, panic_value_text, says_itself, type_name

P = ParamSpec("P")
R = TypeVar("R")

Call = tuple[Callable[..., Any] | None, tuple[Any, ...], dict[str, Any]]
CO_GENERATOR, CO_COROUTINE, CO_ASYNC_GENERATOR = 0x20, 0x80, 0x200  # as in inspect, which is slow to import
NO_PLAIN_FUNCTION = CO_GENERATOR | CO_COROUTINE | CO_ASYNC_GENERATOR
STATIC_INTEGERS = 256  # Go: staticuint64s
NIL_HAS_NO = "'NoneType' object has no attribute "  # CPython's text, for a load, a store and a deletion
COMPREHENSIONS = ("<listcomp>", "<dictcomp>", "<setcomp>", "<genexpr>")


class Frame:
    """One running `func`."""

    __slots__ = ("calls", "is_entry", "link", "outer", "result")

    def __init__(self, link: Frame | None, is_entry: bool = False) -> None:
        self.link = link  # the `func` that runs below this one
        self.calls: list[Call] = []
        self.result: Any = None
        self.is_entry = is_entry  # the entry function of a goroutine
        self.outer: Frame | None = None  # while deferred calls run: whose ran before


class PanicRecord:
    """One panic, or one Goexit."""

    __slots__ = ("exc", "frame", "is_aborted", "is_goexit", "is_recovered", "is_repanicked", "link", "text", "value")

    def __init__(self, exc: BaseException, link: PanicRecord | None) -> None:
        self.exc = exc
        self.link = link
        self.is_goexit = isinstance(exc, GoexitUnwind)
        self.is_recovered = False
        self.is_repanicked = False
        self.is_aborted = False  # another one took over
        self.frame: Frame | None = None  # whose deferred calls run for it
        self.value = value_of(exc)
        self.text = ""


def value_of(exc: BaseException) -> Any:
    """What `recover` returns for an exception: the panic's value, or the exception object where Python raised it."""
    if isinstance(exc, Error):
        return exc
    if isinstance(exc, Panic):
        return exc.value
    if type(exc) is AttributeError and exc.args and str(exc.args[0]).startswith(NIL_HAS_NO):
        nil = NilDereference()
        nil.__cause__ = exc
        return nil
    return exc


def panic(value: Any) -> NoReturn:
    """Panic with value: run the deferred calls of the enclosing `func`s, end the program unless one recovers.

    Go: runtime/panic.go gopanic.
    """
    if value is None and not _allows_nil():
        raise PanicNilError
    if isinstance(value, Error):
        raise value
    raise Panic(value)


def _allows_nil() -> bool:
    m = getattr(getcurrent(), "m", None)
    return m is not None and m.sched.run_config.debug_value("panicnil") == "1"


def goexit() -> NoReturn:
    """End this goroutine after running its deferred calls; `recover` does not see it.

    Go: runtime/panic.go Goexit.
    """
    m, _ = current_m("runtime.goexit")
    if m.watch is not None:
        m.emit(GO_UNWIND, "goexit")
    raise GoexitUnwind


def func(fn: Callable[P, R]) -> Callable[P, R]:
    """Give a function Go's defer and recover. Directly above `def`, or above `@staticmethod` and `@classmethod`.

    `@func(cls)` above a `def` makes the function a method of that class, as Go's methods stand outside of their type; a
    variable of the function's name keeps its value.
    Raises: TypeError for generators, coroutines and what is not callable.
    """
    if isinstance(fn, type):
        return cast("Callable[P, R]", partial(_method, fn, sys._getframe(1).f_locals))
    if isinstance(fn, (staticmethod, classmethod)):
        return cast("Callable[P, R]", type(fn)(func(fn.__func__)))
    refuse_generators(fn, "func")
    return wraps(fn)(with_defers(fn))


def _method(cls: type, names: Mapping[str, Any], fn: Any) -> Any:
    """Add fn to a class, as a `func`; returns what its name meant where it was defined, None if it meant nothing."""
    made = func(fn)
    name = getattr(fn, "__name__", "")
    setattr(cls, name, made)
    return names.get(name)


def with_defers(fn: Callable[P, R]) -> Callable[P, R]:
    """What `func` gives, without the name: to call somebody's function with."""

    def call_with_defers(*args: P.args, **kwargs: P.kwargs) -> R:
        g: G = getcurrent()  # type: ignore[assignment]
        if getattr(g, "m", None) is None:
            return fn(*args, **kwargs)
        frame = Frame(g.frames)
        g.frames = frame
        leaving = None
        try:
            try:
                frame.result = fn(*args, **kwargs)
            except (AbandonUnwind, RecursionError):
                raise
            except BaseException as exc:
                g.frames = frame.link
                leaving = unwind(g, frame, exc)
            else:
                g.frames = frame.link
                if frame.calls:
                    leaving = unwind(g, frame, None)
        except RecursionError as exc:  # Go's stack overflow: no deferred call runs, nobody recovers
            m = g.m
            m.curg, m.mcall, g.param = g, struck_m, exc
            m.g0.switch()
        if leaving is not None:
            g.unwinding = leaving
            context = leaving.exc.__context__
            try:
                raise leaving.exc
            except BaseException as exc:
                exc.__context__ = context  # Python has put there what is being handled around this call
                raise
            finally:
                del leaving, context  # the traceback holds this frame
        return frame.result  # type: ignore[no-any-return]

    return call_with_defers


def refuse_generators(fn: Any, what: str, before: str = "") -> None:
    """A goroutine or `func` must be a plain function: a generator's body would not run when it is called.

    before: what stands before the function in a call of what, for the hint: `"d, "`.
    """
    if not callable(fn):
        hint = "" if what == "func" else f"; write {what}({before}f, x), not {what}({before}f(x))"
        raise TypeError(f"{what}: {fn!r} is not callable{hint}")
    target = fn
    while isinstance(target, (partial, staticmethod)):
        target = target.func if isinstance(target, partial) else target.__func__
    code = getattr(target, "__code__", None)
    if code is None and not isinstance(target, type):
        target = getattr(type(target), "__call__", target)  # noqa: B004  the function itself is wanted
        code = getattr(target, "__code__", None)
    if code is not None and code.co_flags & NO_PLAIN_FUNCTION:
        kind = "a generator" if code.co_flags & CO_GENERATOR else "a coroutine"
        raise TypeError(f"{what}: {target.__qualname__} is {kind} function; its body would never run")


def defer(fn: Callable[..., Any] | None, *args: Any, **kwargs: Any) -> None:
    """Call fn(*args, **kwargs) when the enclosing `func` ends, last in first out, also on a panic.

    fn may be None: the nil dereference then happens when it would run, as in Go.
    Raises: RuntimeError in a function that is no `func`; TypeError if fn is not callable.
    Go: runtime/panic.go deferproc.
    """
    _, g = current_m("defer")
    if fn is not None and not callable(fn):
        raise TypeError(f"defer: {fn!r} is not callable; write defer(f, x), not defer(f(x))")
    frame = sys._getframe(1)
    while frame.f_code.co_name in COMPREHENSIONS and frame.f_back is not None:
        frame = frame.f_back
    back = frame.f_back
    if back is not None and back.f_code is WRAPPER_CODE:
        assert g.frames is not None
        g.frames.calls.append((fn, args, kwargs))
    elif back is not None and back.f_code is ENTRY_CODE:
        if g.frames is None:
            g.frames = Frame(None, is_entry=True)
        g.frames.calls.append((fn, args, kwargs))
    else:
        name = frame.f_code.co_qualname.replace("<locals>.", "")
        raise RuntimeError(f"defer in {name}, which is not a func: add @func above its def")


def recover() -> Any:
    """Stop the panic whose deferred call this is called from, and return its value; None when there is none.

    Go: runtime/panic.go gorecover.
    """
    m, g = current_m("recover")
    record = g.panicking
    if record is None or record.is_goexit or record.is_recovered or record.frame is not g.deferring:
        return None
    caller: FrameType | None = sys._getframe(1).f_back
    if caller is not None and caller.f_code is WRAPPER_CODE:
        caller = caller.f_back
    if caller is None or caller.f_code is not INVOKE_CODE:
        return None
    m.clock += costs.DEFER_PANIC
    record.is_recovered = True
    return record.value


def returns(value: Any) -> None:
    """In a deferred function: set what the `func` returns.

    Raises: RuntimeError when no deferred call runs.
    """
    _deferring("returns").result = value


def returned() -> Any:
    """In a deferred function: what the `func` is about to return."""
    return _deferring("returned").result


def _deferring(what: str) -> Frame:
    _, g = current_m(what)
    frame = g.deferring
    if frame is None:
        raise RuntimeError(f"{what} must be called from a deferred function")
    return cast(Frame, frame)


def unwind(g: G, frame: Frame, exc: BaseException | None) -> PanicRecord | None:
    """Run the deferred calls of a `func` that ends (exc None) or that exc is leaving; returns what leaves it then."""
    record: PanicRecord | None = None
    if exc is not None:
        if isinstance(exc, RecursionError):
            g.m.sched.die_of_stack_overflow(g, exc)
        if not isinstance(exc, (Exception, GoexitUnwind)):
            raise exc  # KeyboardInterrupt, SystemExit, a test's verdict: no panic, they end the run
        record = record_for(g, exc, g.panicking)
    handled = sys.exception()
    before = None
    while frame.calls:
        before, record = record, _run_deferred(g, frame, record)
        if record is not None and record is not before:
            if before is not None:
                _chain(record.exc, handled, None if before.is_goexit else before.exc)
            elif exc is not None:
                _chain(record.exc, handled, None)
    try:
        return record
    finally:
        del record, before, handled, exc  # the traceback of what a deferred call raised holds this frame


def _chain(exc: BaseException, handled: BaseException | None, before: BaseException | None) -> None:
    """What a deferred call raised happened during the panic before it: that is its context. None: it was recovered.

    Python cannot see that. As it has it, everything that deferred calls raise happened during what left the function:
    handled, which stands at the end of the chain therefore.
    """
    chain = [exc]
    while (context := chain[-1].__context__) is not None and context is not handled and context not in chain:
        chain.append(context)
    if before not in chain:
        chain[-1].__context__ = before


def record_for(g: G, exc: BaseException, link: PanicRecord | None) -> PanicRecord:
    """The record of an exception that arrives: the one that was unwinding, or a new panic."""
    record: PanicRecord | None = g.unwinding
    if record is not None and record.exc is exc:
        g.unwinding = None
        return record
    forget_unwinding(g)
    record = PanicRecord(exc, link)
    if not record.is_goexit:
        g.m.sched.running_panic_defers += 1
        if g.m.watch is not None:
            g.m.emit(GO_PANIC, type(record.value).__name__)
    return record


def forget_unwinding(g: G) -> None:
    """A panic that was on its way up was caught by a plain `except`: it is over."""
    record: PanicRecord | None = g.unwinding
    g.unwinding = None
    if record is not None and not record.is_goexit:
        g.m.sched.running_panic_defers -= 1


def _run_deferred(g: G, frame: Frame, record: PanicRecord | None) -> PanicRecord | None:
    """Run the last deferred call of frame, for record if it is panicking; returns what is panicking afterwards."""
    call = frame.calls.pop()
    outer_panic, outer_frame = g.panicking, g.deferring
    g.deferring = frame
    if record is not None:
        g.panicking = record
        record.frame = frame
    try:
        invoke(call)
    except AbandonUnwind:
        raise
    except BaseException as exc:
        if not isinstance(exc, (Exception, GoexitUnwind)):
            raise
        if isinstance(exc, RecursionError):
            g.m.sched.die_of_stack_overflow(g, exc)
        following = record_for(g, exc, g.panicking)
        if record is not None and following is not record:
            record.is_aborted = True
        record = following
        del following
    finally:
        g.panicking, g.deferring = outer_panic, outer_frame
        forget_unwinding(g)
    if record is not None and record.is_recovered:
        record = _goexit_below(g, record)
    try:
        return record
    finally:
        del record  # the traceback of what a deferred call raised holds this frame


def is_running_for(record: PanicRecord, frame: FrameType) -> bool:
    """Is this Python frame the one that made deferred calls for record?"""
    return frame.f_code is _run_deferred.__code__ and frame.f_locals.get("frame") is record.frame


def _goexit_below(g: G, record: PanicRecord) -> PanicRecord | None:
    """Remove a recovered panic and those it had taken over from; a Goexit among them goes on, and is returned.

    Panics that a Goexit took over from stay counted as running, even when it has ended the goroutine, as in Go.
    Go: runtime/panic.go recovery.
    """
    sched = g.m.sched
    sched.running_panic_defers -= 1
    below = record.link
    while below is not None and below.is_aborted:
        if below.is_goexit:
            below.is_aborted = False
            return below
        sched.running_panic_defers -= 1
        below = below.link
    return None


def invoke(call: Call) -> None:
    """Make one deferred call. `recover` knows its caller by this frame."""
    fn, args, kwargs = call
    del call
    if fn is None:
        raise NilDereference
    fn(*args, **kwargs)


# The goroutine's entry function has defer and recover without a wrapper.


def entry_returned(g: G, result: Any) -> Any:
    """The entry function returned and had deferred calls, which run now, or it had caught a panic, which is over."""
    forget_unwinding(g)
    frame: Frame | None = g.frames
    if frame is None:
        return result
    frame.result = result
    record = unwind(g, frame, None)
    g.frames = None
    if record is not None:
        _leave_goroutine(g, record)
        raise GoexitUnwind  # a deferred call has ended the goroutine: it has not returned
    return frame.result


def entry_raised(g: G, exc: BaseException) -> None:
    """exc left the entry function: run its deferred calls, then end the goroutine, or the program."""
    if isinstance(exc, AbandonUnwind):
        raise exc
    sched = g.m.sched
    if sched.is_ending:
        raise AbandonUnwind(sched)
    if isinstance(exc, Unwind) and not isinstance(exc, GoexitUnwind):
        sched.crashed(exc)
    frame = g.frames if g.frames is not None and g.frames.is_entry else Frame(None, is_entry=True)
    try:
        record = unwind(g, frame, exc)
    except AbandonUnwind:
        raise
    except BaseException as final:
        sched.end_with(final)
    g.frames = None
    if record is not None:
        _leave_goroutine(g, record)
    elif g.goid == 1:
        sched.main_returned(frame.result)


def _leave_goroutine(g: G, record: PanicRecord) -> None:
    """A panic nobody recovered, or a Goexit, reached the bottom of the stack."""
    g.panicking = g.unwinding = g.deferring = None
    if not record.is_goexit:
        g.m.sched.die_of_panic(g, record)


def panic_lines(record: PanicRecord) -> str:
    """The text of a chain of panics, oldest first, each newer one indented by a tab.

    Raises: whatever a value's own text raises.
    Go: runtime/panic.go preprintpanics, printpanics.
    """
    chain: list[PanicRecord] = []
    newest: PanicRecord | None = record
    while newest is not None:
        chain.append(newest)
        older = newest.link
        if older is not None and not older.is_goexit and _is_same(older, newest):
            older.is_repanicked = True
        newest = older
    text = ""
    older = None
    for item in reversed(chain):
        if older is not None and older.is_repanicked:
            older = item
            continue
        if older is not None and not older.is_goexit:
            text += "\t"
        older = item
        if item.is_goexit:
            continue
        text += "panic: " + value_text(item.value, item.value is item.exc and not isinstance(item.value, Panic))
        if item.is_recovered:
            text += " [recovered, repanicked]" if item.is_repanicked else " [recovered]"
        text += "\n"
    return text


def value_text(value: Any, is_raised: bool = False) -> str:
    """How a panic value is printed: its own text if it has one; with its class if Python raised it (is_raised)."""
    if is_raised:
        return exception_text(value).replace("\n", "\n\t")
    if says_itself(value):
        return own_text(value).replace("\n", "\n\t")
    return panic_value_text(value)


def _is_same(older: PanicRecord, newer: PanicRecord) -> bool:
    """The newer panic carries the very value of the older one.

    Go compares the two words of the interface: a recovered value panicked again is the same, and so are two constants
    that are equal, wherever they stand, the run-time errors with a fixed text among them. Small integers and booleans
    always share their storage.
    Differs: a string or number that was computed, and is panicked twice through a variable, counts as the same.
    """
    value, again = older.value, newer.value
    if value is again:
        return True
    if type(value) is not type(again):
        return False
    if isinstance(value, (GoPlainError, GoRuntimeError)):
        return value.text == cast(Error, again).text
    return isinstance(value, int) and value == again and 0 <= value < STATIC_INTEGERS


def _wrapper_code() -> CodeType:
    def sample() -> None:
        return None

    return func(sample).__code__


WRAPPER_CODE = _wrapper_code()
INVOKE_CODE = invoke.__code__
ENTRY_CODE = G.live.__code__

__all__ = [
    "INVOKE_CODE",
    "WRAPPER_CODE",
    "NilDereference",
    "PanicRecord",
    "defer",
    "func",
    "goexit",
    "panic",
    "recover",
]
__all__ += [
    "entry_raised",
    "entry_returned",
    "panic_lines",
    "refuse_generators",
    "returned",
    "returns",
    "type_name",
    "value_of",
    "with_defers",
]
