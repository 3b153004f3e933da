"""heap.pagecache: the tables of Go's own tests of a P's pages, and what is lost when one is flushed.

Go: runtime/mpagecache_test.go TestPageCacheAlloc, TestPageCacheFlush, TestPageAllocAllocToCache,
runtime/mpagecache.go pageCache.allocN.
"""

import random

import pytest

from goruntime.base.errors import Throw
from goruntime.heap.pagecache import PageCache
from goruntime.heap.sizeclass import PAGE_SIZE

from .pages import BASE, BIG_JUMP, FULL, LAST_OF_PAGE, N, make, page, state

ALL = (1 << 64) - 1
START = page(0, 0)
FAIL = None
FAR = BIG_JUMP - (BASE & 511)


def low(n):
    return (1 << n) - 1


# name -> (free bits, scavenged bits, [(pages asked for, first page or FAIL, scavenged pages in it)])
ALLOC = {
    "empty": (0, 0, [(n, FAIL, 0) for n in (1, 2, 3, 4, 5, 11, 12, 16, 27, 32, 43, 57, 64, 121)]),
    "lowest": (1, 1, [(1, 0, 1), (1, FAIL, 0), (10, FAIL, 0)]),
    "highest": (1 << 63, 1, [(1, 63, 0), (1, FAIL, 0), (10, FAIL, 0)]),
    "single pages": (
        0x20005555, 0x5505,
        [(2, FAIL, 0), (1, 0, 1), (1, 2, 1), (1, 4, 0), (1, 6, 0), (1, 8, 1), (1, 10, 1), (1, 12, 1), (1, 14, 1),
         (1, 29, 0), (1, FAIL, 0), (10, FAIL, 0)],
    ),
    "lowest two": (3, 2 << 62 & ALL, [(2, 0, 0), (2, FAIL, 0), (1, FAIL, 0)]),
    "highest two": (3 << 62, 3 << 62, [(2, 62, 2), (2, FAIL, 0), (1, FAIL, 0)]),
    "pairs": (
        0x3333 << 31, 0x3030 << 31, [(2, 31, 0), (2, 35, 2), (2, 39, 0), (2, 43, 2), (2, FAIL, 0)],
    ),
    "53 of 53": (low(53) << 10, low(16) << 10, [(53, 10, 16), (53, FAIL, 0), (1, FAIL, 0)]),
    "53 of 64": (ALL, low(16) << 10, [(53, 0, 16), (53, FAIL, 0), (1, 53, 0)]),
    "64 of 64": (ALL, ALL, [(64, 0, 64), (64, FAIL, 0), (1, FAIL, 0)]),
    "mixed": (
        ALL, ALL,
        [(5, 0, 5), (7, 5, 7), (1, 12, 1), (23, 13, 23), (63, FAIL, 0), (3, 36, 3), (3, 39, 3), (3, 42, 3),
         (12, 45, 12), (11, FAIL, 0), (4, 57, 4), (4, FAIL, 0), (6, FAIL, 0), (36, FAIL, 0), (2, 61, 2), (3, FAIL, 0),
         (1, 63, 1), (4, FAIL, 0), (2, FAIL, 0), (62, FAIL, 0), (1, FAIL, 0)],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ALLOC)
def test_allocating(name):
    free, scavenged, hits = ALLOC[name]
    cache = PageCache(START, free, scavenged)
    for npages, first, count in hits:
        address = 0 if first is FAIL else START + first * PAGE_SIZE
        assert cache.alloc(npages) == (address, count * PAGE_SIZE)
        cache.check()


def ranges(bits, base):
    return [(base + i, 1) for i in range(64) if bits >> i & 1]


def flush(base, free, scavenged):
    pages = make({0: [(base, 64)]}, {0: []})
    cache = PageCache(page(0, base), free, scavenged)
    pages.flush(cache)
    assert not cache.cache
    # Nothing leaks: what was free in the cache is free, what was not is still taken.
    assert state(pages) == state(make({0: ranges(~free & ALL, base)}, {0: ranges(scavenged, base)}))
    if free:
        assert pages.search_addr <= page(0, base)
    pages.check()


def test_flushing_an_empty_one():
    flush(0, 0, 0)


def test_flushing_a_full_one():
    flush(0, ALL, ALL)


@pytest.mark.parametrize("seed", range(100))
def test_flushing(seed):
    draw = random.Random(seed)
    free = draw.getrandbits(64)
    flush(draw.randrange(N // 64) * 64, free, draw.getrandbits(64) & free)


def test_what_is_left_of_a_cache_is_not_lost():
    pages = make({0: [], 1: []})
    cache = pages.alloc_to_cache()
    taken = [cache.alloc(n)[0] for n in (1, 5, 1, 20)]
    assert taken == [page(0, i) for i in (0, 1, 6, 7)]
    pages.flush(cache)
    assert state(pages) == state(make({0: [(0, 27)], 1: []}))
    assert pages.alloc(1)[0] == page(0, 27)


def test_what_was_taken_from_a_cache_is_no_longer_scavenged():
    pages = make({0: []}, {0: [(0, 64)]})
    cache = pages.alloc_to_cache()
    assert [cache.alloc(n)[1] for n in (1, 5, 20)] == [PAGE_SIZE, 5 * PAGE_SIZE, 20 * PAGE_SIZE]
    pages.flush(cache)
    assert state(pages) == state(make({0: [(0, 26)]}, {0: [(26, 38)]}))


# name -> (taken before, scavenged before, [(base, free, scavenged)], taken after, scavenged after)
TO_CACHE = {
    "many chunks": (
        {0: FULL, 1: FULL, 2: [(0, N - 64)]}, {0: FULL, 1: FULL, 2: []},
        [(page(2, N - 64), ALL, 0)],
        {0: FULL, 1: FULL, 2: FULL}, {},
    ),
    "nothing free": ({0: FULL}, {}, [(0, 0, 0)] * 3, {0: FULL}, {}),
    "scavenged bits of others stay": (
        {0: [(0, 1), (10, 2)]}, {0: [(0, 4), (11, 1)]},
        [(page(0, 0), ALL & ~(1 | 3 << 10), 7 << 1)],
        {0: [(0, 64)]}, {0: [(0, 1), (11, 1)]},
    ),
    "all free": (
        {0: []}, {0: [(1, 1), (64, 64)]},
        [(page(0, 0), ALL, 2), (page(0, 64), ALL, ALL), (page(0, 128), ALL, 0), (page(0, 192), ALL, 0)],
        {0: [(0, 256)]}, {},
    ),
    "not contiguous": (
        {0: FULL, 0xFF: []}, {0: FULL, 0xFF: [(31, 67)]},
        [(page(0xFF, 0), ALL, low(33) << 31)],
        {0: FULL, 0xFF: [(0, 64)]}, {0: FULL, 0xFF: [(64, 34)]},
    ),
    "first": (
        {0: [(0, 32), (33, 31), (96, 32)]}, {0: [(1, 4), (31, 5), (66, 2)]},
        [(page(0, 0), 1 << 32, 1 << 32), (page(0, 64), low(32), 3 << 2)],
        {0: [(0, 128)]}, {},
    ),
    "a summary at the end of what is mapped": (
        {LAST_OF_PAGE: [(0, N - 1)], FAR: [(1, N - 1)]}, {LAST_OF_PAGE: [], FAR: []},
        [(page(LAST_OF_PAGE, N - 64), 1 << 63, 0), (page(FAR, 0), 1, 0), (0, 0, 0)],
        {LAST_OF_PAGE: FULL, FAR: FULL}, {},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", TO_CACHE)
def test_taking_pages_for_a_cache(name):
    before, scavenged, hits, after, scavenged_after = TO_CACHE[name]
    pages = make(before, scavenged)
    for base, free, scav in hits:
        cache = pages.alloc_to_cache()
        assert (cache.base, cache.cache, cache.scav) == (base, free, scav)
        cache.check()
        pages.check()
    assert state(pages) == state(make(after, scavenged_after))


def test_check_finds_a_cache_that_is_no_64_pages():
    with pytest.raises(Throw, match="more than 64"):
        PageCache(START, 1 << 64, 0).check()
    with pytest.raises(Throw, match="multiple of 64"):
        PageCache(START + PAGE_SIZE, 1, 0).check()
