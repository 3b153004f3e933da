"""Shape: what a map's structure knows of its key and element types.

A group is a control word and eight slots, a slot a key and an element side by side, laid out as that struct would be.
Keys and elements of more than 128 bytes are kept outside, each in an object of its own; their place in the slot is a
pointer.

Go: internal/abi/map.go MapType; cmd/compile/internal/reflectdata/map.go MapGroupType.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ...heap.layout import POINTER, Layout, array_layout, number, struct_layout
from .hash import Hasher

SLOTS = 8
MAX_DIRECT_BYTES = 128  # keys and elements above are kept outside

Allocate = Callable[[Any, int, int], int]  # (m, bytes, pointer bytes) -> address


class Shape:
    """The layout of the slots, the hash of a key, and where memory comes from.

    Go: internal/abi/map.go MapType.
    """

    __slots__ = (
        "allocate", "elem", "elem_words", "group", "hasher", "has_elem_outside", "has_key_outside", "key", "key_words",
        "needs_key_update", "prunes", "slot",
    )  # fmt: skip

    def __init__(
        self,
        key: Layout,
        elem: Layout,
        hasher: Hasher,
        allocate: Allocate,
        prunes: bool = True,
        needs_key_update: bool = False,
        key_words: Callable[[Any], Iterable[int]] | None = None,
        elem_words: Callable[[Any], Iterable[int]] | None = None,
    ) -> None:
        self.key = key
        self.elem = elem
        self.hasher = hasher  # of a normal form
        self.allocate = allocate
        self.prunes = prunes  # Go's variants for plain keys do, the general one does not
        self.needs_key_update = needs_key_update  # equal keys may differ: +0 and -0
        self.key_words = key_words if key.ptrdata else None  # the pointers in a raw key; None: it has none
        self.elem_words = elem_words if elem.ptrdata else None
        self.has_key_outside = key.size > MAX_DIRECT_BYTES
        self.has_elem_outside = elem.size > MAX_DIRECT_BYTES
        self.slot = struct_layout(
            (POINTER if self.has_key_outside else key, POINTER if self.has_elem_outside else elem)
        )[0]
        self.group = struct_layout((number(8), array_layout(self.slot, SLOTS)))[0]

    def groups_layout(self, count: int) -> tuple[int, int]:
        """Bytes and pointer bytes of count groups in a row."""
        group = self.group
        return group.size * count, group.size * (count - 1) + group.ptrdata if group.ptrdata else 0
