"""Memory from the operating system, accounted by purpose: the doors between the heap and the kernel.

Every byte that is mapped belongs to one `SysMemStat`; what of it is Ready adds up to `mapped_ready`, which a memory
limit is compared with. Small records that are never freed are cut from chunks of 256 KiB (`PersistentAlloc`), one for
each P; what is left of a chunk counts as `other_sys`.

Nothing is stored in any of this. What the page allocator's own tables would take in Go is mapped here as there, so
that Sys, GCSys, VmSize and RSS come out of the same sums.

Go: runtime/mem.go sysAlloc, sysMap, sysUsed, sysUnused, sysFree, runtime/malloc.go persistentalloc1,
runtime/mpagealloc_64bit.go pageAlloc.sysInit, pageAlloc.sysGrow, scavengeIndex.sysGrow (go1.27).
Units: bytes.
"""

from __future__ import annotations

from ..base.errors import throw
from ..kernel.memory import PHYS_PAGE_SIZE, Memory
from .addrrange import AddrRange, AddrRanges, range_size, subtract
from .pallocbits import CHUNK_BYTES, align_up
from .stats import PageStats, SysMemStat

PERSISTENT_CHUNK_SIZE = 256 << 10
MAX_PERSISTENT_BLOCK = 64 << 10  # anything larger is mapped by itself

# What the page allocator's tables weigh in Go.
_SUMMARY_SHIFTS = (34, 31, 28, 25, 22)  # of the address space below one summary, by level
_SUMMARY_BLOCKS = (1 << 14, 8, 8, 8, 8)  # entries that are mapped together
_SUMMARY_SIZE = 8
_CHUNK_MAP_CHUNKS = 1 << 13  # chunks whose bits are mapped together
_CHUNK_SIZE = 128  # two bits for each of 512 pages
_SCAV_CHUNK_SIZE = 8
_ADDR_RANGE_SIZE = 16
_FIRST_ADDR_RANGES = 16
_ADDRESS_SPACE = 1 << 48


class OutOfMemory(Exception):
    """The kernel refused. `size`: bytes asked for. `is_mapping`: it gave address space, but nothing behind it."""

    def __init__(self, size: int, is_mapping: bool = False) -> None:
        super().__init__(size)
        self.size = size
        self.is_mapping = is_mapping


class SysMem:
    """The kernel's memory, as one heap uses it."""

    __slots__ = ("global_persistent", "memory", "stats")

    def __init__(self, memory: Memory, stats: PageStats) -> None:
        self.memory = memory
        self.stats = stats
        self.global_persistent = PersistentAlloc()

    def sys_alloc(self, size: int, stat: SysMemStat, count: int = 1) -> int:
        """Memory that is ready to use; count: so many of that size, each mapped by itself.

        Raises: OutOfMemory.
        Go: runtime/mem.go sysAlloc.
        """
        base = self.memory.alloc(size, count)
        if not base:
            raise OutOfMemory(size)
        stat.add(size * count)
        self.stats.mapped_ready += size * count
        return base

    def sys_free(self, base: int, size: int, stat: SysMemStat) -> None:
        """Give back what sys_alloc gave.

        Go: runtime/mem.go sysFree.
        """
        stat.add(-size)
        self.stats.mapped_ready -= size
        self.memory.free(base, size)

    def sys_map(self, base: int, size: int, stat: SysMemStat) -> None:
        """Reserved address space may be used from now on, after sys_used.

        Raises: OutOfMemory, if the machine could never back so much.
        Go: runtime/mem.go sysMap.
        """
        if not self.memory.map(base, size):
            raise OutOfMemory(size, is_mapping=True)
        stat.add(size)

    def sys_used(self, base: int, size: int, prepared: int) -> None:
        """Use a range, of which so many bytes were not Ready.

        Go: runtime/mem.go sysUsed.
        """
        self.stats.mapped_ready += prepared
        if self.memory.used(base, size) != prepared:
            throw("sysUsed: the kernel disagrees about what was scavenged")

    def sys_unused(self, base: int, size: int) -> None:
        """Give the pages behind a range back, and keep the addresses.

        Go: runtime/mem.go sysUnused.
        """
        self.stats.mapped_ready -= size
        self.memory.unused(base, size)

    def persistentalloc(self, size: int, align: int, stat: SysMemStat, local: PersistentAlloc | None = None) -> int:
        """Memory that is never freed, from the P's chunk, or the one for all.

        Raises: OutOfMemory.
        Go: runtime/malloc.go persistentalloc1.
        """
        if size <= 0:
            throw("persistentalloc: size == 0")
        if size >= MAX_PERSISTENT_BLOCK:
            return self.sys_alloc(size, stat)
        chunk = local if local is not None else self.global_persistent
        offset = align_up(chunk.offset, align or 8)
        other = self.stats.other_sys
        if not chunk.base or offset + size > PERSISTENT_CHUNK_SIZE:
            chunk.base = self.sys_alloc(PERSISTENT_CHUNK_SIZE, other)
            offset = align_up(8, align or 8)  # the first word chains the chunks
        chunk.offset = offset + size
        address = chunk.base + offset
        self.memory.touch(address, size)
        if stat is not other:
            stat.add(size)
            other.add(-size)
        return address


