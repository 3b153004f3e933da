"""Struct: a class whose annotations are the fields of a struct on the emulated heap.

    class Node(Struct):
        key: Int
        left: Ptr["Node"]

`Node(key=1)` is Go's `&Node{key: 1}`: Node's objects are pointers to structs. A field of type `Node`, without Ptr, is a
struct by value inside the other one; reading it gives a pointer into that, assigning to it copies.

The class is made in two steps. When Python makes it, it gets a slot for each annotation. What the annotations mean may
not exist yet, so types, layout, properties and constructor are made when it is first used (`StructType.compile`).

Equality is identity, as of Go's pointers. What would change how objects are made, compared or accessed is refused;
methods, properties and class constants are the user's.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, ClassVar, get_origin

from greenlet import getcurrent

from ..heap.layout import struct_layout
from ..kernel.host import new_lock
from . import types
from .compile import Field, compiled_view, constructor, pointers, properties
from .handle import Handle, foreign, handle_inside, one_for_all
from .owner import outside
from .store import hold, store_all, tell_copied
from .types import FORM_CELLS, Scope, Type, go_type, running_mem


class StructType(Type):
    """A struct.

    Go: internal/abi/type.go StructType.
    """

    __slots__ = ("annotations", "cls", "fields", "is_compiled", "is_pointer", "scope", "view_class", "zeros")

    kind = types.STRUCT
    form = FORM_CELLS

    fields: tuple[Field, ...]
    zeros: list[Any]  # the cells of a zero value

    def __init__(self, cls: Any, name: str, annotations: dict[str, Any], scope: Scope) -> None:
        Type.__init__(self, name)
        self.cls = cls
        self.annotations = annotations
        self.scope = scope
        self.is_compiled = False
        self.view_class: Any = None

    # Made when it is first used.

    def __getattr__(self, name: str) -> Any:
        """See Type."""
        if name == "zeros":
            self.zeros = [cell for field in self.fields for cell in field.type.zero_cells()]
            return self.zeros
        if name in ("fields", "is_pointer"):
            self.resolve()
            return object.__getattribute__(self, name)
        return Type.__getattr__(self, name)

    def resolve(self) -> None:
        """Find out what the annotations mean, and lay the fields out."""
        _resolver.resolve(self)

    def lay_out(self) -> None:
        """The work of resolve. Caller: the resolver."""
        kinds = {name: self.field_type(name) for name in self.annotations}
        layout, offsets = struct_layout([kind.layout for kind in kinds.values()])
        types.check_size(self.name, layout.size)
        fields = []
        count = 0
        for (name, kind), offset in zip(kinds.items(), offsets, strict=True):
            fields.append(Field(name, kind, offset, count))
            count += kind.cell_count
        self.fields = tuple(fields)
        self.cell_count = count
        self.is_pointer = any(kind.is_pointer for kind in kinds.values())  # type: ignore[misc]
        self.set_layout(layout)

    def field_type(self, name: str) -> Type:
        """The type of a field.

        Raises: TypeError, NameError naming the field and its annotation.
        """
        annotation = self.annotations[name]
        where = f"field {name} of {self.name}: {types.expression_text(annotation)}"
        try:
            kind = go_type(annotation, self.scope)
            assert kind.layout  # what lies in it by value must be known by now
            return kind
        except Recursion:
            raise
        except (NameError, AttributeError) as error:
            raise NameError(f"{where}: {error}") from None
        except (TypeError, ValueError) as error:
            raise type(error)(f"{where}: {error}") from None

    def compile(self) -> None:
        """Give the class its fields and its constructor."""
        cls, name = self.cls, self.name
        fields = self.fields
        for attribute, made in properties(cls, fields, name).items():
            setattr(cls, attribute, made)
        cls._go_pointers = staticmethod(pointers(fields, name))
        if not self.size:
            cls.__new__ = one_for_all(self)
        cls.__init__ = constructor(self, fields, name, cls.__qualname__)
        self.is_compiled = True

    @property
    def inside(self) -> Any:
        """The class of the handles of such structs that lie inside other objects."""
        if self.view_class is None:
            if not self.is_compiled:
                self.compile()
            self.view_class = compiled_view(self, self.fields)
        return self.view_class

    # Values.

    def encode(self, value: Any, what: str) -> list[Any]:
        """A copy of the struct's cells."""
        if not isinstance(value, self.cls):
            raise self.refuse(value, what)
        mem = running_mem()
        if mem is not None and value._go_mem is not mem:
            raise foreign(value)
        return self.cells_of(value)

    def cells_of(self, handle: Any) -> list[Any]:
        """A copy of the cells of an object, or of a struct inside one."""
        if type(handle) is self.view_class:
            start = handle._go_offset
            return list(handle._go_cells[start : start + self.cell_count])
        cells: list[Any] = []
        for field in self.fields:
            held = getattr(handle, f"_f_{field.name}")
            if field.type.form == FORM_CELLS:
                cells.extend(held)
            else:
                cells.append(held)
        return cells

    def fill(self, handle: Any, cells: list[Any]) -> None:
        """Write cells into an object, or into a struct inside one."""
        if type(handle) is self.view_class:
            start = handle._go_offset
            handle._go_cells[start : start + self.cell_count] = cells
            return
        for field in self.fields:
            index, kind = field.cell, field.type
            if kind.form == FORM_CELLS:
                getattr(handle, f"_f_{field.name}")[:] = kind.packed(cells[index : index + kind.cell_count])
            else:
                setattr(handle, f"_f_{field.name}", cells[index])

    def decode(self, mem: Any, raw: Any) -> Any:
        """A fresh object that is a copy."""
        held = hold(mem, self, raw)  # making it is a safepoint, and raw leads to them as numbers only
        made = self.cls()
        self.fill(made, raw)
        if held:
            tell_copied(made)
        return made

    def zero_cells(self) -> list[Any]:
        """See Type."""
        return list(self.zeros)

    def view(self, mem: Any, cells: Any, offset: int, address: int, base: int) -> Any:
        """See Type."""
        return handle_inside(mem, self, self.inside, cells, offset, address, base)

    def pointers(self, cells: Any, offset: int) -> Iterable[int]:
        """See Type."""
        for field in self.fields:
            if field.type.is_pointer:
                yield from field.type.pointers(cells, offset + field.cell)

    def show(self, mem: Any, cells: Any, offset: int) -> str:
        """Go's %+v, with strings in quotes."""
        shown = (f"{field.name}:{field.type.show(mem, cells, offset + field.cell)}" for field in self.fields)
        return "{" + " ".join(shown) + "}"


