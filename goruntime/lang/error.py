"""What a panic carries, and Go's run-time errors.

Go: runtime/error.go Error, plainError, boundsError; runtime/panic.go PanicNilError.
"""

from __future__ import annotations

from typing import Any

from ..base.errors import Unwind


class Panic(Exception):
    """A panic on its way up: `.value` is what was passed to `panic`."""

    def __init__(self, value: Any = None) -> None:
        super().__init__(value)
        self.value = value


class Error(Panic):
    """A run-time error, as `runtime.Error`: an error whose value is itself."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.value = self
        self.text = text

    def __reduce__(self) -> Any:
        """Pickled by its text, which the constructor of a subclass would not take."""
        return _unpickled, (type(self), self.text)

    def error(self) -> str:
        """Go's text."""
        return self.text

    def __str__(self) -> str:
        return self.text


def _unpickled(kind: type[Error], text: str) -> Error:
    error = kind.__new__(kind)
    Error.__init__(error, text)
    return error


class GoPlainError(Error):
    """A run-time error without the prefix: channels, nil maps."""


class GoRuntimeError(Error):
    """A run-time error with the prefix `runtime error: `."""

    def __init__(self, text: str) -> None:
        super().__init__("runtime error: " + text)


class PanicNilError(GoRuntimeError):
    """`panic(None)`.

    Go: runtime/panic.go PanicNilError.
    """

    def __init__(self) -> None:
        super().__init__("panic called with nil argument")


class NilDereference(GoRuntimeError):
    """A field or method of None; `__cause__` is the AttributeError, if Python raised it."""

    def __init__(self) -> None:
        super().__init__("invalid memory address or nil pointer dereference")


SURVIVABLE = (Unwind, Panic)  # what a primitive itself raises; anything else that leaves one has struck it half done
