"""mcache and mcentral: refill and its accounting, tiny packing, what Ps exchange."""

from __future__ import annotations

import pytest

from goruntime.base.errors import Throw
from goruntime.heap.check import check_heap
from goruntime.heap.heap import MARKING, WATCHED
from goruntime.heap.sizeclass import PAGE_SIZE, SPAN_CLASS_TO_SLOTS, TINY_SPAN_CLASS, small_span_class
from goruntime.heap.span import EMPTY_SPAN
from goruntime.heap.sweep import sweep_all_but
from goruntime.heap.sysmem import OutOfMemory

from .world import allocate, new_heap, put, take

SPAN_48 = small_span_class(48, True)
SLOTS_48 = SPAN_CLASS_TO_SLOTS[SPAN_48]


def test_a_refill_counts_the_whole_span_as_live_and_release_puts_it_right():
    heap, (cache,) = new_heap()
    take(cache, SPAN_48)
    assert heap.heap_live == PAGE_SIZE
    assert heap.counts.small_alloc_count[5] == 0  # counted when the span leaves
    cache.release_all()
    assert heap.heap_live == PAGE_SIZE - (SLOTS_48 - 1) * 48
    assert heap.counts.small_alloc_count[5] == 1
    assert heap.total_alloc == 48
    assert cache.alloc[SPAN_48] is EMPTY_SPAN
    check_heap(heap)


def test_a_span_that_comes_back_is_counted_for_its_free_slots_only():
    heap, (cache,) = new_heap()
    for _ in range(10):
        take(cache, SPAN_48)
    cache.release_all()
    live = heap.heap_live
    take(cache, SPAN_48)
    assert heap.heap_live == live + PAGE_SIZE - 10 * 48
    assert cache.alloc[SPAN_48].alloc_count_before_cache == 10
    check_heap(heap)


def test_scan_alloc_is_flushed_at_refill_and_release():
    heap, (cache,) = new_heap()
    cache.scan_alloc = 24
    take(cache, small_span_class(24, False))
    assert (heap.heap_scan, cache.scan_alloc) == (24, 0)
    cache.scan_alloc = 8
    cache.release_all()
    assert heap.heap_scan == 32


