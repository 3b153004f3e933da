"""sync.Cond: tickets, signals, broadcasts."""

from __future__ import annotations

import copy

import pytest

from goruntime import FatalError, GoPanic, chan, defer, func, go, recover, run, runtime, sync, time
from goruntime.base.errors import Throw

MILLISECOND = 1e-3


@pytest.fixture(params=[{}, {"checksum": True}, {"gomaxprocs": 4}], ids=["one P", "listening", "four Ps"])
def config(request):
    return {"gomaxprocs": 1, **request.param}


def sleepers(cond, log, count):
    """So many goroutines that wait, in order."""

    def wait(number):
        with cond.l:
            cond.wait()
            log.append(number)

    for number in range(count):
        go(wait, number)
        time.sleep(MILLISECOND)
    cond.check()


def test_signal_wakes_the_one_that_has_waited_longest(config):
    def main():
        cond, log = sync.Cond(sync.Mutex()), []
        sleepers(cond, log, 3)
        assert repr(cond) == "<sync.Cond, 3 waiting>"
        for woken in range(1, 4):
            with cond.l:
                cond.signal()
            time.sleep(MILLISECOND)
            assert log == list(range(woken))
            cond.check()
        cond.signal()  # nobody is there, and it is not kept
        assert (cond.notify.wait, cond.notify.notify) == (3, 3)

    run(main, **config)


def test_broadcast_wakes_all_and_those_that_come_later_wait(config):
    def main():
        cond, log = sync.Cond(sync.Mutex()), []
        sleepers(cond, log, 3)
        cond.broadcast()
        sleepers(cond, log, 2)
        time.sleep(MILLISECOND)
        assert sorted(log) == [0, 1, 2]
        assert len(cond.notify.waiting()) == 2
        cond.broadcast()
        cond.broadcast()
        time.sleep(MILLISECOND)
        assert sorted(log) == [0, 0, 1, 1, 2]

    run(main, **config)


def test_broadcast_readies_in_order_so_that_the_last_runs_first():
    def main():
        cond, log = sync.Cond(sync.Mutex()), []
        sleepers(cond, log, 5)
        cond.broadcast()
        time.sleep(MILLISECOND)
        return log

    assert run(main, gomaxprocs=1) == [4, 0, 1, 2, 3]


def test_generations():
    """In Go's words: a hundred goroutines that are signalled one after another wake up in the order they came."""

    def main():
        mu = sync.Mutex()
        cond = sync.Cond(mu)
        count, running, awake = 100, chan(100), chan(100)
        for number in range(count):

            @go
            def _(number=number):
                mu.lock()
                running.send(True)
                cond.wait()
                awake.send(number)
                mu.unlock()

            if number:
                assert awake.recv() == number - 1
            running.recv()
            with mu:
                cond.signal()
        return awake.recv()

    assert run(main, gomaxprocs=1) == 99


def test_a_race_of_waiters_and_signallers():
    """In Go's words: x goes 0, 1, 2 and each waits for the other."""

    def main():
        x, mu, done = [0], sync.Mutex(), chan()
        cond = sync.Cond(mu)

        def first():
            with mu:
                x[0] = 1
                cond.wait()
                assert x[0] == 2
                x[0] = 3
                cond.signal()
            done.send(True)

        def second():
            with mu:
                while x[0] != 1:
                    mu.unlock()
                    runtime.gosched()
                    mu.lock()
                x[0] = 2
                cond.signal()
            done.send(True)

        def third():
            with mu:
                while x[0] not in (2, 3):
                    mu.unlock()
                    runtime.gosched()
                    mu.lock()
                while x[0] != 3:
                    cond.wait()
            done.send(True)

        for each in (first, second, third):
            go(each)
        for _ in range(3):
            done.recv()
        return x[0]

    for procs in (1, 2, 4):
        assert [run(main, gomaxprocs=procs, seed=seed) for seed in range(5)] == [3] * 5


def test_a_notification_between_the_ticket_and_the_sleep_is_not_lost():
    """A lock that lets others signal while it is unlocked."""

    class Slow(sync.Mutex):
        __slots__ = ()

        def unlock(self):
            sync.Mutex.unlock(self)
            cond.signal()

    log = []

    def main():
        nonlocal cond
        cond = sync.Cond(Slow())
        cond.l.lock()
        cond.wait()
        log.append(cond.notify.waiting())
        sync.Mutex.unlock(cond.l)

    cond = None
    run(main)
    assert log == [[]]


@pytest.mark.parametrize("lock", [sync.Mutex, sync.RWMutex, lambda: sync.RWMutex().rlocker()])
def test_every_lock_will_do(lock):
    def main():
        cond, log = sync.Cond(lock()), []
        sleepers(cond, log, 2)
        cond.broadcast()
        time.sleep(MILLISECOND)
        return sorted(log)

    assert run(main) == [0, 1]


def test_a_lock_of_the_user_s_own():
    class Counting:
        def __init__(self):
            self.mu, self.calls = sync.Mutex(), []

        def lock(self):
            self.calls.append("lock")
            self.mu.lock()

        def unlock(self):
            self.calls.append("unlock")
            self.mu.unlock()

    def main():
        lock = Counting()
        cond = sync.Cond(lock)

        @go
        def _():
            lock.lock()
            cond.wait()
            lock.unlock()

        runtime.gosched()
        cond.signal()
        runtime.gosched()
        return lock.calls

    assert run(main, gomaxprocs=1) == ["lock", "unlock", "lock", "unlock"]


@pytest.mark.parametrize("wrong", [None, 5, object(), chan])
def test_it_needs_a_lock(wrong):
    with pytest.raises(TypeError, match=r"^sync\.Cond: l must be a lock, with the methods lock and unlock, not "):
        sync.Cond(wrong)


def test_waiting_without_the_lock_is_fatal():
    def main():
        sync.Cond(sync.Mutex()).wait()

    with pytest.raises(FatalError, match="sync: unlock of unlocked mutex"):
        run(main)


# ---- copies ----


@pytest.mark.parametrize("way", [copy.copy, copy.deepcopy])
@pytest.mark.parametrize("use", [sync.Cond.signal, sync.Cond.broadcast, sync.Cond.wait])
def test_a_copy_of_one_that_was_used_panics(way, use, config):
    def main():
        cond = sync.Cond(sync.Mutex())
        cond.signal()
        twin = way(cond) if way is copy.copy else cond.__deepcopy__({})
        twin.l.lock()
        found = []

        @func
        def inner():
            defer(lambda: found.append(recover()))
            use(twin)

        inner()
        cond.signal()
        again = copy.copy(twin)
        with pytest.raises(Exception, match="sync.Cond is copied"):
            again.signal()
        return found

    assert run(main, **config) == ["sync.Cond is copied"]


def test_a_copy_of_one_that_was_not_used_is_another_one():
    def main():
        cond = sync.Cond(sync.Mutex())
        twin = copy.copy(cond)
        twin.signal()
        cond.signal()
        return twin.l is cond.l

    assert run(main)


def test_the_panic():
    def main():
        cond = sync.Cond(sync.Mutex())
        cond.signal()
        copy.copy(cond).broadcast()

    with pytest.raises(GoPanic, match=r"^panic: sync\.Cond is copied\n"):
        run(main)


def test_check_finds_a_broken_list():
    def main():
        cond = sync.Cond(sync.Mutex())
        sleepers(cond, [], 2)
        cond.notify.notify = 1
        with pytest.raises(Throw, match="notified goroutine still sleeps"):
            cond.check()

    run(main, gomaxprocs=1)
