"""Iter: an iteration over a map that may be changed meanwhile.

It starts at a random slot, and in a random table. It comes by each entry once that is there from beginning to end; an
entry that is deleted before its turn is not shown, one that is added may be; an element is shown as it is at its turn.

When the table in the middle of which it is gets replaced, it goes on in the old one, which says which keys are left,
and looks up what has become of each. When the directory doubles, so do the places in it that the iteration has noted.
The places that two halves of the table now have are skipped together.

Go: internal/runtime/maps/table.go Iter.
"""

from __future__ import annotations

import re
from typing import Any

from ...base.choose import MAP_ITERATION
from .core import NOTHING, Core
from .group import Groups
from .shape import SLOTS
from .table import MAX_TABLE_CAPACITY, Table

next_full = re.compile(rb"[\x00-\x7f]").search  # in control bytes
SMALL = -1  # dir_idx of a map that was small when the iteration began


class Iter:
    """One iteration.

    Go: internal/runtime/maps/table.go Iter.Init.
    """

    __slots__ = ("dir_idx", "dir_offset", "entry_idx", "entry_offset", "global_depth", "groups", "map", "table")

    def __init__(self, m: Any, map_: Core) -> None:
        self.map: Core | None = map_ if map_.elems else None
        self.entry_idx = 0  # of the current table, before entry_offset is added
        self.table: Table | None = None  # the current one; it may have been replaced
        self.groups: Groups | None = map_.small
        self.global_depth = map_.global_depth
        self.dir_idx = SMALL
        self.entry_offset = self.dir_offset = 0
        if self.map is None:
            return
        if map_.directory:
            self.dir_idx = 0
            self.entry_offset = m.choose(MAP_ITERATION, MAX_TABLE_CAPACITY)
            if map_.global_depth:
                self.dir_offset = m.choose(MAP_ITERATION, len(map_.directory))
        else:
            self.entry_offset = m.choose(MAP_ITERATION, SLOTS)

    def next(self) -> Any:
        """The normal form of the next key; NOTHING at the end.

        Go: internal/runtime/maps/table.go Iter.Next.
        """
        map_ = self.map
        if map_ is None:
            return NOTHING
        if self.dir_idx == SMALL:
            assert self.groups is not None
            key = self._next_in(map_, self.groups, SLOTS - 1, len(map_.directory) > 0)
        else:
            key = self._next_in_tables(map_)
        if key is NOTHING:
            self.map = self.table = self.groups = None
        return key

    def _next_in(self, map_: Core, groups: Groups, mask: int, is_stale: bool) -> Any:
        """The next key in these groups; in groups that were replaced, the next that the map still has."""
        ctrl = groups.ctrl
        offset = self.entry_offset & mask
        while self.entry_idx <= mask:
            slot = (self.entry_idx + offset) & mask
            end = mask + 1 if slot >= offset else offset
            found = next_full(ctrl, slot, end)
            if found is None:
                self.entry_idx += end - slot
                continue
            self.entry_idx += found.start() - slot + 1
            key = groups.keys[found.start()]
            if not is_stale or key in map_.elems:
                return key
        return NOTHING

    def _next_in_tables(self, map_: Core) -> Any:
        if self.global_depth != map_.global_depth:
            orders = map_.global_depth - self.global_depth
            self.dir_idx <<= orders
            self.dir_offset <<= orders
            self.global_depth = map_.global_depth
        while self.dir_idx < len(map_.directory):
            table = self.table
            if table is None:
                index = (self.dir_idx + self.dir_offset) & len(map_.directory) - 1
                table = self.table = map_.directory[index]
                # Only at first: the random start may be one of the further places of a table.
                self.dir_offset -= index - table.index
            key = self._next_in(map_, table.groups, table.capacity - 1, table.index < 0)
            if key is not NOTHING:
                return key
            self.dir_idx += 1 << map_.global_depth - table.local_depth
            self.table = None
            self.entry_idx = 0
        return NOTHING
