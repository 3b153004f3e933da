"""The memory of the simulated operating system: address space, the pages behind it, and what of them is resident.

Nothing is stored in it. Go's heap keeps its objects as Python objects; what is simulated is who owns which addresses,
in which state, and which pages the machine had to find frames for, so that VmSize and RSS can be read as on Linux.

An address is in one of four states, with Go's transitions between them (runtime/mem.go):

    None      nobody's
    Reserved  address space only; touching it would be a fault
    Prepared  mapped, but not promised to be backed: what was never used, and what was given back
    Ready     may be used

    reserve   None -> Reserved          unused  Ready -> Prepared (MADV_DONTNEED: leaves RSS at once)
    map       Reserved -> Prepared      used    Prepared -> Ready (nothing to do on Linux, only accounted)
    alloc     None -> Ready             free    any -> None

A page of a Ready region is resident from the first time somebody touches it, as with Linux's demand paging: `touch`.

Refusals. `limit_bytes` bounds the address space as RLIMIT_AS does; a mapping larger than the whole machine
(`machine_bytes`) is an obvious overcommit and refused as Linux's heuristic does; nothing fits beyond 47 bits. A refusal
is 0 or False, as mmap's ENOMEM: what that means is the caller's business.

Regions and Prepared ranges are sorted lists, since there are few and they can be huge; readiness and residence are bits
by block of 4 MiB, made when a block is first used.

Go: runtime/mem.go sysAlloc, sysReserve, sysMap, sysUsed, sysUnused, sysFree, runtime/mem_linux.go sysUnusedOS (go1.27).
Units: bytes. Invariant: check().
"""

from __future__ import annotations

from bisect import bisect_right

from ..base.errors import throw

PHYS_PAGE_SIZE = 4096
PHYS_PAGE_SHIFT = 12
BLOCK_SHIFT = 22  # the bits of 1,024 physical pages are one integer
BLOCK_PAGES = 1 << BLOCK_SHIFT - PHYS_PAGE_SHIFT
FULL_BLOCK = (1 << BLOCK_PAGES) - 1
LOWEST_ADDRESS = 0x10000  # vm.mmap_min_addr
ADDRESS_LIMIT = (1 << 47) - PHYS_PAGE_SIZE  # the end of the user's half on amd64
MMAP_TOP = 0x7FFFF7FFF000  # regions whose place is the kernel's choice are put below, highest first
MACHINE_BYTES = 64 << 30  # what the simulated machine has

Range = tuple[int, int]  # [base, limit)


