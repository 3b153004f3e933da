"""A span: a run of pages cut into slots of one size, or pages that somebody manages by hand.

Which slots are free is said by two things. `alloc_bits` is what the last sweep found: it does not change while the
span is allocated from. `freeindex` is how far allocation has come since: every slot below it is taken. Slots are
handed out in address order.

Go finds the next free slot with `alloc_cache`, 64 bits of the complement of alloc_bits, of which it counts the trailing
zeros. Here the free slots of these 64 lie ready as a list of addresses, `window`, next one last: allocating is
`window.pop()`, and nothing else is written. What Go would have stored is computed from what is left of the list when
somebody asks: freeindex, alloc_cache, alloc_count, free_index_for_scan. Whoever must see each allocation (sampling,
a collector that marks) asks for a shorter window, or for none.

Bitmaps are Python integers, bit i for slot i.

Go: runtime/mheap.go mspan, initSpan, mSpanList, runtime/mbitmap.go (go1.27).
Units: bytes, pages of 8,192 bytes. Invariant: check().
"""

from __future__ import annotations

from itertools import compress
from typing import Any

from ..base.errors import throw
from .sizeclass import (
    CLASS_TO_SIZE,
    MALLOC_HEADER_SIZE,
    MIN_SIZE_FOR_MALLOC_HEADER,
    PAGE_SIZE,
    SPAN_CLASS_COUNT,
    SPAN_CLASS_TO_SLOTS,
    uses_inline_mark_bits,
)

# Dead: its pages belong to the page allocator, or to nobody. In use: slots for the collector, in an mcache or in a set
# of its mcentral, or a large object. Manual: pages for stacks and the like; the collector does not look.
DEAD, IN_USE, MANUAL = range(3)
STATE_NAMES = ("dead", "in use", "manual")
LEGAL_EDGES = frozenset({(DEAD, IN_USE), (DEAD, MANUAL), (IN_USE, DEAD), (MANUAL, DEAD)})

WINDOW = 64  # slots: the bits of Go's allocCache
# For each byte of free bits, highest first: what chooses among eight addresses.
_SELECTORS = tuple(bytes(byte >> (7 - place) & 1 for place in range(8)) for byte in range(256))


