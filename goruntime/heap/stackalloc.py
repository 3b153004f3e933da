"""Where goroutines' stacks come from: pages that are managed by hand, not by the collector.

A stack is a power of two of at least 2 KiB. The four smallest sizes (*orders*) are cut from spans of 32 KiB, which
`pool` keeps by order as long as they have a free stack; a P takes them by the half-dozen into its own StackCache, so
that starting a goroutine needs no lock. From 32 KiB on a stack is a span of its own.

    stackalloc    cache of the P, refilled to 16 KiB from the pool, which asks the heap for another span
    stackfree     cache of the P; from 32 KiB on, half of it goes back to the pool, and what is empty there to the heap

A stack that is too small is replaced by one of twice the size, and the old one is freed: so growing by several sizes
leaves a free stack of each in the P's cache, as in Go.

While a collection runs, no span of stacks goes back to the heap (`keeps_spans`): small ones stay in the pool, large
ones wait in `large`, until `free_stack_spans`.

Nothing is stored in a stack here: Python's frames live in Python. What is exact is where the stacks are, how many there
are, and what they keep of the heap's pages.

Go: runtime/stack.go stackalloc, stackfree, stackpoolalloc, stackcacherefill, freeStackSpans (go1.27).
Units: bytes, pages of 8,192 bytes. Invariant: check().
"""

from __future__ import annotations

from typing import Protocol

from ..base.errors import FatalError, throw
from .sizeclass import PAGE_SHIFT, PAGE_SIZE
from .span import MANUAL, Span, SpanList

FIXED_STACK = 2048  # the smallest stack
STACK_ORDERS = 4  # 2, 4, 8 and 16 KiB
STACK_CACHE_SIZE = 32 << 10  # of a span of small stacks, and what a P keeps of each order
STACK_NOSPLIT = 800  # what functions that do not look may use below the guard
STACK_GUARD = 928  # a goroutine that has less left than this when it calls grows its stack
ADDRESS_BITS = 48
LARGE_LISTS = ADDRESS_BITS - PAGE_SHIFT


class StackMemory(Protocol):
    """Who has the pages: the heap."""

    def alloc_manual(self, npages: int) -> Span | None:
        """A span of npages in state MANUAL, for stacks; None if there is no memory."""

    def free_manual(self, span: Span) -> None:
        """Take such a span back."""

    def span_of(self, address: int) -> Span | None:
        """The span that this address is in."""


class StackCache:
    """Free stacks of one P, by order. Owned by the P's M.

    Go: runtime/mcache.go stackfreelist.
    """

    __slots__ = ("lists", "sizes")

    def __init__(self) -> None:
        self.lists: tuple[list[int], ...] = tuple([] for _ in range(STACK_ORDERS))  # addresses, next one last
        self.sizes = [0] * STACK_ORDERS  # bytes in each


