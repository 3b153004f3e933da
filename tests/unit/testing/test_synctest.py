"""testing.synctest: the clock of a bubble, wait, and how a bubble begins and ends."""

from __future__ import annotations

import datetime

import pytest
from greenlet import getcurrent

from goruntime import (
    chan,
    default,
    defer,
    func,
    go,
    panic,
    recover,
    run,
    runtime,
    select,
    sync,
    time,
)
from goruntime.base.errors import GoPanic
from goruntime.sched.bubble import ORDERS, START_NS
from goruntime.testing import synctest

from .bubbles import elapsed, in_a_bubble, panic_of

MIDNIGHT = datetime.datetime(2000, 1, 1, tzinfo=datetime.UTC)


# ---- the clock ----


@in_a_bubble
def test_the_clock_begins_at_midnight_in_2000_for_everybody():
    assert datetime.datetime.fromtimestamp(time.now(), datetime.UTC) == MIDNIGHT
    seen = []
    go(lambda: seen.append(time.now()))
    synctest.wait()
    assert seen == [time.now()]


@in_a_bubble
def test_time_moves_only_when_all_are_blocked_and_then_exactly():
    runtime.work(5)  # computing takes virtual time, but none of the bubble's
    assert elapsed() == 0
    time.sleep(86_400)
    assert elapsed() == 86_400
    time.sleep(1e-9)
    assert time.now().ns == START_NS + 86_400 * 10**9 + 1
    assert time.since(time.now()) == 0


@in_a_bubble
def test_sleepers_are_woken_in_the_order_of_their_instants():
    order = []

    def sleeper(d):
        time.sleep(d)
        order.append((d, elapsed()))

    for d in (3, 1, 2, 5, 4):
        go(sleeper, d)
    time.sleep(10)
    assert order == [(d, d) for d in (1, 2, 3, 4, 5)]


def test_the_outside_keeps_its_own_time():
    def main():
        before = time.now()
        inside = synctest.test(lambda: (time.sleep(3_600), time.now())[1])
        return before, inside, time.now()

    before, inside, after = run(main)
    assert inside.ns == START_NS + 3_600 * 10**9
    assert 0 < after - before < 0.001
    assert before.ns > START_NS


@in_a_bubble
def test_timers():
    t = time.Timer(5)
    assert t.c.recv().ns == time.now().ns
    assert elapsed() == 5
    t.reset(2)
    time.sleep(1)
    t.reset(3)  # 9 from the start
    assert t.c.recv().ns == START_NS + 9 * 10**9
    late = time.Timer(1)
    time.sleep(2)
    assert late.c.recv().ns == START_NS + 10 * 10**9  # when it was due, not when somebody looked
    assert elapsed() == 11


@in_a_bubble
def test_a_timer_that_is_due_fires_without_waiting_for_the_others():
    index, value = select(time.Timer(0).c.recv, default)
    assert (index, value.ns) == (0, START_NS)
    past = time.Timer(1)
    time.sleep(2)
    index, value = select(past.c.recv, default)
    assert (index, value.ns) == (0, START_NS + 10**9)
    ran = []
    time.after_func(0, ran.append, 1)
    while not ran:  # the bubble is not idle, and time stands still
        runtime.gosched()
    assert elapsed() == 2


@in_a_bubble
def test_a_timer_that_is_reset_to_now_over_and_over_does_not_hang():
    timer, stop = time.Timer(0), chan()

    def loop():
        while select(stop.recv, timer.c.recv)[0]:
            pass

    go(loop)
    synctest.wait()
    timer.reset(0)
    synctest.wait()
    stop.close()
    synctest.wait()


@in_a_bubble
def test_after_func_belongs_to_the_bubble_and_so_does_what_it_starts():
    order = []

    def fired():
        order.append(elapsed())
        go(lambda: (time.sleep(1), order.append(elapsed())))

    time.after_func(1, fired)
    time.sleep(3)
    assert order == [1, 2]
    stopped = time.after_func(1, order.append, "never")
    assert stopped.stop()
    assert not stopped.stop()
    time.sleep(2)
    assert order == [1, 2]


