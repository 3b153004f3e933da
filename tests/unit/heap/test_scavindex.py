"""heap.scavindex and giving pages back: the tables of Go's own tests.

Go: runtime/mgcscavenge_test.go TestScavengeIndex, TestPageAllocScavenge.
"""

import sys

import pytest

from goruntime.base.errors import Throw
from goruntime.heap.pagealloc import chunk_base, chunk_index
from goruntime.heap.pallocbits import CHUNK_BYTES
from goruntime.heap.scavindex import DENSE_PAGES, ScavChunk, ScavengeIndex, SearchAddress
from goruntime.heap.sizeclass import PAGE_SIZE

from .pages import BASE, FULL, N, make, page, state

EVERYTHING = sys.maxsize


def pieces(base, limit):
    """A range by chunk: (chunk, first page, count)."""
    while base < limit:
        end = min(limit, base // CHUNK_BYTES * CHUNK_BYTES + CHUNK_BYTES)
        yield chunk_index(base), base % CHUNK_BYTES // PAGE_SIZE, (end - base) // PAGE_SIZE
        base = end


class Marked:
    """An index of 64 chunks that were dense in the last generation, with nothing to give back."""

    def __init__(self, force):
        self.force = force
        self.index = index = ScavengeIndex()
        index.grow(chunk_base(BASE))
        whole = (page(0), page(64))
        for ci, _, n in pieces(*whole):
            index.alloc(ci, n)
        index.next_gen()
        for ci, i, n in pieces(*whole):
            index.free(ci, i, n)
            index.set_empty(ci)
        index.search_addr_bg, index.search_addr_force = SearchAddress(), SearchAddress()
        index.free_hwm = 0

    def mark(self, base, limit):
        for ci, _, n in pieces(base, limit):
            self.index.alloc(ci, n)
        for ci, i, n in pieces(base, limit):
            self.index.free(ci, i, n)
        self.index.check()

    def finds(self, ci, i=N - 1):
        assert self.index.find(self.force) == (BASE + ci, i)
        self.index.set_empty(BASE + ci)

    def finds_nothing(self):
        assert self.index.find(self.force) == (0, 0)


def down(first, last):
    """Whole chunks from the last to the first."""
    return [(ci, N - 1) for ci in range(last, first - 1, -1)]


# name -> (ranges that are marked, what is found then, in order)
INDEX = {
    "nothing": ([], []),
    "one page": ([(page(0, 3), page(0, 4))], [(0, 3)]),
    "first page": ([(page(0, 0), page(0, 1))], [(0, 0)]),
    "several pages": ([(page(0, 9), page(0, 14))], [(0, 13)]),
    "whole chunk": ([(page(0), page(1))], [(0, N - 1)]),
    "last page": ([(page(0, N - 1), page(1))], [(0, N - 1)]),
    "seven chunks, not aligned": ([(page(6, 11), page(13, 15))], [(13, 14), *down(6, 12)]),
    "32 chunks": ([(page(0), page(32))], down(0, 31)),
    "32 chunks from the fourth": ([(page(3), page(35))], down(3, 34)),
    "each of 32 chunks": ([(page(i), page(i + 1)) for i in range(32)], down(0, 31)),
    "a chunk, twice": ([(page(0), page(1))] * 2, [(0, N - 1)]),
    "32 chunks, twice": ([(page(0), page(32))] * 2, down(0, 31)),
    "ranges that overlap": ([(page(4), page(31)), (page(5), page(36))], down(4, 35)),
    "two chunks": ([(page(0, 128), page(1, 128))], [(1, 127), (0, N - 1)]),
    "two chunks, not aligned": ([(page(7, 128), page(8, 129))], [(8, 128), (7, N - 1)]),
}


@pytest.mark.parametrize("name", INDEX)
def test_in_the_background_it_is_found_in_the_next_generation(name):
    ranges, found = INDEX[name]
    made = Marked(force=False)
    for base, limit in ranges:
        made.mark(base, limit)
    made.finds_nothing()
    made.index.next_gen()
    for ci, i in found:
        made.finds(ci, i)
    made.finds_nothing()


@pytest.mark.parametrize("name", INDEX)
def test_with_force_it_is_found_at_once(name):
    ranges, found = INDEX[name]
    made = Marked(force=True)
    for base, limit in ranges:
        made.mark(base, limit)
    for ci, i in found:
        made.finds(ci, i)
    made.finds_nothing()


@pytest.mark.parametrize("force", [False, True])
def test_marking_and_finding_in_turn(force):
    made = Marked(force)
    for ci in range(32):
        made.mark(page(ci), page(ci + 1))
        if not force:
            made.index.next_gen()
        made.finds(ci)
    made.finds_nothing()


def test_a_dense_chunk_is_left_alone_for_two_generations():
    chunk = ScavChunk()
    chunk.alloc(DENSE_PAGES, 0)
    chunk.free(10, 0)
    assert chunk.should_scavenge(0, False)
    chunk.alloc(10, 0)  # dense when the generation ends
    chunk.free(100, 1)
    assert not chunk.should_scavenge(1, False)
    assert chunk.should_scavenge(1, True)
    assert chunk.should_scavenge(2, False)


def test_a_full_chunk_has_nothing_to_give():
    chunk = ScavChunk()
    chunk.free(0, 0)
    chunk.alloc(N, 0)
    assert not chunk.should_scavenge(0, True)


def test_more_pages_than_a_chunk_has():
    chunk = ScavChunk()
    with pytest.raises(Throw, match="too many pages"):
        chunk.alloc(N + 1, 0)
    with pytest.raises(Throw, match="below zero"):
        chunk.free(1, 0)


def test_a_search_does_not_go_past_memory_that_was_freed_meanwhile():
    cursor = SearchAddress()
    cursor.store_marked(100)
    cursor.store_min(50)
    cursor.clear()
    assert cursor.load() == (100, True)
    cursor.store_unmark(70, 60)  # another one's mark
    assert cursor.load() == (100, True)
    cursor.store_unmark(100, 60)
    assert cursor.load() == (60, False)
    cursor.store_min(80)
    assert cursor.load() == (60, False)
    cursor.clear()
    assert cursor.load() == (0, False)


def test_check_finds_an_impossible_chunk():
    made = Marked(force=True)
    made.index.chunks[BASE].in_use = N + 1
    with pytest.raises(Throw, match="impossible chunk"):
        made.index.check()


# Giving back: name -> (taken, scavenged before, [(pages asked for, pages given back)], scavenged after)
SCAVENGE = {
    "all free": ({0: [], 1: [], 2: []}, {}, [(EVERYTHING, 3 * N)], {0: FULL, 1: FULL, 2: FULL}),
    "nothing": ({0: FULL, 1: [], 2: FULL}, {1: FULL}, [(EVERYTHING, 0)], {1: FULL}),
    "highest page first": ({0: []}, {0: [(1, N - 2)]}, [(1 / PAGE_SIZE, 1)], {0: [(1, N - 1)]}),
    "twice": ({0: []}, {0: [(1, N - 2)]}, [(1, 1), (1, 1)], {0: FULL}),
    "from two chunks": (
        {0: [], 1: []}, {0: [(1, N - 2)], 1: [(0, N - 2)]}, [(2, 2), (1, 1), (1, 1)], {0: FULL, 1: FULL},
    ),
    "apart": (
        {0: [], 0xE: []}, {0: [(1, N - 2)], 0xE: [(2, N - 2)]},
        [(2, 2), (EVERYTHING, 2), (EVERYTHING, 0)], {0: FULL, 0xE: FULL},
    ),
    "far apart": (
        {0: [], 0x1000: []}, {}, [(EVERYTHING, 2 * N), (EVERYTHING, 0)], {0: FULL, 0x1000: FULL},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SCAVENGE)
def test_giving_back(name):
    taken, before, requests, after = SCAVENGE[name]
    pages = make(taken, before)
    for wanted, given in requests:
        assert pages.scavenge(int(wanted * PAGE_SIZE), None, True) == given * PAGE_SIZE
        pages.check()
    assert state(pages) == state(make(taken, after))


def test_giving_back_stops_when_it_should():
    pages = make({0: [], 1: []}, {})
    assert pages.scavenge(EVERYTHING, lambda: True, True) == N * PAGE_SIZE
