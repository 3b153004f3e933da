"""Sockets and pipes of the host, as bare as it has them: nothing blocks, nothing is remembered.

Sockets are the C class below `socket.socket`: accepting one through the Python class costs twice as much. A write to a
connection without a reader is EPIPE and never SIGPIPE.

Go: internal/poll/sock_cloexec.go accept; net/sockopt_linux.go setDefaultSockopts.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
from collections.abc import Callable
from functools import partial
from typing import Any

Socket = socket.SocketType  # without a Python class around it

AF_INET, AF_INET6 = int(socket.AF_INET), int(socket.AF_INET6)
AF_UNIX = int(getattr(socket, "AF_UNIX", -1))
STREAM = int(socket.SOCK_STREAM)
SHUT_RD, SHUT_WR = socket.SHUT_RD, socket.SHUT_WR
NO_SIGNAL = int(getattr(socket, "MSG_NOSIGNAL", 0))
IN_PROGRESS = (errno.EINPROGRESS, errno.EALREADY, errno.EINTR)  # what `connect` says when it has begun
MAX_BACKLOG_FILE = "/proc/sys/net/core/somaxconn"
DEFAULT_BACKLOG = 4096
GaiError = socket.gaierror


def new_socket(family: int) -> Any:
    """A stream socket that never blocks.

    Raises: OSError.
    """
    sock = Socket(family, STREAM, 0)
    sock.setblocking(False)
    return sock


def accepted(family: int, fd: int) -> Any:
    """The socket of a connection that `_accept` has returned; it never blocks."""
    sock = Socket(family, STREAM, 0, fd)
    sock.setblocking(False)
    return sock


def pipe() -> tuple[int, int]:
    """Both ends of a new pipe, reader and writer; neither blocks, no child inherits them.

    Raises: OSError.
    """
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    os.set_blocking(writer, False)
    return reader, writer


def pipe_sender(fd: int) -> Callable[[Any, int], int]:
    """What writes once to a pipe; takes the flags of a socket's `send`, too."""

    def send(data: Any, _flags: int) -> int:
        return os.write(fd, data)

    return send


def pipe_receiver(fd: int) -> Callable[[int], bytes]:
    """What reads once from a pipe."""
    return partial(os.read, fd)


def pipe_reader_into(fd: int) -> Callable[[Any], int]:
    """What reads once from a pipe into a buffer."""

    def receive(buffer: Any) -> int:
        return os.readv(fd, [buffer])

    return receive


def backlog() -> int:
    """How many connections may wait to be accepted: as many as the host allows.

    Go: net/sock_linux.go maxListenerBacklog.
    """
    try:
        with open(MAX_BACKLOG_FILE) as file:
            return min(int(file.read().split()[0]), (1 << 31) - 1)
    except (OSError, ValueError, IndexError):
        return DEFAULT_BACKLOG


def close(sock: Any) -> None:
    """Give a socket back to the host."""
    sock.close()


# Options.


def set_listener_options(sock: Any, is_dual_stack: bool) -> None:
    """An address that was used lately can be used again; one IPv6 socket may serve both protocols.

    Raises: OSError.
    """
    if sock.family == AF_INET6:
        set_v6only(sock, not is_dual_stack)
    if sock.family != AF_UNIX:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)


def set_v6only(sock: Any, on: bool) -> None:
    """Does an IPv6 socket serve IPv6 only?"""
    sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, int(on))


def set_no_delay(sock: Any, on: bool) -> None:
    """Send small packets at once."""
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, int(on))


def set_keep_alive(sock: Any, on: bool) -> None:
    """Ask a silent peer whether it is there."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, int(on))


def set_keep_alive_times(sock: Any, idle: int, interval: int, count: int) -> None:
    """When that begins and how often it is repeated: seconds, seconds, times."""
    for name, value in (("TCP_KEEPIDLE", idle), ("TCP_KEEPINTVL", interval), ("TCP_KEEPCNT", count)):
        option = getattr(socket, name, None)  # macOS has the first under another name, which Python 3.11 lacks
        if option is not None:
            sock.setsockopt(socket.IPPROTO_TCP, option, value)


def set_linger(sock: Any, seconds: int) -> None:
    """What closing does with data that was not sent: negative: send it meanwhile; 0: drop it, with a reset."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", int(seconds >= 0), max(seconds, 0)))


def set_buffer(sock: Any, is_read: bool, size: int) -> None:
    """The size of the host's buffer, bytes."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF if is_read else socket.SO_SNDBUF, size)


def connect_error(sock: Any) -> int:
    """How connecting has ended: an errno, 0 for well."""
    return sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)  # type: ignore[no-any-return]


# Addresses and names.


def ip_family(host: str) -> int:
    """AF_INET or AF_INET6 for an IP address, 0 for a name."""
    bare = host.partition("%")[0]
    for family in (AF_INET6, AF_INET) if ":" in host else (AF_INET,):
        try:
            socket.inet_pton(family, bare)
        except (OSError, ValueError):
            continue
        return family
    return 0


def normal_ip(host: str) -> str:
    """An IP address as it is written: the shortest form, an IPv4 address that is mapped into IPv6 as IPv4."""
    bare, percent, zone = host.partition("%")
    if ip_family(bare) != AF_INET6:
        return host
    packed = socket.inet_pton(AF_INET6, bare)
    if packed[:12] == bytes(10) + b"\xff\xff":
        return socket.inet_ntop(AF_INET, packed[12:])
    return socket.inet_ntop(AF_INET6, packed) + percent + zone


def resolve(host: str) -> list[str]:
    """The IP addresses of a name, in the order in which to try them. Blocks.

    Raises: GaiError.
    """
    found = socket.getaddrinfo(host, None, 0, STREAM)
    return list(dict.fromkeys(normal_ip(str(address[0])) for _, _, _, _, address in found))


def is_unknown_name(error: OSError) -> bool:
    """Resolving has failed because there is no such name, not because nobody could tell."""
    return error.errno in (socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME))


def service_port(name: str) -> int:
    """The port of a service such as "http"; -1 if there is none."""
    try:
        return socket.getservbyname(name, "tcp")
    except OSError:
        return -1


def scope_id(zone: str) -> int:
    """The number of an IPv6 zone: an interface's name, or the number itself."""
    if zone.isdigit():
        return int(zone)
    try:
        return socket.if_nametoindex(zone)
    except OSError:
        return 0


def interface_name(number: int) -> str:
    """The name of an IPv6 zone."""
    try:
        return socket.if_indextoname(number)
    except OSError:
        return str(number)
