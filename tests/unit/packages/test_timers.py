"""Package time: timers, tickers, after_func and their channels; the heap below them."""

from __future__ import annotations

import math

import pytest
from greenlet import getcurrent
from hypothesis import given, settings
from hypothesis import strategies as st

from goruntime import cap, chan, default, go, nilchan, run, runtime, select, time
from goruntime.base.errors import Deadlock, GoPanic
from goruntime.check import explore
from goruntime.sched import timers
from goruntime.sched.timers import check_timer_heap, has_timers

from .running import current_sched, execute

EPSILON = 2e-3  # s: what an idle P's sleep in the poller may be late, and costs


def in_run(test):
    """The test function's body is main."""

    def call():
        run(test, gomaxprocs=1)

    call.__name__ = test.__name__
    return call


def pending_timers():
    return sum(has_timers(pp) for pp in current_sched().allp)


# ---- timers ----


@in_run
def test_after_sends_the_instant_at_which_it_was_due():
    start = time.now()
    c = time.after(0.01)
    time.sleep(0.5)
    got = c.recv()
    assert isinstance(got, time.Time)
    assert got - start == pytest.approx(0.01, abs=1e-6)
    c = time.tick(0.01)
    start = time.now()
    time.sleep(0.5)
    assert c.recv() - start == pytest.approx(0.01, abs=1e-6)


@in_run
def test_a_timer_that_is_due_fires_at_the_next_look():
    assert time.Timer(0).c.recv()
    assert time.Timer(-5).c.recv()
    index, _ = select(time.after(-math.inf).recv, time.after(1).recv)
    assert index == 0


@in_run
def test_a_timer_channel_looks_unbuffered():
    t = time.Timer(0.001)
    time.sleep(1)
    assert (len(t.c), cap(t.c)) == (0, 0)
    assert t.c
    assert t.c.recv()
    for method in ("send", "close", "send_only"):
        with pytest.raises(TypeError, match="receive-only"):
            getattr(t.c, method)
    view = t.c.recv_only()
    t.reset(1)
    assert (len(view), cap(view)) == (0, 0)
    assert view.recv()


@in_run
def test_a_timer_channel_works_like_a_channel():
    t = time.now()
    value, ok = time.after(1).recv_()
    assert ok
    assert value - t == pytest.approx(1, abs=EPSILON)
    ticks = []
    for tick in time.tick(1):
        ticks.append(tick - t)
        if len(ticks) == 3:
            break
    assert ticks == pytest.approx([2, 3, 4], abs=EPSILON)
    c = chan(1)
    assert select(c.recv, time.after(1).recv)[0] == 1
    c.send(7)
    assert select(c.recv, time.after(1).recv) == (0, 7)
    index, (value, ok) = select(time.after(1).recv_, nilchan.recv)
    assert (index, ok) == (0, True)
    assert select(time.after(1).recv, default) == (1, None)


@in_run
def test_a_channel_timer_is_in_a_heap_only_while_somebody_waits():
    def waiter(c):
        select(c.recv, stop.recv)

    stop = chan()
    t = time.Timer(1000)
    assert not pending_timers()
    go(waiter, t.c)
    go(waiter, t.c)
    runtime.gosched()
    assert pending_timers()
    assert t._timer.blocked == 2
    stop.close()
    runtime.gosched()
    assert not pending_timers()
    assert t._timer.blocked == 0
    assert t.stop()  # it was armed all the time


def test_a_timer_nobody_waits_for_hides_no_deadlock():
    def main():
        kept = [time.Timer(10), time.Ticker(1)]
        time.after_func(10, int).stop()
        chan().recv()
        return kept

    with pytest.raises(Deadlock) as caught:
        run(main)
    assert "goroutine 1 [chan receive]:" in str(caught.value)


@in_run
def test_stop_and_reset_leave_no_stale_value():
    t = time.Timer(1)
    time.sleep(2)
    assert t.stop()  # nobody has received the value
    assert select(t.c.recv, default) == (1, None)
    assert not t.stop()
    assert not t.reset(1)
    time.sleep(2)
    assert t.reset(1)  # takes the value back
    start = time.now()
    assert t.c.recv() - start == pytest.approx(1, abs=EPSILON)
    assert not t.reset(1)
    assert t.reset(1)


