"""Groups, tables and the directory: how a map grows, splits, and forgets."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goruntime.base.errors import Throw
from goruntime.heap.layout import EMPTY as EMPTY_LAYOUT
from goruntime.heap.layout import POINTER, Layout, number
from goruntime.lang.swiss.core import MAP_BYTES
from goruntime.lang.swiss.group import DELETED, EMPTY
from goruntime.lang.swiss.hash import hash_word
from goruntime.lang.swiss.iter import Iter
from goruntime.lang.swiss.shape import Shape

from .bare import BareMap, Memory

BIG = number(160)
SLOT_BYTES = 16  # of an integer and an integer


def groups_bytes(slots: int, slot_bytes: int = SLOT_BYTES) -> int:
    """Control words, and slots."""
    return slots + slots * slot_bytes


class TestShape:
    """The layout of a group is that of the struct that Go's compiler makes."""

    @pytest.mark.parametrize(
        ("key", "elem", "size"),
        [
            (number(8), number(8), 136),
            (number(4), number(1), 72),
            (Layout(16, 8, 8, 1), Layout(16, 8, 8, 1), 264),
            (number(8), EMPTY_LAYOUT, 136),  # a field without size at the end takes a byte, so a word
            (EMPTY_LAYOUT, number(8), 72),
            (EMPTY_LAYOUT, EMPTY_LAYOUT, 16),  # and so does an array of them
            (number(8), BIG, 136),
            (BIG, number(1), 136),
            (Layout(128, 8), number(1), 8 + 8 * 136),
        ],
    )
    def test_group_size(self, key: Layout, elem: Layout, size: int) -> None:
        """Bytes of a group."""
        assert Shape(key, elem, hash_word, Memory().allocate).group.size == size

    def test_pointers(self) -> None:
        """Keys and elements that are kept outside are pointers in their slots; without any, none need be looked for."""
        outside = Shape(number(8), BIG, hash_word, Memory().allocate)
        assert outside.has_elem_outside
        assert not outside.has_key_outside
        assert outside.group.ptrmask == 0b10101010101010100
        assert outside.groups_layout(2) == (272, 272)
        assert Shape(number(8), number(8), hash_word, Memory().allocate).groups_layout(4) == (544, 0)
        key_only = Shape(POINTER, number(8), hash_word, Memory().allocate)
        assert key_only.groups_layout(2) == (272, 264)


