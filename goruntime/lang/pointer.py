"""Ptr, and `new`.

A pointer is the handle of what it points to. Of a struct that is the struct's own object, with its fields as
attributes; of anything else it is an object with one attribute, `value`. nil is None.

For type checkers `Ptr[T]` is `T | None`, so that `Ptr["Node"]` has Node's fields.

Differs: a pointer to a field or element that is no struct or array cannot be taken: Python has no form for `&x.f`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Optional, TypeVar, overload

from ..heap.layout import POINTER
from . import types
from .compile import Field, constructor, pointers, properties
from .handle import Handle, foreign
from .owner import current_m
from .types import FORM_WORD, Type, composite, derive, go_type, running_mem

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .struct import Struct

T = TypeVar("T")
S = TypeVar("S", bound="Struct")


class PtrType(Type):
    """`*T`.

    Go: internal/abi/type.go PtrType.
    """

    __slots__ = ("elem",)

    kind = types.POINTER_KIND
    form = FORM_WORD
    is_pointer = True
    zero = 0

    def __init__(self, elem: Type) -> None:
        Type.__init__(self, f"*{elem.name}", POINTER)
        self.elem = elem

    @property
    def fast_class(self) -> type:
        """The class of handles that need no more than a look to be accepted."""
        return handle_class(self.elem)

    def encode(self, value: Any, what: str) -> int:
        """The pointer's word."""
        if value is None:
            return 0
        if not isinstance(value, Handle) or type(value)._go_pointee is not self.elem:
            raise self.refuse(value, what)
        mem = running_mem()
        if mem is not None and value._go_mem is not mem:
            raise foreign(value)
        return value._go_addr

    def decode(self, mem: Any, raw: Any) -> Any:
        """The handle."""
        return mem[raw]

    def pointers(self, cells: Any, offset: int) -> Iterable[int]:
        """The word itself."""
        return (cells[offset],)

    def show(self, mem: Any, cells: Any, offset: int) -> str:
        """The address."""
        return show_word(cells[offset])


def show_word(word: int) -> str:
    """A pointer as %v shows it inside something."""
    return f"{word & types.ADDRESS_MASK:#x}" if word else "<nil>"


class Cell(Handle):
    """A pointer to a value that is no struct and no array: `value`."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"({self._go_name}) {self._go_addr & types.ADDRESS_MASK:#x}"


def handle_class(kind: Type) -> type:
    """The class of the handles of whole objects of a type."""
    found: type | None = getattr(kind, "cls", None)
    if found is None:
        made = kind.derived.get("cell")
        if made is None:
            made = kind.derived["cell"] = _cell_class(kind)  # type: ignore[assignment]
        found = made  # type: ignore[assignment]
    assert found is not None
    return found


def _cell_class(kind: Type) -> type:
    field = Field("value", kind, 0, 0)
    name = f"*{kind.name}"
    members: dict[str, Any] = {"__slots__": ("_f_value",), "_go_name": name, "_go_pointee": kind}
    cls: Any = type(name, (Cell,), members)
    for attribute, made in properties(cls, [field], name).items():
        setattr(cls, attribute, made)
    cls.__init__ = constructor(kind, [field], f"new({kind.name})", "new")
    cls._go_pointers = pointers([field], name)
    return cls  # type: ignore[no-any-return]


if TYPE_CHECKING:
    Ptr = Optional[T]  # noqa: UP045
else:

    class Ptr:
        """`Ptr[T]`: a pointer to T, which may be nil (None).

        Go: internal/abi/type.go PtrType.
        """

        def __class_getitem__(cls, elem: Any) -> Any:
            """The type expression."""
            return composite("Ptr", ptr_to, elem)


def ptr_to(elem: Type) -> Type:
    """`*T`."""
    return derive(elem, "ptr", lambda: PtrType(elem))


@overload
def new(T: type[S]) -> S: ...
@overload
def new(T: Any) -> Any: ...
def new(T: Any) -> Any:
    """A pointer to a new zero value of type T.

    Raises: TypeError if T is no type; RuntimeError outside a goroutine; FatalError if there is no memory.
    Go: builtin/builtin.go new.
    Differs: a function of Go's is `new(expr)` since Go 1.26, too; here it takes types only.
    """
    current_m("new")
    return handle_class(go_type(T))()


__all__ = ["Ptr", "new"]
