"""Errors of the host's calls in Go's words.

Go: os/error.go SyscallError; syscall/syscall_unix.go Errno.
"""

from __future__ import annotations

import errno
import os
from typing import Any, Self

# What a subclass of OSError is made of: Python's class for an errno, found by asking Python itself.
_CLASSES: dict[tuple[type, type], type] = {}

TEMPORARY = frozenset((errno.EINTR, errno.EMFILE, errno.ENFILE))
TIMEOUTS = frozenset((errno.EAGAIN, errno.EWOULDBLOCK, errno.ETIMEDOUT))


def error_text(number: int) -> str:
    """What Go says for an errno: the host's words, without the capital at the beginning.

    Go: syscall/zerrors_linux_amd64.go errors.
    """
    text = os.strerror(number)
    if len(text) > 1 and text[0].isupper() and text[1].islower():
        text = text[0].lower() + text[1:]
    return text


def python_class(error: BaseException | None) -> type[OSError]:
    """Python's own class for such an error: ConnectionResetError, TimeoutError, ... or OSError."""
    if not isinstance(error, OSError):
        return OSError
    if error.errno is not None:
        return type(OSError(error.errno, ""))
    return next((kind for kind in type(error).__mro__ if kind.__module__ == "builtins"), OSError)


def combined(cls: type, error: BaseException | None) -> type:
    """A subclass of cls (a class of ours) that is an instance of Python's own class for error, too."""
    kind = python_class(error)
    if issubclass(cls, kind):
        return cls
    made = _CLASSES.get((cls, kind))
    if made is None:
        made = _CLASSES[cls, kind] = type(cls.__name__, (cls, kind), {"__slots__": (), "__module__": cls.__module__})
    return made


class WrappedError(OSError):
    """An error around another one, `.err`; it is an instance of Python's own class for that one, too."""

    err: Any

    def __new__(cls, *args: Any) -> Self:
        """Of the class that fits the last argument, which is the error inside."""
        made: Self = OSError.__new__(combined(cls, args[-1]))
        return made

    def __init__(self, *args: Any) -> None:
        inner = args[-1]
        OSError.__init__(self)
        self.args = args
        self.err = inner
        self.errno = getattr(inner, "errno", None)
        self.strerror = getattr(inner, "strerror", None)

    def unwrap(self) -> Any:
        """The error inside."""
        return self.err

    def error(self) -> str:
        """Go's text."""
        return str(self)

    def timeout(self) -> bool:
        """It was a deadline, or the host's own timeout."""
        asked = getattr(self.err, "timeout", None)
        return bool(asked()) if asked is not None else self.errno in TIMEOUTS

    def __reduce__(self) -> Any:
        return _remade, (plain_class(type(self)), self.args)


def plain_class(cls: type) -> type:
    """The class of ours of which cls was combined."""
    for (plain, _), made in _CLASSES.items():
        if made is cls:
            return plain
    return cls


def _remade(cls: type, args: tuple[Any, ...]) -> Any:
    return cls(*args)


class SyscallError(WrappedError):
    """A call of the host failed: `.syscall` is its name, `.err` the host's error, `.errno` its number.

    Go: os/error.go SyscallError.
    """

    def __init__(self, syscall: str, err: OSError) -> None:
        WrappedError.__init__(self, syscall, err)
        self.syscall = syscall

    def __str__(self) -> str:
        return f"{self.syscall}: {text_of(self.err)}"


def text_of(error: BaseException) -> str:
    """An error in Go's words."""
    if type(error).__module__ == "builtins" and isinstance(error, OSError) and error.errno is not None:
        return error_text(error.errno)
    return str(error)


class ConstantError(OSError):
    """An error that is what it is: two of one class are equal."""

    text = ""
    written = 0  # of a write that it ended: how many bytes had gone out

    def error(self) -> str:
        """Go's text."""
        return self.text

    def is_(self, target: object) -> bool:
        """Is target the same error? What errors.is_ asks."""
        return type(target) is type(self)

    def timeout(self) -> bool:
        """It was a deadline."""
        return False

    def temporary(self) -> bool:
        """Trying again may help."""
        return False

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self)

    def __hash__(self) -> int:
        return 0

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"<{self.text}>"


class ErrNetClosing(ConstantError):
    """A connection or listener that has been closed.

    Go: internal/poll/fd.go ErrNetClosing.
    """

    text = "use of closed network connection"


class ErrFileClosing(ConstantError):
    """A file that has been closed; what reading and writing make of it is ErrClosed.

    Go: internal/poll/fd.go ErrFileClosing.
    """

    text = "use of closed file"


class ErrClosed(ConstantError):
    """A file that has been closed.

    Go: io/fs/fs.go ErrClosed.
    """

    text = "file already closed"


class DeadlineExceededError(ConstantError, TimeoutError):
    """A deadline has passed.

    Go: internal/poll/fd.go DeadlineExceededError.
    """

    text = "i/o timeout"

    def timeout(self) -> bool:
        """It was a deadline."""
        return True

    def temporary(self) -> bool:
        """Trying again may help, with a new deadline."""
        return True


class ErrNotPollable(ConstantError):
    """The host reports an error for the descriptor, and nothing else.

    Go: internal/poll/fd.go ErrNotPollable.
    """

    text = "not pollable"


class ErrNoDeadline(ConstantError):
    """The file is none that the poller knows.

    Go: internal/poll/fd.go ErrNoDeadline.
    """

    text = "file type does not support deadline"


class ErrClosedPipe(ConstantError, BrokenPipeError):
    """An end of an in-memory pipe is closed.

    Go: io/pipe.go ErrClosedPipe.
    """

    text = "io: read/write on closed pipe"
