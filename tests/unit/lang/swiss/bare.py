"""A map without a run: memory that is only counted, choices from a seed, and a dict as the model of it."""

from __future__ import annotations

import random
from typing import Any

from goruntime.heap.layout import Layout, number
from goruntime.lang.swiss.core import Core
from goruntime.lang.swiss.hash import Hasher, hash_word
from goruntime.lang.swiss.shape import Shape
from goruntime.lang.swiss.table import Unequal

WORD = number(8)


class Memory:
    """What stands in for the M: it is the source of choices and of memory."""

    store_watch: Any = None
    curg: Any = None

    def __init__(self, seed: int = 1) -> None:
        self.random = random.Random(seed)
        self.sizes: list[int] = []  # of all objects
        self.pointer_bytes: dict[int, int] = {}
        self.next = 0xC000000000

    def choose(self, kind: int, count: int) -> int:
        """Any of them."""
        return self.random.randrange(count)

    def allocate(self, m: Any, size: int, ptrdata: int) -> int:
        """An address that nobody has had."""
        assert 0 <= ptrdata <= size
        self.sizes.append(size)
        address = self.next
        self.pointer_bytes[address] = ptrdata
        self.next += size + 7 & -8
        return address


class BareMap:
    """A map and the memory it lies in."""

    def __init__(
        self,
        hint: int = 0,
        seed: int = 1,
        hasher: Hasher = hash_word,
        key: Layout = WORD,
        elem: Layout = WORD,
        prunes: bool = True,
        **words: Any,
    ) -> None:
        self.m = Memory(seed)
        self.core = Core()
        self.core.set_up(self.m, Shape(key, elem, hasher, self.m.allocate, prunes, **words), True, hint)
        self.model: dict[Any, Any] = {}

    def put(self, key: Any, elem: Any) -> None:
        """Store, as a map's operation does."""
        if key in self.core.elems:
            self.core.elems[key] = elem
        else:
            self.core.insert(self.m, key, key, elem)
        self.model[key] = elem

    def put_unequal(self, elem: Any) -> None:
        """A key like NaN."""
        self.put(Unequal(), elem)

    def delete(self, key: Any) -> None:
        """Delete, as a map's operation does."""
        if key in self.core.elems:
            self.core.remove(self.m, key)
        self.model.pop(key, None)

    def clear(self) -> None:
        """Delete everything."""
        self.core.clear_all(self.m)
        self.model.clear()

    def check(self) -> None:
        """The map is sound, and holds what the model holds; a search finds every key, and no other."""
        self.core.check()
        assert self.core.elems == self.model
        for key in self.model:
            if type(key) is not Unequal:
                assert self.core.find(self.m, key) is not None

    def capacities(self) -> list[int]:
        """Of all tables."""
        return [table.capacity for table in self.core.tables()]
