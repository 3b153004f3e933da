"""sync.Once, once_func, once_value, once_values."""

from __future__ import annotations

import pytest

from goruntime import FatalError, GoPanic, chan, defer, func, go, panic, recover, run, runtime, sync, time
from goruntime.kernel import costs
from tests.unit.sched.world import here

MILLISECOND = 1e-3
WAYS = [sync.once_func, sync.once_value, sync.once_values]
every_way = pytest.mark.parametrize("way", WAYS, ids=["once_func", "once_value", "once_values"])


def caught(f, *args):
    """What f panics with."""
    found = []

    @func
    def inner():
        defer(lambda: found.append(recover()))
        f(*args)

    inner()
    return found[0]


@pytest.mark.parametrize("procs", [1, 4])
def test_whoever_comes_first_does_it_and_all_others_wait(procs):
    def main():
        once, wg, calls, seen = sync.Once(), sync.WaitGroup(), [], []

        def f():
            time.sleep(MILLISECOND)
            calls.append(runtime.goid())

        def come():
            once.do(f)
            seen.append(len(calls))

        for _ in range(10):
            wg.go(come)
        wg.wait()
        once.check()
        assert repr(once) == "<sync.Once, done>"
        return len(calls), seen

    assert run(main, gomaxprocs=procs) == (1, [1] * 10)


def test_a_second_function_is_not_called():
    def main():
        once, calls = sync.Once(), []
        assert repr(once) == "<sync.Once>"
        assert once.do(lambda: calls.append("first")) is None
        once.do(lambda: calls.append("second"))
        return calls

    assert run(main) == ["first"]


def test_done_is_done_even_if_it_panics():
    def main():
        once, calls = sync.Once(), []

        def f():
            calls.append(1)
            panic("x")

        assert caught(once.do, f) == "x"
        once.do(f)
        assert once.is_done
        assert once.m.state == 0
        return calls

    assert run(main) == [1]


def test_goexit_is_done_too():
    def main():
        once = sync.Once()
        go(once.do, runtime.goexit)
        runtime.gosched()
        once.do(lambda: panic("never"))
        return once.is_done

    assert run(main, gomaxprocs=1)


def test_an_unrecovered_panic_leaves_as_it_is():
    def main():
        sync.Once().do(lambda: panic("x"))

    with pytest.raises(GoPanic, match=r"^panic: x\n\ngoroutine 1"):
        run(main)


def test_do_within_do_waits_for_itself():
    def main():
        once = sync.Once()
        once.do(lambda: once.do(lambda: None))

    with pytest.raises(FatalError, match=r"deadlock!\n\ngoroutine 1 \[sync\.Mutex\.Lock\]"):
        run(main)


def test_the_function_has_defer():
    def main():
        log = []

        def f():
            defer(log.append, "deferred")
            log.append("done")

        sync.Once().do(f)
        return log

    assert run(main) == ["done", "deferred"]


def test_the_fast_path_costs_what_it_costs_in_go():
    def main():
        once = sync.Once()
        once.do(lambda: None)
        m, _ = here()
        before = m.clock
        once.do(lambda: None)
        return m.clock - before

    assert run(main, gomaxprocs=1) == costs.ONCE


@pytest.mark.parametrize("wrong", [None, 3])
def test_do_needs_a_function(wrong):
    def main():
        once = sync.Once()
        with pytest.raises(TypeError, match=r"^sync\.Once\.do: .* is not callable; write do\(f\), not do\(f\(\)\)"):
            once.do(wrong)
        return once.is_done

    assert run(main) is False


def test_abandoned_while_it_does_it():
    """Its finally runs; others that are taken down see a once that is still being done."""
    log = []

    def main():
        once = sync.Once()

        def f():
            try:
                chan().recv()
            finally:
                log.append("finally")

        go(once.do, f)
        go(once.do, f)
        time.sleep(MILLISECOND)

    run(main)
    assert log == ["finally"]


# ---- once_func, once_value, once_values ----


@every_way
def test_it_is_called_once(way):
    calls = []

    def f():
        """What f does."""
        calls.append(1)
        return 7, "seven"

    def main():
        g = way(f)
        assert (g.__name__, g.__doc__) == ("f", "What f does.")
        assert calls == []
        return [g() for _ in range(3)]

    expected = [None] * 3 if way is sync.once_func else [(7, "seven")] * 3
    assert run(main) == expected
    assert calls == [1]


@every_way
def test_it_panics_every_time_with_the_same_value(way):
    calls = []

    def f():
        calls.append(1)
        panic("x")

    def main():
        g = way(f)
        return [caught(g) for _ in range(3)]

    assert run(main) == ["x"] * 3
    assert calls == [1]


@every_way
def test_an_exception_of_python_s_too(way):
    def main():
        g = way(lambda: {}["key"])
        first, second = caught(g), caught(g)
        return type(first), first is second

    assert run(main) == (KeyError, True)


@every_way
def test_the_first_panic_that_nobody_recovers(way):
    def main():
        way(lambda: panic("x"))()

    with pytest.raises(GoPanic, match=r"^panic: x \[recovered, repanicked\]\n\ngoroutine 1"):
        run(main)


NIL = "runtime error: panic called with nil argument"


def test_panic_none():
    def main():
        g = sync.once_func(lambda: panic(None))
        return [str(caught(g)) for _ in range(2)]

    assert run(main) == [NIL, NIL]


@every_way
def test_goexit_in_it_panics(way):
    """As in Go: recover gave nil, and that is panicked with, at once and by every later call."""

    def main():
        g, said = way(runtime.goexit), []

        @go
        def _():
            defer(lambda: said.append(str(recover())))
            g()

        runtime.gosched()
        return [*said, str(caught(g))]

    assert run(main, gomaxprocs=1) == [NIL, NIL]


@every_way
def test_many_come_at_once(way):
    def main():
        wg, calls, got = sync.WaitGroup(), [], []

        def f():
            runtime.work(1e-5)
            calls.append(1)
            return 5

        g = way(f)
        for _ in range(8):
            wg.go(lambda: got.append(g()))
        wg.wait()
        return calls, set(got)

    assert run(main, gomaxprocs=4) == ([1], {None if way is sync.once_func else 5})


@every_way
def test_it_lets_go_of_the_function(way):
    import weakref

    class Big:
        pass

    def main():
        big = Big()
        held = weakref.ref(big)

        def f(big=big):
            return None

        g = way(f)
        g()
        g.__wrapped__ = None
        del f, big
        return held() is None

    assert run(main)


@every_way
@pytest.mark.parametrize("wrong", [None, 3])
def test_they_need_a_function(way, wrong):
    with pytest.raises(TypeError, match=rf"sync\.{way.__name__}: .* is not callable"):
        way(wrong)


@every_way
def test_made_outside_a_run(way):
    g = way(lambda: 1)
    with pytest.raises(RuntimeError, match="must be called from a goroutine"):
        g()
    assert run(g) == (None if way is sync.once_func else 1)


@every_way
def test_in_a_finally_of_an_abandoned_goroutine_it_does_nothing(way):
    log = []

    def main():
        once = way(lambda: log.append("called"))

        @go
        def blocked():
            try:
                chan().recv()
            finally:
                log.append(once())

        time.sleep(MILLISECOND)

    run(main)
    assert log == [None]
