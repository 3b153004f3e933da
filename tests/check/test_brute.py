"""Depth-first search reaches exactly the final states that brute force over all interleavings gives.

Brute force (brute.py) is a model of its own: it interleaves finer than exploration asks, lets everybody wait in every
queue at any time, and commutes nothing. So these tests hold against it what exploration leaves out: the operations that
it does not offer, the segments that it calls quiet, the schedules that it gives up as equal to others.
"""

from __future__ import annotations

import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from .brute import Program, outcomes
from .outcomes import explored, load

MANY = int(os.environ.get("GORUNTIME_BRUTE_EXAMPLES", "0"))

LOCK, UNLOCK = ("send", 0, 1), ("recv", 0)
ADD = (("load",), ("gosched",), ("store",))
PROGRAMS = {
    "lost update, two": Program(
        (2,), ((("go", 1), ("go", 2), ("recv", 0), ("recv", 0)), (*ADD, ("send", 0, 1)), (*ADD, ("send", 0, 1)))
    ),
    "lost update, three": Program(
        (0,),
        (
            (("go", 1), ("go", 2), ("go", 3), ("recv", 0), ("recv", 0), ("recv", 0)),
            *((*ADD, ("send", 0, 1)) for _ in range(3)),
        ),
    ),
    "ping-pong with a shared cell": Program(
        (0, 0),
        (
            (
                ("go", 1),
                ("load",),
                ("store",),
                ("send", 0, 1),
                ("load",),
                ("recv", 1),
                ("store",),
                ("send", 0, 2),
                ("log",),
            ),
            (("recv", 0), ("load",), ("store",), ("send", 1, 1), ("log",), ("recv", 0), ("load",), ("store",)),
        ),
    ),
    "two producers on a buffer": Program(
        (1,),
        (
            (("go", 1), ("go", 2), ("recv", 0), ("log",), ("recv", 0), ("log",), ("recv", 0), ("log",)),
            (("send", 0, 1), ("load",), ("store",), ("send", 0, 2)),
            (("send", 0, 3), ("load",), ("store",)),
        ),
    ),
    "two consumers on a buffer": Program(
        (2,),
        (
            (("go", 1), ("go", 2), ("send", 0, 1), ("send", 0, 2), ("sleep", 1)),
            (("recv", 0), ("log",)),
            (("recv", 0), ("log",)),
        ),
    ),
    "select with two ready cases": Program(
        (1, 1),
        ((("send", 0, 1), ("send", 1, 2), ("select", (("recv", 0), ("recv", 1)), False), ("log",)),),
    ),
    "select both ways": Program(
        (0, 0),
        (
            (("go", 1), ("go", 2), ("select", (("recv", 0), ("send", 1, 7)), False), ("log",), ("sleep", 1)),
            (("select", (("send", 0, 8), ("recv", 1)), False), ("log",)),
            (("select", (("send", 0, 9), ("recv", 1)), True), ("log",)),
        ),
    ),
    "select with default against a sender": Program(
        (0,),
        ((("go", 1), ("select", (("recv", 0),), True), ("log",)), (("send", 0, 5),)),
    ),
    "a ready select against a sender": Program(
        (0, 2),
        (
            (("go", 1), ("send", 1, 1), ("select", (("recv", 0), ("recv", 1)), False), ("log",)),
            (("send", 0, 2),),
        ),
    ),
    "close against receive": Program(
        (0,),
        (
            (("go", 1), ("go", 2), ("recv", 0), ("log",), ("recv", 0), ("log",)),
            (("send", 0, 4), ("load",)),
            (("close", 0),),
        ),
    ),
    "close against waiting senders": Program((1,), ((("go", 1), ("send", 0, 1), ("send", 0, 2)), (("close", 0),))),
    "equal sleeps": Program(
        (0,), ((("go", 1), ("go", 2), ("sleep", 2), ("log",)), (("sleep", 1), ("log",)), (("sleep", 1), ("log",)))
    ),
    "different sleeps": Program(
        (2,),
        (
            (("go", 1), ("go", 2), ("recv", 0), ("log",), ("recv", 0), ("log",)),
            (("sleep", 1), ("send", 0, 1)),
            (("sleep", 2), ("send", 0, 2)),
        ),
    ),
    "a mutex": Program(
        (1, 2),
        (
            (("go", 1), ("go", 2), ("recv", 1), ("recv", 1)),
            (LOCK, *ADD, UNLOCK, ("send", 1, 1)),
            (LOCK, *ADD, UNLOCK, ("send", 1, 1)),
        ),
    ),
    "two mutexes in two orders": Program(
        (1, 1, 2),
        (
            (("go", 1), ("go", 2), ("recv", 2), ("recv", 2)),
            (("send", 0, 1), ("send", 1, 1), *ADD, ("recv", 1), ("recv", 0), ("send", 2, 1)),
            (("send", 1, 1), ("send", 0, 1), *ADD, ("recv", 0), ("recv", 1), ("send", 2, 1)),
        ),
    ),
    "len": Program(
        (2,), ((("go", 1), ("len", 0), ("log",), ("len", 0), ("log",)), (("send", 0, 1), ("store",), ("recv", 0)))
    ),
    "left behind": Program((0,), ((("go", 1), ("go", 2), ("gosched",)), (("send", 0, 1),), (("recv", 0), ("recv", 0)))),
}


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
def test_a_named_program(program):
    found, report = explored(load(program))
    assert found == outcomes(program)
    assert report.why_stopped == "every schedule was run"
    assert report.distinct_traces == report.schedules - report.pruned


