"""A picture of the heap at one instant, for those who look: every span, every run of free pages.

It holds numbers only, so it can be kept, compared and sent elsewhere while the run goes on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from .figures import MemoryFigures, memory_figures
from .sizeclass import PAGE_SIZE
from .span import DEAD, EMPTY_SPAN, MANUAL, Span

if TYPE_CHECKING:
    from .heap import Heap

SCAN, NOSCAN, LARGE, STACK = "scan", "noscan", "large", "stack"  # what a span is for
FREE, RELEASED, CACHED = "free", "released", "cached"  # what nobody uses: backed, given back, held by a P


class SpanShot(NamedTuple):
    """One span in use."""

    base: int  # address
    page_count: int
    kind: str  # objects that may hold pointers, objects without, one large object, or stacks
    span_class: int  # 0 of stacks
    elem_size: int  # of a slot, 0 of stacks
    slot_count: int
    object_count: int  # slots that are taken
    holder: int = -1  # the P whose mcache holds it

    @property
    def byte_count(self) -> int:
        """Its pages."""
        return self.page_count * PAGE_SIZE

    @property
    def percent(self) -> int:
        """How full it is."""
        return 100 * self.object_count // self.slot_count if self.slot_count else 100


class PageRun(NamedTuple):
    """Pages side by side that belong to no span, all in one state."""

    base: int
    page_count: int
    state: str
    holder: int = -1  # of cached ones: the P whose page cache holds them


class HeapShot(NamedTuple):
    """The heap. Spans and runs are in the order of their addresses, and together they are all of it."""

    spans: tuple[SpanShot, ...]
    runs: tuple[PageRun, ...]
    figures: MemoryFigures

    def free_runs(self) -> list[tuple[int, int, int]]:
        """(address, pages, of these released) of each run of free pages, whether they are backed or not.

        What a P holds in its page cache is free as well, but only that P can use it: it is not counted here.
        """
        merged: list[tuple[int, int, int]] = []
        for run in self.runs:
            if run.state == CACHED:
                continue
            released = run.page_count if run.state == RELEASED else 0
            if merged:
                base, count, of_these = merged[-1]
                if base + count * PAGE_SIZE == run.base:
                    merged[-1] = (base, count + run.page_count, of_these + released)
                    continue
            merged.append((run.base, run.page_count, released))
        return merged


def take_shot(heap: Heap) -> HeapShot:
    """The heap as it is. Takes nothing from anybody: what the mcaches hold stays theirs.

    Units: the P of a span is its place in heap.caches.
    """
    held = {
        span.base: place for place, cache in enumerate(heap.caches) for span in cache.alloc if span is not EMPTY_SPAN
    }
    used = [span for span in heap.mheap.allspans if span.state != DEAD]
    spans = tuple(sorted(_span_shot(span, held.get(span.base, -1)) for span in used))
    runs = heap.mheap.page_runs([cache.pagecache for cache in heap.caches])
    return HeapShot(spans, tuple(runs), memory_figures(heap))


def _span_shot(span: Span, holder: int) -> SpanShot:
    if span.state == MANUAL:
        return SpanShot(span.base, span.npages, STACK, 0, 0, 0, 0)
    kind = LARGE if span.spanclass < 2 else NOSCAN if span.spanclass & 1 else SCAN
    return SpanShot(span.base, span.npages, kind, span.spanclass, span.elemsize, span.nelems, span.alloc_count, holder)
