"""Package context: what is Python's own about it, what the scheduler sees, and every order in which things can happen.

Its rules are compared with Go's in tests/behavior, by context_rules, context_errors and cancel_order.
"""

from __future__ import annotations

import copy
import gc
import pickle
import weakref

import pytest

from goruntime import Deadlock, GoPanic, chan, context, default, errors, go, run, runtime, select, sync, time
from goruntime.base.errors import FatalError
from goruntime.check import explore, replay
from goruntime.context.text import duration_text, time_text
from goruntime.kernel import costs
from goruntime.lang.error import Panic
from goruntime.testing import synctest
from tests.model.invariants import doors

from .running import OUTSIDE, current_sched, execute, raising

BG = context.background()


@pytest.fixture(params=[True, False], ids=["checked", "fast"])
def every_way(request):
    """The test runs twice: with every transition checked, and with the fast paths, as in production."""
    with doors(request.param):
        yield


# The errors.


def test_the_errors_are_themselves():
    assert str(context.canceled) == "context canceled"
    assert str(context.deadline_exceeded) == "context deadline exceeded"
    assert isinstance(context.deadline_exceeded, TimeoutError)
    assert context.deadline_exceeded.timeout()
    assert context.deadline_exceeded.temporary()
    for error in (context.canceled, context.deadline_exceeded):
        assert copy.copy(error) is copy.deepcopy(error) is pickle.loads(pickle.dumps(error)) is error
        assert errors.is_(error, error)
    assert not errors.is_(context.canceled, context.deadline_exceeded)


def test_python_catches_a_deadline():
    def main():
        ctx, cancel = context.with_timeout(BG, 0.01)
        try:
            ctx.done().recv()
            raise ctx.err()
        except TimeoutError as error:
            return error is context.deadline_exceeded
        finally:
            cancel()

    assert run(main) is True


def test_a_sentinel_that_was_raised_keeps_nothing_of_the_run():
    class Thing:
        pass

    alive = []

    def work(ctx):
        thing = Thing()
        alive.append(weakref.ref(thing))
        try:
            raise KeyError
        except KeyError:
            raise ctx.err()  # noqa: B904  the error's context is what this is about

    def main():
        ctx, cancel = context.with_cancel(BG)
        cancel()
        for _ in range(3):
            with pytest.raises(errors.ErrorString):
                work(ctx)
        assert ctx.err() is context.canceled

    run(main)
    gc.collect()
    assert [ref() for ref in alive] == [None] * 3
    assert context.canceled.__traceback__ is context.canceled.__context__ is None


def test_a_panic_with_one_says_what_go_says():
    def main():
        ctx, cancel = context.with_cancel(BG)
        cancel()
        raise ctx.err()

    with pytest.raises(GoPanic, match="^panic: context canceled\n"):
        run(main)


# What is Python's own.


def test_channels():
    def main():
        ctx, cancel = context.with_cancel(BG)
        assert ctx.done() is ctx.done()
        with pytest.raises(TypeError, match="cannot close receive-only channel"):
            ctx.done().close()
        index, _ = select(ctx.done().recv, default)
        cancel()
        return index, select(ctx.done().recv_, default), list(ctx.done())

    assert run(main) == (1, (0, (None, False)), [])
    assert not BG.done()
    assert not context.todo().done()


def test_keys_are_equal_only_within_a_type():
    ctx = context.with_value(context.with_value(BG, 1, "int"), "name", "str")
    assert (ctx.value(1), ctx.value(True), ctx.value(1.0), ctx.value("name")) == ("int", None, None, "str")
    odd = float("nan")
    assert context.with_value(BG, odd, "odd").value(odd) == "odd"


def test_keys_that_are_objects_are_only_themselves():
    class Point:
        def __init__(self, x):
            self.x = x

        def __eq__(self, other):
            return self.x == other.x

        def __hash__(self):
            return hash(self.x)

    class Name(str):
        __slots__ = ()

    point = Point(1)
    ctx = context.with_value(context.with_value(BG, point, "point"), Name("n"), "name")
    assert (ctx.value(point), ctx.value(Point(1))) == ("point", None)
    assert (ctx.value(Name("n")), ctx.value("n")) == ("name", None)
    assert context.with_value(BG, (1, "a"), "pair").value((1, "a")) == "pair"


