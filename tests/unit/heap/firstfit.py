"""A page heap without the kernel: first fit over one map of pages, grown by chunks of 4 MiB.

The plain form of mheap, to which that one must be equivalent but for what its P caches and the scavenger do; tests put
the levels above on it.

Go: runtime/mheap.go mheap.alloc, freeSpan (go1.27).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from goruntime.base.errors import throw
from goruntime.heap.figures import PageFigures
from goruntime.heap.sizeclass import PAGE_SHIFT, PAGE_SIZE
from goruntime.heap.snapshot import FREE, PageRun
from goruntime.heap.span import DEAD, IN_USE, MANUAL, Span

ARENA_START = 0xC000000000
CHUNK_PAGES = 512


class FirstFitPages:
    """See heap.PageHeap. limit_pages: what the kernel gives at most."""

    __slots__ = ("allspans", "dead", "is_used", "limit_pages", "owners", "search", "sweepgen")

    def __init__(self, limit_pages: int = 1 << 24) -> None:
        self.limit_pages = limit_pages
        self.sweepgen = 0
        self.allspans: list[Span] = []  # that there ever were: dead ones are used again
        self.dead: list[Span] = []
        self.is_used = bytearray()  # by page
        self.owners: list[Span | None] = []  # by page
        self.search = 0  # below, every page is in use

    def alloc(self, npages: int, spanclass: int, pagecache: Any) -> Span | None:
        """A span of so many pages for objects; None when the kernel gives no memory."""
        del pagecache
        span = self._take(npages)
        if span is not None:
            span.init_heap(spanclass, self.sweepgen)
        return span

    def alloc_manual(self, npages: int) -> Span | None:
        """A span of so many pages that its user manages."""
        span = self._take(npages)
        if span is not None:
            span.init_manual()
        return span

    def _take(self, npages: int) -> Span | None:
        if npages <= 0:
            throw("a span without pages")
        first = self.is_used.find(bytes(npages), self.search) if npages <= len(self.is_used) else -1
        if first < 0:
            tail = len(self.is_used) - len(self.is_used.rstrip(b"\0"))
            growth = -(-(npages - tail) // CHUNK_PAGES) * CHUNK_PAGES
            if len(self.is_used) + growth > self.limit_pages:
                return None
            self.is_used += bytes(growth)
            self.owners += [None] * growth
            first = self.is_used.find(bytes(npages), self.search)
        if not self.dead:
            self.dead.append(Span())
            self.allspans.append(self.dead[-1])
        span = self.dead.pop()
        span.init(ARENA_START + (first << PAGE_SHIFT), npages)
        self.is_used[first : first + npages] = b"\1" * npages
        self.owners[first : first + npages] = [span] * npages
        if first == self.search:
            self.search = first + npages
        return span

    def free_span(self, span: Span) -> None:
        """Take a span's pages back."""
        first = (span.base - ARENA_START) >> PAGE_SHIFT
        if self.owners[first] is not span or self.owners[first + span.npages - 1] is not span:
            throw("free of pages that are not the span's")
        self.is_used[first : first + span.npages] = bytes(span.npages)
        self.owners[first : first + span.npages] = [None] * span.npages
        self.search = min(self.search, first)
        span.set_state(DEAD)
        self.dead.append(span)

    def free_manual(self, span: Span) -> None:
        """Take a span's pages back from its user."""
        if span.state == IN_USE:
            throw("free_manual: span of objects")
        self.free_span(span)

    def span_of(self, address: int) -> Span | None:
        """The span that an address lies in."""
        page = (address - ARENA_START) >> PAGE_SHIFT
        return self.owners[page] if 0 <= page < len(self.owners) else None

    def mapped_bytes(self) -> int:
        """All that came from the kernel."""
        return len(self.owners) * PAGE_SIZE

    def page_figures(self) -> PageFigures:
        """What its pages are used for."""
        in_use = sum(span.npages for span in self.allspans if span.state == IN_USE) << PAGE_SHIFT
        in_stacks = sum(span.npages for span in self.allspans if span.state == MANUAL) << PAGE_SHIFT
        mapped = self.mapped_bytes()
        return PageFigures(
            heap_inuse=in_use, heap_free=mapped - in_use - in_stacks, in_stacks=in_stacks, mapped_ready=mapped
        )

    def new_local(self) -> None:
        """A P keeps nothing of these."""

    def free_local(self, local: None) -> None:
        """It has nothing to give back."""

    def page_runs(self, pagecaches: Sequence[Any] = ()) -> list[PageRun]:
        """The free pages."""
        del pagecaches
        runs: list[PageRun] = []
        first = self.is_used.find(0)
        while first >= 0:
            end = self.is_used.find(1, first)
            end = len(self.is_used) if end < 0 else end
            runs.append(PageRun(ARENA_START + (first << PAGE_SHIFT), end - first, FREE))
            first = self.is_used.find(0, end)
        return runs

    def check(self) -> None:
        """Each page in use is one span's."""
        in_use = sum(span.npages for span in self.allspans if span.state != DEAD)
        if self.is_used.count(1) != in_use or sum(owner is not None for owner in self.owners) != in_use:
            throw("pages: lost or doubled")
        if 0 in self.is_used[: self.search]:
            throw("pages: a free page below the search address")
