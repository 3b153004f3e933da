"""Package singleflight: one call for all who wait for it; what it raises; and every order in which they come."""

from __future__ import annotations

import pytest

from goruntime import (
    GoPanic,
    chan,
    defer,
    errors,
    func,
    go,
    panic,
    recover,
    returns,
    run,
    runtime,
    singleflight,
    sync,
    time,
)
from goruntime.check import explore
from goruntime.lang.error import Panic
from goruntime.singleflight import PanicError, Result

from .running import OUTSIDE, current_sched, raising

LOST = errors.new("lost")


class Counted:
    """A function that takes a second, and counts its calls."""

    def __init__(self, result="page", error=None):
        self.calls = 0
        self.result = result
        self.error = error

    def __call__(self, *args):
        self.calls += 1
        time.sleep(1)
        if self.error is not None:
            raise self.error
        return (self.result, *args) if args else self.result


def test_alone():
    def main():
        flights = singleflight.Group()
        fetch = Counted()
        return flights.do("key", fetch), flights.do("key", fetch, 1, 2), fetch.calls, repr(flights)

    assert run(main) == (("page", False), (("page", 1, 2), False), 2, "<singleflight.Group, 0 under way>")


@pytest.mark.parametrize("count", [1, 4])
def test_together(count):
    def main():
        flights = singleflight.Group()
        fetch = Counted()
        wg = sync.WaitGroup()
        got = []
        for _ in range(50):
            wg.go(lambda: got.append(flights.do("key", fetch)))
        wg.go(lambda: got.append(flights.do("other", Counted("another"))))
        wg.wait()
        return fetch.calls, got.count(("page", True)), got.count(("another", False))

    assert run(main, gomaxprocs=count) == (1, 50, 1)


def test_what_it_raises_is_raised_for_everybody():
    def main():
        flights = singleflight.Group()
        fetch = Counted(error=LOST)
        wg = sync.WaitGroup()
        traces = []

        def one():
            try:
                flights.do("key", fetch)
            except errors.ErrorString as error:
                assert error is LOST
                names, trace = [], error.__traceback__
                while trace is not None:
                    names.append(trace.tb_frame.f_code.co_name)
                    trace = trace.tb_next
                traces.append(names)

        for _ in range(3):
            wg.go(one)
        wg.wait()
        return fetch.calls, traces, current_sched().running_panic_defers

    calls, traces, running = run(main)
    assert (calls, running) == (1, 0)
    assert [(names[0], names[-1], names.count("one")) for names in traces] == [("one", "__call__", 1)] * 3


def test_by_channel():
    def main():
        flights = singleflight.Group()
        fetch = Counted()
        first, second = flights.do_chan("key", fetch), flights.do_chan("key", fetch)
        with pytest.raises(TypeError, match="cannot send to receive-only channel"):
            first.send(1)
        failing = flights.do_chan("other", Counted(error=LOST))
        return first.recv(), second.recv(), failing.recv(), fetch.calls

    result = Result("page", None, True)
    assert run(main) == (result, result, Result(None, LOST, False), 1)


def test_do_and_channel_share_a_call():
    def main():
        flights = singleflight.Group()
        fetch = Counted()
        ch = flights.do_chan("key", fetch)
        runtime.gosched()
        return flights.do("key", fetch), ch.recv().shared, fetch.calls

    assert run(main) == (("page", True), True, 1)


def test_forget():
    def main():
        flights = singleflight.Group()
        old, new = Counted("old"), Counted("new")
        first = flights.do_chan("key", old)
        runtime.gosched()
        flights.forget("key")
        flights.forget("never there")
        second = flights.do_chan("key", new)
        time.sleep(0.5)
        third = flights.do_chan("key", old)  # joins the new one
        return first.recv(), second.recv(), third.recv(), flights.do("key", new)

    assert run(main) == (Result("old", None, False), *[Result("new", None, True)] * 2, ("new", False))


# Panics and Goexit.


def test_a_panic_is_everybody_s():
    def main():
        flights = singleflight.Group()
        wg = sync.WaitGroup()
        got = []

        def breaks():
            time.sleep(1)
            panic("boom")

        @func
        def one():
            defer(lambda: got.append(recover()))
            flights.do("key", breaks)

        for _ in range(3):
            wg.go(one)
        wg.wait()
        return got, flights.do("key", lambda: "whole again"), current_sched().running_panic_defers

    got, after, running = run(main)
    assert (after, running) == (("whole again", False), 0)
    assert [type(error) for error in got] == [PanicError] * 3
    assert got[0] is got[1] is got[2]
    assert got[0].value == "boom"
    assert str(got[0]).startswith("boom\n\n")
    assert "in breaks" in str(got[0])


