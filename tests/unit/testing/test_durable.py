"""testing.synctest: what is durable, what belongs to a bubble, and the rest of the runtime beside it."""

from __future__ import annotations

import pytest

from goruntime import (
    Panic,
    cap,
    chan,
    coro,
    default,
    go,
    nilchan,
    panic,
    run,
    runtime,
    select,
    sync,
    syscall,
    time,
)
from goruntime.base.errors import Deadlock, FatalError, GoPanic
from goruntime.kernel import host
from goruntime.sched.bubble import START_NS
from goruntime.testing import synctest

from .bubbles import checked, elapsed, fatal, in_a_bubble, panic_of

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
