"""check_heap: proof that nothing of the heap is lost, doubled or miscounted.

It trusts no list: from the page heap's record of all spans it works out where each one must be, and looks. The caller
must let nobody else run. What it proves:

    pages    no two spans overlap; each address of a span leads to it; what is in use, kept by Ps, free and released is
             what came from the kernel (the page heap's own check)
    spans    counts, bitmaps and windows agree; a span is in exactly one place, and in the one its sweepgen names:
             swept or unswept set, with or without free slots, or the mcache of one P
    objects  every handle stands on a slot that is taken; every interior word is listed under an object
    counts   objects allocated less objects freed are the slots that are taken

"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..base.errors import throw
from .sizeclass import PAGE_SIZE, SIZE_CLASS_COUNT, TINY_SIZE, TINY_SPAN_CLASS
from .span import EMPTY_SPAN, IN_USE, Span

if TYPE_CHECKING:
    from .heap import Heap
    from .spanset import SpanSet

ZEROBASE = 0x5A_0000  # where every object of size 0 lies: outside the arenas, as Go's in its data segment
STATIC_END = 1 << 32  # data and bss lie below, arenas above
ADDRESS_MASK = (1 << 48) - 1


def check_heap(heap: Heap) -> None:
    """End the run with a `throw` if the heap is not sound."""
    heap.mheap.check()
    spans = _spans_in_use(heap)
    _check_places(heap, spans)
    _check_handles(heap)
    _check_counts(heap, spans)


def _spans_in_use(heap: Heap) -> list[Span]:
    """All spans with objects, by address, having checked them."""
    known: set[int] = set()
    spans = []
    for span in heap.mheap.allspans:
        span.check()
        if span.state == IN_USE:
            if span.base in known:
                throw("check_heap: two spans of one address")
            known.add(span.base)
            spans.append(span)
    spans.sort(key=lambda span: span.base)
    end = 0
    for span in spans:
        if span.base < end:
            throw("check_heap: spans overlap")
        end = span.base + span.npages * PAGE_SIZE
        if heap.mheap.span_of(span.base) is not span or heap.mheap.span_of(end - 1) is not span:
            throw("check_heap: an address of a span leads elsewhere")
    return spans


def _check_places(heap: Heap, spans: list[Span]) -> None:
    """Each span is where its sweepgen says, and nowhere else."""
    sweepgen = heap.sweepgen
    places: dict[Span, int] = {}  # the sweepgen that a span in this place has
    for cache in heap.caches:
        cache.check()
        for span in cache.alloc:
            if span is not EMPTY_SPAN:
                if span in places:
                    throw("check_heap: two Ps hold one span")
                places[span] = span.sweepgen
    for central in heap.central:
        for spans_of_class, is_full in ((central.partial_swept(), False), (central.full_swept(), True)):
            _note_swept(spans_of_class, is_full, central.spanclass, sweepgen, places)
        for spans_of_class, is_full in ((central.partial_unswept(), False), (central.full_unswept(), True)):
            _note_unswept(spans_of_class, is_full, central.spanclass, sweepgen, places)
    for span in spans:
        if places.get(span) != span.sweepgen:
            throw("check_heap: a span is not where its sweepgen says")
    if len(places) != len(spans):
        throw("check_heap: a span in a set is not in use")
    if heap.is_sweep_done and any(span.sweepgen in (sweepgen - 2, sweepgen - 1) for span in spans):
        throw("check_heap: sweeping is done, but not of every span")


def _note_swept(spans: SpanSet, is_full: bool, spanclass: int, sweepgen: int, places: dict[Span, int]) -> None:
    for span in spans:
        if span in places:
            throw("check_heap: a span is in two places")
        if span.spanclass != spanclass or span.window:
            throw("check_heap: a swept set holds a span that is none of its own")
        if is_full != (span.alloc_count == span.nelems):
            throw("check_heap: a span is in the set of those without free slots, and has some, or the reverse")
        if span.alloc_count == 0:
            throw("check_heap: a span without objects was not given back")
        places[span] = sweepgen


def _note_unswept(spans: SpanSet, is_full: bool, spanclass: int, sweepgen: int, places: dict[Span, int]) -> None:
    """A set may hold spans that somebody has swept since: they are somewhere else as well, or nowhere."""
    for span in spans:
        if span.state != IN_USE or span.sweepgen != sweepgen - 2:
            continue
        if span in places:
            throw("check_heap: a span is in two places")
        if span.spanclass != spanclass or is_full != (span.alloc_count == span.nelems):
            throw("check_heap: an unswept set holds a span that is none of its own")
        places[span] = sweepgen - 2


def _check_handles(heap: Heap) -> None:
    """Every word in the table leads to an object."""
    mem = heap.mem
    inner: set[int] = set()
    for base, words in mem.interiors.items():
        for word in words:
            if word in inner or word not in mem:
                throw("check_heap: an interior word is listed twice, or not in the table")
            inner.add(word)
            if base < STATIC_END:
                continue  # inside a package-level variable
            _check_object(heap, base, word & ADDRESS_MASK)
    for word in mem:
        is_static = word & ADDRESS_MASK < STATIC_END  # nil, objects without size
        if word not in inner and not is_static:
            _check_object(heap, word, word)


def _check_object(heap: Heap, base: int, address: int) -> None:
    """An object lies at base, and address within it."""
    span = heap.mheap.span_of(base)
    if span is None or span.state != IN_USE:
        throw("check_heap: a handle of memory without objects")
    index = span.object_index(base)
    if index >= span.nelems or span.object_address(index) != base:
        is_tiny = span.spanclass == TINY_SPAN_CLASS and base % TINY_SIZE and index < span.nelems
        if not is_tiny:
            throw("check_heap: a handle is not at the beginning of its slot")
    if not span.allocated_bits() >> index & 1:
        throw("check_heap: a handle of a slot that is free")
    if not base <= address <= span.base + (index + 1) * span.elemsize:
        throw("check_heap: an interior word points out of its object")


def _check_counts(heap: Heap, spans: list[Span]) -> None:
    """What was allocated and not freed is there."""
    counts = heap.counts
    taken = [0] * SIZE_CLASS_COUNT
    large_bytes = cached_bytes = total = 0
    for span in spans:
        size_class = span.spanclass >> 1
        taken[size_class] += span.alloc_count
        total += span.alloc_count * span.elemsize
        if size_class == 0:
            large_bytes += span.elemsize
        elif span.sweepgen > heap.sweepgen:
            cached = span.alloc_count - span.alloc_count_before_cache
            taken[size_class] -= cached
            cached_bytes += cached * span.elemsize
    for size_class in range(1, SIZE_CLASS_COUNT):
        if counts.small_alloc_count[size_class] - counts.small_free_count[size_class] != taken[size_class]:
            throw("check_heap: objects of a size class are miscounted")
    if counts.large_alloc_count - counts.large_free_count != taken[0]:
        throw("check_heap: large objects are miscounted")
    if counts.large_alloc - counts.large_free != large_bytes:
        throw("check_heap: bytes of large objects are miscounted")
    if heap.total_alloc - heap.total_free != total - cached_bytes:
        throw("check_heap: bytes are miscounted")
