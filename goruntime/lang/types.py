"""Go's types, as the runtime sees them: what a value of a type takes in memory, and how Python's values get in and out.

Two things must not be confused. A *type expression* is what a user writes: `Int`, `Ptr["Node"]`, `Slice[Int]`, a class,
Python's `int`, any of them as text. A `Type` is what it means. Types are canonical: two expressions that mean the same
type give the same object, so types are compared by identity. `go_type` leads from one to the other.

Words. Memory is emulated: a value is kept as one or several *raw* cells. A number, a string or a function is its own
raw form. A pointer is an integer: an address, or for a pointer into the middle of an object the address and the number
of the type that it points to, shifted past the 48 bits of an address (decision 9). The run's table leads from there to
the Python object that stands for it: `mem[raw]`, and `mem[0]` is None. Structs and arrays take several cells in a row.
No raw cell leads to a handle by itself: what keeps an object alive is the collector's business.

How a raw cell is read is the type's `form`, a small integer, so that those who have many cells (slices, maps, arrays)
need not make a call for each:

    FORM_VALUE   the cell is the value                    numbers but for Bool, String, Func
    FORM_WORD    the value is `mem[cell]`                 pointers, maps
    FORM_DECODE  the value is `decode(mem, cell)`         Bool, Slice, Any, channels
    FORM_CELLS   the value takes `cell_count` cells       structs and arrays by value; `view` is an interior pointer
                                                          to them, `decode` copies them out

Forward references. A name that a struct's annotations use need not exist when the class is made. So a class is resolved
when it is first used, and the names are looked up in its `Scope`: the class itself, structs of the functions around it,
what those functions had bound when the class was made, and its module.
"""

from __future__ import annotations

import builtins
import re
import reprlib
import sys
import types
from array import array
from collections.abc import Callable, Iterable, Mapping
from types import FrameType
from typing import Any, ClassVar
from weakref import WeakValueDictionary

from greenlet import getcurrent

from ..heap.layout import MAX_SIZE, Layout

# Go: internal/abi/type.go Kind.
BOOL, INT, INT8, INT16, INT32, INT64, UINT, UINT8, UINT16, UINT32, UINT64, UINTPTR, FLOAT32, FLOAT64 = range(1, 15)
ARRAY, CHAN, FUNC, INTERFACE_KIND, MAP, POINTER_KIND, SLICE_KIND, STRING_KIND, STRUCT = range(17, 26)

FORM_VALUE, FORM_WORD, FORM_DECODE, FORM_CELLS = range(4)

ADDRESS_BITS = 48
ADDRESS_MASK = (1 << ADDRESS_BITS) - 1  # of a raw word: the address

NAME = re.compile(r"[A-Za-z_]\w*")
CO_OPTIMIZED = 0x1  # the code object is a function's
NO_NAMES: Mapping[str, Any] = {}
LAYOUT_FIELDS = ("size", "align", "ptrdata", "ptrmask", "noscan")


