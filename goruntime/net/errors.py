"""What can go wrong, in Go's words, and always an OSError of Python's own class.

`OpError` says which operation on which connection; `.err` says what. `err_closed` and `os.err_deadline_exceeded` are
what `errors.is_` compares with.

Go: net/net.go OpError, AddrError, DNSError, UnknownNetworkError.
"""

from __future__ import annotations

import errno
from typing import Any

from ..internal.errno import TEMPORARY, TIMEOUTS, ErrNetClosing, SyscallError, WrappedError, text_of
from ..kernel import sockets

CONNECTION_ERRORS = (ConnectionResetError, ConnectionAbortedError)


class OpError(WrappedError):
    """An operation on a connection or listener failed.

    `.op` ("dial", "listen", "accept", "read", "write", "close", "set"), `.net` ("tcp", "unix", ...), `.source` and
    `.addr` (addresses, or None), `.err` (what happened). `.written`: how many bytes of a write had gone out.
    Differs: an instance of Python's own class for the error as well: ConnectionResetError, TimeoutError, ...
    Go: net/net.go OpError.
    """

    written = 0

    def __init__(self, op: str, net: str, source: Any, addr: Any, err: BaseException) -> None:
        WrappedError.__init__(self, op, net, source, addr, err)
        self.op = op
        self.net = net
        self.source = source
        self.addr = addr

    def __str__(self) -> str:
        words = [self.op]
        if self.net:
            words.append(self.net)
        ends = [str(end) for end in (self.source, self.addr) if end is not None]
        if ends:
            words.append("->".join(ends))
        return f"{' '.join(words)}: {text_of(self.err)}"

    def temporary(self) -> bool:
        """Trying again may help.

        Go: net/net.go OpError.Temporary.
        """
        if self.op == "accept" and isinstance(self, CONNECTION_ERRORS):
            return True
        asked = getattr(self.err, "temporary", None)
        return bool(asked()) if asked is not None else self.errno in TEMPORARY or self.errno in TIMEOUTS


class AddrError(OSError):
    """An address that is none: `.err` says why, `.addr` is what was given.

    Go: net/net.go AddrError.
    """

    def __init__(self, err: str, addr: str) -> None:
        super().__init__(err, addr)
        self.errno = None
        self.err = err
        self.addr = addr

    def timeout(self) -> bool:
        """It was a deadline."""
        return False

    def temporary(self) -> bool:
        """Trying again may help."""
        return False

    def error(self) -> str:
        """Go's text."""
        return str(self)

    def __str__(self) -> str:
        return f"address {self.addr}: {self.err}" if self.addr else self.err


class UnknownNetworkError(AddrError):
    """A network that is none of "tcp", "tcp4", "tcp6" and "unix".

    Go: net/net.go UnknownNetworkError.
    """

    def __init__(self, network: str) -> None:
        AddrError.__init__(self, f"unknown network {network}", "")
        self.args = (network,)


class DNSError(sockets.GaiError):
    """A name could not be resolved; also an instance of socket.gaierror.

    `.name`, `.err` (what the host says), `.is_not_found`, `.is_temporary`.
    Go: net/net.go DNSError.
    """

    def __init__(self, err: str, name: str, is_not_found: bool = False, is_temporary: bool = False) -> None:
        super().__init__(err, name)
        self.errno = None
        self.err = err
        self.name = name
        self.is_not_found = is_not_found
        self.is_temporary = is_temporary

    def timeout(self) -> bool:
        """It was a deadline."""
        return False

    def temporary(self) -> bool:
        """Trying again may help."""
        return self.is_temporary

    def error(self) -> str:
        """Go's text."""
        return str(self)

    def __str__(self) -> str:
        return f"lookup {self.name}: {self.err}"


err_closed = ErrNetClosing()


def wrap_syscall(name: str, error: Exception) -> Exception:
    """The host's own error as one of the call of that name; what is none of the host's stays as it is.

    Go: net/error_posix.go wrapSyscallError.
    """
    error.__traceback__ = None  # it holds frames, and the error may live long
    if type(error).__module__ == "builtins" and isinstance(error, OSError):
        if error.errno is None:
            error = OSError(errno.EINVAL, str(error))  # Python has refused it before the host could
        return SyscallError(name, error)
    return error
