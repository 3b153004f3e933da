"""mcentral: the spans of one span class that no P holds.

They are kept in four sets: with or without free slots, swept or not since the last marking. `sweepgen` goes up by 2 a
cycle, so the sets trade roles by its parity, and nothing is moved. A span's own sweepgen, beside the heap's:

    sg - 2   needs sweeping: in an unswept set
    sg - 1   is being swept
    sg       swept: in a swept set
    sg + 1   in an mcache since before this sweep began: needs sweeping
    sg + 3   swept, then taken by an mcache

Unswept sets may hold spans that were swept by somebody who did not take them out; who finds one there ignores it.

Go: runtime/mcentral.go mcentral (go1.27).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..base.errors import throw
from .sizeclass import CLASS_TO_PAGES, PAGE_SIZE
from .span import IN_USE, Span
from .spanset import SpanSet
from .sweep import sweep_span

if TYPE_CHECKING:
    from .heap import Heap
    from .mcache import MCache

SPAN_BUDGET = 100  # spans swept in search of a free slot before a fresh one is taken


class MCentral:
    """One of 136."""

    __slots__ = ("full", "heap", "partial", "spanclass")

    def __init__(self, heap: Heap, spanclass: int) -> None:
        self.heap = heap
        self.spanclass = spanclass
        self.partial = (SpanSet(), SpanSet())
        self.full = (SpanSet(), SpanSet())

    def partial_swept(self) -> SpanSet:
        """Spans with a free slot, ready to be taken."""
        return self.partial[self.heap.sweepgen // 2 % 2]

    def partial_unswept(self) -> SpanSet:
        """Spans that had a free slot before the last marking."""
        return self.partial[1 - self.heap.sweepgen // 2 % 2]

    def full_swept(self) -> SpanSet:
        """Spans without a free slot, and large ones."""
        return self.full[self.heap.sweepgen // 2 % 2]

    def full_unswept(self) -> SpanSet:
        """Spans that had no free slot before the last marking."""
        return self.full[1 - self.heap.sweepgen // 2 % 2]

    def cache_span(self, cache: MCache) -> Span:
        """Take a span with a free slot: one that is swept, one that sweeping makes so, or a fresh one.

        Go: runtime/mcentral.go mcentral.cacheSpan.
        Raises: OutOfMemory.
        """
        heap = self.heap
        if heap.sweep_credit is not None:
            heap.sweep_credit(CLASS_TO_PAGES[self.spanclass >> 1] * PAGE_SIZE, 0)
        span = self.partial_swept().pop()
        if span is None and not heap.is_sweep_done:
            span = self._sweep_for_space()
        if span is None:
            span = self.grow(cache)
        if span.alloc_count == span.nelems or span.freeindex == span.nelems:
            throw("span has no free objects")
        return span

    def _sweep_for_space(self) -> Span | None:
        """Sweep spans of this class until one has a free slot, SPAN_BUDGET and one at most."""
        budget = SPAN_BUDGET
        while budget >= 0:
            span = self.partial_unswept().pop()
            if span is None:
                break
            if try_acquire(self.heap, span):
                sweep_span(self.heap, span, preserve=True)
                return span
            budget -= 1
        while budget >= 0:
            span = self.full_unswept().pop()
            if span is None:
                break
            if try_acquire(self.heap, span):
                sweep_span(self.heap, span, preserve=True)
                index = span.next_free_index()
                if index != span.nelems:
                    span.skip_to(index)
                    return span
                self.full_swept().push(span)
            budget -= 1
        return None

    def uncache_span(self, span: Span) -> None:
        """An mcache gives a span back.

        Go: runtime/mcentral.go mcentral.uncacheSpan.
        """
        if span.alloc_count == 0:
            throw("uncaching span but s.allocCount == 0")
        sweepgen = self.heap.sweepgen
        if span.sweepgen == sweepgen + 1:  # cached before sweep began, and in no set: its holder sweeps it
            span.sweepgen = sweepgen - 1
            sweep_span(self.heap, span, preserve=False)
            return
        span.sweepgen = sweepgen
        if span.alloc_count < span.nelems:
            self.partial_swept().push(span)
        else:
            self.full_swept().push(span)

    def grow(self, cache: MCache) -> Span:
        """A fresh span.

        Go: runtime/mcentral.go mcentral.grow.
        Raises: OutOfMemory.
        """
        return self.heap.alloc_span(CLASS_TO_PAGES[self.spanclass >> 1], self.spanclass, cache)


def try_acquire(heap: Heap, span: Span) -> bool:
    """Become the one who sweeps a span; False if somebody has swept it, or does.

    Go: runtime/mgcsweep.go sweepLocker.tryAcquire.
    """
    if span.state != IN_USE or span.sweepgen != heap.sweepgen - 2:
        return False
    span.sweepgen = heap.sweepgen - 1
    return True
