"""Sixty-four pages of a P's own: small spans are taken from them without the heap's lock.

Go: runtime/mpagecache.go pageCache (go1.27).
Units: addresses in bytes. Bit i is page i of the 64.
"""

from __future__ import annotations

from ..base.errors import throw
from .pallocbits import ALL64, NOT_FOUND, find_bit_range
from .sizeclass import PAGE_SHIFT, PAGE_SIZE

PAGE_CACHE_PAGES = 64


class PageCache:
    """Free pages among 64 neighbours. Owned by the M that runs its P.

    Go: runtime/mpagecache.go pageCache.
    """

    __slots__ = ("base", "cache", "scav")

    def __init__(self, base: int = 0, cache: int = 0, scav: int = 0) -> None:
        self.base = base  # address of page 0
        self.cache = cache  # free pages
        self.scav = scav  # scavenged pages; of those that are not free it says nothing

    def alloc(self, npages: int) -> tuple[int, int]:  # hot: span_alloc
        """(address of the first run of so many free pages, bytes of it that are scavenged); (0, 0) if there is none.

        Go: runtime/mpagecache.go pageCache.alloc, allocN.
        """
        free = self.cache
        if not free:
            return 0, 0
        if npages == 1:
            bit = free & -free
            self.cache = free ^ bit
            address = self.base + (bit.bit_length() - 1 << PAGE_SHIFT)
            if self.scav & bit:
                self.scav ^= bit
                return address, PAGE_SIZE
            return address, 0
        i = find_bit_range(free, npages)
        if i == NOT_FOUND:
            return 0, 0
        mask = ((1 << npages) - 1) << i
        scavenged = (self.scav & mask).bit_count()
        self.cache = free & ~mask
        self.scav &= ~mask
        return self.base + (i << PAGE_SHIFT), scavenged << PAGE_SHIFT

    def check(self) -> None:
        """Sixty-four bits, at a multiple of 64 pages."""
        if not 0 <= self.cache <= ALL64 or not 0 <= self.scav <= ALL64:
            throw("pageCache: more than 64 pages")
        if self.base % (PAGE_CACHE_PAGES * PAGE_SIZE):
            throw("pageCache: not at a multiple of 64 pages")
