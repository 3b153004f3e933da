"""Groups: eight slots and a control word each, in one object of the heap.

A control byte says of its slot that it is empty, that it was deleted (a *tombstone*: a search must go on past it), or
that it is full; then it holds the lowest seven bits of the key's hash, so that a search need compare few keys.

The elements themselves are not here: see swiss/core.py.

Go: internal/runtime/maps/group.go ctrlGroup, groupReference, groupsReference, newGroups.
"""

from __future__ import annotations

import re
from array import array
from typing import Any

from .shape import SLOTS, Shape

LOAD = 7  # of eight slots, before the table grows
EMPTY = 0x80
DELETED = 0xFE
each_full = re.compile(rb"[\x00-\x7f]").finditer  # in control bytes
ALL_EMPTY = bytes((EMPTY,)) * SLOTS


class Groups:
    """An array of groups; slot i of group g has the number 8 * g + i.

    Differs: the full hash of each key is kept beside it, where Go computes it again when the table grows.
    """

    __slots__ = ("addr", "ctrl", "elem_addrs", "hashes", "key_addrs", "keys")

    def __init__(self, m: Any, shape: Shape, count: int) -> None:
        self.addr = shape.allocate(m, *shape.groups_layout(count))
        slot_count = SLOTS * count
        self.ctrl = bytearray(ALL_EMPTY) * count
        self.keys: list[Any] = [None] * slot_count  # normal forms
        self.hashes = array("Q", bytes(8 * slot_count))
        # Where the keys and elements are that are kept outside; 0 for none.
        self.key_addrs = array("Q", bytes(8 * slot_count)) if shape.has_key_outside else None
        self.elem_addrs = array("Q", bytes(8 * slot_count)) if shape.has_elem_outside else None

    def fill(self, slot: int, key: Any, hash_: int) -> None:
        """A key moves in."""
        self.keys[slot] = key
        self.hashes[slot] = hash_
        self.ctrl[slot] = hash_ & 0x7F

    def empty(self, slot: int, ctrl: int) -> None:
        """The key moves out; ctrl says whether a search that comes here may stop."""
        self.ctrl[slot] = ctrl
        self.keys[slot] = None
        if self.key_addrs is not None:
            self.key_addrs[slot] = 0
        if self.elem_addrs is not None:
            self.elem_addrs[slot] = 0

    def clear(self) -> None:
        """All move out."""
        slot_count = len(self.ctrl)
        self.ctrl[:] = ALL_EMPTY * (slot_count // SLOTS)
        self.keys[:] = [None] * slot_count
        for addrs in (self.key_addrs, self.elem_addrs):
            if addrs is not None:
                addrs[:] = array("Q", bytes(8 * slot_count))

    def full_slots(self) -> list[int]:
        """The numbers of all full slots."""
        return [found.start() for found in each_full(self.ctrl)]
