"""Files of the host that goroutines wait for: the ends of pipes.

Go: os/types.go File; os/pipe2_unix.go Pipe; io/fs/fs.go PathError.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Self

from ..kernel import sockets
from ..sched.netpoll import READ, WRITE
from .errno import DeadlineExceededError, ErrClosed, ErrFileClosing, SyscallError, WrappedError, text_of
from .poll import FD, as_buffer, as_bytes, check_count, make_fd

if TYPE_CHECKING:
    from ..sched.m import M


class PathError(WrappedError):
    """An operation on a file failed: `.op`, `.path`, `.err`, `.errno`. `.written`: of a write, how much had gone out.

    Differs: an instance of Python's own class for the error as well: BrokenPipeError, TimeoutError, ...
    Go: io/fs/fs.go PathError.
    """

    written = 0

    def __init__(self, op: str, path: str, err: BaseException) -> None:
        WrappedError.__init__(self, op, path, err)
        self.op = op
        self.path = path

    def __str__(self) -> str:
        return f"{self.op} {self.path}: {text_of(self.err)}"


err_closed = ErrClosed()
err_deadline_exceeded = DeadlineExceededError()


class File:
    """One end of a pipe. A context manager: leaving it closes.

    Go: os/types.go File.
    """

    __slots__ = ("__weakref__", "_fd", "_name")

    def __init__(self, m: M, sysfd: int, name: str) -> None:
        """Put a descriptor of the host into the poller. Raises: OSError; it is still open then."""
        if getattr(m, "sched", None) is None:
            raise TypeError("os.File: it cannot be made like this; os.pipe makes two")
        self._name = name
        self._fd = fd = FD(m, sysfd, "pipe", "os.File", _closer(sysfd))
        fd.receive = sockets.pipe_receiver(sysfd)
        fd.receive_into = sockets.pipe_reader_into(sysfd)
        fd.transmit = sockets.pipe_sender(sysfd)

    def name(self) -> str:
        """What it is called in errors.

        Go: os/file.go File.Name.
        """
        return self._name

    def fd(self) -> int:
        """The host's number for it. It does not block, and belongs to the file: who closes it breaks that.

        Raises: PathError if it is closed.
        Go: os/file.go File.Fd.
        """
        if self._fd.closed:
            raise PathError("fd", self._name, ErrClosed())
        return self._fd.sysfd

    def read(self, n: int) -> bytes:
        """At most n bytes, waiting for the first. b"" when nobody will write any more.

        Raises: PathError (also TimeoutError after the deadline); ValueError if n is negative; RuntimeError outside a
        goroutine.
        Differs: b"" instead of io.EOF, as everywhere in Python.
        Go: os/file.go File.Read.
        """
        check_count("os.File.read: n", n)
        try:
            return self._fd.read(n)
        except OSError as error:
            raise self._error("read", error) from None

    def readinto(self, buffer: Any) -> int:
        """The same, into a bytearray or another writable buffer; how many bytes came.

        Raises: as read; TypeError if buffer cannot be written to.
        Go: os/file.go File.Read.
        """
        view = as_buffer("os.File.readinto", buffer)
        if not view:
            return 0
        try:
            return self._fd.read_into(view)
        except OSError as error:
            raise self._error("read", error) from None

    def write(self, data: bytes | bytearray | memoryview) -> int:
        """Write all of data, waiting for room; returns how many bytes that was.

        Raises: PathError (BrokenPipeError when nobody reads any more); TypeError for anything but bytes; RuntimeError
        outside a goroutine.
        Go: os/file.go File.Write.
        """
        data = as_bytes("os.File.write", data)
        try:
            return self._fd.write(data)
        except OSError as error:
            failed = self._error("write", error)
            failed.written = getattr(error, "written", 0)
            raise failed from None

    def close(self) -> None:
        """Close. Who waits in a read or write is sent away with an error.

        Raises: PathError if it is closed already; RuntimeError outside a goroutine.
        Go: os/file_posix.go File.Close.
        """
        try:
            self._fd.close()
        except OSError as error:
            raise self._error("close", error) from None

    def set_deadline(self, t: float | None) -> None:
        """Reads and writes fail with a timeout from t on: an instant as `time.now()` gives it; None for never.

        Raises: OSError "use of closed file"; TypeError if t is no number.
        Go: os/file.go File.SetDeadline.
        """
        self._deadline("set_deadline", t, READ | WRITE)

    def set_read_deadline(self, t: float | None) -> None:
        """The same for reads only.

        Go: os/file.go File.SetReadDeadline.
        """
        self._deadline("set_read_deadline", t, READ)

    def set_write_deadline(self, t: float | None) -> None:
        """The same for writes only.

        Go: os/file.go File.SetWriteDeadline.
        """
        self._deadline("set_write_deadline", t, WRITE)

    def _deadline(self, name: str, t: float | None, mode: int) -> None:
        self._fd.set_deadline(t, mode, name)

    def _error(self, op: str, error: Exception) -> PathError:
        error.__traceback__ = None  # it holds frames
        if isinstance(error, ErrFileClosing):
            error = ErrClosed()
        return PathError(op, self._name, error)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.close()
        except PathError as error:
            if not isinstance(error.err, ErrClosed):  # somebody else was first, perhaps just now
                raise

    def __repr__(self) -> str:
        return f"<os.File {self._name}>"


def _closer(sysfd: int) -> Callable[[], Any]:
    def close() -> None:
        os.close(sysfd)

    return close


def pipe() -> tuple[File, File]:
    """A pipe of the host: (reader, writer). The run is open from here on, as with a socket.

    Raises: SyscallError when the process has too many open files; RuntimeError outside a goroutine.
    Go: os/pipe2_unix.go Pipe.
    """
    try:
        return make_fd("os.pipe", _pipe)  # type: ignore[no-any-return]
    except OSError as error:
        raise SyscallError("pipe2", error) from None


def _pipe(m: M) -> tuple[File, File]:
    reader, writer = sockets.pipe()
    files: list[File] = []
    try:
        files += File(m, reader, "|0"), File(m, writer, "|1")
    except BaseException:
        os.close(writer)
        os.close(reader)
        raise
    return files[0], files[1]
