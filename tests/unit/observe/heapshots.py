"""Heaps made by hand, to be looked at."""

from __future__ import annotations

from goruntime.heap.figures import NONE_BY_CLASS, MemoryFigures, ObjectFigures, PageFigures
from goruntime.heap.sizeclass import CLASS_TO_PAGES, CLASS_TO_SIZE, PAGE_SIZE, SPAN_CLASS_TO_SLOTS
from goruntime.heap.snapshot import CACHED, FREE, LARGE, NOSCAN, RELEASED, SCAN, STACK, HeapShot, PageRun, SpanShot

BASE = 0xC000000000
CHUNK = 512
NOTHING = HeapShot((), (), MemoryFigures())


def at(page: int) -> int:
    """The address of a page of the first arena."""
    return BASE + page * PAGE_SIZE


def small(page: int, size_class: int, objects: int, kind: str = NOSCAN, holder: int = -1) -> SpanShot:
    """A span of small objects."""
    span_class = size_class << 1 | (kind == NOSCAN)
    slots = SPAN_CLASS_TO_SLOTS[span_class]
    pages = CLASS_TO_PAGES[size_class]
    return SpanShot(at(page), pages, kind, span_class, CLASS_TO_SIZE[size_class], slots, objects, holder)


def large(page: int, pages: int) -> SpanShot:
    """A span with one object."""
    return SpanShot(at(page), pages, LARGE, 1, pages * PAGE_SIZE, 1, 1)


def stack(page: int, pages: int = 4) -> SpanShot:
    """A span for stacks."""
    return SpanShot(at(page), pages, STACK, 0, 0, 0, 0)


def shot(spans: list[SpanShot], runs: list[PageRun]) -> HeapShot:
    """A heap of these, with the figures that follow."""
    counts = list(NONE_BY_CLASS)
    for span in spans:
        if span.kind in (SCAN, NOSCAN):
            counts[span.span_class >> 1] += span.object_count
    pages = PageFigures(
        heap_inuse=sum(span.byte_count for span in spans if span.kind != STACK),
        heap_free=sum(run.page_count for run in runs if run.state != RELEASED) * PAGE_SIZE,
        heap_released=sum(run.page_count for run in runs if run.state == RELEASED) * PAGE_SIZE,
        in_stacks=sum(span.byte_count for span in spans if span.kind == STACK),
        resident=sum(span.byte_count for span in spans),
    )
    objects = ObjectFigures(
        small_alloc_count=tuple(counts),
        large_alloc=sum(span.elem_size for span in spans if span.kind == LARGE),
        large_alloc_count=sum(span.kind == LARGE for span in spans),
    )
    figures = MemoryFigures(pages, objects)
    return HeapShot(tuple(spans), tuple(runs), figures)


def typical() -> HeapShot:
    """One chunk with a little of everything."""
    spans = [
        small(0, 5, 168, NOSCAN, holder=0),  # 48 bytes, full
        small(1, 5, 10),
        small(2, 5, 165, SCAN),
        small(3, 45, 2, SCAN, holder=1),  # 4,864 bytes: 3 pages, 5 slots
        large(6, 58),
        stack(64),
    ]
    runs = [
        PageRun(at(68), 10, CACHED, 0),
        PageRun(at(78), 2, FREE),
        PageRun(at(80), 48, RELEASED),
        PageRun(at(128), CHUNK - 128, RELEASED),
    ]
    return shot(spans, runs)
