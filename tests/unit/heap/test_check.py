"""check_heap finds what is broken on purpose."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from goruntime.base.errors import Throw
from goruntime.heap.check import ZEROBASE, check_heap
from goruntime.heap.heap import Heap
from goruntime.heap.mcache import MCache
from goruntime.heap.sizeclass import small_span_class

from .world import Thing, new_heap, put, take

SPAN_48 = small_span_class(48, True)


def used_heap() -> tuple[Heap, list[MCache]]:
    heap, caches = new_heap(2)
    for cache in caches:
        for size in (3, 5, 48, 48, 600, 40_000):
            put(cache, size, size if size == 600 else 0)
    caches[0].mem[ZEROBASE] = Thing()
    check_heap(heap)
    return heap, caches


def break_count(heap: Heap, _: list[MCache]) -> None:
    heap.counts.small_alloc_count[7] += 1


def break_large_count(heap: Heap, _: list[MCache]) -> None:
    heap.counts.large_free += 1


def break_total(heap: Heap, _: list[MCache]) -> None:
    heap.total_free += 1


def share_a_span(_: Heap, caches: list[MCache]) -> None:
    caches[1].alloc[SPAN_48] = caches[0].alloc[SPAN_48]


def lose_a_span(_: Heap, caches: list[MCache]) -> None:
    caches[0].alloc[SPAN_48] = caches[0].alloc[0]


def cached_and_in_a_set(heap: Heap, caches: list[MCache]) -> None:
    span = caches[0].alloc[SPAN_48]
    span.cut_window()
    heap.central[SPAN_48].partial_swept().push(span)


def wrong_set(heap: Heap, _: list[MCache]) -> None:
    heap.flush_all()
    spans = heap.central[SPAN_48].partial_swept()
    heap.central[SPAN_48].full_swept().push(spans.pop())


def handle_of_a_free_slot(heap: Heap, caches: list[MCache]) -> None:
    heap.mem[caches[0].alloc[SPAN_48].window[0]] = Thing()


def handle_in_the_middle(heap: Heap, caches: list[MCache]) -> None:
    heap.mem[take(caches[0], SPAN_48) + 8] = Thing()


def handle_of_nothing(heap: Heap, _: list[MCache]) -> None:
    heap.mem[0x1234] = Thing()


def interior_out_of_its_object(heap: Heap, caches: list[MCache]) -> None:
    base = take(caches[0], SPAN_48)
    heap.mem.add_interior(base, base + 64 | 5 << 48, Thing())


def interior_without_a_handle(heap: Heap, caches: list[MCache]) -> None:
    heap.mem.interiors[take(caches[0], SPAN_48)] = [77]


def stale_generation(_: Heap, caches: list[MCache]) -> None:
    caches[0].alloc[SPAN_48].sweepgen -= 3


def tiny_block_that_is_free(_: Heap, caches: list[MCache]) -> None:
    caches[0].tiny = caches[0].alloc[5].window[0]


def pages_lost(heap: Heap, _: list[MCache]) -> None:
    mheap: Any = heap.mheap
    mheap.allspans.pop()


BREAKS = [
    (break_count, "objects of a size class are miscounted"),
    (break_large_count, "bytes of large objects"),
    (break_total, "bytes are miscounted"),
    (share_a_span, "two Ps hold one span"),
    (lose_a_span, "not where its sweepgen says"),
    (cached_and_in_a_set, "in two places"),
    (wrong_set, "without free slots, and has some"),
    (handle_of_a_free_slot, "a slot that is free"),
    (handle_in_the_middle, "not at the beginning of its slot"),
    (handle_of_nothing, "memory without objects"),
    (interior_out_of_its_object, "points out of its object"),
    (interior_without_a_handle, "not in the table"),
    (stale_generation, "span is not cached"),
    (tiny_block_that_is_free, "tiny block"),
    (pages_lost, "."),
]


@pytest.mark.parametrize(("damage", "text"), BREAKS)
def test_damage_is_found(damage: Callable[[Heap, list[MCache]], None], text: str):
    heap, caches = used_heap()
    damage(heap, caches)
    with pytest.raises(Throw, match=text):
        check_heap(heap)


def test_a_fresh_heap_is_sound():
    heap, _ = new_heap(3)
    check_heap(heap)
