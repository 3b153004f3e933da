"""The code of a struct class: a property for each field, and the constructor.

Both are on every program's hot path, so they are written for the struct at hand, as text, and compiled when the struct
is first used. What is written is what one would write by hand for that struct: the checks of a field's type, the
safepoint of a pointer store, the allocation, without a call where the common case needs none.

A field of a whole object lies in a slot of its handle; one of a struct that lies inside another object in the cells of
that object, at `_go_cells[_go_offset + index]`. The same text serves both, with another expression for where.

Every name of the text's own begins with `_go_`, which no field's does: the constructor has the fields as parameters,
and a field may well be called `type`, `m` or `self`.

Why the operands keep their names: while the goroutine is stopped at a safepoint its operands are what keeps the objects
alive that it is about to store (decision 6). A setter that overwrote its argument with its word would lose it there. A
value that is put in a box of its own, for an Any, is held in the same way.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter
from pathlib import Path
from typing import Any, NamedTuple

from greenlet import getcurrent

from ..gc.malloc import malloc_cost
from ..heap.sizeclass import MIN_SIZE_FOR_MALLOC_HEADER, small_span_class
from . import types
from .handle import allocate, is_tiny, malloc_point, next_slot, register
from .owner import outside
from .store import hold, slow_store, tell_new
from .types import FORM_CELLS, FORM_DECODE, FORM_VALUE, FORM_WORD, Type

# Files below this folder are the runtime's: no frame of theirs is taken for the user's code.
FOLDER = Path(__file__).parent


class Field(NamedTuple):
    """A field of a struct."""

    name: str
    type: Type
    offset: int  # bytes
    cell: int  # the number of its first one


class _Unset:
    """The default of a field that is kept in several cells."""

    def __repr__(self) -> str:
        return "zero"


UNSET = _Unset()


def compiled(text: str, names: dict[str, Any], what: str) -> dict[str, Any]:
    """The functions that text defines, in a file of the runtime's that does not exist."""
    code = compile(text, str(FOLDER / f"<{what}>"), "exec", dont_inherit=True)
    space = {"__name__": __name__, "__builtins__": __builtins__, **names}
    exec(code, space)
    return space


def checked(field: Field, source: str, target: str, indent: str) -> list[str]:
    """Lines that bring the value in source into its raw form in target. Fast for what is of the exact type."""
    kind, name = field.type, field.name
    encode = f"{target} = _go_encode_{name}({source}, _go_what_{name})"
    if kind.form == FORM_WORD and kind.is_pointer and hasattr(kind, "fast_class"):
        return [
            f"{indent}if _go_type({source}) is _go_class_{name} and {source}._go_mem is _go_mem:",
            f"{indent}    {target} = {source}._go_addr",
            f"{indent}elif {source} is None:",
            f"{indent}    {target} = 0",
            f"{indent}else:",
            f"{indent}    {encode}",
        ]
    test = ""
    if types.INT <= kind.kind <= types.UINTPTR:
        low, high = kind.min, kind.max
        test = f"_go_type({source}) is not _go_int or not {low} <= {source} <= {high}"
    elif kind.kind == types.FLOAT64:
        test = f"_go_type({source}) is not _go_float"
    elif kind.kind == types.STRING_KIND:
        test = f"_go_type({source}) is not _go_str"
    elif kind.kind == types.BOOL:
        test = f"{source} is not True and {source} is not False"
    if not test:
        return [f"{indent}{encode}"]
    if target == source:
        return [f"{indent}if {test}:", f"{indent}    {encode}"]
    return [f"{indent}{target} = {source}", f"{indent}if {test}:", f"{indent}    {encode}"]


def names_of(fields: Sequence[Field], owner: str) -> dict[str, Any]:
    """What the text of these fields refers to."""
    names: dict[str, Any] = {
        "_go_float": float,
        "_go_int": int,
        "_go_str": str,
        "_go_mask": types.ADDRESS_MASK,
        "_go_slow_store": slow_store,
        "_go_type": type,
    }
    for field in fields:
        name, kind = field.name, field.type
        names[f"_go_encode_{name}"] = kind.encode
        names[f"_go_decode_{name}"] = kind.decode
        names[f"_go_view_{name}"] = kind.view
        names[f"_go_type_{name}"] = kind
        names[f"_go_what_{name}"] = f"field {name} of {owner}"
        if hasattr(kind, "fast_class"):
            names[f"_go_class_{name}"] = kind.fast_class
    return names


# Properties.


