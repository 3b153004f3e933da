"""Every page that Go's heap took and gave back while page_order ran, before main and in it: MHeap takes the same ones.

`page_order.pages` was recorded by tests/behavior/record_pages.py.
"""

from pathlib import Path

from goruntime.heap.mheap import STACK, WORK_BUF, MHeap
from goruntime.heap.sizeclass import PAGE_SIZE
from goruntime.heap.span import IN_USE

RECORD = Path(__file__).parents[2] / "behavior" / "page_order.pages"
ARENA_START = 0xC000000000
MANUAL = {"stack": STACK, "work": WORK_BUF}


def lines():
    return [line.split() for line in RECORD.read_text().splitlines() if not line.startswith("#")]


def test_takes_the_pages_that_go_takes():
    heap = MHeap()
    local = None  # until there is a P, pages come from the page allocator
    spans = {}
    record = lines()
    filled = [place for place, (what, *_) in enumerate(record) if what == "cache"]
    for place, (what, *words) in enumerate(record):
        where = f"line {place + 2}: {what} {' '.join(words)}"
        if what == "cache" and local is None:
            local = heap.new_local()
        elif what == "alloc":
            page, count, use, spanclass = int(words[0]), int(words[1]), words[2], int(words[3])
            is_empty = local is not None and not local.pcache.cache
            if use == "heap":
                span = heap.alloc(count, spanclass, local)
            else:
                span = heap.alloc_manual(count, MANUAL[use], local)
            assert (span.base - ARENA_START) // PAGE_SIZE == page, where
            assert span.npages == count, where
            assert (is_empty and count < 16) == (place - 1 in filled), where
            spans[page] = span
            if use == "heap":
                span.fill_window(1)
                span.window.pop()
        elif what == "free":
            span = spans.pop(int(words[0]))
            if span.state == IN_USE:
                span.put_bits(0)
                heap.free_span(span, local)
            else:
                heap.free_manual(span, MANUAL[words[2]], local)
        heap.check()
    assert len(filled) == 7
    assert len(spans) > 100
