"""Layouts, against what real Go prints (the whole table is in tests/behavior/struct_layout)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goruntime.base.errors import Throw
from goruntime.heap.layout import (
    EMPTY,
    INTERFACE,
    POINTER,
    SLICE,
    STRING,
    Layout,
    align_up,
    array_layout,
    number,
    repeated,
    struct_layout,
)

BYTE, INT32, INT64 = number(1), number(4), number(8)
BASIC = (BYTE, number(2), INT32, INT64, POINTER, STRING, SLICE, INTERFACE, EMPTY)
layouts = st.sampled_from(BASIC)
structs = st.lists(layouts, max_size=8)


@pytest.mark.parametrize(
    ("fields", "layout", "offsets"),
    [
        ([], (0, 1, 0, 0), ()),
        ([BYTE, INT64, BYTE], (24, 8, 0, 0), (0, 8, 16)),
        ([INT64, BYTE, BYTE], (16, 8, 0, 0), (0, 8, 9)),
        ([INT32, POINTER, STRING, INTERFACE], (48, 8, 48, 0b100110), (0, 8, 16, 32)),
        ([POINTER, array_layout(INT64, 100)], (808, 8, 8, 1), (0, 8)),
        ([BYTE, EMPTY], (2, 1, 0, 0), (0, 1)),
        ([EMPTY, BYTE], (1, 1, 0, 0), (0, 0)),
        ([EMPTY], (0, 1, 0, 0), (0,)),
        ([INT64, array_layout(POINTER, 0)], (16, 8, 0, 0), (0, 8)),
    ],
)
def test_structs(fields: list[Layout], layout: tuple[int, ...], offsets: tuple[int, ...]) -> None:
    assert struct_layout(fields) == (layout, offsets)


def test_arrays() -> None:
    assert array_layout(INTERFACE, 2) == (32, 8, 32, 0b1010)
    assert array_layout(INT64, 0) == (0, 8, 0, 0)
    assert array_layout(POINTER, 64).ptrmask == (1 << 64) - 1
    c, _ = struct_layout([INT32, POINTER, STRING, INTERFACE])
    assert f"{array_layout(c, 3).ptrmask:b}"[::-1] == "011001011001011001"


@given(st.integers(0, 255), st.integers(0, 40))
def test_repeated_is_the_mask_again_and_again(mask: int, count: int) -> None:
    assert repeated(mask, 8, count) == sum(mask << 8 * i for i in range(count))


@given(structs)
def test_fields_do_not_overlap_and_the_mask_is_theirs(fields: list[Layout]) -> None:
    layout, offsets = struct_layout(fields)
    layout.check()
    end = mask = 0
    for field, offset in zip(fields, offsets, strict=True):
        assert offset >= end
        assert offset % field.align == 0
        end = offset + field.size
        mask |= field.ptrmask << offset // 8
    assert layout.size >= end
    assert layout.size - end < 8 + 1
    assert layout.ptrmask == mask


@given(structs, st.integers(0, 5))
def test_an_array_is_a_struct_of_its_elements(fields: list[Layout], count: int) -> None:
    elem, _ = struct_layout(fields)
    array = array_layout(elem, count)
    array.check()
    if count and elem.size:
        assert array == struct_layout([elem] * count)[0]


def test_a_layout_that_lies_is_thrown_out() -> None:
    for bad in (Layout(9, 8), Layout(8, 8, 8, 0), Layout(8, 8, 16, 2), Layout(8, 4, 8, 1), Layout(0, 3)):
        with pytest.raises(Throw):
            bad.check()


def test_align_up() -> None:
    assert [align_up(n, 8) for n in (0, 1, 8, 9)] == [0, 8, 8, 16]
