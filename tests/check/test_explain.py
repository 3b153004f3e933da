"""What a failure says to people."""

from __future__ import annotations

import inspect
import re

import pytest

from goruntime import chan, go
from goruntime.base.errors import GoPanic
from goruntime.check import explore, replay

from . import programs
from .programs import ab_ba, asserts_no_loss, leaks_the_late_answer, never_ends, sends_on_closed


def line(function, text: str) -> int:
    """Where in programs.py a line of a function is."""
    lines, start = inspect.getsourcelines(function)
    return start + next(index for index, source in enumerate(lines) if text in source)


def test_a_deadlock():
    failure = explore(ab_ba, "dfs").failure
    text = failure.explain()
    assert text.startswith("deadlock: fatal error: all goroutines are asleep - deadlock!\n")
    first = line(programs.take_both, "first.send(None)")
    second = line(programs.take_both, "second.send(None)")
    assert f"programs.py:{first}  first.send(None)" in text
    assert f"   1.1  {programs.__name__}.take_both\n" in text
    assert "Nobody can go on:\n" in text
    assert re.search(rf"   1\.1  send chan \d      programs\.py:{second}  second\.send\(None\)\n", text)
    assert f"replay(main, '{failure.schedule}')" in text


def test_the_order_is_that_of_the_schedule():
    failure = explore(asserts_no_loss, "dfs").failure
    steps = [step for step in failure.trace if step.op != "go"]
    assert [(step.who, step.op) for step in steps] == [(step.who, step.op) for step in failure.schedule]
    assert [step.number for step in steps] == list(range(1, len(steps) + 1))
    started = [(step.who, step.object, step.source) for step in failure.trace if step.op == "go"]
    assert started == [("1", "1.1", "go(add, cell, done)"), ("1", "1.2", "go(add, cell, done)")]
    sends = [step for step in steps if step.op == "send"]
    assert {step.place for step in sends} == {f"programs.py:{line(programs.add, 'done.send(None)')}"}


def test_a_panic():
    text = explore(sends_on_closed, "dfs").failure.explain()
    assert text.startswith("panic: panic: send on closed channel\n")
    where = line(sends_on_closed, "ch.send(1)")
    assert f"     1  ended the program at {programs.__file__}:{where}\n" in text


def test_a_leak():
    text = explore(leaks_the_late_answer, "dfs").failure.explain()
    assert "Main has returned, and nothing can wake any more:\n" in text
    where = line(programs.answers, 'ch.send("answer")')
    assert f'   1.1  send chan 1      programs.py:{where}  ch.send("answer")\n' in text


def test_a_suspicion():
    text = explore(never_ends, "random", 1, max_steps=200).suspects[0].explain()
    assert "After 201 steps the program was still running" in text
    assert "     1  100 of the last 100\n" in text
    assert "... " in text  # the steps in the middle are left out
    assert len(text.splitlines()) < 110


def test_many_goroutines_share_a_column():
    def worker(ch):
        ch.send(None)

    def main():
        ch = chan(20)
        for _ in range(9):
            go(worker, ch)
        for _ in range(10):
            ch.recv()

    failure = explore(main, "random", 1).failure
    text = failure.explain()
    assert "who     does" in text
    assert "1.9     send chan 1" in text


def test_the_short_form():
    failure = explore(ab_ba, "dfs").failure
    assert str(failure) == (
        "deadlock: fatal error: all goroutines are asleep - deadlock!"
        f" (schedule {failure.number}, {len(failure.schedule)} steps)"
    )


def test_the_last_line_replays_it():
    text = explore(asserts_no_loss, "dfs").failure.explain()
    again = next(line for line in text.splitlines() if line.startswith("Again: "))
    with pytest.raises(GoPanic, match="AssertionError: an update was lost"):
        eval(again.removeprefix("Again: "), {"replay": replay, "main": asserts_no_loss})