def _addresses(start: int, size: int, bits: int) -> list[int]:
    """start + i * size for each bit i that is set, last one first."""
    data = bits.to_bytes((bits.bit_length() + 7) // 8, "big")
    selectors = b"".join([_SELECTORS[byte] for byte in data])
    return list(compress(range(start + (len(selectors) - 1) * size, start - 1, -size), selectors))


class Span:
    """One span. Owned by whoever took it: the page allocator, an mcentral, the mcache of one P, a sweeper."""

    __slots__ = (
        "alloc_bits", "alloc_count_before_cache", "base", "elemsize", "first_free", "gcmark_bits", "header_size",
        "inline_marks", "inline_owned", "inline_scans", "large_type", "limit", "list", "manual_free_list", "needzero",
        "nelems", "next", "npages", "prev", "scan_index", "spanclass", "specials", "state", "sweepgen", "taken_before",
        "window", "window_end", "window_size",
    )  # fmt: skip

    def __init__(self) -> None:
        self.window: list[int] = []  # addresses of free slots, next one last
        self.state = DEAD
        self.init(0, 0)

    def init(self, base: int, npages: int) -> None:
        """Make it a dead span of these pages, whatever it was before.

        Go: runtime/mheap.go mspan.init.
        """
        if self.state != DEAD:
            throw("span init: not dead")
        self.base = base
        self.npages = npages
        self.limit = base + npages * PAGE_SIZE
        self.next: Span | None = None
        self.prev: Span | None = None
        self.list: SpanList | None = None
        self.spanclass = 0
        self.elemsize = 0
        self.nelems = 0
        self.header_size = 0  # of each slot: a word for the type of an object with pointers above 512 bytes
        self.sweepgen = 0
        self.needzero = False  # its memory is not known to be zero
        self.alloc_bits = 0
        self.gcmark_bits = 0
        self.inline_marks = 0  # the mark bits at the end of a span of small objects, and which of them were scanned
        self.inline_scans = 0
        self.inline_owned = 0
        self.alloc_count_before_cache = 0
        self.specials: list[Any] | None = None  # sorted by (offset, kind)
        self.large_type: Any = None
        self.manual_free_list: list[int] = []
        self.scan_index = -1  # free_index_for_scan, if it does not follow freeindex
        self._start(0, 0)

    # Its state, and what it is used for.

    def set_state(self, new: int) -> None:
        """The one door of `state`."""
        if (self.state, new) not in LEGAL_EDGES:
            throw("span: illegal change of state")
        self.state = new

    def init_heap(self, spanclass: int, sweepgen: int) -> None:
        """Cut a dead span into free slots and put it to use.

        Go: runtime/mheap.go mheap.initSpan.
        """
        self.spanclass = spanclass
        size_class = spanclass >> 1
        self.elemsize = CLASS_TO_SIZE[size_class] or self.npages * PAGE_SIZE
        self.nelems = SPAN_CLASS_TO_SLOTS[spanclass]
        if size_class and not spanclass & 1 and self.elemsize > MIN_SIZE_FOR_MALLOC_HEADER:
            self.header_size = MALLOC_HEADER_SIZE
        self.limit = self.base + self.elemsize * self.nelems
        self.sweepgen = sweepgen
        self.set_state(IN_USE)

    def init_manual(self) -> None:
        """Put a dead span to use as pages that its user manages."""
        self.manual_free_list = []
        self.set_state(MANUAL)

    # Free slots.

    def _start(self, first_free: int, taken: int) -> None:
        """Begin with no window, at first_free, with so many slots taken in the whole span."""
        self.window.clear()
        self.window_size = 0
        self.window_end = first_free  # behind the last slot that was put into the window
        self.first_free = first_free  # freeindex when the window was filled
        self.taken_before = taken  # alloc_count then

    @property
    def alloc_count(self) -> int:
        """How many slots are taken."""
        return self.taken_before + self.window_size - len(self.window)

    @property
    def freeindex(self) -> int:
        """Every slot below is taken: one more than the slot that was taken last."""
        window = self.window
        if len(window) == self.window_size:
            return self.first_free
        # The highest free bit below the window's next slot is that of the slot before it.
        end = (window[-1] - self.base) // self.elemsize if window else self.window_end
        first = self.first_free
        return first + (~self.alloc_bits >> first & ((1 << end - first) - 1)).bit_length()

    @property
    def alloc_cache(self) -> int:
        """The complement of alloc_bits from freeindex to the end of its 64 slots; bit 0 is freeindex.

        As in Go the bits behind the span's last slot say nothing.
        """
        index = self.freeindex
        if index == self.nelems and index % WINDOW == 0:
            return 0
        return ~self.alloc_bits >> index & ((1 << WINDOW - index % WINDOW) - 1)

    @property
    def free_index_for_scan(self) -> int:
        """What freeindex is to the collector: while it marks, new objects are behind it, and black."""
        return self.freeindex if self.scan_index < 0 else self.scan_index

    def next_free_index(self) -> int:
        """The next free slot, nelems if there is none. Takes nothing.

        Go: runtime/mbitmap.go mspan.nextFreeIndex.
        """
        index = self.freeindex
        free = ~self.alloc_bits >> index & ((1 << self.nelems - index) - 1)
        return index + (free & -free).bit_length() - 1 if free else self.nelems

    def fill_window(self, limit: int = WINDOW) -> bool:  # hot: alloc
        """Put the free slots of the next 64 that have any into the window, at most limit; False when all are taken.

        Unoptimised form: next_free_index, as often as it finds one below the next multiple of 64.
        Go: runtime/mbitmap.go mspan.nextFreeIndex, refillAllocCache.
        """
        if self.window:
            throw("fill_window: free slots are left")
        first = self.freeindex
        taken = self.alloc_count
        nelems = self.nelems
        while True:
            if first >= nelems:
                self._start(nelems, taken)
                return False
            end = (first | WINDOW - 1) + 1
            if end > nelems:
                end = nelems
            free = ~self.alloc_bits >> first & ((1 << end - first) - 1)
            if free:
                break
            first = end
        if limit < free.bit_count():
            rest = free
            for _ in range(limit):
                rest &= rest - 1
            free ^= rest
        size = self.elemsize
        start = self.base + self.header_size + first * size
        length = free.bit_length()
        if free & (free + 1) == 0:
            self.window = list(range(start + (length - 1) * size, start - 1, -size))
        else:
            self.window = _addresses(start, size, free)
        self.window_size = len(self.window)
        self.window_end = first + length
        self.first_free = first
        self.taken_before = taken
        return True

    def cut_window(self) -> None:
        """Empty the window without taking its slots: whoever allocates next must ask for one."""
        self._start(self.freeindex, self.alloc_count)

    def put_bits(self, alloc_bits: int) -> None:
        """The sweeper: from now on these slots are taken, and allocation begins at slot 0 again."""
        self.alloc_bits = alloc_bits
        self.scan_index = -1
        self._start(0, alloc_bits.bit_count())

    def skip_to(self, index: int) -> None:
        """Begin the search for free slots at index: all below are taken."""
        if self.window or self.next_free_index() < index:
            throw("span: skips free slots")
        self._start(index, self.alloc_count)

    # Objects.

    def object_index(self, address: int) -> int:
        """Which slot an address within the span belongs to.

        Go: runtime/mbitmap.go mspan.objIndex.
        """
        return (address - self.base) // self.elemsize

    def object_address(self, index: int) -> int:
        """What the program calls the address of the object in a slot: behind its header, if slots have one."""
        return self.base + self.header_size + index * self.elemsize

    def addresses(self, bits: int) -> list[int]:
        """Of the objects in these slots, in address order."""
        found = _addresses(self.base + self.header_size, self.elemsize, bits)
        found.reverse()
        return found

    def allocated_bits(self) -> int:
        """The slots that are taken, those taken since the last sweep included."""
        return self.alloc_bits | (1 << self.freeindex) - 1

    def is_free(self, index: int) -> bool:
        """Whether a slot is not taken, as the collector sees it.

        Go: runtime/mbitmap.go mspan.isFree.
        """
        return index >= self.free_index_for_scan and not self.alloc_bits >> index & 1

    def has_inline_marks(self) -> bool:
        """Whether the span holds its own mark bits."""
        return uses_inline_mark_bits(self.elemsize)

    def is_marked(self, index: int) -> bool:
        """Whether the object in a slot was found reachable in this cycle.

        Go: runtime/mgcmark_greenteagc.go mspan.markBitsForIndex.
        """
        bits = self.inline_marks if self.has_inline_marks() else self.gcmark_bits
        return bool(bits >> index & 1)

    def set_marked(self, index: int) -> None:
        """Mark the object in a slot."""
        if self.has_inline_marks():
            self.inline_marks |= 1 << index
        else:
            self.gcmark_bits |= 1 << index

    def move_inline_marks(self) -> None:
        """Merge the marks that stand in the span into gcmark_bits, and clear them.

        Go: runtime/mgcmark_greenteagc.go mspan.moveInlineMarks.
        """
        self.gcmark_bits |= self.inline_marks
        self.inline_marks = self.inline_scans = self.inline_owned = 0

    # Display and proof.

    def __repr__(self) -> str:
        where = f"span {self.base:#x} of {self.npages} pages, {STATE_NAMES[self.state]}"
        if self.state != IN_USE:
            return f"<{where}>"
        return f"<{where}, class {self.spanclass}, {self.alloc_count} of {self.nelems} slots of {self.elemsize} taken>"

    def check(self) -> None:
        """Counts, bits and the window agree."""
        if self.base % PAGE_SIZE:
            throw("span: not at the beginning of a page")
        if self.state != IN_USE:
            if self.window or (self.nelems and self.state == MANUAL):
                throw("span: slots in a span without objects")
            return
        if not 0 <= self.spanclass < SPAN_CLASS_COUNT or self.nelems != SPAN_CLASS_TO_SLOTS[self.spanclass]:
            throw("span: wrong number of slots")
        if self.alloc_bits >> self.nelems or self.gcmark_bits >> self.nelems or self.inline_marks >> self.nelems:
            throw("span: bits behind the last slot")
        if not self.first_free <= self.freeindex <= self.nelems:
            throw("span: freeindex out of range")
        if self.allocated_bits().bit_count() != self.alloc_count:
            throw("span: alloc_count is not the number of slots that are taken")
        self._check_window()

    def _check_window(self) -> None:
        index = self.freeindex
        for address in reversed(self.window):
            slot = self.object_index(address)
            if address != self.object_address(slot):
                throw("span: the window holds no slot's address")
            skipped = ~self.alloc_bits >> index & ((1 << slot - index) - 1)
            if slot < index or skipped or self.alloc_bits >> slot & 1:
                throw("span: the window is not the next free slots")
            index = slot + 1


class SpanList:
    """A doubly linked list of spans: O(1) to take any of them out.

    Go: runtime/mheap.go mSpanList.
    """

    __slots__ = ("first", "last")

    def __init__(self) -> None:
        self.first: Span | None = None
        self.last: Span | None = None

    def insert(self, span: Span) -> None:
        """Put a span first."""
        if span.next is not None or span.prev is not None or span.list is not None:
            throw("SpanList.insert: span is in a list")
        span.next = self.first
        if self.first is not None:
            self.first.prev = span
        else:
            self.last = span
        self.first = span
        span.list = self

    def remove(self, span: Span) -> None:
        """Take a span out."""
        if span.list is not self:
            throw("SpanList.remove: span is not in this list")
        if self.first is span:
            self.first = span.next
        elif span.prev is not None:
            span.prev.next = span.next
        if self.last is span:
            self.last = span.prev
        elif span.next is not None:
            span.next.prev = span.prev
        span.next = span.prev = span.list = None


EMPTY_SPAN = Span()  # what an mcache holds where it has no span: always full. Go: runtime/mcache.go emptymspan
