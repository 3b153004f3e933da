"""The heap against a naive model: a list of objects that are alive, each with the bytes that are its own.

Several Ps allocate by every path, come and go, give their spans back; objects die, and their slots are freed by the
sweeper: lazily by who needs a slot, or one span after the other. After each step check_heap proves the heap's own
books, and the model says whether any object lost a byte, and whether memory came back.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from goruntime.base.errors import FatalError
from goruntime.heap.check import check_heap
from goruntime.heap.heap import MARKING, WATCHED
from goruntime.heap.mheap import NO_GOAL, MHeap
from goruntime.heap.sizeclass import MALLOC_HEADER_SIZE, PAGE_SIZE, has_malloc_header, round_up_size
from goruntime.heap.snapshot import take_shot
from goruntime.heap.sweep import begin_cycle, finish_sweep, sweep_one
from goruntime.heap.sysmem import OutOfMemory
from tests.unit.heap.world import Thing, new_heap, put

PAGES = 1024  # that the kernel gives: two chunks
ROOM = 100 << 20  # for the kernel's tables and one arena
LIMIT = 6 << 20  # of what is Ready: the tables take 2 MiB of it
SIZES = st.sampled_from([1, 2, 3, 5, 8, 12, 15, 16, 24, 48, 500, 512, 520, 1016, 4096, 8192, 20_000, 32_760, 40_000])


class Owned:
    """What the model knows of one object."""

    def __init__(self, thing: Thing, size: int, is_scan: bool) -> None:
        self.thing = thing
        self.address = thing.value
        header = MALLOC_HEADER_SIZE if size <= 32_760 and has_malloc_header(size, not is_scan) else 0
        is_tiny = size < 16 and not is_scan
        self.start = self.address - header
        self.end = self.address + (size if is_tiny else round_up_size(size, not is_scan))
        self.slot = self.address & -16 if is_tiny else self.start
        self.slot_size = 16 if is_tiny else self.end - self.start

    def is_freed(self) -> bool:
        try:
            return self.thing.value != self.address
        except FatalError:
            return True


class HeapMachine(RuleBasedStateMachine):
    """Rules are what the Ps, the collector and the world do; two to four Ps. Pages are found by the plain first fit."""

    make: Any = None

    def __init__(self) -> None:
        super().__init__()
        self.heap, self.caches = new_heap(2, limit=PAGES, make=self.make)
        self.alive: list[Owned] = []
        self.dying: list[Owned] = []  # not marked in this cycle: theirs to lose until the sweep is done

    # Steps.

    @rule(place=st.integers(0, 3), size=SIZES, is_scan=st.booleans(), count=st.integers(1, 12))
    def allocate(self, place: int, size: int, is_scan: bool, count: int) -> None:
        """One P makes objects of a size."""
        cache = self.caches[place % len(self.caches)]
        cache.prepare_for_sweep()  # as in Go, where a P does that before it allocates after a marking
        for _ in range(count):
            try:
                thing = put(cache, size, size if is_scan else 0)
            except OutOfMemory:
                return
            self._take_in(Owned(thing, size, is_scan))

    def _take_in(self, new: Owned) -> None:
        for other in self.alive:
            assert new.end <= other.start or other.end <= new.start, "two objects overlap"
        for other in self.dying:
            if not (new.end <= other.start or other.end <= new.start):
                assert other.is_freed(), "a slot was given away before it was swept"
        self.alive.append(new)

    @rule(place=st.integers(0, 3), count=st.integers(1, 300))
    def allocate_many_small(self, place: int, count: int) -> None:
        """More than a window, and more than a span."""
        self.allocate(place, 48, True, count)

    @rule(data=st.data())
    def some_die(self, data: st.DataObject) -> None:
        """A marking ends that has not found some objects. A tiny one takes along all that share its slot."""
        if not self.heap.is_sweep_done:
            self.finish()
        slots = sorted({owned.slot for owned in self.alive})
        how = data.draw(st.sampled_from(["few", "most", "all"]))
        if how == "all":
            dead = set(slots)
        else:
            chosen = data.draw(st.sets(st.sampled_from(slots), max_size=12)) if slots else set()
            dead = chosen if how == "few" else set(slots) - chosen
        self.dying = [owned for owned in self.alive if owned.slot in dead]
        self.alive = [owned for owned in self.alive if owned.slot not in dead]
        begin_cycle(self.heap, sorted({owned.address for owned in self.dying}))

    @precondition(lambda self: not self.heap.is_sweep_done)
    @rule(count=st.integers(1, 5))
    def sweep_some(self, count: int) -> None:
        """The background sweeper; it is done only when no P has stale spans."""
        for cache in self.caches:
            cache.prepare_for_sweep()
        for _ in range(count):
            sweep_one(self.heap)
        self.heap.mem.bury()

    @precondition(lambda self: not self.heap.is_sweep_done)
    @rule()
    def finish(self) -> None:
        """Sweep everything: what was not marked is gone, and only that."""
        finish_sweep(self.heap)
        assert all(owned.is_freed() for owned in self.dying)
        self.dying = []

    @rule()
    def flush(self) -> None:
        """ReadMemStats: all spans go back, and the books are exact."""
        self.heap.flush_all()
        if self.heap.is_sweep_done:
            assert all(owned.is_freed() for owned in self.dying)
            self.dying = []
            in_slots = sum(size for _, size in {(owned.slot, owned.slot_size) for owned in self.alive})
            assert self.heap.total_alloc - self.heap.total_free == in_slots

    @precondition(lambda self: len(self.caches) < 4)
    @rule()
    def another_p(self) -> None:
        """GOMAXPROCS grows."""
        self.caches.append(self.heap.new_cache())

    @precondition(lambda self: len(self.caches) > 1)
    @rule(place=st.integers(0, 3))
    def a_p_ends(self, place: int) -> None:
        """GOMAXPROCS shrinks."""
        cache = self.caches.pop(place % len(self.caches))
        cache.prepare_for_sweep()
        self.heap.free_cache(cache)

    @rule(reason=st.sampled_from([WATCHED, MARKING]), is_on=st.booleans())
    def watch(self, reason: int, is_on: bool) -> None:
        """Somebody must see every allocation, or no longer."""
        self.heap.allocate_one_by_one(reason, is_on)

    @rule(rate=st.sampled_from([0, 1, 4096]))
    def sample(self, rate: int) -> None:
        """The memory profile's rate."""
        self.heap.set_mem_profile_rate(rate)

    # What holds after each.

    @invariant()
    def books_agree(self) -> None:
        """The heap's own proof, and the model's: every living object has its handle."""
        check_heap(self.heap)
        mem = self.heap.mem
        for owned in self.alive:
            assert mem[owned.address] is owned.thing
            assert owned.thing.value == owned.address
        waiting = sum(not owned.is_freed() for owned in self.dying)
        assert len(mem) == 1 + len(self.alive) + waiting

    @invariant()
    def held_by_one(self) -> None:
        """No two Ps hold one span."""
        held = [id(span) for cache in self.caches for span in cache.alloc if span.npages]
        assert len(held) == len(set(held))