def test_two_ps_never_hold_the_same_span():
    heap, caches = new_heap(4)
    slots: list[list[int]] = [[] for _ in caches]
    for step in range(4 * 3 * SLOTS_48):
        slots[step % 4].append(take(caches[step % 4], SPAN_48))
        if step % 97 == 0:
            held = [cache.alloc[SPAN_48] for cache in caches if cache.alloc[SPAN_48] is not EMPTY_SPAN]
            assert len(set(held)) == len(held)
            check_heap(heap)
    spans = [{address // PAGE_SIZE for address in of_one} for of_one in slots]
    for one in range(4):
        for other in range(one):
            assert spans[one].isdisjoint(spans[other])


def test_who_moves_to_another_p_takes_the_next_slot_from_that_ps_span():
    _, (one, other) = new_heap(2)
    first, elsewhere = take(one, SPAN_48), take(other, SPAN_48)
    assert take(other, SPAN_48) == elsewhere + 48
    assert take(one, SPAN_48) == first + 48


def test_a_p_that_ends_gives_its_spans_and_the_heap_live_correction_back():
    heap, (one, other) = new_heap(2)
    kept = [put(one, 48) for _ in range(3)]
    gone = [put(other, 48) for _ in range(5)] + [put(other, 200, 200) for _ in range(2)]
    put(other, 5)
    live = heap.heap_live
    unused = sum(span.elemsize * (span.nelems - span.alloc_count) for span in other.alloc)
    heap.free_cache(other)
    assert heap.heap_live == live - unused
    assert heap.caches == [one]
    assert (other.tiny, other.tiny_offset) == (0, 0)
    check_heap(heap)
    one.release_all()
    again = [take(one, SPAN_48) for _ in range(2)]
    assert again == [gone[4].value + 48 * n for n in (1, 2)] or again == [kept[2].value + 48 * n for n in (1, 2)]


def test_flush_all_makes_every_count_exact():
    heap, caches = new_heap(3)
    for cache in caches:
        for _ in range(10):
            put(cache, 48)
            put(cache, 3)
    heap.flush_all()
    assert heap.counts.small_alloc_count[5] == 30
    assert heap.counts.tiny_alloc_count == 30 - heap.counts.small_alloc_count[2]
    assert heap.total_alloc == 30 * 48 + heap.counts.small_alloc_count[2] * 16
    assert heap.heap_live == heap.total_alloc + 3 * (PAGE_SIZE - SLOTS_48 * 48) + 3 * (
        PAGE_SIZE - SPAN_CLASS_TO_SLOTS[TINY_SPAN_CLASS] * 16
    )
    check_heap(heap)


# Of oracle tiny_alloc: sizes, and for each the block and the offset in it.
PACKING = [
    ([1, 2, 4, 8], [(0, 0), (0, 2), (0, 4), (0, 8)]),
    ([1, 8, 1, 2, 4], [(0, 0), (0, 8), (1, 0), (1, 2), (1, 4)]),
    ([3] * 6, [(0, 0), (0, 3), (0, 6), (0, 9), (0, 12), (1, 0)]),
    ([12, 1, 1, 1, 1, 1], [(0, 0), (0, 12), (0, 13), (0, 14), (0, 15), (1, 0)]),
    ([12, 8, 1, 1, 1, 1], [(0, 0), (1, 0), (1, 8), (1, 9), (1, 10), (1, 11)]),
    ([8, 12, 1, 1, 1], [(0, 0), (1, 0), (0, 8), (0, 9), (0, 10)]),
    ([15, 1, 1], [(0, 0), (0, 15), (1, 0)]),
    ([1, 15, 15, 1], [(0, 0), (0, 1), (1, 0), (1, 15)]),
]


@pytest.mark.parametrize(
    ("sizes", "places"), PACKING, ids=lambda value: str(value) if isinstance(value[0], int) else ""
)
def test_tiny_objects_share_blocks_as_in_go(sizes: list[int], places: list[tuple[int, int]]):
    heap, (cache,) = new_heap()
    addresses = [allocate(cache, size) for size in sizes]
    blocks: list[int] = []
    for address in addresses:
        if address & -16 not in blocks:
            blocks.append(address & -16)
    assert [(blocks.index(address & -16), address % 16) for address in addresses] == places
    assert cache.tiny_allocs == len(sizes) - len(blocks)
    check_heap(heap)


@pytest.mark.parametrize(("size", "count"), list(enumerate((16, 8, 5, 4, 3, 2, 2, 2, 1), 1)))
def test_how_many_of_a_size_fit_a_block(size: int, count: int):
    _, (cache,) = new_heap()
    blocks = [allocate(cache, size) & -16 for _ in range(count * 10)]
    assert len(set(blocks)) == 10


def test_pointers_of_8_bytes_are_not_tiny():
    _, (cache,) = new_heap()
    assert allocate(cache, 8, 8) + 8 == allocate(cache, 8, 8)
    assert cache.alloc[small_span_class(8, False)].nelems == 1008


def test_a_large_object_is_counted_at_once_and_stands_in_the_full_set():
    heap, (cache,) = new_heap()
    assert allocate(cache, 40_000) % PAGE_SIZE == 0
    assert heap.heap_live == heap.counts.large_alloc == heap.total_alloc == 40_960
    span = next(iter(heap.central[1].full_swept()))
    assert (span.nelems, span.alloc_count, span.freeindex) == (1, 1, 1)
    assert span.limit - span.base == 40_000
    check_heap(heap)


def test_when_the_kernel_refuses_nothing_is_half_done():
    heap, (cache,) = new_heap(limit=512)
    with pytest.raises(OutOfMemory) as refused:
        allocate(cache, 5 << 20)
    assert refused.value.size == 5 << 20
    check_heap(heap)
    for _ in range(512):
        allocate(cache, 8192)
    with pytest.raises(OutOfMemory):
        allocate(cache, 8192)
    assert cache.alloc[small_span_class(8192, True)] is EMPTY_SPAN
    check_heap(heap)


def test_a_refill_of_a_span_with_free_slots_is_our_bug():
    _, (cache,) = new_heap()
    take(cache, SPAN_48)
    with pytest.raises(Throw, match="refill of span with free space remaining"):
        cache.refill(SPAN_48)


def test_reasons_to_see_every_allocation():
    heap, (cache,) = new_heap()
    take(cache, SPAN_48)
    heap.allocate_one_by_one(WATCHED, True)
    heap.allocate_one_by_one(MARKING, True)
    assert cache.alloc[SPAN_48].window == []
    heap.allocate_one_by_one(WATCHED, False)
    first = take(cache, SPAN_48)
    assert cache.alloc[SPAN_48].window == []
    heap.allocate_one_by_one(MARKING, False)
    assert take(cache, SPAN_48) == first + 48
    assert len(cache.alloc[SPAN_48].window) == 61
    check_heap(heap)


@pytest.mark.parametrize("reason", [0, WATCHED])
def test_samples_fall_on_the_same_objects_whatever_the_windows_are(reason: int):
    """Go's rule, an object at a time: subtract the slot; below 0 it is sampled, and the next gap is drawn."""
    numbers = iter(range(0, 10**9, 1237))
    drawn: list[int] = []

    def choose(_kind: int, n: int) -> int:
        drawn.append(next(numbers) % n)
        return drawn[-1]

    heap, (cache,) = new_heap(choose=choose)
    heap.set_mem_profile_rate(4096)
    heap.allocate_one_by_one(reason, True)
    left, gap_count, sampled = cache.next_sample, 1, []
    for step in range(3000):
        size = (48, 16, 1024, 40_000)[0 if step % 7 else step // 7 % 4]
        address = allocate(cache, size)
        if cache.next_sample < 0:
            cache.next_sample = heap.next_sample()
            sampled.append(address)
            gap_count += 1
            left = -1
        else:
            left -= {48: 48, 16: 16, 1024: 1024, 40_000: 40_960}[size]
            assert left >= 0
        if left < 0:
            left = cache.next_sample
    assert len(sampled) > 40
    assert len(drawn) == 2 * gap_count
    check_heap(heap)


def test_gaps_between_samples():
    heap, (cache,) = new_heap(choose=lambda _kind, n: n - 1)
    assert cache.next_sample > 1 << 60
    heap.set_mem_profile_rate(1)
    assert cache.next_sample == 0
    heap.set_mem_profile_rate(524_288)
    assert cache.next_sample == 1  # the largest number drawn: the shortest gap
    heap, (cache,) = new_heap()
    heap.set_mem_profile_rate(524_288)
    assert cache.next_sample == int(26 * 0.6931471805599453 * 524_288) + 1


def test_a_freed_slot_is_used_again_only_after_the_sweep():
    heap, (cache,) = new_heap()
    things = [put(cache, 48) for _ in range(6)]
    dead = [things[1].value, things[4].value]
    assert put(cache, 48).value == things[5].value + 48
    sweep_all_but(heap, dead)
    check_heap(heap)
    assert [put(cache, 48).value for _ in range(3)] == [*dead, things[5].value + 96]
