"""Ranges of addresses, sorted and joined where they touch: which of the address space belongs to the heap.

Go: runtime/mranges.go addrRange, addrRanges, offAddr (go1.27).
Differs: addresses are below 2**47, where Go's offset of the address space (arenaBaseOffset) makes no difference.
Units: bytes; a range is [base, limit).
"""

from __future__ import annotations

from bisect import bisect_left

from ..base.errors import throw

HEAP_ADDR_BITS = 48
MIN_ADDRESS = 0  # Go's minOffAddr
MAX_ADDRESS = (1 << HEAP_ADDR_BITS) - 1  # Go's maxOffAddr: no valid address, "the heap is exhausted"

AddrRange = tuple[int, int]
EMPTY: AddrRange = (0, 0)


def range_size(r: AddrRange) -> int:
    """How many bytes a range has.

    Go: runtime/mranges.go addrRange.size.
    """
    return r[1] - r[0] if r[0] < r[1] else 0


def subtract(a: AddrRange, b: AddrRange) -> AddrRange:
    """What is left of a without b, which may not lie strictly inside.

    Go: runtime/mranges.go addrRange.subtract.
    """
    (base, limit), (low, high) = a, b
    if low <= base and limit <= high:
        return EMPTY
    if base < low and high < limit:
        throw("bad prune")
    if high < limit and base < high:
        base = high
    elif base < low and low < limit:
        limit = low
    return base, limit


class AddrRanges:
    """Ranges, sorted, joined where they touch.

    Go: runtime/mranges.go addrRanges.
    """

    __slots__ = ("ranges", "total_bytes")

    def __init__(self) -> None:
        self.ranges: list[AddrRange] = []
        self.total_bytes = 0

    def find_succ(self, address: int) -> int:
        """The index of the first range whose base is above address.

        Go: runtime/mranges.go addrRanges.findSucc.
        """
        return bisect_left(self.ranges, (address + 1,))

    def find_addr_greater_equal(self, address: int) -> int | None:
        """The lowest address in any range that is not below address.

        Go: runtime/mranges.go addrRanges.findAddrGreaterEqual.
        """
        i = self.find_succ(address)
        if i and address < self.ranges[i - 1][1]:
            return address
        return self.ranges[i][0] if i < len(self.ranges) else None

    def contains(self, address: int) -> bool:
        """Whether any range holds address.

        Go: runtime/mranges.go addrRanges.contains.
        """
        i = self.find_succ(address)
        return i > 0 and address < self.ranges[i - 1][1]

    def add(self, r: AddrRange) -> None:
        """Add a range that overlaps none.

        Go: runtime/mranges.go addrRanges.add.
        """
        base, limit = r
        if base >= limit:
            throw("attempted to add zero-sized address range")
        self.total_bytes += limit - base
        ranges = self.ranges
        first = last = self.find_succ(base)
        if first and ranges[first - 1][1] == base:
            first -= 1
            base = ranges[first][0]
        if last < len(ranges) and ranges[last][0] == limit:
            limit = ranges[last][1]
            last += 1
        ranges[first:last] = [(base, limit)]

    def remove_last(self, size: int) -> AddrRange:
        """Take the highest range out, or its last size bytes; empty if there is none.

        Go: runtime/mranges.go addrRanges.removeLast.
        """
        if not self.ranges:
            return EMPTY
        base, limit = self.ranges.pop()
        if limit - base > size:
            self.ranges.append((base, limit - size))
            base = limit - size
        self.total_bytes -= limit - base
        return base, limit

    def remove_greater_equal(self, address: int) -> None:
        """Take out everything from address on.

        Go: runtime/mranges.go addrRanges.removeGreaterEqual.
        """
        pivot = self.find_succ(address)
        del self.ranges[pivot:]
        if pivot:
            base, limit = self.ranges[-1]
            if address < limit:
                self.ranges.pop()
                if base < address:
                    self.ranges.append((base, address))
        self.total_bytes = sum(limit - base for base, limit in self.ranges)

    def check(self) -> None:
        """Sorted, not empty, not touching, and their total is right."""
        previous = -1
        for base, limit in self.ranges:
            if not previous < base < limit:
                throw("addrRanges: not sorted and apart")
            previous = limit
        if sum(limit - base for base, limit in self.ranges) != self.total_bytes:
            throw("addrRanges: wrong total")