class PersistentAlloc:
    """A chunk of which small records are cut, and how far.

    Go: runtime/malloc.go persistentAlloc.
    """

    __slots__ = ("base", "offset")

    def __init__(self) -> None:
        self.base = 0
        self.offset = 0


class PageTables:
    """What Go maps for the page allocator's summaries, bitmaps and index; here only accounted.

    Go: runtime/mpagealloc_64bit.go pageAlloc.sysInit, pageAlloc.sysGrow, scavengeIndex.sysInit, scavengeIndex.sysGrow.
    """

    __slots__ = ("chunk_maps", "index_base", "index_max", "index_min", "range_capacity", "stat", "summaries", "sysmem")

    def __init__(self, sysmem: SysMem, stat: SysMemStat) -> None:
        self.sysmem = sysmem
        self.stat = stat
        self.range_capacity = _FIRST_ADDR_RANGES
        sysmem.persistentalloc(_ADDR_RANGE_SIZE * self.range_capacity, 8, stat)
        reserve = sysmem.memory.reserve
        self.summaries = tuple(reserve(0, (_ADDRESS_SPACE >> shift) * _SUMMARY_SIZE) for shift in _SUMMARY_SHIFTS)
        self.index_base = reserve(0, _ADDRESS_SPACE // CHUNK_BYTES * _SCAV_CHUNK_SIZE)
        if not self.index_base or 0 in self.summaries:
            throw("failed to reserve page summary memory")
        self.index_min = self.index_max = 0
        self.chunk_maps: set[int] = set()

    def grow(self, base: int, limit: int, in_use: AddrRanges) -> None:
        """Map what describes chunks [base, limit), which are about to be added to in_use."""
        following = in_use.find_succ(base)
        neighbours = in_use.ranges[max(0, following - 1) : following + 1]
        for level in range(len(_SUMMARY_SHIFTS)):
            need = self._summary_range(level, (base, limit))
            for neighbour in neighbours:
                need = subtract(need, self._summary_range(level, neighbour))
            if range_size(need):
                self._map(self.summaries[level] + need[0], need[1] - need[0])
        self._grow_index(base // CHUNK_BYTES, limit // CHUNK_BYTES)
        if len(in_use.ranges) >= self.range_capacity:
            self.range_capacity *= 2
            self.sysmem.persistentalloc(_ADDR_RANGE_SIZE * self.range_capacity, 8, self.stat)
        chunk_map_bytes = _CHUNK_MAP_CHUNKS * CHUNK_BYTES
        for i in range(base // chunk_map_bytes, (limit - 1) // chunk_map_bytes + 1):
            if i not in self.chunk_maps:
                self.chunk_maps.add(i)
                self.sysmem.sys_alloc(_CHUNK_MAP_CHUNKS * _CHUNK_SIZE, self.stat)

    @staticmethod
    def _summary_range(level: int, r: AddrRange) -> AddrRange:
        """Which bytes of a level hold the summaries of a range, in whole pages."""
        shift, block = _SUMMARY_SHIFTS[level], _SUMMARY_BLOCKS[level]
        first = (r[0] >> shift) & -block
        last = align_up((r[1] - 1 >> shift) + 1, block)
        return first * _SUMMARY_SIZE & -PHYS_PAGE_SIZE, align_up(last * _SUMMARY_SIZE, PHYS_PAGE_SIZE)

    def _grow_index(self, first: int, last: int) -> None:
        """The index is mapped from the lowest chunk to the highest, in whole pages."""
        per_page = PHYS_PAGE_SIZE // _SCAV_CHUNK_SIZE
        need_min, need_max = first & -per_page, align_up(last, per_page)
        need_max = max(need_max, self.index_min)
        if self.index_max:
            need_min = min(need_min, self.index_max)
        need = subtract((need_min, need_max), (self.index_min, self.index_max))
        if not range_size(need):
            return
        self._map(self.index_base + need[0] * _SCAV_CHUNK_SIZE, range_size(need) * _SCAV_CHUNK_SIZE)
        if not self.index_max or need_min < self.index_min:
            self.index_min = need_min
        self.index_max = max(self.index_max, need_max)

    def _map(self, base: int, size: int) -> None:
        self.sysmem.sys_map(base, size, self.stat)
        self.sysmem.sys_used(base, size, size)