# Resolving.


class Recursion(TypeError):
    """A type that contains itself by value."""


class Resolver:
    """Resolves one struct, and those that it contains, at a time."""

    def __init__(self) -> None:
        self._lock = new_lock()
        self._path: list[StructType] = []  # being resolved, each one a part of the one before
        self._owner: Any = None  # the greenlet that does it

    def resolve(self, kind: StructType) -> None:
        """Lay kind out.

        Raises: TypeError if it contains itself.
        Go: cmd/compile/internal/types2/decl.go Checker.cycleError.
        """
        if self._owner is getcurrent():
            self._enter(kind)
            return
        with self._lock:
            self._owner = getcurrent()
            try:
                self._enter(kind)
            except Recursion as error:
                raise TypeError(str(error)) from None
            finally:
                self._owner = None

    def _enter(self, kind: StructType) -> None:
        path = self._path
        if kind in path:
            names = [part.cls.__name__ for part in path[path.index(kind) :]]
            if len(names) == 1:
                raise Recursion(f"invalid recursive type: {names[0]} refers to itself")
            steps = zip(names, [*names[1:], names[0]], strict=True)
            lines = [f"\n\t{name} refers to {following}" for name, following in steps]
            raise Recursion(f"invalid recursive type {names[0]}{''.join(lines)}")
        path.append(kind)
        try:
            kind.lay_out()
        finally:
            path.pop()


_resolver = Resolver()


# The class.

REFUSED = {
    "__del__": "the heap's objects are freed by the collector: use runtime.set_finalizer",
    "__slots__": "the fields are the annotations",
    **dict.fromkeys(
        ("__init__", "__new__", "__post_init__"),
        "the constructor takes the fields as keywords: write a function that returns a new one",
    ),
    **dict.fromkeys(("__eq__", "__ne__", "__hash__"), "pointers are compared by identity: give the method a name"),
    **dict.fromkeys(("__getattribute__", "__getattr__"), "fields are read from the heap"),
    **dict.fromkeys(("__setattr__", "__delattr__"), "fields are written to the heap"),
    **dict.fromkeys(("__copy__", "__deepcopy__"), "p.value is a copy of *p"),
    **dict.fromkeys(("__reduce__", "__reduce_ex__", "__getstate__"), "an object of the heap cannot be pickled"),
}


def is_class_constant(annotation: Any, frame: Any) -> bool:
    """The annotation says ClassVar."""
    if isinstance(annotation, str):
        try:
            annotation = eval(annotation.partition("[")[0], frame.f_globals)
        except Exception:
            return False
    return annotation is ClassVar or get_origin(annotation) is ClassVar


