"""Package time: the clock, sleeping, timers and tickers, in Go's words."""

from __future__ import annotations

import datetime
import math
import pickle
import re

import pytest
from greenlet import getcurrent

from goruntime import chan, defer, func, go, recover, run, runtime, time
from goruntime.base.errors import GoPanic, Timeout

from .running import OUTSIDE, execute, raising

EPSILON = 2e-3  # s: what an idle P's sleep in the poller may be late, and costs
NUMBERS = "must be a number of seconds"


def in_run(test):
    """The test function's body is main."""

    def call():
        run(test, gomaxprocs=1)

    call.__name__ = test.__name__
    return call


# ---- the clock ----


def test_constants_are_seconds():
    assert time.hour == 60 * time.minute == 3600 * time.second == 3600
    assert [round(1 / d) for d in (time.millisecond, time.microsecond, time.nanosecond)] == [10**3, 10**6, 10**9]
    assert [run(armed_for, d) for d in (3, 10 * time.microsecond, 7 * time.nanosecond)] == [3 * 10**9, 10_000, 7]


def armed_for(d):
    m = getcurrent().m
    return time.after_func(d, int)._timer.when_ns - m.clock + time.costs.TIMER_OP


def test_now_begins_at_start():
    assert 0 < run(time.now).ns - 946_684_800 * 10**9 < 1_000_000
    start = datetime.datetime(2024, 2, 29, 12, tzinfo=datetime.UTC)
    assert run(time.now, start=start) == pytest.approx(start.timestamp(), abs=1e-3)


@in_run
def test_now_moves_with_the_virtual_clock():
    t = time.now()
    time.sleep(5)
    assert time.since(t) == pytest.approx(5, abs=EPSILON)
    assert time.until(t) == pytest.approx(-5, abs=EPSILON)
    assert time.since(float(t)) == pytest.approx(5, abs=EPSILON)
    assert time.until(time.now() + 60) == pytest.approx(60, abs=EPSILON)


def test_an_instant_is_a_float_with_exact_nanoseconds():
    t = time.Time(946_684_800_000_000_123)
    assert isinstance(t, float)
    assert float(t) == pytest.approx(946_684_800.0, abs=1e-6)
    assert (t + 1.5).ns == (1.5 + t).ns == t.ns + 1_500_000_000
    assert (t - 1.5).ns == t.ns - 1_500_000_000
    assert time.Time(t.ns + 7) - t == 7e-9
    assert pickle.loads(pickle.dumps(t)).ns == t.ns
    with pytest.raises(TypeError):
        t + "1"
    with pytest.raises(TypeError):
        t - None
    with pytest.raises(TypeError):
        t + t  # Go has no sum of two instants either


@pytest.mark.parametrize("quantum", [0, 5e-6, 1e-3])
def test_time_never_runs_backwards_across_goroutines(quantum):
    latest = 0

    def reader(done):
        nonlocal latest
        for _ in range(150):
            t = time.now().ns
            assert t >= latest
            latest = t
            runtime.work(100 * time.nanosecond)
        done.send(True)

    def main():
        done = chan()
        for _ in range(8):
            go(reader, done)
        for _ in range(8):
            done.recv()

    run(main, gomaxprocs=4, quantum=quantum)


# ---- sleep ----


@pytest.mark.parametrize("d", [0, -1, -0.0, -math.inf])
def test_sleep_of_nothing_returns_at_once(monkeypatch, d):
    assert not execute(monkeypatch, lambda: time.sleep(d)).named("go_park")


def test_an_hour_of_sleep_costs_no_real_time():
    def main():
        t = time.now()
        time.sleep(time.hour)
        return time.since(t)

    assert 3600 <= run(main) < 3600 + EPSILON


def test_sleepers_wake_in_the_order_of_their_times():
    woken = []

    def sleeper(d):
        time.sleep(d)
        woken.append(d)

    def main():
        for d in (3, 1, 2, 0.5, 1e-6):
            go(sleeper, d)
        time.sleep(4)

    run(main, gomaxprocs=1)
    assert woken == [1e-6, 0.5, 1, 2, 3]