def test_the_mutex_is_proved_and_nothing_is_lost():
    found, report = explored(load(PROGRAMS["a mutex"]))
    assert found == {("returned", 2, (), ())}
    assert report.verdict == "proved"


def test_the_lost_update_is_lost():
    found, _ = explored(load(PROGRAMS["lost update, three"]))
    assert {cell for _, cell, _, _ in found} == {1, 2, 3}


def test_two_orders_deadlock():
    found, report = explored(load(PROGRAMS["two mutexes in two orders"]))
    assert ("deadlock",) in found
    assert report.verdict == "failed"
    assert [failure.kind for failure in report.failures] == ["deadlock"]


def statements(goroutine_count: int, channel_count: int) -> st.SearchStrategy[tuple]:
    channel = st.integers(0, channel_count - 1)
    value = st.integers(1, 3)
    case = st.one_of(st.tuples(st.just("recv"), channel), st.tuples(st.just("send"), channel, value))
    cases = st.lists(case, min_size=1, max_size=2).map(tuple)
    return st.one_of(
        st.tuples(st.just("send"), channel, value),
        st.tuples(st.just("recv"), channel),
        st.tuples(st.just("recv"), channel),
        st.tuples(st.just("close"), channel),
        st.tuples(st.just("sendx"), channel),
        st.tuples(st.just("len"), channel),
        st.sampled_from([("gosched",), ("load",), ("store",), ("log",), ("log",), ("sleep", 1), ("sleep", 2)]),
        st.tuples(st.just("select"), cases, st.booleans()),
    )


@st.composite
def programs(draw: st.DrawFn, most_goroutines: int = 2, most_statements: int = 3) -> Program:
    """One to three goroutines of one to three statements each; main starts the others somewhere in between."""
    sizes = draw(st.lists(st.integers(0, 2), min_size=1, max_size=2).map(tuple))
    count = draw(st.integers(1, most_goroutines))
    statement = statements(count, len(sizes))
    bodies = [draw(st.lists(statement, min_size=1, max_size=most_statements)) for _ in range(count + 1)]
    for goroutine in range(count, 0, -1):
        bodies[0].insert(draw(st.integers(0, len(bodies[0]))), ("go", goroutine))
    order = [item for item in bodies[0] if item[0] == "go"]
    for position, index in enumerate(i for i, item in enumerate(bodies[0]) if item[0] == "go"):
        bodies[0][index] = sorted(order)[position]
    return Program(sizes, tuple(tuple(body) for body in bodies))


LIMIT = 5_000  # schedules; a program that has more is let go


def agrees(program: Program, quiet: bool = True) -> None:
    found, report = explored(load(program), schedules=LIMIT, quiet=quiet)
    expected = outcomes(program)
    if report.why_stopped == "every schedule was run":
        assert found == expected
    else:
        assert found <= expected


@pytest.mark.slow
@settings(max_examples=MANY or 150)
@given(programs())
def test_random_programs(program):
    agrees(program)


@pytest.mark.slow
@settings(max_examples=MANY or 30)
@given(programs(most_goroutines=3))
def test_random_programs_of_four_goroutines(program):
    agrees(program)


@pytest.mark.slow
@settings(max_examples=MANY or 30)
@given(programs(most_statements=2))
def test_random_programs_without_quiet_segments(program):
    agrees(program, quiet=False)


@pytest.mark.slow
@settings(max_examples=MANY or 50)
@given(programs())
def test_a_random_walk_stays_within(program):
    found, _ = explored(load(program), "random", schedules=50)
    assert found <= outcomes(program)


@pytest.mark.slow
@settings(max_examples=MANY or 30)
@given(programs(), st.integers(0, 2))
def test_bounded_preemptions_stay_within(program, bound):
    found, report = explored(load(program), schedules=2_000, bound=bound)
    expected = outcomes(program)
    assert found <= expected
    if report.verdict == "proved":
        assert found == expected
