"""Types: sizes, what may be stored in them, and what type expressions mean."""

from __future__ import annotations

import copy
import enum
import math
import typing
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goruntime.lang import basic, types
from goruntime.lang.types import Scope, Type, alignof, composite, derive, go_type, ptrmask, sizeof

INTEGERS: list[Any] = [
    *(basic.Int, basic.Int8, basic.Int16, basic.Int32, basic.Int64),
    *(basic.Uint, basic.Uint8, basic.Uint16, basic.Uint32, basic.Uint64, basic.Uintptr),
]
FLOATS: list[Any] = [basic.Float32, basic.Float64]
ALL: list[Any] = [*INTEGERS, *FLOATS, basic.Bool, basic.String]
Bool: Any = basic.Bool
Int: Any = basic.Int
Int8: Any = basic.Int8
String: Any = basic.String
Float32: Any = basic.Float32
Float64: Any = basic.Float64


class Index:
    def __init__(self, value: int) -> None:
        self.value = value

    def __index__(self) -> int:
        return self.value


class Rude:
    def __repr__(self) -> str:
        raise RuntimeError("no")


class TestSizes:
    @pytest.mark.parametrize(
        ("name", "size"),
        [
            ("int8", 1),
            ("uint16", 2),
            ("int32", 4),
            ("float32", 4),
            ("int64", 8),
            ("int", 8),
            ("uintptr", 8),
            ("bool", 1),
        ],
    )
    def test_numbers(self, name: str, size: int) -> None:
        found = next(kind for kind in ALL if kind.name == name)
        assert (sizeof(found), alignof(found), ptrmask(found)) == (size, size, 0)
        assert found.noscan

    def test_strings(self) -> None:
        assert (sizeof(String), alignof(String), ptrmask(String)) == (16, 8, 1)
        assert String.ptrdata == 8

    def test_layouts_hold(self) -> None:
        for kind in ALL:
            kind.layout.check()

    def test_kinds_are_gos(self) -> None:
        assert [kind.kind for kind in ALL] == [2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 1, 24]


class TestIntegers:
    @pytest.mark.parametrize("kind", INTEGERS)
    @given(value=st.integers(-(1 << 70), 1 << 70))
    def test_wrap_around(self, kind: Any, value: int) -> None:
        stored = kind.encode(value, "a test")
        bits = kind.size * 8
        assert (stored - value) % (1 << bits) == 0
        low = -(1 << bits - 1) if kind.is_signed else 0
        assert low <= stored < low + (1 << bits)
        cells = kind.new_cells(1)
        cells[0] = stored
        assert cells[0] == stored

    @pytest.mark.parametrize("bad", [True, 1.0, "1", None, b"1", Decimal(1), 1j, [1], Rude()])
    def test_what_is_no_integer(self, bad: Any) -> None:
        for kind in INTEGERS:
            with pytest.raises(TypeError, match=rf"cannot use .* as {kind.name} value in field x of main.T$"):
                kind.encode(bad, "field x of main.T")

    def test_what_has_an_index(self) -> None:
        class Color(enum.IntEnum):
            RED = 300

        assert Int.encode(Index(7), "") == 7
        assert Int8.encode(Index(300), "") == 44
        assert type(Int.encode(Color.RED, "")) is int

    def test_conversions(self) -> None:
        assert Int8(300) == 44
        assert Int8(-3.9) == -3
        assert Int() == 0
        for value in (math.inf, math.nan):
            with pytest.raises(ValueError, match="cannot convert"):
                Int(value)
        with pytest.raises(TypeError, match="conversion"):
            Int("3")


class TestFloats:
    def test_rounding(self) -> None:
        assert Float32.encode(0.1, "") == 0.10000000149011612
        assert Float64.encode(0.1, "") == 0.1
        assert Float32.encode(1e300, "") == math.inf
        assert Float32.encode(-1e300, "") == -math.inf
        assert math.isnan(Float32.encode(math.nan, ""))

    def test_integers_are_constants(self) -> None:
        assert type(Float64.encode(3, "")) is float
        assert Float64(2) == 2.0

    @pytest.mark.parametrize("bad", [True, "1", None, 1j, b"1"])
    def test_what_is_no_float(self, bad: Any) -> None:
        for kind in FLOATS:
            with pytest.raises(TypeError, match=f"as {kind.name} value in field x"):
                kind.encode(bad, "field x")

    def test_what_no_float_holds(self) -> None:
        with pytest.raises(ValueError, match="overflows"):
            Float64.encode(10**400, "field x")


class TestBoolsAndStrings:
    def test_bools(self) -> None:
        assert Bool.encode(True, "") is True
        assert Bool(False) is False
        for bad in (0, 1, None, "", 0.0):
            with pytest.raises(TypeError, match="as bool value"):
                Bool.encode(bad, "")
        cells = Bool.new_cells(2)
        cells[1] = True
        assert [Bool.decode(None, cell) for cell in cells] == [False, True]

    def test_strings(self) -> None:
        class Name(str):
            __slots__ = ()

        assert type(String.encode(Name("a"), "")) is str
        assert String() == ""
        for bad in (b"a", 1, None):
            with pytest.raises(TypeError, match="as string value"):
                String.encode(bad, "")

    def test_an_errors_text_is_short_and_survives_its_value(self) -> None:
        with pytest.raises(TypeError) as caught:
            String.encode([1] * 1000, "field x")
        assert len(str(caught.value)) < 120
        with pytest.raises(TypeError, match="<Rude>"):
            String.encode(Rude(), "field x")


class TestExpressions:
    def test_types_and_pythons_types(self) -> None:
        for kind in ALL:
            assert go_type(kind) is kind
        assert [go_type(kind) for kind in (int, float, bool, str)] == [Int, Float64, Bool, String]

    def test_text_is_looked_up_where_it_is_written(self) -> None:
        Local = Int8  # noqa: F841
        assert go_type("Local") is Int8
        assert go_type("basic.Int16") is basic.Int16
        with pytest.raises(NameError, match="Nowhere"):
            go_type("Nowhere")
        with pytest.raises(TypeError, match="is no type"):
            go_type("Int 8")

    @pytest.mark.parametrize(
        ("bad", "hint"),
        [
            (list, "Slice"),
            (list[int], "Slice"),
            (dict, "Map"),
            (bytes, "Uint8"),
            (None, "nil is a value"),
            (typing.Optional["int"], "Ptr"),
            (int | None, "Ptr"),
            (set, ""),
            (3, ""),
            ([], ""),
        ],
    )
    def test_what_is_no_type(self, bad: Any, hint: str) -> None:
        with pytest.raises(TypeError, match=f"is no type of Go's.*{hint}"):
            go_type(bad)

    def test_composites_are_canonical_and_may_wait_for_a_name(self) -> None:
        def pair(elem: Type, count: int) -> Type:
            return derive(elem, ("pair", count), lambda: Type(f"pair{count} of {elem}", elem.layout))

        now = composite("Pair", pair, Int, 2)
        later = composite("Pair", pair, "Later", 2)
        assert isinstance(now, Type)
        assert repr(later) == "Pair[Later, 2]"
        assert go_type(later, Scope({"Later": Int})) is now
        nested = composite("Pair", pair, later, 3)
        assert go_type(nested, Scope({"Later": Int})) is go_type(composite("Pair", pair, now, 3))
        with pytest.raises(TypeError, match="no type"):
            composite("Pair", pair, list, 2)

    def test_a_type_is_not_copied(self) -> None:
        assert copy.copy(Int) is copy.deepcopy(Int) is Int
        assert types.go_type(copy.deepcopy(Int)) is Int
