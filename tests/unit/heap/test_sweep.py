"""Sweeping: slots come back in address order, spans go where they belong, lazily or at once."""

from __future__ import annotations

import pytest

from goruntime.base.errors import FatalError, Throw
from goruntime.base.events import SPAN_SWEEP
from goruntime.heap.check import check_heap
from goruntime.heap.mcentral import SPAN_BUDGET, try_acquire
from goruntime.heap.sizeclass import PAGE_SIZE, SPAN_CLASS_TO_SLOTS, small_span_class
from goruntime.heap.span import DEAD, EMPTY_SPAN
from goruntime.heap.sweep import begin_cycle, finish_sweep, start_sweep, sweep_all_but, sweep_one, sweep_span

from .world import Thing, new_heap, put, take

SPAN_48 = small_span_class(48, True)
SLOTS_48 = SPAN_CLASS_TO_SLOTS[SPAN_48]


def test_freed_slots_are_counted_and_their_span_needs_zeroing():
    heap, (cache,) = new_heap()
    things = [put(cache, 48) for _ in range(5)]
    span = cache.alloc[SPAN_48]
    sweep_all_but(heap, [things[0].value, things[3].value])
    assert heap.counts.small_free_count[5] == 2
    assert heap.total_free == 96
    assert (span.alloc_count, span.freeindex, span.needzero, span.alloc_bits) == (3, 0, True, 0b10110)
    assert heap.heap_live == 3 * 48
    check_heap(heap)


def test_a_sweep_that_frees_nothing_leaves_memory_zero():
    heap, (cache,) = new_heap()
    put(cache, 48)
    span = cache.alloc[SPAN_48]
    sweep_all_but(heap, [])
    assert not span.needzero
    check_heap(heap)


def test_a_span_without_objects_goes_back_to_the_page_heap():
    heap, (cache,) = new_heap()
    things = [put(cache, 48) for _ in range(SLOTS_48 + 1)]
    address = things[0].value
    span = heap.mheap.span_of(address)
    sweep_all_but(heap, [thing.value for thing in things])
    assert span.state == DEAD
    assert heap.mheap.span_of(address) is None
    check_heap(heap)
    assert put(cache, 24).value == address  # the page serves another class now


def test_large_objects():
    heap, (cache,) = new_heap()
    kept, gone = put(cache, 100_000), put(cache, 50_000, 8)
    sweep_all_but(heap, [gone.value])
    assert (heap.counts.large_free_count, heap.counts.large_free) == (1, 7 * PAGE_SIZE)
    assert heap.mem[kept.value] is kept
    check_heap(heap)
    assert put(cache, 56_000).value == kept.value + 13 * PAGE_SIZE


def test_the_handle_of_a_freed_object_refuses_every_use():
    heap, (cache,) = new_heap()
    thing = put(cache, 48)
    sweep_all_but(heap, [thing.value])
    for use in (lambda: thing.value, lambda: setattr(thing, "value", 1), lambda: repr(thing), lambda: thing == 1):
        with pytest.raises(FatalError, match="fatal error: use of freed object of type Thing"):
            use()


def test_a_tiny_block_lives_as_long_as_any_object_in_it():
    heap, (cache,) = new_heap()
    things = [put(cache, 5) for _ in range(3)]
    words = [thing.value for thing in things]
    assert {word & -16 for word in words} == {words[0]}
    sweep_all_but(heap, [])
    check_heap(heap)
    sweep_all_but(heap, [words[1]])
    check_heap(heap)
    assert len(heap.mem) == 1
    assert put(cache, 16).value == words[0]


def test_who_needs_a_slot_sweeps_spans_with_room_first_then_full_ones():
    heap, (cache,) = new_heap()
    things = [put(cache, 48) for _ in range(3 * SLOTS_48)]
    take(cache, SPAN_48)  # a fourth span, with room
    spans = [heap.mheap.span_of(things[n * SLOTS_48].value) for n in range(3)]
    heap.flush_all()
    begin_cycle(heap, [things[SLOTS_48 + 7].value])
    cache.prepare_for_sweep()
    fourth = take(cache, SPAN_48)
    assert fourth // PAGE_SIZE == things[-1].value // PAGE_SIZE + 1
    assert [span.sweepgen for span in spans] == [heap.sweepgen - 2] * 3
    while cache.alloc[SPAN_48].alloc_count < SLOTS_48:
        take(cache, SPAN_48)
    assert take(cache, SPAN_48) == spans[1].base + 7 * 48
    assert cache.alloc[SPAN_48].freeindex == 8
    finish_sweep(heap)
    check_heap(heap)


