"""Size classes: every row of Go's table and of the measured numbers of slots."""

from __future__ import annotations

import pytest

from goruntime.heap import sizeclass
from goruntime.heap.sizeclass import (
    CLASS_TO_DIV_MAGIC,
    CLASS_TO_PAGES,
    CLASS_TO_SIZE,
    MAX_SMALL_REQUEST,
    PAGE_SIZE,
    SIZE_CLASS_COUNT,
    SIZE_TO_CLASS8,
    SIZE_TO_CLASS128,
    SPAN_CLASS_COUNT,
    SPAN_CLASS_TO_SLOTS,
    has_malloc_header,
    heap_bits_in_span,
    make_span_class,
    round_up_size,
    rounded_pages,
    size_to_class,
    small_span_class,
    uses_inline_mark_bits,
)

# internal/runtime/gc/sizeclasses.go: class, bytes, objects of a span if nothing were kept back, bytes of a span.
# Real Go's spans: slots without and with pointers; whether it holds mark bits, pointer bits; whether objects with
# pointers have a header.
ROWS = [
    (1, 8, 1_024, 8_192, 1_024, 1_008, 0, 1, 0),
    (2, 16, 512, 8_192, 504, 496, 1, 1, 0),
    (3, 24, 341, 8_192, 336, 330, 1, 1, 0),
    (4, 32, 256, 8_192, 252, 248, 1, 1, 0),
    (5, 48, 170, 8_192, 168, 165, 1, 1, 0),
    (6, 64, 128, 8_192, 126, 124, 1, 1, 0),
    (7, 80, 102, 8_192, 100, 99, 1, 1, 0),
    (8, 96, 85, 8_192, 84, 82, 1, 1, 0),
    (9, 112, 73, 8_192, 72, 70, 1, 1, 0),
    (10, 128, 64, 8_192, 63, 62, 1, 1, 0),
    (11, 144, 56, 8_192, 56, 55, 1, 1, 0),
    (12, 160, 51, 8_192, 50, 49, 1, 1, 0),
    (13, 176, 46, 8_192, 45, 45, 1, 1, 0),
    (14, 192, 42, 8_192, 42, 41, 1, 1, 0),
    (15, 208, 39, 8_192, 38, 38, 1, 1, 0),
    (16, 224, 36, 8_192, 36, 35, 1, 1, 0),
    (17, 240, 34, 8_192, 33, 33, 1, 1, 0),
    (18, 256, 32, 8_192, 31, 31, 1, 1, 0),
    (19, 288, 28, 8_192, 28, 27, 1, 1, 0),
    (20, 320, 25, 8_192, 25, 24, 1, 1, 0),
    (21, 352, 23, 8_192, 22, 22, 1, 1, 0),
    (22, 384, 21, 8_192, 21, 20, 1, 1, 0),
    (23, 416, 19, 8_192, 19, 19, 1, 1, 0),
    (24, 448, 18, 8_192, 18, 17, 1, 1, 0),
    (25, 480, 17, 8_192, 16, 16, 1, 1, 0),
    (26, 512, 16, 8_192, 15, 15, 1, 1, 0),
    (27, 576, 14, 8_192, 14, 14, 0, 0, 1),
    (28, 640, 12, 8_192, 12, 12, 0, 0, 1),
    (29, 704, 11, 8_192, 11, 11, 0, 0, 1),
    (30, 768, 10, 8_192, 10, 10, 0, 0, 1),
    (31, 896, 9, 8_192, 9, 9, 0, 0, 1),
    (32, 1_024, 8, 8_192, 8, 8, 0, 0, 1),
    (33, 1_152, 7, 8_192, 7, 7, 0, 0, 1),
    (34, 1_280, 6, 8_192, 6, 6, 0, 0, 1),
    (35, 1_408, 11, 16_384, 11, 11, 0, 0, 1),
    (36, 1_536, 5, 8_192, 5, 5, 0, 0, 1),
    (37, 1_792, 9, 16_384, 9, 9, 0, 0, 1),
    (38, 2_048, 4, 8_192, 4, 4, 0, 0, 1),
    (39, 2_304, 7, 16_384, 7, 7, 0, 0, 1),
    (40, 2_688, 3, 8_192, 3, 3, 0, 0, 1),
    (41, 3_072, 8, 24_576, 8, 8, 0, 0, 1),
    (42, 3_200, 5, 16_384, 5, 5, 0, 0, 1),
    (43, 3_456, 7, 24_576, 7, 7, 0, 0, 1),
    (44, 4_096, 2, 8_192, 2, 2, 0, 0, 1),
    (45, 4_864, 5, 24_576, 5, 5, 0, 0, 1),
    (46, 5_376, 3, 16_384, 3, 3, 0, 0, 1),
    (47, 6_144, 4, 24_576, 4, 4, 0, 0, 1),
    (48, 6_528, 5, 32_768, 5, 5, 0, 0, 1),
    (49, 6_784, 6, 40_960, 6, 6, 0, 0, 1),
    (50, 6_912, 7, 49_152, 7, 7, 0, 0, 1),
    (51, 8_192, 1, 8_192, 1, 1, 0, 0, 1),
    (52, 9_472, 6, 57_344, 6, 6, 0, 0, 1),
    (53, 9_728, 5, 49_152, 5, 5, 0, 0, 1),
    (54, 10_240, 4, 40_960, 4, 4, 0, 0, 1),
    (55, 10_880, 3, 32_768, 3, 3, 0, 0, 1),
    (56, 12_288, 2, 24_576, 2, 2, 0, 0, 1),
    (57, 13_568, 3, 40_960, 3, 3, 0, 0, 1),
    (58, 14_336, 4, 57_344, 4, 4, 0, 0, 1),
    (59, 16_384, 1, 16_384, 1, 1, 0, 0, 1),
    (60, 18_432, 4, 73_728, 4, 4, 0, 0, 1),
    (61, 19_072, 3, 57_344, 3, 3, 0, 0, 1),
    (62, 20_480, 2, 40_960, 2, 2, 0, 0, 1),
    (63, 21_760, 3, 65_536, 3, 3, 0, 0, 1),
    (64, 24_576, 1, 24_576, 1, 1, 0, 0, 1),
    (65, 27_264, 3, 81_920, 3, 3, 0, 0, 1),
    (66, 28_672, 2, 57_344, 2, 2, 0, 0, 1),
    (67, 32_768, 1, 32_768, 1, 1, 0, 0, 1),
]
SIZES = [row[1] for row in ROWS]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: str(row[1]))
def test_each_class_is_gos(row: tuple[int, ...]) -> None:
    size_class, size, objects, span_bytes, noscan_slots, scan_slots, inline_marks, heap_bits, header = row
    assert CLASS_TO_SIZE[size_class] == size
    assert CLASS_TO_PAGES[size_class] * PAGE_SIZE == span_bytes
    assert span_bytes // size == objects
    assert SPAN_CLASS_TO_SLOTS[make_span_class(size_class, True)] == noscan_slots
    assert SPAN_CLASS_TO_SLOTS[make_span_class(size_class, False)] == scan_slots
    assert uses_inline_mark_bits(size) == bool(inline_marks)
    assert heap_bits_in_span(size) == bool(heap_bits)
    assert has_malloc_header(size, False) == bool(header)
    assert not has_malloc_header(size, True)


