"""How the process ends: with the program's status, or by the signal that Go would die of.

* The program died: its text on stderr, its status; with GOTRACEBACK=crash by SIGABRT.
* Ctrl-C: by SIGINT, without a word, as Go does.
* Writing to a standard stream that nobody reads any more: by SIGPIPE. (Python ignores that signal and raises
  BrokenPipeError instead, which a program may want to see for any other file.)
* SystemExit goes on to Python, which knows what to do.
* Any other exception: Python's own traceback, without our frames on top, and status 1.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable
from types import TracebackType
from typing import Any

from ..base.errors import RuntimeFailure
from ..kernel import host
from ..observe.jsonl import Recorder
from .program import CannotRun

FOLDER = os.path.dirname(os.path.abspath(__file__)) + os.sep


class StandardFile(io.FileIO):
    """File descriptor 1 or 2: the process dies by SIGPIPE when nobody reads it any more.

    Go: os/file_unix.go epipecheck.
    """

    def write(self, data: Any) -> int:
        """Write, or die."""
        try:
            return super().write(data)
        except BrokenPipeError:
            assert host.BROKEN_PIPE_SIGNAL is not None
            host.kill_self(host.BROKEN_PIPE_SIGNAL)
            raise


def guard_standard_streams() -> None:
    """Let stdout and stderr end the process where Go's do. Streams that are no files stay as they are."""
    for name, number in (("stdout", 1), ("stderr", 2)):
        stream = getattr(sys, name)
        if type(stream) is not io.TextIOWrapper or host.BROKEN_PIPE_SIGNAL is None:
            continue
        raw = getattr(stream.buffer, "raw", stream.buffer)
        if type(raw) is not io.FileIO or raw.fileno() != number:
            continue
        stream.flush()
        file = StandardFile(number, "wb", closefd=False)
        guarded = io.TextIOWrapper(
            file if raw is stream.buffer else io.BufferedWriter(file),
            encoding=stream.encoding,
            errors=stream.errors,
            newline=None,
            line_buffering=stream.line_buffering,
            write_through=stream.write_through,
        )
        setattr(sys, name, guarded)


def recorder(path: str) -> Recorder:
    """Open a file for the events of the run to come.

    Raises: CannotRun.
    """
    try:
        return Recorder(path)
    except OSError as error:
        raise CannotRun(f"cannot record to {path!r}: {error.strerror or error}") from None


def flush_stdout() -> None:
    """Before anything is said on stderr: what the program printed comes first."""
    if sys.stdout is not None:
        try:
            sys.stdout.flush()
        except (OSError, ValueError, AttributeError):
            return  # Python reports it once more when it ends


def status_of(perform: Callable[[], int | None]) -> int:
    """Perform something of the program's; returns the exit status, or -N for death by signal N.

    Raises: SystemExit, with which Python knows what to do.
    """
    try:
        return perform() or 0
    except CannotRun as error:
        host.write_stderr(f"goruntime: {error}\n")
        return error.status
    except RuntimeFailure as failure:
        flush_stdout()
        host.write_stderr(str(failure))
        return -host.ABORT_SIGNAL if failure.is_crash else failure.status
    except KeyboardInterrupt:
        return -host.INTERRUPT_SIGNAL
    except SystemExit:
        raise
    except BaseException as error:  # noqa: BLE001  shown, as Python shows it
        show(error)
        return 1


def show(error: BaseException) -> None:
    """Show an exception as Python does, without our own frames on top."""
    flush_stdout()
    trace = error.__traceback__
    while trace is not None and is_ours(trace):
        trace = trace.tb_next
    sys.excepthook(type(error), error.with_traceback(trace), trace)


def is_ours(trace: TracebackType) -> bool:
    """A frame of the command line."""
    return trace.tb_frame.f_code.co_filename.startswith(FOLDER)


def end(status: int) -> int:
    """End by the signal that a negative status names; returns what is left as an exit status."""
    flush_stdout()
    if status < 0:
        host.kill_self(-status)
        return 128 - status  # where that signal does not end a process
    return status
