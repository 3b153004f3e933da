"""Dialing: making a connection.

Differs: addresses of one name are tried one after the other; Go gives IPv4 a head start of 300 ms behind IPv6.
Go: net/dial.go Dialer; net/fd_unix.go netFD.connect; net/tcpsock_posix.go sysDialer.doDialTCPProto.
"""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Any

from .. import context, time
from ..base.config import seconds_to_ns
from ..context.base import check_parent
from ..internal.errno import ConstantError, DeadlineExceededError, ErrNetClosing
from ..internal.poll import FD, current_thread, make_fd, need_room, now_ns
from ..kernel import sockets
from ..lang.chan import nilchan
from ..lang.panic import panic
from ..sched.netpoll import WRITE
from .addr import LOOPBACK, TCPAddr, UnixAddr, check_network, family_of, from_host, resolve, to_host
from .conn import SocketConn, new_conn
from .errors import OpError, wrap_syscall

if TYPE_CHECKING:
    from ..sched.m import M

SHORTEST_SHARE_NS = 2_000_000_000  # of the time that is left, for one of several addresses
ROOM = 40  # Python frames that dialing needs
SELF_CONNECTS = 2  # how often to try again when the host has connected a socket to itself


class MissingAddressError(ConstantError):
    """Dialing nowhere.

    Go: net/net.go errMissingAddress.
    """

    text = "missing address"


class CanceledError(ConstantError):
    """The context was canceled while dialing.

    Go: net/net.go canceledError.
    """

    text = "operation was canceled"

    def is_(self, target: object) -> bool:
        """It is `context.canceled`, too."""
        return target is context.canceled or ConstantError.is_(self, target)


class TimedOutError(DeadlineExceededError):
    """Dialing has taken too long.

    Go: net/net.go timeoutError.
    """

    def is_(self, target: object) -> bool:
        """It is `context.deadline_exceeded`, too."""
        return target is context.deadline_exceeded or ConstantError.is_(self, target)


class Dialer:
    """How to dial: `timeout` in seconds for all of it (0 for none), `local_addr` to dial from ("host:port").

    Raises: TypeError if timeout is no number.
    Go: net/dial.go Dialer.
    """

    __slots__ = ("_timeout_ns", "local_addr")

    def __init__(self, timeout: float = 0, local_addr: str = "") -> None:
        self._timeout_ns = seconds_to_ns(timeout, "net.Dialer: timeout")
        self.local_addr = local_addr

    def dial(self, network: str, address: str) -> SocketConn:
        """Connect: `dial("tcp", "example.org:80")`, `dial("unix", path)`.

        Raises: OpError (also ConnectionRefusedError, TimeoutError, ...); TypeError unless both are str; RuntimeError
        outside a goroutine.
        Go: net/dial.go Dialer.Dial.
        """
        return self.dial_context(context.background(), network, address)

    def dial_context(self, ctx: context.Context, network: str, address: str) -> SocketConn:
        """The same, until ctx is canceled or its deadline has passed; afterwards ctx does nothing to the connection.

        Raises: as dial; `errors.is_(error, context.canceled)` and `context.deadline_exceeded` hold where that is why;
        Panic "nil context" if ctx is None; TypeError if it is no context.
        Differs: a name that is being resolved is resolved to the end.
        Go: net/dial.go Dialer.DialContext.
        """
        need_room(ROOM)
        current_thread("net.dial")
        if ctx is None:
            panic("nil context")
        check_parent(ctx, "net.Dialer.dial_context", "ctx")
        deadline_ns = now_ns() + self._timeout_ns if self._timeout_ns else 0
        deadline = ctx.deadline()
        if deadline is not None:
            until_ns = now_ns() + max(1, seconds_to_ns(time.until(deadline), "deadline"))
            deadline_ns = min(deadline_ns or until_ns, until_ns)
        source = None
        try:
            check_network("net.dial", network, address)
            if not address:
                raise MissingAddressError
            addrs: list[Any] = [UnixAddr(address)] if network == "unix" else resolve(network, address)
            if self.local_addr and network != "unix":
                source = resolve(network, self.local_addr)[0]
        except OSError as error:
            raise OpError("dial", network, None, None, wrap_syscall("lookup", error)) from None
        return _dial_serial(ctx, network, source, addrs, deadline_ns)


def dial(network: str, address: str) -> SocketConn:
    """Connect: `dial("tcp", "example.org:80")`, `dial("unix", path)`.

    network: "tcp", "tcp4", "tcp6" or "unix". A host that is no IP address is resolved; no host is this machine.
    Raises: OpError (also ConnectionRefusedError, TimeoutError, ...); TypeError unless both are str; RuntimeError
    outside a goroutine.
    Go: net/dial.go Dial.
    """
    return Dialer().dial(network, address)


def dial_timeout(network: str, address: str, timeout: float) -> SocketConn:
    """The same, taking no longer than timeout seconds.

    Go: net/dial.go DialTimeout.
    """
    return Dialer(timeout).dial(network, address)


