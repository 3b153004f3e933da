"""Package coro: what a newcomer to iter.Pull does with it, and what the scheduler sees of it.

Its rules and texts are compared with Go's in tests/behavior, by iter_pull and coro_rules.
"""

from __future__ import annotations

import gc
import weakref

import pytest

from goruntime import Deadlock, GoPanic, chan, coro, defer, func, go, recover, returns, run, runtime, time
from goruntime.base.errors import FatalError
from goruntime.check import explore, replay
from goruntime.kernel import costs
from tests.model.invariants import doors

from .running import OUTSIDE, execute, raising

ONE_AND_FOUR = pytest.mark.parametrize("count", [1, 4])


@pytest.fixture(autouse=True, params=[True, False], ids=["checked", "fast"])
def every_way(request):
    """Each test runs twice: with every transition checked, and with the fast paths, as in production."""
    with doors(request.param):
        yield


def count_to(n):
    def seq(yield_):
        for i in range(n):
            if not yield_(i):
                return

    return seq


def drain(next_):
    values = []
    while True:
        *value, ok = next_()
        if not ok:
            return values
        values.append(*value)


# What can be pulled from.


def filled():
    ch = chan(3)
    for value in range(3):
        ch.send(value)
    ch.close()
    return ch


def generator():
    yield from range(3)


SEQUENCES = {
    "function": lambda: count_to(3),
    "func": lambda: func(count_to(3)),
    "list": lambda: [0, 1, 2],
    "range": lambda: range(3),
    "generator": generator,
    "channel": filled,
    "empty tuple": tuple,
}


@pytest.mark.parametrize("make", SEQUENCES.values(), ids=SEQUENCES)
@ONE_AND_FOUR
def test_every_kind_of_sequence(make, count):
    def main():
        next_, stop = coro.pull(make())
        values = drain(next_)
        stop()
        return values, next_(), runtime.num_goroutine()

    assert run(main, gomaxprocs=count) == ([] if make is tuple else [0, 1, 2], (None, False), 1)


def test_pairs_of_a_dict():
    def main():
        next_, _ = coro.pull2({"a": 1, "b": 2}.items())
        return next_(), next_(), next_(), next_()

    assert run(main) == (("a", 1, True), ("b", 2, True), (None, None, False), (None, None, False))


def test_a_generator_that_is_stopped_is_closed():
    log = []

    def numbers():
        try:
            yield 1
            yield 2
        finally:
            log.append("closed")

    def main():
        next_, stop = coro.pull(numbers())
        next_()
        stop()
        return list(log)

    assert run(main) == ["closed"]


def test_values_may_be_anything():
    def main():
        next_, stop = coro.pull([None, False, ()])
        values = next_(), next_(), next_(), next_()
        stop()
        return values

    assert run(main) == ((None, True), (False, True), ((), True), (None, False))


def test_recursion_over_a_tree():
    tree = ((None, 1, None), 2, ((None, 3, None), 4, None))

    def walk(node, yield_):
        return node is None or (walk(node[0], yield_) and yield_(node[1]) and walk(node[2], yield_))

    def same(a, b):
        next_a, stop_a = coro.pull(lambda yield_: walk(a, yield_))
        next_b, stop_b = coro.pull(lambda yield_: walk(b, yield_))
        try:
            while True:
                one, two = next_a(), next_b()
                if one != two:
                    return False
                if not one[1]:
                    return True
        finally:
            stop_a()
            stop_b()

    assert run(lambda: (same(tree, tree), same(tree, (None, 1, None)), runtime.num_goroutine())) == (True, False, 1)


@ONE_AND_FOUR
def test_the_iterator_may_block(count):
    def main():
        ch = chan()

        def slowly():
            for value in range(3):
                time.sleep(0.01)
                ch.send(value)
            ch.close()

        go(slowly)
        next_, _ = coro.pull(ch)
        return drain(next_)

    assert run(main, gomaxprocs=count) == [0, 1, 2]


def test_nested_pulls():
    def doubled(seq):
        def out(yield_):
            next_, stop = coro.pull(seq)
            try:
                while (pulled := next_())[1]:
                    if not yield_(2 * pulled[0]):
                        return
            finally:
                stop()

        return out

    seq = count_to(4)
    for _ in range(10):
        seq = doubled(seq)

    def main():
        next_, stop = coro.pull(seq)
        first = next_(), next_(), runtime.num_goroutine()
        stop()
        return *first, runtime.num_goroutine()

    assert run(main) == ((0, True), (1024, True), 12, 1)


# What comes out of it.


def broken(yield_):
    yield_(1)
    raise KeyError("inside")


