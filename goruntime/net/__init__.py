"""Package net: TCP and Unix sockets on the run's netpoller.

A goroutine that reads, writes, accepts or dials waits in the poller and not on a thread. A run that has a real socket
is open: virtual time follows the wall clock as long as one is there, and the run is not reproducible (docs/net.md).
`pipe()` makes connections without sockets, which leave a run closed.

Go: net/net.go Conn, Listener.
"""

from .addr import TCPAddr, UnixAddr, join_host_port, split_host_port
from .conn import Conn, TCPConn, UnixConn
from .dial import Dialer, dial, dial_timeout
from .errors import AddrError, DNSError, OpError, UnknownNetworkError, err_closed
from .listener import Listener, listen
from .pipe import PipeAddr, PipeConn, pipe

__all__ = [
    "AddrError",
    "Conn",
    "DNSError",
    "Dialer",
    "Listener",
    "OpError",
    "PipeAddr",
    "PipeConn",
    "TCPAddr",
    "TCPConn",
    "UnixAddr",
    "UnixConn",
    "UnknownNetworkError",
    "dial",
    "dial_timeout",
    "err_closed",
    "join_host_port",
    "listen",
    "pipe",
    "split_host_port",
]