@in_a_bubble
def test_a_ticker_ticks_by_the_bubble_s_clock():
    ticker = time.Ticker(0.5)
    assert [ticker.c.recv().ns - START_NS for _ in range(3)] == [500_000_000, 1_000_000_000, 1_500_000_000]
    time.sleep(10)  # what nobody took was dropped
    assert ticker.c.recv().ns == START_NS + 2 * 10**9
    assert ticker.c.recv().ns == START_NS + 12 * 10**9
    ticker.stop()


def test_time_ends_with_the_first_goroutine():
    ran = []

    def body():
        time.after_func(1, ran.append, 1)
        time.Ticker(1)

    run(synctest.test, body)
    assert ran == []


def test_same_instant_any_order():
    seen = set()

    def body():
        order = []
        for name in "abc":
            time.after_func(1, order.append, name)
        time.sleep(2)
        seen.add("".join(order))

    def main():
        for _ in range(100):
            synctest.test(body)

    run(main)
    assert len(seen) == 6


def test_same_instant_sleepers_and_channels_any_order():
    def body():
        winners = set()
        for _ in range(60):
            first = []

            def sleeper(name, first=first):
                time.sleep(1)
                first.append(name)

            go(sleeper, "go 1")
            go(sleeper, "go 2")
            synctest.sleep(1)
            winners.add(first[0])
            winners.add(select(time.after(1).recv, time.after(1).recv)[0])
        return winners

    assert run(synctest.test, body) == {"go 1", "go 2", 0, 1}


def test_the_seed_decides():
    def body():
        order = []
        for name in range(20):
            time.after_func(1, order.append, name)
        time.sleep(1.5)
        return order

    assert run(synctest.test, body, seed=4) == run(synctest.test, body, seed=4)
    assert len({tuple(run(synctest.test, body, seed=seed)) for seed in range(5)}) == 5
    assert ORDERS > 20


@in_a_bubble
def test_thousands_of_timers_of_one_instant_all_fire_before_wait_returns():
    count = [0]

    def bump():
        count[0] += 1

    for _ in range(1_000):
        time.after_func(1, bump)
    for t in [time.after_func(1, bump) for _ in range(300)]:
        t.stop()
    synctest.sleep(1)
    assert count == [1_000]


# ---- wait and sleep ----


@in_a_bubble
def test_wait_alone():
    synctest.wait()
    synctest.wait()
    assert elapsed() == 0


@in_a_bubble
def test_wait_returns_when_the_others_have_ended_or_are_blocked():
    log = []

    def worker(c):
        log.append("began")
        for value in c:
            log.append(value)
        log.append("ended")

    c = chan(0, int)
    go(worker, c)
    synctest.wait()
    assert log == ["began"]
    c.send(1)
    c.send(2)
    synctest.wait()
    assert log == ["began", 1, 2]
    c.close()
    synctest.wait()
    assert log[-1] == "ended"


@in_a_bubble
def test_wait_sees_the_end_of_a_long_chain():
    done = []
    c = chan()

    def link():
        count = c.recv()
        if count == 0:
            done.append(True)
        else:
            go(link)
            c.send(count - 1)

    go(link)
    c.send(100)
    synctest.wait()
    assert done


@in_a_bubble
def test_a_timer_that_is_due_goes_before_wait():
    order = []
    go(lambda: (time.sleep(1), order.append("sleeper")))
    time.sleep(1)
    synctest.wait()
    assert order == ["sleeper"]


@in_a_bubble
def test_sleep_lets_all_of_that_instant_run():
    ran = []
    for number in range(10):
        time.after_func(1, ran.append, number)
    synctest.sleep(1)
    assert sorted(ran) == list(range(10))


@in_a_bubble
def test_only_one_may_wait():
    gate, said = chan(), []
    go(lambda: (gate.recv(), said.append(panic_of(synctest.wait))))
    go(lambda: (gate.close(), runtime.gosched()))
    synctest.wait()
    assert said == ["no panic"] or said == ["wait already in progress"]
    # On one P it is exact: this goroutine waits first.

    def second():
        said.append(panic_of(synctest.wait))

    if runtime.gomaxprocs() == 1:
        said.clear()
        go(second)
        synctest.wait()
        assert said == ["wait already in progress"]


def test_wait_outside_a_bubble():
    def main():
        return panic_of(synctest.wait), panic_of(synctest.sleep, 0)

    assert run(main) == ("goroutine is not in a bubble", "goroutine is not in a bubble")
    with pytest.raises(RuntimeError, match="must be called from a goroutine"):
        synctest.wait()


