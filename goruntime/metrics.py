"""Package runtime/metrics: figures about the running program, by Go's names.

`all()` says what there is, `read(names)` reads some of it:

    from goruntime import metrics
    metrics.read(["/gc/heap/allocs:bytes"])      # {"/gc/heap/allocs:bytes": 84600}
    metrics.read(d.name for d in metrics.all())  # all of them

Reading disturbs nothing: unlike `runtime.read_mem_stats` it does not flush the mcaches, so what a P has allocated from
the spans it holds is counted only when it lets go of them.

Two of Go's names are missing, NOT_HERE: they measure the binary's own variables, and there is no binary. What belongs
to the collector reads as it does before Go's first cycle.

Go: runtime/metrics.go initMetrics, readMetrics.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from itertools import takewhile
from math import inf
from typing import Any, NamedTuple

from .base.events import GO_CREATE, GO_READY, GO_START, GO_SYSEXIT, GO_YIELD, Event
from .gc.memstats import in_use
from .heap.figures import MemoryFigures, memory_figures
from .heap.sizeclass import CLASS_TO_SIZE
from .internal.metrictable import GODEBUG_SETTINGS, HISTOGRAM, TABLE, UINT64
from .kernel import costs
from .lang.owner import current_m, unbroken
from .sched.g import G
from .sched.histogram import TimeHistogram, bucket_bounds
from .sched.m import M
from .sched.ops import OP_WORLD
from .sched.preempt import safepoint
from .sched.sched import Sched
from .sched.status import PRUNNING, SYSCALL

NOT_HERE = ("/gc/scan/globals:bytes", "/gc/scan/total:bytes")
LATENCIES = "/sched/latencies:seconds"
LATENCIES_SLOT = "latencies"  # in Sched.user: who listens for them, from the first time they are read
GODEBUG_PREFIX = "/godebug/non-default-behavior/"
STARTING_STACK_SIZE = 2048
MAX_UINT64 = (1 << 64) - 1


class Float64Histogram(NamedTuple):
    """How often a figure fell between two bounds: counts[i] times between buckets[i] and buckets[i + 1].

    Go: runtime/metrics/histogram.go Float64Histogram.
    """

    counts: tuple[int, ...]
    buckets: tuple[float, ...]

    def __repr__(self) -> str:
        return f"<Float64Histogram: {self.in_words()}>"

    def in_words(self) -> str:
        """How much is in it, and between which bounds."""
        filled = [index for index, count in enumerate(self.counts) if count]
        if not filled:
            return "empty"
        return f"{sum(self.counts)} from {self.buckets[filled[0]]:g} to {self.buckets[filled[-1] + 1]:g}"


Value = int | float | Float64Histogram


class Description(NamedTuple):
    """One metric. Its unit stands behind the colon of its name.

    kind: "uint64" reads as an int, "float64" as a float, "float64histogram" as a Float64Histogram.
    cumulative: it only grows, and so does each count of a histogram.
    Go: runtime/metrics/description.go Description.
    """

    name: str
    description: str
    kind: str
    cumulative: bool


@lru_cache(maxsize=1)
def _descriptions() -> dict[str, Description]:
    found = [Description(name, text, kind, grows) for name, kind, grows, text in TABLE if name not in NOT_HERE]
    found += [
        Description(
            f"{GODEBUG_PREFIX}{setting}:events",
            f"How often GODEBUG={setting}=... made the program do something unusual: nothing here has that setting.",
            UINT64,
            True,
        )
        for setting in GODEBUG_SETTINGS
    ]
    return {description.name: description for description in sorted(found)}


def all() -> list[Description]:
    """What can be read, by name.

    Go: runtime/metrics/description.go All.
    """
    return list(_descriptions().values())


def read(names: Iterable[str]) -> dict[str, Value]:
    """The figures of these names, as they are now.

    Differs: an unknown name raises; Go gives it a value of KindBad.
    Differs: `/sched/latencies:seconds` counts every wait from the first time that it is read; Go one of eight, always.
    Differs: `/sync/mutex/wait/total:seconds` is exact, without locks of the runtime; Go takes one of eight, by eight.
    Raises: TypeError if names is no sequence of strings; ValueError for an unknown name; RuntimeError outside a
    goroutine.
    Go: runtime/metrics/sample.go Read.
    """
    m, g = current_m("metrics.read")
    return unbroken(m, g, _read, _checked(names))


def _checked(names: Iterable[str]) -> list[str]:
    """Names, as a list.

    Raises: TypeError, ValueError.
    """
    if isinstance(names, str):
        raise TypeError(f"metrics.read: names must be several: write metrics.read([{names!r}])")
    known = _descriptions()
    wanted = list(names)
    for name in wanted:
        if not isinstance(name, str):
            raise TypeError(f"metrics.read: a name must be a string, not {type(name).__name__}")
        if name in NOT_HERE:
            raise ValueError(f"metrics.read: there is no {name!r} here: it measures the variables of a Go binary")
        if name not in known:
            raise ValueError(f"metrics.read: unknown metric {name!r}; did you mean {_nearest(name, known)!r}?")
    return wanted


def _nearest(name: str, known: Iterable[str]) -> str:
    """The one that begins most alike, of several the one whose length differs least."""

    def alike(other: str) -> tuple[int, int]:
        same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(name, other, strict=False)))
        return same, -abs(len(name) - len(other))

    return max(known, key=alike)


def _read(m: M, g: G, names: list[str]) -> dict[str, Value]:
    m.clock += costs.METRICS_READ + costs.METRICS_VALUE * len(names)
    if m.clock >= m.horizon:
        following = safepoint(m, g, OP_WORLD, None)
        if following is None:
            return {}
        m = following
    return values(m.sched, names)


def values(sched: Sched, names: Iterable[str]) -> dict[str, Value]:
    """The figures of a run, for those who look at it from outside."""
    reading = _Reading(sched)
    return {name: 0 if name.startswith(GODEBUG_PREFIX) else _COMPUTE[name](reading) for name in names}


def count_latencies(sched: Sched) -> TimeHistogram:
    """How long goroutines of this run wait for a P, counted from the first call on."""
    latencies: Latencies | None = sched.user.get(LATENCIES_SLOT)
    if latencies is None:
        latencies = sched.user[LATENCIES_SLOT] = Latencies()
        sched.listen(latencies.on_event)
    return latencies.histogram


class Latencies:
    """A reader of events that times each goroutine from where it can run until it does."""

    def __init__(self) -> None:
        self.histogram = TimeHistogram()
        self._since_ns: dict[int, int] = {}  # by goid

    def on_event(self, event: Event) -> None:
        """Take note of an event."""
        kind = event[0]
        if kind == GO_START:
            since_ns = self._since_ns.pop(event[4], None)
            if since_ns is not None:
                self.histogram.record(event[1] - since_ns)
        elif kind in (GO_READY, GO_CREATE):
            self._since_ns[event[5]] = event[1]
        elif kind == GO_YIELD or (kind == GO_SYSEXIT and event[5].startswith("no P")):
            self._since_ns[event[4]] = event[1]


class _SchedFigures(NamedTuple):
    """Goroutines by what they do.

    Go: runtime/metrics.go schedStatsAggregate.
    """

    total: int
    running: int
    runnable: int
    not_in_go: int
    created: int
    threads: int

    def waiting(self) -> int:
        """The others."""
        return max(self.total - self.running - self.runnable - self.not_in_go, 0)


def _sched_figures(sched: Sched) -> _SchedFigures:
    free = len(sched.gfree) + sum(len(pp.gfree) for pp in sched.allp)
    unused = sum(pp.goid_end - pp.goid_next for pp in sched.all_p_ever)
    running = not_in_go = 0
    runnable = len(sched.runq)
    for pp in sched.allp:
        runnable += len(pp.runq) + (pp.runnext is not None)
        if pp.status == PRUNNING:
            owner = pp.m
            if owner is not None and owner.curg is not None and owner.curg.status == SYSCALL:
                not_in_go += 1
            else:
                running += 1
    not_in_go += sum(mp.p is None and mp.curg is not None and mp.curg.status == SYSCALL for mp in sched.allm)
    total = len(sched.allgs) - free
    return _SchedFigures(total, running, runnable, not_in_go, sched.goid_last - unused, sched.m_count - sched.nmfreed)


class _Reading:
    """One look at a run: what several metrics share is found once, when the first of them asks.

    Go: runtime/metrics.go statAggregate.
    """

    def __init__(self, sched: Sched) -> None:
        self.sched = sched
        self._heap: MemoryFigures | None = None
        self._goroutines: _SchedFigures | None = None

    @property
    def heap(self) -> MemoryFigures:
        """The memory allocator's figures."""
        if self._heap is None:
            self._heap = memory_figures(self.sched.heap)
        return self._heap

    @property
    def goroutines(self) -> _SchedFigures:
        """The scheduler's."""
        if self._goroutines is None:
            self._goroutines = _sched_figures(self.sched)
        return self._goroutines

    def pause(self, name: str) -> Float64Histogram:
        """A histogram of how long the world was stopped."""
        return _time_histogram(self.sched.pauses.get(name) or TimeHistogram())

    def gomaxprocs(self) -> int:
        """What runtime.gomaxprocs() reports."""
        count: int = self.sched.gomaxprocs
        if self.sched.controller is not None:
            count = self.sched.user.get("gomaxprocs", self.sched.run_config.gomaxprocs)
        return count


