"""check_heap finds what is broken on purpose: every one of its complaints, and those of spans, mcaches and pages."""

import inspect
import re

import pytest

from goruntime.base.errors import FatalError, Throw
from goruntime.heap import check, mcache, span
from goruntime.heap.check import check_heap
from goruntime.heap.sizeclass import PAGE_SIZE, make_span_class, small_span_class
from goruntime.heap.span import EMPTY_SPAN, Span
from goruntime.heap.sweep import begin_cycle, sweep_all_but

from . import firstfit
from .world import Thing, new_heap, put

SPC = small_span_class(352, True)  # 22 slots
OTHER = small_span_class(352, False)
LARGE = make_span_class(0, True)


class Careless(firstfit.FirstFitPages):
    """Pages without a check of their own."""

    __slots__ = ()

    def check(self):
        """Whatever it is, it is all right."""


class World:
    """Two Ps and something of everything: cached, partial and full spans, a large object, tiny ones, interior words."""

    def __init__(self):
        self.heap, (self.p0, self.p1) = new_heap(procs=2)
        self.things = [put(self.p0, 352) for _ in range(50)]  # two full spans, and 6 of 22 slots
        self.others = [put(self.p1, 352) for _ in range(5)]
        put(self.p1, 352, ptrdata=8)
        self.large = put(self.p0, 100_000)
        self.tiny = [put(self.p0, 5) for _ in range(4)]
        self.p1.mem.add_interior(self.large.value, self.large.value + 64 | 3 << 48, Thing())
        sweep_all_but(self.heap, [self.things[3].value, self.things[7].value])  # a partial span, others are uncached
        self.mine = put(self.p0, 352)  # fetches one of them
        self.theirs = put(self.p1, 352)
        check_heap(self.heap)

    @property
    def central(self):
        return self.heap.central[SPC]

    @property
    def cached(self):
        """The span of 352 bytes that P0 holds."""
        return self.p0.alloc[SPC]

    @property
    def full(self):
        return next(iter(self.central.full_swept()))

    @property
    def partial(self):
        return next(iter(self.central.partial_swept()))


def unfinished():
    """A world in the middle of a sweep."""
    world = World()
    begin_cycle(world.heap, [world.things[30].value])
    check_heap(world.heap)
    return world


BREAKAGES = {}


def breaks(text, where=check):
    """The decorated function breaks a world so that this is said."""

    def note(function):
        BREAKAGES[function.__name__] = (function, text, where)
        return function

    return note


# Slots.


@breaks("span: the window is not the next free slots", span)
def a_slot_is_handed_out_twice(w):
    w.cached.window.append(w.cached.window[-1])


@breaks("span: alloc_count is not the number of slots that are taken", span)
def a_slot_that_is_taken_lies_ready(w):
    w.cached.window[-1] = w.cached.object_address(w.cached.freeindex - 1)


@breaks("span: alloc_count is not the number of slots that are taken", span)
def a_slot_is_given_back_without_being_counted(w):
    w.full.alloc_bits ^= 1 << 4
    w.full.first_free = w.full.window_end = 0


@breaks("span: the window is not the next free slots", span)
def a_free_slot_is_passed_over(w):
    del w.cached.window[-2]
    w.cached.window_size -= 1


@breaks("span: the window holds no slot's address", span)
def the_window_holds_half_a_slot(w):
    w.cached.window[0] += 8


@breaks("span: alloc_count is not the number of slots that are taken", span)
def a_count_is_wrong(w):
    w.cached.taken_before += 1


@breaks("span: alloc_count is not the number of slots that are taken", span)
def a_bit_is_lost(w):
    """A slot that was taken before the last sweep is free all of a sudden."""
    span = w.partial
    span.alloc_bits &= span.alloc_bits - 1 if span.alloc_bits & 1 and span.freeindex == 0 else ~(1 << 21)


@breaks("check_heap: a handle of a slot that is free")
def a_bit_is_lost_and_the_count_agrees(w):
    span = w.partial
    lowest = span.alloc_bits & -span.alloc_bits
    span.put_bits(span.alloc_bits ^ lowest)
    w.heap.counts.small_free_count[SPC >> 1] += 1


@breaks("span: bits behind the last slot", span)
def a_mark_bit_is_beyond_the_end(w):
    w.full.inline_marks = 1 << w.full.nelems


@breaks("span: wrong number of slots", span)
def a_span_is_of_another_class(w):
    w.full.nelems += 1


