"""The basic types: integers, floats, Bool, String.

Values are Python's own. What is stored in an integer of n bits wraps around as Go's arithmetic does: `Int8` keeps 44 of
300. An integer type takes integers and what has `__index__` (as numpy's), never a bool or a float, not even one with an
integral value; a float type takes floats and integers, and Float32 rounds to what 32 bits hold. For type checkers these
names are Python's types, so `Int8(300)`, Go's conversion, is an int for them, and here 44.

Differs: Go refuses a constant that does not fit; here constants cannot be told from other values, and wrap around.
Differs: len of a String counts characters, Go's bytes; the bytes of strings are no objects of the heap, as if all were
constants.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, TypeAlias

from ..heap.layout import STRING, number
from . import types
from .types import FORM_DECODE, PYTHON_TYPES, NumberType, Type

_float32 = struct.Struct("<f")


class IntegerType(NumberType):
    """An integer of a number of bits.

    Go: internal/abi/type.go Int, Int8, Int16, Int32, Int64, Uint, Uint8, Uint16, Uint32, Uint64, Uintptr.
    """

    __slots__ = ("half", "is_signed", "kind", "limit_mask", "max", "min")

    zero = 0

    def __init__(self, name: str, kind: int, bits: int, is_signed: bool) -> None:
        code = {8: "b", 16: "h", 32: "i", 64: "q"}[bits]
        NumberType.__init__(self, name, number(bits // 8), code if is_signed else code.upper())
        self.kind = kind  # type: ignore[misc]
        self.is_signed = is_signed
        self.limit_mask = (1 << bits) - 1
        self.half = 1 << bits - 1 if is_signed else 0
        self.min = -self.half
        self.max = self.limit_mask - self.half

    def encode(self, value: Any, what: str) -> int:
        """The integer, wrapped around."""
        if type(value) is not int:
            if isinstance(value, bool) or not hasattr(value, "__index__"):
                raise self.refuse(value, what)
            value = value.__index__()
        if self.min <= value <= self.max:
            return int(value)
        return int(((value + self.half) & self.limit_mask) - self.half)

    def __call__(self, value: Any = 0) -> int:
        """Go's conversion: of integers by wrap-around, of floats towards zero.

        Raises: TypeError if value is no number; ValueError for infinities and NaN, of which Go leaves the result open.
        """
        if isinstance(value, float):
            if value - value != 0:
                raise ValueError(f"cannot convert {value} to {self.name}")
            value = int(value)
        return self.encode(value, "conversion")


class FloatType(NumberType):
    """A float of 64 bits, or of 32.

    Go: internal/abi/type.go Float32, Float64.
    """

    __slots__ = ("kind",)

    zero = 0.0

    def __init__(self, name: str, kind: int, bits: int) -> None:
        NumberType.__init__(self, name, number(bits // 8), "f" if bits == 32 else "d")
        self.kind = kind  # type: ignore[misc]

    def encode(self, value: Any, what: str) -> float:
        """The float, rounded to what the type holds."""
        if type(value) is not float:
            if isinstance(value, (bool, str, bytes)) or not (
                hasattr(value, "__float__") or hasattr(value, "__index__")
            ):
                raise self.refuse(value, what)
            try:
                value = float(value)
            except OverflowError:
                raise ValueError(
                    f"cannot use {types.shown(value)} as {self.name} value in {what} (overflows)"
                ) from None
        return round32(value) if self.kind == types.FLOAT32 else value

    def __call__(self, value: Any = 0.0) -> float:
        """Go's conversion.

        Raises: TypeError if value is no number.
        """
        return self.encode(value, "conversion")


def round32(value: float) -> float:
    """The nearest float of 32 bits; infinite beyond the largest."""
    try:
        rounded: float = _float32.unpack(_float32.pack(value))[0]
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")
    return rounded


class BoolType(Type):
    """True or false, in a byte.

    Go: internal/abi/type.go Bool.
    """

    __slots__ = ()

    kind = types.BOOL
    form = FORM_DECODE
    zero = False

    def encode(self, value: Any, what: str) -> bool:
        """The bool itself: nothing else is one."""
        if value is True or value is False:
            return value
        kind = type(value)
        if kind.__module__ == "numpy" and kind.__name__ in ("bool", "bool_"):
            return bool(value)
        raise self.refuse(value, what)

    def decode(self, mem: Any, raw: Any) -> bool:
        """A byte of an array of bools, too."""
        return bool(raw)

    def packed(self, cells: Any) -> bytearray:
        """See Type."""
        return bytearray(cells)

    def new_cells(self, count: int) -> bytearray:
        """One byte each."""
        return bytearray(count)

    def show(self, mem: Any, cells: Any, offset: int) -> str:
        """Go's spelling."""
        return "true" if cells[offset] else "false"

    def __call__(self, value: bool = False) -> bool:
        """Go's conversion, of bools only.

        Raises: TypeError if value is no bool.
        """
        return self.encode(value, "conversion")


class StringType(Type):
    """A string: its bytes live in Python, so that only its two words weigh anything.

    Go: internal/abi/type.go String.
    """

    __slots__ = ()

    kind = types.STRING_KIND
    zero = ""

    def encode(self, value: Any, what: str) -> str:
        """The str itself."""
        if type(value) is str:
            return value
        if isinstance(value, str):
            return str.__str__(value)
        raise self.refuse(value, what)

    def show(self, mem: Any, cells: Any, offset: int) -> str:
        """As it is: Go's %+v does not quote."""
        return str(cells[offset])

    def __call__(self, value: str = "") -> str:
        """Go's conversion, of strings only.

        Raises: TypeError if value is no str.
        """
        return self.encode(value, "conversion")


def _integers(bits: int, kind: int, unsigned_kind: int) -> tuple[IntegerType, IntegerType]:
    return IntegerType(f"int{bits}", kind, bits, True), IntegerType(f"uint{bits}", unsigned_kind, bits, False)


if TYPE_CHECKING:
    Bool: TypeAlias = bool
    Int: TypeAlias = int
    Int8: TypeAlias = int
    Int16: TypeAlias = int
    Int32: TypeAlias = int
    Int64: TypeAlias = int
    Uint: TypeAlias = int
    Uint8: TypeAlias = int
    Uint16: TypeAlias = int
    Uint32: TypeAlias = int
    Uint64: TypeAlias = int
    Uintptr: TypeAlias = int
    Float32: TypeAlias = float
    Float64: TypeAlias = float
    String: TypeAlias = str
else:
    Bool = BoolType("bool", number(1))
    Int8, Uint8 = _integers(8, types.INT8, types.UINT8)
    Int16, Uint16 = _integers(16, types.INT16, types.UINT16)
    Int32, Uint32 = _integers(32, types.INT32, types.UINT32)
    Int64, Uint64 = _integers(64, types.INT64, types.UINT64)
    Int = IntegerType("int", types.INT, 64, True)
    Uint = IntegerType("uint", types.UINT, 64, False)
    Uintptr = IntegerType("uintptr", types.UINTPTR, 64, False)
    Float32 = FloatType("float32", types.FLOAT32, 32)
    Float64 = FloatType("float64", types.FLOAT64, 64)
    String = StringType("string", STRING)

    PYTHON_TYPES.update({int: Int, float: Float64, bool: Bool, str: String})

__all__ = [
    "Bool",
    "Float32",
    "Float64",
    "Int",
    "Int16",
    "Int32",
    "Int64",
    "Int8",
    "String",
    "Uint",
    "Uint16",
    "Uint32",
    "Uint64",
    "Uint8",
    "Uintptr",
]
