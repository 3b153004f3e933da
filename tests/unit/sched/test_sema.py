"""sched.sema: first in, first out, and the hand-off."""

import pytest

from goruntime import chan, go, run
from goruntime.runtime import gosched, work
from goruntime.sched.sema import Sema

from .world import here, records


def holding(count, release, gomaxprocs=1):
    """So many goroutines wait in order of their numbers; the main goroutine releases. In which order all went on."""

    def main():
        sema, order, done = Sema(1), [], chan(count)
        sema.acquire(*here())

        def wait(number):
            sema.acquire(*here())
            order.append(number)
            release(sema)
            done.send(None)

        for number in range(count):
            go(wait, number)
            gosched()
        gosched()
        release(sema)
        order.append("main")
        for _ in range(count):
            done.recv()
        return order, sema.count, len(sema.waiting())

    return run(main, gomaxprocs=gomaxprocs)


def test_with_hand_off_the_waiter_runs_at_once_and_the_releaser_queues_behind_its_ring():
    order, count, waiting = holding(4, lambda sema: sema.release(*here(), is_handoff=True))
    assert order == [0, 1, 2, "main", 3] or order == [0, 1, 2, 3, "main"]
    assert order[0] == 0
    assert (count, waiting) == (1, 0)


def test_handing_over_without_yielding_the_releaser_goes_on_first():
    order, count, waiting = holding(3, lambda sema: sema.release(*here(), is_handoff=True, yields=False))
    assert order == ["main", 0, 1, 2]
    assert (count, waiting) == (1, 0)


def test_without_hand_off_the_waiter_competes():
    order, count, waiting = holding(3, lambda sema: sema.release(*here()))
    assert order == ["main", 0, 1, 2]
    assert (count, waiting) == (1, 0)


def test_without_hand_off_somebody_else_may_be_faster_and_the_loser_waits_again():
    def main():
        sema, order = Sema(1), []
        sema.acquire(*here())

        def wait(name):
            sema.acquire(*here())
            order.append(name)
            sema.release(*here())

        go(wait, "waiter")
        gosched()
        sema.release(*here())
        sema.acquire(*here())  # barging: the waiter is runnable, but has not run
        order.append("main")
        gosched()
        assert order == ["main"]
        sema.release(*here())
        gosched()
        return order

    assert run(main, gomaxprocs=1) == ["main", "waiter"]


def test_a_handed_over_count_cannot_be_taken_by_others():
    def main():
        sema, order = Sema(1), []
        sema.acquire(*here())

        def wait():
            sema.acquire(*here())
            order.append("waiter")

        go(wait)
        gosched()
        sema.release(*here(), is_handoff=True, yields=False)
        assert sema.count == 0
        go(lambda: (sema.acquire(*here()), order.append("late")))
        gosched()
        return order

    assert run(main, gomaxprocs=1) == ["waiter"]


def test_waiting_at_the_front():
    def main():
        sema, order = Sema(0), []

        def wait(number):
            sema.acquire(*here(), is_lifo=number == 2)
            order.append(number)

        for number in range(3):
            go(wait, number)
            gosched()
        for _ in range(3):
            sema.release(*here(), is_handoff=True)
        gosched()
        return order

    assert run(main, gomaxprocs=1) == [2, 0, 1]


def test_a_semaphore_carries_the_time():
    def main():
        sema = Sema(0)
        sema.ns = here()[0].clock + 9_000
        sema.count = 1
        sema.acquire(*here())
        return here()[0].clock >= sema.ns

    assert run(main, gomaxprocs=1)


@pytest.mark.parametrize("seed", range(5))
def test_a_count_is_never_in_two_hands(seed):
    def main():
        sema, inside, done = Sema(2), [0], chan(8)

        def use(number):
            for turn in range(20):
                sema.acquire(*here())
                inside[0] += 1
                assert inside[0] <= 2
                work((number * 7 + turn) % 5 * 1e-6)
                inside[0] -= 1
                sema.release(*here(), is_handoff=turn % 2 == 0)
            done.send(None)

        for number in range(8):
            go(use, number)
        for _ in range(8):
            done.recv()
        return sema.count

    assert run(main, gomaxprocs=4, seed=seed) == 2


def test_waiting_shows_as_semacquire():
    def main():
        sema = Sema(0)
        go(lambda: sema.acquire(*here()))
        gosched()
        sema.release(*here())

    (parked,) = [event for event in records(main, "go_park", gomaxprocs=1) if event["object"] == "semaphore"]
    assert parked["reason"] == "semacquire"
