"""testing.synctest: bubbles, their clock, and what is durable."""

from __future__ import annotations

import datetime

import pytest
from greenlet import getcurrent

from goruntime import (
    Panic,
    cap,
    chan,
    coro,
    default,
    defer,
    func,
    go,
    nilchan,
    panic,
    recover,
    run,
    runtime,
    select,
    sync,
    syscall,
    time,
)
from goruntime.base.errors import Deadlock, FatalError, GoPanic
from goruntime.kernel import host
from goruntime.sched.bubble import ORDERS, START_NS
from goruntime.testing import synctest

MIDNIGHT = datetime.datetime(2000, 1, 1, tzinfo=datetime.UTC)


def in_a_bubble(test):
    """The test function's body is run in a bubble, on one P and on four."""

    def call():
        for procs in (1, 4):
            run(synctest.test, checked(test), gomaxprocs=procs)

    call.__name__ = test.__name__
    return call


def checked(body):
    """The body, and the bubble's accounts when it is over."""

    def call():
        body()
        getcurrent().bubble.check()

    return call


def panic_of(call, *args):
    """What call(*args) panics with, as text."""
    try:
        call(*args)
    except Panic as error:
        return str(error.value)
    return "no panic"


def elapsed():
    """Seconds of the bubble's clock since it began."""
    return (time.now().ns - START_NS) / 1e9


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

    for _ in range(3_000):
        time.after_func(1, bump)
    for t in [time.after_func(1, bump) for _ in range(1_000)]:
        t.stop()
    synctest.sleep(1)
    assert count == [3_000]


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


# ---- what is durable ----


def blocked_on(block):
    """Does time go on while a goroutine of the bubble is blocked like this?"""

    def body():
        go(block)
        time.sleep(1)
        return True

    def main():
        try:
            synctest.test(body)
        except Panic as error:
            assert "main bubble goroutine has exited" in str(error.value)
        return True

    return run(main, max_time=3)


def test_what_is_durable():
    def own(method):
        return lambda: getattr(chan(), method)(*([1] if method == "send" else []))

    def two():
        select(chan().recv, (chan().send, 1), nilchan.recv)

    def group():
        wg = sync.WaitGroup()
        wg.add(1)
        wg.wait()

    def cond():
        mu = sync.Mutex()
        mu.lock()
        sync.Cond(mu).wait()

    for block in (own("recv"), own("send"), two, select, nilchan.recv, lambda: nilchan.send(1), group, cond):
        assert blocked_on(block)


def test_select_on_nil_channels_alone_is_durable():
    assert blocked_on(lambda: select(nilchan.recv, (nilchan.send, 1)))


def not_durable(make):
    """A goroutine of the bubble is blocked on something that make() made outside: time stands still."""

    def main():
        outside = make()

        def body():
            go(outside)
            time.sleep(1)

        synctest.test(body)

    with pytest.raises(Deadlock) as caught:
        run(main)
    return str(caught.value)


def test_what_is_not_durable():
    def channel():
        return chan().recv

    def choice():
        c = chan()
        return lambda: select(c.recv, chan().recv)

    def group():
        wg = sync.WaitGroup()
        wg.add(1)
        return wg.wait

    def mutex():
        mu = sync.Mutex()
        mu.lock()
        return mu.lock

    def readers():
        rw = sync.RWMutex()
        rw.rlock()
        return rw.lock

    for make, reason in (
        (channel, "chan receive"),
        (choice, "select"),
        (group, "sync.WaitGroup.Wait"),
        (mutex, "sync.Mutex.Lock"),
        (readers, "sync.RWMutex.Lock"),
    ):
        text = not_durable(make)
        assert f"[{reason}, synctest bubble 1]:" in text
        assert "[sleep (durable), synctest bubble 1]:" in text
        assert "[synctest.Run (durable), synctest bubble 1]:" in text