@breaks("span: freeindex out of range", span)
def freeindex_is_beyond_the_end(w):
    w.full.first_free = w.full.window_end = w.full.nelems + 1


@breaks("span: not at the beginning of a page", span)
def a_span_has_moved(w):
    w.full.base += 8


@breaks("span: slots in a span without objects", span)
def a_span_of_stacks_has_slots(w):
    stack = w.heap.mheap.alloc_manual(4)
    stack.window.append(stack.base)


# Where spans are.


@breaks("check_heap: two Ps hold one span")
def a_span_is_in_two_mcaches(w):
    w.p1.alloc[SPC] = w.cached


@breaks("check_heap: a span is in two places")
def a_span_is_in_an_mcache_and_in_the_set(w):
    span = w.cached
    w.p0.cut_windows()
    w.central.partial_swept().push(span)


@breaks("check_heap: a span is in two places")
def a_span_is_in_a_set_twice(w):
    w.central.full_swept().push(w.full)


@breaks("check_heap: a swept set holds a span that is none of its own")
def a_span_is_in_a_set_of_another_class(w):
    w.heap.central[OTHER].full_swept().push(w.central.full_swept().pop())


@breaks("check_heap: a span is in the set of those without free slots, and has some, or the reverse")
def a_full_span_is_among_the_partial_ones(w):
    w.central.partial_swept().push(w.central.full_swept().pop())


@breaks("check_heap: a span is not where its sweepgen says")
def a_span_is_lost(w):
    assert w.central.full_swept().pop()


@breaks("check_heap: a span is not where its sweepgen says")
def a_span_of_an_mcache_says_that_it_is_in_a_set(w):
    w.p0.alloc[SPC] = EMPTY_SPAN


@breaks("check_heap: a span in a set is not in use")
def a_span_that_was_freed_is_still_in_a_set(w):
    stray = Span()
    stray.spanclass = SPC
    stray.nelems = 22
    stray.taken_before = 22
    w.central.full_swept().push(stray)


@breaks("check_heap: a span without objects was not given back")
def an_empty_span_is_kept(w):
    empty = w.heap.mheap.alloc(1, SPC, None)
    w.central.partial_swept().push(empty)


@breaks("check_heap: sweeping is done, but not of every span")
def the_sweeper_stops_early(_):
    w = unfinished()
    w.heap.is_sweep_done = True
    return w


@breaks("check_heap: a span is in two places")
def an_unswept_span_is_in_a_set_twice(_):
    w = unfinished()
    w.central.full_unswept().push(next(iter(w.central.full_unswept())))
    return w


@breaks("check_heap: an unswept set holds a span that is none of its own")
def an_unswept_span_is_in_the_wrong_set(_):
    w = unfinished()
    w.central.partial_unswept().push(w.central.full_unswept().pop())
    return w


# Pages.


@breaks("check_heap: two spans of one address")
def two_spans_have_one_address(w):
    twin = Span()
    twin.init(w.full.base, 1)
    twin.init_heap(SPC, w.heap.sweepgen)
    w.heap.mheap.allspans.append(twin)
    w.heap.mheap.__class__ = Careless


@breaks("check_heap: spans overlap")
def two_spans_overlap(w):
    large = w.heap.mheap.span_of(w.large.value)
    within = Span()
    within.init(large.base + PAGE_SIZE, 1)
    within.init_heap(SPC, w.heap.sweepgen)
    w.heap.mheap.allspans.append(within)
    w.heap.mheap.__class__ = Careless


