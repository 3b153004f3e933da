"""sync.WaitGroup: counting, waiting, go, and the panics of those who misuse it."""

from __future__ import annotations

import pytest

from goruntime import FatalError, GoPanic, chan, defer, func, go, panic, recover, run, runtime, sync, time
from goruntime.base.errors import Throw
from goruntime.kernel import costs
from goruntime.sync.waitgroup import MAX_COUNT
from tests.unit.sched.world import here

MILLISECOND = 1e-3
NEGATIVE = "sync: negative WaitGroup counter"
CONCURRENT = "sync: WaitGroup misuse: Add called concurrently with Wait"
REUSED = "sync: WaitGroup is reused before previous Wait has returned"


@pytest.fixture(params=[{}, {"checksum": True}, {"gomaxprocs": 4}], ids=["one P", "listening", "four Ps"])
def config(request):
    return {"gomaxprocs": 1, **request.param}


def caught(f, *args):
    """What f panics with."""
    found = []

    @func
    def inner():
        defer(lambda: found.append(recover()))
        f(*args)

    inner()
    return found[0]


def test_counting(config):
    def main():
        wg = sync.WaitGroup()
        assert repr(wg) == "<sync.WaitGroup 0>"
        wg.wait()
        wg.add(3)
        wg.done()
        assert (wg.counter, repr(wg)) == (2, "<sync.WaitGroup 2>")
        wg.add(0)
        wg.add(-2)
        wg.wait()
        assert wg.counter == 0
        assert wg.sema is None
        wg.check()

    run(main, **config)


def test_waiting(config):
    def main():
        wg, log = sync.WaitGroup(), []
        wg.add(2)
        for number in range(3):

            @go
            def _(number=number):
                wg.wait()
                log.append(number)

            runtime.gosched()
        time.sleep(MILLISECOND)
        assert (wg.waiters, repr(wg)) == (3, "<sync.WaitGroup 2, 3 waiting>")
        wg.check()
        wg.done()
        time.sleep(MILLISECOND)
        assert log == []
        wg.done()
        assert wg.waiters == 0
        time.sleep(MILLISECOND)
        assert sorted(log) == [0, 1, 2]
        wg.check()

    run(main, **config)


def test_it_can_be_used_again(config):
    """In Go's words: two groups, eight rounds."""

    def main():
        first, second = sync.WaitGroup(), sync.WaitGroup()
        for _ in range(8):
            exited = chan(16)
            first.add(16)
            second.add(16)
            for _ in range(16):

                @go
                def _(exited=exited):
                    first.done()
                    second.wait()
                    exited.send(True)

            first.wait()
            assert len(exited) == 0
            for _ in range(16):
                second.done()
            for _ in range(16):
                exited.recv()

    run(main, **config)


def test_the_counter_has_32_bits():
    def main():
        wg = sync.WaitGroup()
        wg.add(MAX_COUNT)
        assert caught(wg.add, 1) == NEGATIVE
        assert wg.counter == -(1 << 31)
        other = sync.WaitGroup()
        other.add(1 << 32)
        return other.counter

    assert run(main) == 0


@pytest.mark.parametrize("delta", [True, 1.0, "1", None])
def test_delta_must_be_an_integer(delta):
    def main():
        wg = sync.WaitGroup()
        with pytest.raises(TypeError, match=f"delta must be an integer, not {type(delta).__name__}"):
            wg.add(delta)
        return wg.counter

    assert run(main) == 0


def test_delta_may_be_what_has_an_index():
    class Two:
        def __index__(self):
            runtime.gosched()
            return 2

    def main():
        wg = sync.WaitGroup()
        wg.add(Two())
        return wg.counter

    assert run(main) == 2


def test_a_negative_counter_panics(config):
    def main():
        assert caught(sync.WaitGroup().done) == NEGATIVE
        assert caught(sync.WaitGroup().add, -1) == NEGATIVE
        wg = sync.WaitGroup()
        wg.add(1)
        assert caught(wg.add, -2) == NEGATIVE

    run(main, **config)
    with pytest.raises(GoPanic, match=f"^panic: {NEGATIVE}\n"):
        run(lambda: sync.WaitGroup().done(), **config)


def test_using_it_again_before_a_wait_has_returned_panics():
    """The waiter was woken, but has not run yet."""

    def main():
        wg, said = sync.WaitGroup(), []
        wg.add(1)
        go(lambda: said.append(caught(wg.wait)))
        runtime.gosched()
        wg.done()
        wg.add(1)
        runtime.gosched()
        return said

    assert run(main, gomaxprocs=1) == [REUSED]


