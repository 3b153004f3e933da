"""Package errors: errors that are values, and the chains between them.

An error is a Python exception. What it wraps is, in this order: what its method `unwrap()` returns (an exception, or a
list of them), the members of an exception group, or its `__cause__`, which `raise NEW from OLD` sets. So an ordinary
`raise ... from` makes a chain that `is_` and `as_` walk.

A sentinel such as `context.canceled` is an *object*, so `except` cannot name it. The idiom is

    try:
        limiter.wait(ctx)
    except Exception as error:
        if not errors.is_(error, context.canceled):
            raise

Go: errors/errors.go New; errors/wrap.go Is, As, Unwrap; errors/join.go Join.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeVar

E = TypeVar("E")


class ErrorString(Exception):
    """What `new` makes: an error that is nothing but its text.

    Go: errors/errors.go errorString.
    """

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text

    def error(self) -> str:
        """Its text."""
        return self.text

    def __str__(self) -> str:
        return self.text


class JoinError(Exception):
    """What `join` makes: several errors as one. `.errors` are they, in order.

    Go: errors/join.go joinError.
    """

    def __init__(self, errors: tuple[BaseException, ...]) -> None:
        super().__init__(errors)
        self.errors = errors

    def unwrap(self) -> list[BaseException]:
        """The errors it joins."""
        return list(self.errors)

    def error(self) -> str:
        """Their texts, one a line."""
        return "\n".join(map(str, self.errors))

    def __str__(self) -> str:
        return self.error()


def new(text: str) -> Exception:
    """An error that says text. Two of them are different errors, also with the same text.

    Raises: TypeError if text is no string.
    Go: errors/errors.go New.
    """
    if not isinstance(text, str):
        raise TypeError(f"errors.new: text must be a str, not {type(text).__name__}")
    return ErrorString(text)


def unwrap(err: BaseException | None) -> BaseException | None:
    """The one error that err wraps: what its `unwrap()` returns, else its `__cause__`; None when there is none.

    As in Go, None for what wraps a list: `join`, an exception group.
    Raises: TypeError if err is no exception.
    Go: errors/wrap.go Unwrap.
    """
    _check("errors.unwrap", err)
    if err is None or isinstance(err, BaseExceptionGroup):
        return None
    inner = _inner(err)
    return inner if isinstance(inner, BaseException) else None


def is_(err: BaseException | None, target: BaseException | None) -> bool:
    """Whether err or anything in its tree is target: the same object, equal to it, or one whose `is_(target)` says so.

    The tree is walked depth first, err before what it wraps.
    Raises: TypeError if one of them is no exception. For a class, use `as_`.
    Go: errors/wrap.go Is.
    """
    _check("errors.is_", err)
    if isinstance(target, type) and issubclass(target, BaseException):
        raise TypeError(f"errors.is_: target must be an error, not the class {target.__name__}; for that, use as_")
    _check("errors.is_", target)
    if err is None or target is None:
        return err is target
    return any(_matches(each, target) for each in _tree(err))


def as_(err: BaseException | None, cls: type[E]) -> E | None:
    """The first error in err's tree that is an instance of cls, else None; cls may also be a tuple of classes.

    An error with a method `as_(cls)` that returns something stands in for what it returns.
    Raises: TypeError if err is no exception, or cls no class.
    Differs: returns the error where Go sets a variable.
    Go: errors/wrap.go As, AsType.
    """
    _check("errors.as_", err)
    classes = cls if isinstance(cls, tuple) else (cls,)
    if not classes or not all(isinstance(each, type) for each in classes):
        raise TypeError(f"errors.as_: cls must be a class, not {cls!r}")
    if err is None:
        return None
    for each in _tree(err):
        if isinstance(each, classes):
            return each
        hook = getattr(each, "as_", None)
        if callable(hook):
            found = hook(cls)
            if found is not None:
                return found  # type: ignore[no-any-return]
    return None


def join(*errs: BaseException | None) -> Exception | None:
    """One error that wraps all of errs that are not None; None when nothing is left.

    Raises: TypeError if one of them is no exception.
    Go: errors/join.go Join.
    """
    for err in errs:
        _check("errors.join", err)
    kept = tuple(err for err in errs if err is not None)
    return JoinError(kept) if kept else None


def _check(what: str, err: Any) -> None:
    if err is not None and not isinstance(err, BaseException):
        raise TypeError(f"{what}: {err!r} is no error: an error is an exception, or None")


def _inner(err: BaseException) -> Any:
    """What err wraps: an exception, several, or None."""
    method = getattr(err, "unwrap", None)
    if callable(method):
        return method()
    if isinstance(err, BaseExceptionGroup):
        return err.exceptions
    return err.__cause__


def _tree(err: BaseException) -> Iterator[BaseException]:
    """err and what it wraps, depth first. A `__cause__` that leads back to where it came from is left out."""
    seen: list[BaseException] = []
    waiting: list[BaseException] = [err]
    while waiting:
        each = waiting.pop()
        if any(each is other for other in seen):
            continue
        seen.append(each)
        yield each
        inner = _inner(each)
        if isinstance(inner, BaseException):
            waiting.append(inner)
        elif inner is not None:
            waiting.extend(one for one in reversed(tuple(inner)) if one is not None)


def _matches(err: BaseException, target: BaseException) -> bool:
    if err is target or err == target:
        return True
    hook = getattr(err, "is_", None)
    return callable(hook) and bool(hook(target))


err_unsupported = new("unsupported operation")

__all__ = ["ErrorString", "JoinError", "as_", "err_unsupported", "is_", "join", "new", "unwrap"]