def test_the_outside_can_end_what_is_not_durable():
    def main():
        c, wg = chan(), sync.WaitGroup()
        wg.add(1)

        def body():
            go(time.sleep, 1)
            assert select(c.recv, chan().recv) == (0, "outside")
            wg.wait()
            before = elapsed()
            time.sleep(2)
            return before, elapsed()

        go(lambda: (time.sleep(0.002), c.send("outside"), time.sleep(0.002), wg.done()))
        return synctest.test(body)

    for procs in (1, 4):
        assert run(main, gomaxprocs=procs) == (0, 2)


def test_a_host_call_is_not_durable():
    def body():
        go(syscall, sum, (1, 2), takes=1e-3)
        time.sleep(1)
        return elapsed()

    assert run(synctest.test, body) == 1


@in_a_bubble
def test_cond_in_a_bubble():
    mu = sync.Mutex()
    cond = sync.Cond(mu)

    def notify():
        for wake in (cond.signal, cond.broadcast):
            time.sleep(1e-3)
            with mu:
                wake()

    go(notify)
    with mu:
        cond.wait()
    assert elapsed() == 1e-3
    woken = []

    def other():
        with mu:
            cond.wait()
        woken.append(1)

    go(other)
    with mu:
        cond.wait()
    synctest.wait()
    assert woken
    assert elapsed() == 2e-3


@in_a_bubble
def test_waitgroup_in_a_bubble():
    wg = sync.WaitGroup()
    for d in (1, 2, 3):
        wg.go(time.sleep, d)
    wg.wait()
    assert elapsed() == 3
    for _ in range(100):
        wg.go(runtime.gosched)
    wg.wait()


# ---- isolation ----


def fatal(main):
    """How the program dies."""
    with pytest.raises(FatalError) as caught:
        run(main)
    return str(caught.value).partition("\n\n")[0]


@pytest.mark.parametrize("kind", [(), (1,), (0, int), (1, int)])
@pytest.mark.parametrize(
    ("use", "what"),
    [
        (lambda c: c.send(1), "send on"),
        (lambda c: c.send_only().send(1), "send on"),
        (lambda c: c.recv(), "receive on"),
        (lambda c: c.recv_(), "receive on"),
        (lambda c: list(c), "receive on"),
        (lambda c: c.close(), "close of"),
        (lambda c: select(c.recv), "receive on"),  # the plain operation, as Go's compiler makes it
        (lambda c: select((c.send, 1), default), "send on"),
        (lambda c: select(nilchan.recv, c.recv_, default), "select on"),
        (lambda c: select(nilchan.recv, (c.send, 1)), "select on"),
    ],
)
def test_a_bubble_s_channel_is_nobody_else_s(kind, use, what):
    text = f"fatal error: {what} synctest channel from outside bubble"

    def outside():
        use(synctest.test(chan, *kind))

    def in_another():
        synctest.test(use, synctest.test(chan, *kind))

    assert fatal(outside) == text
    assert fatal(in_another) == text


def test_a_bubble_s_timer_is_nobody_else_s():
    for use, text in (
        (lambda t: t.c.recv(), "receive on synctest channel from outside bubble"),
        (lambda t: select(t.c.recv, default), "receive on synctest channel from outside bubble"),
        (lambda t: select(nilchan.recv, t.c.recv), "select on synctest channel from outside bubble"),
        (lambda t: t.stop(), "stop of synctest timer from outside bubble"),
        (lambda t: t.reset(1), "reset of synctest timer from outside bubble"),
    ):
        for make in (time.Timer, time.Ticker):

            def outside(use=use, make=make):
                use(synctest.test(make, 1))

            def in_another(use=use, make=make):
                synctest.test(use, synctest.test(make, 1))

            assert fatal(outside) == f"fatal error: {text}"
            assert fatal(in_another) == f"fatal error: {text}"


