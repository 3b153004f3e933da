"""Connections: bytes in, bytes out, deadlines.

Any number of goroutines may use one at the same time; reads exclude one another, and so do writes.

Go: net/net.go Conn; net/tcpsock.go TCPConn; net/unixsock.go UnixConn.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Self

from ..base.config import seconds_to_ns
from ..internal.errno import ErrNetClosing
from ..internal.poll import FD, as_buffer, as_bytes, check_count
from ..kernel import sockets
from ..sched.netpoll import READ, WRITE
from .errors import OpError, wrap_syscall

if TYPE_CHECKING:
    from ..sched.m import M
    from .addr import Addr, TCPAddr, UnixAddr

KEEP_ALIVE = 15  # s: how long a peer is silent before it is asked, and then between two questions
KEEP_ALIVE_COUNT = 9


class Endpoint:
    """What connections and listeners have in common: a descriptor, an address, deadlines."""

    __slots__ = ("__weakref__", "_fd", "_local", "_network", "_sock")

    def __init__(self, m: M, sock: Any, network: str, local: TCPAddr | UnixAddr) -> None:
        """Put a socket of the host into the poller. Raises: OSError; the socket is still open then."""
        what = f"net.{type(self).__name__}"
        self._network = network
        self._sock = sock
        self._local = local
        self._fd = FD(m, sock.fileno(), "socket", what, sock.close)

    def _deadline(self, name: str, t: Any, mode: int) -> None:
        try:
            self._fd.set_deadline(t, mode, name)
        except OSError as error:
            raise OpError("set", self._network, None, self._local, error) from None

    def _set(self, name: str, option: Callable[..., None], *args: Any) -> None:
        """Set an option of the socket."""
        self._fd.control(name, _on_socket, option, self._sock, args)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.close()
        except OpError as error:
            if not isinstance(error.err, ErrNetClosing):  # somebody else was first, perhaps just now
                raise

    def close(self) -> None:
        """Overridden."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._local}>"


def _on_socket(_m: M, option: Callable[..., None], sock: Any, args: tuple[Any, ...]) -> None:
    option(sock, *args)


