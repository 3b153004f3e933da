"""One fingerprint per program, configuration and seed: in this process again and again, in others, on other Pythons."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from goruntime import go, nilchan, run
from goruntime.base.errors import GoPanic
from tests.determinism import heap_program
from tests.determinism.program import fingerprint, main

ROOT = Path(__file__).resolve().parents[2]
NAMES = ("python3.11", "python3.12", "python3.13", "python3.14")  # looked for on PATH
PROBE = "import sys, greenlet; assert sys.version_info >= (3, 11); print(*sys.version_info[:2])"


def in_subprocess(python: str, *arguments: int, hash_seed: str = "random", program: str = "program") -> tuple[int, ...]:
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(ROOT)}
    code = f"from tests.determinism.{program} import fingerprint; print(*fingerprint{arguments})"
    command = [python, "-c", code]
    printed = subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True).stdout
    return tuple(map(int, printed.split()))


@cache
def other_pythons() -> dict[str, str]:
    """Version -> interpreter that has greenlet: those in $GORUNTIME_PYTHONS (a path list), then those on PATH."""
    given = os.environ.get("GORUNTIME_PYTHONS", "").split(os.pathsep)
    found: dict[str, str] = {}
    for python in (*filter(None, given), *filter(None, map(shutil.which, NAMES))):
        done = subprocess.run([python, "-c", PROBE], capture_output=True, text=True, cwd=ROOT, check=False)
        version = done.stdout.strip().replace(" ", ".")
        if done.returncode == 0 and version != "{}.{}".format(*sys.version_info[:2]):
            found.setdefault(version, python)
    return found


@pytest.mark.slow
@pytest.mark.parametrize("gomaxprocs", [1, 4])
def test_a_hundred_runs_are_one(gomaxprocs):
    first = fingerprint(gomaxprocs, seed=0)
    assert first[1] > 2_000  # events
    for _ in range(99):
        assert fingerprint(gomaxprocs, seed=0) == first


def test_another_seed_goes_another_way():
    for gomaxprocs in (1, 4):
        prints = {fingerprint(gomaxprocs, seed)[1:] for seed in range(5)}
        assert len(prints) == 5


def test_another_quantum_goes_another_way_and_exactly_too():
    assert fingerprint(4, 0, 0) == fingerprint(4, 0, 0)
    assert fingerprint(4, 0, 0)[2] != fingerprint(4, 0, 50_000)[2]


def test_the_events_themselves_are_equal():
    runs = []
    for _ in range(2):
        events: list[tuple[object, ...]] = []
        run(main, gomaxprocs=3, seed=7, events=events)
        runs.append(events)
    assert runs[0] == runs[1]


def test_what_ran_before_leaves_no_trace():
    """Pooled greenlets, counters, recycled goroutines: nothing of a run reaches the next."""
    first = fingerprint(4, 3)
    fingerprint(2, 4)
    with pytest.raises(GoPanic):
        run(doomed)
    assert fingerprint(4, 3) == first


def doomed() -> None:
    go(nilchan.recv)
    go(lambda: 1 // 0)
    nilchan.recv()


@pytest.mark.slow
@pytest.mark.parametrize("hash_seed", ["0", "1", "4711", "random"])
def test_processes_and_hash_seeds_agree(hash_seed):
    for gomaxprocs in (1, 4):
        assert in_subprocess(sys.executable, gomaxprocs, 5, hash_seed=hash_seed) == fingerprint(gomaxprocs, 5)
        there = in_subprocess(sys.executable, gomaxprocs, 5, hash_seed=hash_seed, program="heap_program")
        assert there == heap_program.fingerprint(gomaxprocs, 5)


@pytest.mark.slow
@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13", "3.14"])
def test_versions_of_python_agree(version):
    if version == "{}.{}".format(*sys.version_info[:2]):
        pytest.skip(f"{version} runs this test")
    if version not in other_pythons():
        pytest.skip(f"no Python {version} with greenlet on PATH, nor in GORUNTIME_PYTHONS")
    for gomaxprocs in (1, 2, 4):
        assert in_subprocess(other_pythons()[version], gomaxprocs, 5) == fingerprint(gomaxprocs, 5)
        there = in_subprocess(other_pythons()[version], gomaxprocs, 5, program="heap_program")
        assert there == heap_program.fingerprint(gomaxprocs, 5)


@pytest.mark.parametrize("gomaxprocs", [1, 2, 4])
def test_objects_have_the_same_addresses_in_every_run(gomaxprocs):
    """Of one seed; whether somebody listens, and every allocation is seen, or nobody, and slots lie ready."""
    first = heap_program.fingerprint(gomaxprocs, 3)
    assert first[0] == first[-1]
    assert all(heap_program.fingerprint(gomaxprocs, 3) == first for _ in range(4))


def test_another_seed_gives_other_addresses_on_several_ps():
    prints = {heap_program.fingerprint(4, seed)[0] for seed in range(5)}
    assert len(prints) > 1
