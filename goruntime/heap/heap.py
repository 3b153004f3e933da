"""The heap of one run: what the mcaches of all Ps share.

From the allocation to the kernel: the window of a span in the P's mcache, the mcache's next span from the mcentral of
the span class, the mcentral's from the page heap, its pages from the kernel. Each level is asked only when the one
above has nothing left.

Nothing here knows of goroutines: what happened is told to `emit`, what Go leaves open is asked of `choose`, and what
the collector does in between are slots, None as long as it has nothing to do there.

Go: runtime/mheap.go mheap, runtime/mgcpacer.go gcControllerState.update, runtime/mstats.go heapStatsDelta (go1.27).
Units: bytes.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from math import log2
from typing import TYPE_CHECKING, Any, Protocol

from ..base.choose import SAMPLE
from ..base.errors import throw
from .handles import Handles
from .mcache import MCache
from .mcentral import MCentral
from .sizeclass import PAGE_SIZE, SIZE_CLASS_COUNT, SPAN_CLASS_COUNT
from .sysmem import OutOfMemory

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .figures import PageFigures
    from .snapshot import PageRun
    from .span import Span

NEVER = sys.maxsize  # bytes: more than will be allocated
WATCHED, MARKING = 1, 2  # why every allocation must be seen
SAMPLE_BITS = 26  # drawn in two halves
LONGEST_MEAN = 0x7000000
LN2 = 0.6931471805599453


class PageHeap(Protocol):
    """What is below: spans of pages.

    Go: runtime/mheap.go mheap.
    """

    sweepgen: int
    allspans: list[Span]

    def alloc(self, npages: int, spanclass: int, pagecache: Any) -> Span | None:
        """A span of so many pages, in use, all slots free; None when the kernel gives no memory."""
        ...

    def free_span(self, span: Span) -> None:
        """Take a span's pages back."""
        ...

    def new_local(self) -> Any:
        """What a P has of the page heap: its `pagecache`."""
        ...

    def free_local(self, local: Any) -> None:
        """A P is no more: take that back."""
        ...

    def span_of(self, address: int) -> Span | None:
        """The span that an address lies in, if any."""
        ...

    def mapped_bytes(self) -> int:
        """All that came from the kernel: in use, free or released."""
        ...

    def page_figures(self) -> PageFigures:
        """What its pages are used for, and what it needs beside them."""
        ...

    def page_runs(self, pagecaches: Sequence[Any] = ()) -> list[PageRun]:
        """All pages that came from the kernel and belong to no span, in the order of their addresses.

        pagecaches: of the Ps, in the order by which a run names its holder.
        """
        ...

    def check(self) -> None:
        """Pages in use, cached, free and released are all that came from the kernel."""
        ...


class AllocCounts:
    """Objects and bytes that were allocated and freed. Spans in an mcache are counted when they leave it.

    Go: runtime/mstats.go heapStatsDelta.
    """

    __slots__ = (
        "large_alloc", "large_alloc_count", "large_free", "large_free_count", "small_alloc_count", "small_free_count",
        "tiny_alloc_count",
    )  # fmt: skip

    def __init__(self) -> None:
        self.tiny_alloc_count = 0  # tiny objects that found room in a block
        self.large_alloc = 0  # bytes
        self.large_alloc_count = 0
        self.large_free = 0
        self.large_free_count = 0
        self.small_alloc_count = [0] * SIZE_CLASS_COUNT
        self.small_free_count = [0] * SIZE_CLASS_COUNT