def test_a_program_may_ask_what_is_a_context():
    class Own:
        done = err = deadline = value = lambda *_: None

    assert isinstance(context.with_value(BG, "k", 1), context.Context)
    assert isinstance(Own(), context.Context)
    assert not isinstance(3, context.Context)


def test_deadlines_may_be_plain_numbers():
    def main():
        ctx, cancel = context.with_deadline(BG, float(time.now()) + 60)
        left = ctx.deadline() - time.now()
        cancel()
        return left

    assert run(main) == pytest.approx(60, abs=1e-5)


def test_deadlines_are_exact():
    def main():
        start = time.now()
        ctx, _ = context.with_deadline(BG, time.Time(start.ns + 3_600 * 10**9 + 7))
        assert ctx.deadline().ns == start.ns + 3_600 * 10**9 + 7
        ctx.done().recv()
        return time.now().ns - start.ns

    assert 3_600 * 10**9 < run(main) < 3_601 * 10**9


def test_deep_trees_need_no_deep_stack():
    def main():
        ctx, cancel = context.with_cancel(context.with_value(BG, "k", "v"))
        deepest = ctx
        for n in range(20_000):
            deepest = context.with_value(deepest, "x", n) if n % 2 else context.with_cancel(deepest)[0]
        below, _ = context.with_cancel(deepest)
        assert (below.value("k"), below.deadline(), below.err()) == ("v", None, None)
        cancel()
        return below.err()

    assert run(main) is context.canceled


def test_texts():
    assert str(BG) == "context.Background"
    assert repr(context.todo()) == "<context.TODO>"
    assert str(context.with_value(BG, "k", 5)) == "context.Background.WithValue(k, int)"
    assert str(context.with_value(BG, 1, KeyError())) == "context.Background.WithValue(int, builtins.KeyError)"

    def main():
        ctx, cancel = context.with_timeout(BG, 90.5)
        text = str(ctx)
        cancel()
        return text, ctx

    text, kept = run(main, gomaxprocs=1)
    assert text.startswith("context.Background.WithDeadline(2000-01-01 00:01:30.5")
    assert text.endswith("s])")
    assert "[1m30.4" in text
    assert str(kept) == text.partition(" [")[0] + ")"  # outside a run no time is left


@pytest.mark.parametrize(
    ("ns", "text"),
    [
        (0, "1970-01-01 00:00:00 +0000 UTC"),
        (-1, "1969-12-31 23:59:59.999999999 +0000 UTC"),
        (951_782_400 * 10**9 + 5 * 10**8, "2000-02-29 00:00:00.5 +0000 UTC"),
        (4_107_542_399 * 10**9, "2100-02-28 23:59:59 +0000 UTC"),
        (4_107_542_400 * 10**9 + 120, "2100-03-01 00:00:00.00000012 +0000 UTC"),
    ],
)
def test_times_in_the_form_of_go(ns, text):
    assert time_text(ns) == text


@pytest.mark.parametrize(
    ("ns", "text"),
    [
        *((0, "0s"), (1, "1ns"), (1_100, "1.1µs"), (2_200_000, "2.2ms"), (3_300_000_000, "3.3s")),
        *((4 * 60 * 10**9 + 5 * 10**9 + 1_000_000, "4m5.001s"), (-(10**9), "-1s"), (999, "999ns")),
        *((3_600 * 10**9, "1h0m0s"), ((5 * 3_600 + 6 * 60 + 7) * 10**9 + 1, "5h6m7.000000001s")),
    ],
)
def test_durations_in_the_form_of_go(ns, text):
    assert duration_text(ns) == text


# Which run it belongs to.