class AsTimer:
    """A ticker whose stop and reset return what a timer's would."""

    def __init__(self, ticker):
        self.ticker, self.c, self.is_stopped = ticker, ticker.c, False

    def stop(self):
        was_pending, self.is_stopped = not self.is_stopped, True
        self.ticker.stop()
        return was_pending

    def reset(self, d):
        was_pending, self.is_stopped = not self.is_stopped, False
        self.ticker.reset(d)
        return was_pending


@pytest.mark.parametrize("is_ticker", [False, True], ids=["timer", "ticker"])
@pytest.mark.parametrize("gomaxprocs", [1, 4])
def test_timer_channels_as_gos_own_test_has_it(is_ticker, gomaxprocs):
    """Go: time/tick_test.go testTimerChan."""

    def main():
        tim = AsTimer(time.Ticker(10_000)) if is_ticker else time.Timer(10_000)
        c, tick, far = tim.c, 10 * time.millisecond, 10_000

        def has_tick():
            return select(c.recv, default)[0] == 0

        def is_done(done):
            return select(done.recv, default)[0] == 0

        tim.stop()
        assert not has_tick()
        tim.reset(far)
        assert not has_tick()
        tim.reset(time.nanosecond)
        time.sleep(tick)
        assert (len(c), cap(c)) == (0, 0)
        assert has_tick()
        time.sleep(tick)
        tim.reset(far)
        assert not has_tick()

        # While it is in a heap, because a goroutine is blocked.
        done = chan()
        go(lambda: (c.recv(), done.close()))
        time.sleep(tick)
        assert not is_done(done)
        tim.reset(2 * far)
        time.sleep(tick)
        assert not is_done(done)
        tim.reset(time.nanosecond)
        time.sleep(tick)
        assert is_done(done)
        assert has_tick() == is_ticker
        tim.stop()
        assert not has_tick()

        # Two goroutines wait, in selects.
        tim.reset(far)
        done, ended, stop = chan(2), chan(2), chan()

        def waiter():
            if select(c.recv, stop.recv)[0] == 0:
                done.send(True)
            ended.send(True)

        go(waiter)
        go(waiter)
        time.sleep(tick)
        assert not is_done(done)
        tim.reset(tick / 2)
        time.sleep(tick)
        assert is_done(done)
        tim.stop()
        stop.close()
        ended.recv()
        ended.recv()
        is_done(done)
        has_tick()

        # Waiting for a stopped timer.
        stop = chan()
        go(waiter)
        go(waiter)
        time.sleep(tick)
        stop.close()
        ended.recv()
        ended.recv()
        assert not is_done(done)

        # What stop and reset say.
        tim.reset(time.nanosecond)
        time.sleep(tick)
        assert tim.stop()
        assert not has_tick()
        tim.reset(time.hour)
        assert not has_tick()
        assert tim.reset(time.nanosecond)
        time.sleep(tick)
        assert has_tick()
        time.sleep(tick)
        assert has_tick() == is_ticker
        time.sleep(tick)
        assert tim.reset(time.hour) == is_ticker
        assert not has_tick()

    run(main, gomaxprocs=gomaxprocs)


@pytest.mark.parametrize("stops", [True, False])
def test_stop_says_whether_a_value_can_still_be_received(stops):
    """Go: time/sleep_test.go testStopResetResult."""

    def worker(done):
        for _ in range(10):
            first, second = time.Timer(time.millisecond), time.Timer(time.millisecond)
            index, _ = select(first.c.recv, second.c.recv)
            other = (second, first)[index]
            if not (other.stop() if stops else other.reset(time.hour)):
                other.c.recv()
        done.send(True)

    def main():
        done = chan()
        for _ in range(20):
            go(worker, done)
        for _ in range(20):
            done.recv()

    run(main, gomaxprocs=4, max_time=60)


