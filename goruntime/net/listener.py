"""Listeners: who waits for connections.

Go: net/net.go Listener; net/tcpsock.go TCPListener; net/unixsock.go UnixListener.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ..internal.errno import ErrNetClosing
from ..internal.poll import current_thread, make_fd, need_room
from ..kernel import sockets
from ..sched.netpoll import READ
from .addr import TCPAddr, UnixAddr, check_network, family_of, from_host, resolve, to_host
from .conn import Endpoint, SocketConn, new_conn
from .errors import OpError, wrap_syscall

if TYPE_CHECKING:
    from ..sched.m import M

ROOM = 40  # Python frames that listening needs
ACCEPT = "accept4" if hasattr(os, "eventfd") else "accept"  # what the host's call is named


class Listener(Endpoint):
    """A socket that others connect to. Iterating over it accepts connections until it is closed.

    A context manager: leaving it closes. Go: net/net.go Listener.
    """

    __slots__ = ("_path",)

    def __init__(self, m: M, sock: Any, network: str, local: TCPAddr | UnixAddr, path: str) -> None:
        Endpoint.__init__(self, m, sock, network, local)
        self._path = path  # of a Unix socket in the file system

    def accept(self) -> SocketConn:
        """The next connection, waiting for it.

        Raises: OpError when the listener is closed, after the deadline, or when the process has too many open files;
        RuntimeError outside a goroutine.
        Go: net/tcpsock.go TCPListener.Accept.
        """
        need_room(ROOM)
        try:
            return self._fd.accept(self._accept_one)  # type: ignore[no-any-return]
        except OSError as error:
            raise OpError("accept", self._network, None, self._local, wrap_syscall(ACCEPT, error)) from None

    def _accept_one(self, _: None) -> SocketConn:
        sock = self._sock
        family = sock.family
        while True:
            try:
                fd, address = sock._accept()
            except ConnectionAbortedError:
                continue  # it was closed before anybody has accepted it
            break
        accepted = sockets.accepted(family, fd)
        try:
            local = self._local if family == sockets.AF_UNIX else from_host(family, accepted.getsockname())
            return new_conn(current_thread(), accepted, self._network, local, from_host(family, address))
        except BaseException:
            accepted.close()
            raise

    def __iter__(self) -> Iterator[SocketConn]:
        while True:
            try:
                conn = self.accept()
            except OpError as error:
                if isinstance(error.err, ErrNetClosing):
                    return
                raise
            yield conn

    def close(self) -> None:
        """Stop listening. Who waits in accept is sent away with an error; connections stay.

        Raises: OpError if it is closed already; RuntimeError outside a goroutine.
        Go: net/tcpsock.go TCPListener.Close; net/unixsock_posix.go UnixListener.close.
        """
        current_thread("net.Listener.close")  # before anything has happened
        if self._path and not self._fd.closed:
            try:
                os.unlink(self._path)
            except OSError:
                self._path = ""  # somebody else has removed it
        try:
            self._fd.close()
        except OSError as error:
            raise OpError("close", self._network, None, self._local, wrap_syscall("close", error)) from None

    def addr(self) -> TCPAddr | UnixAddr:
        """Where it listens.

        Go: net/tcpsock.go TCPListener.Addr.
        """
        return self._local

    def set_deadline(self, t: float | None) -> None:
        """accept fails with a timeout from t on: an instant as `time.now()` gives it; None for never.

        Go: net/tcpsock.go TCPListener.SetDeadline.
        """
        self._deadline("set_deadline", t, READ)


def listen(network: str, address: str) -> Listener:
    """Listen: `listen("tcp", "127.0.0.1:0")`, `listen("unix", path)`.

    network: "tcp", "tcp4", "tcp6" or "unix". Port 0 is any that is free: see `addr`. Without a host the listener takes
    connections to every address of this machine.
    Raises: OpError; TypeError unless both are str; RuntimeError outside a goroutine.
    Go: net/dial.go Listen.
    """
    need_room(ROOM)
    what = "net.listen"
    addr: TCPAddr | UnixAddr | None = None
    try:
        check_network(what, network, address)
        current_thread(what)
        addr = UnixAddr(address) if network == "unix" else _first(resolve(network, address))
        return make_fd(what, _listen, network, addr)  # type: ignore[no-any-return]
    except OpError:
        raise
    except OSError as error:
        raise OpError("listen", network, None, addr, wrap_syscall("socket", error)) from None


def _first(addrs: list[TCPAddr]) -> TCPAddr:
    """Go: net/ipsock.go addrList.first."""
    return next((addr for addr in addrs if sockets.ip_family(addr.ip) == sockets.AF_INET), addrs[0])


def _listen(m: M, network: str, addr: TCPAddr | UnixAddr) -> Listener:
    """Go: net/sock_posix.go netFD.listenStream."""
    is_any = isinstance(addr, TCPAddr) and not addr.ip
    if is_any and network != "tcp4":
        # One socket for both protocols, if the host has IPv6. Go: net/ipsock_posix.go favoriteAddrFamily.
        assert isinstance(addr, TCPAddr)
        try:
            return _listen_on(m, network, TCPAddr("::", addr.port), network == "tcp")
        except OpError as error:
            if network == "tcp6" or error.errno not in (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL):
                raise
    return _listen_on(m, network, addr, False)


def _listen_on(m: M, network: str, addr: TCPAddr | UnixAddr, is_dual_stack: bool) -> Listener:
    family = family_of(addr)
    call = "socket"
    sock = None
    try:
        sock = sockets.new_socket(family)
        call = "setsockopt"
        sockets.set_listener_options(sock, is_dual_stack)
        call = "bind"
        sock.bind(to_host(addr))
        call = "listen"
        sock.listen(sockets.backlog())
        call = "epoll_ctl"
        local = from_host(family, sock.getsockname())
        path = addr.name if isinstance(addr, UnixAddr) and not addr.name.startswith("@") else ""
        return Listener(m, sock, network, local, path)
    except BaseException as error:
        if sock is not None:
            sock.close()
        if isinstance(error, OSError):
            raise OpError("listen", network, None, addr, wrap_syscall(call, error)) from None
        raise
