"""A field may have any name that is not the runtime's own: the generated code has no names that could be a field's."""

from __future__ import annotations

from goruntime import Int, Ptr, String, Struct

from .heapworld import in_a_run


class Wide(Struct):
    self: Int
    cls: Int
    type: String
    int: Int
    str: String
    m: Int
    g: Int
    mem: Ptr[Wide]
    kind: Int
    owner: Int
    cache: Int
    window: Int
    address: Int
    clock: Int
    hold: Int
    unset: Int
    outside: Int
    getcurrent: Int
    encode_m: Int
    new_m: Int


class First(Struct):
    self: Int


def make_wide():
    names = [name for name in Wide.__annotations__ if name not in ("type", "str", "mem")]
    given = {name: number for number, name in enumerate(names)}
    inner = Wide()
    wide = Wide(type="t", str="s", mem=inner, **given)
    assert {name: getattr(wide, name) for name in names} == given
    assert (wide.type, wide.str, wide.mem is inner) == ("t", "s", True)
    wide.mem = wide
    wide.m = 1 << 64
    assert (wide.mem is wide, wide.m) == (True, 0)


def make_first():
    assert First(self=3).self == 3


def test_names_that_the_code_could_use_itself():
    in_a_run(make_wide)


def test_a_field_self_in_the_first_object_of_a_struct():
    in_a_run(make_first)
