"""Exploring programs with synctest bubbles: everything that can happen in one, and nothing else."""

from __future__ import annotations

import pytest

from goruntime import Panic, chan, go, runtime, select, sync, time
from goruntime.base.errors import GoPanic
from goruntime.check import explore, replay
from goruntime.testing import synctest


def results_of(main, **options):
    """What main returns, over all schedules."""
    report = explore(main, **{"strategy": "dfs", "schedules": 50_000, **options})
    assert report.verdict == "proved", report
    return set(report.results)


def in_bubble(body, **options):
    return lambda: synctest.test(body, **options)


@pytest.mark.slow
def test_timers_of_one_instant_in_every_order():
    def body():
        order = []
        for name in "abc":
            time.after_func(1, order.append, name)
        time.sleep(2)
        return "".join(order)

    assert results_of(in_bubble(body)) == {f"'{order}'" for order in ("abc", "acb", "bac", "bca", "cab", "cba")}


def test_who_is_woken_by_a_timer_may_run_before_the_next_timer_of_that_instant():
    def body():
        seen = []
        late = time.after_func(1, seen.append, "late")

        def early():
            seen.append("stopped" if late.stop() else "too late")

        time.after_func(1, early)
        time.sleep(2)
        return tuple(seen)

    assert results_of(in_bubble(body)) == {"('stopped',)", "('late', 'too late')", "('too late', 'late')"}


def test_sleepers_of_one_instant_race_and_wait_ends_the_race():
    def race(settle):
        seen = []

        def body():
            go(lambda: (time.sleep(1), seen.append(1)))
            settle()
            return len(seen)

        return body

    def main(settle):
        return lambda: synctest.test(race(settle))

    assert results_of(main(lambda: time.sleep(1))) == {"0", "1"}
    assert results_of(main(lambda: synctest.sleep(1))) == {"1"}


def test_wait_has_one_outcome():
    def body():
        seen, c = [], chan()
        go(lambda: seen.append(c.recv()))
        go(lambda: seen.append("ran"))
        synctest.wait()
        assert seen == ["ran"]
        c.send("received")
        synctest.wait()
        return tuple(seen)

    assert results_of(in_bubble(body)) == {"('ran', 'received')"}


def test_time_does_not_wait_for_the_outside():
    """A bubble may jump ahead although somebody outside could still take a step."""

    def main():
        seen = []
        go(seen.append, "outside")

        def body():
            time.sleep(1)
            return tuple(seen)

        return synctest.test(body)

    assert results_of(main) == {"()", "('outside',)"}


def test_two_bubbles_have_two_clocks():
    def main():
        order, wg = [], sync.WaitGroup()

        def body(d):
            time.sleep(d)
            order.append(d)

        wg.go(synctest.test, body, 1)
        wg.go(synctest.test, body, 2)
        wg.wait()
        return tuple(order)

    report = explore(main, "random", 400)
    assert not report.failures
    assert set(report.results) == {"(1, 2)", "(2, 1)"}


def test_the_outside_holds_a_bubble_up():
    def main():
        c = chan()
        go(c.recv)

        def body():
            go(c.send, 1)  # a channel of the outside: not durable
            time.sleep(1)
            return time.now().ns

        return synctest.test(body)

    assert results_of(main) == {"946684801000000000"}


def test_tickers_wait_groups_and_conditions():
    def ticks():
        ticker = time.Ticker(1)
        return sum(bool(ticker.c.recv()) for _ in range(3))

    def group():
        wg, order = sync.WaitGroup(), []
        wg.go(lambda: (time.sleep(1), order.append("slept")))
        wg.go(order.append, "at once")
        wg.wait()
        return tuple(order)

    def condition():
        mu, ok = sync.Mutex(), []
        cond = sync.Cond(mu)

        def wait():
            with mu:
                while not ok:
                    cond.wait()

        go(wait)
        time.sleep(1)
        with mu:
            ok.append(1)
            cond.broadcast()
        return time.now().ns

    assert results_of(in_bubble(ticks)) == {"3"}
    assert results_of(in_bubble(group)) == {"('at once', 'slept')"}
    assert results_of(in_bubble(condition)) == {"946684801000000000"}


def crossed():
    a, b = sync.Mutex(), sync.Mutex()

    def both(first, second):
        with first:
            runtime.gosched()
            with second:
                pass

    go(both, a, b)
    go(both, b, a)


@pytest.mark.parametrize("strategy", ["dfs", "random"])
def test_a_deadlock_of_durable_mutexes_is_found_explained_and_replayed(strategy):
    main = in_bubble(crossed, durable_mutexes=True)
    report = explore(main, strategy, 2_000)
    failure = report.failure
    assert failure.kind == "panic"
    assert "deadlock: main bubble goroutine has exited but blocked goroutines remain" in str(failure)
    text = failure.explain()
    assert "(b1) all are durably blocked: synctest bubble 1" in text
    assert "crossed" in text
    assert "both" in text
    with pytest.raises(GoPanic, match="blocked goroutines remain"):
        replay(main, str(failure.schedule))


def test_without_them_it_is_a_deadlock_of_the_program():
    report = explore(in_bubble(crossed), "dfs", 2_000)
    assert report.failure.kind == "deadlock"


def test_a_misuse_of_wait_is_found():
    def body():
        go(synctest.wait)
        synctest.wait()

    report = explore(in_bubble(body), "dfs", 500)
    assert "wait already in progress" in str(report.failure)


def test_what_a_recovered_deadlock_leaves_behind_is_a_leak():
    def main():
        try:
            synctest.test(lambda: go(chan().recv))
        except Panic:
            return "recovered"

    report = explore(main, "dfs", 500)
    assert report.failure.kind == "leak"
    assert set(report.results) == {"'recovered'"}


def after_and_wait():
    """An after_func and a waiter, of one instant."""
    order = []
    time.after_func(1, order.append, "f")
    synctest.sleep(1)
    order.append("m")
    return "".join(order)


def a_sleeper_and_a_channel():
    order, c = [], chan(1)
    go(lambda: (time.sleep(1), order.append("s"), c.send(1)))
    time.sleep(1)
    order.append("m")
    c.recv()
    return "".join(order)


def a_mutex_and_a_sleep():
    mu, order = sync.Mutex(), []

    def worker(name):
        with mu:
            time.sleep(1)
            order.append(name)

    go(worker, "a")
    go(worker, "b")
    time.sleep(3)
    return "".join(order), time.now().ns % 10**10


def a_select_and_two_timers():
    c = chan()
    go(lambda: (time.sleep(1), c.close()))
    return select(time.after(1).recv, c.recv)[0]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("body", "options"),
    [
        (after_and_wait, {}),
        (a_sleeper_and_a_channel, {}),
        (a_mutex_and_a_sleep, {"durable_mutexes": True}),
        (a_select_and_two_timers, {}),
    ],
)
def test_leaving_out_equal_schedules_leaves_out_no_result(body, options):
    """With a bound on preemptions nothing is taken for equal: that is the whole tree."""
    main = in_bubble(body, **options)
    whole = explore(main, "dfs", 200_000, preemption_bound=60)
    assert whole.verdict == "proved", whole
    assert results_of(main) == set(whole.results)
    assert set(explore(main, "random", 300).results) <= set(whole.results)