def _dial_serial(ctx: context.Context, network: str, source: Any, addrs: list[Any], deadline_ns: int) -> SocketConn:
    """The first address that answers, or the first error.

    Go: net/dial.go sysDialer.dialSerial, partialDeadline.
    """
    first: OpError | None = None
    for index, addr in enumerate(addrs):
        ended = map_error(ctx.err())
        if ended is not None:
            raise OpError("dial", network, source, addr, ended)
        share_ns = 0
        if deadline_ns:
            left_ns = deadline_ns - now_ns()
            if left_ns <= 0:
                first = first or OpError("dial", network, source, addr, TimedOutError())
                break
            share_ns = max(left_ns // (len(addrs) - index), min(left_ns, SHORTEST_SHARE_NS))
        try:
            return _dial_single(ctx, network, source, addr, share_ns)
        except OpError as error:
            first = first or error
    assert first is not None
    try:
        raise first
    finally:
        del first  # its traceback holds this frame


def _dial_single(ctx: context.Context, network: str, source: Any, addr: Any, timeout_ns: int) -> SocketConn:
    """Go: net/tcpsock_posix.go sysDialer.doDialTCPProto."""
    if isinstance(addr, TCPAddr) and not addr.ip:
        addr = TCPAddr(LOOPBACK[network], addr.port)
    for last in (False,) * SELF_CONNECTS + (True,):
        attempt = Attempt(network, source, addr)
        try:
            conn = attempt.connect(ctx, timeout_ns)
        except OSError as error:
            if error.errno == errno.EADDRNOTAVAIL and source is None and not last and network != "unix":
                continue
            raise OpError("dial", network, source, addr, wrap_syscall(attempt.call, error)) from None
        if last or network == "unix" or conn.local_addr() != conn.remote_addr():
            return conn
        conn.close()
    raise AssertionError


class Attempt:
    """One socket on its way to one address."""

    def __init__(self, network: str, source: Any, addr: TCPAddr | UnixAddr) -> None:
        self.network = network
        self.source = source
        self.addr = addr
        self.call = "socket"  # which call of the host the next error is of
        self.sock: Any = None
        self.conn: SocketConn | None = None

    def connect(self, ctx: context.Context, timeout_ns: int) -> SocketConn:
        """Connect, for at most so long, and until ctx ends.

        Raises: OSError.
        Go: net/fd_unix.go netFD.connect.
        """
        conn: SocketConn = make_fd("net.dial", self.begin)
        fd = conn._fd
        stop = None
        try:
            if timeout_ns:
                fd.set_timeout(timeout_ns, WRITE)
            if ctx.done() is not nilchan:
                stop = context.after_func(ctx, _expire, fd)
            self.call = "connect"
            while not make_fd("net.dial", self.is_connected):
                fd.wait_write()
            if stop is not None and not stop():
                stop = None
                raise map_error(ctx.err()) or TimedOutError()  # it may have set the deadline already
            stop = None
            if timeout_ns:
                fd.set_deadline(None, WRITE)
        except OSError as error:
            if stop is not None:
                stop()
            _give_up(fd)
            if isinstance(error, DeadlineExceededError):
                raise map_error(ctx.err()) or TimedOutError() from None
            raise
        return conn

    def begin(self, m: M) -> SocketConn:
        """Start connecting. A connection that is none yet."""
        family = family_of(self.addr)
        self.sock = sock = sockets.new_socket(family)
        try:
            if family == sockets.AF_INET6:
                sockets.set_v6only(sock, False)
            if self.source is not None:
                self.call = "bind"
                sock.bind(to_host(self.source))
            self.call = "connect"
            code = sock.connect_ex(to_host(self.addr))
            if code and code not in sockets.IN_PROGRESS:
                raise OSError(code, "")
            self.call = "epoll_ctl"
            local = from_host(family, sock.getsockname())
            self.conn = new_conn(m, sock, self.network, local, self.addr)
            return self.conn
        except BaseException:
            sock.close()
            raise

    def is_connected(self, m: M) -> bool:
        """Has it come to an end, a good one? The poller may wake us up for nothing.

        Raises: OSError for a bad one.
        """
        code = sockets.connect_error(self.sock)
        if code and code not in sockets.IN_PROGRESS:
            raise OSError(code, "")
        try:
            self.sock.getpeername()
        except OSError:
            return False
        assert self.conn is not None
        self.conn._local = from_host(self.sock.family, self.sock.getsockname())
        return True


def map_error(error: BaseException | None) -> OSError | None:
    """Why a context has ended, as dialing says it; None if it has not.

    Go: net/net.go mapErr.
    """
    if error is None:
        return None
    return TimedOutError() if error is context.deadline_exceeded else CanceledError()


def _expire(fd: FD) -> None:
    """Whoever waits until it can be written goes on."""
    try:
        fd.set_timeout(0, WRITE)
    except ErrNetClosing:
        return


def _give_up(fd: FD) -> None:
    try:
        fd.close()
    except ErrNetClosing:
        return
