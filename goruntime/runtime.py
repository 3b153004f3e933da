"""Package runtime: what a program asks of the scheduler.

Go: runtime/proc.go Gosched; runtime/debug.go GOMAXPROCS; runtime/extern.go Caller.
"""

from __future__ import annotations

import sys
from types import FrameType
from typing import NamedTuple

from greenlet import getcurrent

from .base.config import MAX_GOMAXPROCS, seconds_to_ns
from .base.names import qualified
from .gc.memstats import BySize, MemStats, mem_stats
from .heap.figures import memory_figures
from .kernel import costs
from .lang.error import SURVIVABLE, Error
from .lang.owner import current_m, outside, unbroken
from .lang.panic import goexit, panic
from .sched import threadlock
from .sched.g import G
from .sched.m import M
from .sched.ops import OP_GOSCHED, OP_THREAD, OP_WORK, OP_WORLD
from .sched.park import struck
from .sched.preempt import safepoint, yield_to_others
from .sched.sched import Sched
from .sched.stw import with_world_stopped

GO_VERSION = "go1.27.3"  # what this runtime follows
MAXPROCS_SLOT = "gomaxprocs"  # in Sched.user, under a controller: what gomaxprocs() reports
PACKAGE = __name__.split(".", 1)[0] + "."


def work(d: float) -> None:
    """Compute for d seconds of CPU time: unlike `sleep`, the goroutine keeps its P, and can be preempted.

    Under the virtual clock this is how a program says what its computing costs. With clock="real" it takes that long
    by the wall clock, while the host's CPU rests.
    Raises: TypeError if d is no number, ValueError for NaN; RuntimeError outside a goroutine.
    """
    m, g = current_m("runtime.work")
    unbroken(m, g, _work, seconds_to_ns(d, "runtime.work: d"))


def _work(m: M, g: G, left_ns: int) -> None:
    while True:
        if m.clock >= m.horizon:
            following = safepoint(m, g, OP_WORK, None)
            if following is None:
                return
            m = following
        if left_ns <= 0:
            return
        start_ns = m.clock
        m.sched.kernel.compute(m, left_ns)
        left_ns -= m.clock - start_ns


def gosched() -> None:  # hot: yield
    """Let other goroutines run; this one goes to the tail of the global queue.

    Raises: RuntimeError outside a goroutine.
    Go: runtime/proc.go Gosched.
    """
    g: G = getcurrent()  # type: ignore[assignment]
    try:
        m = g.m
        clock = m.clock
    except AttributeError:
        raise outside("runtime.gosched") from None
    try:
        if clock >= m.horizon:
            m = safepoint(m, g, OP_GOSCHED, None)  # type: ignore[assignment]
            if m is None or m.sched.controller is not None:
                return  # the controller let others run at the safepoint, if it wanted to
        yield_to_others(m, g)
    except SURVIVABLE:
        raise
    except BaseException as exc:
        struck(m, g, exc)
        raise


def gomaxprocs(n: int = 0) -> int:
    """Set the number of Ps, stopping the world for it; returns the number before. n < 1 only asks.

    Raises: TypeError if n is no integer, ValueError if it is absurd; RuntimeError outside a goroutine.
    Go: runtime/debug.go GOMAXPROCS.
    """
    m, g = current_m("runtime.gomaxprocs")
    if isinstance(n, bool) or not isinstance(n, int):
        raise TypeError(f"runtime.gomaxprocs: n must be an integer, not {type(n).__name__}")
    if n > MAX_GOMAXPROCS:
        raise ValueError(f"runtime.gomaxprocs: n must be at most {MAX_GOMAXPROCS}, not {n}")
    return unbroken(m, g, _gomaxprocs, n)


def _gomaxprocs(m: M, g: G, n: int) -> int:
    sched = m.sched
    if sched.controller is not None:
        # Exploration has one P, whatever the program asks for.
        old: int = sched.user.get(MAXPROCS_SLOT, sched.run_config.gomaxprocs)
        if n > 0:
            sched.user[MAXPROCS_SLOT] = n
        return old
    old = sched.gomaxprocs
    if n <= 0 or n == old:
        return old
    if m.clock >= m.horizon:
        following = safepoint(m, g, OP_WORLD, None)
        if following is None:
            return old
        m = following

    def resize(m: M) -> None:
        nonlocal old
        old = m.sched.gomaxprocs
        m.sched.newprocs = n

    with_world_stopped(m, g, "GOMAXPROCS", resize)
    return old


def num_cpu() -> int:
    """CPUs of the machine: `run`'s option `cpus`.

    Raises: RuntimeError outside a goroutine.
    Go: runtime/debug.go NumCPU.
    Differs: the number limits nothing: each P computes on a CPU of its own, also when there are more Ps than this.
    """
    cpus: int = current_m("runtime.num_cpu")[0].sched.run_config.cpus
    return cpus


def num_goroutine() -> int:
    """Goroutines that exist, without the runtime's own.

    Raises: RuntimeError outside a goroutine.
    Go: runtime/debug.go NumGoroutine; runtime/proc.go gcount.
    """
    sched = current_m("runtime.num_goroutine")[0].sched
    free = len(sched.gfree) + sum(len(pp.gfree) for pp in sched.allp)
    return max(1, len(sched.allgs) - len(sched.system_gs) - free)


