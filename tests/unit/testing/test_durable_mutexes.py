"""testing.synctest: waits for mutexes that count as durable."""

from __future__ import annotations

import pytest
from greenlet import getcurrent

from goruntime import (
    go,
    run,
    runtime,
    sync,
    syscall,
    time,
)
from goruntime.base.errors import Deadlock, GoPanic
from goruntime.testing import synctest

from .bubbles import elapsed

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
