"""Stacks: pools by size, a cache per P, growing by doubling, and what goes back to the heap when."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goruntime.base.errors import FatalError, Throw
from goruntime.heap.sizeclass import PAGE_SIZE
from goruntime.heap.span import DEAD, Span
from goruntime.heap.stackalloc import (
    FIXED_STACK,
    STACK_CACHE_SIZE,
    STACK_ORDERS,
    StackAllocator,
    StackCache,
    may_shrink,
    must_grow,
    round2,
    stack_order,
)

BASE = 0xC000000000
SIZES = [2048, 4096, 8192, 16384, 32768, 65536, 262144]


class Pages:
    """Memory from the bottom up; what was freed is not used again, so that a stale address is noticed."""

    def __init__(self, npages: int = 1 << 20) -> None:
        self.left = npages
        self.next = BASE
        self.spans: list[Span] = []

    def alloc_manual(self, npages: int) -> Span | None:
        if npages > self.left:
            return None
        self.left -= npages
        span = Span()
        span.init(self.next, npages)
        span.init_manual()
        self.next = span.limit
        self.spans.append(span)
        return span

    def free_manual(self, span: Span) -> None:
        assert span.list is None
        self.left += span.npages
        span.set_state(DEAD)
        self.spans.remove(span)

    def span_of(self, address: int) -> Span | None:
        return next((span for span in self.spans if span.base <= address < span.base + span.npages * PAGE_SIZE), None)


def test_a_refill_takes_half_a_span_from_the_top_down() -> None:
    stacks, cache = StackAllocator(Pages()), StackCache()
    first = [stacks.stackalloc(2048, cache) for _ in range(8)]
    assert stacks.span_bytes == STACK_CACHE_SIZE
    assert sorted(first) == [BASE + 16384 + 2048 * i for i in range(8)]
    assert first[0] == BASE + 16384, "the last that the refill took is the first to be given out"
    assert cache.sizes == [0, 0, 0, 0]
    second = [stacks.stackalloc(2048, cache) for _ in range(8)]
    assert stacks.span_bytes == STACK_CACHE_SIZE, "the other half of the same span"
    assert stacks.pool[0].first is None, "a span without free stacks is in no list"
    third = stacks.stackalloc(2048, cache)
    assert stacks.span_bytes == 2 * STACK_CACHE_SIZE
    stacks.check((cache,), tuple((stack, 2048) for stack in (*first, *second, third)))


@pytest.mark.parametrize("size", [2048, 4096, 8192, 16384])
def test_a_full_cache_gives_half_back(size: int) -> None:
    memory = Pages()
    stacks, cache = StackAllocator(memory), StackCache()
    count = 2 * STACK_CACHE_SIZE // size
    taken = [stacks.stackalloc(size, cache) for _ in range(count)]
    assert stacks.span_bytes == 2 * STACK_CACHE_SIZE
    for stack in taken[: count // 2]:
        stacks.stackfree(stack, size, cache)
    assert cache.sizes[stack_order(size)] == STACK_CACHE_SIZE
    assert stacks.span_bytes == 2 * STACK_CACHE_SIZE
    stacks.stackfree(taken[count // 2], size, cache)
    assert cache.sizes[stack_order(size)] == STACK_CACHE_SIZE // 2 + size
    stacks.check((cache,), tuple((stack, size) for stack in taken[count // 2 + 1 :]))
    for stack in taken[count // 2 + 1 :]:
        stacks.stackfree(stack, size, cache)
    stacks.clear_cache(cache)
    assert stacks.span_bytes == 0
    assert memory.spans == []


def test_a_large_stack_is_a_span_of_its_own() -> None:
    memory = Pages()
    stacks, cache = StackAllocator(memory), StackCache()
    stack = stacks.stackalloc(65536, cache)
    assert memory.spans[0].npages == 8
    assert stacks.span_bytes == 65536
    stacks.stackfree(stack, 65536, cache)
    assert memory.spans == []


def test_while_a_collection_runs_no_span_goes_back() -> None:
    memory = Pages()
    stacks = StackAllocator(memory)
    small, large, other = (stacks.stackalloc(size, None) for size in (2048, 65536, 131072))
    stacks.keeps_spans = True
    stacks.stackfree(small, 2048, None)
    stacks.stackfree(large, 65536, None)
    stacks.stackfree(other, 131072, None)
    assert len(memory.spans) == 3
    stacks.check()
    assert stacks.stackalloc(65536, None) == large, "one of the same size is used again"
    stacks.stackfree(large, 65536, None)
    stacks.keeps_spans = False
    stacks.free_stack_spans()
    assert memory.spans == []
    stacks.check()


def test_a_span_in_use_stays_when_the_collection_ends() -> None:
    stacks = StackAllocator(Pages())
    kept, given_back = stacks.stackalloc(4096, None), stacks.stackalloc(4096, None)
    stacks.keeps_spans = True
    stacks.stackfree(given_back, 4096, None)
    stacks.keeps_spans = False
    stacks.free_stack_spans()
    assert stacks.span_bytes == STACK_CACHE_SIZE
    stacks.check((), ((kept, 4096),))


def test_growing_by_doubling_leaves_a_stack_of_each_size_in_the_cache() -> None:
    stacks, cache = StackAllocator(Pages()), StackCache()
    size = FIXED_STACK
    stack = stacks.stackalloc(size, cache)
    while must_grow(size, 20_000):
        new = stacks.stackalloc(2 * size, cache)
        stacks.stackfree(stack, size, cache)
        stack, size = new, 2 * size
    assert size == 32768
    assert [len(cached) for cached in cache.lists] == [8, 4, 2, 1]
    stacks.check((cache,), ((stack, size),))


def test_the_starting_size_is_the_average_rounded_up() -> None:
    stacks = StackAllocator(Pages())
    stacks.compute_starting_size(100 * 14_000, 100, 1_000_000_000)
    assert stacks.starting_size == 16384
    stacks.compute_starting_size(100, 100, 1_000_000_000)
    assert stacks.starting_size == 2048
    stacks.compute_starting_size(10 * 1_000_000, 10, 65536)
    assert stacks.starting_size == 65536
    stacks.compute_starting_size(0, 0, 65536)
    assert stacks.starting_size == 2048


def test_when_a_stack_grows_and_shrinks() -> None:
    assert not must_grow(2048, 2048 - 928)
    assert must_grow(2048, 2048 - 927)
    assert not may_shrink(2048, 0)
    assert may_shrink(4096, 1024 - 801)
    assert not may_shrink(4096, 1024 - 800)


def test_round2_and_order() -> None:
    assert [round2(size) for size in (0, 1, 2, 3, 2048, 2049)] == [1, 1, 2, 4, 2048, 4096]
    assert [stack_order(2048 << order) for order in range(STACK_ORDERS)] == [0, 1, 2, 3]


def test_there_is_no_memory() -> None:
    stacks = StackAllocator(Pages(npages=5))
    stacks.stackalloc(2048, None)
    with pytest.raises(FatalError, match=r"fatal error: out of memory"):
        stacks.stackalloc(65536, None)
    with pytest.raises(FatalError, match=r"fatal error: out of memory"):
        stacks.stackalloc(4096, StackCache())


def test_what_is_no_stack_is_refused() -> None:
    memory = Pages()
    stacks = StackAllocator(memory)
    stack = stacks.stackalloc(65536, None)
    with pytest.raises(Throw, match="not a power of 2"):
        stacks.stackalloc(3000, None)
    with pytest.raises(Throw, match="not a power of 2"):
        stacks.stackfree(stack, 3000, None)
    with pytest.raises(Throw, match="bad span state"):
        stacks.stackfree(stack + 32768, 32768, None)
    with pytest.raises(Throw, match="not in a stack span"):
        stacks.stackfree(BASE - 8192, 2048, None)


def test_the_check_notices_a_stack_that_is_in_two_places() -> None:
    stacks, cache = StackAllocator(Pages()), StackCache()
    stack = stacks.stackalloc(2048, cache)
    stacks.check((cache,), ((stack, 2048),))
    with pytest.raises(Throw, match="disagree"):
        stacks.check((cache,))
    stacks.stackfree(stack, 2048, cache)
    with pytest.raises(Throw, match="overlap"):
        stacks.check((cache,), ((stack, 2048),))


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["alloc", "alloc", "free", "grow", "collect", "end", "clear"]), st.integers(0, 1 << 16)
        ),
        max_size=60,
    )
)
def test_random_use_keeps_every_stack_once(steps: list[tuple[str, int]]) -> None:
    memory = Pages()
    stacks = StackAllocator(memory)
    caches = (StackCache(), StackCache())
    taken: list[tuple[int, int]] = []
    for what, number in steps:
        cache = (*caches, None)[number % 3]
        if what == "alloc":
            size = SIZES[number % len(SIZES)]
            taken.append((stacks.stackalloc(size, cache), size))
        elif what == "free" and taken:
            stacks.stackfree(*taken.pop(number % len(taken)), cache)
        elif what == "grow" and taken:
            stack, size = taken.pop(number % len(taken))
            taken.append((stacks.stackalloc(2 * size, cache), 2 * size))
            stacks.stackfree(stack, size, cache)
        elif what == "collect":
            stacks.keeps_spans = True
        elif what == "end":
            stacks.keeps_spans = False
            stacks.free_stack_spans()
        elif what == "clear":
            stacks.clear_cache(caches[number % 2])
        stacks.check(caches, tuple(taken))
    stacks.keeps_spans = False
    for stack, size in taken:
        stacks.stackfree(stack, size, None)
    for cache in caches:
        stacks.clear_cache(cache)
    stacks.free_stack_spans()
    assert memory.spans == []
    assert stacks.span_bytes == 0