class Heap:
    """One heap. Its tables are made on first touch."""

    __slots__ = (
        "assist", "caches", "central", "choose", "counts", "emit", "has_pages", "heap_live", "heap_scan",
        "is_sweep_done", "make_mheap", "mark_new", "mem", "mem_profile_rate", "mheap", "on_sample", "on_specials",
        "one_by_one", "pages_swept", "sweep_credit", "sweep_index", "sweepgen", "total_alloc", "total_free",
        "trigger",
    )  # fmt: skip

    mheap: PageHeap

    def __init__(self, make_mheap: Callable[[], PageHeap], choose: Callable[[int, int], int]) -> None:
        self.make_mheap = make_mheap
        self.has_pages = False  # mheap was made
        self.choose = choose
        self.mem = Handles()
        self.caches: list[MCache] = []  # of the Ps that there are
        self.sweepgen = 0  # + 2 at the end of each cycle's marking
        self.is_sweep_done = True
        self.sweep_index = 0  # how far the sweeper has come: span class << 1 | partial
        self.heap_live = 0  # the collector's estimate: cached spans count as if all their slots were taken
        self.heap_scan = 0
        self.total_alloc = 0
        self.total_free = 0
        self.pages_swept = 0
        self.one_by_one = 0  # WATCHED, MARKING: every allocation passes through next_free, windows are kept empty
        self.mem_profile_rate = 0  # a sample every so many bytes; 0: none
        # Slots.
        self.emit: Callable[..., None] | None = None
        self.sweep_credit: Callable[[int, int], None] | None = None  # (bytes, pages the caller sweeps itself)
        self.on_specials: Callable[[Span], None] | None = None  # before the objects of a span are freed
        self.on_sample: Callable[[int, int], None] | None = None  # (address, bytes)
        self.assist: Callable[[Any, int], Any] | None = None  # (m, bytes) before an allocation; the M it goes on with
        self.mark_new: Callable[[Span, int], None] | None = None  # a slot was taken while marking: it is black
        self.trigger: Callable[[Any], None] | None = None  # (m) after a refill or a large object: start a cycle?

    def __getattr__(self, name: str) -> Any:
        """The slots that are empty until somebody allocates."""
        if name == "mheap":
            self.mheap = self.make_mheap()
            self.mheap.sweepgen = self.sweepgen
            self.has_pages = True
            for cache in self.caches:
                cache.pagecache = self.mheap.new_local()
            return self.mheap
        if name == "central":
            self.central: list[MCentral] = [MCentral(self, spanclass) for spanclass in range(SPAN_CLASS_COUNT)]
            return self.central
        if name == "counts":
            self.counts = AllocCounts()
            return self.counts
        raise AttributeError(name)

    # Spans.

    def alloc_span(self, npages: int, spanclass: int, cache: MCache) -> Span:
        """A fresh span for objects.

        Raises: OutOfMemory.
        """
        mheap = self.mheap  # made now, if this is the first: then the Ps get their pagecaches
        span = mheap.alloc(npages, spanclass, cache.pagecache)
        if span is None:
            raise OutOfMemory(npages * PAGE_SIZE)
        if span.sweepgen != self.sweepgen or span.spanclass != spanclass:
            throw("alloc_span: the page heap's span is not as asked for")
        return span

    def update(self, live_delta: int, scan_delta: int) -> None:
        """The collector's running totals change.

        Go: runtime/mgcpacer.go gcControllerState.update.
        """
        self.heap_live += live_delta
        self.heap_scan += scan_delta

    # What the Ps hold.

    def new_cache(self) -> MCache:
        """An mcache for a P.

        Go: runtime/mcache.go allocmcache.
        """
        cache = MCache(self)
        if self.has_pages:
            cache.pagecache = self.mheap.new_local()
        self.caches.append(cache)
        return cache

    def free_cache(self, cache: MCache) -> None:
        """A P is no more: its spans go back.

        Go: runtime/mcache.go freemcache.
        """
        cache.release_all()
        if self.has_pages:
            self.mheap.free_local(cache.pagecache)
        self.caches.remove(cache)

    def close(self) -> None:
        """The run is over: nothing here keeps anything alive any more."""
        self.mem.close()
        self.caches.clear()
        self.emit = self.on_specials = self.on_sample = self.assist = self.mark_new = self.trigger = None
        self.central = []

    def flush_all(self) -> None:
        """Take all spans back from all Ps, so that every count is exact. The world is stopped.

        Go: runtime/mstats.go flushallmcaches.
        """
        for cache in self.caches:
            cache.release_all()

    def watch(self, is_on: bool) -> None:
        """Somebody listens to every event from now on, or no longer."""
        self.allocate_one_by_one(WATCHED, is_on)

    def allocate_one_by_one(self, reason: int, is_on: bool) -> None:
        """For a reason (WATCHED, MARKING) every allocation passes through next_free, or no longer needs to."""
        self.one_by_one = self.one_by_one | reason if is_on else self.one_by_one & ~reason
        for cache in self.caches:
            cache.cut_windows()

    # The memory profile.

    def next_sample(self) -> int:
        """How many bytes may be allocated before the next sample: exponentially distributed.

        Go: runtime/malloc.go nextSample, fastexprand.
        """
        rate = self.mem_profile_rate
        if rate <= 0:
            return NEVER
        if rate == 1:
            return 0
        mean = min(rate, LONGEST_MEAN)
        half = 1 << SAMPLE_BITS // 2
        exponent = log2(self.choose(SAMPLE, half) * half + self.choose(SAMPLE, half) + 1) - SAMPLE_BITS
        return int(min(exponent, 0.0) * -LN2 * mean) + 1

    def set_mem_profile_rate(self, rate: int) -> None:
        """Sample every rate bytes, on average; 0 for none.

        Go: runtime/mprof.go MemProfileRate.
        """
        self.mem_profile_rate = rate
        for cache in self.caches:
            cache.cut_windows()
            cache.next_sample = self.next_sample()

    def spans_in_sets(self) -> Iterable[Span]:
        """All spans that wait in a set of their mcentral."""
        for central in self.central:
            for spans in (*central.partial, *central.full):
                yield from spans
