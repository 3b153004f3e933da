"""base.choose: the one source of choices."""

import subprocess
import sys
import zlib
from collections import Counter

import pytest

from goruntime.base import choose
from goruntime.base.choose import KIND_NAMES, MAP_ITERATION, SELECT, STEAL, SeededChooser
from goruntime.base.rng import BLOCK


@pytest.mark.parametrize("n", [1, 2, 3, 7, 61, 256, 65_536, (1 << 24) - 1])
def test_answers_are_in_range(n):
    chooser = SeededChooser(3)
    assert all(0 <= chooser.choose(SELECT, n) < n for _ in range(600))


def test_answers_are_fair():
    chooser = SeededChooser(1)
    counts = Counter(chooser.choose(SELECT, 5) for _ in range(50_000))
    assert set(counts) == set(range(5))
    assert all(9_500 < count < 10_500 for count in counts.values())


def test_the_same_seed_and_questions_give_the_same_answers_and_checksum():
    questions = [(index % 7, 1 + index * 31 % 200) for index in range(3 * BLOCK)]
    first, second = SeededChooser(9), SeededChooser(9)
    assert [first.choose(*question) for question in questions] == [second.choose(*question) for question in questions]
    assert first.checksum() == second.checksum()


def test_answers_and_checksum_of_a_seed_are_the_same_for_ever():
    """Recorded files and failures found by a seed depend on them."""
    chooser = SeededChooser(5)
    assert [chooser.choose(STEAL, 10) for _ in range(8)] == [7, 9, 5, 6, 7, 4, 8, 2]
    assert chooser.checksum() == 0xAEEF4AC7


@pytest.mark.parametrize("change", ["kind", "n", "seed", "one more"])
def test_the_checksum_tells_runs_apart(change):
    def ask(kind=SELECT, n=4, seed=0, count=300):
        chooser = SeededChooser(seed)
        for _ in range(count):
            chooser.choose(kind, n)
        return chooser.checksum()

    changed = {"kind": {"kind": STEAL}, "n": {"n": 5}, "seed": {"seed": 1}, "one more": {"count": 301}}[change]
    assert ask() != ask(**changed)


@pytest.mark.parametrize("when", [0, 1, 100, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK])
def test_asking_for_the_checksum_changes_nothing(when):
    watched, unwatched = SeededChooser(2), SeededChooser(2)
    for index in range(4 * BLOCK):
        if index == when:
            watched.checksum()
        assert watched.choose(SELECT, 9) == unwatched.choose(SELECT, 9)
    assert watched.checksum() == unwatched.checksum() == watched.checksum()


def test_the_checksum_is_a_crc_of_what_was_asked():
    chooser = SeededChooser(6)
    chooser.choose(MAP_ITERATION, 17)
    chooser.choose(SELECT, 2)
    asked = (MAP_ITERATION | 17).to_bytes(4, "little") + (SELECT | 2).to_bytes(4, "little")
    assert chooser.checksum() == zlib.crc32(asked, 6)


def test_kinds_are_numbered_as_recorded_files_have_them():
    kinds = (choose.SELECT, choose.STEAL, choose.TIE, choose.SCHEDULE, choose.MAP_ITERATION, choose.POOL)
    assert [kind // choose.KIND for kind in kinds] == list(range(6))
    assert not any(kind % choose.KIND for kind in kinds)  # n has room below
    assert KIND_NAMES[:6] == ("select", "steal", "tie", "schedule", "map iteration", "pool")
    assert len(KIND_NAMES) == len(set(KIND_NAMES))


@pytest.mark.slow
def test_another_process_with_another_hash_seed_answers_the_same():
    code = (
        "from goruntime.base.choose import SeededChooser; c = SeededChooser(77);"
        "print([c.choose(i % 6, i + 1) for i in range(600)], c.checksum())"
    )
    printed = {
        subprocess.run(
            [sys.executable, "-c", code], env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        ).stdout
        for seed in ("0", "1")
    }
    assert len(printed) == 1
