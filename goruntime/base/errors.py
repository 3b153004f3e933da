"""What `run` raises, and the signals that unwind a goroutine.

Two families that never meet. A `RuntimeFailure` is an ordinary exception: `run` raises it in its caller when the
program died, and its `str()` is the text that Go would have printed. An `Unwind` is a BaseException that only the
runtime raises, inside a goroutine, to take its Python stack down; user code that catches `Exception` never sees one.
"""

from __future__ import annotations

from typing import Any, NoReturn

OUTSIDE = "{} must be called from a goroutine: start the program with goruntime.run(main)"


class RuntimeFailure(Exception):
    """A program that died. `str()` is Go's text, `.status` the exit status, `.goroutines` the dump as records."""

    status = 2
    is_crash = False  # GOTRACEBACK=crash: a process that dies of it ends by SIGABRT

    def __init__(self, text: str, goroutines: tuple[Any, ...] = ()) -> None:
        super().__init__(text)
        self.goroutines = goroutines


class GoPanic(RuntimeFailure):
    """A goroutine panicked and nobody recovered: `.value` is what it panicked with, `.goroutine` its goid."""

    def __init__(self, text: str, value: Any = None, goroutine: int = 0, goroutines: tuple[Any, ...] = ()) -> None:
        super().__init__(text, goroutines)
        self.value = value
        self.goroutine = goroutine


class FatalError(RuntimeFailure):
    """Misuse that Go does not let a program recover from; the text begins with `fatal error: `."""


class Deadlock(FatalError):
    """Nothing can ever run again; `.goroutines` says who is blocked, on what, since when."""


class Timeout(RuntimeFailure):
    """`max_time` or `max_steps` was reached; status 1, since Go has no such end."""

    status = 1


class Unwind(BaseException):
    """Base of what takes a goroutine's stack down. Never a panic, never recovered."""


class GoexitUnwind(Unwind):
    """`runtime.goexit()`: runs the deferred calls of every frame, then ends the goroutine."""


class AbandonUnwind(Unwind):
    """The run is over: a goroutine left behind loses its stack (its defers do not run). `args[0]`: its scheduler."""


class Throw(Unwind):
    """A broken invariant of ours. Kept in production; the text is a constant.

    Go: runtime/panic.go throw.
    """


def throw(text: str) -> NoReturn:
    """End the run: the runtime itself is broken.

    Go: runtime/panic.go throw.
    """
    raise Throw(text)