# ---- the life of a bubble ----


def test_what_fn_returns():
    assert run(synctest.test, lambda a, b: a + b, 3, 4) == 7
    assert synctest.test(lambda a, b: a * b, 3, 4) == 12
    assert run(synctest.test, runtime.goexit) is None


def test_what_fn_raises():
    def body():
        raise LookupError("mine")

    def main():
        with pytest.raises(LookupError, match="mine"):
            synctest.test(body)
        return panic_of(synctest.test, lambda: panic("text"))

    assert run(main) == "text"
    with pytest.raises(LookupError, match="mine") as caught:
        synctest.test(body)
    assert not hasattr(caught.value, "__notes__")
    assert "body" in [entry.name for entry in caught.traceback]


def test_what_fn_raises_goes_before_the_deadlock_it_leaves_behind():
    def body():
        go(chan().recv)
        raise LookupError("mine")

    with pytest.raises(LookupError, match="mine") as caught:
        synctest.test(body)
    assert caught.value.__notes__ == [
        "deadlock: main bubble goroutine has exited but blocked goroutines remain",
    ]


def test_fn_has_defer_and_recover():
    def body():
        defer(lambda: recover())
        panic("recovered")

    assert synctest.test(body) is None


def test_a_panic_elsewhere_in_the_bubble_ends_the_program():
    def body():
        go(panic, "boom")
        synctest.wait()

    with pytest.raises(GoPanic, match="boom") as caught:
        synctest.test(body)
    assert f"goroutine {caught.value.goroutine} [running, synctest bubble 1]:" in str(caught.value)


def test_pytest_s_own_verdicts_pass():
    with pytest.raises(pytest.skip.Exception):
        synctest.test(pytest.skip, "not today")


def test_test_waits_for_everybody():
    ended = []

    def body():
        c = chan()
        go(lambda: (c.recv(), ended.append(1)))
        go(lambda: (runtime.work(1e-3), c.close(), ended.append(2)))

    run(synctest.test, body)
    assert sorted(ended) == [1, 2]


def test_a_test_outside_runs_a_program_of_its_own():
    assert synctest.test(elapsed) == 0
    with pytest.raises(RuntimeError, match="must be called from a goroutine"):
        time.now()


def test_fn_must_be_a_plain_function():
    for wrong in (None, 3, (n for n in ())):
        with pytest.raises(TypeError, match=r"synctest.test: .* is not callable"):
            synctest.test(wrong)

    def generator():
        yield

    with pytest.raises(TypeError, match="generator function"):
        synctest.test(generator)
    with pytest.raises(TypeError, match="time.sleep: d"):
        synctest.test(synctest.sleep, "1")


def test_no_bubble_in_a_bubble():
    text = "synctest.Run called from within a synctest bubble"
    assert run(synctest.test, lambda: panic_of(synctest.test, elapsed)) == text


def test_bubbles_one_after_another_and_at_once():
    def body(number):
        c = chan()
        go(lambda: (time.sleep(number), c.send(number)))
        assert c.recv() == number
        assert elapsed() == number
        synctest.wait()
        return number

    def main():
        assert [synctest.test(body, number) for number in range(5)] == [0, 1, 2, 3, 4]
        results = chan(20)
        wg = sync.WaitGroup()
        for number in range(20):
            wg.go(lambda number=number: results.send(synctest.test(body, number)))
        wg.wait()
        results.close()
        return sorted(results)

    for procs in (1, 4):
        assert run(main, gomaxprocs=procs) == list(range(20))


def test_a_run_is_as_before_when_its_bubbles_are_over():
    def main():
        synctest.test(elapsed)
        g = getcurrent()
        assert g.bubble is None
        assert g.m.sched.bubbles == []
        c = chan()
        go(c.send, 1)
        time.sleep(0.01)
        return c.recv(), type(c) is chan

    assert run(main) == (1, True)


# ---- deadlocks ----


def test_all_are_blocked():
    def main():
        def body():
            go(chan().recv)
            wg = sync.WaitGroup()
            wg.add(1)
            go(wg.wait)
            select()

        return panic_of(synctest.test, body), panic_of(synctest.test, select)

    assert run(main) == ("deadlock: all goroutines in bubble are blocked",) * 2


