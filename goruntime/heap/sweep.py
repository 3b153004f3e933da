"""Sweeping: what was not marked is free.

Marking says which objects of a span are reachable, in a bitmap beside the one that says which slots are taken. Sweeping
a span makes the first the second: slots that were taken and are not marked have their handles emptied, and from then on
allocation finds them again, in address order. A span without any object goes back to the page heap, one with free slots
to its mcentral's partial set, any other to the full set.

A span is swept exactly once a cycle, by whoever makes its sweepgen go from sg - 2 to sg - 1: the allocator in search of
a slot, the sweeper, or the P that has held it in its mcache all along.

Go: runtime/mgcsweep.go sweepLocked.sweep, sweepone (go1.27).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ..base.errors import throw
from ..base.events import SPAN_SWEEP
from .sizeclass import SPAN_CLASS_COUNT
from .span import IN_USE, Span

if TYPE_CHECKING:
    from .heap import Heap

SWEEP_CLASSES = SPAN_CLASS_COUNT * 2


def sweep_span(heap: Heap, span: Span, preserve: bool) -> bool:
    """Free what is not marked in a span that the caller has acquired; True if its pages went back to the heap.

    preserve: the span stays the caller's, who puts it where it belongs.
    Go: runtime/mgcsweep.go sweepLocked.sweep.
    """
    sweepgen = heap.sweepgen
    if span.state != IN_USE or span.sweepgen != sweepgen - 1:
        throw("mspan.sweep: bad span state")
    if span.window:
        throw("mspan.sweep: somebody allocates from the span")
    heap.pages_swept += span.npages
    if span.specials is not None and heap.on_specials is not None:
        heap.on_specials(span)
    if span.has_inline_marks():
        span.move_inline_marks()
    taken, marks = span.allocated_bits(), span.gcmark_bits
    if marks & ~taken:
        throw("found pointer to free object")
    freed = taken & ~marks
    freed_count = freed.bit_count()
    if heap.emit is not None:
        heap.emit(SPAN_SWEEP, span.base, span.npages, freed_count, span.elemsize)
    span.gcmark_bits = 0
    span.put_bits(marks)
    span.sweepgen = sweepgen
    if freed:
        _free_objects(heap, span, freed, freed_count)
    if not preserve:
        return _put_away(heap, span)
    return False


def _free_objects(heap: Heap, span: Span, freed: int, freed_count: int) -> None:
    """Empty the handles of these slots, and count them."""
    heap.mem.free_all(span.addresses(freed))
    heap.total_free += freed_count * span.elemsize
    size_class = span.spanclass >> 1
    if size_class:
        span.needzero = True
        heap.counts.small_free_count[size_class] += freed_count
    else:
        heap.counts.large_free_count += 1
        heap.counts.large_free += span.elemsize


def _put_away(heap: Heap, span: Span) -> bool:
    """A swept span goes where it belongs."""
    if span.alloc_count == 0:
        heap.mheap.free_span(span)
        return True
    central = heap.central[span.spanclass]
    if span.alloc_count == span.nelems:
        central.full_swept().push(span)
    else:
        central.partial_swept().push(span)
    return False


def start_sweep(heap: Heap) -> None:
    """Marking is over, the world is stopped: every span needs sweeping from now on.

    Go: runtime/mgc.go gcSweep.
    """
    if not heap.is_sweep_done:
        throw("sweep starts before the last one is done")
    for central in heap.central:
        if len(central.partial_unswept()) or len(central.full_unswept()):
            throw("non-empty unswept set in start_sweep")
    heap.sweepgen += 2
    heap.mheap.sweepgen = heap.sweepgen
    heap.is_sweep_done = False
    heap.sweep_index = 0
    heap.pages_swept = 0


def _next_span_for_sweep(heap: Heap) -> Span | None:
    """Class by class, of each first the full spans.

    Go: runtime/mgcsweep.go mheap.nextSpanForSweep.
    """
    while heap.sweep_index < SWEEP_CLASSES:
        central = heap.central[heap.sweep_index >> 1]
        spans = central.partial_unswept() if heap.sweep_index & 1 else central.full_unswept()
        span = spans.pop()
        if span is not None:
            return span
        heap.sweep_index += 1
    return None


def sweep_one(heap: Heap) -> int | None:
    """Sweep one span that no P holds: how many pages went back to the heap, None when there is none left.

    Go: runtime/mgcsweep.go sweepone.
    """
    if heap.is_sweep_done:
        return None
    while True:
        span = _next_span_for_sweep(heap)
        if span is None:
            heap.is_sweep_done = True
            return None
        if span.state == IN_USE and span.sweepgen == heap.sweepgen - 2:
            span.sweepgen = heap.sweepgen - 1
            npages = span.npages
            return npages if sweep_span(heap, span, preserve=False) else 0
        if span.state != IN_USE and span.sweepgen not in (heap.sweepgen, heap.sweepgen + 3):
            throw("non in-use span in unswept list")


def finish_sweep(heap: Heap) -> None:
    """Sweep what is left: the spans that Ps hold, then all others; and let go of what was freed."""
    for cache in heap.caches:
        cache.prepare_for_sweep()
    while sweep_one(heap) is not None:
        pass
    heap.mem.bury()


def mark_all_but(heap: Heap, dead: Iterable[int]) -> None:
    """Mark every object except those at the given addresses. A tiny object stands for its whole block."""
    marked = {span.base: span.allocated_bits() for span in heap.mheap.allspans if span.state == IN_USE}
    for address in dead:
        span = heap.mheap.span_of(address)
        if span is None or span.state != IN_USE or not span.allocated_bits() >> span.object_index(address) & 1:
            raise ValueError(f"no object at {address:#x}")
        marked[span.base] &= ~(1 << span.object_index(address))
    for span in heap.mheap.allspans:
        if span.state == IN_USE:
            if span.has_inline_marks():
                span.inline_marks = marked[span.base]
            else:
                span.gcmark_bits = marked[span.base]
    heap.heap_live = sum(
        span.elemsize * marked[span.base].bit_count() for span in heap.mheap.allspans if span.state == IN_USE
    )


def begin_cycle(heap: Heap, dead: Iterable[int]) -> None:
    """For tests, where there is no collector: as if a marking had found all objects but these, without the sweep."""
    for cache in heap.caches:
        cache.cut_windows()
    if not heap.is_sweep_done:
        finish_sweep(heap)
    mark_all_but(heap, dead)
    start_sweep(heap)


def sweep_all_but(heap: Heap, dead: Iterable[int]) -> None:
    """For tests, where there is no collector: free the objects at these addresses, as a whole cycle would.

    Everything else is marked, and then it is the sweeper's work. The world must be stopped or have one P.
    Raises: ValueError if there is no object at one of the addresses.
    """
    begin_cycle(heap, dead)
    finish_sweep(heap)
