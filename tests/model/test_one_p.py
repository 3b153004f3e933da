"""On one P the order of everything is fixed by the rules: the runtime follows them to the letter."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goruntime.base.choose import SELECT, SeededChooser
from tests.model.invariants import doors
from tests.model.one_p import Model
from tests.model.programs import Machine, Program, Step, strategy

SLEEPS = st.just(-1)  # each sleep of a run is twice as long as the one before: no two end together


class Recorder:
    """Remembers what selects asked, and the answers."""

    def __init__(self, seed: int) -> None:
        self.chooser = SeededChooser(seed)
        self.choices: list[tuple[int, int]] = []

    def choose(self, kind: int, n: int) -> int:
        answer = self.chooser.choose(kind, n)
        if kind == SELECT:
            self.choices.append((n, answer))
        return answer

    def checksum(self) -> int:
        return self.chooser.checksum()


def compare(program: Program, seed: int, quantum: float, is_open: bool) -> Model:
    recorder = Recorder(seed)
    with doors(is_open):
        log = Machine(program).run(gomaxprocs=1, strategy=recorder, quantum=quantum)
    choices = iter(recorder.choices)
    model = Model(program, choices)
    model.run()
    assert [entry[:4] for entry in log.entries] == model.entries
    assert log.is_deadlock == model.is_deadlock
    assert log.finished == model.finished
    assert next(choices, None) is None
    return model


@given(strategy(sleeps=SLEEPS), st.integers(0, 1 << 20), st.sampled_from([0, 5e-6, 50e-6]), st.booleans())
@settings(max_examples=500)
@pytest.mark.slow
def test_random_programs_run_in_the_order_of_the_rules(program, seed, quantum, is_open):
    compare(program, seed, quantum, is_open)


@pytest.mark.slow
@pytest.mark.parametrize("is_open", [True, False])
@given(
    count=st.integers(250, 700),
    kinds=st.lists(st.sampled_from(["gosched", "recv", "send", "close"]), max_size=3),
    capacity=st.integers(0, 3),
    each=st.integers(1, 61),
)
@settings(max_examples=20)
def test_queues_that_overflow_and_ticks_that_come_round(is_open, count, kinds, capacity, each):
    """Many goroutines at once: the spill of 129, batches from the global queue, every 61st slice."""
    body = tuple(Step(kind, (0,)) for kind in kinds)
    start = Step("go", amount=1)
    main = []
    for number in range(count):
        main.append(start)
        if number % each == 0:
            main.append(Step("gosched"))
    compare(Program((capacity,), (tuple(main), body)), 0, 5e-6, is_open)


def test_both_endings_and_every_kind_of_step_occur():
    seen: Counter[str] = Counter()

    @given(strategy(sleeps=SLEEPS))
    @settings(max_examples=60)
    def look(program):
        model = compare(program, 0, 5e-6, True)
        seen["deadlock" if model.is_deadlock else "finished"] += 1
        seen.update(kind for _, kind, _, _ in model.entries)

    look()
    for what in ("deadlock", "finished", "send", "recv", "close", "select", "gosched", "sleep", "go"):
        assert seen[what] >= 3, (what, seen)
