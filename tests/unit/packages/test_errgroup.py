"""Package errgroup: the first error, the limit, the context, panics; and every order of who fails first."""

from __future__ import annotations

import pytest

from goruntime import (
    Deadlock,
    GoPanic,
    chan,
    context,
    defer,
    errgroup,
    errors,
    go,
    panic,
    recover,
    run,
    runtime,
    select,
    time,
)
from goruntime.base.errors import FatalError
from goruntime.check import explore
from goruntime.lang.error import Panic

from .running import OUTSIDE, current_sched, raising

BG = context.background()
FIRST, SECOND = errors.new("first"), errors.new("second")


def fails(error, after=0.0):
    time.sleep(after)
    raise error


def test_all_is_well():
    def main():
        group = errgroup.Group()
        done = []
        for n in range(5):
            group.go(done.append, n)
        group.wait()
        group.wait()  # once more changes nothing
        return sorted(done), repr(group)

    assert run(main) == ([0, 1, 2, 3, 4], "<errgroup.Group>")


def test_wait_raises_what_the_first_one_raised():
    def main():
        group = errgroup.Group()
        group.go(fails, SECOND, 2)
        group.go(fails, FIRST, 1)
        group.go(time.sleep, 3)
        start = time.now()
        with pytest.raises(errors.ErrorString) as caught:
            group.wait()
        assert [entry.name for entry in caught.traceback][-1] == "fails"
        with pytest.raises(errors.ErrorString):
            group.wait()
        return caught.value is FIRST, time.now() - start, repr(group)

    assert run(main) == (True, pytest.approx(3, abs=0.01), "<errgroup.Group, failed>")


def test_python_exceptions_are_errors():
    def main():
        group = errgroup.Group()
        group.go(int, "no number")
        group.wait()

    with pytest.raises(GoPanic, match="^panic: ValueError: invalid literal"):
        run(main)


def test_an_error_may_be_returned_as_in_go():
    def main():
        group, ctx = errgroup.with_context(BG)
        group.go(lambda: FIRST)
        group.go(lambda: "no error")
        with pytest.raises(errors.ErrorString, match="^first$"):
            group.wait()
        return context.cause(ctx) is FIRST

    assert run(main) is True


def test_the_context_is_canceled_by_the_first_error():
    def main():
        group, ctx = errgroup.with_context(BG)
        seen = []

        def waits():
            ctx.done().recv()
            seen.append(context.cause(ctx))
            raise ctx.err()

        group.go(waits)
        group.go(fails, FIRST, 1)
        with pytest.raises(errors.ErrorString) as caught:
            group.wait()
        return caught.value is FIRST, seen == [FIRST], ctx.err()

    assert run(main) == (True, True, context.canceled)


def test_the_context_is_canceled_by_the_end_of_wait():
    def main():
        parent, cancel = context.with_cancel(BG)
        group, ctx = errgroup.with_context(parent)
        group.go(time.sleep, 1)
        group.wait()
        left = len(parent.children)
        cancel()
        return ctx.err(), context.cause(ctx), left

    assert run(main) == (context.canceled, context.canceled, 0)


# The limit.


@pytest.mark.parametrize("limit", [1, 3, 10])
@pytest.mark.parametrize("count", [1, 4])
def test_at_most_so_many_at_a_time(limit, count):
    def main():
        group = errgroup.Group()
        group.set_limit(limit)
        active = most = 0

        def works():
            nonlocal active, most
            active += 1
            most = max(most, active)
            time.sleep(0.001)
            active -= 1

        for _ in range(30):
            group.go(works)
        group.wait()
        return most

    assert run(main, gomaxprocs=count) == limit


def test_try_go():
    def main():
        group = errgroup.Group()
        assert group.try_go(time.sleep, 1)
        group.wait()
        group.set_limit(2)
        started = [group.try_go(time.sleep, 1) for _ in range(3)]
        group.wait()
        again = group.try_go(time.sleep, 1)
        group.wait()
        group.set_limit(-1)
        return started, again, all(group.try_go(int) for _ in range(50)), group.wait()

    assert run(main) == ([True, True, False], True, True, None)


def test_a_limit_of_none():
    def main():
        group = errgroup.Group()
        group.set_limit(0)
        assert not group.try_go(int)
        group.go(int)

    with pytest.raises(Deadlock) as caught:
        run(main)
    assert caught.value.goroutines[0].status == "chan send"


def test_the_limit_stays_while_goroutines_are_active():
    def main():
        group = errgroup.Group()
        group.set_limit(3)
        group.go(time.sleep, 1)
        group.go(time.sleep, 1)
        group.set_limit(5)

    text = "^panic: errgroup: modify limit while 2 goroutines in the group are still active\n"
    with pytest.raises(GoPanic, match=text):
        run(main)


# Panics, and other ends.


