"""Arenas: the heap's address space in pieces of 64 MiB, and what is known of each page in them.

Go: runtime/mheap.go heapArena, arenaIndex, arenaBase, mheap.allocNeedsZero, mheap.setSpans, spanOf (go1.27).
Units: addresses in bytes. Bitmaps have a bit for each page, of which only that of a span's first page is used.
"""

from __future__ import annotations

from ..base.errors import throw
from .sizeclass import PAGE_SHIFT, PAGE_SIZE
from .span import Span

LOG_ARENA_BYTES = 26
ARENA_BYTES = 1 << LOG_ARENA_BYTES
PAGES_PER_ARENA = ARENA_BYTES // PAGE_SIZE
PAGE_MASK = PAGES_PER_ARENA - 1
ARENA_RECORD_SIZE = 69_648  # of heapArena on linux/amd64
ARENA_START = 0xC000000000  # as Go's without GOEXPERIMENT=randomizedheapbase64

_NO_SPANS: list[Span | None] = [None] * PAGES_PER_ARENA


class HeapArena:
    """One arena.

    Go: runtime/mheap.go heapArena.
    """

    __slots__ = (
        "page_in_use", "page_marks", "page_specials", "page_use_span_inline_mark_bits", "spans", "zeroed_base",
    )  # fmt: skip

    def __init__(self) -> None:
        # The span that has a page.
        self.spans: list[Span | None] = _NO_SPANS.copy()
        self.page_in_use = bytearray(PAGES_PER_ARENA // 8)  # begins a span of objects
        self.page_marks = bytearray(PAGES_PER_ARENA // 8)  # begins a span with a marked object
        self.page_specials = bytearray(PAGES_PER_ARENA // 8)  # begins a span with specials
        self.page_use_span_inline_mark_bits = bytearray(PAGES_PER_ARENA // 8)  # is a span that holds its own marks
        self.zeroed_base = 0  # offset: from here on no page was ever used


class Arenas:
    """All arenas of one heap, by index. Each is made when one of its pages is first used.

    Hot readers look up for themselves: `arenas[address >> 26].spans[address >> 13 & 8191]`.
    """

    __slots__ = ("table",)

    def __init__(self) -> None:
        self.table: dict[int, HeapArena] = {}

    def arena(self, index: int) -> HeapArena:
        """The arena of that index, made on first touch."""
        arena = self.table.get(index)
        if arena is None:
            arena = self.table[index] = HeapArena()
        return arena

    def span_of(self, address: int) -> Span | None:  # hot: mark
        """The span that has the page of an address, if any.

        Go: runtime/mheap.go spanOf, inHeapOrStack.
        Differs: a span that was freed is not found; Go leaves it in the table, and looks at its state and bounds.
        """
        arena = self.table.get(address >> LOG_ARENA_BYTES)
        return None if arena is None else arena.spans[address >> PAGE_SHIFT & PAGE_MASK]

    def set_spans(self, base: int, npages: int, span: Span | None) -> None:
        """These pages are the span's, or nobody's.

        Go: runtime/mheap.go mheap.setSpans.
        """
        page = base >> PAGE_SHIFT
        end = page + npages
        while page < end:
            first = page & PAGE_MASK
            count = min(end - page, PAGES_PER_ARENA - first)
            self.arena(page // PAGES_PER_ARENA).spans[first : first + count] = [span] * count
            page += count

    def alloc_needs_zero(self, base: int, npages: int) -> bool:
        """Whether any of these pages, which are about to be used, was used before. They count as used from now on.

        Go: runtime/mheap.go mheap.allocNeedsZero.
        """
        needs_zero = False
        limit = base + npages * PAGE_SIZE
        while base < limit:
            arena = self.arena(base >> LOG_ARENA_BYTES)
            offset = base & ARENA_BYTES - 1
            if offset < arena.zeroed_base:
                needs_zero = True
            end = min(offset + limit - base, ARENA_BYTES)
            arena.zeroed_base = max(arena.zeroed_base, end)
            base += end - offset
        return needs_zero

    def set_in_use(self, span: Span) -> None:
        """A span of objects begins here.

        Go: runtime/mheap.go mheap.initSpan.
        """
        arena = self.table[span.base >> LOG_ARENA_BYTES]
        page = span.base >> PAGE_SHIFT & PAGE_MASK
        arena.page_in_use[page >> 3] |= 1 << (page & 7)
        if span.has_inline_marks():
            arena.page_use_span_inline_mark_bits[page >> 3] |= 1 << (page & 7)

    def clear_in_use(self, span: Span) -> None:
        """It no longer does.

        Go: runtime/mheap.go mheap.freeSpanLocked.
        """
        arena = self.table[span.base >> LOG_ARENA_BYTES]
        page = span.base >> PAGE_SHIFT & PAGE_MASK
        if not arena.page_in_use[page >> 3] >> (page & 7) & 1:
            throw("arena: no span in use begins here")
        arena.page_in_use[page >> 3] &= ~(1 << (page & 7))
        arena.page_use_span_inline_mark_bits[page >> 3] &= ~(1 << (page & 7))

    def uses_inline_mark_bits(self, address: int) -> bool:
        """Whether the page of an address is a span that holds its own marks.

        Go: runtime/mgcmark_greenteagc.go tryDeferToSpanScan.
        """
        arena = self.table.get(address >> LOG_ARENA_BYTES)
        page = address >> PAGE_SHIFT & PAGE_MASK
        return arena is not None and bool(arena.page_use_span_inline_mark_bits[page >> 3] >> (page & 7) & 1)
