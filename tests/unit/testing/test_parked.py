"""testing.assert_parks and wait_all_parked."""

from __future__ import annotations

import pytest
from greenlet import getcurrent

from goruntime import chan, go, nilchan, run, runtime, select, sync, syscall, time
from goruntime.base.errors import GoPanic
from goruntime.check import explore
from goruntime.testing import assert_parks, synctest, wait_all_parked


def said(call, *args, **options):
    """The message of the AssertionError."""
    with pytest.raises(AssertionError) as caught:
        call(*args, **options)
    return str(caught.value)


@pytest.mark.parametrize("procs", [1, 4])
def test_a_call_that_blocks(procs):
    def main():
        c, mu, wg = chan(), sync.Mutex(), sync.WaitGroup()
        mu.lock()
        wg.add(1)
        reasons = [
            assert_parks(c.recv),
            assert_parks(chan().send, 1),
            assert_parks(select, c.recv, chan().recv),
            assert_parks(mu.lock, reason="sync.Mutex.Lock"),
            assert_parks(wg.wait),
            assert_parks(time.sleep, 3_600),
            assert_parks(nilchan.recv, reason="chan receive (nil chan)"),
        ]
        mu.unlock()
        wg.done()
        c.send(1)  # to the first of the two
        return reasons

    assert run(main, gomaxprocs=procs) == [
        "chan receive", "chan send", "select", "sync.Mutex.Lock", "sync.WaitGroup.Wait", "sleep",
        "chan receive (nil chan)",
    ]  # fmt: skip


def test_a_call_that_does_not():
    def quick():
        runtime.work(1e-3)

    def main():
        texts = [said(assert_parks, quick), said(assert_parks, chan(1).send, 1)]
        texts.append(said(assert_parks, runtime.goexit))
        texts.append(said(assert_parks, chan().recv, reason="sleep"))
        return texts

    assert run(main) == [
        "test_a_call_that_does_not.<locals>.quick returned without blocking",
        "chan.send returned without blocking",
        "goexit returned without blocking",
        "chan.recv blocks, but for 'chan receive', not 'sleep'",
    ]


def test_a_block_that_blocks():
    def main():
        c = chan()
        go(lambda: (time.sleep(1e-3), c.send(1)))
        with assert_parks() as reasons:
            c.recv()
            time.sleep(1e-3)
        with assert_parks(reason="sleep"):
            time.sleep(1e-6)
        assert getcurrent().m.watch is None
        return reasons

    for procs in (1, 4):
        assert run(main, gomaxprocs=procs) == ["chan receive", "sleep"]


def test_a_block_that_does_not():
    def main():
        c = chan(1)
        go(lambda: (time.sleep(1e-3), chan().recv()))  # who blocks is another
        with assert_parks():
            c.send(1)
            runtime.gosched()

    with pytest.raises(GoPanic, match="the goroutine was not blocked in this block"):
        run(main)

    def other():
        with assert_parks(reason="chan send"):
            time.sleep(1e-3)

    with pytest.raises(GoPanic, match="the goroutine was blocked, but for 'sleep', not 'chan send'"):
        run(other)


def test_what_the_block_raises_goes_first():
    def main():
        with pytest.raises(LookupError), assert_parks():
            raise LookupError
        return True

    assert run(main)


def test_listeners_of_the_run_hear_as_before():
    events = []

    def main():
        with assert_parks():
            time.sleep(1e-6)
        before = len(events)
        time.sleep(1e-6)
        return len(events) > before > 0

    assert run(main, events=events)


@pytest.mark.parametrize("procs", [1, 4])
def test_wait_all_parked(procs):
    def main():
        c, log = chan(), []

        def worker(number):
            runtime.work(number * 1e-3)
            log.append(number)
            c.recv()

        for number in range(4):
            go(worker, number)
        go(lambda: (runtime.gosched(), log.append("ended")))
        wait_all_parked()
        before = list(log)
        wait_all_parked()
        c.close()
        return sorted(map(str, before))

    assert run(main, gomaxprocs=procs) == ["0", "1", "2", "3", "ended"]


def test_a_sleeper_is_parked_and_a_system_call_is_not():
    def main():
        log = []
        go(lambda: (time.sleep(1), log.append("slept")))
        go(lambda: (syscall(abs, -1, takes=5e-3), log.append("called")))
        wait_all_parked()
        return log, time.now()

    log, _ = run(main)
    assert log == ["called"]


def test_two_may_wait_at_once():
    def main():
        log, wg = [], sync.WaitGroup()
        for number in range(3):
            wg.go(lambda number=number: (wait_all_parked(), log.append(number)))
        wg.wait()
        return sorted(log)

    for procs in (1, 4):
        assert run(main, gomaxprocs=procs) == [0, 1, 2]


def test_in_a_bubble_the_reasons_are_the_same():
    def body():
        c = chan()
        assert assert_parks(c.recv, reason="chan receive") == "chan receive"
        go(c.send, 1)
        wait_all_parked()
        with assert_parks(reason="chan receive"):
            go(lambda: (time.sleep(5), c.close()))
            c.recv()

    run(synctest.test, body)


def test_misuse():
    for call in (lambda: assert_parks(chan().recv), wait_all_parked, lambda: assert_parks().__enter__()):
        with pytest.raises(RuntimeError, match="must be called from a goroutine"):
            call()

    def main():
        with pytest.raises(ValueError, match="no goroutine ever waits for 'channel'; the reasons are .*chan receive"):
            assert_parks(reason="channel")
        with pytest.raises(TypeError, match="is not callable"):
            assert_parks(3)
        return True

    assert run(main)


def test_under_exploration_they_refuse():
    for call in (lambda: assert_parks(chan().recv), wait_all_parked):
        report = explore(call, "dfs", 10)
        assert "under exploration goroutines are held before they block" in str(report.failure)


def test_an_abandoned_goroutine_that_waits_ends():
    ends = []

    def left():
        try:
            chan().recv()
        finally:
            try:
                wait_all_parked()
            finally:
                ends.append(1)

    def main():
        go(left)
        go(chan().recv)
        runtime.gosched()

    run(main)
    assert ends == [1]
