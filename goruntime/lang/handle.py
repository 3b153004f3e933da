"""Handles: what stands in Python for an object of the emulated heap, or for a place inside one.

A handle has two slots beside its words: the run's table, which leads from words to handles, and its own word. Of a
whole object that is its address; of a struct or array that lies inside another object it is `address | number << 48`,
where the number is that of its type, because an object and its first field share their address. Such an interior handle
has no words of its own: it holds the cells in which they lie and where in them, never the handle of the object around.

Every word has one handle for life, so that pointers can be compared by identity.

Allocation. Objects of less than 16 bytes without pointers share a slot, and those of no size an address; what registers
a handle has to know.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

from ..gc.malloc import mallocgc, next_free
from ..heap.check import ZEROBASE
from ..heap.sizeclass import TINY_SIZE
from ..sched.ops import OP_MALLOC
from ..sched.preempt import safepoint
from .owner import unbroken
from .types import ADDRESS_BITS, ADDRESS_MASK, Type, running_mem

if TYPE_CHECKING:
    from ..sched.g import G
    from ..sched.m import M


class Handle:
    """Base of all handles."""

    __slots__ = ("_go_addr", "_go_mem")

    _go_mem: Any  # the table of handles of the run
    _go_addr: int  # its word
    _go_name: ClassVar[str] = ""  # the type of the pointer, as Go spells it
    _go_pointee: ClassVar[Any] = None  # the Type of what it stands for

    def __go_address__(self) -> int:
        """For display: where it lies."""
        return self._go_addr & ADDRESS_MASK

    def _go_refuse(self, *_: Any) -> NoReturn:
        name = self._go_name.removeprefix("*")
        raise TypeError(f"{name}: an object of the heap cannot be copied as Python's are; p.value is a copy of *p")

    __copy__ = __deepcopy__ = _go_refuse

    def __reduce__(self) -> NoReturn:
        name = self._go_name.removeprefix("*")
        raise TypeError(f"{name}: an object of the heap cannot be pickled: its address means something in one run only")


def malloc_point(m: M, g: G) -> M:
    """The safepoint of an inlined allocation; returns the M that g is on."""
    return unbroken(m, g, _malloc_point)


def _malloc_point(m: M, g: G) -> M:
    return safepoint(m, g, OP_MALLOC, None) or g.m


def next_slot(g: G, spanclass: int) -> int:
    """The slow path of an inlined allocation: the P's window is empty."""
    return unbroken(g.m, g, _next_slot, spanclass)


def _next_slot(m: M, g: G, spanclass: int) -> int:
    return next_free(m, spanclass)


def allocate(m: M, g: G, size: int, ptrdata: int) -> int:
    """The address of a new object."""
    return unbroken(m, g, _allocate, size, ptrdata)


def _allocate(m: M, g: G, size: int, ptrdata: int) -> int:
    return mallocgc(m, size, ptrdata)


def is_tiny(size: int, ptrdata: int) -> bool:
    """The object shares its slot with others."""
    return not ptrdata and size < TINY_SIZE


def register(mem: Any, address: int, handle: Any, kind: Type) -> None:
    """Enter the handle of a new object, which is of this type, into the table. The last step of making it."""
    handle._go_mem = mem
    if address == ZEROBASE:
        handle._go_addr = word = ZEROBASE | mem.number_of(kind) << ADDRESS_BITS
        mem[word] = handle
        return
    handle._go_addr = address
    if address & TINY_SIZE - 1 and is_tiny(kind.size, kind.ptrdata):
        mem.add_interior(address & -TINY_SIZE, address, handle)
    else:
        mem[address] = handle


def one_for_all(kind: Type) -> Any:
    """`__new__` for the handles of a type without size: all its objects are one, at one address."""

    def make(cls: Any, /, *_: Any, **__: Any) -> Any:
        mem = running_mem()
        found = None if mem is None else mem.get(ZEROBASE | mem.number_of(kind) << ADDRESS_BITS)
        return object.__new__(cls) if found is None else found

    return make


def handle_inside(mem: Any, kind: Type, cls: Any, cells: Any, offset: int, address: int, base: int) -> Any:
    """The one handle, of class cls, of a value of type kind inside the object at base: cells, from offset on."""
    word = address | mem.number_of(kind) << ADDRESS_BITS
    found = mem.get(word)
    if found is None:
        found = object.__new__(cls)
        found._go_mem, found._go_addr, found._go_base = mem, word, base
        found._go_cells, found._go_offset = cells, offset
        mem.add_interior(base, word, found)
    return found


def foreign(handle: Any) -> RuntimeError:
    """The error for a handle that belongs to another run."""
    address = object.__getattribute__(handle, "_go_addr") & ADDRESS_MASK
    name = type(handle)._go_name
    return RuntimeError(f"({name}) {address:#x} belongs to another run: make a new one in every run")


def addr(pointer: Any) -> int:
    """The emulated address that a pointer holds; 0 for nil. Also of what is one pointer word: a channel, a map.

    Raises: TypeError if it is no pointer.
    Go: unsafe/unsafe.go Pointer.
    """
    if pointer is None:
        return 0
    if isinstance(pointer, Handle):
        return pointer._go_addr & ADDRESS_MASK
    word = getattr(pointer, "go_addr", None)
    if type(word) is int:
        return word & ADDRESS_MASK
    raise TypeError(f"addr: {type(pointer).__name__} is no pointer")


__all__ = ["addr"]