def test_a_panic_is_no_error():
    def main():
        group = errgroup.Group()
        group.go(panic, "boom")
        try:
            group.wait()
        except Panic:
            return "caught"

    with pytest.raises(GoPanic, match="^panic: boom\n") as caught:
        run(main)
    assert caught.value.goroutine != 1


def test_goexit_is_none_either():
    def main():
        group, ctx = errgroup.with_context(BG)
        group.set_limit(1)
        group.go(runtime.goexit)
        group.go(int)  # there is room again
        group.wait()
        return ctx.err()

    assert run(main) is context.canceled


def test_the_functions_have_defer_and_recover():
    def main():
        group = errgroup.Group()
        log = []

        def recovers():
            defer(lambda: log.append(recover()))
            panic("inside")

        group.go(recovers)
        group.wait()
        return log

    assert run(main) == ["inside"]


def test_stack_overflow_is_fatal():
    def deep():
        deep()

    def main():
        group = errgroup.Group()
        group.go(deep)
        group.wait()

    with pytest.raises(FatalError, match="fatal error: stack overflow"):
        run(main)


def test_no_panic_is_counted_as_running():
    """A caught exception does not keep main from ending."""

    def main():
        group = errgroup.Group()
        for _ in range(100):
            group.go(fails, FIRST)
        with pytest.raises(errors.ErrorString):
            group.wait()
        return current_sched().running_panic_defers

    assert run(main) == 0


# Every order.


@pytest.mark.slow
def test_the_error_is_one_of_them_and_everybody_has_ended():
    def main():
        group, ctx = errgroup.with_context(BG)
        ended = []

        def one(error):
            ended.append(error)
            raise error

        group.go(one, FIRST)
        group.go(one, SECOND)
        try:
            group.wait()
        except errors.ErrorString as error:
            assert len(ended) == 2
            assert context.cause(ctx) is error
            return str(error)

    report = explore(main, "dfs", 50_000)
    assert report.verdict == "proved", str(report)
    assert sorted(report.results) == ["'first'", "'second'"]


def test_what_an_exception_leads_to_is_a_step_of_its_own():
    """Somebody may come between the operation that raises and what is done about it."""

    def main():
        group = errgroup.Group()
        cell, done = [0], chan(1)

        def other():
            cell[0] = 1
            done.send(None)

        group.go(lambda: FIRST)
        go(other)
        try:
            group.wait()
        except errors.ErrorString:
            seen = cell[0]
        done.recv()
        return seen

    report = explore(main, "dfs", 50_000)
    assert (report.verdict, sorted(report.results)) == ("proved", ["0", "1"])


@pytest.mark.slow
def test_a_worker_that_does_not_watch_the_context_is_found():
    def main(watches):
        group, ctx = errgroup.with_context(BG)
        jobs = chan()

        def worker():
            if watches:
                select(jobs.recv, ctx.done().recv)
            else:
                jobs.recv()

        group.go(worker)
        group.go(lambda: FIRST)
        with pytest.raises(errors.ErrorString):
            group.wait()

    assert explore(main, "dfs", 50_000, args=(True,)).verdict == "proved"
    failure = explore(main, "dfs", 50_000, args=(False,)).failure
    assert failure.kind == "deadlock"


def generator():
    yield


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (
            lambda: errgroup.Group().go(None),
            TypeError,
            "^errgroup.Group.go: None is not callable; write",
        ),
        (lambda: errgroup.Group().go(generator), TypeError, "^errgroup.Group.go: generator is a generator function"),
        (lambda: errgroup.Group().try_go(5), TypeError, "^errgroup.Group.try_go: 5 is not callable"),
        (
            lambda: errgroup.Group().set_limit(1.0),
            TypeError,
            "^errgroup.Group.set_limit: n must be an integer",
        ),
        (lambda: errgroup.with_context(None), Panic, "^cannot create context from nil parent"),
        (lambda: errgroup.with_context("no"), TypeError, "must be a context, not str"),
    ],
)
def test_bad_arguments(call, error, text):
    with pytest.raises(error, match=text):
        run(raising, call)


def test_outside_a_run():
    group = errgroup.Group()
    with pytest.raises(RuntimeError, match=OUTSIDE):
        group.go(int)
    with pytest.raises(RuntimeError, match=OUTSIDE):
        group.wait()
    run(lambda: (group.go(int), group.wait()))
    with pytest.raises(RuntimeError, match="belongs to another run"):
        run(raising, group.go, int)


def test_abandoned():
    log = []

    def left():
        group = errgroup.Group()
        group.set_limit(1)
        group.go(time.sleep, 100)
        try:
            group.go(int)
        finally:
            log.append("finally")
            group.wait()
            log.append("not reached")

    def main():
        go(left)
        time.sleep(1)

    run(main)
    assert log == ["finally"]
