"""Schedules: as text, and followed again."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from goruntime import chan, go, select
from goruntime.base.errors import RuntimeFailure
from goruntime.check import Leak, ReplayDiverged, Schedule, explore, replay
from goruntime.check.schedule import Step

from .programs import FAILING, asserts_no_loss, leaks_the_late_answer, locked_update, lost_update, never_ends

ROOT = Path(__file__).resolve().parents[2]


# Followed again.


@pytest.mark.parametrize("strategy", ["random", "dfs"])
@pytest.mark.parametrize("main", FAILING.values(), ids=FAILING)
def test_a_failure_is_replayed(main, strategy):
    failure = explore(main, strategy, 3_000).failure
    for schedule in (failure.schedule, str(failure.schedule)):
        for _ in range(2):
            with pytest.raises(type(failure.exception)) as caught:
                replay(main, schedule)
            if not isinstance(caught.value, SystemExit):
                assert str(caught.value) == failure.text
            else:
                assert caught.value.code == failure.exception.code


def test_a_suspicion_is_replayed():
    suspect = explore(never_ends, "random", 1, max_steps=300).suspects[0]
    assert len(suspect.schedule) == 301
    with pytest.raises(RuntimeFailure) as caught:
        replay(never_ends, str(suspect.schedule))
    assert str(caught.value) == suspect.text


def test_a_schedule_that_passes_gives_the_result():
    failure = explore(asserts_no_loss, "dfs").failure
    assert replay(lost_update, failure.schedule) == 1  # the same goroutines and operations


def test_a_leak():
    failure = explore(leaks_the_late_answer, "dfs").failure
    with pytest.raises(Leak) as caught:
        replay(leaks_the_late_answer, failure.schedule)
    assert caught.value.status == 1
    assert [record.status for record in caught.value.goroutines] == ["chan send"]


def test_events_of_a_replay():
    failure = explore(asserts_no_loss, "dfs").failure
    streams = []
    for _ in range(2):
        events = []
        with pytest.raises(RuntimeFailure):
            replay(asserts_no_loss, failure.schedule, events=events)
        streams.append(tuple(events))
    assert len(streams[0]) > 10
    assert streams[0] == streams[1]


def test_arguments():
    def main(cell):
        return lost_update() + cell

    failure = explore(asserts_no_loss, "dfs").failure
    assert replay(main, failure.schedule, args=(10,)) == 11


def test_in_another_process():
    failure = explore(asserts_no_loss, "random", 1_000, seed=5).failure
    code = (
        "from goruntime.check import replay\n"
        f"from {asserts_no_loss.__module__} import asserts_no_loss\n"
        "try:\n"
        f"    replay(asserts_no_loss, {str(failure.schedule)!r})\n"
        "except Exception as error:\n"
        "    print(str(error), end='')\n"
    )
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}", "PYTHONHASHSEED": "77"}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, cwd=ROOT, check=True
    )
    assert done.stdout == failure.text


# A program that changed.


def swapped() -> None:
    ch = chan(2)
    go(receives_first, ch)
    ch.send(1)
    ch.recv()


def receives_first(ch) -> None:
    ch.send(2)
    ch.recv()


def test_the_first_step_that_differs_is_named():
    schedule = Schedule((Step("1", "start"), Step("1", "wake"), Step("1", "send"), Step("1.1", "recv")))
    with pytest.raises(ReplayDiverged) as caught:
        replay(swapped, schedule)
    assert str(caught.value) == (
        "replay diverged: step 4 is 1.1 recv in the schedule, but what can happen is 1 wake, 1.1 start\n"
    )
    assert caught.value.status == 1


def test_a_schedule_that_ends_too_early():
    failure = explore(asserts_no_loss, "dfs").failure
    with pytest.raises(ReplayDiverged, match=r"the schedule ends after step 5, but the program goes on: 1\.1 gosched"):
        replay(asserts_no_loss, Schedule(failure.schedule.steps[:5]))


def test_a_program_that_ends_too_early():
    with pytest.raises(ReplayDiverged, match="the program ended before step 2, which is 1 send in the schedule"):
        replay(lambda: None, Schedule((Step("1", "start"), Step("1", "send"))))


def test_a_program_that_dies_too_early():
    def main():
        raise ValueError

    with pytest.raises(ReplayDiverged, match="the program died before step 2, which is 1 send"):
        replay(main, Schedule((Step("1", "start"), Step("1", "send"))))


def test_another_case_of_a_select():
    def main():
        a, b = chan(1), chan(1)
        a.send(1)
        b.send(2)
        return select(a.recv, b.recv)

    report = explore(main, "random", 1)
    steps = Schedule.parse(str(Schedule(())))
    assert len(steps) == 0
    schedule = Schedule(
        (
            Step("1", "start"),
            *(Step("1", op) for op in ("send", "wake", "send", "wake")),
            Step("1", "select", 1),
            Step("1", "wake"),
        )
    )
    assert replay(main, schedule) == (1, 2)
    with pytest.raises(ReplayDiverged, match=r"step 6 is 1 select \(case 7\) in the schedule, but the cases"):
        replay(main, Schedule((*schedule.steps[:5], Step("1", "select", 7))))
    assert report.schedules == 1


# As text.


def test_text_and_back():
    for main in (*FAILING.values(), locked_update):
        report = explore(main, "random", 300, seed=-3)
        for failure in report.failures:
            text = str(failure.schedule)
            assert Schedule.parse(text) == failure.schedule
            assert Schedule.parse(f"\n  {text[:9]}\n  {text[9:]} ") == failure.schedule
            assert failure.schedule.seed == -3
            assert text.isascii()
            assert " " not in text


def test_the_text_is_short_and_readable():
    steps = [
        Step("1", "start"),
        Step("1", "gosched"),
        Step("1.1", "send"),
        Step("1", "select", 12),
        Step("1.2~", "timer"),
    ]
    text = str(Schedule(tuple(steps), 0, 10_000))
    assert text.startswith("x1;s0;m10000;1Sg,1.1s,1e12,1.2~f;")
    assert list(Schedule.parse(text)) == steps


def test_a_long_one_is_packed():
    schedule = Schedule((Step("1", "start"), *(Step(f"1.{i % 7}", "gosched") for i in range(20_000))))
    text = str(schedule)
    assert text.startswith("x1z;")
    assert len(text) < 1_000
    assert Schedule.parse(text) == schedule


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "not a schedule"),
        ("hello", "not a schedule"),
        ("x2;s0;m0;1S;0000", "not a schedule"),
        ("x1;s0;m10;1S,1.1S;0000", "damaged"),
        (str(Schedule((Step("1", "start"), Step("1", "send")))).replace("1Ss", "1Sr"), "damaged"),
        (str(Schedule((Step("1", "start"), Step("1", "send"))))[:-1], "damaged"),
    ],
)
def test_texts_that_are_none(text, said):
    with pytest.raises(ValueError, match=said):
        replay(lost_update, text)


def test_bad_input():
    with pytest.raises(TypeError, match="a schedule is a Schedule or its text, not int"):
        replay(lost_update, 3)
    with pytest.raises(TypeError, match="replay: unknown option 'nonsense'"):
        replay(lost_update, Schedule(()), nonsense=1)
    with pytest.raises(ValueError, match="replay: the clock is virtual"):
        replay(lost_update, Schedule(()), clock="real")
    with pytest.raises(TypeError, match="replay: strategy has no meaning here"):
        replay(lost_update, Schedule(()), strategy="dfs")
    with pytest.raises(TypeError, match="replay: 3 is not callable"):
        replay(3, Schedule(()))
