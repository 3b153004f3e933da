"""testing.Sequencer: steps of several goroutines in one order."""

from __future__ import annotations

import pytest

from goruntime import go, run, runtime, sync, time
from goruntime.base.errors import Deadlock, GoPanic
from goruntime.check import explore
from goruntime.testing import BrokenSequence, Sequencer, synctest


def in_order(order, *labels):
    """Goroutines that take the steps of a sequence, started in another order; what they did."""

    def main():
        seq = Sequencer(*labels)
        done, wg = [], sync.WaitGroup()

        def take(steps):
            for step in steps:
                with seq(step):
                    runtime.gosched()
                    done.append(step)

        for steps in order:
            wg.go(take, steps)
        wg.wait()
        assert seq.remaining() == []
        return done

    return main


@pytest.mark.parametrize("procs", [1, 4])
def test_steps_run_in_the_prescribed_order(procs):
    for seed in range(5):
        options = {"gomaxprocs": procs, "seed": seed}
        assert run(in_order([[3, 4], [1], [0, 2, 5]]), **options) == [0, 1, 2, 3, 4, 5]
        main = in_order([["close"], ["read"], ["write", "again"]], "write", "read", "again", "close")
        assert run(main, **options) == ["write", "read", "again", "close"]


def test_a_label_may_come_back():
    main = in_order([["pong", "pong"], ["ping", "ping"]], "ping", "pong", "ping", "pong")
    assert run(main) == ["ping", "pong", "ping", "pong"]


def test_nothing_of_a_step_overlaps_the_next():
    def main():
        seq, inside, most = Sequencer(), [0], [0]

        def step(number):
            with seq(number):
                inside[0] += 1
                most[0] = max(most[0], inside[0])
                time.sleep(1e-3)
                inside[0] -= 1

        wg = sync.WaitGroup()
        for number in reversed(range(5)):
            wg.go(step, number)
        wg.wait()
        return most[0]

    assert run(main, gomaxprocs=4) == 1


def test_every_schedule_has_that_order():
    report = explore(in_order([[1], [0]]), "dfs", 20_000)
    assert report.verdict == "proved"
    assert set(report.results) == {"[0, 1]"}


def test_a_deadlock_names_the_step_that_never_came():
    def main():
        seq = Sequencer("write", "read")

        def reader():
            with seq("read"):
                pass

        go(reader)
        runtime.gosched()
        runtime.goexit()

    with pytest.raises(Deadlock) as caught:
        run(main, gomaxprocs=1)
    assert "[chan receive] {after: write, step: read}:" in str(caught.value)


def test_the_labels_are_gone_when_the_step_begins():
    def main():
        seq, labels = Sequencer(), []

        def first():
            with seq(0):
                pass

        go(first)
        with seq(1):
            labels.append(runtime.stack().splitlines()[0])
        return labels

    (header,) = run(main, gomaxprocs=1)
    assert header.startswith("goroutine 1 [running]:")


def test_a_failed_step_breaks_the_sequence():
    def main():
        seq, said = Sequencer("one", "two", "three"), []

        def other(label):
            try:
                with seq(label):
                    said.append("never")
            except BrokenSequence as error:
                said.append((str(error), type(error.__cause__)))

        go(other, "two")
        runtime.gosched()
        try:
            with seq("one"):
                raise LookupError
        except LookupError:
            pass
        runtime.gosched()
        other("three")
        return said, seq.remaining()

    said, remaining = run(main, gomaxprocs=1)
    assert said == [
        ("step 'two' cannot begin: step 'one' has failed", LookupError),
        ("step 'three' cannot begin: step 'one' has failed", LookupError),
    ]
    assert remaining == ["one", "two", "three"]


def test_in_a_bubble_waiting_for_a_step_is_durable():
    def body():
        seq = Sequencer("a", "b")

        def b():
            with seq("b"):
                pass

        go(b)
        synctest.wait()
        time.sleep(1)
        with seq("a"):
            pass
        synctest.wait()
        return seq.remaining()

    assert run(synctest.test, body) == []


def test_misuse():
    seq = Sequencer("a", "b", "a")
    for _ in range(2):
        seq("a")
    with pytest.raises(ValueError, match="step 'a' is taken already"):
        seq("a")
    with pytest.raises(ValueError, match="there is no step 'c', only 'a', 'b', 'a'"):
        seq("c")
    for wrong in (-1, "a", True, 1.0):
        with pytest.raises(ValueError, match="steps without labels are 0, 1, 2"):
            Sequencer()(wrong)
    numbered = Sequencer()
    numbered(3)
    with pytest.raises(ValueError, match="step 3 is taken already"):
        numbered(3)
    assert numbered.remaining() == [3]
    for wrong in (None, 1.5, True):
        with pytest.raises(TypeError, match="a label must be a str or an int"):
            Sequencer("a", wrong)
    with pytest.raises(RuntimeError, match="must be called from a goroutine"), Sequencer()(0):
        pass
    assert repr(Sequencer()(4)) == "<step 4>"


def test_what_a_step_raises_goes_on():
    def main():
        with Sequencer()(0):
            raise LookupError("mine")

    with pytest.raises(GoPanic, match="mine"):
        run(main)
