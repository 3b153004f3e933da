"""sync.RWMutex: readers together, writers alone, and who waits for whom."""

from __future__ import annotations

import pytest

from goruntime import FatalError, chan, defer, func, go, recover, run, runtime, sync, time
from goruntime.base.errors import Throw
from goruntime.kernel import costs
from goruntime.sync.rwmutex import MAX_READERS
from tests.unit.sched.world import here

MILLISECOND = 1e-3


@pytest.fixture(params=[{}, {"checksum": True}, {"gomaxprocs": 4}], ids=["one P", "listening", "four Ps"])
def config(request):
    return {"gomaxprocs": 1, **request.param}


def queue(rw, log, kinds):
    """Goroutines that come one after another: R and W, each logs its letter and number while it holds the lock."""

    def come(kind, number):
        locker = rw if kind == "W" else rw.rlocker()
        locker.lock()
        log.append(f"{kind}{number}")
        runtime.gosched()
        locker.unlock()

    for number, kind in enumerate(kinds):
        go(come, kind, number)
        runtime.gosched()


def test_readers_together(config):
    def main():
        rw, together, leave = sync.RWMutex(), chan(), chan()

        def read():
            with rw.rlocker():
                together.send(None)
                leave.recv()

        for _ in range(3):
            go(read)
        for _ in range(3):
            together.recv()
        assert rw.reader_count == 3
        assert repr(rw) == "<sync.RWMutex, 3 readers>"
        assert rw.try_lock() is False
        assert rw.try_rlock() is True
        rw.runlock()
        for _ in range(3):
            leave.send(None)
        time.sleep(MILLISECOND)
        assert (rw.reader_count, repr(rw)) == (0, "<sync.RWMutex>")
        rw.check()

    run(main, **config)


def test_a_writer_alone(config):
    def main():
        rw = sync.RWMutex()
        with rw as nothing:
            assert nothing is None
            assert rw.reader_count == -MAX_READERS
            assert repr(rw) == "<sync.RWMutex, locked>"
            assert rw.try_rlock() is False
            assert rw.try_lock() is False
            rw.check()
        assert rw.try_lock() is True
        rw.unlock()
        assert rw.try_rlock() is True
        rw.runlock()
        assert (rw.reader_count, rw.w.state) == (0, 0)

    run(main, **config)


def test_a_pending_writer_keeps_new_readers_out(config):
    def main():
        rw, log = sync.RWMutex(), []
        rw.rlock()
        queue(rw, log, "W")
        time.sleep(MILLISECOND)
        assert rw.reader_count == 1 - MAX_READERS
        assert rw.reader_wait == 1
        assert repr(rw) == "<sync.RWMutex waits for 1 readers>"
        assert rw.try_rlock() is False
        assert rw.try_lock() is False
        queue(rw, log, "R")
        time.sleep(MILLISECOND)
        rw.check()
        assert log == []
        rw.runlock()
        time.sleep(MILLISECOND)
        assert log == ["W0", "R0"]

    run(main, **config)


def test_unlock_lets_in_all_readers_before_the_next_writer():
    def main():
        rw, log = sync.RWMutex(), []
        rw.lock()
        queue(rw, log, "RRWRR")
        rw.unlock()
        time.sleep(MILLISECOND)
        return log

    log = run(main, gomaxprocs=1)
    assert sorted(log[:4]) == ["R0", "R1", "R3", "R4"]
    assert log[4:] == ["W2"]


def test_the_last_reader_lets_the_writer_in():
    def main():
        rw, log = sync.RWMutex(), []
        for _ in range(3):
            rw.rlock()
        queue(rw, log, "W")
        for left in (2, 1):
            rw.runlock()
            runtime.gosched()
            assert (rw.reader_wait, log) == (left, [])
        rw.runlock()
        runtime.gosched()
        return log

    assert run(main, gomaxprocs=1) == ["W0"]


def test_writers_wait_for_one_another_as_for_a_mutex():
    def main():
        rw = sync.RWMutex()
        rw.lock()
        queue(rw, [], "WR")
        text = runtime.stack(all=True)
        return "[sync.Mutex.Lock]" in text, "[sync.RWMutex.RLock]" in text

    assert run(main, gomaxprocs=1) == (True, True)


def test_read_locking_twice_with_a_writer_in_between_is_a_deadlock():
    def main():
        rw = sync.RWMutex()
        rw.rlock()
        queue(rw, [], "W")
        rw.rlock()

    with pytest.raises(FatalError, match=r"goroutine 1 \[sync\.RWMutex\.RLock\](.|\n)*\[sync\.RWMutex\.Lock\]"):
        run(main, gomaxprocs=1)