class Conn(ABC):
    """A connection: `TCPConn`, `UnixConn`, or an end of `pipe()`. A context manager: leaving it closes.

    Go: net/net.go Conn.
    """

    __slots__ = ()

    @abstractmethod
    def read(self, n: int) -> bytes:
        """At most n bytes, waiting for the first. b"" when the peer will send no more."""

    @abstractmethod
    def write(self, data: bytes | bytearray | memoryview) -> int:
        """Write all of data, waiting for room; returns how many bytes that was."""

    @abstractmethod
    def close(self) -> None:
        """Close. Who waits in a read or write is sent away with an error."""

    @abstractmethod
    def local_addr(self) -> Addr:
        """The address of this end."""

    @abstractmethod
    def remote_addr(self) -> Addr:
        """The address of the other end."""

    @abstractmethod
    def set_deadline(self, t: float | None) -> None:
        """Reads and writes fail with a timeout from t on: an instant as `time.now()` gives it; None for never."""

    @abstractmethod
    def set_read_deadline(self, t: float | None) -> None:
        """The same for reads only."""

    @abstractmethod
    def set_write_deadline(self, t: float | None) -> None:
        """The same for writes only."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class SocketConn(Endpoint, Conn):
    """A connection through a socket of the host.

    Go: net/net.go conn.
    """

    __slots__ = ("_remote",)

    def __init__(self, m: M, sock: Any, network: str, local: TCPAddr | UnixAddr, remote: TCPAddr | UnixAddr) -> None:
        Endpoint.__init__(self, m, sock, network, local)
        self._remote = remote
        self._fd.receive = sock.recv
        self._fd.receive_into = sock.recv_into
        self._fd.transmit = sock.send

    def read(self, n: int) -> bytes:  # hot: echo
        """At most n bytes, waiting for the first. b"" when the peer will send no more.

        Raises: OpError (also ConnectionResetError, TimeoutError after the deadline, ...); ValueError if n is negative;
        RuntimeError outside a goroutine.
        Differs: b"" instead of io.EOF, as everywhere in Python.
        Go: net/net.go conn.Read.
        """
        if type(n) is not int or n < 0:
            check_count(f"{self._fd.what}.read: n", n)
        try:
            return self._fd.read(n)
        except OSError as error:
            raise self._error("read", error) from None

    def readinto(self, buffer: Any) -> int:
        """The same, into a bytearray or another writable buffer; how many bytes came.

        Raises: as read; TypeError if buffer cannot be written to.
        Go: net/net.go conn.Read.
        """
        view = as_buffer(f"{self._fd.what}.readinto", buffer)
        if not view:
            return 0
        try:
            return self._fd.read_into(view)
        except OSError as error:
            raise self._error("read", error) from None

    def write(self, data: bytes | bytearray | memoryview) -> int:  # hot: echo
        """Write all of data, waiting for room; returns how many bytes that was.

        Raises: OpError (also BrokenPipeError, ConnectionResetError, TimeoutError after the deadline, ...), whose
        `.written` says how many bytes had gone out before; TypeError for anything but bytes; RuntimeError outside a
        goroutine.
        Go: net/net.go conn.Write.
        """
        if type(data) is not bytes:
            data = as_bytes(f"{self._fd.what}.write", data)
        try:
            return self._fd.write(data)
        except OSError as error:
            failed = self._error("write", error)
            failed.written = getattr(error, "written", 0)
            raise failed from None

    def close(self) -> None:
        """Close. Who waits in a read or write is sent away with an error.

        Raises: OpError if it is closed already; RuntimeError outside a goroutine.
        Go: net/net.go conn.Close.
        """
        try:
            self._fd.close()
        except OSError as error:
            raise self._error("close", error) from None

    def close_read(self) -> None:
        """Read no more: what comes is dropped, and read returns b"".

        Raises: OpError.
        Go: net/tcpsock.go TCPConn.CloseRead.
        """
        self._shutdown("close_read", sockets.SHUT_RD)

    def close_write(self) -> None:
        """Write no more: the peer's read returns b"" when it has read everything.

        Raises: OpError.
        Go: net/tcpsock.go TCPConn.CloseWrite.
        """
        self._shutdown("close_write", sockets.SHUT_WR)

    def _shutdown(self, name: str, how: int) -> None:
        try:
            self._fd.control(name, lambda _m: self._sock.shutdown(how))
        except OSError as error:
            raise self._error("close", error, "shutdown") from None

    def local_addr(self) -> TCPAddr | UnixAddr:
        """The address of this end.

        Go: net/net.go conn.LocalAddr.
        """
        return self._local

    def remote_addr(self) -> TCPAddr | UnixAddr:
        """The address of the other end.

        Go: net/net.go conn.RemoteAddr.
        """
        return self._remote

    def set_deadline(self, t: float | None) -> None:
        """Reads and writes fail with a timeout from t on: an instant as `time.now()` gives it; None for never.

        One that lies in the past ends what waits now, too. A new one makes reading and writing possible again.
        Raises: OpError if it is closed; TypeError if t is no number.
        Go: net/net.go conn.SetDeadline.
        """
        self._deadline("set_deadline", t, READ | WRITE)

    def set_read_deadline(self, t: float | None) -> None:
        """The same for reads only.

        Go: net/net.go conn.SetReadDeadline.
        """
        self._deadline("set_read_deadline", t, READ)

    def set_write_deadline(self, t: float | None) -> None:
        """The same for writes only.

        Go: net/net.go conn.SetWriteDeadline.
        """
        self._deadline("set_write_deadline", t, WRITE)

    def set_read_buffer(self, size: int) -> None:
        """The size of the host's buffer for what comes, bytes.

        Go: net/net.go conn.SetReadBuffer.
        """
        self._set_buffer("set_read_buffer", True, size)

    def set_write_buffer(self, size: int) -> None:
        """The size of the host's buffer for what goes out, bytes.

        Go: net/net.go conn.SetWriteBuffer.
        """
        self._set_buffer("set_write_buffer", False, size)

    def _set_buffer(self, name: str, is_read: bool, size: int) -> None:
        check_count(f"{self._fd.what}.{name}: size", size)
        try:
            self._set(name, sockets.set_buffer, is_read, size)
        except OSError as error:
            raise OpError("set", self._network, None, self._local, wrap_syscall("setsockopt", error)) from None

    def _error(self, op: str, error: Exception, call: str = "") -> OpError:
        return OpError(op, self._network, self._local, self._remote, wrap_syscall(call or op, error))

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._local}->{self._remote}>"


class TCPConn(SocketConn):
    """A TCP connection.

    Go: net/tcpsock.go TCPConn.
    """

    __slots__ = ()

    def _option(self, name: str, option: Callable[..., None], *args: Any) -> None:
        try:
            self._set(name, option, *args)
        except OSError as error:
            raise self._error("set", error, "setsockopt") from None

    def set_no_delay(self, on: bool) -> None:
        """Send small packets at once; that is the default.

        Go: net/tcpsock.go TCPConn.SetNoDelay.
        """
        self._option("set_no_delay", sockets.set_no_delay, bool(on))

    def set_keep_alive(self, on: bool) -> None:
        """Ask a silent peer from time to time whether it is there; that is the default.

        Go: net/tcpsock.go TCPConn.SetKeepAlive.
        """
        self._option("set_keep_alive", sockets.set_keep_alive, bool(on))

    def set_keep_alive_period(self, d: float) -> None:
        """How long a peer has to be silent before it is asked, seconds (at least one).

        Go: net/tcpsock.go TCPConn.SetKeepAlivePeriod.
        """
        seconds = max(1, -(-seconds_to_ns(d, "net.TCPConn.set_keep_alive_period: d") // 1_000_000_000))
        self._option("set_keep_alive_period", sockets.set_keep_alive_times, seconds, KEEP_ALIVE, KEEP_ALIVE_COUNT)

    def set_linger(self, seconds: int) -> None:
        """What close does with data that was not sent: negative: send it meanwhile; 0: drop it and reset.

        Go: net/tcpsock.go TCPConn.SetLinger.
        """
        if isinstance(seconds, bool) or not isinstance(seconds, int):
            raise TypeError(f"net.TCPConn.set_linger: seconds must be an integer, not {type(seconds).__name__}")
        self._option("set_linger", sockets.set_linger, seconds)


class UnixConn(SocketConn):
    """A connection through a Unix socket.

    Go: net/unixsock.go UnixConn.
    """

    __slots__ = ()


def new_conn(m: M, sock: Any, network: str, local: TCPAddr | UnixAddr, remote: TCPAddr | UnixAddr) -> SocketConn:
    """A connected socket of the host as a connection.

    Raises: OSError; the socket is still open then.
    Go: net/tcpsock.go newTCPConn.
    """
    if network == "unix":
        return UnixConn(m, sock, network, local, remote)
    conn = TCPConn(m, sock, network, local, remote)
    try:
        sockets.set_no_delay(sock, True)
        sockets.set_keep_alive(sock, True)
        sockets.set_keep_alive_times(sock, KEEP_ALIVE, KEEP_ALIVE, KEEP_ALIVE_COUNT)
    except OSError:
        return conn  # the peer may have reset it already, which the first read tells
    return conn
