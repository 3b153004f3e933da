"""What `/sync/mutex/wait/total:seconds` adds up: waits for a Mutex or RWMutex, and for nothing else.

The programs are those of Go's own test, runtime/metrics_test.go TestMutexWaitTimeMetric.
"""

from __future__ import annotations

import pytest

from goruntime import go, run, runtime, sync, time
from tests.unit.sched.world import sched_here

MILLISECOND = 1_000_000
LOCKS = {
    "Mutex.lock": lambda: (mu := sync.Mutex(), mu.lock, mu.unlock, mu.lock, mu.unlock),
    "RWMutex.lock": lambda: (rw := sync.RWMutex(), rw.lock, rw.unlock, rw.lock, rw.unlock),
    "RWMutex.rlock": lambda: (rw := sync.RWMutex(), rw.lock, rw.unlock, rw.rlock, rw.runlock),
    "a writer behind a reader": lambda: (rw := sync.RWMutex(), rw.rlock, rw.runlock, rw.lock, rw.unlock),
}


@pytest.mark.parametrize("config", [{}, {"gomaxprocs": 1}, {"checksum": True}, {"seed": 3, "quantum": 0}], ids=str)
@pytest.mark.parametrize("lock", LOCKS)
def test_a_wait_is_added_up(lock, config):
    def main():
        _, hold, release, wait, leave = LOCKS[lock]()
        hold()

        def waiter():
            wait()
            leave()

        go(waiter)
        time.sleep(1e-3)
        before = sched_here().mutex_wait_ns
        runtime.work(2e-3)
        release()
        time.sleep(1e-3)
        return before, sched_here().mutex_wait_ns

    before, after = run(main, **config)
    assert before == 0  # it is added up when it is over
    assert 2 * MILLISECOND <= after < 4 * MILLISECOND


def test_every_wait_of_every_waiter_counts():
    def main():
        mu = sync.Mutex()
        mu.lock()
        done = sync.WaitGroup()
        for _ in range(5):

            def waiter():
                with mu:
                    runtime.work(1e-3)

            done.go(waiter)
        runtime.gosched()
        mu.unlock()
        done.wait()
        return sched_here().mutex_wait_ns

    # They hold it for 1 ms each, one after the other; how long each waits in all is the same in whatever order.
    assert 9 * MILLISECOND < run(main, gomaxprocs=1) < 16 * MILLISECOND


def test_other_waits_are_none():
    def main():
        mu, group = sync.Mutex(), sync.WaitGroup()
        cond, once = sync.Cond(mu), sync.Once()

        def waiter():
            with mu:
                cond.wait()
            once.do(lambda: time.sleep(1e-3))

        group.go(waiter)
        group.go(waiter)
        time.sleep(1e-3)
        cond.broadcast()
        group.wait()
        return sched_here().mutex_wait_ns

    # Two that broadcast woke compete for mu, and one waits for the other's Once, which is a Mutex inside, as in Go.
    assert run(main, gomaxprocs=1) < 1.1 * MILLISECOND