def getter(field: Field, where: str, is_slot: bool) -> list[str]:
    """The function that reads a field."""
    name, kind = field.name, field.type
    lines = [f"def get_{name}(self):"]
    if kind.form == FORM_CELLS:
        cells, offset = (where, "0") if is_slot else ("self._go_cells", f"self._go_offset + {field.cell}")
        base = "self._go_addr" if is_slot else "self._go_base"
        address = f"(self._go_addr & _go_mask) + {field.offset}"
        return [*lines, f"    return _go_view_{name}(self._go_mem, {cells}, {offset}, {address}, {base})"]
    if kind.form == FORM_WORD:
        return [*lines, f"    return self._go_mem[{where}]"]
    if kind.form == FORM_DECODE:
        return [*lines, f"    return _go_decode_{name}(self._go_mem, {where})"]
    return [*lines, f"    return {where}"]


def setter(field: Field, where: str, is_slot: bool) -> list[str]:
    """The function that writes a field, and for pointers the two that slow_store uses."""
    name, kind = field.name, field.type
    count = kind.cell_count
    cells, start = (where, "0") if is_slot else ("self._go_cells", f"self._go_offset + {field.cell}")
    lines = [f"def set_{name}(self, value):"]
    if kind.form == FORM_CELLS:
        lines += [f"    new = _go_encode_{name}(value, _go_what_{name})", f"    cells, start = {cells}, {start}"]
        put = f"cells[start : start + {count}] = new"
    else:
        put = f"{where} = new"
    if not kind.is_pointer:
        if kind.form == FORM_CELLS:
            return [*lines, f"    {put}"]
        return [*lines, *checked(field, "value", "value", "    "), f"    {where} = value"]
    lines.append("    _go_mem = self._go_mem")
    if kind.form != FORM_CELLS:
        lines += checked(field, "value", "new", "    ")
    new = "new" if kind.form == FORM_CELLS else "[new]"
    address = f"(self._go_addr & _go_mask) + {field.offset}"
    lines += [
        "    if _go_mem.is_calm:",
        f"        {put}",
        "    else:",
        f"        _go_slow_store(self, _go_type_{name}, raw_{name}, put_{name}, {new}, {address}, _go_what_{name})",
    ]
    if kind.form != FORM_CELLS:
        return [*lines, f"def raw_{name}(self): return [{where}]", f"def put_{name}(self, new): {where} = new[0]"]
    raw = f"def raw_{name}(self): cells, start = {cells}, {start}; return cells[start : start + {count}]"
    return [*lines, raw, f"def put_{name}(self, new): cells, start = {cells}, {start}; {put}"]


def properties(cls: type, fields: Sequence[Field], owner: str) -> dict[str, property]:  # hot: fields
    """The fields of whole objects, which lie in slots of the handle.

    A field whose slot holds the value itself is read by the slot's own descriptor, without a frame of Python's.
    """
    text = []
    for field in fields:
        where = f"self._f_{field.name}"
        text += [*getter(field, where, True), *setter(field, where, True)]
    space = compiled("\n".join(text), names_of(fields, owner), owner)
    made = {}
    for field in fields:
        name, kind = field.name, field.type
        is_plain = kind.form == FORM_VALUE or kind.kind == types.BOOL
        get = getattr(cls, f"_f_{name}").__get__ if is_plain else space[f"get_{name}"]
        made[name] = property(get, space[f"set_{name}"], doc=f"{name} {kind.name}")
    return made


def view_properties(fields: Sequence[Field], owner: str) -> dict[str, property]:
    """The fields of a struct that lies inside another object."""
    text = []
    for field in fields:
        where = f"self._go_cells[self._go_offset + {field.cell}]"
        text += [*getter(field, where, False), *setter(field, where, False)]
    space = compiled("\n".join(text), names_of(fields, owner), f"{owner} inside")
    return {
        field.name: property(space[f"get_{field.name}"], space[f"set_{field.name}"], doc=f"{field.name} {field.type}")
        for field in fields
    }


def compiled_view(kind: Any, fields: Sequence[Field]) -> Any:
    """The class of a struct's handles that lie inside other objects. Calling it makes a whole object."""
    base = kind.cls
    members = {
        "__slots__": ("_go_base", "_go_cells", "_go_offset"),
        "__module__": base.__module__,
        "__qualname__": base.__qualname__,
        "__new__": lambda cls, /, *args, **fields: base(*args, **fields),
        "_go_pointers": staticmethod(lambda handle: tuple(kind.pointers(handle._go_cells, handle._go_offset))),
        **view_properties(fields, kind.name),
    }
    return type.__new__(type(base), base.__name__, (base,), members)


