"""Package rand: Go's numbers from Go's seeds, and the run's own numbers from the run's."""

from __future__ import annotations

import math
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from goruntime import GoPanic, chan, go, rand, run
from goruntime.check import explore, replay
from goruntime.lang.error import Panic
from goruntime.rand import ziggurat

from .running import OUTSIDE


class Script:
    """A source that says what it is told."""

    def __init__(self, *numbers):
        self.numbers = list(numbers)

    def uint64(self):
        return self.numbers.pop(0)


def drawn():
    return [rand.int_n(6), rand.uint64(), rand.float64(), rand.perm(5), rand.norm_float64(), rand.int32()]


# The module's functions draw from the run.


def test_the_seed_decides():
    assert run(drawn, seed=7) == run(drawn, seed=7)
    assert run(drawn, seed=7) != run(drawn, seed=8)


def test_draws_are_choices_of_the_run():
    class Chooser:
        def __init__(self):
            self.asked = []

        def choose(self, kind, n):
            self.asked.append(n)
            return n - 1

        def checksum(self):
            return 0

    chooser = Chooser()
    assert run(lambda: (rand.int_n(6), rand.uint64()), strategy=chooser) == (5, 2**64 - 1)
    assert chooser.asked == [6, 1 << 22, 1 << 22, 1 << 22]


def test_the_schedule_does_not_change_what_one_goroutine_draws_alone():
    def main():
        done = chan()
        go(done.send, 1)
        numbers = [rand.int_n(1000) for _ in range(10)]
        done.recv()
        return numbers

    report = explore(main, "dfs")
    assert len(report.results) == 1
    assert any("drawn from the seed" in note for note in report.notes)
    assert report.verdict == "passed"  # not proved: another seed draws others


def test_another_order_of_draws_is_found():
    def rolls(out):
        out.send(rand.int_n(1 << 12))

    one = run(lambda: rand.int_n(1 << 12))

    def finds():
        first, second = chan(1), chan(1)
        go(rolls, first)
        go(rolls, second)
        assert first.recv() == one

    failure = explore(finds, "dfs").failure
    assert failure.kind == "assertion"
    with pytest.raises(GoPanic):
        replay(finds, failure.schedule)


@pytest.mark.parametrize("name", ["int_n", "uint64", "float64", "perm", "shuffle", "exp_float64"])
def test_outside_a_run(name):
    call = getattr(rand, name)
    with pytest.raises(RuntimeError, match=f"^rand {OUTSIDE}"):
        call([1, 2]) if name == "shuffle" else call(*[5] * (name in ("int_n", "perm")))


def test_every_face_of_a_die():
    def main():
        counts = [0] * 6
        for _ in range(6_000):
            counts[rand.int_n(6)] += 1
        return counts

    assert all(900 < count < 1_100 for count in run(main))


def test_large_ranges_reach_everywhere():
    def main():
        return [rand.int_n(3 << 61) >> 61 for _ in range(300)]

    assert sorted(set(run(main))) == [0, 1, 2]


# Sources. The numbers of Go's own generators are compared in tests/behavior, by rand_sources.


def test_pcg_of_zero_is_the_zero_value():
    zero, given = rand.PCG(), rand.PCG(0, 0)
    assert [zero.uint64() for _ in range(3)] == [given.uint64() for _ in range(3)]
    zero.seed(1, 2)
    assert zero.uint64() == rand.PCG(1, 2).uint64()


def test_chacha8_begins_anew():
    """Three hundred numbers: past two of the keys that it gives itself."""
    source = rand.ChaCha8(bytes(range(32)))
    again = rand.ChaCha8(bytes(range(32)))
    numbers = [source.uint64() for _ in range(300)]
    assert len(set(numbers)) == 300
    assert numbers == [again.uint64() for _ in range(300)]
    again.seed(bytes(range(32)))
    assert again.uint64() == rand.ChaCha8(bytes(range(32))).uint64()


def test_a_source_of_ones_own():
    assert rand.Rand(Script(1 << 63)).uint32() == 1 << 31
    assert rand.Rand(Script(2**64 - 1)).int64() == 2**63 - 1
    assert rand.Rand(Script(2**64 - 1)).int_() == 2**63 - 1
    assert rand.Rand(Script(2**64 - 1)).int32() == 2**31 - 1
    assert rand.Rand(Script(2**64 - 1)).uint() == 2**64 - 1
    assert rand.Rand(Script(2**64 - 1)).float64() < 1
    assert rand.Rand(Script(2**64 - 1)).float32() < 1
    assert rand.Rand(Script(7)).int_n(4) == 3  # a power of two is a mask


def test_numbers_that_would_favour_some_results_are_drawn_again():
    """Of 2**64 numbers one is left over for n = 3: the product with low half 0."""
    script = Script(0, 1 << 63)
    assert rand.Rand(script).int_n(3) == 1
    assert script.numbers == []