class TestMemory:
    """What a map takes, and when."""

    @pytest.mark.parametrize(
        ("hint", "slots", "tables"),
        [
            (0, 0, 0), (8, 0, 0), (9, 16, 1), (14, 16, 1), (15, 32, 1), (56, 64, 1), (57, 128, 1), (113, 256, 1),
            (896, 1024, 1), (897, 1024, 2), (1000, 2048, 2), (1792, 2048, 2), (1793, 2048, 4), (3584, 4096, 4),
        ],
    )  # fmt: skip
    def test_hint(self, hint: int, slots: int, tables: int) -> None:
        """A hint makes room for that many without growing, on average."""
        bare = BareMap(hint)
        bare.check()
        assert sum(bare.capacities()) == slots
        assert len(bare.capacities()) == tables
        assert sum(bare.m.sizes) == MAP_BYTES + (8 + 32) * tables + groups_bytes(slots)

    def test_absurd_hint(self) -> None:
        """It is ignored, as if there were none."""
        assert BareMap(1 << 62).m.sizes == [MAP_BYTES]

    def test_growth(self) -> None:
        """A group for the first, a table of two at the ninth; it doubles each time seven eighths are full."""
        bare = BareMap()
        growths = {}
        for number_ in range(1, 897):
            before = len(bare.m.sizes)
            bare.put(number_, number_)
            if bare.m.sizes[before:]:
                growths[number_] = bare.m.sizes[before:]
        assert growths == {
            1: [groups_bytes(8)],
            9: [32, groups_bytes(16), 8],
            **{n * 7 // 8 + 1: [32, groups_bytes(2 * n)] for n in (16, 32, 64, 128, 256, 512)},
        }
        bare.check()

    def test_split(self) -> None:
        """The 897th key: the table splits into two of the same size, and the directory doubles."""
        bare = BareMap()
        for key in range(897):
            before = len(bare.m.sizes)
            bare.put(key, -key)
        assert bare.m.sizes[before:] == [32, groups_bytes(1024)] * 2 + [16]
        assert bare.capacities() == [1024, 1024]
        bare.check()
        for key in range(897, 20_000):
            bare.put(key, -key)
        bare.check()
        assert bare.core.global_depth >= 5
        assert set(bare.capacities()) == {1024}

    def test_deleting_does_not_shrink(self) -> None:
        """Not even clear does; and what is freed is used again."""
        bare = BareMap()
        for key in range(2_000):
            bare.put(key, key)
        size = len(bare.m.sizes)
        for key in range(2_000):
            bare.delete(key)
        bare.check()
        bare.clear()
        bare.check()
        for key in range(800):
            bare.put(key, key)
        assert len(bare.m.sizes) == size
        bare.check()

    def test_kept_outside(self) -> None:
        """Each big key and element is an object of its own, which stays where it is when the table grows."""
        bare = BareMap(key=BIG, elem=BIG)
        bare.put(1, 1)
        assert bare.m.sizes == [MAP_BYTES, groups_bytes(8), 160, 160]
        group = bare.core.small
        assert group is not None
        assert group.key_addrs is not None
        first = group.key_addrs[0]
        for key in range(2, 3_000):
            bare.put(key, key)
        bare.check()
        groups, slot = bare.core.find(bare.m, 1)  # type: ignore[misc]
        assert groups.key_addrs is not None
        assert groups.elem_addrs is not None
        assert groups.key_addrs[slot] == first
        bare.delete(1)
        assert groups.key_addrs[slot] == groups.elem_addrs[slot] == 0

    def test_all_in_one_half(self) -> None:
        """A split that moves nothing apart is followed by another one."""
        bare = BareMap(hasher=lambda key, seed: key << 52 | key)  # the first twelve bits are the key
        for key in range(1_100):
            bare.put(key, key)
        bare.check()
        assert bare.core.global_depth > 1


def in_group(key: int, seed: int) -> int:
    """Multiples of 1,000 begin in group 0, the others in the group that is their number."""
    return (0 if key % 1_000 == 0 else key) << 7 | key & 0x7F


class TestTombstones:
    """Deleting from a full group."""

    def full_group(self, **options: Any) -> BareMap:
        """Group 0 is full, and group 1 has the ninth of its keys."""
        bare = BareMap(hint=14, hasher=in_group, **options)
        for key in range(0, 9_000, 1_000):
            bare.put(key, key)
        return bare

    def test_only_from_a_full_group(self) -> None:
        """A group with an empty slot ends every search, so it needs none."""
        bare = BareMap(hint=14, hasher=in_group)
        bare.put(1_000, 1)
        bare.delete(1_000)
        assert DELETED not in bare.core.directory[0].groups.ctrl
        bare = self.full_group()
        bare.delete(8_000)
        assert DELETED not in bare.core.directory[0].groups.ctrl
        bare.delete(3_000)
        assert bare.core.directory[0].groups.ctrl[3] == DELETED
        assert bare.core.tombstone_possible
        bare.check()

    def test_the_first_is_used_again(self) -> None:
        """A search for a new key remembers the first one it passes."""
        bare = self.full_group()
        left = bare.core.directory[0].growth_left
        bare.delete(5_000)
        bare.delete(2_000)
        bare.put(9_000, 9)
        assert bare.core.directory[0].groups.keys[2] == 9_000
        bare.put(10_000, 10)
        assert bare.core.directory[0].groups.keys[5] == 10_000
        assert bare.core.directory[0].growth_left == left
        bare.check()

    def fill_up(self, bare: BareMap) -> None:
        """Leave no room but for tombstones, with keys that begin in group 1."""
        key = 1
        while bare.core.directory[0].growth_left:
            bare.put(key, key)
            key += 2
            if key % 1_000 == 0:
                key += 1

    def test_pruning(self) -> None:
        """With no room left, tombstones that no search needs to pass are made empty, and nothing grows."""
        bare = self.full_group()
        for key in range(0, 3_000, 1_000):
            bare.delete(key)
        bare.delete(8_000)
        self.fill_up(bare)
        size = len(bare.m.sizes)
        assert bare.core.directory[0].tombstones() == 3
        bare.put(101, 101)  # it begins in group 1
        assert bare.core.directory[0].tombstones() == 0
        assert len(bare.m.sizes) == size
        bare.check()

    def test_a_needed_one_stays(self) -> None:
        """The key that overflowed into group 1 is found by passing group 0: the table grows instead."""
        bare = self.full_group()
        for key in range(0, 3_000, 1_000):
            bare.delete(key)
        self.fill_up(bare)
        size = len(bare.m.sizes)
        bare.put(101, 101)
        assert len(bare.m.sizes) == size + 2
        bare.check()

    def test_the_general_variant_does_not_prune(self) -> None:
        """Go's map assignment for keys of no special type just grows."""
        bare = self.full_group(prunes=False)
        for key in range(0, 3_000, 1_000):
            bare.delete(key)
        bare.delete(8_000)
        self.fill_up(bare)
        size = len(bare.m.sizes)
        bare.put(101, 101)
        assert len(bare.m.sizes) == size + 2
        bare.check()

    def test_clear(self) -> None:
        """It removes them too."""
        bare = self.full_group()
        bare.delete(3_000)
        bare.clear()
        bare.check()
        assert set(bare.core.directory[0].groups.ctrl) == {EMPTY}
        assert not bare.core.tombstone_possible


class TestUnequal:
    """Keys that are not equal to themselves."""

    def test_each_is_another(self) -> None:
        """They are never found, but counted, moved, shown, and cleared."""
        bare = BareMap()
        for number_ in range(100):
            bare.put_unequal(number_)
        bare.check()
        assert len(bare.core.elems) == 100
        iteration = Iter(bare.m, bare.core)
        seen = {bare.core.elems[iteration.next()] for _ in range(100)}
        assert seen == set(range(100))
        bare.clear()
        bare.check()


class TestObjects:
    """What the collector is told."""

    def test_pointers(self) -> None:
        """Header, directory, tables, groups, keys and elements: each object once, each pointer where it lies."""
        bare = BareMap(
            key=POINTER, elem=Layout(160, 8, 8, 1), key_words=lambda key: (key,), elem_words=lambda e: (e, 0)
        )
        for key in range(1, 1_200):
            bare.put(key << 8, key << 20)
        objects = dict(bare.core.objects())
        assert len(objects) == len(list(bare.core.objects()))
        reached = {bare.core.go_addr}
        for address, words in objects.items():
            assert len(words) * 8 <= bare.m.pointer_bytes[address]
            reached.update(word for word in words if word in bare.m.pointer_bytes)
        assert reached == objects.keys()
        leaves = {word for words in objects.values() for word in words} - objects.keys()
        assert leaves == {key << 8 for key in range(1, 1_200)} | {key << 20 for key in range(1, 1_200)}

    def test_stores_are_told(self) -> None:
        """Following the stores, one knows at any time what the objects point to."""
        bare = BareMap(key=POINTER, elem=POINTER, key_words=lambda key: (key,), elem_words=lambda elem: (elem,))
        held: dict[int, list[int]] = {}

        def watch(m: Any, g: Any, holder: int, old: int, new: int) -> None:
            words = held.setdefault(holder, [])
            if old:
                words.remove(old)
            if new:
                words.append(new)

        bare.m.store_watch = watch
        for key in range(1, 1_500):
            bare.put(key << 8, key << 20)
            if key % 3 == 0:
                bare.delete((key - 1) << 8)
            if key in (100, 1_400):
                bare.clear()
            if key % 50 == 0:
                for address, words in bare.core.objects():
                    assert sorted(words) == sorted(held.get(address, ())), address


class TestFaults:
    """`check` finds what is broken."""

    def grown(self) -> BareMap:
        bare = BareMap()
        for key in range(20):
            bare.put(key, key)
        return bare

    @pytest.mark.parametrize("size", [5, 20])
    def test_element_without_a_slot(self, size: int) -> None:
        """An element that no group knows of."""
        bare = BareMap()
        for key in range(size):
            bare.put(key, key)
        bare.core.elems[99] = 99
        with pytest.raises(Throw, match="elements without a slot"):
            bare.core.check()

    def test_wrong_slot(self) -> None:
        """A key that a search does not find."""
        bare = self.grown()
        table = bare.core.directory[0]
        slot = table.groups.full_slots()[0]
        table.groups.ctrl[slot] ^= 1
        with pytest.raises(Throw, match="control byte"):
            bare.core.check()

    def test_miscounted(self) -> None:
        """A table that thinks it has room."""
        bare = self.grown()
        bare.core.directory[0].growth_left += 1
        with pytest.raises(Throw, match="tombstones"):
            bare.core.check()

    def test_directory(self) -> None:
        """A table in the wrong place."""
        bare = BareMap(3_000)
        bare.core.directory.reverse()
        with pytest.raises(Throw, match="not where it says"):
            bare.core.check()


Action = tuple[str, int]
ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(("put", "put", "delete", "range", "drop")), st.integers(0, 40)),
        st.tuples(st.just("unequal"), st.integers(0, 40)),
        st.tuples(st.just("clear"), st.just(0)),
    ),
    max_size=120,
)


@settings(max_examples=60, deadline=None)
@given(
    ACTIONS, st.integers(0, 20), st.booleans(), st.sampled_from([hash_word, in_group, lambda key, seed: key % 8 << 61])
)
def test_model(actions: list[Action], hint: int, prunes: bool, hasher: Any) -> None:
    """Random actions leave a map that is sound and holds what a dict holds; few hashes, so groups fill up."""
    bare = BareMap(hint, hasher=hasher, prunes=prunes)
    for action, number_ in actions:
        if action == "put":
            bare.put(number_, number_)
        elif action == "delete":
            bare.delete(number_)
        elif action == "clear":
            bare.clear()
        elif action == "unequal":
            bare.put_unequal(number_)
        else:
            for key in range(number_, number_ + 30):
                (bare.put(key, key) if action == "range" else bare.delete(key))
        bare.check()