class Type:
    """A type. What depends on other types that may not be resolved yet is worked out when it is first asked for.

    Go: internal/abi/type.go Type.
    """

    __slots__ = ("align", "cell_count", "derived", "name", "noscan", "ptrdata", "ptrmask", "size")

    kind: ClassVar[int] = 0
    form: ClassVar[int] = FORM_VALUE
    is_pointer: ClassVar[bool] = False  # a store of it changes what the collector sees: it needs the barrier
    boxes: ClassVar[bool] = False  # storing a value may allocate an object that only the cell leads to
    zero: ClassVar[Any] = None  # the raw cell of a zero value; not for FORM_CELLS

    size: int  # bytes
    align: int
    ptrdata: int  # bytes up to the end of the last pointer
    ptrmask: int  # bit i: word i holds a pointer
    noscan: bool
    cell_count: int

    def __init__(self, name: str, layout: Layout | None = None, cell_count: int = 1) -> None:
        self.name = name  # as Go spells it
        self.derived: dict[Any, Type] = {}  # canonical types that are made of this one
        if layout is not None:
            self.set_layout(layout)
            self.cell_count = cell_count

    def set_layout(self, layout: Layout) -> None:
        """Fill in what memory a value takes."""
        self.size, self.align, self.ptrdata, self.ptrmask = layout
        self.noscan = not layout.ptrdata

    def resolve(self) -> None:
        """Work out what was not known when the type was made: its layout, its `cell_count`."""
        raise NotImplementedError

    def __getattr__(self, name: str) -> Any:
        """A slot that is empty yet."""
        if name not in LAYOUT_FIELDS and name != "cell_count":
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        self.resolve()
        return object.__getattribute__(self, name)

    @property
    def layout(self) -> Layout:
        """What memory a value takes."""
        return Layout(self.size, self.align, self.ptrdata, self.ptrmask)

    @property
    def is_scalar(self) -> bool:
        """The raw cell is the value itself."""
        return self.form == FORM_VALUE

    # Values.

    def encode(self, value: Any, what: str) -> Any:
        """The raw cell of a value that is stored; a list of cells for FORM_CELLS, which is a copy.

        what says where it is stored: `field key of main.Node`.
        Raises: TypeError if it is no value of this type.
        """
        raise NotImplementedError

    def decode(self, mem: Any, raw: Any) -> Any:
        """The value of a raw cell; of a list of cells a fresh object that is a copy."""
        return raw

    def zero_cells(self) -> list[Any]:
        """The raw cells of one zero value."""
        return [self.zero]

    def new_cells(self, count: int) -> Any:
        """Storage for count values: raw zeros, `cell_count` a value."""
        return self.zero_cells() * count

    def packed(self, cells: Any) -> Any:
        """Cells in the form in which they can be assigned to a slice of what `new_cells` gives."""
        return cells

    def view(self, mem: Any, cells: Any, offset: int, address: int, base: int) -> Any:
        """For FORM_CELLS: the interior pointer to the value at cells[offset], which lies at address.

        base is the address of the object around. There is one view for each address and type, as long as that lives.
        """
        raise NotImplementedError

    def pointers(self, cells: Any, offset: int) -> Iterable[int]:
        """The raw words of all pointers into the heap in the value at cells[offset]; zeros may be among them."""
        return ()

    def show(self, mem: Any, cells: Any, offset: int) -> str:
        """The value at cells[offset] as `%+v` shows it inside a struct; never follows a pointer.

        Go: fmt/print.go printValue.
        """
        return f"{self.decode(mem, cells[offset])}"

    def refuse(self, value: Any, what: str) -> TypeError:
        """The error for a value that is of another type."""
        return TypeError(f"cannot use {shown(value)} ({value_type(value)}) as {self.name} value in {what}")

    def __repr__(self) -> str:
        return self.name

    def _itself(self, *_: Any) -> Any:
        return self

    __copy__ = __deepcopy__ = _itself


class NumberType(Type):
    """A type whose values lie packed in an array.array."""

    __slots__ = ("typecode",)

    def __init__(self, name: str, layout: Layout, typecode: str) -> None:
        Type.__init__(self, name, layout)
        self.typecode = typecode

    def packed(self, cells: Any) -> Any:
        """See Type."""
        return array(self.typecode, cells)

    def new_cells(self, count: int) -> Any:
        """An array of zeros."""
        return array(self.typecode, bytes(count * self.size))


# Texts of errors.


class _Short(reprlib.Repr):
    """repr, cut short, of anything."""

    def __init__(self) -> None:
        super().__init__()
        self.maxstring = self.maxother = self.maxlong = 60

    def repr_instance(self, x: Any, level: int) -> str:
        """Of an object without a repr that works: its class."""
        try:
            text = builtins.repr(x)
        except Exception:
            return f"<{type(x).__name__}>"
        return text if len(text) <= self.maxother else f"{text[: self.maxother - 3]}..."


_short = _Short()


def shown(value: Any) -> str:
    """A value in an error's text: short, whatever its own repr does."""
    try:
        return _short.repr(value)
    except Exception:
        return f"<{type(value).__name__}>"


def value_type(value: Any) -> str:
    """The type of a value in an error's text: Go's name for what is one of Go's, else Python's."""
    kind = type(value)
    name = getattr(kind, "_go_name", None)
    if isinstance(name, str):
        return name
    if value is None:
        return "nil"
    return python_name(kind)


# Type expressions.