class Memory:
    """One process's address space."""

    __slots__ = ("limit_bytes", "machine_bytes", "prepared", "ready", "regions", "rss_pages", "touched", "vm_size")

    def __init__(self, limit_bytes: int | None = None, machine_bytes: int = MACHINE_BYTES) -> None:
        self.limit_bytes = limit_bytes
        self.machine_bytes = machine_bytes
        self.regions: list[Range] = []  # all that is not None, sorted, one entry for each reserve or alloc
        self.prepared: list[Range] = []  # what of it is mapped, Ready or not; sorted, neighbours joined
        self.ready: dict[int, int] = {}  # block -> bits of its Ready pages
        self.touched: dict[int, int] = {}  # block -> bits of its resident pages
        self.vm_size = 0  # bytes of address space in any state but None
        self.rss_pages = 0

    @property
    def rss(self) -> int:
        """Bytes of memory that pages of this process occupy."""
        return self.rss_pages * PHYS_PAGE_SIZE

    # Transitions.

    def reserve(self, hint: int, size: int) -> int:
        """Reserve address space, at hint if that is free, else where the kernel likes; 0 if it refuses.

        Go: runtime/mem_linux.go sysReserveOS.
        """
        size = _round_up(size)
        if size <= 0:
            throw("memory: nothing to reserve")
        if self.limit_bytes is not None and self.vm_size + size > self.limit_bytes:
            return 0
        base = hint if hint and self._is_none(hint, size) else self._find_hole(size)
        if base:
            self.regions.insert(bisect_right(self.regions, (base,)), (base, base + size))
            self.vm_size += size
        return base

    def map(self, base: int, size: int) -> bool:
        """Reserved to Prepared; False if the machine could never back so much.

        Go: runtime/mem_linux.go sysMapOS.
        """
        _check_aligned(base, size)
        if size > self.machine_bytes:
            return False
        if not self._is_in_region(base, size):
            throw("memory: maps what is not reserved")
        self._prepare(base, base + size)
        return True

    def alloc(self, size: int, count: int = 1) -> int:
        """A fresh Ready region of the kernel's choosing, or `count` of them side by side; 0 if it refuses.

        Go: runtime/mem_linux.go sysAllocOS.
        """
        if size > self.machine_bytes:
            return 0
        size = _round_up(size) * count
        base = self.reserve(0, size)
        if base:
            self._prepare(base, base + size)
            self.used(base, size)
        return base

    def used(self, base: int, size: int) -> int:
        """Prepared to Ready, whatever of it is not Ready yet; how many bytes that was.

        Go: runtime/mem_linux.go sysUsedOS.
        """
        _check_aligned(base, size)
        if not self._is_prepared(base, size):
            throw("memory: uses what is not mapped")
        return self._set_bits(self.ready, base, size) << PHYS_PAGE_SHIFT

    def unused(self, base: int, size: int) -> None:
        """Ready to Prepared: its pages are forgotten, and leave RSS at once.

        Go: runtime/mem_linux.go sysUnusedOS.
        """
        _check_aligned(base, size)
        if self._clear_bits(self.ready, base, size) << PHYS_PAGE_SHIFT != size:
            throw("memory: gives back what is not in use")
        self.rss_pages -= self._clear_bits(self.touched, base, size)

    def free(self, base: int, size: int) -> None:
        """Give a whole region back, whatever its state.

        Go: runtime/mem_linux.go sysFreeOS.
        """
        size = _round_up(size)
        try:
            self.regions.remove((base, base + size))
        except ValueError:
            throw("memory: frees what is not a region")
        self.vm_size -= size
        self._clear_bits(self.ready, base, size)
        self.rss_pages -= self._clear_bits(self.touched, base, size)
        self._unprepare(base, base + size)

    def touch(self, base: int, size: int) -> None:
        """The program reads or writes these bytes: pages that had no frame get one."""
        if size <= 0:
            return
        first = base & -PHYS_PAGE_SIZE
        limit = _round_up(base + size)
        block, last = first >> BLOCK_SHIFT, limit - 1 >> BLOCK_SHIFT
        while block <= last:
            mask = _mask(block, first, limit)
            if mask & ~self.ready.get(block, 0):
                throw("memory: touches what is not in use")
            old = self.touched.get(block, 0)
            new = old | mask
            if new != old:
                self.touched[block] = new
                self.rss_pages += (new ^ old).bit_count()
            block += 1

    # What is asked about addresses.

    def is_ready(self, base: int, size: int) -> bool:
        """Whether all of it may be used."""
        limit = base + size
        return all(
            not _mask(block, base, limit) & ~self.ready.get(block, 0)
            for block in range(base >> BLOCK_SHIFT, (limit - 1 >> BLOCK_SHIFT) + 1)
        )

    def ready_count(self, base: int, size: int) -> int:
        """How many physical pages of it are Ready."""
        return self._count_bits(self.ready, base, size)

    def resident_bytes(self, base: int, size: int) -> int:
        """How much of it is resident."""
        return self._count_bits(self.touched, base, size) << PHYS_PAGE_SHIFT

    @staticmethod
    def _count_bits(table: dict[int, int], base: int, size: int) -> int:
        limit = base + size
        return sum(
            (table[block] & _mask(block, base, limit)).bit_count()
            for block in range(base >> BLOCK_SHIFT, (limit - 1 >> BLOCK_SHIFT) + 1)
            if block in table
        )

    @property
    def ready_bytes(self) -> int:
        """Bytes in state Ready. Go's mappedReady must be the same."""
        return sum(bits.bit_count() for bits in self.ready.values()) << PHYS_PAGE_SHIFT

    def _is_none(self, base: int, size: int) -> bool:
        limit = base + size
        if base < LOWEST_ADDRESS or limit > ADDRESS_LIMIT or base % PHYS_PAGE_SIZE:
            return False
        index = bisect_right(self.regions, (base,))
        if index and self.regions[index - 1][1] > base:
            return False
        return index == len(self.regions) or self.regions[index][0] >= limit

    def _find_hole(self, size: int) -> int:
        """The highest free place below MMAP_TOP, as Linux's top-down search."""
        top = MMAP_TOP
        for base, limit in reversed(self.regions):
            if limit <= top:
                if top - limit >= size:
                    break
                top = base
            elif base < top:
                top = base
        return top - size if top - size >= LOWEST_ADDRESS else 0

    def _is_in_region(self, base: int, size: int) -> bool:
        """Whether [base, base+size) lies in regions that follow one another without a hole."""
        limit = base + size
        index = bisect_right(self.regions, (base, ADDRESS_LIMIT)) - 1
        while 0 <= index < len(self.regions) and self.regions[index][0] <= base:
            base = max(base, self.regions[index][1])
            if base >= limit:
                return True
            index += 1
        return False

    def _is_prepared(self, base: int, size: int) -> bool:
        index = bisect_right(self.prepared, (base, ADDRESS_LIMIT)) - 1
        return index >= 0 and self.prepared[index][1] >= base + size

    def _prepare(self, base: int, limit: int) -> None:
        """Enter a range among the mapped ones, joined with its neighbours."""
        ranges = self.prepared
        index = bisect_right(ranges, (base,))
        if (index and ranges[index - 1][1] > base) or (index < len(ranges) and ranges[index][0] < limit):
            throw("memory: maps what is mapped")
        first = index
        if index and ranges[index - 1][1] == base:
            first = index - 1
            base = ranges[first][0]
        if index < len(ranges) and ranges[index][0] == limit:
            limit = ranges[index][1]
            index += 1
        ranges[first:index] = [(base, limit)]

    def _unprepare(self, base: int, limit: int) -> None:
        kept: list[Range] = []
        for low, high in self.prepared:
            kept.extend(part for part in ((low, min(high, base)), (max(low, limit), high)) if part[0] < part[1])
        self.prepared = kept

    @staticmethod
    def _set_bits(table: dict[int, int], base: int, size: int) -> int:
        """Set the bits of a range of pages; how many were not set."""
        limit = base + size
        changed = 0
        for block in range(base >> BLOCK_SHIFT, (limit - 1 >> BLOCK_SHIFT) + 1):
            old = table.get(block, 0)
            new = old | _mask(block, base, limit)
            if new != old:
                table[block] = new
                changed += (new ^ old).bit_count()
        return changed

    @staticmethod
    def _clear_bits(table: dict[int, int], base: int, size: int) -> int:
        """Clear the bits of a range of pages; how many were set."""
        limit = base + size
        first, last = base >> BLOCK_SHIFT, limit - 1 >> BLOCK_SHIFT
        # A region that is freed may be huge and hardly used: look at the blocks that exist then.
        blocks = range(first, last + 1) if last - first < len(table) else sorted(b for b in table if first <= b <= last)
        changed = 0
        for block in blocks:
            old = table.get(block, 0)
            new = old & ~_mask(block, base, limit)
            if new != old:
                changed += (new ^ old).bit_count()
                if new:
                    table[block] = new
                else:
                    del table[block]
        return changed

    def check(self) -> None:
        """Ranges are sorted and apart, each state lies within the one below it, and the sums are right."""
        for ranges in (self.regions, self.prepared):
            previous = 0
            for base, limit in ranges:
                if not previous <= base < limit:
                    throw("memory: ranges overlap")
                previous = limit
        if sum(limit - base for base, limit in self.regions) != self.vm_size:
            throw("memory: vm_size is not the size of all regions")
        for base, limit in self.prepared:
            if not self._is_in_region(base, limit - base):
                throw("memory: mapped but not reserved")
        for block, bits in self.ready.items():
            low = (bits & -bits).bit_length() - 1
            start = (block << BLOCK_SHIFT) + (low << PHYS_PAGE_SHIFT)
            while bits:  # each run of Ready pages is mapped
                run = ((bits >> low) + 1 & ~(bits >> low)).bit_length() - 1
                if not self._is_prepared(start, run << PHYS_PAGE_SHIFT):
                    throw("memory: ready but not mapped")
                bits &= ~(((1 << run) - 1) << low)
                low = (bits & -bits).bit_length() - 1
                start = (block << BLOCK_SHIFT) + (low << PHYS_PAGE_SHIFT)
        resident = 0
        for block, bits in self.touched.items():
            if bits & ~self.ready.get(block, 0):
                throw("memory: resident but not ready")
            resident += bits.bit_count()
        if resident != self.rss_pages:
            throw("memory: rss is not the number of resident pages")


def _mask(block: int, base: int, limit: int) -> int:
    """The bits of those pages of a block that [base, limit) has."""
    start = block << BLOCK_SHIFT
    low = base - start >> PHYS_PAGE_SHIFT if base > start else 0
    high = limit - start + PHYS_PAGE_SIZE - 1 >> PHYS_PAGE_SHIFT
    if high >= BLOCK_PAGES:
        return FULL_BLOCK >> low << low
    return ((1 << high - low) - 1) << low


def _round_up(size: int) -> int:
    return size + PHYS_PAGE_SIZE - 1 & -PHYS_PAGE_SIZE


def _check_aligned(base: int, size: int) -> None:
    if base % PHYS_PAGE_SIZE or size % PHYS_PAGE_SIZE or size <= 0:
        throw("memory: not whole pages")
