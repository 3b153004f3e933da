"""lang.go: the go statement."""

import functools

import pytest

from goruntime import chan, go, run
from goruntime.runtime import gosched
from goruntime.sched.p import RING
from tests.model.invariants import doors
from tests.unit.sched.world import records

EVERY_WAY = pytest.mark.parametrize("is_open", [True, False], ids=["checked", "fast"])


def test_it_returns_none_and_what_was_started_runs_later():
    def main():
        ran = []
        assert go(ran.append, 1) is None
        assert ran == []
        gosched()
        return ran

    assert run(main, gomaxprocs=1) == [1]


def test_as_a_decorator():
    def main():
        done = chan()

        @go
        def _():
            done.send("ran")

        return done.recv()

    assert run(main) == "ran"


@pytest.mark.parametrize("fn", [int, functools.partial(int, "7"), lambda: None, "".join, object])
def test_whatever_can_be_called(fn):
    def main():
        go(fn, []) if fn == "".join else go(fn)
        gosched()
        gosched()

    run(main, gomaxprocs=1)


async def coroutine():
    pass


def generator():
    yield


@pytest.mark.parametrize("fn", [None, 3, "x", coroutine, generator])
def test_what_is_refused(fn):
    def main():
        with pytest.raises(TypeError, match="go: "):
            go(fn)

    run(main)


def test_it_names_the_mistake_of_calling_the_function():
    def main():
        with pytest.raises(TypeError, match=r"go: None is not callable; write go\(f, x\), not go\(f\(x\)\)"):
            go([].append(1))

    run(main)


def test_outside_a_program():
    with pytest.raises(RuntimeError, match=r"^go must be called from a goroutine"):
        go(print)


def order_of(count, after_each=lambda number: None):
    """In which order so many goroutines run that were started in order of their numbers."""

    def main():
        gosched()
        gosched()
        order, done = [], chan(count)

        def one(number):
            order.append(number)
            done.send(None)

        for number in range(count):
            go(one, number)
            after_each(number)
        for _ in range(count):
            done.recv()
        return order

    return run(main, gomaxprocs=1)


@EVERY_WAY
def test_the_last_started_runs_first_and_the_others_in_order(is_open):
    with doors(is_open):
        assert order_of(10) == [9, 0, 1, 2, 3, 4, 5, 6, 7, 8]


@EVERY_WAY
def test_a_ring_that_overflows_spills_its_older_half(is_open):
    with doors(is_open):
        order = order_of(RING + 2)
    assert order[0] == RING + 1
    ring, spilled = order[1:129], order[129:]
    # Up to 3 of the spilled ones come early, one at each 61st slice.
    early = [number for number in order[1:] if number < 128][:2]
    assert sorted(order) == list(range(RING + 2))
    assert len(set(ring) & set(range(128, 256))) >= 126
    assert len(early) == 2
    assert spilled[-1] == 256


def test_who_was_started_is_in_runnext_and_its_creator_goes_on():
    def main():
        go(gosched)
        go(gosched)

    created = [event for event in records(main, "go_create", gomaxprocs=1) if event["g"] == 1]
    assert [(event["target"], event["queue"]) for event in created] == [(7, "runnext"), (8, "runnext")]


def test_a_chain_of_goroutines_needs_no_stack():
    def main():
        done = chan()

        def link(left):
            if left:
                go(link, left - 1)
            else:
                done.send("end")

        go(link, 5_000)
        return done.recv()

    for gomaxprocs in (1, 3):
        assert run(main, gomaxprocs=gomaxprocs) == "end"


def test_keyword_arguments_are_the_goroutine_s_own():
    def main():
        got = chan(2)

        def one(**options):
            options["seen"] = True
            got.send(options)

        shared = {"a": 1}
        go(one, **shared)
        go(one)
        return got.recv(), got.recv(), shared

    assert run(main, gomaxprocs=1) == ({"seen": True}, {"a": 1, "seen": True}, {"a": 1})
