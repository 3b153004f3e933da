"""mcache: a P's own spans, one of each span class, from which it allocates without asking anybody.

Owned by the P: only the M that holds it touches it, or who has stopped the world. While a span is here, the collector
counts it as if all its slots were taken (`refill`), which is put right when it leaves early (`release_all`).

The tiny allocator puts several objects without pointers, of less than 16 bytes, into one slot, `tiny`.

Sampling. The next sample is due after `next_sample` bytes more. Slots that are handed out through a window are paid
for when the window is filled; no window is filled that the next sample could fall into, so each sample takes the
object that Go would take.

Go: runtime/mcache.go mcache (go1.27).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..base.errors import throw
from .sizeclass import CLASS_TO_PAGES, PAGE_SIZE, SPAN_CLASS_COUNT, TINY_SIZE, TINY_SPAN_CLASS, make_span_class
from .span import EMPTY_SPAN, WINDOW, Span

if TYPE_CHECKING:
    from .heap import Heap


class MCache:
    """One P's cache. `alloc[spanclass].window` is the fast path; it is public to whoever allocates."""

    __slots__ = (
        "alloc", "flush_gen", "heap", "mem", "next_sample", "pagecache", "scan_alloc", "stackcache", "tiny",
        "tiny_allocs", "tiny_offset",
    )  # fmt: skip

    def __init__(self, heap: Heap) -> None:
        self.heap = heap
        self.mem = heap.mem
        self.alloc: list[Span] = [EMPTY_SPAN] * SPAN_CLASS_COUNT
        self.next_sample = heap.next_sample()
        self.scan_alloc = 0  # bytes of objects with pointers, up to the last one
        self.tiny = 0  # address of the block that takes tiny objects
        self.tiny_offset = 0
        self.tiny_allocs = 0
        self.flush_gen = heap.sweepgen
        self.pagecache: Any = None  # 64 pages of the P's own; the page heap's
        self.stackcache: Any = None  # the stack allocator's

    # Slots.

    def fill(self, spanclass: int) -> bool:  # hot: alloc
        """Fill the empty window of a span class from the span that is here; False when all its slots are taken.

        Whoever takes the single slot of a window that was filled when a sample is due must look at next_sample.
        """
        span = self.alloc[spanclass]
        heap = self.heap
        if not heap.mem_profile_rate:
            return span.fill_window(1 if heap.one_by_one else WINDOW)
        limit = WINDOW
        if self.next_sample < WINDOW * span.elemsize:
            self.cut_windows()
            limit = max(1, min(WINDOW, self.next_sample // (span.elemsize or 1)))
        is_filled = span.fill_window(1 if heap.one_by_one else limit)
        self.next_sample -= len(span.window) * span.elemsize
        return is_filled

    def cut_windows(self) -> None:
        """Take back the slots that lie ready: the next allocation of each class passes through fill."""
        is_sampling = self.heap.mem_profile_rate > 0
        for span in self.alloc:
            if span.window:
                if is_sampling:
                    self.next_sample += len(span.window) * span.elemsize
                span.cut_window()

    def refill(self, spanclass: int) -> Span:
        """Exchange a span all of whose slots are taken for one that has a free slot.

        Go: runtime/mcache.go mcache.refill.
        Raises: OutOfMemory; then there is no span.
        """
        heap = self.heap
        span = self.alloc[spanclass]
        if span.alloc_count != span.nelems:
            throw("refill of span with free space remaining")
        if span is not EMPTY_SPAN:
            if span.sweepgen != heap.sweepgen + 3:
                throw("bad sweepgen in refill")
            self.alloc[spanclass] = EMPTY_SPAN
            self._count(spanclass, span)
            if spanclass == TINY_SPAN_CLASS:
                heap.counts.tiny_alloc_count += self.tiny_allocs
                self.tiny_allocs = 0
            heap.central[spanclass].uncache_span(span)
        span = heap.central[spanclass].cache_span(self)
        if span.alloc_count == span.nelems:
            throw("span has no free space")
        span.sweepgen = heap.sweepgen + 3
        span.alloc_count_before_cache = span.alloc_count
        heap.update(span.npages * PAGE_SIZE - span.alloc_count * span.elemsize, self.scan_alloc)
        self.scan_alloc = 0
        self.alloc[spanclass] = span
        return span

    def _count(self, spanclass: int, span: Span) -> None:
        """Count the slots that were taken while the span was here."""
        used = span.alloc_count - span.alloc_count_before_cache
        span.alloc_count_before_cache = 0
        self.heap.counts.small_alloc_count[spanclass >> 1] += used
        self.heap.total_alloc += used * span.elemsize

    def alloc_tiny(self, size: int) -> int:
        """Room for a tiny object in the block that is open; 0 if it has none.

        Go: runtime/malloc.go mallocgcTiny.
        """
        offset = self.tiny_offset
        if size & 7 == 0:
            offset = (offset + 7) & ~7
        elif size & 3 == 0:
            offset = (offset + 3) & ~3
        elif size & 1 == 0:
            offset = (offset + 1) & ~1
        if offset + size > TINY_SIZE or not self.tiny:
            return 0
        self.tiny_offset = offset + size
        self.tiny_allocs += 1
        return self.tiny + offset

    def open_tiny(self, address: int, size: int) -> None:
        """A fresh block holds a tiny object: it is the open one now, if it has more room left than the one before."""
        if size < self.tiny_offset or not self.tiny:
            self.tiny = address
            self.tiny_offset = size

    def alloc_large(self, size: int, is_noscan: bool) -> Span:
        """A span for one object.

        Go: runtime/mcache.go mcache.allocLarge.
        Raises: OutOfMemory.
        """
        heap = self.heap
        npages = (size + PAGE_SIZE - 1) // PAGE_SIZE
        if heap.sweep_credit is not None:
            heap.sweep_credit(npages * PAGE_SIZE, npages)
        spanclass = make_span_class(0, is_noscan)
        span = heap.alloc_span(npages, spanclass, self)
        heap.counts.large_alloc += npages * PAGE_SIZE
        heap.counts.large_alloc_count += 1
        heap.total_alloc += npages * PAGE_SIZE
        heap.update(npages * PAGE_SIZE, 0)
        span.limit = span.base + size
        span.fill_window()
        span.window.pop()
        heap.central[spanclass].full_swept().push(span)
        if heap.mem_profile_rate:
            if self.next_sample < span.elemsize:
                self.cut_windows()
            self.next_sample -= span.elemsize
        return span

    # Giving back.

    def release_all(self) -> None:
        """Give all spans back to their mcentrals, drop the tiny block, count everything.

        Go: runtime/mcache.go mcache.releaseAll.
        """
        heap = self.heap
        scan_alloc, self.scan_alloc = self.scan_alloc, 0
        live_delta = 0
        self.cut_windows()
        for spanclass, span in enumerate(self.alloc):
            if span is EMPTY_SPAN:
                continue
            self._count(spanclass, span)
            if span.sweepgen != heap.sweepgen + 1:  # of a stale span heap_live was computed anew since
                live_delta -= (span.nelems - span.alloc_count) * span.elemsize
            self.alloc[spanclass] = EMPTY_SPAN
            heap.central[spanclass].uncache_span(span)
        self.tiny = self.tiny_offset = 0
        if self.tiny_allocs:
            heap.counts.tiny_alloc_count += self.tiny_allocs
            self.tiny_allocs = 0
        heap.update(live_delta, scan_alloc)

    def prepare_for_sweep(self) -> None:
        """Give stale spans back so that they are swept; before the P allocates again.

        Go: runtime/mcache.go mcache.prepareForSweep.
        """
        sweepgen = self.heap.sweepgen
        if self.flush_gen == sweepgen:
            return
        if self.flush_gen != sweepgen - 2:
            throw("bad flushGen")
        self.release_all()
        self.flush_gen = sweepgen

    def check(self) -> None:
        """Each span is of its class, in use and cached; the tiny block lies in a slot that is taken."""
        for spanclass, span in enumerate(self.alloc):
            if span is EMPTY_SPAN:
                continue
            if span.spanclass != spanclass or not CLASS_TO_PAGES[spanclass >> 1]:
                throw("mcache: span of another class")
            if span.sweepgen not in (self.heap.sweepgen + 1, self.heap.sweepgen + 3):
                throw("mcache: span is not cached")
            span.check()
        if EMPTY_SPAN.window or EMPTY_SPAN.nelems:
            throw("mcache: the empty span has slots")
        if self.tiny:
            block = self.heap.mheap.span_of(self.tiny)
            if block is None or block.spanclass != TINY_SPAN_CLASS or block.is_free(block.object_index(self.tiny)):
                throw("mcache: tiny block is no slot that is taken")
        if not 0 <= self.tiny_offset <= TINY_SIZE:
            throw("mcache: tiny offset out of range")
