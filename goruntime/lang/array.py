"""Array: `Array[T, n]`, n values in a row.

An array is a value, as a struct is: assigning one copies it, and a field or element that is one is read as a pointer
into the object around. `new(Array[Int, 4])` makes one by itself. Wherever an array is stored a list or tuple of the
right length will do, as Go's `[3]int{1, 2, 3}`.

Go: internal/abi/type.go ArrayType.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar, get_args, get_origin

from greenlet import getcurrent

from ..heap.layout import array_layout
from . import types
from .error import GoRuntimeError
from .handle import Handle, allocate, foreign, handle_inside, one_for_all, register
from .owner import current_m, outside
from .store import hold, store, store_all, tell_copied
from .types import (
    ADDRESS_MASK,
    FORM_CELLS,
    FORM_DECODE,
    FORM_VALUE,
    FORM_WORD,
    Type,
    check_count,
    check_size,
    composite,
    derive,
    running_mem,
)

T = TypeVar("T")
N = TypeVar("N")

SHOWN = 100  # elements in a repr


class ArrayType(Type):
    """`[n]T`.

    Go: internal/abi/type.go ArrayType.
    """

    __slots__ = ("count", "elem", "handles", "is_pointer")

    kind = types.ARRAY
    form = FORM_CELLS

    def __init__(self, elem: Type, count: int) -> None:
        Type.__init__(self, f"[{count}]{elem.name}")
        self.elem = elem
        self.count = count
        self.handles: Any = None

    def __getattr__(self, name: str) -> Any:
        """See Type."""
        if name == "is_pointer":
            self.resolve()
            return object.__getattribute__(self, name)
        return Type.__getattr__(self, name)

    def resolve(self) -> None:
        """See Type."""
        elem = self.elem
        layout = elem.layout
        check_size(self.name, layout.size * self.count)
        self.set_layout(array_layout(layout, self.count))
        self.cell_count = elem.cell_count * self.count
        self.is_pointer = elem.is_pointer  # type: ignore[misc]

    @property
    def cls(self) -> Any:
        """The class of its handles, of whole arrays and of those inside other objects."""
        if self.handles is None:
            members: dict[str, Any] = {"__slots__": (), "_go_name": f"*{self.name}", "_go_pointee": self}
            if not self.size:
                members["__new__"] = one_for_all(self)
            self.handles = type(f"*{self.name}", (ArrayHandle,), members)
        return self.handles

    def zero_cells(self) -> list[Any]:
        """See Type."""
        return list(self.new_cells(1))

    def new_cells(self, count: int) -> Any:
        """See Type: packed, if elements are."""
        return self.elem.new_cells(count * self.count)

    def packed(self, cells: Any) -> Any:
        """See Type."""
        return self.elem.packed(cells)

    def encode(self, value: Any, what: str) -> Any:
        """A copy of the array's cells."""
        if isinstance(value, (list, tuple)):
            return self.encode_all(value, what)
        if not isinstance(value, Handle) or type(value)._go_pointee is not self:
            raise self.refuse(value, what)
        mem = running_mem()
        if mem is not None and value._go_mem is not mem:
            raise foreign(value)
        return self.cells_of(value)

    def encode_all(self, values: list[Any] | tuple[Any, ...], what: str) -> Any:
        """The cells of an array of these elements."""
        if len(values) != self.count:
            raise TypeError(f"cannot use {len(values)} values as {self.name} value in {what}")
        elem = self.elem
        cells: list[Any] = []
        held = []  # boxes of elements that are no pointers themselves
        for value in values:
            raw = elem.encode(value, what)
            held.append(hold(running_mem(), elem, raw if elem.form == FORM_CELLS else [raw]))
            if elem.form == FORM_CELLS:
                cells.extend(raw)
            else:
                cells.append(raw)
        return self.packed(cells)

    def cells_of(self, handle: Any) -> Any:
        """A copy of the cells, packed if elements are."""
        start = handle._go_offset
        return self.packed(handle._go_cells[start : start + self.cell_count])

    def fill(self, handle: Any, cells: Any) -> None:
        """Write cells into an array."""
        start = handle._go_offset
        handle._go_cells[start : start + self.cell_count] = cells

    def decode(self, mem: Any, raw: Any) -> Any:
        """A fresh array that is a copy."""
        held = hold(mem, self, raw)
        made = self.cls()
        made._go_cells[:] = self.packed(raw)
        if held:
            tell_copied(made)
        return made

    def view(self, mem: Any, cells: Any, offset: int, address: int, base: int) -> Any:
        """See Type."""
        return handle_inside(mem, self, self.cls, cells, offset, address, base)

    def pointers(self, cells: Any, offset: int) -> Iterable[int]:
        """See Type."""
        elem = self.elem
        if not elem.is_pointer:
            return ()
        end = offset + self.cell_count
        if elem.form == FORM_WORD:
            words: Iterable[int] = cells[offset:end]
            return words
        return [word for at in range(offset, end, elem.cell_count or 1) for word in elem.pointers(cells, at)]

    def show(self, mem: Any, cells: Any, offset: int) -> str:
        """Go's %v."""
        elem = self.elem
        shown = [elem.show(mem, cells, offset + n * elem.cell_count) for n in range(min(self.count, SHOWN))]
        return f"[{' '.join(shown)}{' ...' if self.count > SHOWN else ''}]"