class StructMeta(type):
    """Makes struct classes."""

    def __new__(meta, name: str, bases: tuple[type, ...], members: dict[str, Any], **options: Any) -> Any:
        """The first step: slots for the fields, and refusals of what no struct can have."""
        if bases == (Handle,):
            return type.__new__(meta, name, bases, members)
        if options:
            raise TypeError(f"struct {name}: unknown class option {next(iter(options))}")
        if bases != (Struct,):
            other = next(base for base in bases if base is not Struct)
            if isinstance(other, StructMeta):
                text = f"{other.__name__} is a struct, and a struct has no subclasses: embed it as a field"
            else:
                text = f"{other.__name__} cannot be a base: a struct has no base but Struct"
            raise TypeError(f"struct {name}: {text}")
        for member in members:
            if member in REFUSED:
                raise TypeError(f"struct {name}: {member} is not allowed: {REFUSED[member]}")
        frame = sys._getframe(1)
        annotations = {
            field: annotation
            for field, annotation in annotations_of(members).items()
            if not is_class_constant(annotation, frame)
        }
        for field in annotations:
            check_field_name(name, field, members)
        module = members.get("__module__", "")
        shown = f"{'main' if module == '__main__' else module.rpartition('.')[2]}.{name}"
        slots = tuple(f"_f_{field}" for field in annotations)
        cls: Any = type.__new__(meta, name, bases, {**members, "__slots__": slots, "_go_name": f"*{shown}"})
        snapshot = types.bound_in(frame, types.names_in(annotations.values()))
        scope = Scope(sys.modules[module].__dict__ if module in sys.modules else frame.f_globals, cls, snapshot)
        cls._go_type = cls._go_pointee = StructType(cls, shown, annotations, scope)
        Scope.structs[f"{module}.{cls.__qualname__}"] = cls
        return cls


def annotations_of(members: dict[str, Any]) -> dict[str, Any]:
    """The annotations in a class body; where Python makes them lazily, names that mean nothing yet stay text."""
    if "__annotations__" in members:
        return dict(members["__annotations__"])
    library = sys.modules.get("annotationlib")
    if library is None:
        return {}
    annotate = library.get_annotate_from_class_namespace(members)
    if annotate is None:
        return {}
    return dict(library.call_annotate_function(annotate, library.Format.STRING))


def check_field_name(name: str, field: str, members: dict[str, Any]) -> None:
    """Raises: TypeError for a field that no struct can have."""
    if field.startswith(("_go_", "_f_")) or (field.startswith("__") and field.endswith("__")):
        raise TypeError(f"struct {name}: the field name {field} is the runtime's own")
    if field in members:
        raise TypeError(f"struct {name}: no field defaults: {field} starts as its zero value")


class Struct(Handle, metaclass=StructMeta):
    """Base of all structs. See the top of this file, and API: The emulated heap.

    Differs: of annotations only Go's types, Python's int, float, str and bool, and `object` are known.
    Differs: everything made of a struct lies on the heap: there is no escape analysis.
    Differs: a struct with a field `value` has no copy by `p.value`.
    """

    __slots__ = ()

    _go_type: ClassVar[Any] = None
    _go_pointers: ClassVar[Callable[[Any], tuple[int, ...]]]

    if TYPE_CHECKING:

        def __init__(self, **fields: Any) -> None: ...
    else:

        def __init__(self, /, *args: Any, **fields: Any) -> None:
            cls = type(self)
            if cls is Struct:
                raise TypeError("Struct has no fields: make a class of your own of it")
            if not cls._go_type.is_compiled:
                cls._go_type.compile()
                cls.__init__(self, *args, **fields)

    @property
    def value(self) -> Any:
        """A copy of the struct, as a new object. Assigning to it copies the other way: Go's `*p = *q`."""
        kind = self._go_pointee
        if getattr(getcurrent(), "m", None) is None:
            raise outside(f"{kind.name}.value")
        return kind.decode(self._go_mem, kind.cells_of(self))

    @value.setter
    def value(self, other: Any) -> None:
        kind = self._go_pointee
        store_all(self, kind, kind.encode(other, f"*{self._go_name}"), kind.cells_of, kind.fill)

    def __repr__(self) -> str:
        """As Go's `%+v` of a pointer to it, with the type's name; pointers in it are shown as addresses."""
        try:
            kind = self._go_pointee
            return f"&{kind.name}{kind.show(self._go_mem, kind.cells_of(self), 0)[:1000]}"
        except AttributeError:
            return f"<{type(self).__name__} without an object>"


__all__ = ["Struct"]