def test_rlocker():
    def main():
        rw = sync.RWMutex()
        locker = rw.rlocker()
        locker.lock()
        assert rw.reader_count == 1
        locker.unlock()
        with locker:
            assert rw.reader_count == 1
        assert rw.reader_count == 0
        assert rw.rlocker() == locker != sync.RWMutex().rlocker()
        assert len({rw.rlocker(), locker}) == 1
        assert repr(locker) == "<sync.RLocker of <sync.RWMutex>>"

    run(main)


@pytest.mark.parametrize(
    ("misuse", "text"),
    [
        (lambda rw: rw.runlock(), "sync: RUnlock of unlocked RWMutex"),
        (lambda rw: rw.rlocker().unlock(), "sync: RUnlock of unlocked RWMutex"),
        (lambda rw: (rw.lock(), rw.runlock()), "sync: RUnlock of unlocked RWMutex"),
        (lambda rw: (rw.rlock(), rw.runlock(), rw.runlock()), "sync: RUnlock of unlocked RWMutex"),
        (lambda rw: rw.unlock(), "sync: Unlock of unlocked RWMutex"),
        (lambda rw: (rw.rlock(), rw.unlock()), "sync: Unlock of unlocked RWMutex"),
        (lambda rw: (rw.lock(), rw.unlock(), rw.unlock()), "sync: Unlock of unlocked RWMutex"),
    ],
)
def test_misuse_is_fatal(misuse, text, config):
    def main():
        rw = sync.RWMutex()

        @func
        def inner():
            defer(lambda: log.append(recover()))
            misuse(rw)

        inner()

    log = []
    with pytest.raises(FatalError, match=f"^fatal error: {text}\n"):
        run(main, **config)
    assert log == []


@pytest.mark.parametrize("procs", [1, 2, 4])
@pytest.mark.parametrize("readers", [1, 3, 10])
def test_hammer(procs, readers):
    """In Go's words: readers add 1 and writers 10,000 to what is active: never more than one of the latter."""

    def main():
        rw, wg, active = sync.RWMutex(), sync.WaitGroup(), [0]

        def read(number):
            for turn in range(20):
                with rw.rlocker():
                    active[0] += 1
                    assert 1 <= active[0] < 10_000
                    runtime.work((number + turn) % 3 * 1e-6)
                    active[0] -= 1
                rw.check()

        def write(number):
            for turn in range(20):
                if turn % 4 == 0:
                    if not rw.try_lock():
                        continue
                else:
                    rw.lock()
                active[0] += 10_000
                assert active[0] == 10_000
                runtime.work((number + turn) % 3 * 1e-6)
                active[0] -= 10_000
                rw.unlock()
                rw.check()

        for number in range(readers):
            wg.go(read, number)
        for number in range(2):
            wg.go(write, number)
        wg.wait()
        return rw.reader_count, rw.reader_wait, rw.w.state

    assert [run(main, gomaxprocs=procs, seed=seed) for seed in range(3)] == [(0, 0, 0)] * 3


def test_writers_do_not_starve():
    def main():
        rw, stop = sync.RWMutex(), [False]

        def read():
            while not stop[0]:
                with rw.rlocker():
                    time.sleep(0.0003)

        for _ in range(3):
            go(read)
            time.sleep(0.0001)
        for _ in range(5):
            with rw:
                pass
        stop[0] = True

    for procs in (1, 4):
        run(main, gomaxprocs=procs, max_time=1)


def test_costs():
    def main():
        rw = sync.RWMutex()
        m, _ = here()
        before = m.clock
        rw.rlock()
        rw.runlock()
        middle = m.clock
        rw.lock()
        rw.unlock()
        return middle - before, m.clock - middle

    assert run(main, gomaxprocs=1) == (2 * costs.RWMUTEX_READ, 2 * costs.RWMUTEX_WRITE)


@pytest.mark.parametrize(
    "break_it",
    [
        lambda rw: setattr(rw, "reader_count", MAX_READERS),
        lambda rw: setattr(rw, "reader_count", -MAX_READERS),
        lambda rw: setattr(rw.w, "state", 0),
        lambda rw: setattr(rw, "reader_wait", 5),
        lambda rw: setattr(rw.writer_sema, "count", -1),
    ],
)
def test_check_finds_a_broken_state(break_it):
    def main():
        rw = sync.RWMutex()
        rw.lock()
        queue(rw, [], "R")
        rw.check()
        break_it(rw)
        with pytest.raises(Throw):
            rw.check()

    run(main, gomaxprocs=1)
