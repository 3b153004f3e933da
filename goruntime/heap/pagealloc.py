"""The page allocator: which pages of the heap are free, found by first fit at the lowest address.

Free and taken pages are bits, in chunks of 512 (`PallocData`). Above them stands a radix tree of summaries, five
levels, each entry the sum of eight below it (of 16,384 at the root): how many free pages in a row the part of the
address space below it has at its start, at most anywhere, and at its end. A search goes down from the root to the first
place that is large enough, also across a boundary; `search_addr` says below which address everything is taken.

The tables are as sparse as the heap: an entry of a summary, a chunk, a chunk's place in the scavenge index exists once
it is not what it would be by default. What Go would have mapped for them is accounted for all the same.

Neighbouring free pages need no joining: they are neighbouring bits.

Go: runtime/mpagealloc.go pageAlloc, mergeSummaries, runtime/mpagealloc_64bit.go pageAlloc.sysGrow (go1.27).
Differs: addresses are below 2**47, where Go's offset of the address space (arenaBaseOffset) makes no difference.
Caller: holds the heap's lock, that is, lets nobody else run.
Units: addresses in bytes, sizes in pages unless they say bytes. Invariant: check().
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn

from ..base.errors import throw
from .addrrange import HEAP_ADDR_BITS, MAX_ADDRESS, MIN_ADDRESS, AddrRanges
from .pagecache import PAGE_CACHE_PAGES, PageCache
from .pallocbits import (
    ALL,
    ALL64,
    CHUNK_BYTES,
    CHUNK_PAGES,
    FREE_CHUNK_SUM,
    LOG_CHUNK_PAGES,
    LOG_MAX_PACKED_VALUE,
    NOT_FOUND,
    PACKED_MASK,
    PallocData,
    align_up,
    pack_sum,
    unpack_sum,
)
from .scavindex import ScavengeIndex
from .sizeclass import PAGE_SHIFT, PAGE_SIZE
from .sysmem import PageTables

SUMMARY_LEVELS = 5
SUMMARY_LEVEL_BITS = 3
LOG_CHUNK_BYTES = LOG_CHUNK_PAGES + PAGE_SHIFT
SUMMARY_L0_BITS = HEAP_ADDR_BITS - LOG_CHUNK_BYTES - (SUMMARY_LEVELS - 1) * SUMMARY_LEVEL_BITS
LEVEL_BITS = (SUMMARY_L0_BITS, *[SUMMARY_LEVEL_BITS] * (SUMMARY_LEVELS - 1))
LEVEL_SHIFT = tuple(HEAP_ADDR_BITS - sum(LEVEL_BITS[: level + 1]) for level in range(SUMMARY_LEVELS))
LEVEL_LOG_PAGES = tuple(shift - PAGE_SHIFT for shift in LEVEL_SHIFT)
LEAF = SUMMARY_LEVELS - 1


def chunk_index(address: int) -> int:
    """Which chunk an address lies in.

    Go: runtime/mpagealloc.go chunkIndex.
    """
    return address >> LOG_CHUNK_BYTES


def chunk_base(ci: int) -> int:
    """A chunk's lowest address.

    Go: runtime/mpagealloc.go chunkBase.
    """
    return ci << LOG_CHUNK_BYTES


def chunk_page_index(address: int) -> int:
    """Which page of its chunk an address lies in.

    Go: runtime/mpagealloc.go chunkPageIndex.
    """
    return address >> PAGE_SHIFT & CHUNK_PAGES - 1


def merge_summaries(sums: list[int], log_max_pages: int) -> int:  # hot: span_free
    """The summary of neighbours, each of at most 1 << log_max_pages pages, which is less than a root entry has.

    Unoptimised form: unpack_sum of each. Only a root entry has the packed form of its own that it undoes.
    Go: runtime/mpagealloc.go mergeSummaries.
    """
    full = 1 << log_max_pages
    start = most = end = whole = 0
    for packed in sums:
        if not packed:  # all taken: it ends the run, and most cannot grow
            end = 0
            whole += full
            continue
        si = packed & PACKED_MASK
        if start == whole:  # all free so far
            start += si
        whole += full
        if end + si > most:
            most = end + si
        mi = packed >> LOG_MAX_PACKED_VALUE & PACKED_MASK
        if mi > most:
            most = mi
        ei = packed >> 2 * LOG_MAX_PACKED_VALUE
        end = end + full if ei == full else ei
    return pack_sum(start, most, end)


class PageAlloc:
    """All pages of one heap.

    Go: runtime/mpagealloc.go pageAlloc.
    """

    __slots__ = (
        "chunks", "end", "in_use", "index", "on_scavenge", "released_bg", "released_eager", "search_addr", "start",
        "summary", "tables",
    )  # fmt: skip

    def __init__(self, tables: PageTables | None = None) -> None:
        self.summary: tuple[dict[int, int], ...] = tuple({} for _ in range(SUMMARY_LEVELS))  # absent: all taken
        self.chunks: dict[int, PallocData] = {}  # absent, in the heap: never touched, so free and scavenged
        self.search_addr = MAX_ADDRESS  # all below is taken; in in_use, or MAX_ADDRESS when there is nothing free
        self.start = 0  # chunks [start, end) may be in the heap
        self.end = 0
        self.in_use = AddrRanges()  # what grow was called for
        self.index = ScavengeIndex()
        self.released_bg = 0  # bytes, since the scavenger last told
        self.released_eager = 0
        self.tables = tables  # what Go maps for all this; None where nobody accounts
        self.on_scavenge: Callable[[int, int], None] | None = None  # (address, pages) go back to the system

    def chunk_of(self, ci: int) -> PallocData:
        """The bits of a chunk of the heap, made on first touch: new memory is free, and never was taken.

        Go: runtime/mpagealloc.go pageAlloc.chunkOf.
        """
        chunk = self.chunks.get(ci)
        if chunk is None:
            if not self.in_use.contains(chunk_base(ci)):
                throw("pageAlloc: chunk is not in the heap")
            chunk = self.chunks[ci] = PallocData()
            chunk.scavenged = ALL
        return chunk

    # Growing.

    def grow(self, base: int, size: int) -> None:
        """[base, base+size) bytes, whole chunks, belong to the heap from now on: free and scavenged.

        Go: runtime/mpagealloc.go pageAlloc.grow.
        """
        limit = align_up(base + size, CHUNK_BYTES)
        base &= -CHUNK_BYTES
        if self.tables is not None:
            self.tables.grow(base, limit, self.in_use)
        self.index.grow(base)
        first, last = chunk_index(base), chunk_index(limit)
        if not self.end or first < self.start:
            self.start = first
        self.end = max(self.end, last)
        self.in_use.add((base, limit))
        self.search_addr = min(self.search_addr, base)
        self.update(base, size >> PAGE_SHIFT, True, False)

    def update(self, base: int, npages: int, is_contiguous: bool, is_alloc: bool) -> None:
        """Bring the summaries up to date after the bits of a range of pages have changed.

        is_contiguous: all of them were taken (is_alloc), or freed.
        Go: runtime/mpagealloc.go pageAlloc.update.
        """
        limit = base + (npages << PAGE_SHIFT) - 1  # inclusive
        first, last = chunk_index(base), chunk_index(limit)
        leaves = self.summary[LEAF]
        if first == last:
            packed = self._summarize(first)
            if packed == leaves.get(first, 0):
                return
            leaves[first] = packed
        elif is_contiguous:
            leaves[first] = self._summarize(first)
            whole = 0 if is_alloc else FREE_CHUNK_SUM
            for ci in range(first + 1, last):
                leaves[ci] = whole
            leaves[last] = self._summarize(last)
        else:
            for ci in range(first, last + 1):
                leaves[ci] = self._summarize(ci)
        for level in range(LEAF - 1, -1, -1):
            below = self.summary[level + 1]
            bits = LEVEL_BITS[level + 1]
            log_max_pages = LEVEL_LOG_PAGES[level + 1]
            sums = self.summary[level]
            has_changed = False
            for i in range(base >> LEVEL_SHIFT[level], (limit >> LEVEL_SHIFT[level]) + 1):
                children = [below.get(j, 0) for j in range(i << bits, i + 1 << bits)]
                packed = merge_summaries(children, log_max_pages)
                if packed != sums.get(i, 0):
                    sums[i] = packed
                    has_changed = True
            if not has_changed:
                return

    def _summarize(self, ci: int) -> int:
        chunk = self.chunks.get(ci)
        return FREE_CHUNK_SUM if chunk is None else chunk.summarize()

    # Taking.

    def alloc(self, npages: int) -> tuple[int, int]:
        """(address of the first run of so many free pages, bytes of it that are scavenged); (0, 0) if there is none.

        Go: runtime/mpagealloc.go pageAlloc.alloc.
        """
        if chunk_index(self.search_addr) >= self.end:
            return 0, 0
        address, search_addr = 0, MIN_ADDRESS
        first = chunk_page_index(self.search_addr)
        if CHUNK_PAGES - first >= npages:
            # It may fit into the chunk that holds search_addr.
            ci = chunk_index(self.search_addr)
            if unpack_sum(self.summary[LEAF].get(ci, 0))[1] >= npages:
                j, lowest = self.chunk_of(ci).find(npages, first)
                if j == NOT_FOUND:
                    throw("bad summary data")
                address = chunk_base(ci) + (j << PAGE_SHIFT)
                search_addr = chunk_base(ci) + (lowest << PAGE_SHIFT)
        if not address:
            address, search_addr = self.find(npages)
            if not address:
                if npages == 1:  # not even one: all is taken
                    self.search_addr = MAX_ADDRESS
                return 0, 0
        scavenged = self.alloc_range(address, npages)
        self.search_addr = max(self.search_addr, search_addr)
        return address, scavenged

    def alloc_range(self, base: int, npages: int) -> int:
        """Take these pages; how many bytes of them are scavenged.

        Go: runtime/mpagealloc.go pageAlloc.allocRange.
        """
        scavenged = 0
        for ci, i, n in self.pieces(base, npages):
            chunk = self.chunk_of(ci)
            scavenged += chunk.scavenged_count(i, n)
            chunk.alloc_range(i, n)
            self.index.alloc(ci, n)
        self.update(base, npages, True, True)
        return scavenged << PAGE_SHIFT

    @staticmethod
    def pieces(base: int, npages: int) -> list[tuple[int, int, int]]:
        """A range of pages by chunk: (chunk, first page, count)."""
        page = base >> PAGE_SHIFT
        end = page + npages
        pieces = []
        while page < end:
            ci = page >> LOG_CHUNK_PAGES
            n = min(end, ci + 1 << LOG_CHUNK_PAGES) - page
            pieces.append((ci, page & CHUNK_PAGES - 1, n))
            page += n
        return pieces

    def find(self, npages: int) -> tuple[int, int]:
        """(address of the first run of so many free pages, a search_addr that is no worse); (0, ...) if there is none.

        The second is the lowest address at which this search cannot rule out a free page.
        Go: runtime/mpagealloc.go pageAlloc.find.
        """
        window = _FirstFree()
        i = 0
        for level in range(SUMMARY_LEVELS):
            i <<= LEVEL_BITS[level]
            base, size, inside = self._find_in_level(level, i, npages, window)
            if size >= npages:
                # A run across a boundary of entries.
                address = (i << LEVEL_SHIFT[level]) + (base << PAGE_SHIFT)
                return address, self.find_mapped_addr(window.base)
            if inside == NOT_FOUND:
                if level == 0:
                    return 0, MAX_ADDRESS
                self._bad_summary()
            i = inside
        j, lowest = self.chunk_of(i).find(npages, 0)
        if j == NOT_FOUND:
            self._bad_summary()
        search_addr = chunk_base(i) + (lowest << PAGE_SHIFT)
        window.found(search_addr, chunk_base(i + 1) - search_addr)
        return chunk_base(i) + (j << PAGE_SHIFT), self.find_mapped_addr(window.base)

    def _find_in_level(self, level: int, i: int, npages: int, window: _FirstFree) -> tuple[int, int, int]:
        """Look at the block of entries that begins at i, from the left.

        (page at which the last run of free pages begins, counted from the block; its length; entry to descend into).
        """
        sums = self.summary[level]
        log_max_pages = LEVEL_LOG_PAGES[level]
        entries = 1 << LEVEL_BITS[level]
        first = 0
        search_index = self.search_addr >> LEVEL_SHIFT[level]
        if search_index & -entries == i:
            first = search_index & entries - 1
        if level == 0:
            # The root has 16,384 entries. Those where there is no heap are empty, and end no run.
            first = max(first, chunk_base(self.start) >> LEVEL_SHIFT[0])
            entries = (chunk_base(self.end) - 1 >> LEVEL_SHIFT[0]) + 1
        base = size = 0
        for j in range(first, entries):
            packed = sums.get(i + j, 0)
            if not packed:
                size = 0
                continue
            window.found(i + j << LEVEL_SHIFT[level], 1 << log_max_pages + PAGE_SHIFT)
            start, most, end = unpack_sum(packed)
            if size + start >= npages:
                return (base if size else j << log_max_pages), size + start, NOT_FOUND
            if most >= npages:
                return 0, 0, i + j
            if not size or start < 1 << log_max_pages:
                # No run to continue, or this entry ends it: begin with what is free at its end.
                size = end
                base = (j + 1 << log_max_pages) - size
                continue
            size += 1 << log_max_pages
        return base, size, NOT_FOUND

    def _bad_summary(self) -> NoReturn:
        throw("bad summary data")

    def find_mapped_addr(self, address: int) -> int:
        """The lowest address of the heap that is not below address, MAX_ADDRESS if there is none.

        Go: runtime/mpagealloc.go pageAlloc.findMappedAddr.
        """
        mapped = self.in_use.find_addr_greater_equal(address)
        return MAX_ADDRESS if mapped is None else mapped

    def alloc_to_cache(self) -> PageCache:
        """The free pages of the first 64 that have any, for the cache of a P; empty if there are none.

        Go: runtime/mpagecache.go pageAlloc.allocToCache.
        """
        if chunk_index(self.search_addr) >= self.end:
            return PageCache()
        ci = chunk_index(self.search_addr)
        if self.summary[LEAF].get(ci, 0):
            j, _ = self.chunk_of(ci).find(1, chunk_page_index(self.search_addr))
            if j == NOT_FOUND:
                throw("bad summary data")
        else:
            address, _ = self.find(1)
            if not address:
                self.search_addr = MAX_ADDRESS
                return PageCache()
            ci = chunk_index(address)
            j = chunk_page_index(address)
        chunk = self.chunk_of(ci)
        first = j & -PAGE_CACHE_PAGES
        cache = PageCache(
            chunk_base(ci) + (first << PAGE_SHIFT), ~chunk.pages64(first) & ALL64, chunk.scavenged64(first)
        )
        chunk.alloc_pages64(first, cache.cache)
        chunk.clear_scavenged64(first, cache.cache & cache.scav)
        self.update(cache.base, PAGE_CACHE_PAGES, False, True)
        self.index.alloc(ci, cache.cache.bit_count())
        # Its last page, since the one behind it may not be in the heap.
        self.search_addr = cache.base + (PAGE_CACHE_PAGES - 1 << PAGE_SHIFT)
        return cache

    # Freeing.

    def free(self, base: int, npages: int) -> None:
        """Give these pages back.

        Go: runtime/mpagealloc.go pageAlloc.free.
        """
        self.search_addr = min(self.search_addr, base)
        for ci, i, n in self.pieces(base, npages):
            self.chunk_of(ci).free(i, n)
            self.index.free(ci, i, n)
        self.update(base, npages, True, False)

    def flush(self, cache: PageCache) -> None:
        """Take back what is left in a P's cache, and leave it empty.

        Go: runtime/mpagecache.go pageCache.flush.
        """
        if not cache.cache:
            return
        ci, first = chunk_index(cache.base), chunk_page_index(cache.base)
        chunk = self.chunk_of(ci)
        chunk.bits &= ~(cache.cache << first)
        chunk.scavenged |= cache.scav << first
        # As many frees as there are pages, of which the index only sees the highest and the sum.
        highest = cache.cache.bit_length() - 1
        count = cache.cache.bit_count()
        self.index.free(ci, first + highest - count + 1, count)
        self.search_addr = min(self.search_addr, cache.base)
        self.update(cache.base, PAGE_CACHE_PAGES, False, False)
        cache.base = cache.cache = cache.scav = 0

    # Giving back to the operating system.

    def scavenge(self, nbytes: int, should_stop: Callable[[], bool] | None = None, force: bool = False) -> int:
        """Give nbytes of free pages back to the operating system, from the highest address down; how many it were.

        force: dense chunks as well.
        Go: runtime/mgcscavenge.go pageAlloc.scavenge.
        """
        released = 0
        while released < nbytes:
            ci, page = self.index.find(force)
            if ci == 0:
                break
            released += self.scavenge_one(ci, page, nbytes - released)
            if should_stop is not None and should_stop():
                break
        return released

    def scavenge_one(self, ci: int, search_idx: int, max_bytes: int) -> int:
        """Give one run of free pages of a chunk back; how many bytes it were.

        Go: runtime/mgcscavenge.go pageAlloc.scavengeOne.
        """
        if unpack_sum(self.summary[LEAF].get(ci, 0))[1]:
            chunk = self.chunk_of(ci)
            first, npages = chunk.find_scavenge_candidate(search_idx, 1, -(-max_bytes // PAGE_SIZE))
            if npages:
                address = chunk_base(ci) + (first << PAGE_SHIFT)
                # Go takes the pages while it gives them back, so that nobody else does, and frees them again. Nobody
                # runs in between here; what remains of that is that the search begins no higher.
                if self.on_scavenge is not None:
                    self.on_scavenge(address, npages)
                self.search_addr = min(self.search_addr, address)
                chunk.set_scavenged(first, npages)
                return npages << PAGE_SHIFT
        self.index.set_empty(ci)
        return 0

    def check(self) -> None:
        """The summaries say what the bits say, at every level; nothing is free below search_addr."""
        self.in_use.check()
        self.index.check()
        leaves = self.summary[LEAF]
        known_count = 0
        for base, limit in self.in_use.ranges:
            for ci in range(chunk_index(base), chunk_index(limit)):
                known_count += ci in leaves
                if leaves.get(ci, 0) != self._summarize(ci):
                    throw("pageAlloc: a summary is not that of its chunk")
        if known_count != len(leaves):
            throw("pageAlloc: a summary of no chunk of the heap")
        if self.search_addr != MAX_ADDRESS and not self.in_use.contains(self.search_addr):
            throw("pageAlloc: search_addr is not in the heap")
        for ci, chunk in self.chunks.items():
            chunk.check()
            indexed = self.index.chunks.get(ci)
            if (indexed.in_use if indexed is not None else 0) != chunk.bits.bit_count():
                throw("pageAlloc: the scavenge index counts other pages")
            if chunk_base(ci + 1) <= self.search_addr and chunk.bits != ALL:
                throw("pageAlloc: a free page below search_addr")
            if ci == chunk_index(self.search_addr):
                below = (1 << chunk_page_index(self.search_addr)) - 1
                if ~chunk.bits & below:
                    throw("pageAlloc: a free page below search_addr")
        self._check_levels()

    def _check_levels(self) -> None:
        for level in range(LEAF):
            bits = LEVEL_BITS[level + 1]
            below = self.summary[level + 1]
            parents = {i >> bits for i in below} | set(self.summary[level])
            for i in sorted(parents):
                children = [below.get(j, 0) for j in range(i << bits, i + 1 << bits)]
                if merge_summaries(children, LEVEL_LOG_PAGES[level + 1]) != self.summary[level].get(i, 0):
                    throw("pageAlloc: a summary is not the sum of those below")


class _FirstFree:
    """Where the first free page of the heap must be: a window that a search narrows as it goes down."""

    __slots__ = ("base", "bound")

    def __init__(self) -> None:
        self.base = MIN_ADDRESS
        self.bound = MAX_ADDRESS

    def found(self, address: int, size: int) -> None:
        """There are free pages in [address, address+size)."""
        last = address + size - 1
        if self.base <= address and last <= self.bound:
            self.base = address
            self.bound = last
        elif not (last < self.base or self.bound < address):
            throw("range partially overlaps")
