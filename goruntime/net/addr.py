"""Addresses: `host:port` taken apart and put together, names resolved.

A name that is no IP address is resolved by the host, on a thread of the host's: a system call, in Go's terms.

Differs: the host's own resolver, always; there is no Resolver to configure.
Go: net/ipsock.go SplitHostPort, JoinHostPort; net/tcpsock.go TCPAddr; net/unixsock.go UnixAddr.
"""

from __future__ import annotations

import errno
from typing import Any

from ..kernel import sockets
from ..lang.syscall import syscall
from .errors import AddrError, DNSError, UnknownNetworkError

MAX_PORT = 65_535
LONGEST_PORT = 1_000  # digits: int() refuses what is much longer
NETWORKS = ("tcp", "tcp4", "tcp6", "unix")
LOOPBACK = {"tcp": "127.0.0.1", "tcp4": "127.0.0.1", "tcp6": "::1"}


class Addr:
    """What addresses have in common: they are values, and print as Go prints them."""

    __slots__ = ()

    def network(self) -> str:
        """The network's name."""
        raise NotImplementedError

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and repr(self) == repr(other)

    def __hash__(self) -> int:
        return hash(str(self))


class TCPAddr(Addr):
    """One end of a TCP connection: `.ip` ("" for any), `.port`, `.zone` (of an IPv6 address).

    Go: net/tcpsock.go TCPAddr.
    """

    __slots__ = ("ip", "port", "zone")

    def __init__(self, ip: str, port: int, zone: str = "") -> None:
        self.ip = ip
        self.port = port
        self.zone = zone

    def network(self) -> str:
        """The network's name."""
        return "tcp"

    def __str__(self) -> str:
        host = f"{self.ip}%{self.zone}" if self.zone else self.ip
        return join_host_port(host, str(self.port))

    def __repr__(self) -> str:
        return f"<TCPAddr {self}>"


class UnixAddr(Addr):
    """A Unix socket: `.name` is its path; with a leading `@` it is none of the file system's.

    Go: net/unixsock.go UnixAddr.
    """

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def network(self) -> str:
        """The network's name."""
        return "unix"

    def __str__(self) -> str:
        return self.name

    def __repr__(self) -> str:
        return f"<UnixAddr {self}>"


def split_host_port(hostport: str) -> tuple[str, str]:
    """`"host:port"`, `"[host]:port"` or `"[host%zone]:port"` taken apart.

    Raises: AddrError if it is none of these; TypeError for anything but a str.
    Go: net/ipsock.go SplitHostPort.
    """
    if not isinstance(hostport, str):
        raise TypeError(f"net.split_host_port: an address must be a str, not {type(hostport).__name__}")
    colon = hostport.rfind(":")
    if colon < 0:
        raise AddrError("missing port in address", hostport)
    open_from = close_from = 0
    if hostport[0] == "[":
        end = hostport.find("]")
        if end < 0:
            raise AddrError("missing ']' in address", hostport)
        if end + 1 == len(hostport):
            raise AddrError("missing port in address", hostport)
        if end + 1 != colon:
            is_colon = hostport[end + 1] == ":"
            raise AddrError("too many colons in address" if is_colon else "missing port in address", hostport)
        host = hostport[1:end]
        open_from, close_from = 1, end + 1
    else:
        host = hostport[:colon]
        if ":" in host:
            raise AddrError("too many colons in address", hostport)
    if "[" in hostport[open_from:]:
        raise AddrError("unexpected '[' in address", hostport)
    if "]" in hostport[close_from:]:
        raise AddrError("unexpected ']' in address", hostport)
    return host, hostport[colon + 1 :]