def test_made_outside_a_run():
    ctx, cancel = context.with_cancel(context.with_value(BG, "k", "v"))
    child, _ = context.with_cancel(ctx)
    assert (ctx.err(), child.err(), child.value("k")) == (None, None, "v")

    def main():
        late, _ = context.with_cancel(child)
        cancel()
        return child.err(), late.err()

    assert run(main) == (context.canceled, context.canceled)
    assert child.err() is context.canceled  # looking is allowed everywhere
    with pytest.raises(RuntimeError, match=r"<context.Background.*> was canceled in another run"):
        context.with_cancel(ctx)
    with pytest.raises(RuntimeError, match=r"test_context.py:\d+, belongs to another run"):
        run(raising, context.with_cancel, ctx)


def test_what_needs_a_goroutine_says_so():
    _, cancel = context.with_cancel(BG)
    with pytest.raises(RuntimeError, match=f"^context: cancel {OUTSIDE}"):
        cancel()
    with pytest.raises(RuntimeError, match=f"^context.with_deadline {OUTSIDE}"):
        context.with_deadline(BG, 5)
    with pytest.raises(RuntimeError, match=OUTSIDE):
        context.with_timeout(BG, 5)
    with pytest.raises(RuntimeError, match=f"^context.after_func {OUTSIDE}"):
        context.after_func(BG, print)


def generator():
    yield


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: context.with_cancel("no"), TypeError, "^context.with_cancel: parent must be a context, not str"),
        (lambda: context.with_value("no", 1, 2), TypeError, "^context.with_value: parent must be a context, not str"),
        (lambda: context.without_cancel(5), TypeError, "^context.without_cancel: parent must be a context, not int"),
        (
            lambda: context.with_timeout(BG, "1"),
            TypeError,
            "^context.with_timeout: timeout must be a number of seconds",
        ),
        (lambda: context.with_timeout(BG, float("nan")), ValueError, "^context.with_timeout: timeout"),
        (lambda: context.with_deadline(BG, None), TypeError, "^context.with_deadline: d must be a number of seconds"),
        (lambda: context.with_deadline("no", 5), TypeError, "^context.with_deadline: parent must be a context"),
        (
            lambda: context.with_timeout_cause(BG, 1, "no"),
            TypeError,
            "^context.with_timeout_cause: the cause must be an",
        ),
        (lambda: context.with_cancel_cause(BG)[1]("no"), TypeError, "^context: cancel: the cause must be an error"),
        (lambda: context.after_func("no", print), TypeError, "^context.after_func: ctx must be a context, not str"),
        (lambda: context.after_func(BG, None), TypeError, "^context.after_func: None is not callable"),
        (lambda: context.after_func(BG, generator), TypeError, "^context.after_func: generator is a generator"),
        (lambda: context.cause(None), Panic, "^cannot create context from nil parent"),
        (lambda: context.cause(5), TypeError, "^context.cause: ctx must be a context, not int"),
    ],
)
def test_bad_arguments(call, error, text):
    with pytest.raises(error, match=text):
        run(raising, call)


class Broken:
    """A context that is none: what its methods return is wrong."""

    def __init__(self, done, err=None):
        self.done = lambda: done
        self.err = lambda: err

    def deadline(self):
        return None

    def value(self, key):
        return None


def test_a_wrong_context_of_ones_own():
    with pytest.raises(TypeError, match=r"^context: done\(\) must return a channel, not int"):
        run(raising, lambda: context.with_cancel(Broken(5)))

    def main():
        closed = chan()
        closed.close()
        context.with_cancel(Broken(closed))

    with pytest.raises(TypeError, match=r"^context: err\(\) of a canceled Broken must return an error, not None"):
        run(raising, main)
    ctx = run(lambda: context.with_cancel(Broken(None))[0])  # None is Go's nil channel
    assert ctx.err() is None


# What the scheduler sees.


@pytest.mark.usefixtures("every_way")
@pytest.mark.parametrize("count", [1, 4])
def test_a_thousand_wait(count):
    def main():
        ctx, cancel = context.with_cancel(BG)
        wg = sync.WaitGroup()
        for n in range(1_000):
            child, _ = context.with_timeout(ctx, time.hour) if n % 3 else (ctx, None)
            wg.go(child.done().recv)
        time.sleep(0.01)
        cancel()
        wg.wait()
        return runtime.num_goroutine(), sum(len(pp.timers) - pp.zombies for pp in current_sched().allp)

    assert run(main, gomaxprocs=count) == (1, 0)


