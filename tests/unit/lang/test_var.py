"""Package-level variables: every run starts them afresh."""

from __future__ import annotations

from itertools import pairwise

import pytest

from goruntime import Any, Array, Int, Int8, Ptr, Struct, addr, go, run, runtime, var
from goruntime.heap.check import check_heap

from .heapworld import Watch, heap, in_a_run, mem


class Config(Struct):
    level: Int8
    root: Ptr[Config]


hits = var(Int, 3)
root = var(Ptr[Config])
config = var(Config)
row = var(Array[Int, 3], [1, 2, 3])
anything = var(Any, 1000)
late = var("Ptr[Later]")


class Later(Struct):
    n: Int


def test_every_run_starts_afresh() -> None:
    def main() -> int:
        hits.value += 1
        assert root.value is None
        root.value = Config(level=1)
        assert root.value is root.value
        config.level += 300
        row[0] += 1
        assert list(row.value) == [2, 2, 3]
        assert anything.value == 1000
        anything.value = root.value
        assert anything.value is root.value
        late.value = Later(n=1)
        assert late.value.n == 1
        return hits.value + config.level

    assert in_a_run(main) == in_a_run(main) == 4 + 44


def test_addresses_are_in_the_data_segment_and_do_not_overlap() -> None:
    def main() -> None:
        assert addr(config) == addr(config)
        places = sorted((addr(variable), size) for variable, size in ((hits, 8), (root, 8), (config, 16), (row, 24)))
        for (at, size), (following, _) in pairwise(places):
            assert at + size <= following
        assert all(at < 1 << 32 for at, _ in places)

    in_a_run(main)


def test_a_struct_is_copied_in_and_out() -> None:
    def main() -> None:
        taken = config.value
        taken.level = 5
        assert config.level == 0
        config.value = taken
        taken.level = 6
        assert config.level == 5
        with pytest.raises(AttributeError, match="no attribute 'nothing'"):
            config.nothing = 1
        with pytest.raises(AttributeError, match="var int has no attribute 'level'"):
            hits.level = 1
        with pytest.raises(TypeError, match="as int value in a variable of type int"):
            hits.value = "x"

    in_a_run(main)


def test_variables_are_roots() -> None:
    def main() -> None:
        node = Config()
        with Watch() as watch:
            root.value = node
            config.root = node
        assert [seen[1:] for seen in watch.seen] == [(0, addr(node))] * 2
        words = [word for cell in mem().variables.values() for word in type(cell)._go_pointers(cell)]
        assert words == [addr(node), addr(node)]

    in_a_run(main)


def test_goroutines_share_them() -> None:
    def main() -> int:
        for _ in range(10):
            go(lambda: setattr(hits, "value", hits.value + 1))
        for _ in range(20):
            runtime.gosched()
        check_heap(heap())
        return int(hits.value)

    assert run(main, gomaxprocs=1) == 13


def test_bad_initial_values() -> None:
    with pytest.raises(TypeError, match="as int8 value in the initial value of a variable of type int8"):
        var(Int8, "x")
    with pytest.raises(TypeError, match="is no type of Go's"):
        var(list)
    made = run(lambda: Config())
    with pytest.raises(TypeError, match="must be nil: an object of the heap belongs to a run"):
        var(Ptr[Config], made)


def test_outside() -> None:
    for use in (lambda: hits.value, lambda: setattr(hits, "value", 1), lambda: config.level, lambda: row[0]):
        with pytest.raises(RuntimeError, match="a variable of the emulated heap must be called from a goroutine"):
            use()
    assert repr(hits) == "<var int>"
