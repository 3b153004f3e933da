"""What every context is, the errors of canceled ones, and those contexts that only pass on.

Go: context/context.go Context, emptyCtx, valueCtx, withoutCancelCtx.
"""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

from ..errors import ErrorString
from ..lang.chan import RecvOnly, SendOnly, chan, nilchan
from ..lang.owner import current_m
from ..lang.panic import panic
from ..lang.print import own_text, says_itself, type_name
from ..sched.inner import own_step
from ..time import Time

VALUES = (str, bytes, int, float, complex, tuple)  # compared by value as keys; all else is, like a pointer, only itself
METHODS = ("done", "err", "deadline", "value")  # what has them is a context, however it comes by them
NIL_PARENT = "cannot create context from nil parent"


class _Canceled(ErrorString):
    """The class of `canceled`: copied or pickled it stays itself."""

    def __reduce__(self) -> str:
        return "canceled"


class _DeadlineExceeded(TimeoutError):
    """The class of `deadline_exceeded`, which is a TimeoutError.

    Go: context/context.go deadlineExceededError.
    """

    def error(self) -> str:
        """Go's text."""
        return "context deadline exceeded"

    def __str__(self) -> str:
        return self.error()

    def timeout(self) -> bool:
        """True."""
        return True

    def temporary(self) -> bool:
        """True."""
        return True

    def __reduce__(self) -> str:
        return "deadline_exceeded"


canceled: Exception = _Canceled("context canceled")
deadline_exceeded: Exception = _DeadlineExceeded()


def handed_out(error: BaseException) -> BaseException:
    """error; one of the two above without what it held when somebody raised it last: they outlive every run."""
    if error is canceled or error is deadline_exceeded:
        error.__traceback__ = error.__context__ = error.__cause__ = None
    return error


@runtime_checkable
class Context(Protocol):
    """What has these methods is a context; those of this module, and one's own.

    Go: context/context.go Context.
    """

    def done(self) -> Any:
        """A channel that is closed when it is canceled; nilchan (or None) if it never is. Always the same."""
        ...

    def err(self) -> BaseException | None:
        """None until it is canceled; then `canceled` or `deadline_exceeded`."""
        ...

    def deadline(self) -> Time | None:
        """When it will be canceled; None if that is not known."""
        ...

    def value(self, key: Any) -> Any:
        """What is kept under key; None if nothing is."""
        ...


class Node:
    """A context of this module: has the answer for a key, or names the context that has to be asked next."""

    __slots__ = ()

    def done(self) -> RecvOnly[Any] | chan[Any]:
        """A channel that is closed when this context is canceled: receive from it, or select on it.

        nilchan if it never is.
        Go: context/context.go Context.
        """
        return nilchan

    def err(self) -> BaseException | None:
        """None until this context is canceled; then `canceled` or `deadline_exceeded`, for ever the same.

        Go: context/context.go Context.
        """
        return None

    def deadline(self) -> Time | None:
        """When it will be canceled, as `time.now()` counts; None if no deadline is set.

        Go: context/context.go Context.
        """
        return None

    def value(self, key: Any) -> Any:
        """What `with_value` keeps under key, here or in the nearest parent that has it; None if nobody has.

        Go: context/context.go Context.
        """
        return value(self, key)

    def answer(self, key: Any) -> tuple[Any, Any]:
        """(answer, None) or (None, the context to ask)."""
        return None, None

    def __repr__(self) -> str:
        return f"<{self}>"


class Root(Node):
    """A context without anything.

    Go: context/context.go emptyCtx.
    """

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __str__(self) -> str:
        return self.name


class ValueContext(Node):
    """A context that keeps one value.

    Go: context/context.go valueCtx.
    """

    __slots__ = ("key", "kept", "parent")

    def __init__(self, parent: Context, key: Any, kept: Any) -> None:
        self.parent = parent
        self.key = key
        self.kept = kept

    def done(self) -> Any:
        """Its parent's."""
        return self._above().done()

    def err(self) -> BaseException | None:
        """Its parent's."""
        return self._above().err()

    def deadline(self) -> Time | None:
        """Its parent's."""
        return self._above().deadline()

    def _above(self) -> Context:
        """The nearest context above that does not only keep a value: found without recursion, however deep it is."""
        ctx = self.parent
        while isinstance(ctx, ValueContext):
            ctx = ctx.parent
        return ctx

    def answer(self, key: Any) -> tuple[Any, Any]:
        """Its own key; all others are its parent's."""
        own = self.key
        if own is key or (type(own) is type(key) and isinstance(key, VALUES) and own == key):
            return self.kept, None
        return None, self.parent

    def __str__(self) -> str:
        return f"{context_name(self.parent)}.WithValue({_stringify(self.key)}, {_stringify(self.kept)})"


class WithoutCancel(Node):
    """A context that keeps its parent's values only.

    Go: context/context.go withoutCancelCtx.
    """

    __slots__ = ("parent",)

    def __init__(self, parent: Context) -> None:
        self.parent = parent

    def answer(self, key: Any) -> tuple[Any, Any]:
        """It has no cause, and all its parent's values."""
        return (None, None) if key is CANCEL_KEY else (None, self.parent)

    def __str__(self) -> str:
        return f"{context_name(self.parent)}.WithoutCancel"


CANCEL_KEY = object()  # a context that can be canceled returns itself for it; Go: context/context.go cancelCtxKey.


def value(ctx: Context, key: Any) -> Any:
    """The walk up to who has the key.

    Go: context/context.go value.
    """
    asked: Any = ctx
    while isinstance(asked, Node):
        found, asked = asked.answer(key)
        if asked is None:
            return found
    return asked.value(key)


def context_name(ctx: Any) -> str:
    """How a context is shown: its own text, or its class.

    Go: context/context.go contextName.
    """
    return own_text(ctx) if says_itself(ctx) else type_name(ctx)


def _stringify(shown: Any) -> str:
    """Go: context/context.go stringify."""
    if shown is None:
        return "<nil>"
    if type(shown) is str:
        return str(shown)
    return own_text(shown) if says_itself(shown) and not isinstance(shown, BaseException) else type_name(shown)


def check_parent(parent: Any, what: str, name: str = "parent") -> None:
    """parent must be a context.

    Raises: Panic for None, TypeError for what is no context.
    """
    if parent is None:
        panic(NIL_PARENT)
    if not isinstance(parent, Node) and not all(callable(getattr(parent, method, None)) for method in METHODS):
        raise TypeError(f"{what}: {name} must be a context, not {type(parent).__name__}")


def channel_of(done: Any) -> chan[Any]:
    """The channel behind what `done()` returned; nilchan for None."""
    if done is None:
        return nilchan
    if isinstance(done, (RecvOnly, SendOnly)):
        done = done._ch
    if not isinstance(done, chan):
        raise TypeError(f"context: done() must return a channel, not {type(done).__name__}")
    return done


def canceled_error(ctx: Context) -> BaseException:
    """The error of a canceled context, for an operation to raise."""
    error = error_of(ctx)
    own_step(*current_m("context"))
    return error


def error_of(ctx: Context) -> BaseException:
    """The error of a context whose channel is closed.

    Raises: TypeError if it has none: it is somebody's own kind, and wrong.
    """
    error = ctx.err()
    if not isinstance(error, BaseException):
        raise TypeError(f"context: err() of a canceled {type(ctx).__name__} must return an error, not {error!r}")
    return error
