"""Package atomic: integers that wrap, bools, pointers, values of one type."""

from __future__ import annotations

import random

import pytest

from goruntime import GoPanic, atomic, go, run, runtime, sync
from goruntime.kernel import costs
from tests.unit.sched.world import here

BOUNDS = {
    atomic.Int32: (-(1 << 31), (1 << 31) - 1),
    atomic.Int64: (-(1 << 63), (1 << 63) - 1),
    atomic.Uint32: (0, (1 << 32) - 1),
    atomic.Uint64: (0, (1 << 64) - 1),
    atomic.Uintptr: (0, (1 << 64) - 1),
}
every_integer = pytest.mark.parametrize(("kind", "low", "high"), [(kind, *bounds) for kind, bounds in BOUNDS.items()])


@pytest.fixture(params=[{}, {"checksum": True}], ids=["flat", "listening"])
def config(request):
    return {"gomaxprocs": 1, **request.param}


# ---- integers ----


@every_integer
def test_the_operations(kind, low, high, config):
    def main():
        word = kind()
        assert word.load() == 0
        assert word.store(5) is None
        assert word.add(3) == 8
        assert word.swap(6) == 8
        assert word.compare_and_swap(7, 1) is False
        assert word.compare_and_swap(6, 1) is True
        assert word.load() == 1
        word.store(0b1100)
        assert word.and_(0b0110) == 0b1100
        assert word.or_(0b0011) == 0b0100
        assert word.load() == 0b0111
        assert repr(word) == f"<atomic.{kind.__name__} 7>"
        assert kind(9).load() == 9

    run(main, **config)


@every_integer
def test_adding_wraps_around(kind, low, high, config):
    def main():
        word = kind(high)
        assert word.add(1) == low
        assert word.add(-1) == high
        assert word.add(1 + (high - low + 1) * 5) == low
        word.store(low)
        assert word.add(-1) == high

    run(main, **config)


@every_integer
def test_masks_may_be_negative(kind, low, high, config):
    def main():
        word = kind(0b1111)
        word.and_(~0b0101)
        assert word.load() == 0b1010
        word.or_(-1)
        assert word.load() == (-1 if low else high)
        word.and_(1 << 200 | 3)
        assert word.load() == 3

    run(main, **config)


@every_integer
@pytest.mark.parametrize(
    "operation",
    [
        lambda word, value: word.store(value),
        lambda word, value: word.swap(value),
        lambda word, value: word.compare_and_swap(0, value),
        lambda word, value: word.compare_and_swap(value, 0),
        lambda word, value: type(word)(value),
    ],
    ids=["store", "swap", "cas new", "cas old", "constructor"],
)
def test_what_does_not_fit(kind, low, high, operation):
    def main():
        word = kind(1)
        for value in (low - 1, high + 1):
            with pytest.raises(
                ValueError, match=rf"^atomic\.{kind.__name__}\.\w+: {value} overflows {kind.__name__.lower()}$"
            ):
                operation(word, value)
        for value in (low, high):
            operation(word, value)
        return True

    assert run(main)


@pytest.mark.parametrize("wrong", [True, 1.0, "1", None])
@pytest.mark.parametrize(
    "operation",
    [
        lambda word, value: word.store(value),
        lambda word, value: word.add(value),
        lambda word, value: word.swap(value),
        lambda word, value: word.compare_and_swap(0, value),
        lambda word, value: word.and_(value),
        lambda word, value: word.or_(value),
        lambda word, value: atomic.Int64(value),
    ],
    ids=["store", "add", "swap", "cas", "and", "or", "constructor"],
)
def test_what_is_no_integer(operation, wrong):
    def main():
        word = atomic.Int64(1)
        with pytest.raises(TypeError, match=rf"^atomic\.Int64\.\w+: an integer is needed, not {type(wrong).__name__}$"):
            operation(word, wrong)
        return word.load()

    assert run(main) == 1


def test_what_has_an_index_is_an_integer():
    class Three:
        def __index__(self):
            runtime.gosched()
            return 3

    def main():
        word = atomic.Int64(Three())
        word.add(Three())
        word.store(word.load() + 1)
        word.compare_and_swap(7, Three())
        word.or_(Three())
        return word.load()

    for procs in (1, 4):
        assert run(main, gomaxprocs=procs) == 3


@pytest.mark.parametrize("procs", [1, 2, 4])
@pytest.mark.parametrize("seed", range(3))
def test_nothing_is_lost(procs, seed):
    def main():
        added, swapped, wg = atomic.Int64(), atomic.Uint32(), sync.WaitGroup()

        def work():
            for _ in range(100):
                added.add(1)
                while True:
                    old = swapped.load()
                    if swapped.compare_and_swap(old, old + 1):
                        break

        for _ in range(8):
            wg.go(work)
        wg.wait()
        return added.load(), swapped.load()

    assert run(main, gomaxprocs=procs, seed=seed) == (800, 800)


@pytest.mark.parametrize("seed", range(10))
def test_a_store_that_was_seen_has_come_before_what_follows(seed):
    """Message passing: whoever sees the flag sees the value, and its clock is not before the store's."""

    def main():
        flag, value, times = atomic.Bool(), [0], []

        @go
        def _():
            runtime.work(seed * 1e-6)
            value[0] = 42
            flag.store(True)
            times.append(here()[0].clock)

        while not flag.load():
            runtime.work(1e-7)
        assert value[0] == 42
        return here()[0].clock >= times[0]

    assert run(main, gomaxprocs=2, seed=seed)


