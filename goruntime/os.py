"""Package os: the end of the process, its streams, and pipes.

A write to a stream is a system call, as in Go: the goroutine leaves its P for it, and there is a scheduling point.
Python's `print` is neither.

Go: os/proc.go Exit; os/types.go File.
"""

from __future__ import annotations

import sys
from typing import Any, NoReturn

from .base.errors import AbandonUnwind
from .base.events import OUTPUT
from .internal.errno import SyscallError
from .internal.file import File, PathError, err_closed, err_deadline_exceeded, pipe
from .kernel import costs, host
from .lang.owner import current_m, unbroken
from .sched.m import M
from .sched.syscall import short_syscall
from .signal import Signal

args: list[str]


def __getattr__(name: str) -> Any:
    """`os.args` is the program's sys.argv, whenever it is asked for."""
    if name == "args":
        return sys.argv
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def exit(code: int) -> NoReturn:
    """End the program, from any goroutine, at once: no deferred call runs. `run` raises SystemExit(code & 0xff).

    Raises: TypeError if code is no integer; RuntimeError outside a goroutine.
    Go: os/proc.go Exit.
    """
    m, _ = current_m("os.exit")
    if isinstance(code, bool) or not isinstance(code, int):
        raise TypeError(f"os.exit: code must be an integer, not {type(code).__name__}")
    if m.sched.is_ending:
        raise AbandonUnwind(m.sched)
    m.sched.end_with(SystemExit(code & 0xFF))


def getpid() -> int:
    """The process's number.

    Go: os/exec.go Getpid.
    """
    return host.process_id()


class Stream:
    """One of the process's standard streams; where it goes is Python's sys.stdout or sys.stderr at that moment."""

    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        self._name = name

    def write(self, data: str | bytes) -> int:
        """Write, at once; returns how many characters (of a str) or bytes were written.

        Raises: TypeError for anything but str and bytes; BrokenPipeError when nobody reads any more (a process that
        was started by `goruntime run` then dies by SIGPIPE, as in Go); RuntimeError outside a goroutine.
        Go: os/file.go File.Write.
        """
        m, g = current_m(f"os.{self._name}.write")
        if not isinstance(data, (str, bytes, bytearray, memoryview)):
            raise TypeError(f"os.{self._name}.write: data must be str or bytes, not {type(data).__name__}")

        def write() -> Exception | None:
            try:
                self._write(g.m, data)
            except Exception as error:  # noqa: BLE001  the caller gets it, once the system call is over
                return error
            return None

        error = unbroken(m, g, short_syscall, "write", costs.WRITE, write)
        if error is not None:
            raise error
        return len(data)

    def _write(self, m: M, data: str | bytes | bytearray | memoryview) -> None:
        stream = getattr(sys, self._name)
        stream = getattr(stream, "untapped", stream)  # who watches the run is told below
        text = data if isinstance(data, str) else bytes(data).decode(errors="surrogateescape")
        if m.watch is not None:
            m.emit(OUTPUT, self._name, text)
        if stream is None:
            return
        buffer = None if isinstance(data, str) else getattr(stream, "buffer", None)
        if buffer is None:
            stream.write(text)
        else:
            stream.flush()
            buffer.write(data)
        stream.flush()

    def __repr__(self) -> str:
        return f"<os.{self._name}>"


interrupt = Signal(host.INTERRUPT_SIGNAL)  # Go: os/exec_posix.go Interrupt.
kill = Signal(host.signal_number("SIGKILL"))

stdout = Stream("stdout")
stderr = Stream("stderr")

__all__ = [
    "File",
    "PathError",
    "SyscallError",
    "args",
    "err_closed",
    "err_deadline_exceeded",
    "exit",
    "getpid",
    "interrupt",
    "kill",
    "pipe",
    "stderr",
    "stdout",
]