@in_run
def test_after_queuing():
    """Go: time/sleep_test.go testAfterQueuing1."""
    slots = [5, 3, 6, 6, 6, 1, 1, 2, 7, 9, 4, 8, 0]
    results = chan(len(slots))
    start = time.now()
    for slot in slots:
        go(lambda slot, c: results.send((slot, c.recv() - start)), slot, time.after(slot * 0.02))
    got = [results.recv() for _ in slots]
    assert [slot for slot, _ in got] == sorted(slots)
    assert all(dt == pytest.approx(slot * 0.02, abs=EPSILON) for slot, dt in got)


@in_run
def test_rapid_changes_lose_no_timer():
    """Go: time/sleep_test.go TestTimerModifiedEarlier."""
    for _ in range(20):
        c = chan(1)
        timer = time.after_func(time.hour, c.send, True)
        for _ in range(10):
            if not timer.stop():
                c.recv()
            timer.reset(-(10**9))
        assert select(c.recv, time.after(10).recv)[0] == 0


# ---- after_func ----


@in_run
def test_after_func_calls_in_a_goroutine_of_its_own():
    c = chan(1)
    me = runtime.goid()
    t = time.after_func(1, lambda a, b: c.send((a, b, runtime.goid())), 1, "b")
    assert t.c is nilchan
    a, b, goid = c.recv()
    assert (a, b) == (1, "b")
    assert goid > me
    assert not t.stop()
    assert not t.reset(1)  # once more
    assert c.recv()[:2] == (1, "b")
    t.reset(1)
    assert t.stop()
    time.sleep(2)
    assert not c.buf


def test_after_func_is_created_by_no_goroutine():
    def boom():
        raise ValueError("in after_func")

    def main():
        time.after_func(1, boom)
        select()

    with pytest.raises(GoPanic) as caught:
        run(main)
    text = str(caught.value)
    assert text.startswith("panic: ValueError: in after_func\n\ngoroutine ")
    assert "\ncreated by time.goFunc\n\t" in text


def test_functions_that_are_due_together_run_last_first():
    ran = []

    def main():
        for i in range(5):
            time.after_func((i + 1) * 1e-4, ran.append, i)
        runtime.work(3e-3)
        runtime.gosched()
        time.sleep(1)

    run(main, gomaxprocs=1)
    assert ran == [4, 0, 1, 2, 3]


# ---- tickers ----


@in_run
def test_a_ticker_drops_what_is_late_and_keeps_to_its_grid():
    tk = time.Ticker(1)
    start = tk.c.recv()
    time.sleep(3.5)
    assert tk.c.recv() - start == pytest.approx(1, abs=EPSILON)  # the oldest that was missed was kept
    assert tk.c.recv() - start == pytest.approx(4, abs=EPSILON)
    assert tk.c.recv() - start == pytest.approx(5, abs=EPSILON)
    tk.stop()
    assert select(tk.c.recv, time.after(10).recv)[0] == 1  # silent, and not closed
    tk.reset(0.5)
    start = time.now()
    assert tk.c.recv() - start == pytest.approx(0.5, abs=EPSILON)
    assert tk.stop() is None
    assert tk.reset(1) is None


def test_a_tick_of_nothing_is_nil():
    assert run(lambda: time.tick(0) is nilchan and time.tick(-1) is nilchan)


def test_a_ticker_of_the_end_of_time():
    def main():
        ticker = time.Ticker(9.2e9)
        timer = ticker._timer
        timers.run_timer(getcurrent().m, timer, timer.when_ns, None)
        assert timer.when_ns == timers.MAX_WHEN

    run(main)


# ---- GODEBUG=asynctimerchan=1 ----


def test_asynchronous_timer_channels_are_buffered_and_go_stale():
    def main():
        t = time.Timer(1)
        assert pending_timers()  # in the heap, whoever waits
        time.sleep(2)
        assert (len(t.c), cap(t.c)) == (1, 1)
        assert not t.stop()
        assert not t.reset(10)
        start = time.now()
        assert t.c.recv() < start  # a stale value
        with pytest.raises(TypeError, match="receive-only"):
            t.c.send(1)
        tk = time.Ticker(1)
        time.sleep(3)
        tk.stop()
        assert len(tk.c) == 1

    run(main, godebug="asynctimerchan=1")


