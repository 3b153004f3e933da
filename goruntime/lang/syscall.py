"""syscall: a blocking Python call as a system call of Go's.

The goroutine leaves Go: it runs on a real thread of the host, its P goes to others while it blocks. Under the virtual
clock the call completes `takes` seconds after its start, whatever it really took, so that the run stays reproducible;
a call that is late by 100 ms of real time, while others could run, makes the run open (kernel/threads.py).

Go: runtime/proc.go entersyscall, exitsyscall.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

from ..base.config import seconds_to_ns
from ..kernel.blocking import HostCall
from ..sched.syscall import blocking_syscall
from .owner import current_m, unbroken
from .panic import refuse_generators

R = TypeVar("R")

DEFAULT_TAKES = 50e-6  # s


def syscall(fn: Callable[..., R], /, *args: object, takes: float = DEFAULT_TAKES, **kwargs: object) -> R:
    """Call fn(*args, **kwargs) on a thread of the host while this goroutine blocks, and return what it returned.

    takes: how long the call takes under the virtual clock, in seconds. With clock="real" it takes as long as it takes.
    The thread is a daemon: a call that never returns keeps neither the run nor the process. fn runs with a copy of the
    goroutine's context variables, and may not use goruntime's primitives.
    Raises: what fn raises; TypeError if fn is not callable or takes is no number; ValueError if takes is negative;
    RuntimeError outside a goroutine.
    """
    m, g = current_m("syscall")
    refuse_generators(fn, "syscall")
    takes_ns = seconds_to_ns(takes, "syscall: takes")
    if takes_ns < 0:
        raise ValueError(f"syscall: takes must not be negative: {takes!r}")
    call = HostCall(fn, args, kwargs)
    unbroken(m, g, blocking_syscall, call, takes_ns)
    if call.error is None:
        return cast(R, call.result)
    error, call.error = call.error, None
    try:
        raise error
    finally:
        del error  # its traceback holds this frame
