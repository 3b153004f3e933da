"""Iteration over a map that changes meanwhile."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goruntime.lang.swiss.core import NOTHING
from goruntime.lang.swiss.iter import Iter
from goruntime.lang.swiss.table import Unequal

from .bare import BareMap


def filled(count: int, **options: Any) -> BareMap:
    """A map of that many keys."""
    bare = BareMap(**options)
    for key in range(count):
        bare.put(key, key)
    return bare


def rest_of(iteration: Iter) -> list[Any]:
    """What it comes by until the end."""
    keys = []
    while (key := iteration.next()) is not NOTHING:
        keys.append(key)
    assert iteration.next() is NOTHING
    return keys


@pytest.mark.parametrize("count", [0, 1, 7, 8, 9, 14, 15, 100, 896, 897, 5_000])
def test_each_once(count: int) -> None:
    """Whatever the shape of the map."""
    bare = filled(count)
    assert sorted(rest_of(Iter(bare.m, bare.core))) == list(range(count))


@pytest.mark.parametrize("count", [3, 12, 3_000])
def test_random_start(count: int) -> None:
    """Two iterations begin at different keys; the order goes around."""
    bare = filled(count)
    orders = {tuple(rest_of(Iter(bare.m, bare.core))) for _ in range(40)}
    assert len(orders) > 1
    assert len({order[0] for order in orders}) > 1


@pytest.mark.parametrize("hint", [100, 10_000])
def test_sparse(hint: int) -> None:
    """Few keys in many slots."""
    bare = filled(10, hint=hint)
    assert sorted(rest_of(Iter(bare.m, bare.core))) == list(range(10))


def test_changed_elements_and_deleted_keys() -> None:
    """A key deleted before its turn is not shown."""
    bare = filled(8)
    iteration = Iter(bare.m, bare.core)
    first = iteration.next()
    bare.delete((first + 1) % 8)
    bare.delete(first)
    assert sorted(rest_of(iteration)) == sorted(set(range(8)) - {first, (first + 1) % 8})


@pytest.mark.parametrize(("before", "after"), [(8, 9), (8, 2_000), (14, 15), (100, 20_000), (2_000, 30_000)])
def test_growth(before: int, after: int) -> None:
    """Whatever replaces the table it is in, it comes by what was there, without what is gone, and nothing twice."""
    bare = filled(before)
    iteration = Iter(bare.m, bare.core)
    seen = [iteration.next() for _ in range(before // 2)]
    for key in range(before, after):
        bare.put(key, key)
    gone = set(range(0, before, 3)) - set(seen)
    for key in gone:
        bare.delete(key)
    seen += rest_of(iteration)
    assert len(seen) == len(set(seen))
    assert set(range(before)) - gone <= set(seen)
    assert not gone & set(seen)


def test_split_while_in_the_middle() -> None:
    """The directory doubles several times while the iteration is in a table that is split again and again."""
    for seed in range(10):
        bare = filled(3_000, seed=seed)
        iteration = Iter(bare.m, bare.core)
        seen = []
        for step in range(3_000):
            seen.append(iteration.next())
            for key in range(3_000 + 10 * step, 3_010 + 10 * step):
                bare.put(key, key)
        seen += rest_of(iteration)
        assert len(seen) == len(set(seen))
        assert set(range(3_000)) <= set(seen)


def test_unequal_keys_in_a_grown_map() -> None:
    """NaNs cannot be looked up, yet they are there until a clear."""
    for clears in (False, True):
        bare = BareMap()
        for number in range(8):
            bare.put_unequal(number)
        iteration = Iter(bare.m, bare.core)
        assert type(iteration.next()) is Unequal
        for key in range(100):
            bare.put(key, key)
        if clears:
            bare.clear()
            bare.put_unequal(0)
        assert sum(type(key) is Unequal for key in rest_of(iteration)) == (0 if clears else 7)


Step = tuple[str, int]
STEPS = st.lists(
    st.tuples(st.sampled_from(("next", "next", "put", "many", "delete", "drop", "clear", "again")), st.integers(0, 60)),
    min_size=5,
    max_size=80,
)


@settings(max_examples=80, deadline=None)
@given(st.sampled_from([3, 8, 14, 60, 900, 1_800]), STEPS, st.integers(0, 1_000))
def test_model(count: int, steps: list[Step], seed: int) -> None:
    """Go's five rules, whatever happens between two steps of an iteration."""
    bare = filled(count, seed=seed)
    iteration = Iter(bare.m, bare.core)
    always = set(bare.model)  # there since the beginning
    seen: set[int] = set()
    for step, number in steps:
        if step == "next":
            key = iteration.next()
            if key is NOTHING:
                break
            assert key in bare.model
            assert key not in seen
            seen.add(key)
        elif step == "put":
            bare.put(number, number)
        elif step == "many":
            for key in range(10_000 + number * 100, 10_000 + number * 120):
                bare.put(key, key)
        elif step == "delete":
            bare.delete(number)
            always.discard(number)
            seen.discard(number)  # it may come again, if it is stored again
        elif step == "drop":
            for key in range(number * 20):
                bare.delete(key)
                always.discard(key)
                seen.discard(key)
        elif step == "clear" and number < 10:
            bare.clear()
            always.clear()
            seen.clear()
    rest = rest_of(iteration)
    assert len(rest) == len(set(rest))
    assert not seen & set(rest)
    assert always <= seen | set(rest)
    bare.check()