@lru_cache(maxsize=1)
def _time_bounds() -> tuple[float, ...]:
    return bucket_bounds()


def _time_histogram(histogram: TimeHistogram) -> Float64Histogram:
    return Float64Histogram(histogram.all_counts(), _time_bounds())


def _size_histogram(small: tuple[int, ...], large: int) -> Float64Histogram:
    """Objects by size class. A class ends at its size, a bucket begins at its bound: so all bounds are one more."""
    bounds = (1.0, *(float(size + 1) for size in CLASS_TO_SIZE[1:]), inf)
    return Float64Histogram((*small[1:], large), bounds)


def _zero(_: _Reading) -> int:
    return 0


def _zero_seconds(_: _Reading) -> float:
    return 0.0


_COMPUTE: dict[str, Callable[[_Reading], Value]] = {
    **{name: _zero if kind == UINT64 else _zero_seconds for name, kind, _, _ in TABLE if kind != HISTOGRAM},
    "/gc/gogc:percent": lambda r: r.sched.pacer.gc_percent & MAX_UINT64,
    "/gc/gomemlimit:bytes": lambda r: r.sched.pacer.memory_limit,
    "/gc/heap/allocs-by-size:bytes": lambda r: _size_histogram(
        r.heap.objects.small_alloc_count, r.heap.objects.large_alloc_count
    ),
    "/gc/heap/allocs:bytes": lambda r: r.heap.objects.total_alloc,
    "/gc/heap/allocs:objects": lambda r: r.heap.objects.alloc_count,
    "/gc/heap/frees-by-size:bytes": lambda r: _size_histogram(
        r.heap.objects.small_free_count, r.heap.objects.large_free_count
    ),
    "/gc/heap/frees:bytes": lambda r: r.heap.objects.total_free,
    "/gc/heap/frees:objects": lambda r: r.heap.objects.free_count,
    "/gc/heap/goal:bytes": lambda r: r.sched.pacer.heap_goal(in_use(r.heap)),
    "/gc/heap/live:bytes": lambda r: r.sched.pacer.heap_marked,
    "/gc/heap/objects:objects": lambda r: r.heap.objects.alloc_count - r.heap.objects.free_count,
    "/gc/heap/tiny/allocs:objects": lambda r: r.heap.objects.tiny_alloc_count,
    "/gc/pauses:seconds": lambda r: r.pause("total/gc"),
    "/gc/scan/heap:bytes": lambda r: r.heap.objects.heap_scan,
    "/gc/stack/starting-size:bytes": lambda r: STARTING_STACK_SIZE,
    "/memory/classes/heap/free:bytes": lambda r: r.heap.pages.heap_free,
    "/memory/classes/heap/objects:bytes": lambda r: r.heap.object_bytes,
    "/memory/classes/heap/released:bytes": lambda r: r.heap.pages.heap_released,
    "/memory/classes/heap/stacks:bytes": lambda r: r.heap.pages.in_stacks,
    "/memory/classes/heap/unused:bytes": lambda r: r.heap.pages.heap_inuse - r.heap.object_bytes,
    "/memory/classes/metadata/mcache/free:bytes": lambda r: r.heap.pages.mcache_sys - r.heap.pages.mcache_inuse,
    "/memory/classes/metadata/mcache/inuse:bytes": lambda r: r.heap.pages.mcache_inuse,
    "/memory/classes/metadata/mspan/free:bytes": lambda r: r.heap.pages.mspan_sys - r.heap.pages.mspan_inuse,
    "/memory/classes/metadata/mspan/inuse:bytes": lambda r: r.heap.pages.mspan_inuse,
    "/memory/classes/metadata/other:bytes": lambda r: r.heap.pages.in_work_bufs + r.heap.pages.gc_misc_sys,
    "/memory/classes/os-stacks:bytes": lambda r: r.heap.pages.stacks_sys,
    "/memory/classes/other:bytes": lambda r: r.heap.pages.other_sys,
    "/memory/classes/profiling/buckets:bytes": lambda r: r.heap.pages.buck_hash_sys,
    "/memory/classes/total:bytes": lambda r: r.heap.pages.total_sys(),
    "/sched/gomaxprocs:threads": _Reading.gomaxprocs,
    "/sched/goroutines-created:goroutines": lambda r: r.goroutines.created,
    "/sched/goroutines/not-in-go:goroutines": lambda r: r.goroutines.not_in_go,
    "/sched/goroutines/runnable:goroutines": lambda r: r.goroutines.runnable,
    "/sched/goroutines/running:goroutines": lambda r: r.goroutines.running,
    "/sched/goroutines/waiting:goroutines": lambda r: r.goroutines.waiting(),
    "/sched/goroutines:goroutines": lambda r: r.goroutines.total,
    LATENCIES: lambda r: _time_histogram(count_latencies(r.sched)),
    "/sched/pauses/stopping/gc:seconds": lambda r: r.pause("stopping/gc"),
    "/sched/pauses/stopping/other:seconds": lambda r: r.pause("stopping/other"),
    "/sched/pauses/total/gc:seconds": lambda r: r.pause("total/gc"),
    "/sched/pauses/total/other:seconds": lambda r: r.pause("total/other"),
    "/sched/threads/total:threads": lambda r: r.goroutines.threads,
    "/sync/mutex/wait/total:seconds": lambda r: r.sched.mutex_wait_ns / 1e9,
}


def text_of(value: Any) -> str:
    """A value in a few words."""
    if isinstance(value, Float64Histogram):
        return value.in_words()
    return f"{value:.6f}" if isinstance(value, float) else str(value)


__all__ = ["NOT_HERE", "Description", "Float64Histogram", "all", "read"]
