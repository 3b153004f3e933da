"""Core: a map's header, and the directory of its tables.

A map of at most eight entries is a single group. The ninth makes it a table; tables that grow beyond 1,024 slots split,
and the directory says which table has the keys whose hashes begin with certain bits. A table that was not split as
often as others has several places in it, in a row.

Normal forms. Each key has one: two keys are equal as Go has it if and only if these are equal as Python has it. For
integers and strings it is the key itself; swiss/keys.py makes the others.

Where an element is. The groups say which slot a key has; that decides what memory the map takes, when it grows, and in
which order an iteration comes by. The elements are in one dict, `elems`, by normal form: so a lookup need not search
the groups. (Unoptimised form: `find`. `check` demands that both agree.) That is also what an iteration needs that has
to look up in a grown map what has become of a key it saw in a table that was replaced.

Go: internal/runtime/maps/map.go Map.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...base.choose import MAP_SEED
from ...base.errors import throw
from .group import EMPTY, LOAD, Groups
from .hash import KEY_2, KEY_3, mix
from .shape import SLOTS, Shape
from .table import MAX_TABLE_CAPACITY, Table, Unequal

MAP_BYTES = 48
MAP_POINTER_BYTES = 24
MAX_BYTES = 1 << 48  # a hint for more is ignored
SEEDS = (1 << 24) - 1  # so many hashes
NOTHING: Any = object()  # not a value


class Core:
    """A map without the goroutines that use it.

    Caller: every method that takes m runs on it, and nobody else uses the map meanwhile.
    """

    __slots__ = (
        "dir_addr", "directory", "elems", "global_depth", "go_addr", "raw_keys", "seed", "shape", "small",
        "tombstone_possible", "unequal_count",
    )  # fmt: skip

    go_addr: int  # of the header
    shape: Shape
    elems: dict[Any, Any]  # raw, by normal form
    raw_keys: dict[Any, Any] | None  # where the normal form is not the raw key
    seed: int  # of the hash; -1 as long as nothing was hashed with it
    small: Groups | None  # the one group of a small map
    directory: list[Table]  # empty as long as the map is small
    dir_addr: int  # of the directory, or of the one group
    global_depth: int  # the directory has 2**global_depth places
    tombstone_possible: bool
    unequal_count: int  # keys so far that are not equal to themselves

    def set_up(self, m: Any, shape: Shape, is_key_raw: bool, hint: int) -> None:
        """An empty map with room for hint entries.

        Go: internal/runtime/maps/map.go NewMap.
        """
        self.shape = shape
        self.elems = {}
        self.raw_keys = None if is_key_raw else {}
        self.seed = -1
        self.small = None
        self.directory = []
        self.dir_addr = self.global_depth = self.unequal_count = 0
        self.tombstone_possible = False
        self.go_addr = shape.allocate(m, MAP_BYTES, MAP_POINTER_BYTES)
        if hint > SLOTS:
            self._make_room(m, hint)

    def _make_room(self, m: Any, hint: int) -> None:
        capacity = hint * SLOTS // LOAD
        dir_size = 1 << ((capacity + MAX_TABLE_CAPACITY - 1) // MAX_TABLE_CAPACITY - 1).bit_length()
        # Far too much is ignored, as if there were no hint.
        if dir_size * MAX_TABLE_CAPACITY * self.shape.group.size > MAX_BYTES:
            return
        self.global_depth = dir_size.bit_length() - 1
        self.dir_addr = addr = self.shape.allocate(m, 8 * dir_size, 8 * dir_size)
        self.directory = [
            Table(m, self.shape, capacity // dir_size, index, self.global_depth) for index in range(dir_size)
        ]
        if m.store_watch is not None:
            for table in self.directory:
                m.store_watch(m, m.curg, addr, 0, table.addr)
            m.store_watch(m, m.curg, self.go_addr, 0, addr)

    # The hash.

    def hash_of(self, m: Any, key: Any) -> int:
        """The hash of a normal form."""
        if self.seed < 0:
            self.seed = mix(m.choose(MAP_SEED, SEEDS) + 1 ^ KEY_2, KEY_3)
        if type(key) is Unequal:
            # Go draws it, lest all of them come to lie in one group.
            self.unequal_count += 1
            return mix(self.unequal_count ^ KEY_3, self.seed ^ KEY_2)
        return self.shape.hasher(key, self.seed)

    def table_of(self, hash_: int) -> Table:
        """The table that has the keys with this hash."""
        return self.directory[hash_ >> 64 - self.global_depth if self.global_depth else 0]

    def find(self, m: Any, key: Any) -> tuple[Groups, int] | None:
        """Where a key is: the unoptimised form of a lookup.

        Go: internal/runtime/maps/map.go Map.getWithKey.
        """
        if self.small is not None:
            groups = self.small
            ctrl = self.hash_of(m, key) & 0x7F
            slot = groups.ctrl.find(ctrl)
            while slot >= 0:
                if groups.keys[slot] == key:
                    return groups, slot
                slot = groups.ctrl.find(ctrl, slot + 1)
            return None
        if not self.directory:
            return None
        hash_ = self.hash_of(m, key)
        table = self.table_of(hash_)
        slot = table.find(key, hash_)
        return (table.groups, slot) if slot >= 0 else None

    # Changes.

    def insert(self, m: Any, key: Any, raw_key: Any, elem: Any) -> None:
        """Add a key that is not there.

        Go: internal/runtime/maps/map.go Map.PutSlot.
        """
        if self.seed < 0 or type(key) is Unequal:
            hash_ = self.hash_of(m, key)
        else:
            hash_ = self.shape.hasher(key, self.seed)
        if self.small is None and not self.directory:
            self.small = Groups(m, self.shape, 1)
            self._set_dir(m, self.small.addr)
        if self.small is not None:
            groups = self.small
            slot = groups.ctrl.find(EMPTY)
            if slot >= 0:
                groups.fill(slot, key, hash_)
            else:
                table = self.grow_to_table(m, groups)
                groups = table.groups
                slot = table.put_unchecked(key, hash_)
        else:
            slot = -1
            while slot < 0:
                # Unoptimised form: self.table_of(hash_).
                table = self.directory[hash_ >> 64 - self.global_depth if self.global_depth else 0]
                slot = table.put(m, self, key, hash_)
            groups = table.groups
        shape = self.shape
        if groups.key_addrs is not None:
            groups.key_addrs[slot] = shape.allocate(m, shape.key.size, shape.key.ptrdata)
        if groups.elem_addrs is not None:
            groups.elem_addrs[slot] = shape.allocate(m, shape.elem.size, shape.elem.ptrdata)
        self.elems[key] = elem
        if self.raw_keys is not None:
            self.raw_keys[key] = raw_key
        if m.store_watch is not None:
            for word in self.slot_words(groups, slot):
                m.store_watch(m, m.curg, groups.addr, 0, word)

    def grow_to_table(self, m: Any, groups: Groups) -> Table:
        """The ninth key comes: the small map becomes a table.

        Go: internal/runtime/maps/map.go Map.growToTable.
        """
        table = Table(m, self.shape, 2 * SLOTS, 0, 0)
        self.charge_moves(m, SLOTS)
        table.take_over(m, self, groups, groups.full_slots())
        addr = self.shape.allocate(m, 8, 8)
        if m.store_watch is not None:
            m.store_watch(m, m.curg, addr, 0, table.addr)
        self._set_dir(m, addr)
        self.small = None
        self.directory = [table]
        return table

    def _set_dir(self, m: Any, addr: int) -> None:
        if m.store_watch is not None:
            m.store_watch(m, m.curg, self.go_addr, self.dir_addr, addr)
        self.dir_addr = addr

    def replace_table(self, m: Any, table: Table) -> None:
        """Enter a table into the directory, at all of its places.

        Go: internal/runtime/maps/map.go Map.replaceTable.
        """
        for index in range(table.index, table.index + (1 << self.global_depth - table.local_depth)):
            if m.store_watch is not None:
                m.store_watch(m, m.curg, self.dir_addr, self.directory[index].addr, table.addr)
            self.directory[index] = table

    def install_split(self, m: Any, old: Table, left: Table, right: Table) -> None:
        """Enter the two halves of a table, for which the directory may have to double.

        Go: internal/runtime/maps/map.go Map.installTableSplit.
        """
        if old.local_depth == self.global_depth:
            addr = self.shape.allocate(m, 16 * len(self.directory), 16 * len(self.directory))
            doubled: list[Table] = []
            for index, table in enumerate(self.directory):
                doubled += (table, table)
                if table.index == index:
                    table.index = 2 * index
                if m.store_watch is not None:
                    m.store_watch(m, m.curg, addr, 0, table.addr)
            self.global_depth += 1
            self.directory = doubled
            self._set_dir(m, addr)
        left.index = old.index
        self.replace_table(m, left)
        right.index = left.index + (1 << self.global_depth - left.local_depth)
        self.replace_table(m, right)

    def remove(self, m: Any, key: Any) -> None:
        """Delete a key that is there.

        Go: internal/runtime/maps/map.go Map.Delete.
        """
        if self.small is not None:
            groups = self.small
            slot = groups.keys.index(key)
        else:
            hash_ = self.hash_of(m, key)
            table = self.table_of(hash_)
            groups = table.groups
            slot = table.find(key, hash_)
        if m.store_watch is not None:
            for word in self.slot_words(groups, slot):
                m.store_watch(m, m.curg, groups.addr, word, 0)
        if self.small is not None:
            groups.empty(slot, EMPTY)
        elif table.delete(slot):
            self.tombstone_possible = True
        del self.elems[key]
        if self.raw_keys is not None:
            del self.raw_keys[key]
        if not self.elems:
            self.seed = -1

    def clear_all(self, m: Any) -> None:
        """Delete every key; the memory stays.

        Go: internal/runtime/maps/map.go Map.Clear.
        """
        if not self.elems and not self.tombstone_possible:
            return
        if m.store_watch is not None:
            for groups in self.all_groups():
                for slot in groups.full_slots():
                    for word in self.slot_words(groups, slot):
                        m.store_watch(m, m.curg, groups.addr, word, 0)
        if self.small is not None:
            self.small.clear()
        for table in self.tables():
            table.clear()
        self.elems.clear()
        if self.raw_keys is not None:
            self.raw_keys.clear()
        self.tombstone_possible = False
        self.seed = -1

    def charge_moves(self, m: Any, count: int) -> None:
        """So many entries are about to move into a new table."""

    # What there is.

    def tables(self) -> Iterator[Table]:
        """Each table once."""
        for index, table in enumerate(self.directory):
            if table.index == index:
                yield table

    def all_groups(self) -> Iterator[Groups]:
        """The groups of each table."""
        if self.small is not None:
            yield self.small
        for table in self.tables():
            yield table.groups

    def slot_words(self, groups: Groups, slot: int) -> list[int]:
        """The pointers in a full slot: of the key and of the element, or to where these are."""
        shape = self.shape
        key = groups.keys[slot]
        words: list[int] = []
        if groups.key_addrs is not None:
            words.append(groups.key_addrs[slot])
        elif shape.key_words is not None:
            words += shape.key_words(key if self.raw_keys is None else self.raw_keys[key])
        if groups.elem_addrs is not None:
            words.append(groups.elem_addrs[slot])
        elif shape.elem_words is not None:
            words += shape.elem_words(self.elems[key])
        return [word for word in words if word]

    def objects(self) -> Iterator[tuple[int, list[int]]]:
        """What the map has on the heap: the address of each object, and the pointers in it. The header is first.

        For the collector: none of these objects but the header has a handle.
        """
        yield self.go_addr, [self.dir_addr] if self.dir_addr else []
        if self.directory:
            yield self.dir_addr, [table.addr for table in self.directory]
            for table in self.tables():
                yield table.addr, [table.groups.addr]
        for groups in self.all_groups():
            words: list[int] = []
            for slot in groups.full_slots():
                words += self.slot_words(groups, slot)
            yield groups.addr, words
            yield from self._objects_outside(groups)

    def _objects_outside(self, groups: Groups) -> Iterator[tuple[int, list[int]]]:
        shape = self.shape
        for slot in groups.full_slots():
            key = groups.keys[slot]
            if groups.key_addrs is not None:
                raw_key = key if self.raw_keys is None else self.raw_keys[key]
                key_words = shape.key_words(raw_key) if shape.key_words is not None else ()
                yield groups.key_addrs[slot], [word for word in key_words if word]
            if groups.elem_addrs is not None:
                elem_words = shape.elem_words(self.elems[key]) if shape.elem_words is not None else ()
                yield groups.elem_addrs[slot], [word for word in elem_words if word]

    # Invariants.

    def check(self) -> None:
        """The tables hold the keys that have elements, each where a search finds it; the directory is in order."""
        if self.small is not None and self.directory:
            throw("check: a map that is small and is not")
        if self.raw_keys is not None and self.raw_keys.keys() != self.elems.keys():
            throw("check: a map without some of its keys")
        count = 0
        for groups in self.all_groups():
            for slot in groups.full_slots():
                key = groups.keys[slot]
                count += 1
                if key not in self.elems:
                    throw("check: a key in a slot that has no element")
                if type(key) is not Unequal and groups.hashes[slot] != self.shape.hasher(key, self.seed):
                    throw("check: a key with the hash of another one")
        if count != len(self.elems):
            throw("check: elements without a slot")
        if self.small is not None:
            self._check_small(self.small)
        if self.directory:
            self._check_directory()

    def _check_small(self, groups: Groups) -> None:
        for slot in range(SLOTS):
            is_full = groups.ctrl[slot] < EMPTY
            if not is_full and (groups.ctrl[slot] != EMPTY or groups.keys[slot] is not None):
                throw("check: a small map with a tombstone")
            if is_full and groups.ctrl[slot] != groups.hashes[slot] & 0x7F:
                throw("check: control byte of another hash")

    def _check_directory(self) -> None:
        if len(self.directory) != 1 << self.global_depth:
            throw("check: a map's directory is not as deep as it is long")
        has_tombstones = False
        index = 0
        while index < len(self.directory):
            table = self.directory[index]
            if table.index != index or table.local_depth > self.global_depth:
                throw("check: a map's table is not where it says")
            places = 1 << self.global_depth - table.local_depth
            if any(other is not table for other in self.directory[index : index + places]):
                throw("check: a map's table has too few places in the directory")
            table.check()
            has_tombstones = has_tombstones or table.tombstones() > 0
            for slot in table.groups.full_slots():
                if self.table_of(table.groups.hashes[slot]) is not table:
                    throw("check: a key in another table than its hash says")
            index += places
        if has_tombstones and not self.tombstone_possible:
            throw("check: a tombstone that the map knows nothing of")
