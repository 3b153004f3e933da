"""explore: what it finds, what it says, what it refuses, and what it leaves behind."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
from os import environ, pathsep
from pathlib import Path

import psutil
import pytest
from greenlet import greenlet

from goruntime import chan, default, go, os, run, runtime, select, syscall, time
from goruntime.base.errors import Deadlock, GoPanic, Timeout
from goruntime.check import Failure, Leak, Report, explore

from .programs import (
    FAILING,
    ab_ba,
    asserts_no_loss,
    leaks_the_late_answer,
    locked_update,
    lost_update,
    never_ends,
    panics_in_a_goroutine,
)

STRATEGIES = ("random", "dfs")
ROOT = Path(__file__).resolve().parents[2]


# What it finds.


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize(("kind", "main"), FAILING.items(), ids=FAILING)
def test_each_kind_of_failure_is_found(kind, main, strategy):
    report = explore(main, strategy, 3_000)
    assert report.verdict == "failed"
    assert report.why_stopped == "a failure was found"
    assert [failure.kind for failure in report.failures] == [kind]
    assert report.failure.is_reproducible
    assert not report


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_program_that_does_not_end_is_a_suspicion(strategy):
    report = explore(never_ends, strategy, 3, max_steps=50)
    assert report.verdict == "inconclusive"
    assert report.failures == []
    assert [(failure.kind, failure.count if strategy == "random" else 1) for failure in report.suspects] == [
        ("livelock", report.suspects[0].count)
    ]
    assert isinstance(report.suspects[0].exception, Timeout)
    assert "did not end within 50 steps" in str(report)


def test_the_exceptions_are_those_of_run():
    assert isinstance(explore(ab_ba, "dfs").failure.exception, Deadlock)
    assert isinstance(explore(asserts_no_loss, "dfs").failure.exception, GoPanic)
    assert isinstance(explore(asserts_no_loss, "dfs").failure.exception.__cause__, AssertionError)
    assert isinstance(explore(leaks_the_late_answer, "dfs").failure.exception, Leak)


def test_a_deadlock_says_what_everybody_waits_for():
    failure = explore(ab_ba, "dfs").failure
    assert sorted(record.status for record in failure.exception.goroutines) == [
        "chan receive",
        "chan send",
        "chan send",
    ]


def test_a_panic_that_main_may_outrun_is_found():
    assert explore(panics_in_a_goroutine, "dfs").failure.kind == "panic"
    report = explore(panics_in_a_goroutine, "dfs", stop_on_failure=False)
    assert report.results  # and schedules in which main is faster
    assert 0 < report.failed < report.schedules


def test_deadlock_of_a_main_that_called_goexit():
    def main():
        runtime.goexit()

    assert "no goroutines (main called runtime.Goexit)" in explore(main, "dfs").failure.message


def test_blocking_for_ever():
    def main():
        from goruntime import nilchan

        nilchan.recv()

    assert explore(main).failure.exception.goroutines[0].status == "chan receive (nil chan)"
    assert explore(lambda: select()).failure.exception.goroutines[0].status == "select (no cases)"


# Leaks.


def left_behind(ch):
    ch.recv()


def leaves_a_worker():
    go(left_behind, chan())


def test_a_worker_that_is_left_behind():
    report = explore(leaves_a_worker, "dfs")
    assert report.failure.kind == "leak"
    assert report.failure.message == "goroutine leak: main has returned, and 1 goroutine is blocked for ever"
    assert "[chan receive]" in report.failure.text
    assert explore(leaves_a_worker, "dfs", leaks=False).verdict == "proved"


def test_who_still_sleeps_has_not_leaked():
    def main():
        go(time.sleep, 3600)

    assert explore(main, "dfs").verdict == "proved"


def test_what_happens_after_main_returned_is_no_failure():
    def late(ch):
        ch.recv()
        raise ValueError("too late")

    def main():
        ch = chan(1)
        go(late, ch)
        ch.send(1)

    report = explore(main, "dfs", stop_on_failure=False)
    assert [failure.kind for failure in report.failures] == ["panic"]
    assert report.results["None"] > 0


def test_somebody_who_runs_on_for_ever():
    def runs_on():
        while True:
            runtime.gosched()

    def main():
        go(runs_on)

    report = explore(main, "dfs", 20)
    assert report.verdict == "passed"
    assert "goroutines ran on after main had returned" in str(report)
    assert explore(main, "random", 20, leaks=False).verdict == "passed"


# What it says.


def test_the_numbers():
    report = explore(locked_update, "dfs")
    assert isinstance(report, Report)
    assert report.verdict == "proved"
    assert report.why_stopped == "every schedule was run"
    assert report.schedules >= report.distinct_traces == report.schedules - report.pruned
    assert report.results == {"2": report.distinct_traces}
    assert report.points > report.choices > 0
    assert report.longest * report.schedules >= report.points
    assert report.failures == report.suspects == report.notes == []
    assert report
    text = str(report)
    assert text.startswith("proved: every schedule was run\n  dfs, seed 0: ")
    assert f"{report.distinct_traces:,} distinct traces" in text


def test_random_counts_traces_once():
    report = explore(lost_update, "random", 500)
    assert report.verdict == "passed"
    assert report.why_stopped == "500 schedules were run"
    assert report.schedules == 500
    assert 1 < report.distinct_traces < 500
    assert report.rechecked == 8
    assert sum(report.results.values()) == 500
    assert report.results.keys() == {"1", "2"}


def test_failures_are_counted_and_the_shortest_is_kept():
    report = explore(ab_ba, "random", 300, stop_on_failure=False)
    assert len(report.failures) == 1
    failure = report.failures[0]
    assert isinstance(failure, Failure)
    assert failure.count == report.failed > 1
    assert report.why_stopped == "300 schedules were run"
    first = explore(ab_ba, "random", 300).failure
    assert len(failure.schedule) <= len(first.schedule)


def test_not_every_schedule():
    report = explore(lost_update, "dfs", 5)
    assert report.verdict == "passed"
    assert report.why_stopped == "5 schedules were run"
    assert report.schedules == 5


def put(items, ch):
    items.append(1)
    ch.send(1)
    items.append(2)


def two_putters():
    items, ch = [], chan(2)
    go(put, items, ch)
    go(put, items, ch)
    ch.recv()
    ch.recv()
    return tuple(items)


def test_a_bound_on_preemptions():
    none = explore(two_putters, "dfs", preemption_bound=0)
    assert none.verdict == "passed"
    assert none.why_stopped == "every schedule with at most 0 preemptions was run"
    one = explore(two_putters, "dfs", 10_000, preemption_bound=1)
    every = explore(two_putters, "dfs", 100_000)
    assert every.verdict == "proved"
    assert none.schedules < one.schedules
    assert none.results.keys() <= one.results.keys() <= every.results.keys()
    assert none.results.keys() < every.results.keys()
    assert explore(locked_update, "dfs", preemption_bound=50).verdict == "proved"


def test_the_same_seed_gives_the_same_walk():
    first = explore(lost_update, "random", 200, seed=7, stop_on_failure=False)
    again = explore(lost_update, "random", 200, seed=7, stop_on_failure=False)
    other = explore(lost_update, "random", 200, seed=8, stop_on_failure=False)
    assert (first.points, first.choices, first.distinct_traces, first.results) == (
        again.points,
        again.choices,
        again.distinct_traces,
        again.results,
    )
    assert (first.choices, first.results) != (other.choices, other.results)
    assert str(explore(ab_ba, seed=3).failure.schedule) == str(explore(ab_ba, seed=3).failure.schedule)


def test_what_the_program_prints_is_dropped(capsys):
    def main():
        from goruntime import println

        print("to stdout")
        println("to stderr")
        os.stdout.write("by a system call\n")

    explore(main, "random", 3)
    assert capsys.readouterr() == ("", "")
    explore(main, "random", 2, output=True)
    assert capsys.readouterr().out.count("to stdout") == 3  # one is run again, to see whether it is deterministic


# What a run is under it.


def test_the_program_sees_its_configuration():
    def main():
        return runtime.gomaxprocs(), runtime.num_cpu(), runtime.gomaxprocs(2), runtime.gomaxprocs()

    assert explore(main, "dfs", gomaxprocs=7, cpus=9).results == {"(7, 9, 7, 2)": 1}


def test_arguments():
    assert explore(lambda a, b: a + b, "dfs", args=(1, 2)).results == {"3": 1}


def test_the_clock_stands_still_but_for_timers_and_work():
    def main():
        start = time.now()
        ch = chan(1)
        for _ in range(100):
            ch.send(1)
            ch.recv()
        rested = time.since(start)
        runtime.work(2)
        worked = time.since(start)
        time.sleep(3)
        return rested, worked, time.since(start)

    assert explore(main, "dfs").results == {"(0.0, 2.0, 5.0)": 1}


def test_equal_sleeps_end_in_any_order():
    def sleeper(name, log, done):
        time.sleep(1)
        log.append(name)
        done.send(None)

    def main():
        log, done = [], chan(2)
        go(sleeper, "a", log, done)
        go(sleeper, "b", log, done)
        done.recv()
        done.recv()
        return "".join(log)

    assert explore(main, "dfs").results.keys() == {"'ab'", "'ba'"}


def test_an_earlier_timer_fires_first():
    def main():
        late, soon = time.after(2), time.after(1)
        late.recv()
        return select(soon.recv, default)[0]

    assert explore(main, "dfs").results.keys() == {"0"}


def test_after_func_and_stop():
    def main():
        ch = chan(1)
        timer = time.after_func(1, ch.send, "fired")
        stopped = timer.stop()
        return stopped, ch.recv() if not stopped else ""

    assert set(explore(main, "dfs").results) == {"(True, '')", "(False, 'fired')"}


def test_a_ticker():
    def main():
        ticker = time.Ticker(1)
        start = time.now()
        times = [round(ticker.c.recv() - start) for _ in range(3)]
        ticker.stop()
        return times

    assert explore(main, "dfs").results.keys() == {"[1, 2, 3]"}


def test_max_time():
    def main():
        time.sleep(100)

    report = explore(main, "random", 2, max_time=10)
    assert report.verdict == "inconclusive"
    assert "virtual time" in report.suspects[0].message


def test_host_calls_overlap_with_the_others():
    def caller(number, done):
        done.send(syscall(abs, -number))

    def main():
        done = chan(2)
        go(caller, 1, done)
        go(caller, 2, done)
        return done.recv(), done.recv()

    assert explore(main, "dfs").results.keys() == {"(1, 2)", "(2, 1)"}


def test_a_host_call_that_waits_for_another_makes_it_inconclusive():
    def main():
        event, done = threading.Event(), chan()

        def waits():
            syscall(event.wait)
            done.send(None)

        go(waits)
        syscall(event.set)
        done.recv()

    report = explore(main, "random", 5)
    assert report.failures == []
    if report.notes:  # the call was chosen before the one that it waits for
        assert report.verdict == "inconclusive"
        assert "wait took longer than" in report.notes[0]


def test_a_locked_goroutine():
    def worker(done):
        runtime.lock_os_thread()
        done.send(None)
        runtime.unlock_os_thread()

    def main():
        done = chan()
        runtime.lock_os_thread()
        go(worker, done)
        done.recv()

    assert explore(main, "dfs").verdict == "proved"


def test_defer_and_recover():
    from goruntime import defer, func, recover

    caught = []

    @func
    def sender(ch, done):
        def after():
            caught.append(str(recover()))
            done.send(None)

        defer(after)
        ch.send(1)

    def main():
        ch, done = chan(), chan()
        go(sender, ch, done)
        ch.close()
        done.recv()

    assert explore(main, "dfs").verdict == "proved"
    assert set(caught) == {"send on closed channel"}


def test_the_stacks_of_all():
    def main():
        go(left_behind, chan())
        return runtime.stack(all=True).count("]:\n")

    assert explore(main, "random", 20, leaks=False).results == {"2": 20}


# Programs that are not deterministic.


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_program_with_chance_of_its_own(strategy):
    import random

    chance = random.Random(1)

    def main():
        ch = chan(3)
        for _ in range(chance.randrange(3)):
            ch.send(1)
        go(left_behind, ch)
        ch.send(1)
        return chance.random()

    report = explore(main, strategy, 200, leaks=False)
    assert report.verdict == "inconclusive", report
    assert "not deterministic" in report.why_stopped
    assert "not deterministic" in str(report)


def test_a_failure_that_comes_by_chance():
    runs = []

    def main():
        runs.append(0)
        assert len(runs) != 2

    report = explore(main, "random", 10)
    assert report.verdict == "inconclusive" or not report.failure.is_reproducible
    runs[:] = [0]
    report = explore(main, "random", 10)
    assert report.verdict == "failed"
    assert not report.failure.is_reproducible
    assert "did not happen again" in report.failure.explain()


# What it refuses.


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ({"strategy": "bfs"}, ValueError, "there is no strategy 'bfs'; there are: random, dfs"),
        ({"schedules": 0}, ValueError, "explore: schedules must be a positive integer, not 0"),
        ({"schedules": 2.5}, TypeError, "explore: schedules must be a positive integer, not 2.5"),
        ({"schedules": True}, TypeError, "explore: schedules must be a positive integer, not True"),
        ({"max_steps": -1}, ValueError, "explore: max_steps must be a positive integer, not -1"),
        ({"max_steps": "9"}, TypeError, "explore: max_steps must be a positive integer, not '9'"),
        ({"seed": "x"}, TypeError, "seed must be an integer, not str"),
        ({"args": [1]}, TypeError, "explore: args must be a tuple, not list"),
        ({"clock": "real"}, ValueError, "explore: the clock is virtual"),
        ({"events": []}, TypeError, ""),
        ({"events": "x.jsonl"}, TypeError, "explore: events has no meaning here; give it to replay"),
        ({"gomaxprocs": "abc"}, TypeError, "gomaxprocs must be a positive integer, not 'abc'"),
        ({"nonsense": 1}, TypeError, "explore: unknown option 'nonsense'"),
        ({"preemption_bound": 1}, ValueError, "preemption_bound belongs to strategy \"dfs\", not 'random'"),
        ({"preemption_bound": -1, "strategy": "dfs"}, ValueError, "preemption_bound must not be negative: -1"),
        (
            {"preemption_bound": "1", "strategy": "dfs"},
            TypeError,
            "preemption_bound must be an integer or None, not str",
        ),
    ],
)
def test_bad_input(arguments, error, text):
    if not text:
        assert explore(lost_update, schedules=1, **arguments).schedules == 1  # nothing to record to
        return
    with pytest.raises(error) as caught:
        explore(lost_update, **arguments)
    assert str(caught.value) == text


def test_main_must_be_a_plain_function():
    with pytest.raises(TypeError, match="explore: 3 is not callable"):
        explore(3)

    def generator():
        yield

    with pytest.raises(TypeError, match="generator"):
        explore(generator)


def test_not_inside_a_run():
    def main():
        with pytest.raises(RuntimeError, match="run inside a run"):
            explore(lost_update)
        return "alive"

    assert run(main) == "alive"
    report = explore(main, "random", 2)
    assert report.results == {"'alive'": 2}


def test_what_is_no_failure_goes_through():
    class Odd(BaseException):
        pass

    def main():
        raise Odd

    with pytest.raises(Odd):
        explore(main)

    def interrupted():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        explore(interrupted)
    assert explore(lost_update, "random", 3).schedules == 3


# What it leaves behind.


def live_greenlets() -> int:
    gc.collect()
    return sum(isinstance(obj, greenlet) and not obj.dead for obj in gc.get_objects())


def test_nothing_is_left_behind():
    for main in (*FAILING.values(), lost_update):
        explore(main, "random", 20, stop_on_failure=False)
    greenlets, threads = live_greenlets(), threading.active_count()
    collecting, limit = gc.isenabled(), sys.getrecursionlimit()
    streams = sys.stdout, sys.stderr
    for main in (*FAILING.values(), lost_update, leaves_a_worker):
        for strategy in STRATEGIES:
            explore(main, strategy, 30, stop_on_failure=False)
    assert live_greenlets() <= greenlets
    assert threading.active_count() == threads
    assert (gc.isenabled(), sys.getrecursionlimit()) == (collecting, limit)
    assert (sys.stdout, sys.stderr) == streams
    assert run(lost_update) in (1, 2)


@pytest.mark.slow
def test_memory_is_flat():
    process = psutil.Process()
    explore(lost_update, "random", 1_000)
    explore(leaves_a_worker, "random", 500, stop_on_failure=False)
    before = process.memory_info().rss
    explore(lost_update, "random", 3_000)
    explore(leaves_a_worker, "random", 3_000, stop_on_failure=False)
    assert process.memory_info().rss - before < 4_000_000


def test_runs_are_freed_without_the_collector():
    """Cycles would be found by CPython's collector, at three times the price (boot.Runtime._dispose)."""
    explore(lost_update, "random", 10)
    gc.collect()
    gc.disable()
    try:
        explore(lost_update, "random", 100)
        found = gc.collect()
    finally:
        gc.enable()
    assert found < 300


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_ctrl_c():
    code = (
        "import os, signal, threading\n"
        "from goruntime.check import explore\n"
        f"from {lost_update.__module__} import lost_update\n"
        "for _ in range(5):\n"
        "    timer = threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT))\n"
        "    timer.start()\n"
        "    try:\n"
        "        explore(lost_update, schedules=10**8)\n"
        "    except KeyboardInterrupt:\n"
        "        print('interrupted')\n"
        "    timer.join()\n"
        "print(explore(lost_update, 'dfs').verdict)\n"
    )
    environment = {**environ, "PYTHONPATH": f"{ROOT}{pathsep}{ROOT / 'tests'}"}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, timeout=60, check=False
    )
    assert done.stdout.split() == ["interrupted"] * 5 + ["proved"], done.stderr


def test_many_goroutines():
    def main():
        ch = chan(10)
        for number in range(200):
            go(ch.send, number)
        return sum(ch.recv() for _ in range(200))

    report = explore(main, "random", 2)
    assert report.results == {"19900": 2}
