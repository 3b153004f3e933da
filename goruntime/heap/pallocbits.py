"""The pages of one chunk of 4 MiB as bits: which are taken, which were given back to the operating system.

Go keeps 512 bits as eight words and works on one word after the other. Here they are one integer of Python, so a range
of any length is one shift and one mask, and a run of zeros is found by halving in the whole chunk at once. What comes
out is the same: the searches of Go begin at the 64 bits that hold search_idx and take the first run that is long
enough, and so do these.

Bit i is page i of the chunk. In `bits` 1 is taken; in `scavenged` 1 is given back.

Go: runtime/mpallocbits.go pageBits, pallocBits, pallocData, runtime/mgcscavenge.go pallocData.findScavengeCandidate,
fillAligned (go1.27).
"""

from __future__ import annotations

from ..base.errors import throw
from ..kernel.memory import PHYS_PAGE_SIZE
from .sizeclass import PAGE_SIZE

LOG_CHUNK_PAGES = 9
CHUNK_PAGES = 1 << LOG_CHUNK_PAGES
CHUNK_BYTES = CHUNK_PAGES * PAGE_SIZE
ALL = (1 << CHUNK_PAGES) - 1
ALL64 = (1 << 64) - 1
NOT_FOUND = -1  # Go's ^uint(0)
MAX_PAGES_PER_PHYS_PAGE = 64  # of the largest physical page Go supports, 512 KiB
PHYS_HUGE_PAGE_SIZE = 2 << 20
PAGES_PER_HUGE_PAGE = PHYS_HUGE_PAGE_SIZE // PAGE_SIZE

# A summary is (free pages at the start, most in a row, free pages at the end), packed as Go packs it.
LOG_MAX_PACKED_VALUE = LOG_CHUNK_PAGES + 4 * 3
MAX_PACKED_VALUE = 1 << LOG_MAX_PACKED_VALUE
PACKED_MASK = MAX_PACKED_VALUE - 1
_ALL_FREE = 1 << 63  # all three are MAX_PACKED_VALUE


def pack_sum(start: int, most: int, end: int) -> int:
    """Pack a summary into 64 bits.

    Go: runtime/mpagealloc.go packPallocSum.
    """
    if most == MAX_PACKED_VALUE:
        return _ALL_FREE
    return start | most << LOG_MAX_PACKED_VALUE | end << 2 * LOG_MAX_PACKED_VALUE


def unpack_sum(packed: int) -> tuple[int, int, int]:
    """(start, most, end) of a summary.

    Go: runtime/mpagealloc.go pallocSum.unpack.
    """
    if packed & _ALL_FREE:
        return MAX_PACKED_VALUE, MAX_PACKED_VALUE, MAX_PACKED_VALUE
    return (
        packed & PACKED_MASK,
        packed >> LOG_MAX_PACKED_VALUE & PACKED_MASK,
        packed >> 2 * LOG_MAX_PACKED_VALUE & PACKED_MASK,
    )


FREE_CHUNK_SUM = pack_sum(CHUNK_PAGES, CHUNK_PAGES, CHUNK_PAGES)


def trailing_zeros(bits: int, none: int) -> int:
    """How many zeros are below the lowest 1; `none` if there is no 1."""
    return (bits & -bits).bit_length() - 1 if bits else none


def find_bit_range(ones: int, length: int) -> int:
    """The lowest bit of the first run of `length` ones, NOT_FOUND if there is none.

    Removes the top length - 1 ones of every run by shifting zeros down, twice as many each time.
    Unoptimised form: try every bit in turn.
    Go: runtime/mpallocbits.go findBitRange64.
    """
    left = length - 1  # ones to remove from each run
    width = 1  # of the shortest run of zeros between two runs
    while left > 0:
        if left <= width:
            ones &= ones >> left
            break
        ones &= ones >> width
        if not ones:
            return NOT_FOUND
        left -= width
        width *= 2
    return (ones & -ones).bit_length() - 1  # which is NOT_FOUND for none


def longest_run(ones: int) -> int:
    """The length of the longest run of ones.

    Unoptimised form: the largest n for which find_bit_range finds something. Doubles the length while runs of it are
    left, then halves the step back down.
    """
    if not ones:
        return 0
    steps = []  # (length, bits at which a run of that length begins)
    length = 1
    while ones:
        steps.append((length, ones))
        ones &= ones >> length
        length *= 2
    length, ones = steps.pop()
    while steps:
        step, runs = steps.pop()
        longer = ones & runs >> length
        if longer:
            ones = longer
            length += step
    return length