class Scope:
    """Where the names in a struct's annotations are looked up, innermost first."""

    __slots__ = ("module", "owner", "snapshot")

    # Every struct class, by the name of its module and its qualified name: the latest one of that name.
    structs: ClassVar[WeakValueDictionary[str, type]] = WeakValueDictionary()

    def __init__(
        self, module: Mapping[str, Any], owner: type | None = None, snapshot: Mapping[str, Any] = NO_NAMES
    ) -> None:
        self.module = module
        self.owner = owner
        self.snapshot = snapshot  # types and sizes that the function around the class had bound when it was made

    @classmethod
    def of_caller(cls, expression: Any) -> Scope:
        """The names that the user's code sees which is being run: for a type expression outside a struct."""
        frame = caller_frame()
        return cls(frame.f_globals, None, bound_in(frame, names_in([expression])))

    def __getitem__(self, name: str) -> Any:
        """What name means; raises KeyError if it means nothing (so a Scope is what eval takes for locals)."""
        owner = self.owner
        if owner is not None:
            if name == owner.__name__:
                return owner
            path = owner.__qualname__
            while "." in path:
                path = path.rpartition(".")[0]
                found = self.structs.get(f"{owner.__module__}.{path}.{name}")
                if found is not None:
                    return found
        if name in self.snapshot:
            return self.snapshot[name]
        if name in self.module:
            return self.module[name]
        return vars(builtins)[name]

    def evaluate(self, text: str) -> Any:
        """The value of a type expression that is written as text."""
        return eval(text, {"__builtins__": {}}, self)  # type: ignore[arg-type]  # it need have no more than __getitem__


def caller_frame() -> FrameType:
    """The innermost frame that is not of this package: the user's code."""
    frame = sys._getframe(1)
    package = __name__.split(".", 1)[0] + "."
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith(package):
        frame = frame.f_back
    return frame


class Pending:
    """A composite type expression with a name in it that is yet to be looked up: `Ptr["Node"]`."""

    __slots__ = ("args", "make", "text")

    def __init__(self, text: str, make: Callable[..., Type], args: tuple[Any, ...]) -> None:
        self.text = text
        self.make = make  # takes the arguments, resolved
        self.args = args

    def __repr__(self) -> str:
        return f"{self.text}[{', '.join(arg if isinstance(arg, str) else repr(arg) for arg in self.args)}]"


def composite(text: str, make: Callable[..., Type], *args: Any) -> Any:
    """What `Ptr[T]`, `Slice[T]`, `Map[K, V]` give: the type, or a type expression where a name is yet to be looked up.

    text is the name before the bracket, make takes one Type for each argument (integers are passed as they are).
    Raises: TypeError if an argument is no type.
    """
    if any(isinstance(arg, (str, Pending)) for arg in args):
        return Pending(text, make, args)
    return make(*(arg if type(arg) is int else go_type(arg) for arg in args))


PARTS = (type, int, Type, Pending, types.ModuleType, types.GenericAlias)  # what local variables type expressions use
PYTHON_TYPES: dict[Any, Type] = {}  # Python's types that stand for Go's: int, float, str, bool, object
# What else is a type expression, by its class: `chan[T]`. The function takes the expression and the scope.
EXPRESSIONS: dict[type, Callable[[Any, Scope | None], Type]] = {}
HINTS: dict[Any, str] = {  # what somebody may have meant
    list: "Slice[T] is Go's slice",
    tuple: "Array[T, n] is Go's array",
    dict: "Map[K, V] is Go's map",
    bytes: "Slice[Uint8] is Go's []byte",
    bytearray: "Slice[Uint8] is Go's []byte",
    complex: "complex numbers have no type here",
    None: "nil is a value, not a type",
    type(None): "nil is a value, not a type",
}


def go_type(expression: Any, scope: Scope | None = None) -> Type:
    """The type that a type expression means.

    Names are looked up in scope, by default that of the user's code that is running.
    Raises: TypeError if it means none; NameError if a name in it means nothing.
    """
    if isinstance(expression, Type):
        return expression
    if isinstance(expression, str):
        scope = scope or Scope.of_caller(expression)
        try:
            return go_type(scope.evaluate(expression), scope)
        except SyntaxError:
            raise TypeError(f"{expression!r} is no type") from None
    if isinstance(expression, Pending):
        scope = scope or Scope.of_caller(expression)
        return expression.make(*(arg if type(arg) is int else go_type(arg, scope) for arg in expression.args))
    if isinstance(expression, type):
        found = getattr(expression, "_go_type", None)
        if isinstance(found, Type):
            return found
    try:
        if expression in PYTHON_TYPES:
            return PYTHON_TYPES[expression]
    except TypeError:  # not hashable
        pass
    if type(expression) in EXPRESSIONS:
        return EXPRESSIONS[type(expression)](expression, scope)
    raise TypeError(no_type(expression))