class StackAllocator:
    """All stacks of one run."""

    __slots__ = ("keeps_spans", "large", "memory", "pool", "span_bytes", "starting_size")

    def __init__(self, memory: StackMemory) -> None:
        self.memory = memory
        self.pool = tuple(SpanList() for _ in range(STACK_ORDERS))  # spans with a free stack
        self.large = tuple(SpanList() for _ in range(LARGE_LISTS))  # by the bits of their page count; while collecting
        self.starting_size = FIXED_STACK  # of a new goroutine's stack
        self.keeps_spans = False  # a collection runs
        self.span_bytes = 0  # in all spans of stacks: StackInuse

    # The pool.

    def _pool_alloc(self, order: int) -> int:
        """A stack from the pool.

        Go: runtime/stack.go stackpoolalloc.
        """
        spans = self.pool[order]
        span = spans.first
        if span is None:
            span = self._new_span(STACK_CACHE_SIZE >> PAGE_SHIFT, FIXED_STACK << order)
            first, step = span.base, span.elemsize
            # Go threads the list through the stacks, each new one in front: they are handed out from the top down.
            span.manual_free_list = list(range(first, first + STACK_CACHE_SIZE, step))
            spans.insert(span)
        if not span.manual_free_list:
            throw("span has no free stacks")
        stack = span.manual_free_list.pop()
        if not span.manual_free_list:
            spans.remove(span)
        return stack

    def _pool_free(self, stack: int, order: int) -> None:
        """Give a stack back to the pool, and its span to the heap if it is empty then.

        Go: runtime/stack.go stackpoolfree.
        """
        span = self.memory.span_of(stack)
        if span is None or span.state != MANUAL:
            throw("freeing stack not in a stack span")
        free = span.manual_free_list
        if not free:
            self.pool[order].insert(span)
        free.append(stack)
        if len(free) << order == STACK_CACHE_SIZE // FIXED_STACK and not self.keeps_spans:
            self.pool[order].remove(span)
            self._free_span(span)

    def _new_span(self, npages: int, elemsize: int) -> Span:
        span = self.memory.alloc_manual(npages)
        if span is None:
            raise FatalError("fatal error: out of memory\n")
        if span.manual_free_list:
            throw("bad manualFreeList")
        span.elemsize = elemsize
        self.span_bytes += npages * PAGE_SIZE
        return span

    def _free_span(self, span: Span) -> None:
        span.manual_free_list = []
        self.span_bytes -= span.npages * PAGE_SIZE
        self.memory.free_manual(span)

    # The caches of the Ps.

    def _refill(self, cache: StackCache, order: int) -> None:
        """Fill an empty cache half: all of it would be given back by the next P that frees as many.

        Go: runtime/stack.go stackcacherefill.
        """
        stacks = cache.lists[order]
        size = 0
        while size < STACK_CACHE_SIZE // 2:
            stacks.append(self._pool_alloc(order))
            size += FIXED_STACK << order
        cache.sizes[order] = size

    def _release(self, cache: StackCache, order: int) -> None:
        """Give half of a full cache back, last freed first.

        Go: runtime/stack.go stackcacherelease.
        """
        stacks = cache.lists[order]
        size = cache.sizes[order]
        while size > STACK_CACHE_SIZE // 2:
            self._pool_free(stacks.pop(), order)
            size -= FIXED_STACK << order
        cache.sizes[order] = size

    def clear_cache(self, cache: StackCache) -> None:
        """Give everything back: the P goes away, or a collection ends.

        Go: runtime/stack.go stackcache_clear.
        """
        for order, stacks in enumerate(cache.lists):
            while stacks:
                self._pool_free(stacks.pop(), order)
            cache.sizes[order] = 0

    # What goroutines ask for.

    def stackalloc(self, size: int, cache: StackCache | None) -> int:
        """A stack of size bytes, its lowest address; from the P's cache if there is one.

        Raises: FatalError if there is no memory.
        Go: runtime/stack.go stackalloc.
        """
        if size & (size - 1):
            throw("stack size not a power of 2")
        if size >= STACK_CACHE_SIZE:
            npages = size >> PAGE_SHIFT
            waiting = self.large[npages.bit_length()]
            span = waiting.first
            if span is None:
                return self._new_span(npages, size).base
            waiting.remove(span)
            return span.base
        order = stack_order(size)
        if cache is None:
            return self._pool_alloc(order)
        if not cache.lists[order]:
            self._refill(cache, order)
        cache.sizes[order] -= size
        return cache.lists[order].pop()

    def stackfree(self, stack: int, size: int, cache: StackCache | None) -> None:
        """Give a stack of size bytes back.

        Go: runtime/stack.go stackfree.
        """
        if size & (size - 1):
            throw("stack not a power of 2")
        if size >= STACK_CACHE_SIZE:
            self._free_large(stack)
            return
        order = stack_order(size)
        if cache is None:
            self._pool_free(stack, order)
            return
        if cache.sizes[order] >= STACK_CACHE_SIZE:
            self._release(cache, order)
        cache.lists[order].append(stack)
        cache.sizes[order] += size

    def _free_large(self, stack: int) -> None:
        span = self.memory.span_of(stack)
        if span is None or span.state != MANUAL or span.base != stack:
            throw("bad span state")
        if self.keeps_spans:
            self.large[span.npages.bit_length()].insert(span)
        else:
            self._free_span(span)

    # The collector's part.

    def free_stack_spans(self) -> None:
        """A collection is over: what stacks no longer use goes back to the heap.

        Go: runtime/stack.go freeStackSpans.
        """
        for order, spans in enumerate(self.pool):
            span = spans.first
            while span is not None:
                following = span.next
                if len(span.manual_free_list) << order == STACK_CACHE_SIZE // FIXED_STACK:
                    spans.remove(span)
                    self._free_span(span)
                span = following
        for waiting in self.large:
            while (span := waiting.first) is not None:
                waiting.remove(span)
                self._free_span(span)

    def compute_starting_size(self, scanned_bytes: int, scanned_count: int, max_size: int) -> None:
        """After marking: new goroutines start with room for what those that were scanned used on average.

        Go: runtime/stack.go gcComputeStartingStackSize.
        """
        if scanned_count == 0:
            self.starting_size = FIXED_STACK
            return
        average = scanned_bytes // scanned_count + STACK_GUARD
        self.starting_size = round2(max(min(average, max_size), FIXED_STACK))

    # Checking.

    def check(self, caches: tuple[StackCache, ...] = (), stacks: tuple[tuple[int, int], ...] = ()) -> None:
        """The pool, these caches of all Ps and these stacks (address, size) are all there is, each once."""
        spans: dict[int, Span] = {}
        free: list[tuple[int, int]] = []
        for order, pooled in enumerate(self.pool):
            span = pooled.first
            while span is not None:
                if not span.manual_free_list:
                    throw("check: span without a free stack in the pool")
                spans[span.base] = span
                free += [(stack, FIXED_STACK << order) for stack in span.manual_free_list]
                span = span.next
        for waiting in self.large:
            span = waiting.first
            while span is not None:
                if not self.keeps_spans:
                    throw("check: large stack span waits without a collection")
                free.append((span.base, span.elemsize))
                span = span.next
        for cache in caches:
            for order, cached in enumerate(cache.lists):
                if len(cached) * (FIXED_STACK << order) != cache.sizes[order]:
                    throw("check: wrong size of a stack cache")
                free += [(stack, FIXED_STACK << order) for stack in cached]
        total_bytes = 0
        end = 0
        for stack, size in sorted((*free, *stacks)):
            if stack < end:
                throw("check: stacks overlap")
            end = stack + size
            total_bytes += size
            span = self.memory.span_of(stack)
            if span is None or span.state != MANUAL or span.elemsize != size or (stack - span.base) % size:
                throw("check: stack not in a stack span")
            spans[span.base] = span
        if sum(span.npages for span in spans.values()) * PAGE_SIZE != self.span_bytes or total_bytes != self.span_bytes:
            throw("check: stacks and their spans disagree")


def stack_order(size: int) -> int:
    """Which of the four small sizes it is."""
    return (size // FIXED_STACK).bit_length() - 1


def round2(size: int) -> int:
    """The next power of two that is no smaller.

    Go: runtime/stack.go round2.
    """
    return 1 << max(size - 1, 0).bit_length()


def must_grow(size: int, used_bytes: int) -> bool:
    """A function that is called now, with so many bytes used, finds too little left.

    Go: runtime/stack.go newstack.
    """
    return used_bytes + STACK_GUARD > size


def may_shrink(size: int, used_bytes: int) -> bool:
    """Less than a quarter is used, and half would not be too small.

    Go: runtime/stack.go shrinkstack.
    """
    return size // 2 >= FIXED_STACK and used_bytes + STACK_NOSPLIT < size // 4
