"""Size classes and span classes: which slot serves a request, and how many slots a span holds.

A small request is rounded up to one of 67 sizes; class 0 is for what is larger. The classes come from two wishes: the
slots of a span shall leave at most 1/8 of it unused, and so shall rounding up. Everything here is computed from that
rule, once, when the module is imported.

A span class is a size class with one bit more, `noscan`: spans whose objects hold no pointers are kept apart, so that
the collector need not look at them.

Go: internal/runtime/gc/sizeclasses.go SizeClassToSize, runtime/msize.go roundupsize (go1.27).
Units: bytes, pages of PAGE_SIZE.
"""

from __future__ import annotations

PTR_SIZE = 8
PAGE_SHIFT = 13
PAGE_SIZE = 1 << PAGE_SHIFT
MIN_HEAP_ALIGN = 8
MAX_SMALL_SIZE = 32_768
SMALL_SIZE_DIV = 8
SMALL_SIZE_MAX = 1_024
LARGE_SIZE_DIV = 128
MALLOC_HEADER_SIZE = 8
MAX_SMALL_REQUEST = MAX_SMALL_SIZE - MALLOC_HEADER_SIZE  # a larger one gets a span of its own
MIN_SIZE_FOR_MALLOC_HEADER = PTR_SIZE * 64  # exclusive
INLINE_MARK_BITS_SIZE = 128  # at the end of a span of small objects: scans, marks, ownership, span class
TINY_SIZE = 16
TINY_SIZE_CLASS = 2


def _make_classes() -> list[tuple[int, int]]:
    """(size, pages) of each class, by the rule that generates Go's table."""
    classes: list[tuple[int, int]] = []
    align = size = MIN_HEAP_ALIGN
    while size <= MAX_SMALL_SIZE:
        if size & (size - 1) == 0:
            if size >= 2_048:
                align = 256
            elif size >= 128:
                align = size // 8
            elif size >= 32:
                align = 16
        npages = 1
        while npages * PAGE_SIZE % size > npages * PAGE_SIZE // 8:
            npages += 1
        span_bytes = npages * PAGE_SIZE
        if classes and classes[-1][1] == npages and span_bytes // size == span_bytes // classes[-1][0]:
            classes[-1] = (size, npages)
        else:
            classes.append((size, npages))
        size += align
    return [(max(size, _largest_that_fits(size, npages)), npages) for size, npages in classes]


def _largest_that_fits(size: int, npages: int) -> int:
    """How large objects may be without there being fewer of them in a span."""
    span_bytes = npages * PAGE_SIZE
    return span_bytes // (span_bytes // size) // LARGE_SIZE_DIV * LARGE_SIZE_DIV


_CLASSES = [(0, 0), *_make_classes()]
SIZE_CLASS_COUNT = len(_CLASSES)
SPAN_CLASS_COUNT = SIZE_CLASS_COUNT << 1
CLASS_TO_SIZE = tuple(size for size, _ in _CLASSES)
CLASS_TO_PAGES = tuple(npages for _, npages in _CLASSES)
# n // size == n * magic >> 32 for every offset n in a span; kept for who wants Go's number, Python divides.
CLASS_TO_DIV_MAGIC = (0, *(0xFFFFFFFF // size + 1 for size in CLASS_TO_SIZE[1:]))


def _class_table(first: int, last: int, step: int) -> bytes:
    """The class of each size from first to last."""
    table = bytearray()
    size_class = 1
    for size in range(first, last + 1, step):
        while CLASS_TO_SIZE[size_class] < size:
            size_class += 1
        table.append(size_class)
    return bytes(table)


SIZE_TO_CLASS8 = b"\0" + _class_table(SMALL_SIZE_DIV, SMALL_SIZE_MAX, SMALL_SIZE_DIV)
SIZE_TO_CLASS128 = _class_table(SMALL_SIZE_MAX, MAX_SMALL_SIZE, LARGE_SIZE_DIV)


def size_to_class(size: int) -> int:
    """The smallest class whose slots hold size bytes; size is at most MAX_SMALL_SIZE."""
    if size <= SMALL_SIZE_MAX - 8:
        return SIZE_TO_CLASS8[(size + SMALL_SIZE_DIV - 1) // SMALL_SIZE_DIV]
    return SIZE_TO_CLASS128[(size - SMALL_SIZE_MAX + LARGE_SIZE_DIV - 1) // LARGE_SIZE_DIV]


def make_span_class(size_class: int, is_noscan: bool) -> int:
    """The span class of a size class.

    Go: runtime/mheap.go makeSpanClass.
    """
    return size_class << 1 | is_noscan


TINY_SPAN_CLASS = make_span_class(TINY_SIZE_CLASS, True)


def heap_bits_in_span(size: int) -> bool:
    """Whether the pointer bits of objects of this size, requested or rounded up, stand at the end of their span.

    Go: runtime/mbitmap.go heapBitsInSpan.
    """
    return size <= MIN_SIZE_FOR_MALLOC_HEADER


def uses_inline_mark_bits(elemsize: int) -> bool:
    """Whether a span with such slots holds its own mark bits.

    Go: runtime/mgcmark_greenteagc.go gcUsesSpanInlineMarkBits.
    """
    return 16 <= elemsize <= MIN_SIZE_FOR_MALLOC_HEADER


def has_malloc_header(size: int, is_noscan: bool) -> bool:
    """Whether a small object of this size begins with a word for its type, before the address the program sees."""
    return not is_noscan and size > MIN_SIZE_FOR_MALLOC_HEADER


def _slot_count(span_class: int) -> int:
    """Slots in a span of this class, after what the span keeps for mark bits and pointer bits."""
    elemsize = CLASS_TO_SIZE[span_class >> 1]
    if elemsize == 0:
        return 1
    span_bytes = CLASS_TO_PAGES[span_class >> 1] * PAGE_SIZE
    reserve = 0
    if uses_inline_mark_bits(elemsize):
        reserve += INLINE_MARK_BITS_SIZE
    if heap_bits_in_span(elemsize) and not span_class & 1:
        reserve += span_bytes // PTR_SIZE // 8
    return (span_bytes - reserve) // elemsize


SPAN_CLASS_TO_SLOTS = tuple(_slot_count(span_class) for span_class in range(SPAN_CLASS_COUNT))


def small_span_class(size: int, is_noscan: bool) -> int:
    """The span class that serves a request of 1 to MAX_SMALL_REQUEST bytes (the tiny allocator aside)."""
    if not is_noscan and size > MIN_SIZE_FOR_MALLOC_HEADER:
        size += MALLOC_HEADER_SIZE
    return size_to_class(size) << 1 | is_noscan


def round_up_size(size: int, is_noscan: bool) -> int:
    """How many bytes a request really gets to use.

    Go: runtime/msize.go roundupsize.
    """
    if size <= MAX_SMALL_REQUEST:
        header = MALLOC_HEADER_SIZE if has_malloc_header(size, is_noscan) else 0
        return CLASS_TO_SIZE[size_to_class(size + header)] - header
    return (size + PAGE_SIZE - 1) // PAGE_SIZE * PAGE_SIZE


def rounded_pages(size: int) -> int:
    """How many pages hold size bytes."""
    return (size + PAGE_SIZE - 1) // PAGE_SIZE


if SIZE_CLASS_COUNT != 68:
    raise AssertionError("number of size classes has changed")