def test_a_canceled_child_leaves_its_parent():
    def main():
        ctx, cancel = context.with_cancel(BG)
        for _ in range(100):
            context.with_timeout(ctx, time.hour)[1]()
            context.after_func(ctx, print)()
        left = len(ctx.children)
        context.with_cancel(ctx)
        ctx.check()
        cancel()
        ctx.check()
        return left, len(ctx.children)

    assert run(main) == (0, 0)


def test_where_the_walk_over_children_begins_is_a_choice():
    class Chooser:
        def __init__(self, answer):
            self.answer = answer
            self.asked = []

        def choose(self, kind, n):
            self.asked.append((kind, n))
            return min(self.answer, n - 1)

        def checksum(self):
            return 0

    def main():
        ctx, cancel = context.with_cancel(BG)
        order = []
        for n in range(3):
            context.after_func(ctx, order.append, n)
        cancel()
        runtime.gosched()
        return order

    choosers = [Chooser(answer) for answer in range(3)]
    orders = [run(main, strategy=chooser, gomaxprocs=1) for chooser in choosers]
    # The last one started runs first: it is in runnext.
    assert orders == [[2, 0, 1], [0, 1, 2], [1, 2, 0]]
    assert [n for _, n in choosers[0].asked if n == 3] == [3]


def test_what_it_costs():
    def main():
        start = time.now().ns
        _, cancel = context.with_cancel(BG)
        made = time.now().ns
        cancel()
        canceled = time.now().ns
        return made - start - costs.TIME_NOW, canceled - made - costs.TIME_NOW

    assert run(main, gomaxprocs=1) == (costs.CONTEXT_NEW, costs.CONTEXT_CANCEL + costs.CHAN_CLOSE)


def test_nobody_sees_a_cancellation_before_it_happened():
    """At any quantum: whoever reads the error goes on no earlier than it was set."""

    def main():
        ctx, cancel = context.with_cancel(BG)
        at = []

        def watcher(out):
            while ctx.err() is None:
                runtime.work(1e-7)
            out.send(time.now().ns)

        out = chan(3)
        for _ in range(3):
            go(watcher, out)
        time.sleep(1e-4)
        at.append(time.now().ns)
        cancel()
        return [out.recv() - at[0] for _ in range(3)]

    for quantum in (0, 5e-6, 1e-3):
        assert min(run(main, gomaxprocs=4, quantum=quantum)) > 0


def test_events(monkeypatch):
    def main():
        ctx, cancel = context.with_cancel(BG)
        context.with_cancel(ctx)
        context.with_timeout(ctx, 5)
        cancel()

    finished = execute(monkeypatch, main, gomaxprocs=1)
    assert [event[5:] for event in finished.named("context_make")] == [
        ("context 1", ""),
        ("context 2", "context 1"),
        ("context 3", "context 1"),
    ]
    ends = [event[5:] for event in finished.named("context_cancel")]
    assert ends[0] == ("context 1", "canceled", "")
    assert sorted(ends[1:]) == [("context 2", "canceled", "context 1"), ("context 3", "canceled", "context 1")]
    assert len(finished.named("timer_stop")) == 1


def test_who_starts_the_function(monkeypatch):
    def main():
        ctx, cancel = context.with_cancel(BG)
        context.after_func(ctx, lambda: chan().recv())
        cancel()
        runtime.gosched()
        return runtime.stack(all=True)

    assert "created by context.(*afterFuncCtx).cancel.func1 in goroutine 1\n" in run(main, gomaxprocs=1)


def test_waiting_for_a_context_that_nobody_cancels_is_a_deadlock():
    def main():
        ctx, _ = context.with_cancel(BG)
        ctx.done().recv()

    with pytest.raises(Deadlock):
        run(main)
    with pytest.raises(Deadlock) as caught:
        run(lambda: BG.done().recv())
    assert caught.value.goroutines[0].status == "chan receive (nil chan)"


