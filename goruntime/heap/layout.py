"""Layout: how many bytes a type takes, where its fields lie, and which of its words are pointers.

The allocator and the collector know of a type only this: its size, how far its last pointer reaches (`ptrdata`; beyond
it nobody need look), and one bit for each word up to there. Fields lie in the order in which they are declared, each at
the next multiple of its alignment. A struct that ends in a field without size gets one byte more, lest a pointer to
that field be a pointer to the next object.

Go: cmd/compile/internal/types/size.go CalcStructSize, CalcArraySize, PtrDataSize.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ..base.errors import throw

WORD = 8
MAX_SIZE = 1 << 50  # types of this size and more are refused


class Layout(NamedTuple):
    """What memory a value of a type takes.

    Go: internal/abi/type.go Type.
    """

    size: int  # bytes
    align: int
    ptrdata: int = 0  # bytes up to the end of the last pointer; Go's PtrBytes
    ptrmask: int = 0  # bit i: word i holds a pointer

    def check(self) -> None:
        """What holds for every layout."""
        if self.align not in (1, 2, 4, 8) or self.size % self.align:
            throw("layout: size is no multiple of the alignment")
        if self.ptrdata > self.size or self.ptrdata != WORD * self.ptrmask.bit_length():
            throw("layout: the mask does not reach as far as the pointers")
        if self.ptrdata and self.align != WORD:
            throw("layout: a pointer that is not aligned")


POINTER = Layout(WORD, WORD, WORD, 1)
STRING = Layout(2 * WORD, WORD, WORD, 0b1)  # pointer, length
SLICE = Layout(3 * WORD, WORD, WORD, 0b1)  # pointer, length, capacity
INTERFACE = Layout(2 * WORD, WORD, 2 * WORD, 0b10)  # type, pointer; types lie outside the heap, so only one bit
EMPTY = Layout(0, 1)


def number(size: int) -> Layout:
    """An integer, a float, a bool."""
    return Layout(size, size)


def align_up(offset: int, align: int) -> int:
    """The first multiple of align from offset on."""
    return (offset + align - 1) & -align


def struct_layout(fields: Sequence[Layout]) -> tuple[Layout, tuple[int, ...]]:
    """The layout of a struct of these fields, and at which offset each one lies.

    Go: cmd/compile/internal/types/size.go CalcStructSize.
    """
    offset = 0
    align = 1
    ptrdata = ptrmask = 0
    offsets = []
    for field in fields:
        offset = align_up(offset, field.align)
        align = max(align, field.align)
        offsets.append(offset)
        if field.ptrdata:
            ptrmask |= field.ptrmask << offset // WORD
            ptrdata = offset + field.ptrdata
        offset += field.size
    if offset and fields[-1].size == 0:
        offset += 1
    return Layout(align_up(offset, align), align, ptrdata, ptrmask), tuple(offsets)


def array_layout(elem: Layout, count: int) -> Layout:
    """The layout of count elements in a row.

    Go: cmd/compile/internal/types/size.go CalcArraySize.
    """
    if not count or not elem.ptrdata:
        return Layout(elem.size * count, elem.align)
    ptrdata = elem.size * (count - 1) + elem.ptrdata
    return Layout(elem.size * count, elem.align, ptrdata, repeated(elem.ptrmask, elem.size // WORD, count))


def repeated(mask: int, width: int, count: int) -> int:
    """A mask of width bits, count times in a row."""
    result = 0
    shift = 0
    # The block doubles, so that a mask of a million bits takes twenty steps.
    while count:
        if count & 1:
            result |= mask << shift
            shift += width
        mask |= mask << width
        width *= 2
        count >>= 1
    return result