def test_a_panic_error_unwraps_to_an_error():
    def main():
        @func
        def one():
            defer(lambda: returns(recover()))
            singleflight.Group().do("key", panic, LOST)

        error = one()
        return errors.is_(error, LOST), PanicError("text", "").unwrap()

    assert run(main) == (True, None)


def test_a_panic_that_nobody_recovers():
    def main():
        singleflight.Group().do("key", panic, "boom")

    with pytest.raises(GoPanic, match=r"^panic: boom\n\t\n\t"):
        run(main)


def test_a_panic_behind_a_channel_ends_the_program():
    def main():
        ch = singleflight.Group().do_chan("key", panic, "boom")
        try:
            ch.recv()
        except Panic:
            return "caught"

    with pytest.raises(GoPanic, match=r"^panic: boom\n"):
        run(main)


def test_goexit_ends_everybody():
    def main():
        flights = singleflight.Group()
        ended = chan(3)

        def leaves():
            time.sleep(1)
            runtime.goexit()

        def one():
            defer(ended.send, "deferred")
            flights.do("key", leaves)
            ended.send("not reached")

        for _ in range(3):
            go(one)
        return [ended.recv() for _ in range(3)], flights.do("key", lambda: "whole again")

    assert run(main) == (["deferred"] * 3, ("whole again", False))


def test_nothing_is_sent_after_goexit():
    def main():
        ch = singleflight.Group().do_chan("key", runtime.goexit)
        time.sleep(1)
        return len(ch), runtime.num_goroutine()

    assert run(main) == (0, 1)


def test_the_function_has_defer_and_recover():
    def main():
        def recovers():
            defer(lambda: returns(recover()))
            panic("inside")

        return singleflight.Group().do("key", recovers)

    assert run(main) == ("inside", False)


# Every order.


@pytest.mark.slow
def test_a_call_is_never_made_twice_at_a_time():
    """In every schedule: nobody begins a call while one is under way, and whoever overlaps it gets its result."""

    def main():
        flights = singleflight.Group()
        out = chan(2)
        active = calls = 0

        def fetch():
            nonlocal active, calls
            assert not active, "two calls at a time"
            active += 1
            calls += 1
            runtime.gosched()
            active -= 1
            return calls

        for _ in range(2):
            go(lambda: out.send(flights.do("key", fetch)))
        got = [out.recv(), out.recv()]
        shared = [each for each in got if each[1]]
        assert len(shared) in (0, 2)
        return calls, len(shared)

    report = explore(main, "dfs", 50_000)
    assert report.verdict == "proved", str(report)
    assert sorted(report.results) == ["(1, 2)", "(2, 0)"]


def test_without_the_group_two_calls_overlap():
    """The test above can fail: the same without the group."""

    def main():
        out = chan(2)
        active = 0

        def fetch():
            nonlocal active
            assert not active, "two calls at a time"
            active += 1
            runtime.gosched()
            active -= 1
            out.send(None)

        go(fetch)
        go(fetch)
        out.recv()
        out.recv()

    assert "two calls at a time" in explore(main, "dfs", 50_000).failure.message


def generator():
    yield


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (
            lambda g: g.do([], int),
            TypeError,
            "^singleflight.Group.do: key must have a hash, as a key of a dict; list",
        ),
        (lambda g: g.do("key", None), TypeError, "^singleflight.Group.do: None is not callable"),
        (lambda g: g.do("key", generator), TypeError, "^singleflight.Group.do: generator is a generator function"),
        (lambda g: g.do_chan({}, int), TypeError, "^singleflight.Group.do_chan: key must have a hash"),
        (lambda g: g.do_chan("key", 5), TypeError, "^singleflight.Group.do_chan: 5 is not callable"),
        (lambda g: g.forget([]), TypeError, "^singleflight.Group.forget: key must have a hash"),
    ],
)
def test_bad_arguments(call, error, text):
    with pytest.raises(error, match=text):
        run(raising, call, singleflight.Group())


def test_which_run_it_belongs_to():
    flights = singleflight.Group()
    with pytest.raises(RuntimeError, match=f"^singleflight.Group.do {OUTSIDE}"):
        flights.do("key", int)
    assert run(flights.do, "key", int) == (0, False)
    with pytest.raises(RuntimeError, match=r"^<singleflight.Group, 0 under way>, made at .*, belongs to another run"):
        run(raising, flights.do, "key", int)


def test_abandoned():
    log = []

    def left():
        flights = singleflight.Group()
        try:
            flights.do("key", time.sleep, 100)
        finally:
            log.append("finally")
            flights.do("key", log.append, "again")

    def main():
        go(left)
        time.sleep(1)

    run(main)
    assert log == ["finally"]