def test_channels_of_the_outside_work_inside():
    def outside(c, how):
        time.sleep(1e-3)
        how(c)

    def main():
        for how, inside in (
            (lambda c: c.close(), lambda c: c.recv()),
            (lambda c: c.send(0), lambda c: c.recv()),
            (lambda c: c.recv(), lambda c: c.send(0)),
            (lambda c: c.close(), lambda c: select(c.recv, chan().recv)),
        ):
            c = chan()
            go(outside, c, how)
            synctest.test(inside, c)
        tm = time.Timer(10e-3)
        synctest.test(tm.c.recv)
        return tm.stop()

    for procs in (1, 4):
        assert run(main, gomaxprocs=procs) is False


def test_a_cond_may_not_be_notified_from_outside():
    def main():
        box = []

        def body():
            mu = sync.Mutex()
            cond = sync.Cond(mu)
            box.append(cond)

            def wait():
                with mu:
                    cond.wait()

            go(wait)
            while True:  # the bubble is never idle
                runtime.gosched()

        go(synctest.test, body)
        time.sleep(1e-3)
        box[0].signal()

    text = fatal(main)
    assert text.startswith("semaphore wake of synctest goroutine ")
    assert text.endswith(" from outside bubble\nfatal error: semaphore wake of synctest goroutine from outside bubble")


def test_a_waitgroup_is_of_one_bubble():
    def into():
        wg = sync.WaitGroup()
        wg.add(1)
        synctest.test(wg.add, 1)

    def done_inside():
        wg = sync.WaitGroup()
        wg.add(5)
        synctest.test(wg.done)

    def out_of():
        wg = sync.WaitGroup()
        synctest.test(wg.add, 1)
        wg.add(1)

    def done_outside():
        wg = sync.WaitGroup()
        synctest.test(wg.add, 5)
        wg.done()

    def between():
        wg = sync.WaitGroup()
        synctest.test(wg.add, 1)
        synctest.test(wg.add, 1)

    for main in (into, done_inside, out_of, done_outside):
        assert fatal(main) == "fatal error: sync: WaitGroup.Add called from inside and outside synctest bubble"
    assert fatal(between) == "fatal error: sync: WaitGroup.Add called from multiple synctest bubbles"


def test_a_waitgroup_that_is_done_is_free_again():
    def by_wait(wg):
        wg.add(1)
        wg.done()
        wg.wait()

    def by_done(wg):
        wg.add(1)
        go(wg.wait)
        synctest.wait()
        wg.done()

    def main():
        wg = sync.WaitGroup()
        for use in (by_wait, by_done, by_wait, by_done):
            synctest.test(use, wg)
        wg.add(1)
        wg.done()
        return True

    assert run(main)


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


# ---- mutexes that are durable ----


def with_durable_mutexes(body, **config):
    return run(lambda: synctest.test(body, durable_mutexes=True), **config)


def holding(mu, d):
    with mu:
        time.sleep(d)


def test_time_goes_on_while_a_mutex_is_waited_for():
    def body():
        mu = sync.Mutex()
        go(holding, mu, 5)
        synctest.wait()
        with mu:
            assert elapsed() == 5
        for _ in range(3):
            go(holding, mu, 1)
        synctest.sleep(10)
        with mu:
            return elapsed()

    for procs in (1, 4):
        assert with_durable_mutexes(body, gomaxprocs=procs) == 15


def test_the_same_for_readers_and_writers():
    def body():
        rw = sync.RWMutex()
        for d in (1, 2, 3):
            go(holding, rw.rlocker(), d)
        synctest.wait()
        with rw:  # waits for the readers
            assert elapsed() == 3
        go(holding, rw, 1)
        synctest.wait()
        with rw.rlocker():  # waits for the writer
            assert elapsed() == 4
        rw.rlock()
        assert rw.try_rlock()
        go(lambda: (time.sleep(1), rw.runlock(), time.sleep(1), rw.runlock()))
        with rw:
            assert elapsed() == 6
        go(holding, rw, 1)
        go(holding, rw, 1)
        synctest.sleep(5)
        rw.check()
        return elapsed()

    assert with_durable_mutexes(body) == 11