@breaks("check_heap: an address of a span leads elsewhere")
def an_address_leads_to_another_span(w):
    owners = w.heap.mheap.owners
    here, there = ((s.base - firstfit.ARENA_START) // PAGE_SIZE for s in (w.full, w.cached))
    owners[here] = owners[there]


@breaks("pages: lost or doubled", firstfit)
def a_page_is_lost(w):
    w.heap.mheap.is_used[-1] = 1


@breaks("pages: a free page below the search address", firstfit)
def a_free_page_is_out_of_sight(w):
    w.heap.mheap.search = len(w.heap.mheap.is_used)


# Handles.


@breaks("check_heap: a handle of memory without objects")
def a_handle_of_a_free_page(w):
    w.heap.mem[w.heap.mheap.mapped_bytes() + firstfit.ARENA_START - PAGE_SIZE] = Thing()


@breaks("check_heap: a handle of memory without objects")
def a_span_is_freed_under_its_objects(w):
    full = w.central.full_swept().pop()
    w.heap.mheap.free_span(full)


@breaks("check_heap: a handle is not at the beginning of its slot")
def a_handle_in_the_middle_of_an_object(w):
    w.heap.mem[w.mine.value + 8] = Thing()


@breaks("check_heap: a handle of a slot that is free")
def a_handle_of_a_slot_that_nobody_took(w):
    w.heap.mem[w.cached.window[0]] = Thing()


@breaks("check_heap: a handle of a slot that is free")
def a_slot_is_freed_and_its_handle_stays(w):
    """As if the sweeper forgot the handle."""
    address = w.full.object_address(4)
    handle = w.heap.mem[address]
    sweep_all_but(w.heap, [address])
    w.heap.mem[address] = handle


@breaks("check_heap: an interior word is listed twice, or not in the table")
def an_interior_word_leads_nowhere(w):
    w.heap.mem.interiors[w.large.value].append(w.large.value + 72 | 3 << 48)


@breaks("check_heap: an interior word points out of its object")
def an_interior_word_of_another_object(w):
    w.heap.mem.add_interior(w.mine.value, w.mine.value + 400 | 3 << 48, Thing())


# Counts.


@breaks("check_heap: objects of a size class are miscounted")
def an_object_is_counted_twice(w):
    w.heap.counts.small_alloc_count[SPC >> 1] += 1


@breaks("check_heap: large objects are miscounted")
def a_large_object_is_not_counted(w):
    w.heap.counts.large_alloc_count -= 1


@breaks("check_heap: bytes of large objects are miscounted")
def a_large_object_is_counted_with_its_size_asked_for(w):
    w.heap.counts.large_alloc += 100_000 - 13 * PAGE_SIZE


@breaks("check_heap: bytes are miscounted")
def bytes_of_a_span_are_counted_twice(w):
    w.heap.total_alloc += 352


# mcaches.


@breaks("mcache: span of another class", mcache)
def an_mcache_holds_a_span_of_another_class(w):
    w.p0.alloc[OTHER] = w.cached


@breaks("mcache: span is not cached", mcache)
def an_mcache_holds_a_span_that_was_given_back(w):
    w.cached.sweepgen = w.heap.sweepgen


@breaks("mcache: the empty span has slots", mcache)
def somebody_allocates_from_the_empty_span(w):
    EMPTY_SPAN.window.append(1)


@breaks("mcache: tiny block is no slot that is taken", mcache)
def the_tiny_block_is_a_free_slot(w):
    put(w.p0, 5)
    w.p0.tiny = w.p0.alloc[5].window[0]


@breaks("mcache: tiny offset out of range", mcache)
def the_tiny_block_is_more_than_full(w):
    w.p0.tiny_offset = 17


@pytest.mark.parametrize("name", BREAKAGES)
def test_finds(name):
    function, text, _ = BREAKAGES[name]
    world = World()
    world = function(world) or world
    try:
        with pytest.raises(Throw, match=re.escape(text)):
            check_heap(world.heap)
    finally:
        EMPTY_SPAN.window.clear()


@pytest.mark.parametrize("module", [check, mcache, firstfit, span])
def test_nothing_is_checked_that_cannot_be_found(module):
    """Each complaint of a check is heard in a test above."""
    if module is check:
        source = inspect.getsource(check)
    else:
        classes = {mcache: mcache.MCache, firstfit: firstfit.FirstFitPages, span: Span}
        source = inspect.getsource(classes[module].check) + inspect.getsource(
            getattr(classes[module], "_check_window", test_finds)
        )
    complaints = set(re.findall(r'throw\("([^"]+)"\)', source))
    assert complaints == {text for _, text, where in BREAKAGES.values() if where is module}


def test_a_sound_heap_is_sound_at_every_step():
    world = World()
    for thing in [*world.things[10:40], world.large]:
        put(world.p0, 352)
        put(world.p1, 48, ptrdata=48)
        sweep_all_but(world.heap, [thing.value])
        check_heap(world.heap)


def test_a_freed_handle_is_of_no_use():
    """A collector that frees what is still held does not go unnoticed: the first use says so."""
    world = World()
    thing = world.things[10]
    sweep_all_but(world.heap, [thing.value])
    for use in (lambda: thing.value, lambda: setattr(thing, "value", 1), lambda: repr(thing), lambda: thing == thing):
        with pytest.raises(FatalError, match="use of freed object of type Thing"):
            use()
