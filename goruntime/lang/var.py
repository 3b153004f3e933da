"""var: package-level variables.

A variable is made once, when its module is imported, and lives in the data segment of each run: a run starts with its
initial value, and what it does to it is gone with the run. The segment is a root of the collector (`mem.variables`).

Go: the compiler's data and bss sections; runtime/symtab.go moduledata.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from greenlet import getcurrent

from ..heap.check import ZEROBASE
from ..heap.layout import WORD, align_up
from .handle import Handle
from .owner import outside
from .store import store
from .types import FORM_CELLS, FORM_VALUE, Type, go_type

if TYPE_CHECKING:
    from ..heap.handles import Handles

T = TypeVar("T")

DATA_BASE = ZEROBASE + WORD  # where the variables begin; the heap's arenas are far above


class Cell(Handle):
    """One variable of one run."""

    __slots__ = ("cells", "kind")

    kind: Type
    cells: Any

    @staticmethod
    def _go_pointers(handle: Any) -> Iterable[int]:
        return handle.kind.pointers(handle.cells, 0)  # type: ignore[no-any-return]


class Var(Generic[T]):
    """A package-level variable: `value`, and for a struct its fields."""

    __slots__ = ("_go_initial", "_go_kind", "_go_where")

    _go_kind: Any
    _go_initial: Any
    _go_where: Any

    def __init__(self, kind: Any, initial: Any) -> None:
        object.__setattr__(self, "_go_kind", kind)
        object.__setattr__(self, "_go_initial", initial)

    def _go_cell(self) -> Cell:
        """The variable of the run that is running."""
        try:
            mem: Handles = getcurrent().m.mem  # type: ignore[attr-defined]
            found: Cell | None = mem.variables.get(self)
        except AttributeError:
            raise outside("a variable of the emulated heap") from None
        return self._go_start(mem) if found is None else found

    def _go_start(self, mem: Handles) -> Cell:
        """The first use in a run: give it a place and its initial value."""
        kind = self._go_type
        cell = Cell()
        cell._go_mem = mem
        cell._go_addr = align_up(mem.data_end or DATA_BASE, kind.align)
        mem.data_end = cell._go_addr + kind.size
        cell.kind = kind
        cell.cells = kind.new_cells(1)
        if self._go_initial is not None:
            cell.cells[:] = self._go_initial
        mem.variables[self] = cell
        return cell

    @property
    def _go_type(self) -> Type:
        return go_type(self._go_kind)

    @property
    def go_addr(self) -> int:
        """Its address."""
        return self._go_cell()._go_addr

    def _go_pointer(self) -> Any:
        """The pointer to a variable that is a struct or an array."""
        cell = self._go_cell()
        return cell.kind.view(cell._go_mem, cell.cells, 0, cell._go_addr, cell._go_addr)

    @property
    def value(self) -> T:
        """What it holds; of a struct or array a copy.

        Raises: RuntimeError outside a goroutine.
        """
        kind = self._go_type
        if kind.form == FORM_CELLS:
            return self._go_pointer().value  # type: ignore[no-any-return]
        cell = self._go_cell()
        raw = cell.cells[0]
        return raw if kind.form == FORM_VALUE else kind.decode(cell._go_mem, raw)  # type: ignore[no-any-return]

    @value.setter
    def value(self, value: T) -> None:
        kind = self._go_type
        cell = self._go_cell()
        if kind.form == FORM_CELLS:
            self._go_pointer().value = value
            return
        new = kind.encode(value, f"a variable of type {kind.name}")
        if kind.is_pointer:
            store(cell, kind, cell.cells, 0, new, cell._go_addr, f"a variable of type {kind.name}")
        else:
            cell.cells[0] = new

    def __getattr__(self, name: str) -> Any:
        """A field, if it is a struct."""
        if name.startswith("_go_") or self._go_type.form != FORM_CELLS:
            raise AttributeError(f"var {self._go_type} has no attribute {name!r}")
        return getattr(self._go_pointer(), name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "value":
            object.__setattr__(self, name, value)
        elif self._go_type.form == FORM_CELLS:
            setattr(self._go_pointer(), name, value)
        else:
            raise AttributeError(f"var {self._go_type} has no attribute {name!r}: assign to its value")

    def __getitem__(self, index: Any) -> Any:
        """An element, if it is an array."""
        return self._go_pointer()[index]

    def __setitem__(self, index: Any, value: Any) -> None:
        self._go_pointer()[index] = value

    def __repr__(self) -> str:
        return f"<var {types_name(self._go_kind)}>"


def types_name(kind: Any) -> str:
    """The type of a variable, which may not be resolved yet."""
    return kind.name if isinstance(kind, Type) else str(getattr(kind, "__name__", kind))


def var(T: Any, value: Any = None) -> Any:
    """A package-level variable of type T: a root in the data segment; every run starts it afresh.

    `.value` is what it holds; a struct's fields are attributes. value is what it holds at first, by default the zero
    value of T: objects of the heap belong to a run, so it can only be what needs none.
    Raises: TypeError if T is no type, or value no value of it.
    Go: runtime/symtab.go moduledata.
    """
    kind = T if isinstance(T, str) else go_type(T) if not hasattr(T, "make") else T
    initial = None
    if value is not None:
        kind = go_type(T)
        if hasattr(kind, "static"):
            initial = [kind.static(value)]
        elif isinstance(value, Handle):
            raise TypeError(f"var: the initial value of a {kind} must be nil: an object of the heap belongs to a run")
        else:
            raw = kind.encode(value, f"the initial value of a variable of type {kind.name}")
            initial = raw if kind.form == FORM_CELLS else [raw]
            initial = kind.packed(initial)
    return Var(kind, initial)


__all__ = ["var"]
