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
from .lang import chantype as _chantype  # noqa: F401  # makes chan[T] a type of fields
from .lang.any import Any, Func
from .lang.array import Array
from .lang.basic import (
    Bool,
    Float32,
    Float64,
    Int,
    Int8,
    Int16,
    Int32,
    Int64,
    String,
    Uint,
    Uint8,
    Uint16,
    Uint32,
    Uint64,
    Uintptr,
)
from .lang.chan import cap, chan, nilchan
from .lang.error import Panic
from .lang.go import go, print_, println
from .lang.handle import addr
from .lang.panic import defer, func, panic, recover, returned, returns
from .lang.pointer import Ptr, new
from .lang.select import default, select
from .lang.struct import Struct
from .lang.syscall import syscall
from .lang.types import alignof, ptrmask, sizeof
from .lang.var import var
from .observe.observer import Observer

__all__ = [
    "Any",
    "Array",
    "Bool",
    "Deadlock",
    "FatalError",
    "Float32",
    "Float64",
    "Func",
    "GoPanic",
    "Int",
    "Int16",
    "Int32",
    "Int64",
    "Int8",
    "Observer",
    "Panic",
    "Ptr",
    "RuntimeFailure",
    "String",
    "Struct",
    "Timeout",
    "Uint",
    "Uint16",
    "Uint32",
    "Uint64",
    "Uint8",
    "Uintptr",
    "__version__",
    "addr",
    "alignof",
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
    "new",
    "nilchan",
    "os",
    "panic",
    "print_",
    "println",
    "ptrmask",
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
    "sizeof",
    "sync",
    "syscall",
    "testing",
    "time",
    "var",
]
