"""Exploring programs as people write them with sync and atomic: what is proved, what is found, and replayed."""

from __future__ import annotations

import pytest

from goruntime import FatalError, GoPanic, atomic, go, runtime, sync
from goruntime.check import explore, replay


def add(mu, cell):
    with mu:
        seen = cell[0]
        runtime.gosched()
        cell[0] = seen + 1


def guarded():
    mu, wg, cell = sync.Mutex(), sync.WaitGroup(), [0]
    for _ in range(2):
        wg.go(add, mu, cell)
    wg.wait()
    assert cell[0] == 2, "an update was lost"


class NoLock:
    def __enter__(self):
        return None

    def __exit__(self, *_):
        return None


def unguarded():
    wg, cell = sync.WaitGroup(), [0]
    for _ in range(2):
        wg.go(add, NoLock(), cell)
    wg.wait()
    assert cell[0] == 2, "an update was lost"


def take_both(first, second):
    with first, second:
        pass


def two_orders():
    a, b, wg = sync.Mutex(), sync.Mutex(), sync.WaitGroup()
    wg.go(take_both, a, b)
    wg.go(take_both, b, a)
    wg.wait()


def adds_too_late():
    """The classic: wg.add inside the goroutine."""
    wg = sync.WaitGroup()
    wg.add(1)

    def worker():
        wg.add(1)
        wg.done()

    go(worker)
    go(wg.done)
    wg.wait()


def waits_without_a_loop():
    """A waiter that does not ask whether it has come too late."""
    mu, wg = sync.Mutex(), sync.WaitGroup()
    cond = sync.Cond(mu)

    def wait():
        with mu:
            cond.wait()

    def signal():
        with mu:
            cond.signal()

    wg.go(wait)
    wg.go(signal)
    wg.wait()


def waits_in_a_loop():
    mu, wg, is_ready = sync.Mutex(), sync.WaitGroup(), [False]
    cond = sync.Cond(mu)

    def wait():
        with mu:
            while not is_ready[0]:
                cond.wait()

    def signal():
        with mu:
            is_ready[0] = True
            cond.signal()

    wg.go(wait)
    wg.go(signal)
    wg.wait()


def two_steps():
    """A counter that is loaded and stored, where it should be added to."""
    count, wg = atomic.Int64(), sync.WaitGroup()

    def step():
        seen = count.load()
        count.store(seen + 1)

    wg.go(step)
    wg.go(step)
    wg.wait()
    assert count.load() == 2, "an update was lost"


def one_step():
    count, wg = atomic.Int64(), sync.WaitGroup()
    wg.go(count.add, 1)
    wg.go(count.add, 1)
    wg.wait()
    assert count.load() == 2


def initialised_once():
    once, wg, cell = sync.Once(), sync.WaitGroup(), [0]

    def first():
        seen = cell[0]
        runtime.gosched()
        cell[0] = seen + 1

    def use():
        once.do(first)
        assert cell[0] == 1

    wg.go(use)
    wg.go(use)
    wg.wait()


def unlocks_twice():
    """Only if the other one is faster."""
    mu = sync.Mutex()
    mu.lock()
    go(mu.unlock)
    runtime.gosched()
    if mu.try_lock():
        mu.unlock()
        mu.unlock()
    else:
        mu.lock()


def reads_twice():
    """A read lock inside a read lock, and a writer in between."""
    rw, wg = sync.RWMutex(), sync.WaitGroup()

    def read():
        with rw.rlocker(), rw.rlocker():
            pass

    def write():
        with rw:
            pass

    wg.go(read)
    wg.go(write)
    wg.wait()


@pytest.mark.parametrize("main", [guarded, waits_in_a_loop, one_step, initialised_once], ids=lambda main: main.__name__)
def test_what_is_right_is_proved(main):
    report = explore(main, strategy="dfs", schedules=5_000)
    assert (report.verdict, report.failures) == ("proved", [])


WRONG = [
    (unguarded, "assertion", "an update was lost"),
    (two_orders, "deadlock", "all goroutines are asleep"),
    (adds_too_late, "panic", "sync: WaitGroup"),
    (waits_without_a_loop, "deadlock", "all goroutines are asleep"),
    (two_steps, "assertion", "an update was lost"),
    (unlocks_twice, "fatal error", "sync: unlock of unlocked mutex"),
    (reads_twice, "deadlock", "all goroutines are asleep"),
]


@pytest.mark.parametrize(("main", "kind", "text"), WRONG, ids=[row[0].__name__ for row in WRONG])
def test_what_is_wrong_is_found_and_replayed(main, kind, text):
    report = explore(main, strategy="dfs", schedules=5_000)
    (failure, *_) = report.failures
    assert failure.kind == kind
    assert text in failure.text
    with pytest.raises((GoPanic, FatalError), match=text):
        replay(main, failure.schedule)


@pytest.mark.parametrize("main", [row[0] for row in WRONG[:4]], ids=lambda main: main.__name__)
def test_a_random_walk_finds_it_too(main):
    assert explore(main, strategy="random", schedules=3_000).verdict == "failed"


def test_both_panics_of_a_misused_group_can_be_reached():
    report = explore(adds_too_late, strategy="dfs", schedules=5_000, stop_on_failure=False)
    said = {failure.message for failure in report.failures}
    assert "panic: sync: WaitGroup is reused before previous Wait has returned" in said
    assert "panic: sync: WaitGroup misuse: Add called concurrently with Wait" in said


def test_a_report_names_the_user_s_functions_and_the_locks():
    (failure,) = explore(two_orders, strategy="dfs", schedules=5_000).failures
    assert set(failure.functions.values()) == {f"{__name__}.two_orders", f"{__name__}.take_both"}
    text = failure.explain()
    assert "lock mutex 1" in text
    assert "wait waitgroup 1" in text
    assert "goruntime" not in text