def test_the_first_has_ended_and_others_are_blocked():
    text = "deadlock: main bubble goroutine has exited but blocked goroutines remain"

    def ticker():
        go(lambda: [pytest.fail("a tick") for _ in time.tick(1)])

    def main():
        return (
            panic_of(synctest.test, lambda: go(select)),
            panic_of(synctest.test, ticker),
            panic_of(synctest.test, lambda: go(time.sleep, 1)),
        )

    assert run(main) == (text,) * 3


def test_a_deadlock_shows_the_bubble_and_nobody_else(monkeypatch):
    def body():
        go(chan().recv)
        select()

    def main():
        go(chan().recv)
        runtime.gosched()
        synctest.test(body)

    with pytest.raises(GoPanic) as caught:
        run(main, gomaxprocs=1)
    headers = [line for line in str(caught.value).splitlines() if line.startswith("goroutine ")]
    first = caught.value.goroutine
    assert [header.partition("[")[2] for header in headers] == [
        "running]:",
        "select (no cases) (durable), synctest bubble 1]:",
        "chan receive (durable), synctest bubble 1]:",
    ]
    assert headers[0].startswith(f"goroutine {first} ")
    assert "created by testing/synctest.Test in goroutine 1\n" in str(caught.value)
    monkeypatch.setenv("GOTRACEBACK", "all")
    with pytest.raises(GoPanic) as caught:
        run(main, gomaxprocs=1)
    assert "[chan receive]:" in str(caught.value)


def test_a_recovered_deadlock_leaves_its_goroutines_for_ever_and_the_rest_goes_on():
    def body():
        try:
            chan().recv()
        finally:
            ends.append("abandoned")

    ends = []

    @func
    def attempt():
        defer(lambda: recover())
        synctest.test(body)

    def main():
        attempt()
        assert synctest.test(lambda: (time.sleep(1), elapsed())[1]) == 1
        assert ends == []
        return runtime.num_goroutine()

    assert run(main) == 2
    assert ends == ["abandoned"]


# ---- a bubble that is abandoned ----


def for_ever():
    """Keep the bubble from being idle: its time never moves."""
    while True:
        runtime.gosched()


def abandon(body, procs=1):
    """main returns while a bubble runs; what its goroutines did on their way down."""
    log = []

    def main():
        go(synctest.test, body, log)
        time.sleep(1e-3)

    run(main, gomaxprocs=procs)
    return log


@pytest.mark.parametrize("procs", [1, 4])
def test_the_goroutines_of_an_abandoned_bubble_are_taken_down(procs):
    def body(log):
        outside = chan()

        def left(wait):
            try:
                wait()
            finally:
                log.append("ended")

        for wait in (outside.recv, lambda: time.sleep(1), runtime.goexit, sync.Mutex().lock):
            go(left, wait)
        go(for_ever)
        left(synctest.wait)

    assert abandon(body, procs).count("ended") == 5


def test_primitives_in_a_finally_of_an_abandoned_bubble():
    def body(log):
        own, timer = chan(1), time.Timer(5)
        go(for_ever)
        try:
            chan().recv()
        finally:
            log.append(time.now().ns == START_NS)
            own.send(1)
            own.close()
            log.append(timer.stop())
            go(log.append, "never")

    assert abandon(body) == [True, False]


@pytest.mark.parametrize(
    "blocks",
    [
        synctest.wait,
        lambda: synctest.test(int),
        lambda: time.sleep(1),
        lambda: select(chan().recv, time.after(1).recv),
        lambda: time.after(1).recv(),
    ],
)
def test_primitives_that_would_block_there_end_it_again(blocks):
    def body(log):
        go(for_ever)
        try:
            chan().recv()
        finally:
            log.append("outer finally")
            try:
                blocks()
                log.append("never")
            finally:
                log.append("inner finally")

    assert abandon(body) == ["outer finally", "inner finally"]


def test_the_next_run_knows_nothing_of_an_abandoned_bubble():
    abandon(lambda log: (go(select), go(time.sleep, 1), for_ever()))

    def main():
        g = getcurrent()
        return g.bubble, [gp.bubble for gp in g.m.sched.allgs if gp.bubble is not None], g.m.sched.bubbles

    for _ in range(3):
        assert run(main) == (None, [], [])
