"""sync.Map: each operation, ranges, keys and values that are the user's code."""

from __future__ import annotations

import random

import pytest

from goruntime import GoPanic, defer, func, go, recover, run, runtime, sync
from tests.unit.sched.world import here


@pytest.fixture(params=[{}, {"checksum": True}], ids=["flat", "listening"])
def config(request):
    return {"gomaxprocs": 1, **request.param}


def items(m):
    found = {}
    m.range(lambda key, value: found.update({key: value}))
    return found


def test_the_operations(config):
    def main():
        m = sync.Map()
        assert m.load("a") == (None, False)
        assert m.store("a", 1) is None
        assert m.load("a") == (1, True)
        assert m.load_or_store("a", 2) == (1, True)
        assert m.load_or_store("b", 2) == (2, False)
        assert m.swap("b", 3) == (2, True)
        assert m.swap("c", 4) == (None, False)
        assert repr(m) == "<sync.Map, 3 keys>"
        assert items(m) == {"a": 1, "b": 3, "c": 4}
        assert m.load_and_delete("a") == (1, True)
        assert m.load_and_delete("a") == (None, False)
        assert m.delete("b") is None
        m.delete("b")
        assert items(m) == {"c": 4}
        m.clear()
        assert items(m) == {}

    run(main, **config)


def test_compare_and_swap(config):
    def main():
        m = sync.Map()
        assert m.compare_and_swap("k", None, 1) is False  # there is no value, not even None
        m.store("k", 1)
        assert m.compare_and_swap("k", 2, 3) is False
        assert m.compare_and_swap("k", 1, 3) is True
        assert m.load("k") == (3, True)
        m.store("k", [1])
        assert m.compare_and_swap("k", [1], 5) is True
        assert m.load("k") == (5, True)

    run(main, **config)


def test_compare_and_delete(config):
    def main():
        m = sync.Map()
        assert m.compare_and_delete("k", None) is False
        m.store("k", None)
        assert m.compare_and_delete("k", 1) is False
        assert m.compare_and_delete("k", None) is True
        assert m.load("k") == (None, False)

    run(main, **config)


def test_none_is_a_value_like_others(config):
    def main():
        m = sync.Map()
        m.store(None, None)
        return m.load(None), m.load_or_store(None, 1), m.load_and_delete(None)

    assert run(main, **config) == ((None, True), (None, True), (None, True))


# ---- range ----


def test_a_range_has_an_order_of_its_own_and_the_same_in_every_run():
    def main():
        m, seen = sync.Map(), []
        for key in range(50):
            m.store(key, key)
        m.range(lambda key, value: seen.append(key))
        again = []
        m.range(lambda key, value: again.append(key))
        assert again == seen
        return seen

    first = run(main, seed=1)
    assert sorted(first) == list(range(50))
    assert first != sorted(first)
    assert run(main, seed=1) == first
    assert run(main, seed=2) != first


def test_two_maps_have_two_orders():
    def main():
        orders = []
        for _ in range(2):
            m, seen = sync.Map(), []
            for key in range(30):
                m.store(key, key)
            m.range(lambda key, value, seen=seen: seen.append(key))
            orders.append(seen)
        return orders

    first, second = run(main)
    assert first != second


def test_range_ends_when_the_function_says_false():
    def main():
        m, seen = sync.Map(), []
        for key in range(10):
            m.store(key, key)

        def f(key, value):
            seen.append(key)
            return len(seen) < 3

        m.range(f)
        return len(seen)

    assert run(main) == 3


def test_range_sees_what_changes_meanwhile():
    """Deleted keys are not visited any more, changed ones with their new value, none twice."""

    def main():
        m, seen = sync.Map(), []
        for key in range(20):
            m.store(key, "old")

        def f(key, value):
            if not seen:
                for other in range(20):
                    if other != key:
                        m.delete(other) if other % 2 else m.store(other, "new")
                m.store("late", "new")
            seen.append((key, value))

        m.range(f)
        return seen

    seen = run(main)
    assert seen[0][1] == "old"
    assert all(value == "new" and key % 2 == 0 for key, value in seen[1:])
    assert len({key for key, _ in seen}) == len(seen) == len({seen[0][0], *range(0, 20, 2)})


def test_nested_ranges():
    """In Go's words: the outer one deletes what the inner one sees."""

    def main():
        m = sync.Map()
        for key in range(3):
            m.store(key, key)

        def outer(key, _):
            m.range(lambda inner, _: m.delete(inner))

        m.range(outer)
        return items(m)

    assert run(main) == {}


@pytest.mark.parametrize("wrong", [None, 4])
def test_range_needs_a_function(wrong):
    def main():
        with pytest.raises(TypeError, match=r"^sync\.Map\.range: .* is not callable"):
            sync.Map().range(wrong)

    run(main)


