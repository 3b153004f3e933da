"""The table of handles: what stands in Python for each object of the heap.

A handle is a Python object. The table holds it, for as long as the heap's object lives, and nothing else on the heap
does: words that point are integers. So Python's own reference count of a handle says whether the program holds it too.

    mem[address] = handle     whoever allocates, once
    mem[word]                 following a pointer; mem[0] is None, so nil needs no test
    mem.free_all(addresses)   the sweeper, and nobody else

Pointers into an object (decision 9) are words of their own, `address | type number << 48`, in the same table. So that
they go when the object goes, `interiors` lists them by the address of the object around. Several tiny objects share a
slot of 16 bytes: those that do not begin it are listed there just the same.

A freed object's handle becomes one of a class that refuses everything: only a collector that is broken can free what
the program still holds, and then the program learns it at once. Handles that nobody else holds go too, but not before
`bury`: the destructors of what they lead to are the user's code, and must not run in the middle of a sweep.

When the run is over the table is emptied. A handle that the caller of `run` was given keeps its own fields; following a
pointer in it is an error that says why.
"""

from __future__ import annotations

from typing import Any, NoReturn

from ..base.errors import FatalError, throw

NIL = 0
FREED = "_go_freed"  # the attribute of a handle's class that says what it is when its object is freed


class Handles(dict[int, Any]):
    """Word to handle. `free_all` is the only way out."""

    __slots__ = ("data_end", "dead", "interiors", "is_calm", "is_over", "numbers", "variables")

    def __init__(self) -> None:
        self[NIL] = None
        self.interiors: dict[int, list[int]] = {}  # by the address of the object around: words in this table
        self.dead: list[Any] = []  # handles of freed objects, for `bury`
        self.is_over = False  # the run is
        self.is_calm = False  # a store of a pointer need not look around: nobody watches, nobody waits for a safepoint
        self.variables: dict[Any, Any] = {}  # the data segment, a root: what stands for each variable in this run
        self.data_end = 0  # the address behind it; 0: nothing is there
        self.numbers: dict[Any, int] = {}  # of the types that interior words point to

    def __missing__(self, word: int) -> NoReturn:
        if self.is_over:
            raise RuntimeError("pointer into the heap of a run that is over: return copies, or Python's own objects")
        throw("found pointer to no object")

    def add_interior(self, base: int, word: int, handle: Any) -> None:
        """Register the handle of a word that points into the object at base."""
        self[word] = handle
        self.interiors.setdefault(base, []).append(word)

    def number_of(self, kind: Any) -> int:
        """The number of a type in interior words: from 1, in the order of their first use in the run."""
        return self.numbers.get(kind) or self.numbers.setdefault(kind, len(self.numbers) + 1)

    def free_all(self, addresses: list[int]) -> None:  # hot: sweep
        """The objects at these addresses are no more: take their handles out and empty them."""
        pop = self.pop
        handles = [pop(address, None) for address in addresses]
        if self.interiors:
            for address in addresses:
                handles += [pop(word) for word in self.interiors.pop(address, ())]
        dead = self.dead
        freed: dict[type, type] = {}
        for handle in handles:
            if handle is not None:
                kind = type(handle)
                if kind not in freed:
                    freed[kind] = freed_class(kind)
                handle.__class__ = freed[kind]
                dead.append(handle)

    def bury(self) -> None:
        """Let go of what was freed: here the user's destructors run."""
        while self.dead:
            buried, self.dead = self.dead, []
            buried.clear()

    def close(self) -> None:
        """The run is over: let go of everything. What Python holds stays as it is, its pointers lead nowhere."""
        self.is_over = True
        self.is_calm = False
        self.interiors.clear()
        self.dead.clear()
        self.variables.clear()
        self.clear()
        self[NIL] = None


def freed_class(kind: type) -> type:
    """What a handle of this class becomes: of the same layout, of which every use raises FatalError."""
    freed: type | None = kind.__dict__.get(FREED)
    if freed is None:
        freed = make_freed_class(kind)
        setattr(kind, FREED, freed)
    return freed


def make_freed_class(kind: type) -> type:
    """A subclass without anything of its own that refuses every use."""

    def refuse(self: Any, *_: Any) -> NoReturn:
        raise FatalError(f"fatal error: use of freed object of type {kind.__name__}")

    names = ("__getattribute__", "__setattr__", "__delattr__", "__repr__", "__eq__", "__len__", "__iter__", "__bool__")
    members: dict[str, Any] = dict.fromkeys((*names, "__getitem__", "__setitem__", "__call__"), refuse)
    members |= {"__slots__": (), "__hash__": object.__hash__, "__module__": kind.__module__}
    freed = type.__new__(type(kind), f"freed {kind.__name__}", (kind,), members)
    setattr(freed, FREED, freed)
    return freed