def test_an_exception_comes_out_of_next_with_its_traceback():
    def main():
        next_, stop = coro.pull(broken)
        next_()
        with pytest.raises(KeyError, match="inside") as caught:
            next_()
        stop()
        return [entry.name for entry in caught.traceback], next_(), runtime.num_goroutine()

    names, after, count = run(main)
    assert names[0] == "main"
    assert names[-1] == "broken"
    assert (after, count) == ((None, False), 1)


def test_an_exception_that_nobody_catches_is_a_panic_of_who_pulls():
    def main():
        next_, _ = coro.pull(broken)
        next_()
        next_()

    with pytest.raises(GoPanic, match=r"^panic: KeyError: 'inside'\n\ngoroutine 1 \[running\]:\n") as caught:
        run(main)
    assert caught.value.goroutine == 1


def test_recover_sees_the_value():
    def main():
        next_, _ = coro.pull(broken)
        next_()

        @func
        def pulls():
            defer(lambda: returns(recover()))
            next_()

        return pulls()

    assert repr(run(main)) == "KeyError('inside')"


@pytest.mark.parametrize("end", [KeyboardInterrupt, SystemExit])
def test_what_is_no_panic_ends_the_run(end):
    def quits(yield_):
        raise end

    def main():
        next_, _ = coro.pull(quits)
        next_()

    with pytest.raises(end):
        run(main)


def test_a_stack_overflow_in_the_iterator_is_fatal():
    def deep(yield_):
        deep(yield_)

    def main():
        next_, _ = coro.pull(deep)
        try:
            next_()
        except RecursionError:
            return "caught"

    with pytest.raises(FatalError, match="fatal error: stack overflow"):
        run(main)


def test_nothing_of_the_iterator_is_kept():
    class Thing:
        pass

    def main():
        thing = Thing()
        alive = weakref.ref(thing)
        next_, _ = coro.pull(lambda yield_, thing=thing: yield_(id(thing)))
        del thing
        next_()
        next_()
        return alive()

    gc.collect()
    assert run(main) is None


# What is refused.


@pytest.mark.parametrize("pull", [coro.pull, coro.pull2])
@pytest.mark.parametrize(
    ("seq", "text"),
    [
        (5, "5 is no iterator: it is neither a function of yield_ nor an iterable"),
        (None, "None is no iterator"),
        (generator, r"generator is a generator function: pass generator\(\), or write it as a function of yield_"),
    ],
)
def test_no_sequence(pull, seq, text):
    def main():
        with pytest.raises(TypeError, match=f"^coro.{pull.__name__}: {text}"):
            pull(seq)
        return runtime.num_goroutine()

    assert run(main) == 1


def test_yield_with_the_wrong_number_of_values():
    def main():
        one, _ = coro.pull(lambda yield_: yield_(1, 2))
        with pytest.raises(TypeError, match=r"^iter.Pull: yield_ takes 1 argument, not 2$"):
            one()
        two, _ = coro.pull2([(1, 2, 3)])
        with pytest.raises(TypeError, match=r"^iter.Pull2: yield_ takes 2 arguments, not 3$"):
            two()

    run(main)


def test_outside_a_run():
    with pytest.raises(RuntimeError, match=f"^coro.pull {OUTSIDE}"):
        coro.pull([1])
    kept = []
    run(lambda: kept.extend(coro.pull([1, 2])))
    for function, name in zip(kept, ("next", "stop"), strict=True):
        with pytest.raises(RuntimeError, match=f"^coro.{name} {OUTSIDE}"):
            function()
    with pytest.raises(RuntimeError, match=r"^<iter.Pull> belongs to another run"):
        run(raising, kept[0])


# What the scheduler sees.


def test_a_switch_touches_no_queue(monkeypatch):
    def main():
        next_, stop = coro.pull(count_to(3))
        go(lambda: None)
        drain(next_)
        stop()

    finished = execute(monkeypatch, main, gomaxprocs=1)
    created = [event[5:] for event in finished.named("go_create")]
    assert (7, f"{__name__}.count_to.seq", "coroutine") in created
    switches = [(event[4], *event[5:]) for event in finished.named("go_switch")]
    assert switches == [(1, 7, "is blocked"), (7, 1, "is blocked")] * 3 + [(1, 7, "is blocked"), (7, 1, "ends")]
    parked = [event for event in finished.named("go_park") if event[4] in (1, 7)]
    started = [event for event in finished.named("go_start") if event[4] == 7]
    assert (parked, started) == ([], [])


def test_what_a_switch_costs():
    def main():
        next_, _ = coro.pull(count_to(100))
        start = time.now().ns
        for _ in range(100):
            next_()
        return time.now().ns - start

    assert run(main, gomaxprocs=1) == 200 * costs.COROSWITCH + costs.TIME_NOW