def test_a_sleeper_shows_its_wait_reason():
    def main():
        go(time.sleep, 10)
        runtime.gosched()
        return runtime.stack(all=True)

    assert re.search(r"\ngoroutine \d+ \[sleep\]:\n", run(main, gomaxprocs=1))


def test_a_sleep_without_end_is_no_deadlock():
    with pytest.raises(Timeout):
        run(lambda: time.sleep(math.inf), max_time=10**6)


def test_sleep_in_a_finally_at_the_end_of_the_run_ends_again():
    steps = []

    def sleeper():
        try:
            time.sleep(10)
        finally:
            try:
                time.sleep(10)
                steps.append("slept")
            finally:
                steps.append("unwound")

    def main():
        go(sleeper)
        runtime.gosched()

    run(main)
    assert steps == ["unwound"]


# ---- bad input ----


@pytest.mark.parametrize("d", ["1", None, True, [], 1j])
@pytest.mark.parametrize(
    "call",
    [
        *(time.sleep, time.after, time.tick, time.Timer, time.Ticker, time.since, time.until),
        *(lambda d: time.after_func(d, int), lambda d: time.Timer(1).reset(d), lambda d: time.Ticker(1).reset(d)),
    ],
)
def test_a_duration_is_a_number(call, d):
    with pytest.raises(TypeError, match=NUMBERS):
        run(raising, call, d)


@pytest.mark.parametrize("call", [time.sleep, time.after, time.Ticker])
def test_a_duration_is_not_nan(call):
    with pytest.raises(ValueError, match="nan"):
        run(raising, call, math.nan)


@pytest.mark.parametrize("f", [3, None, "f"])
def test_after_func_wants_a_function(f):
    with pytest.raises(TypeError, match="not callable"):
        run(raising, time.after_func, 1, f)


def test_after_func_refuses_generators():
    def generator():
        yield 1

    with pytest.raises(TypeError, match="generator"):
        run(raising, time.after_func, 1, generator)


@pytest.mark.parametrize(
    "call",
    [
        *(time.now, lambda: time.since(0), lambda: time.sleep(1), lambda: time.after(1), lambda: time.tick(0)),
        *(lambda: time.Timer(1), lambda: time.Ticker(0), lambda: time.after_func(1, int)),
    ],
)
def test_outside_a_run(call):
    with pytest.raises(RuntimeError, match=OUTSIDE):
        call()


def test_a_timer_outside_its_run():
    timer, ticker = run(lambda: (time.Timer(1), time.Ticker(1)))
    for call in (timer.stop, ticker.stop, timer.c.recv):
        with pytest.raises(RuntimeError, match=OUTSIDE):
            call()
    for call in (timer.stop, lambda: timer.reset(1), ticker.stop, lambda: ticker.reset(1), timer.c.recv):
        with pytest.raises(RuntimeError, match="belongs to another run"):
            run(raising, call)


def panic_of(call):
    """The value of the panic that leaves call()."""

    def main():
        caught = []

        @func
        def inner():
            defer(lambda: caught.append(recover()))
            call()

        inner()
        return caught[0]

    return run(main)


def test_panics_have_gos_texts():
    assert panic_of(lambda: time.Ticker(0)) == "non-positive interval for NewTicker"
    assert panic_of(lambda: time.Ticker(-1)) == "non-positive interval for NewTicker"
    assert panic_of(lambda: time.Ticker(1).reset(0)) == "non-positive interval for Ticker.Reset"
    assert panic_of(lambda: time.Timer.__new__(time.Timer).stop()) == "time: Stop called on uninitialized Timer"
    assert panic_of(lambda: time.Timer.__new__(time.Timer).reset(1)) == "time: Reset called on uninitialized Timer"
    assert panic_of(lambda: time.Ticker.__new__(time.Ticker).reset(1)) == "time: Reset called on uninitialized Ticker"
    assert panic_of(lambda: time.Ticker.__new__(time.Ticker).stop()) is None


def test_a_panic_nobody_recovers():
    with pytest.raises(GoPanic, match=r"panic: non-positive interval for NewTicker\n\ngoroutine 1 \[running\]"):
        run(time.Ticker, 0)