class PallocData:
    """The bits of one chunk.

    Go: runtime/mpallocbits.go pallocData.
    """

    __slots__ = ("bits", "scavenged")

    def __init__(self) -> None:
        self.bits = 0  # taken pages
        self.scavenged = 0  # pages given back to the operating system, or never taken from it

    # Taking and freeing.

    def alloc_range(self, i: int, n: int) -> None:
        """Take pages [i, i+n); they are no longer scavenged.

        Go: runtime/mpallocbits.go pallocData.allocRange, allocAll.
        """
        mask = ((1 << n) - 1) << i
        self.bits |= mask
        self.scavenged &= ~mask

    def free(self, i: int, n: int) -> None:
        """Free pages [i, i+n).

        Go: runtime/mpallocbits.go pallocBits.free, free1, freeAll.
        """
        self.bits &= ~(((1 << n) - 1) << i)

    def set_scavenged(self, i: int, n: int) -> None:
        """Pages [i, i+n) were given back.

        Go: runtime/mpallocbits.go pageBits.setRange.
        """
        self.scavenged |= ((1 << n) - 1) << i

    def scavenged_count(self, i: int, n: int) -> int:
        """How many of pages [i, i+n) are scavenged.

        Go: runtime/mpallocbits.go pageBits.popcntRange.
        """
        return (self.scavenged >> i & ((1 << n) - 1)).bit_count()

    # Sixty-four at a time, for page caches. i is any page of the 64.

    def pages64(self, i: int) -> int:
        """The bits of the 64 pages that hold page i.

        Go: runtime/mpallocbits.go pallocBits.pages64.
        """
        return self.bits >> (i & -64) & ALL64

    def scavenged64(self, i: int) -> int:
        """The scavenged bits of the 64 pages that hold page i.

        Go: runtime/mpallocbits.go pageBits.block64.
        """
        return self.scavenged >> (i & -64) & ALL64

    def alloc_pages64(self, i: int, pages: int) -> None:
        """Take those of the 64 that are set in `pages`; their scavenged bits are left alone.

        Go: runtime/mpallocbits.go pallocBits.allocPages64.
        """
        self.bits |= pages << (i & -64)

    def clear_scavenged64(self, i: int, pages: int) -> None:
        """Those of the 64 that are set in `pages` are no longer scavenged.

        Go: runtime/mpallocbits.go pageBits.clearBlock64.
        """
        self.scavenged &= ~(pages << (i & -64))

    # Searching.

    def find(self, npages: int, search_idx: int) -> tuple[int, int]:
        """(first page of the first free run that is long enough, first free page at all), from search_idx on.

        The first is NOT_FOUND if there is none; the second means nothing then.
        Unoptimised form: words of 64, a run carried over from one to the next (findSmallN, findLargeN).
        Go: runtime/mpallocbits.go pallocBits.find, find1, findSmallN, findLargeN.
        """
        first = search_idx & -64
        free = ~self.bits >> first & (ALL >> first)
        if not free:
            return NOT_FOUND, NOT_FOUND
        lowest = first + (free & -free).bit_length() - 1
        if npages == 1:
            return lowest, lowest
        j = find_bit_range(free, npages)
        return (NOT_FOUND if j < 0 else first + j), lowest

    def summarize(self) -> int:
        """The packed summary: free pages at the start, most in a row, free pages at the end.

        Go: runtime/mpallocbits.go pallocBits.summarize.
        """
        bits = self.bits
        if not bits:
            return FREE_CHUNK_SUM
        start = (bits & -bits).bit_length() - 1
        end = CHUNK_PAGES - bits.bit_length()
        most = start if start > end else end
        inner = bits >> start
        if inner & inner + 1:  # zeros between taken pages
            inside = longest_run(~inner & ((1 << inner.bit_length()) - 1))
            if inside > most:
                most = inside
        return start | most << LOG_MAX_PACKED_VALUE | end << 2 * LOG_MAX_PACKED_VALUE

    def find_scavenge_candidate(self, search_idx: int, minimum: int, maximum: int) -> tuple[int, int]:
        """(first page, count) of the highest free run that is not scavenged yet, at or below search_idx's 64 pages.

        minimum: alignment and least size, in pages. maximum: how much is wanted; more comes back rather than breaking
        up a huge page that is free as a whole, or a multiple of minimum.
        Go: runtime/mgcscavenge.go pallocData.findScavengeCandidate.
        """
        if minimum <= 0 or minimum & minimum - 1:
            throw("min must be a non-zero power of 2")
        if minimum > MAX_PAGES_PER_PHYS_PAGE:
            throw("min too large")
        maximum = align_up(maximum, minimum) if maximum else minimum
        width = (search_idx & -64) + 64
        # 1s are scavenged or taken, so 0s are what we look for.
        busy = fill_aligned(self.scavenged | self.bits, minimum, CHUNK_PAGES) & ((1 << width) - 1)
        end = (~busy & ((1 << width) - 1)).bit_length()
        if not end:
            return 0, 0
        run = end - (busy & ((1 << end) - 1)).bit_length()
        size = min(run, maximum)
        start = end - size
        if PHYS_HUGE_PAGE_SIZE > PAGE_SIZE and PHYS_HUGE_PAGE_SIZE > PHYS_PAGE_SIZE:
            huge_page_above = align_up(start, PAGES_PER_HUGE_PAGE)
            if huge_page_above <= end:
                huge_page_below = start & -PAGES_PER_HUGE_PAGE
                if huge_page_below >= end - run:
                    # The range begins within a huge page that is free as a whole: take all of it.
                    size += start - huge_page_below
                    start = huge_page_below
        return start, size

    def check(self) -> None:
        """No bits beyond the chunk. A taken page is not scavenged."""
        if self.bits < 0 or self.bits > ALL or self.scavenged < 0 or self.scavenged > ALL:
            throw("pallocData: bits beyond the chunk")


def align_up(n: int, alignment: int) -> int:
    """The next multiple of a power of two.

    Go: runtime/stubs.go alignUp.
    """
    return n + alignment - 1 & -alignment


def fill_aligned(bits: int, m: int, width: int = 64) -> int:
    """Bits with every aligned group of m that holds a 1 filled with ones. m is a power of two up to 64.

    Folds each group onto its lowest bit, then spreads that.
    Unoptimised form: look at each group.
    Go: runtime/mgcscavenge.go fillAligned.
    """
    if m == 1:
        return bits
    if m not in (2, 4, 8, 16, 32, 64):
        throw("bad m value")
    step = 1
    while step < m:
        bits |= bits >> step  # reaches bit 0 of a group from all of it, and spills into the top of the group below
        step *= 2
    lowest = ((1 << width) - 1) // ((1 << m) - 1)  # bit 0 of each group
    return (bits & lowest) * ((1 << m) - 1)