def test_the_tables_of_the_ziggurat_are_those_of_go():
    root = os.environ.get("GOROOT", "")
    if not root and shutil.which("go"):
        root = subprocess.run(["go", "env", "GOROOT"], capture_output=True, text=True, check=True).stdout.strip()
    folder = Path(root, "src/math/rand/v2")
    if not folder.is_dir():
        pytest.skip("needs Go's source")
    for file, tables, names in (("normal.go", ziggurat.normal(), "kwf"), ("exp.go", ziggurat.exponential(), "kwf")):
        source = (folder / file).read_text()
        for name, table in zip(names, tables, strict=True):
            literal = re.search(rf"var {name}[ne] = \[\d+\]\w+{{(.*?)}}", source, re.DOTALL)[1]
            words = [word.strip() for word in literal.split(",") if word.strip()]
            assert list(table) == [int(w, 16) if name == "k" else ziggurat.float32(float(w)) for w in words]


def test_moments():
    r = rand.Rand(rand.PCG(1, 2))
    normal = [r.norm_float64() for _ in range(10_000)]
    assert abs(math.fsum(normal) / 10_000) < 0.04
    assert abs(math.fsum(x * x for x in normal) / 10_000 - 1) < 0.06
    assert max(normal) > 3.5 > -3.5 > min(normal)  # the tails
    exponential = [r.exp_float64() for _ in range(10_000)]
    assert abs(math.fsum(exponential) / 10_000 - 1) < 0.04
    assert max(exponential) > 7.7
    zipf = rand.Zipf(r, 2.0, 1.0, 100)
    drawn = [zipf.uint64() for _ in range(3_000)]
    assert drawn.count(0) > drawn.count(1) > drawn.count(3) > 0
    assert max(drawn) <= 100


def test_perm_and_shuffle():
    r = rand.Rand(rand.PCG(1, 2))
    assert r.perm(0) == []
    assert sorted(r.perm(50)) == list(range(50)) != r.perm(50)
    a, b = list("abcdef"), list("abcdef")
    rand.Rand(rand.PCG(3, 4)).shuffle(a)

    def swap(i, j):
        b[i], b[j] = b[j], b[i]

    rand.Rand(rand.PCG(3, 4)).shuffle(6, swap)
    assert a == b != list("abcdef")


# What is refused.

R = rand.Rand(rand.PCG())


@pytest.mark.parametrize("name", ["int_n", "int32_n", "int64_n", "uint_n", "uint32_n", "uint64_n", "n"])
def test_ranges_without_numbers(name):
    go_name = {"n": "N"}.get(name) or name.title().replace("_", "")
    for n in (0, -1):
        with pytest.raises(Panic, match=f"^invalid argument to {go_name}$"):
            getattr(R, name)(n)
    with pytest.raises(ValueError, match=rf"^rand.{name}: n must be below 2\*\*"):
        getattr(R, name)(1 << 64)
    for n in (1.0, True, None):
        with pytest.raises(TypeError, match=f"^rand.{name}: n must be an integer, not"):
            getattr(R, name)(n)


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: R.perm(-1), Panic, "makeslice: len out of range"),
        (lambda: R.perm("5"), TypeError, "rand.perm: n must be an integer"),
        (lambda: R.shuffle(-1, print), Panic, "invalid argument to Shuffle"),
        (lambda: R.shuffle(5), TypeError, r"rand.shuffle: write shuffle\(n, swap\)"),
        (lambda: R.shuffle(5, 5), TypeError, "rand.shuffle: swap must be a function of two indices"),
        (lambda: R.shuffle("abc"), TypeError, "rand.shuffle: write"),
        (lambda: rand.Rand(None), TypeError, "rand.Rand: None is no source"),
        (lambda: rand.PCG(-1), ValueError, r"rand.PCG: seed1 must be in range\(2\*\*64\)"),
        (lambda: rand.PCG(1, 1.0), TypeError, "rand.PCG: seed2 must be an integer"),
        (lambda: rand.ChaCha8("seed"), TypeError, "rand.ChaCha8: seed must be bytes"),
        (lambda: rand.ChaCha8(b"seed"), ValueError, "rand.ChaCha8: seed must have 32 bytes, not 4"),
        (lambda: rand.Zipf(R, 1.0, 1.0, 5), ValueError, "rand.Zipf: s must be above 1"),
        (lambda: rand.Zipf(R, 2.0, 1.0, -5), ValueError, "rand.Zipf: imax"),
        (lambda: rand.Zipf(None, 2.0, 1.0, 5), TypeError, "rand.Zipf: r must be a Rand"),
    ],
)
def test_bad_arguments(call, error, text):
    with pytest.raises(error, match=text):
        call()
