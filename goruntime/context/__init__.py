"""Package context: cancellation, deadlines and values that go down through a program.

    ctx, cancel = context.with_timeout(context.background(), 2)
    try:
        index, _ = select(work.recv, ctx.done().recv)
        if index == 1:
            raise ctx.err()
    finally:
        cancel()

A context that is derived from another is canceled when that one is. What `err()` and `cause()` give are errors as
objects: `errors.is_(error, context.canceled)`. `deadline_exceeded` is also a TimeoutError.

Anything with the methods `done`, `err`, `deadline` and `value` is a context, and may be a parent.

Go: context/context.go Context.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..base.config import seconds_to_ns
from ..lang.owner import current_m
from ..lang.panic import panic, refuse_generators
from ..time import Time, now
from ..time import after_func as _after
from .base import Context, Root, ValueContext, WithoutCancel, canceled, check_parent, deadline_exceeded
from .cancel import AfterFuncContext, CancelContext, TimerContext, derive, stop_after_func
from .cancel import cancel as _cancel
from .cancel import cause as _cause

_BACKGROUND = Root("context.Background")
_UNDECIDED = Root("context.TODO")


def background() -> Context:
    """The root of all contexts: never canceled, without deadline and values.

    Go: context/context.go Background.
    """
    return _BACKGROUND


def todo() -> Context:
    """The same, for where it is not clear yet which context belongs there.

    Go: context/context.go TODO.
    """
    return _UNDECIDED


def with_cancel(parent: Context) -> tuple[Context, Callable[[], None]]:
    """A context below parent, and the function that cancels it. Only the first call of that does something.

    Call it when what the context was for is over: until then the parent holds it.
    Raises: Panic "cannot create context from nil parent"; TypeError if parent is no context.
    Go: context/context.go WithCancel.
    """
    ctx = _derived(parent, "context.with_cancel")
    return ctx, _canceler(ctx)


def with_cancel_cause(parent: Context) -> tuple[Context, Callable[[BaseException | None], None]]:
    """As `with_cancel`, with a function `cancel(cause)`: `cause(ctx)` gives it back. None stands for `canceled`.

    Raises: as `with_cancel`; the function: TypeError if its argument is neither an exception nor None.
    Go: context/context.go WithCancelCause.
    """
    ctx = _derived(parent, "context.with_cancel_cause")

    def cancel_because(why: BaseException | None) -> None:
        _check_cause(why, "context: cancel")
        _cancel(ctx, canceled, why, leaves=True)

    return ctx, cancel_because


def with_deadline(parent: Context, d: float) -> tuple[Context, Callable[[], None]]:
    """A context below parent that is canceled at d (seconds since 1970, such as `time.now() + 2`) at the latest.

    Its `err()` is then `deadline_exceeded`. The function cancels it before; call it anyway, to stop the timer.
    Raises: as `with_cancel`; TypeError if d is no number; RuntimeError outside a goroutine.
    Go: context/context.go WithDeadline.
    """
    return _with_deadline(parent, _instant(d, "context.with_deadline: d"), None, "context.with_deadline")


def with_deadline_cause(parent: Context, d: float, cause: BaseException | None) -> tuple[Context, Callable[[], None]]:
    """As `with_deadline`; `cause(ctx)` is cause if the deadline was what canceled it.

    Raises: as `with_deadline`; TypeError if cause is neither an exception nor None.
    Go: context/context.go WithDeadlineCause.
    """
    when = _instant(d, "context.with_deadline_cause: d")
    return _with_deadline(parent, when, cause, "context.with_deadline_cause")


def with_timeout(parent: Context, timeout: float) -> tuple[Context, Callable[[], None]]:
    """As `with_deadline`, timeout seconds from now.

    Raises: as `with_deadline`.
    Go: context/context.go WithTimeout.
    """
    current_m("context.with_timeout")
    delay_ns = seconds_to_ns(timeout, "context.with_timeout: timeout")
    return _with_deadline(parent, Time(now().ns + delay_ns), None, "context.with_timeout")


def with_timeout_cause(
    parent: Context, timeout: float, cause: BaseException | None
) -> tuple[Context, Callable[[], None]]:
    """As `with_deadline_cause`, timeout seconds from now.

    Raises: as `with_deadline_cause`.
    Go: context/context.go WithTimeoutCause.
    """
    current_m("context.with_timeout_cause")
    delay_ns = seconds_to_ns(timeout, "context.with_timeout_cause: timeout")
    return _with_deadline(parent, Time(now().ns + delay_ns), cause, "context.with_timeout_cause")


def with_value(parent: Context, key: Any, val: Any) -> Context:
    """A context below parent in which `value(key)` is val.

    Keys are the same if they are one object, or equal strings, bytes, numbers or tuples of one type: `class Key(str)`
    is a kind of key of its own. Other objects are compared as Go's pointers are, whatever their `__eq__` says.
    For what belongs to a request and goes through many hands, not for arguments. Use keys of a type of your own.
    Raises: Panic "nil key", "key is not comparable" (it has no hash), or as `with_cancel`.
    Go: context/context.go WithValue.
    """
    check_parent(parent, "context.with_value")
    if key is None:
        panic("nil key")
    if type(key).__hash__ is None:
        panic("key is not comparable")
    return ValueContext(parent, key, val)


def without_cancel(parent: Context) -> Context:
    """A context with parent's values that is never canceled and has no deadline.

    Raises: as `with_cancel`.
    Go: context/context.go WithoutCancel.
    """
    check_parent(parent, "context.without_cancel")
    return WithoutCancel(parent)


def after_func(ctx: Context, f: Callable[..., Any], *args: Any) -> Callable[[], bool]:
    """Call f(*args) in a goroutine of its own when ctx is canceled; at once if it is. Returns the function stop.

    `stop()` prevents it; it returns False if f was started already, or stopped before. It does not wait for f.
    A context of one's own kind may have a method `after_func(f)`, which is used then.
    Raises: TypeError if f is not callable, or is a generator or coroutine function, or if ctx is no context; Panic if
    ctx is None; RuntimeError outside a goroutine.
    Go: context/context.go AfterFunc.
    """
    current_m("context.after_func")
    check_parent(ctx, "context.after_func", "ctx")
    refuse_generators(f, "context.after_func", "ctx, ")
    waiting = AfterFuncContext(ctx, f, args)
    derive(waiting, "context.after_func")
    return lambda: stop_after_func(waiting)


def cause(ctx: Context) -> BaseException | None:
    """Why ctx was canceled: what was given to the function of `with_cancel_cause` and the like, here or above.

    The same as `ctx.err()` when nothing was given; None while it is not canceled.
    Raises: TypeError if ctx is no context; Panic if it is None.
    Go: context/context.go Cause.
    """
    check_parent(ctx, "context.cause", "ctx")
    return _cause(ctx)


def _derived(parent: Context, what: str) -> CancelContext:
    check_parent(parent, what)
    ctx = CancelContext(parent)
    derive(ctx, what)
    return ctx


def _canceler(ctx: CancelContext) -> Callable[[], None]:
    def cancel() -> None:
        _cancel(ctx, canceled, None, leaves=True)

    return cancel


def _instant(d: float, what: str) -> Time:
    return d if isinstance(d, Time) else Time(seconds_to_ns(d, what))


def _check_cause(cause: Any, what: str) -> None:
    if cause is not None and not isinstance(cause, BaseException):
        raise TypeError(f"{what}: the cause must be an error, that is an exception, not {type(cause).__name__}")


def _with_deadline(
    parent: Context, when: Time, cause: BaseException | None, what: str
) -> tuple[Context, Callable[[], None]]:
    current_m(what)
    check_parent(parent, what)
    _check_cause(cause, what)
    current = parent.deadline()
    if current is not None and seconds_to_ns(current, f"{what}: deadline()") < when.ns:
        return with_cancel(parent)
    ctx = TimerContext(parent, when)
    derive(ctx, what)
    left_ns = when.ns - now().ns
    if left_ns <= 0:
        _cancel(ctx, deadline_exceeded, cause, leaves=True)
    elif ctx._err is None:
        timer = ctx.timer = _after(Time(left_ns), _cancel, ctx, deadline_exceeded, cause, True)
        if ctx._err is not None:  # canceled while the timer was made
            timer.stop()
    return ctx, _canceler(ctx)


__all__ = [
    "Context",
    "after_func",
    "background",
    "canceled",
    "cause",
    "deadline_exceeded",
    "todo",
    "with_cancel",
    "with_cancel_cause",
    "with_deadline",
    "with_deadline_cause",
    "with_timeout",
    "with_timeout_cause",
    "with_value",
    "without_cancel",
]
