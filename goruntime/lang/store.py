"""Pointer stores: the safepoint, and whoever watches them.

A store of a pointer is an operation of the runtime: the write barrier sees it, exploration may put another goroutine
before it, the race detector records it, whoever waits for a safepoint gets one. All of that hangs on one flag of the
run, in the setters of fields and elements:

    if mem.is_calm: the cell = the word, else slow_store

It is set here, when nobody watches and nobody waits, and cleared by whoever begins to (`Sched.disturb`, the door of
`m.store_watch`). A store costs nothing that a clock of nanoseconds shows, so a calm one cannot come to the
horizon either. Unoptimised form: the look at the running goroutine, its clock and horizon, as in every operation;
it costs more than all the rest of a store.

`m.store_watch(m, g, holder, old, new)` is called before the cell changes, with words: the object that is written to,
what the cell held, what it will hold. A load is no safepoint.

For exploration the object of the operation is the word's address (`Place`): two stores to different places commute, a
store and a stretch of plain Python do not, since that may load.

Go: runtime/mwbbuf.go wbBuf.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from greenlet import getcurrent

from ..kernel import costs
from ..sched.ops import OP_STORE
from ..sched.preempt import safepoint
from .handle import foreign
from .owner import current_m, unbroken
from .types import ADDRESS_MASK, Type

if TYPE_CHECKING:
    from ..sched.g import G
    from ..sched.m import M

STORE_COST = costs.STORE


class Place:
    """A word in memory, to the controller: it is always ready, and it keeps no time."""

    __slots__ = ("address",)

    ns = property(lambda self: 0, lambda self, value: None)

    def __init__(self, address: int) -> None:
        self.address = address

    def ready(self, op: int, g: G) -> bool:
        """Always."""
        return True

    def event_name(self) -> str:
        """For display: the address."""
        return f"word {self.address:#x}"


def store(holder: Any, kind: Type, cells: Any, index: int, new: Any, address: int, what: str) -> None:
    """Store a value of type kind, a cell or a list of cells, at cells[index], which lies at address.

    The plain form of what the setters of struct fields do in their own frame; holder is the handle they belong to.
    what names the place.
    """
    values = new if type(new) is list else [new]
    count = len(values)
    if holder._go_mem.is_calm:
        cells[index : index + count] = values
        return

    def get(_: Any) -> Any:
        return cells[index : index + count]

    def put(_: Any, values: Any) -> None:
        cells[index : index + count] = values

    slow_store(holder, kind, get, put, values, address, what)


Get = Callable[[Any], Any]
Put = Callable[[Any, Any], None]


def slow_store(holder: Any, kind: Type, get: Get, put: Put, new: Any, address: int, what: str) -> None:
    """A store that has to stop first, that somebody watches, or that goes to another run's object.

    get(holder) gives the cells that are there, put(holder, new) replaces them. In the `finally` of an abandoned
    goroutine nothing is stored. what names the place.
    Raises: RuntimeError outside a goroutine, or if the object belongs to another run.
    """
    m, g = current_m(f"a store to {what}")
    mem = holder._go_mem
    if m.mem is not mem:
        raise foreign(holder)
    m.clock += STORE_COST
    held = hold(mem, kind, new)  # a box, or what a struct that is copied leads to: so far new has only its word
    unbroken(m, g, _store, holder, kind, get, put, new, address)
    del held


def store_all(holder: Any, kind: Type, new: Any, get: Get, put: Put) -> None:
    """Replace the whole value that a handle stands for, or a part that is not one cell."""
    if not kind.is_pointer:
        put(holder, new)
        return
    if holder._go_mem.is_calm:
        put(holder, new)
    else:
        slow_store(holder, kind, get, put, new, holder._go_addr & ADDRESS_MASK, f"*{holder._go_name}")


def hold(mem: Any, kind: Type, cells: Any) -> list[Any]:
    """The handles of all that cells lead to: what is in a list of Python's is not freed."""
    if mem is None or not kind.is_pointer:
        return []
    return [mem.get(word) for word in kind.pointers(cells, 0)]


def _store(m: M, g: G, holder: Any, kind: Type, get: Get, put: Put, new: Any, address: int) -> None:
    if m.clock >= m.horizon:
        place = Place(address) if m.sched.controller is not None else None
        following = safepoint(m, g, OP_STORE, place)
        if following is None:
            return
        m = following
        if m.sched.controller is not None:
            m.sched.controller.perform(g, _put, g, holder, kind, get, put, new)
            return
    _put(g, holder, kind, get, put, new)


def _put(g: G, holder: Any, kind: Type, get: Get, put: Put, new: Any) -> None:
    m = g.m
    mem = m.mem
    mem.is_calm = True  # first, since a signal's handler may clear it
    if not m.sched.is_calm() or m.watches_stores is not None:
        mem.is_calm = False
    watch = m.watches_stores
    if watch is not None:
        for before, after in zip(kind.pointers(get(holder), 0), kind.pointers(new, 0), strict=True):
            watch(m, g, holder._go_addr, before, after)
    put(holder, new)


def tell_copied(handle: Any) -> None:
    """Tell them of a new object that was made as a copy."""
    g: Any = getcurrent()
    if g.m.store_watch is not None:
        tell_new(g.m, g, handle)


def tell_new(m: M, g: G, holder: Any) -> None:
    """Tell who watches stores of the pointers that a new object was made with."""
    watch = m.store_watch
    for word in type(holder)._go_pointers(holder):
        if word and watch is not None:
            watch(m, g, holder._go_addr, 0, word)