def test_costs():
    def main():
        word = atomic.Int64()
        m, _ = here()
        before = m.clock
        word.load()
        word.add(1)
        word.store(1)
        word.compare_and_swap(1, 2)
        return m.clock - before

    assert run(main, gomaxprocs=1) == 4 * costs.ATOMIC


@pytest.mark.parametrize("seed", range(3))
@every_integer
def test_random_operations_are_those_of_a_fixed_width(kind, low, high, seed):
    def main():
        draw, word, model = random.Random(seed), kind(), 0
        span = high - low + 1

        def wrapped(value):
            return (value - low) % span + low

        for _ in range(300):
            value = draw.choice((low, high, 0, 1, draw.randint(low, high)))
            match draw.randrange(6):
                case 0:
                    assert word.add(value) == wrapped(model + value)
                    model = wrapped(model + value)
                case 1:
                    assert word.swap(value) == model
                    model = value
                case 2:
                    old = draw.choice((model, value))
                    assert word.compare_and_swap(old, value) is (old == model)
                    model = value if old == model else model
                case 3:
                    assert word.and_(value) == model
                    model = wrapped(model & value)
                case 4:
                    assert word.or_(value) == model
                    model = wrapped(model | value)
                case _:
                    word.store(value)
                    model = value
            assert word.load() == model

    run(main)


# ---- Bool and Pointer ----


def test_bool(config):
    def main():
        word = atomic.Bool()
        assert word.load() is False
        word.store(True)
        assert word.swap(False) is True
        assert word.compare_and_swap(True, False) is False
        assert word.compare_and_swap(False, True) is True
        assert word.load() is True
        assert repr(word) == "<atomic.Bool True>"
        assert atomic.Bool(True).load() is True

    run(main, **config)


@pytest.mark.parametrize("wrong", [1, 0, None, "x"])
def test_a_bool_is_a_bool(wrong):
    def main():
        word = atomic.Bool()
        for operation in (
            word.store,
            word.swap,
            lambda value: word.compare_and_swap(value, True),
            lambda value: word.compare_and_swap(False, value),
            atomic.Bool,
        ):
            with pytest.raises(TypeError, match=rf"^atomic\.Bool\.\w+: a bool is needed, not {type(wrong).__name__}$"):
                operation(wrong)
        return word.load()

    assert run(main) is False


def test_pointer(config):
    def main():
        a, b = [1], [1]
        word = atomic.Pointer[list]()
        assert word.load() is None
        word.store(a)
        assert word.load() is a
        assert word.compare_and_swap(b, b) is False  # equal, but another one
        assert word.compare_and_swap(a, b) is True
        assert word.swap(None) is b
        assert word.swap(a) is None
        assert repr(word) == "<atomic.Pointer to list>"
        assert repr(atomic.Pointer()) == "<atomic.Pointer None>"
        assert atomic.Pointer(a).load() is a

    run(main, **config)


# ---- Value ----


def test_value(config):
    def main():
        word = atomic.Value()
        assert word.load() is None
        assert word.swap("a") is None
        assert word.swap("b") == "a"
        word.store("c")
        assert word.compare_and_swap("x", "d") is False
        assert word.compare_and_swap("c", "d") is True
        assert word.load() == "d"
        other = atomic.Value()
        assert other.compare_and_swap(5, 6) is False
        assert other.compare_and_swap(None, 6) is True
        assert other.compare_and_swap(None, 7) is False
        assert other.load() == 6

    run(main, **config)


TEXTS = [
    (lambda word: word.store(None), "store of nil value into Value"),
    (lambda word: word.swap(None), "swap of nil value into Value"),
    (lambda word: word.compare_and_swap(1, None), "compare and swap of nil value into Value"),
    (lambda word: word.store("s"), "store of inconsistently typed value into Value"),
    (lambda word: word.swap("s"), "swap of inconsistently typed value into Value"),
    (lambda word: word.compare_and_swap("s", "t"), "compare and swap of inconsistently typed value into Value"),
    (lambda word: word.compare_and_swap(1, "s"), "compare and swap of inconsistently typed values"),
    (lambda word: word.store(True), "store of inconsistently typed value into Value"),
]


@pytest.mark.parametrize(("operation", "text"), TEXTS)
def test_a_value_has_one_type_and_is_never_nil(operation, text, config):
    def main():
        word = atomic.Value()
        word.store(1)
        operation(word)

    with pytest.raises(GoPanic, match=f"^panic: sync/atomic: {text}\n"):
        run(main, **config)


def test_values_that_let_others_run_while_they_are_compared():
    class Odd:
        def __init__(self, number):
            self.number = number

        def __eq__(self, other):
            runtime.gosched()
            return self.number == other.number

        __hash__ = None

    def main():
        word, wg, won = atomic.Value(), sync.WaitGroup(), []
        word.store(Odd(0))

        def race(number):
            if word.compare_and_swap(Odd(0), Odd(number)):
                won.append(number)

        for number in range(1, 6):
            wg.go(race, number)
        wg.wait()
        return won, word.load().number

    for procs in (1, 4):
        won, number = run(main, gomaxprocs=procs)
        assert won == [number]