def test_adding_while_others_wait_at_zero_panics():
    """Nobody gets there on one P but a controller: the state is made by hand."""

    def main():
        wg = sync.WaitGroup()
        wg.waiters = 1
        return caught(wg.add, 1)

    assert run(main) == CONCURRENT


# ---- go ----


def test_go_counts_before_and_after(config):
    def main():
        wg, log = sync.WaitGroup(), []
        for number in range(3):
            wg.go(log.append, number)
        if config["gomaxprocs"] == 1:
            assert wg.counter == 3
        wg.wait()
        assert wg.counter == 0
        return sorted(log)

    assert run(main, **config) == [0, 1, 2]


def test_go_takes_arguments_and_gives_defer():
    def main():
        wg, log = sync.WaitGroup(), []

        def task(a, *, b):
            defer(log.append, "deferred")
            log.append((a, b))
            return "dropped"

        assert wg.go(task, 1, b=2) is None
        wg.wait()
        return log

    assert run(main) == [(1, 2), "deferred"]


def test_a_task_may_start_tasks():
    def main():
        wg, count = sync.WaitGroup(), [0]

        def grow(depth):
            count[0] += 1
            if depth:
                wg.go(grow, depth - 1)
                wg.go(grow, depth - 1)

        wg.go(grow, 4)
        wg.wait()
        return count[0]

    assert run(main, gomaxprocs=4) == 31


def test_a_task_that_recovers_is_done():
    def main():
        wg = sync.WaitGroup()

        def task():
            defer(lambda: recover())
            panic("x")

        wg.go(task)
        wg.wait()
        return wg.counter

    assert run(main) == 0


def test_goexit_in_a_task_is_done():
    def main():
        wg, log = sync.WaitGroup(), []

        def task():
            defer(log.append, "deferred")
            runtime.goexit()

        wg.go(task)
        wg.wait()
        return log

    assert run(main) == ["deferred"]


@pytest.mark.parametrize("error", [lambda: panic("boom"), lambda: [].pop()], ids=["panic", "exception"])
def test_a_panic_in_a_task_ends_the_program_without_done(error):
    log = []

    def main():
        wg = sync.WaitGroup()
        wg.go(error)
        wg.wait()
        log.append("never")

    with pytest.raises(GoPanic, match=r"^panic: (boom|IndexError: .*) \[recovered, repanicked\]\n\ngoroutine \d+"):
        run(main)
    assert log == []


def test_a_task_that_panics_with_nil_where_that_is_allowed_is_done():
    """As in Go: its recover gives nil, which it takes for no panic."""

    def main():
        wg = sync.WaitGroup()
        wg.go(lambda: panic(None))
        wg.wait()
        return wg.counter

    assert run(main, godebug="panicnil=1") == 0
    with pytest.raises(GoPanic, match="panic called with nil argument"):
        run(main)


@pytest.mark.parametrize("wrong", [None, 5, "f"])
def test_go_needs_a_function(wrong):
    def main():
        wg = sync.WaitGroup()
        with pytest.raises(TypeError, match=r"is not callable; write sync\.WaitGroup\.go\(f, x\)"):
            wg.go(wrong)

        def generates():
            yield

        with pytest.raises(TypeError, match="generates is a generator function"):
            wg.go(generates)
        return wg.counter

    assert run(main) == 0


def test_who_made_the_goroutine_is_the_group():
    def main():
        wg = sync.WaitGroup()
        wg.go(lambda: chan().recv())
        runtime.gosched()
        return runtime.stack(all=True)

    assert "created by sync.(*WaitGroup).Go in goroutine 1\n" in run(main, gomaxprocs=1)


def test_costs():
    def main():
        wg = sync.WaitGroup()
        m, _ = here()
        before = m.clock
        wg.add(1)
        wg.done()
        wg.wait()
        return m.clock - before

    assert run(main, gomaxprocs=1) == 3 * costs.WAITGROUP


def test_nobody_is_done_is_a_deadlock():
    def main():
        wg = sync.WaitGroup()
        wg.add(1)
        wg.wait()

    with pytest.raises(FatalError, match=r"goroutine 1 \[sync\.WaitGroup\.Wait\]"):
        run(main)


@pytest.mark.parametrize(
    "break_it", [lambda wg: setattr(wg, "waiters", 2), lambda wg: setattr(wg, "counter", 0)], ids=["waiters", "counter"]
)
def test_check_finds_a_broken_state(break_it):
    def main():
        wg = sync.WaitGroup()
        wg.add(1)
        go(wg.wait)
        runtime.gosched()
        wg.check()
        break_it(wg)
        with pytest.raises(Throw):
            wg.check()

    run(main, gomaxprocs=1)