def test_who_needs_a_slot_sweeps_no_more_than_its_budget():
    heap, (cache,) = new_heap()
    for _ in range((SPAN_BUDGET + 20) * 8):
        put(cache, 1024)
    heap.flush_all()
    begin_cycle(heap, [])
    cache.prepare_for_sweep()
    take(cache, small_span_class(1024, True))
    unswept = sum(span.sweepgen == heap.sweepgen - 2 for span in heap.mheap.allspans)
    assert unswept == 20 - 1  # budget 100 counts down to 0, and 0 is swept too
    finish_sweep(heap)
    check_heap(heap)


def test_a_span_that_somebody_swept_and_left_in_its_unswept_set_is_passed_over():
    heap, (cache,) = new_heap()
    things = [put(cache, 48) for _ in range(2 * SLOTS_48)]
    address = things[0].value
    first = heap.mheap.span_of(address)
    heap.flush_all()
    begin_cycle(heap, [address])
    cache.prepare_for_sweep()
    assert try_acquire(heap, first)
    assert not try_acquire(heap, first)
    from_set = heap.central[SPAN_48].full_unswept()
    assert first in list(from_set)
    sweep_span(heap, first, preserve=False)
    check_heap(heap)
    while sweep_one(heap) is not None:
        check_heap(heap)
    assert heap.is_sweep_done
    assert take(cache, SPAN_48) == address


def test_a_stale_span_is_swept_by_the_p_that_holds_it():
    heap, (cache,) = new_heap()
    things = [put(cache, 48) for _ in range(4)]
    span = cache.alloc[SPAN_48]
    begin_cycle(heap, [things[2].value])
    assert span.sweepgen == heap.sweepgen + 1
    check_heap(heap)
    live = heap.heap_live
    cache.prepare_for_sweep()
    assert cache.alloc[SPAN_48] is EMPTY_SPAN
    assert span.sweepgen == heap.sweepgen
    assert heap.heap_live == live  # computed anew when the marking ended: nothing to put right
    assert cache.flush_gen == heap.sweepgen
    finish_sweep(heap)
    check_heap(heap)
    assert take(cache, SPAN_48) == things[0].value + 96


def test_an_allocation_between_marking_and_sweeping_would_lose_its_object_without_the_flush():
    """A P that allocates from a stale span breaks the heap, and the sweeper says so."""
    heap, (cache,) = new_heap()
    put(cache, 48)
    begin_cycle(heap, [])
    take(cache, SPAN_48)
    with pytest.raises(Throw, match="somebody allocates from the span|found pointer"):
        heap.central[SPAN_48].uncache_span(cache.alloc[SPAN_48])


def test_the_next_cycle_cannot_begin_before_this_sweep_is_done():
    heap, (cache,) = new_heap()
    put(cache, 48)
    begin_cycle(heap, [])
    with pytest.raises(Throw, match="sweep starts before"):
        start_sweep(heap)
    finish_sweep(heap)
    start_sweep(heap)


def test_a_marked_free_slot_is_found():
    heap, (cache,) = new_heap()
    put(cache, 48)
    span = cache.alloc[SPAN_48]
    heap.flush_all()
    span.set_marked(9)
    start_sweep(heap)
    with pytest.raises(Throw, match="found pointer to free object"):
        sweep_one(heap)


def test_the_test_hook_refuses_addresses_without_an_object():
    heap, (cache,) = new_heap()
    thing = put(cache, 48)
    for address in (thing.value + 48, 0x1000, thing.value + PAGE_SIZE):
        with pytest.raises(ValueError, match="no object at 0x"):
            sweep_all_but(heap, [address])


def test_each_swept_span_is_told_of():
    heap, (cache,) = new_heap()
    things = [put(cache, 48) for _ in range(3)]
    told = []
    heap.emit = lambda *event: told.append(event)
    sweep_all_but(heap, [things[1].value])
    assert told == [(SPAN_SWEEP, things[0].value, 1, 1, 48)]


def test_the_users_destructors_run_after_the_sweep():
    class Loud(Thing):
        __slots__ = ()

        def __del__(self) -> None:
            if type(self).__name__ == "Loud":
                return
            order.append(heap.is_sweep_done)

    order: list[bool] = []
    heap, (cache,) = new_heap()
    thing = put(cache, 48)
    cache.mem[thing.value] = Loud()
    sweep_all_but(heap, [thing.value])
    assert order == [True]
    check_heap(heap)