@pytest.mark.usefixtures("every_way")
def test_cancel_in_a_finally_of_an_abandoned_goroutine_does_nothing():
    log = []

    def left():
        ctx, cancel = context.with_timeout(BG, 5)
        stop = context.after_func(ctx, log.append, "started")
        try:
            chan().recv()
        finally:
            cancel()
            log.append((ctx.err(), stop()))

    def main():
        go(left)
        time.sleep(1e-3)

    run(main)
    assert log == [(None, False)]


# In a synctest bubble.


def test_a_deadline_goes_by_the_clock_of_the_bubble():
    def inside():
        ctx, cancel = context.with_timeout(BG, 3_600)
        text = str(ctx)
        start = time.now()
        time.sleep(3_599)
        synctest.wait()
        early = ctx.err()
        time.sleep(1)
        synctest.wait()
        late = ctx.err()
        cancel()
        return text, time.now() - start, early, late

    def main():
        return synctest.test(inside)

    text, took, early, late = run(main)
    assert text == "context.Background.WithDeadline(2000-01-01 01:00:00 +0000 UTC [1h0m0s])"
    assert (took, early, late) == (3_600, None, context.deadline_exceeded)


def test_waiting_for_a_context_of_the_bubble_is_durable():
    def inside():
        ctx, cancel = context.with_cancel(BG)
        log = []
        go(lambda: (ctx.done().recv(), log.append("canceled")))
        stop = context.after_func(ctx, log.append, "after")
        synctest.wait()
        before = list(log)
        cancel()
        synctest.wait()
        return before, sorted(log), stop()

    assert run(lambda: synctest.test(inside)) == ([], ["after", "canceled"], False)


def test_a_context_of_a_bubble_is_nobody_else_s():
    def main():
        kept = []
        synctest.test(lambda: kept.append(context.with_cancel(BG)))
        kept[0][1]()

    with pytest.raises(FatalError, match="^fatal error: close of synctest channel from outside bubble"):
        run(main)


# Every order.


def stage(ctx, source, sink, listens=True):
    for value in source:
        if listens:
            index, _ = select((sink.send, value), ctx.done().recv)
            if index:
                return
        else:
            sink.send(value)
    sink.close()


def feed(ctx, sink):
    for value in range(2):
        if select((sink.send, value), ctx.done().recv)[0]:
            break
    sink.close()


def pipeline(listens):
    """Main takes one value and cancels the rest."""
    ctx, cancel = context.with_cancel(BG)
    first, second = chan(), chan()
    go(feed, ctx, first)
    go(stage, ctx, first, second, listens)
    value = second.recv()
    cancel()
    return value


def test_a_canceled_pipeline_leaks_nothing():
    report = explore(pipeline, "dfs", 20_000, args=(True,))
    assert report.verdict == "proved", str(report)
    assert list(report.results) == ["0"]


def test_a_stage_that_does_not_listen_is_found():
    report = explore(pipeline, "dfs", 20_000, args=(False,))
    assert report.failure.kind == "leak"
    assert "[chan send]" in report.failure.text
    with pytest.raises(Exception, match="goroutine leak"):
        replay(pipeline, report.failure.schedule, args=(False,))


def test_a_reader_sees_both_sides_of_a_cancellation():
    def main():
        ctx, cancel = context.with_cancel(BG)
        out = chan(1)
        go(lambda: out.send(str(ctx.err())))
        cancel()
        return out.recv()

    report = explore(main, "dfs")
    assert (report.verdict, sorted(report.results)) == ("proved", ["'None'", "'context canceled'"])


def test_a_parent_may_be_seen_canceled_before_its_child():
    def main():
        ctx, cancel = context.with_cancel(BG)
        child, _ = context.with_cancel(ctx)
        out = chan(1)

        def watches():
            ctx.done().recv()
            out.send(child.err() is None)

        go(watches)
        cancel()
        return out.recv()

    assert sorted(explore(main, "dfs").results) == ["False", "True"]


def test_whoever_cancels_second_finds_it_all_done():
    """Two cancel at once: when either call is over, the children are canceled too, as Go's mutex sees to."""

    def main():
        ctx, cancel = context.with_cancel(BG)
        child, _ = context.with_cancel(ctx)
        out = chan(2)

        def both():
            cancel()
            out.send(child.err() is not None)

        go(both)
        go(both)
        return out.recv() and out.recv()

    report = explore(main, "dfs", 20_000)
    assert (report.verdict, list(report.results)) == ("proved", ["True"])


