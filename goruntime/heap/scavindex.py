"""Which chunks have free pages to give back to the operating system, and which are too full to be worth it.

A chunk that was dense (at least 496 of 512 pages in use) in this generation or the one before is left alone, so that
memory which is about to be used again, or backed by a huge page, stays; `force` looks at all. A generation is one cycle
of the collector. Searches go from the highest address down and remember where they were: one cursor for forced ones,
which every free raises, one for those in the background, which is raised only with each generation.

A cursor that was raised is *marked*: the first search that lowers it afterwards says so, and one that was under way at
the time does not lower it past the new memory. (Stored as Go does, as a negative number.)

Go: runtime/mgcscavenge.go scavengeIndex, scavChunkData, runtime/mranges.go atomicOffAddr (go1.27).
"""

from __future__ import annotations

from ..base.errors import throw
from .addrrange import MIN_ADDRESS
from .pallocbits import CHUNK_BYTES, CHUNK_PAGES
from .sizeclass import PAGE_SIZE

DENSE_PAGES = 496  # 96.875 %: Go's scavChunkHiOccPages


class SearchAddress:
    """How far a search has come, and whether it was raised since.

    Go: runtime/mranges.go atomicOffAddr.
    """

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value = MIN_ADDRESS

    def clear(self) -> None:
        """There is nothing to be found, unless somebody has raised it meanwhile."""
        if self.value >= 0:
            self.value = MIN_ADDRESS

    def store_min(self, address: int) -> None:
        """Lower it, unless it is marked."""
        if address <= self.value:
            self.value = address

    def store_unmark(self, marked: int, address: int) -> None:
        """Set it to address and take the mark away, if it still is `marked`."""
        if self.value == -marked:
            self.value = address

    def store_marked(self, address: int) -> None:
        """Raise it."""
        self.value = -address

    def load(self) -> tuple[int, bool]:
        """(address, whether it is marked)."""
        return abs(self.value), self.value < 0


class ScavChunk:
    """What the index knows of one chunk.

    Go: runtime/mgcscavenge.go scavChunkData.
    """

    __slots__ = ("gen", "has_free", "in_use", "last_in_use")

    def __init__(self) -> None:
        self.in_use = 0  # pages
        self.last_in_use = 0  # pages, when the generation changed
        self.gen = 0  # when this was written last
        self.has_free = False  # there may be pages to give back; new memory never was taken

    def should_scavenge(self, gen: int, force: bool) -> bool:
        """Whether to look into the chunk.

        Go: runtime/mgcscavenge.go scavChunkData.shouldScavenge.
        """
        if not self.has_free:
            return False
        if force:
            return True
        if self.gen == gen:
            return self.in_use < DENSE_PAGES and self.last_in_use < DENSE_PAGES
        return self.in_use < DENSE_PAGES

    def alloc(self, npages: int, gen: int) -> None:
        """Pages of the chunk were taken.

        Go: runtime/mgcscavenge.go scavChunkData.alloc.
        """
        if self.in_use + npages > CHUNK_PAGES:
            throw("too many pages allocated in chunk?")
        if self.gen != gen:
            self.last_in_use = self.in_use
            self.gen = gen
        self.in_use += npages
        if self.in_use == CHUNK_PAGES:
            self.has_free = False

    def free(self, npages: int, gen: int) -> None:
        """Pages of the chunk were freed.

        Go: runtime/mgcscavenge.go scavChunkData.free.
        """
        if self.in_use < npages:
            throw("allocated pages below zero?")
        if self.gen != gen:
            self.last_in_use = self.in_use
            self.gen = gen
        self.in_use -= npages
        self.has_free = True


class ScavengeIndex:
    """The index of all chunks.

    Go: runtime/mgcscavenge.go scavengeIndex.
    """

    __slots__ = ("chunks", "free_hwm", "gen", "min_heap_idx", "search_addr_bg", "search_addr_force")

    def __init__(self) -> None:
        self.chunks: dict[int, ScavChunk] = {}  # made when first written: a new one says nothing
        self.min_heap_idx = 0  # the lowest chunk of the heap
        self.search_addr_bg = SearchAddress()
        self.search_addr_force = SearchAddress()
        self.free_hwm = MIN_ADDRESS  # the highest address freed in this generation
        self.gen = 0

    def grow(self, base: int) -> None:
        """Chunks from base on belong to the heap.

        Go: runtime/mgcscavenge.go scavengeIndex.grow.
        """
        ci = base // CHUNK_BYTES
        if not self.min_heap_idx or ci < self.min_heap_idx:
            self.min_heap_idx = ci

    def find(self, force: bool) -> tuple[int, int]:
        """(highest chunk that may have pages to give back, page to begin at); chunk 0 if there is none.

        Go: runtime/mgcscavenge.go scavengeIndex.find.
        """
        cursor = self.search_addr_force if force else self.search_addr_bg
        address, is_marked = cursor.load()
        if address == MIN_ADDRESS:
            return 0, 0
        start = address // CHUNK_BYTES
        for ci in range(start, self.min_heap_idx - 1, -1):
            chunk = self.chunks.get(ci)
            if chunk is None or not chunk.should_scavenge(self.gen, force):
                continue
            if ci == start:
                return ci, address % CHUNK_BYTES // PAGE_SIZE
            lower = (ci + 1) * CHUNK_BYTES - PAGE_SIZE
            if is_marked:
                cursor.store_unmark(address, lower)
            else:
                cursor.store_min(lower)
            return ci, CHUNK_PAGES - 1
        cursor.clear()
        return 0, 0

    def _chunk(self, ci: int) -> ScavChunk:
        chunk = self.chunks.get(ci)
        if chunk is None:
            chunk = self.chunks[ci] = ScavChunk()
        return chunk

    def alloc(self, ci: int, npages: int) -> None:
        """Pages of a chunk were taken.

        Go: runtime/mgcscavenge.go scavengeIndex.alloc.
        """
        self._chunk(ci).alloc(npages, self.gen)

    def free(self, ci: int, page: int, npages: int) -> None:
        """Pages [page, page+npages) of a chunk were freed.

        Go: runtime/mgcscavenge.go scavengeIndex.free.
        """
        self._chunk(ci).free(npages, self.gen)
        address = ci * CHUNK_BYTES + (page + npages - 1) * PAGE_SIZE
        if self.free_hwm < address:
            self.free_hwm = address
        if self.search_addr_force.load()[0] < address:
            self.search_addr_force.store_marked(address)

    def next_gen(self) -> None:
        """A cycle of the collector has ended.

        Go: runtime/mgcscavenge.go scavengeIndex.nextGen.
        """
        self.gen += 1
        if self.search_addr_bg.load()[0] < self.free_hwm:
            self.search_addr_bg.store_marked(self.free_hwm)
        self.free_hwm = MIN_ADDRESS

    def set_empty(self, ci: int) -> None:
        """Nothing to give back was found in a chunk.

        Go: runtime/mgcscavenge.go scavengeIndex.setEmpty.
        """
        self._chunk(ci).has_free = False

    def check(self) -> None:
        """No chunk is fuller than full, or older than it can be."""
        for chunk in self.chunks.values():
            if not 0 <= chunk.in_use <= CHUNK_PAGES or chunk.gen > self.gen:
                throw("scavengeIndex: impossible chunk")