def test_a_busy_pair_is_preempted():
    """Two coroutines share one time slice; when it is over, others run."""

    def main():
        ran = []
        go(ran.append, True)
        next_, stop = coro.pull(iter(int, 1))
        switches = 0
        while not ran:
            next_()
            switches += 1
        stop()
        return switches * 2 * costs.COROSWITCH

    assert 10e6 < run(main, gomaxprocs=1) < 30e6


def test_dumps_show_coroutines():
    def main():
        next_, _ = coro.pull(count_to(3))
        next_()
        return runtime.stack(all=True)

    assert "\ngoroutine 7 [coroutine]:\n" in run(main, gomaxprocs=1)
    assert "\ncreated by iter.Pull[...] in goroutine 1\n" in run(main, gomaxprocs=1)


def test_who_waits_in_next_is_a_coroutine_too():
    def main():
        next_, _ = coro.pull(lambda yield_: chan().recv())
        next_()

    with pytest.raises(Deadlock) as caught:
        run(main)
    assert [record.status for record in caught.value.goroutines] == ["coroutine", "chan receive"]


@ONE_AND_FOUR
def test_many_goroutines_pull(count):
    def main():
        done = chan()

        def worker(n):
            next_, stop = coro.pull(count_to(n))
            total = 0
            while (pulled := next_())[1]:
                total += pulled[0]
                if n % 3 == 0:
                    runtime.gosched()
            stop()
            done.send(total)

        for n in range(100):
            go(worker, n)
        return sum(done.recv() for _ in range(100)), runtime.num_goroutine()

    assert run(main, gomaxprocs=count) == (sum(n * (n - 1) // 2 for n in range(100)), 1)


def test_the_same_every_time(monkeypatch):
    def main():
        next_, _ = coro.pull(count_to(50))
        go(lambda: drain(next_))
        runtime.gosched()
        time.sleep(1e-3)

    one, two = execute(monkeypatch, main), execute(monkeypatch, main)
    assert one.events == two.events


# At the end of a run.


@pytest.mark.parametrize("begun", [False, True])
def test_abandoned_iterators_unwind(begun):
    log = []

    def seq(yield_):
        try:
            yield_(1)
            log.append("went on")
        finally:
            log.append("finally")

    def main():
        next_, _ = coro.pull(seq)
        if begun:
            next_()

    run(main)
    assert log == ["finally"] * begun


def test_stop_in_a_finally_of_an_abandoned_goroutine_does_nothing():
    log = []

    def left():
        next_, stop = coro.pull(count_to(3))
        next_()
        try:
            chan().recv()
        finally:
            stop()
            log.append("stopped")
            log.append(next_())
            log.append("not reached")

    def main():
        go(left)
        time.sleep(1e-3)

    run(main)
    assert log == ["stopped", (None, False), "not reached"]


def test_next_in_a_finally_of_an_abandoned_goroutine_ends_it():
    log = []

    def left():
        next_, _ = coro.pull(count_to(3))
        next_()
        try:
            chan().recv()
        finally:
            log.append("finally")
            log.append(next_())

    def main():
        go(left)
        time.sleep(1e-3)

    run(main)
    assert log == ["finally"]


# Every order.


def test_pulling_is_no_choice():
    def main():
        next_, stop = coro.pull(count_to(3))
        values = drain(next_)
        stop()
        return values

    report = explore(main, "dfs")
    assert (report.verdict, report.schedules, report.results) == ("proved", 1, {"[0, 1, 2]": 1})


def test_two_goroutines_that_take_turns():
    """Each value goes to one of them, whoever comes first."""

    def main():
        out = chan(4)
        next_, stop = coro.pull(count_to(2))

        def puller(name):
            out.send((name, next_()[0]))

        go(puller, "a")
        go(puller, "b")
        got = sorted([out.recv(), out.recv()])
        stop()
        return got

    report = explore(main, "dfs", 5_000)
    assert report.verdict == "proved"
    assert sorted(report.results) == ["[('a', 0), ('b', 1)]", "[('a', 1), ('b', 0)]"]


def test_pulling_while_the_iterator_blocks_is_found():
    def main():
        ch = chan()
        next_, _ = coro.pull(ch)
        go(next_)
        go(next_)
        ch.send(1)
        ch.send(2)

    report = explore(main, "dfs", 5_000, leaks=False)
    assert report.failure.kind == "panic"
    assert "iter.Pull: next called again before yield" in report.failure.message
    with pytest.raises(GoPanic, match="next called again before yield"):
        replay(main, report.failure.schedule)


def test_a_forgotten_stop_is_a_leak():
    def main(stops):
        next_, stop = coro.pull(count_to(3))
        next_()
        if stops:
            stop()

    report = explore(main, "dfs", args=(False,))
    assert report.failure.kind == "leak"
    assert "[coroutine]" in report.failure.text
    assert explore(main, "dfs", args=(True,)).verdict == "proved"