HeapMachine.TestCase.settings = settings(max_examples=30, stateful_step_count=25, deadline=None)
TestHeap = pytest.mark.slow(HeapMachine.TestCase)


class TestHeapQuick(HeapMachine.TestCase):
    """A few examples of the same."""

    settings = settings(max_examples=4, stateful_step_count=15, deadline=None)


def little_memory() -> MHeap:
    """A page heap to which the kernel gives one arena; half of what it can be given is over the limit."""
    mheap = MHeap()
    mheap.memory.limit_bytes = mheap.memory.vm_size + ROOM
    mheap.memory_limit = LIMIT
    return mheap


class PagesMachine(HeapMachine):
    """The same on the real page heap, with a limit on what may be Ready, and a scavenger."""

    make = staticmethod(little_memory)

    @rule(npages=st.sampled_from([1, 16, 600, 3000]), is_forced=st.booleans())
    def scavenge(self, npages: int, is_forced: bool) -> None:
        """Free pages go back to the system."""
        pages = self.heap.mheap.pages
        before = self.heap.mheap.memory.ready_bytes
        released = pages.scavenge(npages * PAGE_SIZE, None, is_forced)
        assert self.heap.mheap.memory.ready_bytes == before - released

    @rule()
    def next_generation(self) -> None:
        """A cycle is over, as the scavenger counts them."""
        self.heap.mheap.pages.index.next_gen()

    @rule(goal=st.sampled_from([1 << 20, 8 << 20, NO_GOAL]))
    def heap_goal(self, goal: int) -> None:
        """How much of the heap is to be retained when it grows."""
        self.heap.mheap.gc_percent_goal = goal

    @invariant()
    def all_pages_are_somewhere(self) -> None:
        """Spans, free runs and what the Ps hold follow one another without a hole, from the first page to the last."""
        shot = take_shot(self.heap)
        parts = sorted([(s.base, s.page_count) for s in shot.spans] + [(r.base, r.page_count) for r in shot.runs])
        mapped = self.heap.mheap.pages.in_use.ranges
        assert sum(count for _, count in parts) * PAGE_SIZE == sum(limit - base for base, limit in mapped)
        for (base, count), (following, _) in pairwise(parts):
            assert base + count * PAGE_SIZE == following


PagesMachine.TestCase.settings = settings(max_examples=30, stateful_step_count=25, deadline=None)
TestPages = pytest.mark.slow(PagesMachine.TestCase)


class TestPagesQuick(PagesMachine.TestCase):
    """A few examples of the same."""

    settings = settings(max_examples=4, stateful_step_count=15, deadline=None)