def test_wait_takes_a_waiter_for_blocked():
    def body():
        mu, once = sync.Mutex(), sync.Once()
        mu.lock()
        go(mu.lock)
        go(once.do, lambda: time.sleep(7))
        synctest.wait()
        go(once.do, lambda: None)
        synctest.wait()
        assert elapsed() == 0
        mu.unlock()
        synctest.wait()
        assert not mu.try_lock()
        once.do(lambda: None)
        return elapsed()

    assert with_durable_mutexes(body) == 7


def test_a_deadlock_through_mutexes_is_found():
    def crossed():
        a, b = sync.Mutex(), sync.Mutex()

        def other():
            with b:
                time.sleep(1)
                a.lock()

        go(other)
        with a:
            time.sleep(1)
            b.lock()

    def twice():
        rw = sync.RWMutex()
        rw.rlock()
        rw.lock()

    for body in (crossed, twice):
        with pytest.raises(GoPanic, match="deadlock: all goroutines in bubble are blocked") as caught:
            with_durable_mutexes(body)
        assert "Lock (durable), synctest bubble 1]:" in str(caught.value)
        with pytest.raises(Deadlock, match="all goroutines are asleep"):
            run(synctest.test, body)


def test_a_mutex_that_is_held_outside_is_waited_for_in_earnest():
    def main():
        mu, rw = sync.Mutex(), sync.RWMutex()
        mu.lock()
        rw.rlock()
        go(lambda: (time.sleep(1e-3), mu.unlock(), time.sleep(1e-3), rw.runlock()))

        def body():
            go(time.sleep, 1)
            for lock in (mu, rw):
                with lock:
                    assert elapsed() == 0
            synctest.sleep(2)
            return elapsed()

        return synctest.test(body, durable_mutexes=True)

    assert run(main) == 2


def test_a_waiter_s_mutex_may_come_in_from_outside():
    """Two wait for a mutex that is held outside; one gets it and sleeps with it: from then on the other is durable."""

    def main():
        mu = sync.Mutex()
        mu.lock()
        go(lambda: (time.sleep(1e-3), mu.unlock()))

        def body():
            go(holding, mu, 5)
            go(holding, mu, 5)
            synctest.wait()
            assert elapsed() == 0
            time.sleep(11)
            return elapsed()

        return synctest.test(body, durable_mutexes=True)

    for procs in (1, 4):
        assert run(main, gomaxprocs=procs) == 11


def test_who_waited_before_the_bubble_began_is_known_as_well():
    """It parked when nobody remembered whose a mutex is; it is the holder all the same when it goes on."""

    def main():
        mu, bubbles = sync.Mutex(), []
        mu.lock()
        go(lambda: (mu.lock(), time.sleep(2e-3), mu.unlock()))

        def unlock():
            time.sleep(1e-3)
            mu.held_in = bubbles[0]  # as if one of its goroutines had had it in between
            mu.unlock()

        go(unlock)
        runtime.gosched()

        def body():
            bubbles.append(getcurrent().bubble)
            go(time.sleep, 1)
            go(syscall, abs, -1, takes=2e-3)  # its end makes the bubble look whether all are blocked
            with mu:
                assert elapsed() == 0
            time.sleep(2)
            return elapsed()

        return synctest.test(body, durable_mutexes=True)

    assert run(main, gomaxprocs=1) == 2


def test_the_last_reader_of_the_outside_leaves():
    """From then on the writer waits for readers of the bubble alone, though nothing happened in it."""

    def main():
        rw = sync.RWMutex()
        rw.rlock()
        go(lambda: (time.sleep(1e-3), rw.runlock()))

        def body():
            go(holding, rw.rlocker(), 5)
            synctest.wait()
            with rw:
                return elapsed()

        return synctest.test(body, durable_mutexes=True)

    for procs in (1, 4):
        assert run(main, gomaxprocs=procs) == 5