def test_asynchronous_timers_hide_a_deadlock():
    def main():
        kept = time.Timer(10)
        chan().recv()
        return kept

    with pytest.raises(Deadlock) as caught:
        run(main, godebug="asynctimerchan=1")
    assert caught.value.goroutines


# ---- as a whole ----


def test_the_same_seed_gives_the_same_events(monkeypatch):
    def main():
        c = chan()
        for i in range(4):
            go(lambda i=i: (time.sleep(i * 1e-4), c.send(i)))
        tk = time.Ticker(1e-4)
        for _ in range(12):
            select(c.recv, tk.c.recv, time.after(3e-4).recv)

    first, again = (execute(monkeypatch, main, seed=3, gomaxprocs=4).events for _ in range(2))
    assert first == again


@pytest.mark.slow
def test_a_hundred_thousand_pending_timers():
    fired = []

    def main():
        kept = [time.after_func(1 + i * 1e-6, fired.append, i) for i in range(100_000)]
        (pp,) = current_sched().allp
        check_timer_heap(pp)
        for t in kept[::2]:
            assert t.stop()
        assert len(pp.timers) <= 100_000
        time.sleep(0.5)
        assert len(pp.timers) == 50_000
        check_timer_heap(pp)
        time.sleep(2)

    run(main, gomaxprocs=1)
    assert sorted(fired) == list(range(1, 100_000, 2))


class NaiveTimers:
    """What the heap has to do, without a heap."""

    def __init__(self):
        self.armed = {}  # index -> (when, order, period)
        self.count = 0

    def arm(self, index, when, period):
        was_pending = index in self.armed
        self.count += 1
        self.armed[index] = (when, self.count, period)
        return was_pending

    def stop(self, index):
        return self.armed.pop(index, None) is not None

    def fire(self, now):
        """The timers that are due at now, in order, each once at most; periodic ones go on."""
        fired = []
        while due := [(when, order, index) for index, (when, order, _) in self.armed.items() if when <= now]:
            when, _, index = min(due)
            period = self.armed.pop(index)[2]
            fired.append((index, when))
            if period:
                self.arm(index, when + period * (1 + (now - when) // period), period)
        return fired


OPERATION = st.one_of(
    st.tuples(st.just("arm"), st.integers(0, 9), st.integers(0, 2_000), st.sampled_from([0, 0, 100, 700])),
    st.tuples(st.just("stop"), st.integers(0, 9)),
    st.tuples(st.just("pass"), st.integers(1, 1_500)),
)


@settings(max_examples=50)
@given(st.lists(OPERATION, max_size=50))
def test_the_timer_heap_agrees_with_a_naive_one(operations):
    fired, model = [], NaiveTimers()

    def note(_m, index, _seq, delay):
        fired.append((index, now - delay))

    now = 0

    def main():
        nonlocal now
        m = getcurrent().m
        heap = [timers.Timer(note, index) for index in range(10)]
        for name, *args in operations:
            if name == "arm":
                index, delay, period = args
                when = m.clock + 10_000 + delay
                assert timers.modify(m, heap[index], when, period) == model.arm(index, when, period)
            elif name == "stop":
                assert timers.stop(m, heap[args[0]]) == model.stop(args[0])
            else:
                now = m.clock = m.clock + 10 * args[0]
                timers.check_timers(m, m.p)
                assert fired == model.fire(now)
                fired.clear()
            check_timer_heap(m.p)
            assert has_timers(m.p) == bool(model.armed)
        for timer in heap:
            timers.stop(m, timer)

    run(main, gomaxprocs=1)


# ---- in exploration ----


@pytest.mark.parametrize("wait", ["select", "range"])
def test_exploration_lets_a_timer_fire_before_and_after_a_send(wait):
    seen = set()

    def main():
        ch = chan(1)
        after = time.after(1)
        go(ch.send, "sent")
        if wait == "select":
            seen.add(select(ch.recv, after.recv)[0])
            return
        for _ in after:
            break
        seen.add(select(ch.recv, default)[0])

    report = explore(main, strategy="dfs", schedules=200)
    assert report.verdict == "proved"
    assert seen == {0, 1}
