"""Any and Func.

An Any holds a value of any type. As in Go it is two words, of which the second one leads to the value: to what a
pointer points to, if the value is a pointer (or a channel, or a map); else to a box of its own with a copy of it. Those
that Go keeps ready take no box: nil, bools, integers from 0 to 255, zero values. Nor does what is no value of Go's
types: an object of Python's lives in Python.

A Func holds what can be called. Its closure lives in Python: what it leads to is held, as everything that Python holds.

Go: runtime/iface.go convT64, convTstring, convTslice.
Differs: an int of Python's that 64 bits do not hold is kept in Python, without a box.
"""

from __future__ import annotations

from collections.abc import Callable as PythonCallable
from collections.abc import Iterable
from typing import TYPE_CHECKING, TypeAlias
from typing import Any as PythonAny

from ..heap.layout import INTERFACE, POINTER
from . import basic, types
from .handle import Handle, allocate, foreign, register
from .owner import current_m
from .types import ADDRESS_MASK, FORM_DECODE, HINTS, PYTHON_TYPES, Type

READY = 256  # Go: runtime/iface.go staticuint64s
INT: PythonAny = basic.Int
FLOAT: PythonAny = basic.Float64
TEXT: PythonAny = basic.String


class Immediate:
    """A value that an Any holds without an address: one of those kept ready, or an object of Python's."""

    __slots__ = ("value",)

    def __init__(self, value: PythonAny) -> None:
        self.value = value


class Box(Handle):
    """An object that holds the value of an Any. No program ever sees it."""

    __slots__ = ("kind", "raw")

    kind: Type
    raw: PythonAny

    @staticmethod
    def _go_pointers(handle: PythonAny) -> Iterable[int]:
        return handle.kind.pointers([handle.raw], 0)  # type: ignore[no-any-return]


def box(kind: Type, raw: PythonAny) -> int:
    """A new object with one value of a type; returns its address. The caller has it held before its next safepoint."""
    m, g = current_m("boxing a value in an interface")
    address = allocate(m, g, kind.size, kind.ptrdata)
    made = Box()
    made.kind = kind
    made.raw = raw
    register(m.mem, address, made, kind)
    return address


class AnyType(Type):
    """`any`.

    Go: internal/abi/type.go InterfaceType.
    """

    __slots__ = ()

    kind = types.INTERFACE_KIND
    form = FORM_DECODE
    is_pointer = True
    boxes = True
    zero = 0

    def encode(self, value: PythonAny, what: str) -> PythonAny:
        """A word, or an Immediate."""
        if value is None:
            return 0
        kind = type(value)
        if kind is int:
            if not 0 <= value < READY and INT.min <= value <= INT.max:
                return box(INT, value)
        elif kind is float:
            if value or str(value)[0] == "-":
                return box(FLOAT, value)
        elif kind is str:
            if value:
                return box(TEXT, value)
        elif isinstance(value, Handle):
            mem = types.running_mem()
            if mem is not None and value._go_mem is not mem:
                raise foreign(value)
            return value._go_addr
        elif hasattr(kind, "_go_box"):  # a slice: several words, its type and its raw form
            return box(*value._go_box())
        else:
            word = getattr(value, "go_addr", 0)  # a channel, a map
            mem = types.running_mem()
            if word and mem is not None and mem.get(word) is value:
                return word
        return Immediate(value)

    def static(self, value: PythonAny) -> PythonAny:
        """The raw form of the initial value of a package-level variable: the compiler makes its box, not the heap."""
        return 0 if value is None else Immediate(value)

    def decode(self, mem: PythonAny, raw: PythonAny) -> PythonAny:
        """The value."""
        if type(raw) is Immediate:
            return raw.value
        held = mem[raw]
        if type(held) is Box:
            return held.kind.decode(mem, held.raw)
        return held

    def pointers(self, cells: PythonAny, offset: int) -> Iterable[int]:
        """The word, if there is one."""
        raw = cells[offset]
        return (raw if type(raw) is int else 0,)

    def show(self, mem: PythonAny, cells: PythonAny, offset: int) -> str:
        """A value as %v shows it; an address for a pointer."""
        raw = cells[offset]
        if raw == 0:
            return "<nil>"
        held = raw if type(raw) is Immediate else mem.get(raw)
        if type(held) is Immediate:
            return types.shown(held.value)
        if type(held) is Box:
            return held.kind.show(mem, [held.raw], 0)
        return f"{raw & ADDRESS_MASK:#x}"


class FuncType(Type):
    """`func()`: what can be called, whatever it takes.

    Go: internal/abi/type.go FuncType.
    """

    __slots__ = ()

    kind = types.FUNC
    zero = None

    def encode(self, value: PythonAny, what: str) -> PythonAny:
        """The function itself."""
        if value is None or callable(value):
            return value
        raise self.refuse(value, what)

    def show(self, mem: PythonAny, cells: PythonAny, offset: int) -> str:
        """Its name."""
        fn = cells[offset]
        return "<nil>" if fn is None else getattr(fn, "__qualname__", type(fn).__qualname__)


if TYPE_CHECKING:
    Any: TypeAlias = PythonAny
    Func: TypeAlias = PythonCallable[..., PythonAny] | None
else:
    Any = AnyType("interface {}", INTERFACE)
    Func = FuncType("func()", POINTER)
    PYTHON_TYPES[object] = PYTHON_TYPES[PythonAny] = Any
    HINTS[PythonCallable] = "Func is Go's function type"

__all__ = ["Any", "Func"]