class ArrayHandle(Handle):
    """A pointer to an array: `a[i]`, `len(a)`, iteration; `value` is a copy."""

    __slots__ = ("_go_base", "_go_cells", "_go_offset")

    _go_base: int  # the address of the object around
    _go_cells: Any
    _go_offset: int

    def __init__(self) -> None:
        kind = self._go_pointee
        m, g = current_m(f"new({kind.name})")
        address = allocate(m, g, kind.size, kind.ptrdata)
        self._go_base = address
        self._go_offset = 0
        register(m.mem, address, self, kind)

    def __getattr__(self, name: str) -> Any:
        """The cells, which are made when they are first touched: memory that is not used costs nothing."""
        if name != "_go_cells":
            raise AttributeError(f"{self._go_name} has no attribute {name!r}")
        self._go_cells = self._go_pointee.new_cells(1)
        return self._go_cells

    @staticmethod
    def _go_pointers(handle: Any) -> Iterable[int]:
        return handle._go_pointee.pointers(handle._go_cells, handle._go_offset)  # type: ignore[no-any-return]

    def _go_index(self, index: Any) -> int:
        """The first cell of an element.

        Raises: Panic "index out of range".
        """
        kind = self._go_pointee
        if isinstance(index, bool) or not hasattr(index, "__index__"):
            raise TypeError(f"invalid argument: index {types.shown(index)} must be integer")
        index = index.__index__()
        if not 0 <= index < kind.count:
            suffix = f" with length {kind.count}" if index >= 0 else ""
            raise GoRuntimeError(f"index out of range [{index}]{suffix}")
        return int(index)

    def __getitem__(self, index: Any) -> Any:
        """An element; of one that is a struct or array the pointer to it.

        Raises: Panic "index out of range"; TypeError if index is no integer.
        """
        elem = self._go_pointee.elem
        number = self._go_index(index)
        at = self._go_offset + number * elem.cell_count
        form = elem.form
        if form == FORM_VALUE:
            return self._go_cells[at]
        if form == FORM_WORD:
            return self._go_mem[self._go_cells[at]]
        if form == FORM_DECODE:
            return elem.decode(self._go_mem, self._go_cells[at])
        address = (self._go_addr & ADDRESS_MASK) + number * elem.size
        return elem.view(self._go_mem, self._go_cells, at, address, self._go_base)

    def __setitem__(self, index: Any, value: Any) -> None:
        """Store an element. Of pointers this is a safepoint.

        Raises: Panic "index out of range"; TypeError if index is no integer, or value no value of the element's type.
        """
        kind = self._go_pointee
        elem = kind.elem
        number = self._go_index(index)
        at = self._go_offset + number * elem.cell_count
        new = elem.encode(value, f"element of {kind.name}")
        if elem.is_pointer:
            address = (self._go_addr & ADDRESS_MASK) + number * elem.size
            store(self, elem, self._go_cells, at, new, address, f"element of {kind.name}")
        elif elem.form == FORM_CELLS:
            self._go_cells[at : at + elem.cell_count] = new
        else:
            self._go_cells[at] = new

    def __len__(self) -> int:
        """The number of elements."""
        return self._go_pointee.count  # type: ignore[no-any-return]

    def __bool__(self) -> bool:
        """A pointer to an array is true, also of an empty one: only nil is not."""
        return True

    def __iter__(self) -> Iterator[Any]:
        """The elements."""
        for index in range(self._go_pointee.count):
            yield self[index]

    @property
    def value(self) -> Any:
        """A copy of the array, as a new object. Assigning to it copies the other way."""
        kind = self._go_pointee
        if getattr(getcurrent(), "m", None) is None:
            raise outside(f"{kind.name}.value")
        return kind.decode(self._go_mem, kind.cells_of(self))

    @value.setter
    def value(self, other: Any) -> None:
        kind = self._go_pointee
        store_all(self, kind, kind.encode(other, kind.name), kind.cells_of, kind.fill)

    def __repr__(self) -> str:
        """As Go's %v of a pointer to it, with the type's name."""
        kind = self._go_pointee
        try:
            return f"&{kind.name}{kind.show(self._go_mem, self._go_cells, self._go_offset)}"
        except AttributeError:
            return f"<{self._go_name} without an object>"


def array_of(elem: Type, count: Any) -> Type:
    """`[count]elem`."""
    number = check_count(count, "Array: the length")
    return derive(elem, ("array", number), lambda: ArrayType(elem, number))


if TYPE_CHECKING:

    class Array(Generic[T, N]):
        """For type checkers; these take `Array[Int, Literal[3]]` only."""

        value: Any

        def __getitem__(self, index: int) -> T: ...
        def __setitem__(self, index: int, value: T) -> None: ...
        def __len__(self) -> int: ...
        def __iter__(self) -> Iterator[T]: ...
else:

    class Array:
        """`Array[T, n]`: n values of type T in a row. `Array[T, Literal[n]]` is the same, and a type for type checkers.

        Raises: TypeError if T is no type or n no integer; ValueError if n is negative.
        Go: internal/abi/type.go ArrayType.
        """

        def __class_getitem__(cls, args: Any) -> Any:
            """The type expression."""
            if not isinstance(args, tuple) or len(args) != 2:
                raise TypeError("Array: write Array[T, n], with the length n")
            elem, count = args
            if get_origin(count) is Literal:
                (count,) = get_args(count)
            if not isinstance(count, str):
                count = check_count(count, "Array: the length")
            return composite("Array", array_of, elem, count)


__all__ = ["Array"]