def test_there_are_68_classes() -> None:
    assert SIZE_CLASS_COUNT == len(ROWS) + 1 == 68
    assert SPAN_CLASS_COUNT == 136
    assert len(SIZE_TO_CLASS8) == 129
    assert len(SIZE_TO_CLASS128) == 249
    assert max(CLASS_TO_PAGES) == 10
    assert max(SPAN_CLASS_TO_SLOTS) == 1024
    assert CLASS_TO_SIZE[0] == CLASS_TO_PAGES[0] == 0  # large: the size is the span's


def test_a_request_gets_the_smallest_class_that_holds_it() -> None:
    for size in range(1, MAX_SMALL_REQUEST + 1):
        expected = next(row[0] for row in ROWS if row[1] >= size) if size < 200 else None
        size_class = size_to_class(size)
        if expected is not None:
            assert size_class == expected
        assert CLASS_TO_SIZE[size_class - 1] < size <= CLASS_TO_SIZE[size_class]


def test_every_offset_divides_by_multiplication() -> None:
    for size_class in range(1, SIZE_CLASS_COUNT):
        size, magic = CLASS_TO_SIZE[size_class], CLASS_TO_DIV_MAGIC[size_class]
        for offset in range(0, CLASS_TO_PAGES[size_class] * PAGE_SIZE, 7):
            assert offset * magic >> 32 == offset // size


def test_what_append_may_use() -> None:
    """runtime/msize.go, and the steps of oracle append_bulk."""
    assert [round_up_size(n, True) for n in (1, 9, 17, 33, 1024, 1025, 32_760)] == [8, 16, 24, 48, 1024, 1152, 32_768]
    assert [round_up_size(n, True) for n in (32_761, 32_768, 32_769)] == [32_768, 32_768, 40_960]
    assert [round_up_size(n, False) for n in (512, 513, 1016, 1017, 1024)] == [512, 568, 1016, 1144, 1144]
    assert round_up_size(32_760, False) == 32_760
    assert round_up_size(32_761, False) == 32_768


def test_objects_with_pointers_above_512_bytes_have_a_header() -> None:
    assert small_span_class(512, False) == make_span_class(SIZES.index(512) + 1, False)
    assert small_span_class(513, False) == make_span_class(SIZES.index(576) + 1, False)
    assert small_span_class(1024, False) == make_span_class(SIZES.index(1152) + 1, False)
    assert small_span_class(1024, True) == make_span_class(SIZES.index(1024) + 1, True)
    assert small_span_class(16, True) == sizeclass.TINY_SPAN_CLASS == 5


def test_pages() -> None:
    assert [rounded_pages(n) for n in (1, 8192, 8193, 40_000)] == [1, 1, 2, 5]