def test_a_panic_in_the_function_leaves_range():
    def main():
        m = sync.Map()
        m.store(1, 1)

        @func
        def inner():
            defer(lambda: found.append(str(recover())))
            m.range(lambda key, value: 1 // 0)

        found = []
        inner()
        return found, items(m)

    found, left = run(main)
    assert "zero" in found[0]
    assert left == {1: 1}


# ---- keys and values with code of their own ----


@pytest.mark.parametrize(
    "operation",
    [
        lambda m, key: m.load(key),
        lambda m, key: m.store(key, 1),
        lambda m, key: m.load_or_store(key, 1),
        lambda m, key: m.load_and_delete(key),
        lambda m, key: m.delete(key),
        lambda m, key: m.swap(key, 1),
        lambda m, key: m.compare_and_swap(key, 1, 2),
        lambda m, key: m.compare_and_delete(key, 1),
    ],
)
def test_a_key_that_cannot_be_hashed_is_a_panic_like_others(operation, config):
    def main():
        m = sync.Map()
        m.store("kept", 1)
        with pytest.raises(TypeError, match="unhashable type: 'list'"):
            operation(m, [])
        return items(m)

    assert run(main, **config) == {"kept": 1}
    with pytest.raises(GoPanic, match=r"^panic: TypeError: unhashable type: 'list'\n"):
        run(lambda: operation(sync.Map(), []), **config)


class Odd:
    """Equal to its like, after it has let others run."""

    def __init__(self, number):
        self.number = number

    def __hash__(self):
        return 1

    def __eq__(self, other):
        runtime.gosched()
        return self.number == other.number


@pytest.mark.parametrize("procs", [1, 4])
def test_keys_that_let_others_run(procs):
    def main():
        m, wg = sync.Map(), sync.WaitGroup()

        def use(number):
            for turn in range(5):
                m.store(Odd(turn), number)
                m.load(Odd(turn))
                m.load_or_store(Odd(turn + 1), number)

        for number in range(4):
            wg.go(use, number)
        wg.wait()
        return sorted(key.number for key in items(m))

    assert run(main, gomaxprocs=procs) == list(range(6))


def test_values_that_let_others_run():
    def main():
        m, wg, won = sync.Map(), sync.WaitGroup(), []
        m.store("k", Odd(0))

        def race(number):
            if m.compare_and_swap("k", Odd(0), Odd(number)):
                won.append(number)

        for number in range(1, 5):
            wg.go(race, number)
        wg.wait()
        return won, m.load("k")[0].number

    won, number = run(main, gomaxprocs=1)
    assert won == [number]


# ---- against a dict ----


@pytest.mark.parametrize("seed", range(5))
def test_random_operations_are_those_of_a_dict(seed):
    def main():
        draw, m, model = random.Random(seed), sync.Map(), {}
        for _ in range(400):
            key, value, old = draw.randrange(8), draw.randrange(5), draw.randrange(5)
            name = draw.choice(("load", "store", "lor", "lad", "delete", "swap", "cas", "cad", "clear", "range"))
            was = model.get(key), key in model
            if name == "load":
                assert m.load(key) == was
            elif name == "store":
                m.store(key, value)
                model[key] = value
            elif name == "lor":
                assert m.load_or_store(key, value) == (was if was[1] else (value, False))
                model.setdefault(key, value)
            elif name == "lad":
                assert m.load_and_delete(key) == was
                model.pop(key, None)
            elif name == "delete":
                m.delete(key)
                model.pop(key, None)
            elif name == "swap":
                assert m.swap(key, value) == was
                model[key] = value
            elif name == "cas":
                assert m.compare_and_swap(key, old, value) is (was == (old, True))
                if was == (old, True):
                    model[key] = value
            elif name == "cad":
                assert m.compare_and_delete(key, old) is (was == (old, True))
                if was == (old, True):
                    del model[key]
            elif name == "clear" and draw.random() < 0.1:
                m.clear()
                model.clear()
            else:
                assert items(m) == model

    run(main)


@pytest.mark.parametrize("procs", [1, 2, 4])
def test_many_goroutines(procs):
    """In Go's words: ranges while others store: every key that stays is seen, once."""

    def main():
        m, wg, stop = sync.Map(), sync.WaitGroup(), [False]
        for key in range(64):
            m.store(key, 0)

        def churn(number):
            turn = 0
            while not stop[0]:
                turn += 1
                key = (number * 13 + turn) % 64
                value, found = m.load(key)
                assert found
                m.store(key, value + 1)
                m.store(f"{number}", turn)
                m.delete(f"{number}")

        for number in range(3):
            go(churn, number)
        for _ in range(5):
            seen = []
            m.range(lambda key, value, seen=seen: seen.append(key))
            assert len(seen) == len(set(seen))
            assert set(range(64)) <= set(seen)
        stop[0] = True
        wg.wait()

    run(main, gomaxprocs=procs)


def test_costs_grow_with_what_is_done():
    def main():
        m = sync.Map()
        clock = here()[0]
        times = []
        for operation in (lambda: m.store(1, 1), lambda: m.load(1), lambda: m.delete(1)):
            before = clock.clock
            operation()
            times.append(clock.clock - before)
        return times

    store, load, delete = run(main, gomaxprocs=1)
    assert load < delete < store