def pointers(fields: Sequence[Field], owner: str) -> Any:
    """The function that gives a tuple of the words of all pointers in a whole object, nil among them."""
    fields = [field for field in fields if field.type.is_pointer]
    if len(fields) > 1 and all(field.type.form == FORM_WORD for field in fields):
        return attrgetter(*(f"_f_{field.name}" for field in fields))
    parts = []
    names: dict[str, Any] = {}
    for field in fields:
        slot = f"self._f_{field.name}"
        if field.type.form == FORM_WORD:
            parts.append(f"{slot},")
        else:
            names[f"pointers_{field.name}"] = field.type.pointers
            parts.append(f"*pointers_{field.name}({slot if field.type.form == FORM_CELLS else f'[{slot}]'}, 0),")
    return compiled(f"def pointers(self): return ({' '.join(parts)})", names, owner)["pointers"]


# The constructor.

# What its text calls.
CALLED = (allocate, getcurrent, hold, malloc_point, next_slot, outside, register, tell_new)


def constructor(kind: Type, fields: Sequence[Field], owner: str, qualname: str) -> Any:  # hot: fields
    """`__init__`, with a keyword for each field."""
    names = names_of(fields, owner)
    names |= {f"_go_{function.__name__}": function for function in CALLED}
    names |= {"_go_owner": owner, "_go_kind": kind, "_go_unset": UNSET}
    defaults, checks, stores = [], [], []
    for field in fields:
        name, field_kind = field.name, field.type
        target = f"_go_new_{name}" if field_kind.form != FORM_VALUE or field_kind.is_pointer else name
        stores.append(f"    _go_self._f_{name} = {target}")
        names[f"_go_zero_{name}"] = UNSET
        if field_kind.form == FORM_CELLS:
            names[f"_go_cells_{name}"] = field_kind.new_cells
            encode = f"_go_encode_{name}({name}, _go_what_{name})"
            checks.append(f"    {target} = _go_cells_{name}(1) if {name} is _go_unset else {encode}")
        elif field_kind.form == FORM_DECODE and field_kind.kind != types.BOOL:
            names[f"_go_raw_{name}"] = field_kind.zero
            checks += [f"    if {name} is _go_unset:", f"        {target} = _go_raw_{name}", "    else:"]
            checks += checked(field, name, target, "        ")
        else:
            names[f"_go_zero_{name}"] = None if field_kind.form == FORM_WORD else field_kind.zero
            checks += checked(field, name, target, "    ")
        if field_kind.is_pointer and (field_kind.boxes or field_kind.form == FORM_CELLS):
            cells = target if field_kind.form == FORM_CELLS else f"[{target}]"
            checks.append(f"    _go_held_{name} = _go_hold(_go_mem, _go_type_{name}, {cells})")
        defaults.append(f"{name}=_go_zero_{name}")
    text = [
        f"def __init__(_go_self{', *, ' if fields else ''}{', '.join(defaults)}):",
        "    _go_g = _go_getcurrent()",
        "    try:",
        "        _go_m = _go_g.m",
        "        _go_mem = _go_m.mem",
        "    except AttributeError:",
        "        raise _go_outside(_go_owner) from None",
        *checks,
        *allocation(kind, stores),
    ]
    if kind.is_pointer:
        text += ["    if _go_g.m.store_watch is not None:", "        _go_tell_new(_go_g.m, _go_g, _go_self)"]
    made = compiled("\n".join(text), names, owner)["__init__"]
    made.__qualname__ = f"{qualname}.__init__"
    return made


def allocation(kind: Type, stores: list[str]) -> list[str]:
    """The lines of the constructor that allocate the object, fill its fields, and register its handle."""
    size, ptrdata = kind.size, kind.ptrdata
    if not 0 < size <= MIN_SIZE_FOR_MALLOC_HEADER or is_tiny(size, ptrdata):
        return [
            f"    _go_address = _go_allocate(_go_m, _go_g, {size}, {ptrdata})",
            *stores,
            "    _go_register(_go_mem, _go_address, _go_self, _go_kind)",
        ]
    spanclass = small_span_class(size, not ptrdata)
    # Unoptimised form: the above.
    return [
        f"    _go_m.clock = _go_clock = _go_m.clock + {malloc_cost(size, ptrdata)}",
        "    if _go_clock >= _go_m.horizon:",
        "        _go_m = _go_malloc_point(_go_m, _go_g)",
        "    _go_cache = _go_m.p.mcache",
        *([f"    _go_cache.scan_alloc += {ptrdata}"] if ptrdata else []),
        f"    _go_window = _go_cache.alloc[{spanclass}].window",
        f"    _go_address = _go_window.pop() if _go_window else _go_next_slot(_go_g, {spanclass})",
        "    _go_self._go_mem = _go_mem",
        "    _go_self._go_addr = _go_address",
        *stores,
        "    _go_mem[_go_address] = _go_self",
    ]
