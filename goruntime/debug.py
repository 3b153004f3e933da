"""Package runtime/debug: limits, the knobs of the collector, and stacks.

Go: runtime/debug/garbage.go SetMaxStack; runtime/debug/stack.go Stack.
"""

from __future__ import annotations

import sys

from . import os, runtime
from .gc.pacer import Pacer
from .kernel import costs
from .lang.owner import current_m

DEFAULT_MAX_STACK = 1_000_000_000  # bytes
MAX_STACK_SLOT = "max_stack"  # in Sched.user: the limit that a stack overflow reports
TRACEBACK_SLOT = "traceback"  # in Sched.user: the level that GOTRACEBACK is raised to
MAX_INT32 = 0x7FFFFFFF
MAX_INT64 = (1 << 63) - 1


def set_max_threads(n: int) -> int:
    """Set how many threads the program may have; returns the limit before. More than that is a fatal error, at once.

    Raises: TypeError if n is no integer; RuntimeError outside a goroutine.
    Go: runtime/debug/garbage.go SetMaxThreads.
    """
    m, g = current_m("debug.set_max_threads")
    _check_integer(n, "debug.set_max_threads: n")
    sched = m.sched
    old = sched.max_threads
    sched.max_threads = min(n, MAX_INT32)
    if sched.m_count - sched.nmfreed > sched.max_threads and not sched.is_ending:
        before = f"runtime: program exceeds {sched.max_threads}-thread limit\n"
        sched.fatal(m, g, "thread exhaustion", is_throw=True, before=before)
    return old


def set_max_stack(n: int) -> int:
    """Set how many bytes a goroutine's stack may have; returns the limit before (1 GB at first).

    A Python frame counts as much as makes 1 GB the recursion limit of 3,000; a larger n raises Python's limit until
    the run ends. Beware: Python calls that pass through C (sort keys, `__init__`, `repr`) need the C stack, and may
    kill the process at depths that a larger limit allows.

    Differs: a smaller n is reported, but does not lower the limit.
    Raises: TypeError if n is no integer; ValueError if the limit is more than Python can count; RuntimeError outside a
    goroutine.
    Go: runtime/debug/garbage.go SetMaxStack.
    """
    m, _ = current_m("debug.set_max_stack")
    _check_integer(n, "debug.set_max_stack: n")
    depth = n // costs.STACK_BYTES_PER_FRAME
    if depth > MAX_INT32:
        raise ValueError(f"debug.set_max_stack: n must be below {MAX_INT32 * costs.STACK_BYTES_PER_FRAME}, not {n}")
    user = m.sched.user
    old: int = user.get(MAX_STACK_SLOT, DEFAULT_MAX_STACK)
    user[MAX_STACK_SLOT] = n
    if depth > sys.getrecursionlimit():
        sys.setrecursionlimit(depth)
    return old


def set_gc_percent(percent: int) -> int:
    """Set GOGC: how much the heap may grow between two collections, in percent. Returns the setting before, -1 for off.

    A negative number is off. It moves the heap's goal at once; there is no collector yet that would act on it.
    Raises: TypeError if percent is no integer; ValueError if it is no 32-bit one; RuntimeError outside a goroutine.
    Go: runtime/debug/garbage.go SetGCPercent.
    """
    m, _ = current_m("debug.set_gc_percent")
    _check_integer(percent, "debug.set_gc_percent: percent")
    if not -MAX_INT32 - 1 <= percent <= MAX_INT32:
        raise ValueError(f"debug.set_gc_percent: percent must be at most {MAX_INT32}, not {percent}")
    pacer: Pacer = m.sched.pacer
    old = pacer.gc_percent
    pacer.set_gc_percent(percent)
    return old


def set_memory_limit(limit: int) -> int:
    """Set GOMEMLIMIT: how many bytes may be mapped before the collector works harder. Returns the limit before.

    A negative number only asks; 2**63 - 1 is no limit. It moves the heap's goal at once; there is no collector yet that
    would act on it.
    Raises: TypeError if limit is no integer; ValueError if it is no 64-bit one; RuntimeError outside a goroutine.
    Go: runtime/debug/garbage.go SetMemoryLimit.
    """
    m, _ = current_m("debug.set_memory_limit")
    _check_integer(limit, "debug.set_memory_limit: limit")
    if not -MAX_INT64 - 1 <= limit <= MAX_INT64:
        raise ValueError(f"debug.set_memory_limit: limit must be at most {MAX_INT64}, not {limit}")
    pacer: Pacer = m.sched.pacer
    old = pacer.memory_limit
    if limit >= 0:
        pacer.memory_limit = limit
    return old


def set_traceback(level: str) -> None:
    """Show at least this much when the program dies: "none", "single", "all", "system", "crash", as GOTRACEBACK.

    It can only raise what the environment asks for.
    Raises: TypeError if level is no string; RuntimeError outside a goroutine.
    Go: runtime/debug/garbage.go SetTraceback.
    """
    m, _ = current_m("debug.set_traceback")
    if not isinstance(level, str):
        raise TypeError(f"debug.set_traceback: level must be a string, not {type(level).__name__}")
    m.sched.user[TRACEBACK_SLOT] = level


def stack() -> str:
    """The stack of this goroutine, as Go prints it.

    Raises: RuntimeError outside a goroutine.
    Go: runtime/debug/stack.go Stack.
    """
    return runtime.stack()


def print_stack() -> None:
    """Write the stack of this goroutine to stderr.

    Raises: RuntimeError outside a goroutine.
    Go: runtime/debug/stack.go PrintStack.
    """
    os.stderr.write(runtime.stack())


def _check_integer(n: int, what: str) -> None:
    if isinstance(n, bool) or not isinstance(n, int):
        raise TypeError(f"{what} must be an integer, not {type(n).__name__}")


__all__ = [
    "print_stack",
    "set_gc_percent",
    "set_max_stack",
    "set_max_threads",
    "set_memory_limit",
    "set_traceback",
    "stack",
]
