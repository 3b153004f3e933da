"""heap.pagealloc: the tables of Go's own tests of its page allocator, and any sequence against a naive one.

Go: runtime/mpagealloc_test.go TestPageAllocAlloc, TestPageAllocFree, TestPageAllocGrow, TestPageAllocExhaust,
TestPageAllocAllocAndFree.
"""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goruntime.base.errors import Throw
from goruntime.heap.pagealloc import (
    LEVEL_BITS,
    LEVEL_LOG_PAGES,
    LEVEL_SHIFT,
    PageAlloc,
    chunk_base,
    chunk_index,
    merge_summaries,
)
from goruntime.heap.pallocbits import CHUNK_BYTES, FREE_CHUNK_SUM, pack_sum, unpack_sum
from goruntime.heap.sizeclass import PAGE_SIZE

from .pages import BASE, BIG_JUMP, FULL, LAST_OF_PAGE, N, make, page, state

FAR = BIG_JUMP - (BASE & 511)  # BIG_JUMP from the first chunk whose summary shares BASE's physical page
OFF = 0x503  # further into a region of the address space than summaries are mapped

# name -> (taken before, scavenged before, [(pages asked for, address, scavenged pages in it)], taken after)
ALLOC = {
    "all free, 1": (
        {0: []}, {0: [(0, 1), (2, 2)]},
        [(1, page(0, 0), 1), (1, page(0, 1), 0), (1, page(0, 2), 1), (1, page(0, 3), 1), (1, page(0, 4), 0)],
        {0: [(0, 5)]},
    ),
    "many chunks, 1": (
        {0: FULL, 1: FULL, 2: [(0, N - 1)]}, {0: FULL, 1: FULL, 2: FULL},
        [(1, page(2, N - 1), 1)],
        {0: FULL, 1: FULL, 2: FULL},
    ),
    "not contiguous, 1": (
        {0: FULL, 0xFF: []}, {0: FULL, 0xFF: FULL},
        [(1, page(0xFF, 0), 1)],
        {0: FULL, 0xFF: [(0, 1)]},
    ),
    "all free, 2": (
        {0: []}, {0: [(0, 3), (7, 1)]},
        [(2, page(0, 0), 2), (2, page(0, 2), 1), (2, page(0, 4), 0), (2, page(0, 6), 1), (2, page(0, 8), 0)],
        {0: [(0, 10)]},
    ),
    "straddle, 2": (
        {0: [(0, N - 1)], 1: [(1, N - 1)]}, {0: [(N - 1, 1)], 1: []},
        [(2, page(0, N - 1), 1)],
        {0: FULL, 1: FULL},
    ),
    "all free, 5": (
        {0: []}, {0: [(0, 8), (9, 1), (17, 5)]},
        [(5, page(0, 0), 5), (5, page(0, 5), 4), (5, page(0, 10), 0), (5, page(0, 15), 3), (5, page(0, 20), 2)],
        {0: [(0, 25)]},
    ),
    "exhaust, chunk - 3": (
        {0: []}, {0: [(10, 1)]},
        [(N - 3, page(0, 0), 1), (N - 3, 0, 0), (1, page(0, N - 3), 0), (2, page(0, N - 2), 0), (1, 0, 0),
         (N - 3, 0, 0)],
        {0: FULL},
    ),
    "all free, chunk": (
        {0: []}, {0: [(0, 1), (N - 1, 1)]},
        [(N, page(0, 0), 2), (N, 0, 0), (1, 0, 0)],
        {0: FULL},
    ),
    "straddle, chunk + 1": (
        {0: [(0, N // 2)], 1: []}, {0: FULL, 1: FULL},
        [(N + 1, page(0, N // 2), N + 1), (N, 0, 0), (1, page(1, N // 2 + 1), 1)],
        {0: FULL, 1: [(0, N // 2 + 2)]},
    ),
    "all free, 2 chunks": (
        {0: [], 1: []}, {0: [], 1: []},
        [(2 * N, page(0, 0), 0), (2 * N, 0, 0), (1, 0, 0)],
        {0: FULL, 1: FULL},
    ),
    "not contiguous, 2 chunks": (
        {0: [], 0x40: [], 0x41: []}, {0: FULL, 0x40: [], 0x41: []},
        [(2 * N, page(0x40, 0), 0), (21, page(0, 0), 21), (1, page(0, 21), 1)],
        {0: [(0, 22)], 0x40: FULL, 0x41: FULL},
    ),
    "straddle, 5/4 of a chunk": (
        {0: FULL, 1: [(0, N * 3 // 4)], 2: [(0, N * 3 // 4)], 3: []},
        {0: FULL, 1: [(N // 2, N // 4 + 1)], 2: [(N // 3, 1)], 3: [(N * 2 // 3, 1)]},
        [(N * 5 // 4, page(2, N * 3 // 4), 1), (N * 5 // 4, 0, 0), (1, page(1, N * 3 // 4), 1)],
        {0: FULL, 1: [(0, N * 3 // 4 + 1)], 2: FULL, 3: FULL},
    ),
    "all free, 64": (
        {0: []}, {0: [(21, 1), (63, 65)]},
        [(64, page(0, 0), 2), (64, page(0, 64), 64), (64, page(0, 128), 0)],
        {0: [(0, 192)]},
    ),
    "all free, 65": (
        {0: []}, {0: [(129, 1)]},
        [(65, page(0, 0), 0), (65, page(0, 65), 1), (65, page(0, 130), 0)],
        {0: [(0, 195)]},
    ),
    "straddle, chunk": (
        {0: [(0, N // 2)], 1: [(N // 2, N // 2)]}, {0: [], 1: [(3, 100)]},
        [(N, page(0, N // 2), 100), (N, 0, 0), (1, 0, 0)],
        {0: FULL, 1: FULL},
    ),
    "all free, 7 chunks + 5": (
        {i: [] for i in range(8)},
        {0: [(50, 1)], 1: [(31, 1)], 2: [(7, 1)], 3: [(200, 1)], 4: [(3, 1)], 5: [(51, 1)], 6: [(20, 1)], 7: [(1, 1)]},
        [(7 * N + 5, page(0, 0), 8), (7 * N + 5, 0, 0), (1, page(7, 5), 0)],
        {**dict.fromkeys(range(7), FULL), 7: [(0, 6)]},
    ),
    "straddle, 2 chunks": (
        {0: [(0, N // 2)], 1: [], 2: [(N // 2, N // 2)]},
        {0: [(0, 7)], 1: [(3, 5), (121, 10)], 2: [(N // 2 + 12, 2)]},
        [(2 * N, page(0, N // 2), 15), (2 * N, 0, 0), (1, 0, 0)],
        {0: FULL, 1: FULL, 2: FULL},
    ),
    "a summary at the end of what is mapped": (
        {LAST_OF_PAGE: [], FAR: []}, {LAST_OF_PAGE: [], FAR: []},
        [(N - 1, page(LAST_OF_PAGE, 0), 0), (1, page(LAST_OF_PAGE, N - 1), 0), (1, page(FAR, 0), 0),
         (N - 1, page(FAR, 1), 0), (1, 0, 0)],
        {LAST_OF_PAGE: FULL, FAR: FULL},
    ),
    # Issue 40191 of Go: what the search takes for the next search address may lie where there is no heap.
    "a search address outside the heap": (
        {0: [(0, N - 1)], BIG_JUMP + OFF: [(0, N - 10), (N - 1, 1)], 2 * BIG_JUMP: []},
        {0: [], BIG_JUMP + OFF: [], 2 * BIG_JUMP: []},
        [(1, page(0, N - 1), 0), (100, page(2 * BIG_JUMP, 0), 0), (9, page(BIG_JUMP + OFF, N - 10), 0)],
        {0: FULL, BIG_JUMP + OFF: FULL, 2 * BIG_JUMP: [(0, 100)]},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ALLOC)
def test_allocating(name):
    before, scavenged, hits, after = ALLOC[name]
    pages = make(before, scavenged)
    for npages, address, count in hits:
        assert pages.alloc(npages) == (address, count * PAGE_SIZE)
        pages.check()
    assert state(pages) == state(make(after, scavenged))


# name -> (taken before, pages of each free, addresses, taken after)
FREE = {
    "1": ({0: FULL}, 1, [page(0, i) for i in range(5)], {0: [(5, N - 5)]}),
    "many chunks, 1": (
        {0: FULL, 1: FULL, 2: FULL}, 1, [page(0, N // 2), page(1, 0), page(2, N - 1)],
        {0: [(0, N // 2), (N // 2 + 1, N // 2 - 1)], 1: [(1, N - 1)], 2: [(0, N - 1)]},
    ),
    "2": ({0: FULL}, 2, [page(0, i) for i in range(0, 10, 2)], {0: [(10, N - 10)]}),
    "straddle, 2": ({0: [(N - 1, 1)], 1: [(0, 1)]}, 2, [page(0, N - 1)], {0: [], 1: []}),
    "5": ({0: FULL}, 5, [page(0, i) for i in range(0, 25, 5)], {0: [(25, N - 25)]}),
    "chunk": ({0: FULL}, N, [page(0, 0)], {0: []}),
    "straddle, chunk": ({0: [(N // 2, N // 2)], 1: [(0, N // 2)]}, N, [page(0, N // 2)], {0: [], 1: []}),
    "straddle, chunk + 1": (
        {0: FULL, 1: FULL}, N + 1, [page(0, N // 2)], {0: [(0, N // 2)], 1: [(N // 2 + 1, N // 2 - 1)]},
    ),
    "2 chunks": ({0: FULL, 1: FULL}, 2 * N, [page(0, 0)], {0: [], 1: []}),
    "straddle, 2 chunks": (
        {0: FULL, 1: FULL, 2: FULL}, 2 * N, [page(0, N // 2)], {0: [(0, N // 2)], 1: [], 2: [(N // 2, N // 2)]},
    ),
    "7 chunks + 5": (
        dict.fromkeys(range(8), FULL), 7 * N + 5, [page(0, 0)], {**{i: [] for i in range(7)}, 7: [(5, N - 5)]},
    ),
    "64": ({0: FULL}, 64, [page(0, 0), page(0, 64), page(0, 128)], {0: [(192, N - 192)]}),
    "65": ({0: FULL}, 65, [page(0, 0), page(0, 65), page(0, 130)], {0: [(195, N - 195)]}),
}  # fmt: skip


@pytest.mark.parametrize("name", FREE)
def test_freeing(name):
    before, npages, addresses, after = FREE[name]
    pages = make(before)
    for address in addresses:
        pages.free(address, npages)
        pages.check()
    assert state(pages) == state(make(after))


# name -> (chunks, ranges of chunks in use)
GROW = {
    "one": ([0], [(0, 1)]),
    "2 in a row": ([0, 1], [(0, 2)]),
    "5 in a row": ([0, 1, 2, 3, 4], [(0, 5)]),
    "apart": ([0, 2, 4], [(0, 1), (2, 3), (4, 5)]),
    "mixed": ([0, 1, 2, 4], [(0, 3), (4, 5)]),
    "wildly apart": ([0, 1, 0x10, 0x21], [(0, 2), (0x10, 0x11), (0x21, 0x22)]),
    "many apart": (list(range(0, 66, 2)), [(i, i + 1) for i in range(0, 66, 2)]),
    "extremely apart": ([0, BIG_JUMP], [(0, 1), (BIG_JUMP, BIG_JUMP + 1)]),
}


@pytest.mark.parametrize("name", GROW)
def test_growing(name):
    chunks, in_use = GROW[name]
    for order in (chunks, chunks[::-1]):
        pages = make({ci: [] for ci in order})
        assert pages.in_use.ranges == [(page(first), page(last)) for first, last in in_use]


@pytest.mark.parametrize("npages", [1, 2, 3, 4, 5, 8, 16, 64, 1024, 1025, 2048, 2049])
def test_allocating_until_nothing_is_left(npages):
    pages = make({i: [] for i in range(4)})
    count = 4 * N // npages
    for i in range(count):
        assert pages.alloc(npages)[0] == page(0, i * npages)
    assert pages.alloc(npages)[0] == 0
    taken = count * npages
    assert state(pages) == state(make({i: [(0, max(0, min(N, taken - i * N)))] for i in range(4)}))
    pages.check()


def test_allocating_and_freeing():
    pages = make({i: [] for i in range(8)})
    for npages in (8 * N, 8 * N, 8 * N, 1, 8 * N):
        assert pages.alloc(npages)[0] == page(0, 0)
        pages.check()
        pages.free(page(0, 0), npages)
        pages.check()


# The radix tree.


def test_the_levels_cover_the_address_space():
    assert LEVEL_BITS == (14, 3, 3, 3, 3)
    assert LEVEL_SHIFT == (34, 31, 28, 25, 22)
    assert LEVEL_LOG_PAGES == (21, 18, 15, 12, 9)


def test_a_sum_of_21_bits_for_each_count_and_one_bit_for_all_free():
    assert unpack_sum(pack_sum(1, 2, 3)) == (1, 2, 3)
    assert pack_sum(1, 2, 3) == 1 | 2 << 21 | 3 << 42
    assert pack_sum(1 << 21, 1 << 21, 1 << 21) == 1 << 63
    assert unpack_sum(1 << 63) == (1 << 21, 1 << 21, 1 << 21)


@given(st.lists(st.lists(st.booleans(), min_size=4, max_size=4), min_size=1, max_size=8))
@settings(max_examples=80, deadline=None)
def test_merged_summaries_are_the_summary_of_all(parts):
    def summary(free):
        runs = "".join("1" if f else "0" for f in free).split("0")
        return pack_sum(len(runs[0]), max(map(len, runs)), len(runs[-1]))

    merged = merge_summaries([summary(part) for part in parts], 2)
    assert merged == summary([free for part in parts for free in part])


def test_a_chunk_is_made_when_it_is_touched():
    pages = PageAlloc()
    pages.grow(page(0), 1000 * CHUNK_BYTES)
    assert not pages.chunks
    assert pages.alloc(3) == (page(0), 3 * PAGE_SIZE)
    assert list(pages.chunks) == [BASE]
    pages.check()
    with pytest.raises(Throw, match="not in the heap"):
        pages.chunk_of(BASE - 1)


def test_a_long_run_across_the_boundary_of_a_root_entry():
    per_root = 1 << LEVEL_SHIFT[0] - LEVEL_SHIFT[-1]
    start = -BASE % per_root  # the first chunk of a root entry, counted from BASE
    pages = make({start - 1: [(0, N - 1)], start: []})
    assert pages.alloc(N)[0] == page(start - 1, N - 1)
    pages.check()


# What check finds.


def test_check_finds_a_summary_that_is_wrong():
    pages = make({0: [(0, 3)]})
    pages.chunk_of(BASE).bits |= 1 << 9
    with pytest.raises(Throw, match="not that of its chunk"):
        pages.check()


def test_check_finds_a_level_that_is_wrong():
    pages = make({0: [(0, 3)]})
    pages.summary[2][BASE >> 6] = FREE_CHUNK_SUM
    with pytest.raises(Throw, match="not the sum"):
        pages.check()


def test_check_finds_a_free_page_below_the_search_address():
    pages = make({0: [(0, 3)]})
    pages.search_addr = page(0, 4)
    with pytest.raises(Throw, match="below search_addr"):
        pages.check()


def test_check_finds_a_search_address_outside_the_heap():
    pages = make({0: FULL})
    pages.search_addr = page(1)
    with pytest.raises(Throw, match="search_addr is not in the heap"):
        pages.check()


def test_check_finds_a_summary_without_a_chunk():
    pages = make({0: FULL})
    pages.summary[-1][BASE + 1] = FREE_CHUNK_SUM
    with pytest.raises(Throw, match="no chunk of the heap"):
        pages.check()


def test_check_finds_that_the_index_counts_other_pages():
    pages = make({0: [(0, 3)]})
    pages.index.alloc(BASE, 1)
    with pytest.raises(Throw, match="counts other pages"):
        pages.check()


def test_a_search_that_the_summaries_lead_astray_throws():
    pages = make({0: [(0, 3)], 1: []})
    pages.chunk_of(BASE).bits = (1 << N) - 1
    with pytest.raises(Throw, match="bad summary data"):
        pages.alloc(1)


# Any sequence against a list of pages.

CHUNKS = (0, 1, 3)  # a hole between, so that runs end there


class Naive:
    """A list of pages, taken or not, scavenged or not, looked at from the lowest address."""

    def __init__(self):
        self.pages = {page(ci, i): [False, True] for ci in CHUNKS for i in range(N)}  # taken, scavenged

    def find(self, npages):
        run = 0
        previous = None
        for address, (taken, _) in self.pages.items():
            run = 0 if taken else run + 1 if previous == address - PAGE_SIZE and run else 1
            if run == npages:
                return address - (npages - 1) * PAGE_SIZE
            previous = address
        return 0

    def alloc(self, npages):
        base = self.find(npages)
        scavenged = 0
        for i in range(npages if base else 0):
            record = self.pages[base + i * PAGE_SIZE]
            scavenged += record[1] * PAGE_SIZE
            record[:] = True, False
        return base, scavenged

    def free(self, base, npages):
        for i in range(npages):
            self.pages[base + i * PAGE_SIZE][0] = False

    def state(self):
        chunks = {}
        for address, (taken, scavenged) in self.pages.items():
            ci = chunk_index(address)
            bit = 1 << (address - chunk_base(ci)) // PAGE_SIZE
            bits = chunks.get(ci - BASE, (0, 0))
            chunks[ci - BASE] = bits[0] | bit * taken, bits[1] | bit * scavenged
        return chunks


# Few large sizes fill the chunks, so that the small ones meet full chunks, holes and boundaries.
steps = st.lists(
    st.tuples(
        st.sampled_from(["alloc", "alloc", "alloc", "free", "free", "cache", "flush", "scavenge"]),
        st.sampled_from([1, 1, 2, 3, 7, 63, 64, 65, 130, 300, N - 1, N, N + 1, 2 * N]),
        st.integers(0, 1 << 16),
    ),
    max_size=25,
)


@given(steps)
@settings(max_examples=100, deadline=None)
def test_any_sequence_against_a_list_of_pages(sequence):
    pages, naive = PageAlloc(), Naive()
    for ci in CHUNKS:
        pages.grow(page(ci), CHUNK_BYTES)
    live, caches = [], []
    for what, npages, choice in sequence:
        if what == "alloc":
            base, scavenged = pages.alloc(npages)
            assert (base, scavenged) == naive.alloc(npages)
            if base:
                live.append((base, npages))
        elif what == "free" and live:
            base, npages = live.pop(choice % len(live))
            pages.free(base, npages)
            naive.free(base, npages)
        elif what == "cache":
            first = naive.find(1)
            cache = pages.alloc_to_cache()
            assert cache.base == first & -64 * PAGE_SIZE
            for i in range(64 if first else 0):
                record = naive.pages[cache.base + i * PAGE_SIZE]
                assert bool(cache.cache >> i & 1) is not record[0]
                if not record[0]:
                    assert bool(cache.scav >> i & 1) is record[1]
                    record[:] = True, False
            caches.append(cache)
        elif what == "flush" and caches:
            cache = caches.pop(choice % len(caches))
            for i in range(64):
                if cache.cache >> i & 1:
                    naive.pages[cache.base + i * PAGE_SIZE][:] = False, bool(cache.scav >> i & 1)
            pages.flush(cache)
            assert not cache.cache
        elif what == "scavenge":
            released = pages.scavenge(npages * PAGE_SIZE, None, True)
            eligible = [record for record in naive.pages.values() if record == [False, False]]
            assert released >= min(npages, len(eligible)) * PAGE_SIZE
            for record in eligible[::-1][: released // PAGE_SIZE]:  # the highest ones
                record[1] = True
        pages.check()
    made = state(pages)
    for ci, bits in naive.state().items():
        assert made.get(ci, (0, (1 << N) - 1)) == bits