def test_a_child_is_canceled_whenever_it_is_derived():
    def main():
        ctx, cancel = context.with_cancel_cause(BG)
        why = errors.new("why")
        go(cancel, why)
        child, _ = context.with_cancel(ctx)
        grandchild, _ = context.with_cancel(context.with_value(child, 1, 2))
        grandchild.done().recv()
        return str(context.cause(grandchild))

    report = explore(main, "dfs", 20_000)
    assert (report.verdict, list(report.results)) == ("proved", ["'why'"])


def test_the_first_cause_counts():
    def main():
        ctx, cancel = context.with_cancel_cause(BG)
        child, cancel_child = context.with_cancel_cause(ctx)
        go(cancel, errors.new("above"))
        go(cancel_child, errors.new("own"))
        child.done().recv()
        ctx.done().recv()
        return str(context.cause(child)), str(context.cause(ctx))

    report = explore(main, "dfs", 20_000)
    assert report.verdict == "proved"
    assert sorted(report.results) == ["('above', 'above')", "('own', 'above')"]


def test_a_function_is_started_or_stopped_never_both():
    def main():
        ctx, cancel = context.with_cancel(BG)
        ran = []
        wg = sync.WaitGroup()
        wg.add(1)

        def f():
            ran.append(True)
            wg.done()

        stop = context.after_func(ctx, f)
        go(cancel)
        if stop():
            wg.done()
            stopped = True
        else:
            stopped = False
        wg.wait()
        assert stopped != bool(ran)
        return stopped

    report = explore(main, "dfs", 20_000)
    assert (report.verdict, sorted(report.results)) == ("proved", ["False", "True"])


def test_a_deadline_against_a_result():
    def main():
        ctx, cancel = context.with_timeout(BG, 1)
        out = chan(1)

        def works():
            time.sleep(1)
            out.send("result")

        go(works)
        index, value = select(out.recv, ctx.done().recv)
        cancel()
        return value if index == 0 else str(ctx.err())

    report = explore(main, "dfs", 50_000)
    assert report.verdict == "proved", str(report)
    assert sorted(report.results) == ["'context deadline exceeded'", "'result'"]


def test_every_order_of_children_is_tried():
    def main():
        ctx, cancel = context.with_cancel(BG)
        order = []
        done = chan(2)

        def notes(n):
            order.append(n)
            done.send(None)

        for n in range(2):
            context.after_func(ctx, notes, n)
        cancel()
        done.recv()
        done.recv()
        return order

    report = explore(main, "dfs", 20_000)
    assert (report.verdict, sorted(report.results)) == ("proved", ["[0, 1]", "[1, 0]"])


def test_a_parent_of_ones_own_kind_under_every_order():
    class Own:
        def __init__(self):
            self.channel = chan()
            self.error = None

        def done(self):
            return self.channel

        def err(self):
            return self.error

        def deadline(self):
            return None

        def value(self, key):
            return None

    def main(cancels):
        own = Own()
        ctx, cancel = context.with_cancel(own)
        if cancels:
            cancel()
        else:
            own.error = context.canceled
            own.channel.close()
        ctx.done().recv()
        return str(ctx.err())

    for cancels in (True, False):
        report = explore(main, "dfs", 20_000, args=(cancels,))
        assert (report.verdict, list(report.results)) == ("proved", ["'context canceled'"]), str(report)


def test_the_same_schedule_again():
    def main():
        ctx, cancel = context.with_cancel(BG)
        out = chan(4)
        for n in range(2):
            child, _ = context.with_cancel(ctx)
            go(lambda n=n, child=child: (child.done().recv(), out.send(n)))
        cancel()
        got = [out.recv(), out.recv()]
        assert got == [0, 1]
        return got

    failure = explore(main, "random", 2_000).failure
    assert failure.is_reproducible
    with pytest.raises(GoPanic, match="AssertionError"):
        replay(main, failure.schedule)
    with pytest.raises(GoPanic, match="AssertionError"):
        replay(main, str(failure.schedule))