def goid() -> int:
    """The number of the running goroutine: never reused within a run.

    Raises: RuntimeError outside a goroutine.
    """
    return current_m("runtime.goid")[1].goid


def lock_os_thread() -> None:
    """Wire this goroutine to its thread until as many `unlock_os_thread`.

    Differs: in exploration, where there is one thread, it does nothing.
    Raises: Panic "LockOSThread nesting overflow"; RuntimeError outside a goroutine.
    Go: runtime/proc.go LockOSThread.
    """
    unbroken(*current_m("runtime.lock_os_thread"), _lock_os_thread)


def _lock_os_thread(m: M, g: G) -> None:
    if m.clock >= m.horizon:
        following = safepoint(m, g, OP_THREAD, None)
        if following is None:
            return
        m = following
    if g.lock_count == threadlock.MAX_NESTING:
        panic("LockOSThread nesting overflow")
    if m.sched.controller is None:
        threadlock.lock_os_thread(m, g)


def unlock_os_thread() -> None:
    """Undo one `lock_os_thread`; without one it does nothing.

    Raises: RuntimeError outside a goroutine.
    Go: runtime/proc.go UnlockOSThread.
    """
    unbroken(*current_m("runtime.unlock_os_thread"), _unlock_os_thread)


def _unlock_os_thread(m: M, g: G) -> None:
    if m.clock >= m.horizon:
        following = safepoint(m, g, OP_THREAD, None)
        if following is None:
            return
        m = following
    if m.sched.controller is None:
        threadlock.unlock_os_thread(m, g)


def stack(all: bool = False) -> str:
    """The stack of this goroutine as Go prints it; of every goroutine with all=True, which stops the world.

    Raises: RuntimeError outside a goroutine.
    Go: runtime/mprof.go Stack.
    """
    m, g = current_m("runtime.stack")
    sched = m.sched
    if not all or sched.is_ending:
        return sched.stack_text(sched, g, False)
    text = ""

    def dump(_: M) -> None:
        nonlocal text
        text = sched.stack_text(sched, g, True)

    unbroken(m, g, with_world_stopped, "all goroutines stack trace", dump)
    return text


def read_mem_stats() -> MemStats:
    """The memory allocator's figures, exact: the world is stopped and every mcache flushed to get them.

    So it disturbs: the blocks that tiny objects share are given up, and every P has to fetch its spans anew.
    Raises: RuntimeError outside a goroutine.
    Go: runtime/mstats.go ReadMemStats.
    """
    m, g = current_m("runtime.read_mem_stats")
    return unbroken(m, g, _read_mem_stats)


def _read_mem_stats(m: M, g: G) -> MemStats:
    if m.clock >= m.horizon:
        following = safepoint(m, g, OP_WORLD, None)
        if following is None:
            return stats_of(m.sched)
        m = following
    stats: list[MemStats] = []

    def read(m: M) -> None:
        m.clock += costs.READ_MEM_STATS
        m.sched.heap.flush_all()
        stats.append(stats_of(m.sched))

    with_world_stopped(m, g, "read mem stats", read)
    return stats[0]


def stats_of(sched: Sched) -> MemStats:
    """A run's figures, for those who look at it from outside: without what the mcaches have not told yet."""
    return mem_stats(memory_figures(sched.heap), sched.pacer)


class Frame(NamedTuple):
    """One frame of a call stack. `function` is named as in dumps: module.qualname, `__main__` as main."""

    function: str
    file: str
    line: int


def caller(skip: int = 0) -> Frame | None:
    """Who calls: with skip=0 the line of this call itself, with 1 that of the calling function's caller, and so on.

    None when the stack is not that deep. Frames of the runtime do not count.
    Go: runtime/extern.go Caller.
    """
    _check_skip(skip, "runtime.caller")
    for depth, frame in enumerate(_frames(sys._getframe(1))):
        if depth == skip:
            return frame
    return None


def callers(skip: int = 0) -> list[Frame]:
    """The frames of this goroutine's stack, innermost first, without the first `skip`.

    Differs: skip=0 begins with the function that calls; Go's 0 is Callers itself.
    Go: runtime/extern.go Callers.
    """
    _check_skip(skip, "runtime.callers")
    return _frames(sys._getframe(1))[skip:]


def _check_skip(skip: int, what: str) -> None:
    if isinstance(skip, bool) or not isinstance(skip, int):
        raise TypeError(f"{what}: skip must be an integer, not {type(skip).__name__}")
    if skip < 0:
        raise ValueError(f"{what}: skip must not be negative: {skip}")


def _frames(frame: FrameType | None) -> list[Frame]:
    """The user's frames from here down to the goroutine's entry."""
    frames = []
    while frame is not None:
        module = frame.f_globals.get("__name__", "")
        if not module.startswith(PACKAGE):
            code = frame.f_code
            frames.append(Frame(qualified(module, code.co_qualname), code.co_filename, frame.f_lineno))
        frame = frame.f_back
    return frames


def version() -> str:
    """The version of Go whose runtime this is.

    Go: runtime/extern.go Version.
    """
    return GO_VERSION


__all__ = [
    "BySize",
    "Error",
    "Frame",
    "MemStats",
    "caller",
    "callers",
    "goexit",
    "goid",
    "gomaxprocs",
    "gosched",
    "lock_os_thread",
    "num_cpu",
    "num_goroutine",
    "read_mem_stats",
    "stack",
    "unlock_os_thread",
    "version",
    "work",
]
