"""goruntime: Go's runtime rebuilt in Python as a glass box."""

from . import (
    atomic,
    context,
    coro,
    debug,
    errgroup,
    errors,
    metrics,
    net,
    os,
    rand,
    rate,
    runtime,
    semaphore,
    signal,
    singleflight,
    sync,
    testing,
    time,
)
from ._version import __version__
from .base.errors import Deadlock, FatalError, GoPanic, RuntimeFailure, Timeout
from .boot import run
from .lang.chan import cap, chan, nilchan
from .lang.error import Panic
from .lang.go import go, print_, println
from .lang.panic import defer, func, panic, recover, returned, returns
from .lang.select import default, select
from .lang.syscall import syscall
from .observe.observer import Observer

__all__ = [
    "Deadlock",
    "FatalError",
    "GoPanic",
    "Observer",
    "Panic",
    "RuntimeFailure",
    "Timeout",
    "__version__",
    "atomic",
    "cap",
    "chan",
    "context",
    "coro",
    "debug",
    "default",
    "defer",
    "errgroup",
    "errors",
    "func",
    "go",
    "metrics",
    "net",
    "nilchan",
    "os",
    "panic",
    "print_",
    "println",
    "rand",
    "rate",
    "recover",
    "returned",
    "returns",
    "run",
    "runtime",
    "select",
    "semaphore",
    "signal",
    "singleflight",
    "sync",
    "syscall",
    "testing",
    "time",
]
