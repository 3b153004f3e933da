"""Connections without a socket: what one end writes, the other reads, directly and without a buffer.

Made of channels, so a program that uses nothing else stays reproducible, can be explored, and takes no real time.

Go: net/pipe.go Pipe.
"""

from __future__ import annotations

from typing import Any

from .. import sync, time
from ..base.config import seconds_to_ns
from ..internal.errno import DeadlineExceededError, ErrClosedPipe
from ..internal.poll import as_bytes, check_count
from ..lang.chan import chan
from ..lang.select import default, select
from .addr import Addr
from .conn import Conn
from .errors import OpError


class PipeAddr(Addr):
    """The address of both ends.

    Go: net/pipe.go pipeAddr.
    """

    __slots__ = ()

    def network(self) -> str:
        """The network's name."""
        return "pipe"

    def __str__(self) -> str:
        return "pipe"

    def __repr__(self) -> str:
        return "<PipeAddr>"


class Deadline:
    """A channel that is closed when a deadline has passed, and another one after the deadline was moved.

    Go: net/pipe.go pipeDeadline.
    """

    __slots__ = ("_cancel", "_mu", "_timer")

    def __init__(self) -> None:
        self._mu = sync.Mutex()
        self._timer: time.Timer | None = None
        self._cancel: chan[None] = chan()

    def set(self, t: float | None) -> None:
        """Let it pass at t, an instant; None for never."""
        with self._mu:
            if self._timer is not None and not self._timer.stop():
                self._cancel.recv()  # the timer's goroutine is about to close it
            self._timer = None
            has_passed = is_closed(self._cancel)
            if t is not None and time.until(t) <= 0:
                if not has_passed:
                    self._cancel.close()
                return
            if has_passed:
                self._cancel = chan()
            if t is not None:
                self._timer = time.after_func(time.until(t), self._cancel.close)

    def wait(self) -> chan[None]:
        """The channel as it is now."""
        with self._mu:
            return self._cancel


def is_closed(ch: chan[None]) -> bool:
    """Go: net/pipe.go isClosedChan."""
    return select(ch.recv, default)[0] == 0


class PipeConn(Conn):
    """One end.

    Go: net/pipe.go pipe.
    """

    __slots__ = (
        "__weakref__", "_local_done", "_once", "_rd_rx", "_rd_tx", "_read_deadline", "_remote_done", "_wr_mu", "_wr_rx",
        "_wr_tx", "_write_deadline",
    )  # fmt: skip

    def __init__(self, rd: tuple[Any, Any], wr: tuple[Any, Any], local_done: Any, remote_done: Any) -> None:
        self._wr_mu = sync.Mutex()  # the whole of a write arrives together
        self._rd_rx, self._rd_tx = rd  # data from the writer's end, how much of it was read
        self._wr_tx, self._wr_rx = wr
        self._once = sync.Once()
        self._local_done = local_done
        self._remote_done = remote_done
        self._read_deadline = Deadline()
        self._write_deadline = Deadline()

    def read(self, n: int) -> bytes:
        """At most n bytes of what the other end writes, waiting for it. b"" when the other end is closed.

        Raises: OpError (also TimeoutError) after the deadline; BrokenPipeError when this end is closed; ValueError if n
        is negative; RuntimeError outside a goroutine.
        Differs: b"" instead of io.EOF, as everywhere in Python.
        Go: net/pipe.go pipe.Read.
        """
        check_count("net.PipeConn.read: n", n)
        if is_closed(self._local_done):
            raise ErrClosedPipe
        if is_closed(self._remote_done):
            return b""
        deadline = self._read_deadline.wait()
        if is_closed(deadline):
            raise OpError("read", "pipe", None, None, DeadlineExceededError())
        index, data = select(self._rd_rx.recv, self._local_done.recv, self._remote_done.recv, deadline.recv)
        if index == 1:
            raise ErrClosedPipe
        if index == 2:
            return b""
        if index == 3:
            raise OpError("read", "pipe", None, None, DeadlineExceededError())
        data = data[:n]
        self._rd_tx.send(len(data))
        return bytes(data)

    def write(self, data: bytes | bytearray | memoryview) -> int:
        """Write all of data, waiting until it has been read; returns how many bytes that was.

        Raises: OpError (also TimeoutError) after the deadline; BrokenPipeError when one of the ends is closed;
        TypeError for anything but bytes; RuntimeError outside a goroutine.
        Go: net/pipe.go pipe.Write.
        """
        rest = memoryview(as_bytes("net.PipeConn.write", data))
        if is_closed(self._local_done) or is_closed(self._remote_done):
            raise ErrClosedPipe
        if is_closed(self._write_deadline.wait()):
            raise OpError("write", "pipe", None, None, DeadlineExceededError())
        written: int = 0
        with self._wr_mu:
            while True:
                index, _ = select(
                    (self._wr_tx.send, rest),
                    self._local_done.recv,
                    self._remote_done.recv,
                    self._write_deadline.wait().recv,
                )
                if index == 0:
                    count: int = self._wr_rx.recv()
                    written += count
                    rest = rest[count:]
                    if not rest:
                        return written
                elif index == 3:
                    failed = OpError("write", "pipe", None, None, DeadlineExceededError())
                    failed.written = written
                    raise failed
                else:
                    closed = ErrClosedPipe()
                    closed.written = written
                    raise closed

    def close(self) -> None:
        """Close this end. Who waits on either end goes on. Closing twice is no error.

        Raises: RuntimeError outside a goroutine.
        Go: net/pipe.go pipe.Close.
        """
        self._once.do(self._local_done.close)

    def local_addr(self) -> PipeAddr:
        """`pipe`.

        Go: net/pipe.go pipe.LocalAddr.
        """
        return PipeAddr()

    def remote_addr(self) -> PipeAddr:
        """`pipe`.

        Go: net/pipe.go pipe.RemoteAddr.
        """
        return PipeAddr()

    def set_deadline(self, t: float | None) -> None:
        """Reads and writes fail with a timeout from t on: an instant as `time.now()` gives it; None for never.

        Raises: BrokenPipeError when one of the ends is closed; TypeError if t is no number.
        Go: net/pipe.go pipe.SetDeadline.
        """
        self._set("set_deadline", t, self._read_deadline, self._write_deadline)

    def set_read_deadline(self, t: float | None) -> None:
        """The same for reads only.

        Go: net/pipe.go pipe.SetReadDeadline.
        """
        self._set("set_read_deadline", t, self._read_deadline)

    def set_write_deadline(self, t: float | None) -> None:
        """The same for writes only.

        Go: net/pipe.go pipe.SetWriteDeadline.
        """
        self._set("set_write_deadline", t, self._write_deadline)

    def _set(self, name: str, t: float | None, *deadlines: Deadline) -> None:
        if t is not None:
            seconds_to_ns(t, f"net.PipeConn.{name}: t")
        if is_closed(self._local_done) or is_closed(self._remote_done):
            raise ErrClosedPipe
        for deadline in deadlines:
            deadline.set(t)

    def __repr__(self) -> str:
        return "<PipeConn>"


def pipe() -> tuple[PipeConn, PipeConn]:
    """Both ends of a connection without a socket: each write waits until the other end has read all of it.

    Go: net/pipe.go Pipe.
    """
    there: tuple[chan[Any], chan[int]] = chan(), chan()  # data in one direction, and how much of it was read
    back: tuple[chan[Any], chan[int]] = chan(), chan()
    done: tuple[chan[None], chan[None]] = chan(), chan()
    return PipeConn(back, there, done[0], done[1]), PipeConn(there, back, done[1], done[0])
