"""Table: one hash table of a map, of 8 to 1,024 slots.

A search starts at the group that the upper 57 bits of the hash name, and goes on to the next one of a triangular
sequence, which comes by all groups, until it finds the key or a group with an empty slot. So a key that is deleted from
a full group leaves a tombstone. A new key takes the first tombstone that the search has passed, or the empty slot.

A table is full at seven eighths, tombstones included. If a tenth of it are tombstones that no search needs to pass,
they are made empty; otherwise the table is replaced by one of twice the size, or, at 1,024 slots, by two that share its
keys by one more bit of the hash. A replaced table stays as it was, for the iterations that are in the middle of it.

Go: internal/runtime/maps/table.go table, probeSeq.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...base.errors import throw
from .group import DELETED, EMPTY, LOAD, Groups
from .shape import SLOTS, Shape

if TYPE_CHECKING:
    from .core import Core

MAX_TABLE_CAPACITY = 1024
TABLE_BYTES = 32
TABLE_POINTER_BYTES = 24
STALE = -1  # the index of a table that was replaced


class Table:
    """One hash table.

    Go: internal/runtime/maps/table.go table, newTable.
    """

    __slots__ = ("addr", "capacity", "group_mask", "groups", "growth_left", "index", "local_depth", "used")

    def __init__(self, m: Any, shape: Shape, capacity: int, index: int, local_depth: int) -> None:
        capacity = max(SLOTS, 1 << (capacity - 1).bit_length())
        if capacity > MAX_TABLE_CAPACITY:
            throw("initial table capacity too large")
        self.addr = shape.allocate(m, TABLE_BYTES, TABLE_POINTER_BYTES)
        self.groups = Groups(m, shape, capacity // SLOTS)
        self.used = 0
        self.capacity = capacity
        self.group_mask = capacity // SLOTS - 1
        self.growth_left = self.max_growth_left()
        self.local_depth = local_depth  # bits of the hash that its keys share
        self.index = index  # its first place in the directory
        stores = m.store_watch
        if stores is not None:
            stores(m, m.curg, self.addr, 0, self.groups.addr)

    def max_growth_left(self) -> int:
        """How many keys an empty table takes. One slot must stay empty, for searches to end.

        Go: internal/runtime/maps/table.go table.maxGrowthLeft.
        """
        return self.capacity - 1 if self.capacity <= SLOTS else self.capacity * LOAD // SLOTS

    def find(self, key: Any, hash_: int) -> int:
        """The slot of a key; -1 if it is not here.

        Go: internal/runtime/maps/table.go table.getWithKey.
        """
        groups = self.groups
        ctrl, keys = groups.ctrl, groups.keys
        h2 = hash_ & 0x7F
        group = hash_ >> 7 & self.group_mask
        step = 0
        while True:
            base = group * SLOTS
            slot = ctrl.find(h2, base, base + SLOTS)
            while slot >= 0:
                if keys[slot] == key:
                    return slot
                slot = ctrl.find(h2, slot + 1, base + SLOTS)
            if ctrl.find(EMPTY, base, base + SLOTS) >= 0:
                return -1
            step += 1
            group = (group + step) & self.group_mask

    def put(self, m: Any, map_: Core, key: Any, hash_: int) -> int:  # hot: map store
        """A slot for a key that is not here; -1 if the table was replaced, and the map must look again.

        Unoptimised form: look for the key in each group on the way.
        Go: internal/runtime/maps/table.go table.PutSlot; internal/runtime/maps/runtime.go runtime_mapassign.
        """
        groups = self.groups
        ctrl = groups.ctrl
        group = hash_ >> 7 & self.group_mask
        step = 0
        tombstone = -1
        while True:
            base = group * SLOTS
            slot = ctrl.find(EMPTY, base, base + SLOTS)
            if slot >= 0:
                break
            if tombstone < 0:
                tombstone = ctrl.find(DELETED, base, base + SLOTS)
            step += 1
            group = (group + step) & self.group_mask
        if tombstone >= 0:
            slot = tombstone
            self.growth_left += 1  # it does not use up another one
        if not self.growth_left and map_.shape.prunes:
            self.prune_tombstones()
        if not self.growth_left:
            self.rehash(m, map_)
            return -1
        self.growth_left -= 1
        self.used += 1
        # Unoptimised form: groups.fill(slot, key, hash_).
        groups.keys[slot] = key
        groups.hashes[slot] = hash_
        ctrl[slot] = hash_ & 0x7F
        return slot

    def put_unchecked(self, key: Any, hash_: int) -> int:
        """A slot for a key that is not here, in a table that has room and no tombstones.

        Go: internal/runtime/maps/table.go table.uncheckedPutSlot.
        """
        if not self.growth_left:
            throw("invariant failed: growthLeft is unexpectedly 0")
        groups = self.groups
        group = hash_ >> 7 & self.group_mask
        step = 0
        while True:
            base = group * SLOTS
            slot = groups.ctrl.find(EMPTY, base, base + SLOTS)
            if slot >= 0:
                break
            step += 1
            group = (group + step) & self.group_mask
        self.growth_left -= 1
        self.used += 1
        groups.fill(slot, key, hash_)
        return slot

    def take_over(self, m: Any, map_: Core, old: Groups, slots: list[int]) -> None:  # hot: map store
        """The entries of these slots move in from groups that are about to be replaced.

        Unoptimised form: put_unchecked for each.
        """
        groups = self.groups
        ctrl, keys, hashes = groups.ctrl, groups.keys, groups.hashes
        mask = self.group_mask
        if len(slots) > self.growth_left:
            throw("invariant failed: growthLeft is unexpectedly 0")
        moved = []
        for old_slot in slots:
            hash_ = old.hashes[old_slot]
            base = (hash_ >> 7 & mask) * SLOTS
            slot = ctrl.find(EMPTY, base, base + SLOTS)
            step = 0
            while slot < 0:
                step += SLOTS
                base = (base + step) & self.capacity - 1
                slot = ctrl.find(EMPTY, base, base + SLOTS)
            keys[slot] = old.keys[old_slot]
            hashes[slot] = hash_
            ctrl[slot] = hash_ & 0x7F
            moved.append(slot)
        self.growth_left -= len(slots)
        self.used += len(slots)
        for addrs, old_addrs in (groups.key_addrs, old.key_addrs), (groups.elem_addrs, old.elem_addrs):
            if addrs is not None and old_addrs is not None:
                for slot, old_slot in zip(moved, slots, strict=True):
                    addrs[slot] = old_addrs[old_slot]
        if m.store_watch is not None:
            for slot in moved:
                for word in map_.slot_words(groups, slot):
                    m.store_watch(m, m.curg, groups.addr, 0, word)

    def delete(self, slot: int) -> bool:
        """Empty a slot; says whether that left a tombstone.

        Go: internal/runtime/maps/table.go table.Delete.
        """
        groups = self.groups
        self.used -= 1
        base = slot & -SLOTS
        if groups.ctrl.find(EMPTY, base, base + SLOTS) >= 0:
            groups.empty(slot, EMPTY)
            self.growth_left += 1
            return False
        groups.empty(slot, DELETED)
        return True

    def tombstones(self) -> int:
        """How many there are.

        Go: internal/runtime/maps/table.go table.tombstones.
        """
        return self.capacity * LOAD // SLOTS - self.used - self.growth_left

    def prune_tombstones(self) -> None:
        """Make tombstones empty that no search must pass, if that gives back a tenth of the table.

        Go: internal/runtime/maps/table.go table.pruneTombstones.
        """
        if self.tombstones() * 10 < self.capacity:
            return
        groups, mask = self.groups, self.group_mask
        ctrl = groups.ctrl
        needed = bytearray(mask + 1)  # the groups that some search passes
        for slot in groups.full_slots():
            if type(groups.keys[slot]) is Unequal:
                continue  # nobody can search for it
            group = groups.hashes[slot] >> 7 & mask
            step = 0
            while group != slot // SLOTS:
                needed[group] = 1
                step += 1
                group = (group + step) & mask
        prunable = [
            slot
            for slot, c in enumerate(ctrl)
            if c == DELETED and not needed[slot // SLOTS] and ctrl.find(EMPTY, slot & -SLOTS, (slot & -SLOTS) + 8) < 0
        ]
        if len(prunable) * 10 < self.capacity:
            return
        for slot in prunable:
            ctrl[slot] = EMPTY
        self.growth_left += len(prunable)

    def clear(self) -> None:
        """Delete everything, tombstones too.

        Go: internal/runtime/maps/table.go table.Clear.
        """
        limit = self.max_growth_left()
        if self.used == 0 and self.growth_left == limit:
            return
        self.groups.clear()
        self.used = 0
        self.growth_left = limit

    def rehash(self, m: Any, map_: Core) -> None:
        """Replace this table by a larger one, or by two.

        Go: internal/runtime/maps/table.go table.rehash.
        """
        if 2 * self.capacity <= MAX_TABLE_CAPACITY:
            self.grow(m, map_)
        else:
            self.split(m, map_)

    def grow(self, m: Any, map_: Core) -> None:
        """Replace this table by one of twice the size.

        Go: internal/runtime/maps/table.go table.grow.
        """
        larger = Table(m, map_.shape, 2 * self.capacity, self.index, self.local_depth)
        slots = self.groups.full_slots()
        map_.charge_moves(m, len(slots))
        larger.take_over(m, map_, self.groups, slots)
        map_.replace_table(m, larger)
        self.index = STALE

    def split(self, m: Any, map_: Core) -> None:
        """Replace this table by two, which share its keys by one more bit of the hash.

        Go: internal/runtime/maps/table.go table.split.
        """
        depth = self.local_depth + 1
        left = Table(m, map_.shape, MAX_TABLE_CAPACITY, STALE, depth)
        right = Table(m, map_.shape, MAX_TABLE_CAPACITY, STALE, depth)
        bit = 1 << 64 - depth
        groups = self.groups
        slots = groups.full_slots()
        map_.charge_moves(m, len(slots))
        hashes = groups.hashes
        left.take_over(m, map_, groups, [slot for slot in slots if not hashes[slot] & bit])
        right.take_over(m, map_, groups, [slot for slot in slots if hashes[slot] & bit])
        map_.install_split(m, self, left, right)
        self.index = STALE

    def check(self) -> None:
        """The counts are those of the control bytes, every key is where a search finds it, and searches end.

        Go: internal/runtime/maps/table_debug.go table.checkInvariants.
        """
        groups = self.groups
        ctrl = groups.ctrl
        if not (len(ctrl) == len(groups.keys) == len(groups.hashes) == self.capacity == SLOTS * (self.group_mask + 1)):
            throw("check: map table miscounts its slots")
        full = groups.full_slots()
        deleted = ctrl.count(DELETED)
        if len(full) != self.used:
            throw("check: found mismatched used slot count")
        if ctrl.count(EMPTY) + deleted + len(full) != self.capacity:
            throw("check: unknown control byte in a map table")
        if deleted != self.tombstones() or self.growth_left < 0:
            throw("check: found mismatched tombstones")
        if EMPTY not in ctrl:
            throw("check: found no empty slots (violates probe invariant)")
        for slot in range(self.capacity):
            if ctrl[slot] >= EMPTY:
                if groups.keys[slot] is not None:
                    throw("check: a map slot that is not full holds a key")
                continue
            if groups.hashes[slot] & 0x7F != ctrl[slot]:
                throw("check: control byte of another hash")
            if self.find(groups.keys[slot], groups.hashes[slot]) != slot:
                throw("check: slot: key not found")


class Unequal:
    """The normal form of a key that is not equal to itself, such as NaN: equal to no other."""

    __slots__ = ()