def no_type(expression: Any) -> str:
    """Why an expression means no type of Go's."""
    what = python_name(expression) if isinstance(expression, type) else shown(expression)
    origin = getattr(expression, "__origin__", expression)
    try:
        hint = HINTS.get(origin, "")
    except TypeError:
        hint = ""
    if isinstance(expression, types.UnionType) or str(origin) == "typing.Union":
        hint = "a pointer that may be nil is Ptr[T]"
    return f"{what} is no type of Go's" + (f": {hint}" if hint else "")


def python_name(kind: type) -> str:
    """A Python class in an error's text."""
    return (
        kind.__qualname__ if kind.__module__ in ("builtins", "__main__") else f"{kind.__module__}.{kind.__qualname__}"
    )


def check_count(count: Any, what: str) -> int:
    """A length that is part of a type.

    Raises: TypeError if it is no integer; ValueError if it is negative.
    """
    if isinstance(count, bool) or not hasattr(count, "__index__"):
        raise TypeError(f"{what} must be an integer, not {type(count).__name__}")
    checked: int = count.__index__()
    if checked < 0:
        raise ValueError(f"invalid array length {checked}")
    return checked


def check_size(name: str, size: int) -> None:
    """Raises: ValueError for a type that no memory holds.

    Go: cmd/compile/internal/types/size.go CalcSize.
    """
    if size >= MAX_SIZE:
        raise ValueError(f"type {name} larger than address space")


def derive(base: Type, key: Any, make: Callable[[], Type]) -> Type:
    """The type made of base that key names: always the same one."""
    found = base.derived.get(key)
    if found is None:
        found = base.derived[key] = make()
    return found


def sizeof(expression: Any) -> int:
    """The bytes that a value of the type takes.

    Raises: TypeError if it is no type.
    Go: unsafe/unsafe.go Sizeof.
    """
    return go_type(expression).size


def alignof(expression: Any) -> int:
    """The alignment of the type, in bytes.

    Raises: TypeError if it is no type.
    Go: unsafe/unsafe.go Alignof.
    """
    return go_type(expression).align


def ptrmask(expression: Any) -> int:
    """The pointers in a value of the type: bit i is set if word i holds one.

    Raises: TypeError if it is no type.
    Go: internal/abi/type.go Type.GCData.
    """
    return go_type(expression).ptrmask


def names_in(expressions: Iterable[Any]) -> list[str]:
    """The names in those type expressions that are text, or have text in them."""
    found: dict[str, None] = {}
    for expression in expressions:
        if isinstance(expression, str):
            found.update(dict.fromkeys(NAME.findall(expression)))
        elif isinstance(expression, Pending):
            found.update(dict.fromkeys(names_in(expression.args)))
        elif type(expression) in EXPRESSIONS:
            found.update(dict.fromkeys(names_in(vars_of(expression))))
    return list(found)


def vars_of(expression: Any) -> list[Any]:
    """The parts of a type expression of another module's: `chan["T"]`."""
    return [getattr(expression, name) for name in type(expression).__slots__]


def bound_in(frame: FrameType, names: Iterable[str]) -> dict[str, Any]:
    """What the names mean that are local variables of a function, as far as it can be part of a type.

    Anything else is not kept: it would be a root of the collector.
    """
    code = frame.f_code
    if not code.co_flags & CO_OPTIMIZED:
        return {}
    local = {*code.co_varnames, *code.co_cellvars, *code.co_freevars}
    wanted = [name for name in names if name in local]
    if not wanted:
        return {}
    variables = frame.f_locals
    found = {name: variables[name] for name in wanted if isinstance(variables.get(name), PARTS)}
    if type(variables) is dict:  # before 3.13 a copy that would live as long as the frame
        variables.clear()
    return found


def expression_text(expression: Any) -> str:
    """A type expression in an error's text."""
    if isinstance(expression, str):
        return expression
    return python_name(expression) if isinstance(expression, type) else shown(expression)


def running_mem() -> Any:
    """The table of handles of the run that the caller's goroutine belongs to; None outside one."""
    m = getattr(getcurrent(), "m", None)
    return None if m is None else m.mem


__all__ = ["alignof", "ptrmask", "sizeof"]