def test_listeners_are_as_before_afterwards():
    def main():
        def body():
            assert getcurrent().m.watch is not None

        before = getcurrent().m.watch
        synctest.test(body, durable_mutexes=True)
        return before is getcurrent().m.watch

    assert run(main)
    events = []
    assert run(main, events=events)
    assert events


# ---- coroutines ----


@in_a_bubble
def test_a_coroutine_is_durably_blocked_while_it_is_not_its_turn():
    def seq(yield_):
        while yield_(elapsed()):
            time.sleep(1)

    got = []

    def puller():
        next_, stop = coro.pull(seq)
        while len(got) < 3:
            got.append(next_()[0])
        stop()

    go(puller)
    time.sleep(5)
    synctest.wait()
    assert got == [0, 1, 2]


def test_a_coroutine_that_nobody_resumes_is_left_over():
    def body():
        next_, _ = coro.pull(lambda yield_: yield_(1))
        next_()

    text = "deadlock: main bubble goroutine has exited but blocked goroutines remain"
    assert run(lambda: panic_of(synctest.test, body)) == text


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


# ---- with the rest of the runtime ----


def test_the_wall_clock_has_no_part_in_it():
    def body():
        time.sleep(3_600)
        return time.after(60).recv().ns - START_NS

    began = host.monotonic_ns()
    assert run(synctest.test, body, clock="real") == 3_660 * 10**9
    assert host.monotonic_ns() - began < 5 * 10**9


def test_old_timers():
    def body():
        timer = time.Timer(1)
        time.sleep(5)
        assert cap(timer.c) == 1
        first = timer.c.recv().ns
        timer.reset(1)
        return first, timer.c.recv().ns

    second = 10**9
    assert run(synctest.test, body, godebug="asynctimerchan=1") == (START_NS + second, START_NS + 6 * second)


def test_threads_and_the_number_of_ps():
    def body():
        go(lambda: (runtime.lock_os_thread(), time.sleep(1), runtime.unlock_os_thread()))
        runtime.lock_os_thread()
        synctest.sleep(2)
        for procs in (1, 4, 2):
            runtime.gomaxprocs(procs)
            go(time.sleep, 1)
            synctest.sleep(1)
        runtime.unlock_os_thread()
        return elapsed()

    for procs in (1, 3):
        assert run(synctest.test, checked(lambda: body() == 5 or pytest.fail("time"))) is None
        assert run(synctest.test, body, gomaxprocs=procs) == 5


def test_channels_keep_their_class_and_its_methods():
    class Counted(chan):
        __slots__ = ("sent",)

        def __init__(self, size=0):
            super().__init__(size)
            self.sent = 0

        def send(self, value):
            self.sent += 1
            super().send(value)

    def main():
        def body():
            mine, typed = Counted(3), chan[float](1)
            mine.send(1)
            typed.send(3)
            with pytest.raises(TypeError, match="cannot send 'x'"):
                typed.send("x")
            with pytest.raises(TypeError, match="receive-only"):
                time.after(1).send(1)
            assert isinstance(mine, Counted)
            assert repr(typed) == "<chan[float] 1/1>"
            assert select(typed.recv, mine.recv)[0] in (0, 1)
            return mine.sent, mine

        sent, mine = synctest.test(body)
        assert sent == 1
        mine.send(2)

    assert fatal(main) == "fatal error: send on synctest channel from outside bubble"


def test_a_recursion_without_end_in_a_bubble_is_a_stack_overflow():
    def deeper():
        c = chan(1)
        c.send(1)
        select(c.recv, default)
        deeper()

    for where in (deeper, lambda: (go(deeper), synctest.wait())):
        with pytest.raises(FatalError, match="stack overflow"):
            run(synctest.test, where)


def test_labels_and_ancestors_are_inherited():
    def body():
        go(panic, "boom")
        synctest.wait()

    with pytest.raises(GoPanic) as caught:
        run(synctest.test, body, godebug="tracebackancestors=5")
    assert "[originating from goroutine 1]:" in str(caught.value)
    assert str(caught.value).count("created by") >= 2