def join_host_port(host: str, port: str | int) -> str:
    """`"host:port"`, or `"[host]:port"` if the host has a colon.

    Raises: TypeError unless host is a str, and port a str or an integer.
    Go: net/ipsock.go JoinHostPort.
    """
    if not isinstance(host, str):
        raise TypeError(f"net.join_host_port: host must be a str, not {type(host).__name__}")
    if isinstance(port, bool) or not isinstance(port, (str, int)):
        raise TypeError(f"net.join_host_port: port must be a str or an integer, not {type(port).__name__}")
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def check_network(what: str, network: Any, address: Any) -> None:
    """Raises: TypeError unless both are str; UnknownNetworkError.

    Go: net/dial.go parseNetwork.
    """
    for name, value in (("network", network), ("address", address)):
        if not isinstance(value, str):
            hint = "; write str(address)" if isinstance(value, Addr) else ""
            raise TypeError(f"{what}: {name} must be a str, not {type(value).__name__}{hint}")
    if network not in NETWORKS:
        raise UnknownNetworkError(network)


def lookup_port(network: str, service: str) -> int:
    """The number of a port, which may be a service's name.

    Raises: AddrError, DNSError.
    Go: net/lookup.go Resolver.LookupPort.
    """
    digits = service[1:] if service[:1] in ("+", "-") else service
    if not digits:
        return 0
    if digits.isascii() and digits.isdigit():
        port = int(service) if len(service) <= LONGEST_PORT else MAX_PORT + 1
        if not 0 <= port <= MAX_PORT:
            raise AddrError("invalid port", service)
        return port
    port = sockets.service_port(service)
    if port < 0:
        raise DNSError("unknown port", f"{network}/{service}", is_not_found=True)
    return port


def resolve(network: str, address: str) -> list[TCPAddr]:
    """The TCP addresses that address stands for, in the order in which to try them; at least one.

    Raises: AddrError, DNSError.
    Go: net/ipsock.go Resolver.internetAddrList.
    """
    host, service = split_host_port(address)
    port = lookup_port(network, service)
    if not host:
        return [TCPAddr("", port)]
    bare, _, zone = host.partition("%")
    ips = [sockets.normal_ip(bare)] if sockets.ip_family(bare) else _lookup(host)
    wanted = {"tcp4": sockets.AF_INET, "tcp6": sockets.AF_INET6}.get(network)
    found = [TCPAddr(ip, port, zone) for ip in ips if wanted is None or sockets.ip_family(ip) == wanted]
    if not found:
        raise AddrError("no suitable address found", host)
    return found


def _lookup(host: str) -> list[str]:
    """Go: net/lookup.go Resolver.lookupIPAddr."""
    try:
        return syscall(sockets.resolve, host)
    except UnicodeError:
        raise DNSError("no such host", host, is_not_found=True) from None
    except sockets.GaiError as error:
        if sockets.is_unknown_name(error):
            raise DNSError("no such host", host, is_not_found=True) from None
        raise DNSError(str(error.strerror), host, is_temporary=True) from None


def family_of(addr: TCPAddr | UnixAddr) -> int:
    """The host's number for the family."""
    if isinstance(addr, UnixAddr):
        return sockets.AF_UNIX
    return sockets.ip_family(addr.ip) or sockets.AF_INET


def to_host(addr: TCPAddr | UnixAddr) -> Any:
    """The address as the host's calls take it.

    Raises: OSError for a path that the host would cut off.
    """
    if isinstance(addr, UnixAddr):
        if "\0" in addr.name:
            raise OSError(errno.EINVAL, "")
        return "\0" + addr.name[1:] if addr.name.startswith("@") else addr.name
    if sockets.ip_family(addr.ip) == sockets.AF_INET6:
        return addr.ip, addr.port, 0, sockets.scope_id(addr.zone) if addr.zone else 0
    return addr.ip or "0.0.0.0", addr.port


def from_host(family: int, address: Any) -> TCPAddr | UnixAddr:
    """What the host's calls return. A Unix socket without a name is "@", as Go shows it."""
    if family == sockets.AF_UNIX:
        name = address.decode(errors="surrogateescape") if isinstance(address, bytes) else str(address or "\0")
        return UnixAddr("@" + name[1:] if name[:1] == "\0" else name)
    host = str(address[0])
    zone = ""
    if len(address) > 3 and address[3]:
        zone = sockets.interface_name(address[3])
    return TCPAddr(sockets.normal_ip(host.partition("%")[0]), address[1], zone)
