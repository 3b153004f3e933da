"""Arrays, by themselves and inside other objects."""

from __future__ import annotations

from typing import Any as Object
from typing import Literal

import pytest

from goruntime import Any, Array, Bool, GoPanic, Int, Int8, Ptr, String, Struct, addr, new, run, sizeof
from goruntime.lang.error import Panic
from goruntime.lang.types import go_type

from .heapworld import Watch, free, in_a_run, mem


class Leaf(Struct):
    key: Int


class Rows(Struct):
    flags: Array[Bool, 3]
    names: Array[String, 2]
    leaves: Array[Ptr[Leaf], 2]
    matrix: Array[Array[Int8, 2], 2]
    things: Array[Any, 2]


def test_a_new_array_is_zero() -> None:
    def main() -> None:
        numbers: Object = new(Array[Int, 3])
        assert (list(numbers), len(numbers), bool(numbers)) == ([0, 0, 0], 3, True)
        numbers[1] = 1 << 63
        assert list(numbers) == [0, -(1 << 63), 0]
        assert repr(numbers) == "&[3]int[0 -9223372036854775808 0]"
        assert bool(new(Array[Int, 0]))

    in_a_run(main)


@pytest.mark.parametrize(("index", "text"), [(3, r"\[3\] with length 3"), (-1, r"\[-1\]$")])
def test_an_index_out_of_range_is_gos_panic(index: int, text: str) -> None:
    def main() -> None:
        numbers: Object = new(Array[Int, 3])
        for use in (lambda: numbers[index], lambda: numbers.__setitem__(index, 1)):
            with pytest.raises(Panic, match=f"index out of range {text}"):
                use()

    in_a_run(main)
    with pytest.raises(GoPanic, match=r"panic: runtime error: index out of range \[3\] with length 3\n\ngoroutine 1"):
        run(lambda: new(Array[Int, 3])[3])


def test_bad_indices_and_elements() -> None:
    def main() -> None:
        numbers: Object = new(Array[Int, 3])
        for bad in ("1", 1.0, None, True, slice(0, 1)):
            with pytest.raises(TypeError, match="invalid argument: index .* must be integer"):
                print(numbers[bad])
        with pytest.raises(TypeError, match=r"cannot use 'x' \(str\) as int value in element of \[3\]int"):
            numbers[0] = "x"
        with pytest.raises(TypeError, match=r"cannot use 2 values as \[3\]int value"):
            numbers.value = [1, 2]
        with pytest.raises(TypeError, match=r"as \[3\]int value"):
            numbers.value = new(Array[Int, 4])
        assert list(numbers) == [0, 0, 0]

    in_a_run(main)


def test_values_are_copied() -> None:
    def main() -> None:
        numbers: Object = new(Array[Int, 2])
        twin = numbers.value
        twin[0] = 5
        assert numbers[0] == 0
        numbers.value = twin
        twin[0] = 6
        assert numbers[0] == 5
        numbers.value = (7, 8)
        assert list(numbers) == [7, 8]

    in_a_run(main)


def test_arrays_in_a_struct() -> None:
    def main() -> None:
        leaf = Leaf(key=1)
        rows = Rows(flags=[True, False, True], leaves=[None, leaf])
        assert list(rows.flags) == [True, False, True]
        assert all(type(flag) is bool for flag in rows.flags)
        assert rows.leaves[1] is leaf
        rows.leaves[0] = rows.leaves[1]
        assert rows.leaves[0] is leaf
        rows.names[1] = "b"
        assert list(rows.names) == ["", "b"]
        rows.matrix[1][0] = 200
        assert [list(row) for row in rows.matrix] == [[0, 0], [-56, 0]]
        rows.matrix[0] = rows.matrix[1]
        rows.matrix[1][0] = 1
        assert [list(row) for row in rows.matrix] == [[-56, 0], [1, 0]]
        assert rows.matrix[1] is rows.matrix[1]
        assert addr(rows.matrix[1]) == addr(rows.matrix) + 2
        rows.things[0], rows.things[1] = 1000, leaf
        assert list(rows.things) == [1000, leaf]
        again = rows.value
        assert list(again.things) == [1000, leaf]
        assert list(again.flags) == [True, False, True]

    in_a_run(main)


def test_what_points_out_of_an_array() -> None:
    def main() -> None:
        leaves: Object = new(Array[Ptr[Leaf], 3])
        leaf = Leaf()
        with Watch() as watch:
            leaves[1] = leaf
        assert watch.seen == [(addr(leaves), 0, addr(leaf))]
        assert list(type(leaves)._go_pointers(leaves)) == [0, addr(leaf), 0]
        assert list(type(new(Array[Int, 3]))._go_pointers(new(Array[Int, 3]))) == []
        leaf_array: Object = new(Array[Leaf, 2])
        inner = leaf_array[1]
        assert mem().interiors[addr(leaf_array)] == [inner._go_addr]
        free(leaf_array)
        with pytest.raises(Exception, match="use of freed object"):
            print(inner.key)

    in_a_run(main)


def test_memory_that_is_not_touched_costs_nothing() -> None:
    def main() -> None:
        huge: Object = new(Array[Int, 1 << 27])  # 1 GiB
        assert len(huge) == 1 << 27
        assert sizeof(Array[Int, 1 << 27]) == 1 << 30
        with pytest.raises(AttributeError):
            object.__getattribute__(huge, "_go_cells")

    run(main)


def test_expressions() -> None:
    assert go_type(Array[Int, 3]).name == "[3]int"
    assert go_type(Array[Array[Int, 3], 2]).name == "[2][3]int"
    for bad in (3.0, "n", True):
        with pytest.raises((TypeError, NameError)):
            go_type(Array[Int, bad])
    with pytest.raises(ValueError, match="invalid array length -1"):
        go_type(Array[Int, -1])
    with pytest.raises(TypeError, match="with the length n"):
        go_type(Array[Int])  # type: ignore[misc]


def test_a_length_for_type_checkers() -> None:
    assert go_type(Array[Int, Literal[3]]) is go_type(Array[Int, 3])
