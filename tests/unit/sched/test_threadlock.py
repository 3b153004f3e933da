"""sched.threadlock: goroutines and threads that belong to each other."""

import gc
import weakref

import pytest

from goruntime import chan, go, nilchan, run
from goruntime.base.errors import Deadlock, Throw
from goruntime.runtime import goexit, gosched, lock_os_thread, unlock_os_thread, work
from goruntime.sched.pool import MAX_POOLED_G0, pool_of_this_thread
from goruntime.sched.threadlock import startlockedm, stoplockedm
from goruntime.time import sleep

from .world import Still, here, records, sched_here


@pytest.mark.parametrize("gomaxprocs", [1, 2, 4])
def test_a_locked_goroutine_runs_on_its_thread_and_nobody_else_does(gomaxprocs):
    def main():
        lock_os_thread()
        own = here()[0]
        others, done = set(), chan()

        def other():
            for _ in range(10):
                others.add(here()[0].id)
                gosched()
                work(3e-6)
            done.send(None)

        for _ in range(5):
            go(other)
        for turn in range(20):
            assert here()[0] is own
            assert own.lockedg is here()[1]
            if turn % 3 == 0:
                gosched()
            elif turn % 3 == 1:
                sleep(5e-6)
            else:
                work(2e-6)
        for _ in range(5):
            done.recv()
        return own.id, others

    own, others = run(main, gomaxprocs=gomaxprocs)
    assert others
    assert own not in others


def test_locks_nest():
    def main():
        m, g = here()
        counts = []
        for step in (lock_os_thread, lock_os_thread, unlock_os_thread, unlock_os_thread, unlock_os_thread):
            step()
            counts.append((g.lock_count, g.lockedm is m, m.lockedg is g, m.sched.locked_count))
        return counts

    assert run(main, gomaxprocs=1) == [
        (1, True, True, 1), (2, True, True, 1), (1, True, True, 1), (0, False, False, 0), (0, False, False, 0),
    ]  # fmt: skip


def test_a_hand_over_parks_one_thread_and_wakes_the_other():
    def main():
        lock_os_thread()
        ch = chan()
        go(ch.send, 1)
        ch.recv()

    events = records(main, "go_hand_over", "thread_park", "go_start", gomaxprocs=1)
    handed = [event for event in events if event["event"] == "go_hand_over"]
    assert [(event["target"], event["thread"]) for event in handed] == [(1, 0)]
    after_it = events[events.index(handed[0]) + 1 :]
    assert [event["event"] for event in after_it] == ["thread_park", "go_start"]
    assert (after_it[1]["g"], after_it[1]["m"]) == (1, 0)


def test_the_thread_of_a_goroutine_that_ends_locked_ends_with_it():
    def main():
        done = chan()
        threads = []

        def locked():
            lock_os_thread()
            threads.append(here()[0].id)
            done.send(None)

        for _ in range(4):
            go(locked)
            done.recv()
            gosched()
        sched = sched_here()
        assert len(set(threads)) == 4
        gone = sorted(set(threads) - {mp.id for mp in sched.allm})
        return threads, gone, sched.nmfreed, sched.locked_count

    threads, gone, freed, locked = run(main, gomaxprocs=1)
    assert gone == sorted(thread for thread in threads if thread)
    assert freed == len(threads)
    assert locked == 0
    assert len(records(main, "thread_exit", gomaxprocs=1)) == 4


def test_thread_0_is_parked_for_ever_instead():
    def main():
        done = chan()

        def finish():
            assert any(mp.id == 0 for mp in sched_here().allm)
            done.send("alive")

        def supervisor():
            go(finish)
            return done.recv()

        lock_os_thread()
        assert here()[0].id == 0
        go(lambda: (sleep(1e-3), supervisor(), nilchan.recv()))
        goexit()

    with pytest.raises(Deadlock):
        run(main, gomaxprocs=2)


def test_nothing_of_the_threads_that_ended_is_left():
    class Mark:
        pass

    marks = []

    def main():
        done = chan()
        mark = Mark()
        marks.append(weakref.ref(mark))
        sched_here().user["mark"] = mark

        def locked():
            lock_os_thread()
            done.send(None)

        for _ in range(60):
            go(locked)
            done.recv()

    for _ in range(3):
        run(main, gomaxprocs=2)
    gc.collect()
    assert [mark() for mark in marks] == [None] * 3
    assert len(pool_of_this_thread().free_g0) <= MAX_POOLED_G0


def test_unlocking_lets_it_move_again():
    def main():
        lock_os_thread()
        unlock_os_thread()
        assert sched_here().locked_count == 0
        gosched()

    assert records(main, "go_hand_over", gomaxprocs=1) == []


def test_a_locked_goroutine_can_be_preempted_and_comes_back_to_its_thread():
    def main():
        lock_os_thread()
        own = here()[0]
        go(work, 1)
        for _ in range(5):
            work(30e-3)
            assert here()[0] is own

    yields = records(main, "go_yield", gomaxprocs=1)
    assert len([event for event in yields if event["g"] == 1]) >= 3


def test_what_cannot_be():
    w = Still()
    with pytest.raises(Throw, match="inconsistent locking"):
        stoplockedm(_with_lockedg(w))
    gp = w.g()
    gp.lockedm = w.m
    with pytest.raises(Throw, match="locked to me"):
        startlockedm(w.m, gp, "ring", "test")
    other = w.thread()
    gp.lockedm = other
    other.nextp = w.p
    with pytest.raises(Throw, match="m has p"):
        startlockedm(w.m, gp, "ring", "test")


def _with_lockedg(w):
    w.m.lockedg = w.g()
    return w.m
