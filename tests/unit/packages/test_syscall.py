"""syscall: blocking calls on threads of the host, under the virtual clock."""

from __future__ import annotations

import contextvars
import os as host_os
import threading
import time as host_time
from functools import partial

import pytest

from goruntime import chan, default, defer, go, os, panic, run, runtime, select, syscall, time
from goruntime.base.errors import Deadlock, GoPanic, Timeout
from goruntime.sched.proc import check_goroutines
from goruntime.sched.runq import check_runq

from .running import OUTSIDE, current_sched, execute

LATE = 0.15  # s of real time: more than the 0.1 that the kernel waits


@pytest.fixture
def pipe():
    """(a function that blocks until `release` is called, release): calls that never return by themselves."""
    reader, writer = host_os.pipe()
    released = []

    def release():
        if not released:
            released.append(True)
            host_os.close(writer)

    yield partial(host_os.read, reader, 1), release
    release()
    deadline = host_time.monotonic() + 5
    while worker_count() and host_time.monotonic() < deadline:
        host_time.sleep(0.001)
    host_os.close(reader)


def worker_count():
    return sum(thread.name == "goruntime-syscall" for thread in threading.enumerate())


@pytest.fixture(autouse=True)
def no_thread_is_left():
    yield
    assert worker_count() == 0


# ---- what it does ----


def test_it_calls_on_another_thread_and_returns_the_result():
    def call(a, b, *, c):
        return a, b, c, threading.current_thread()

    a, b, c, thread = run(partial(syscall, call, 1, 2, c=3))
    assert (a, b, c) == (1, 2, 3)
    assert thread.daemon
    assert thread is not threading.current_thread()


def test_exceptions_are_raised_in_the_goroutine():
    class Odd(BaseException):
        pass

    def fail(error):
        raise error

    def main():
        for error in (ValueError("x"), KeyError("y"), Odd(), SystemExit(3), KeyboardInterrupt(), StopIteration()):
            with pytest.raises(type(error)) as caught:
                syscall(fail, error)
            assert caught.value is error
            assert caught.traceback[-1].name == "fail"

    run(main)


def test_an_exception_nobody_catches_is_a_panic():
    with pytest.raises(GoPanic, match=r"panic: ValueError: .*'x'\n\ngoroutine 1 "):
        run(lambda: syscall(int, "x"))
    with pytest.raises(SystemExit):
        run(lambda: syscall(host_os_exit))


def host_os_exit():
    raise SystemExit(4)


def test_the_goroutines_context_is_seen_not_shared():
    variable = contextvars.ContextVar("variable", default=0)

    def change():
        seen = variable.get()
        variable.set(seen + 1)
        return seen

    def main():
        variable.set(5)
        return syscall(change), syscall(change), variable.get()

    assert run(main) == (5, 5, 5)


def test_it_takes_what_it_says_in_virtual_time():
    def main():
        start = time.now()
        syscall(int)
        short = time.since(start)
        start = time.now()
        syscall(int, takes=2.5)
        return short, time.since(start)

    short, long = run(main)
    assert 50e-6 <= short < 60e-6
    assert 2.5 <= long < 2.501
    assert run(lambda: syscall(int, takes=0)) == 0


@pytest.mark.parametrize("takes", ["1", None, True])
def test_takes_is_a_number(takes):
    def main():
        with pytest.raises(TypeError, match="syscall: takes must be a number of seconds"):
            syscall(int, takes=takes)

    run(main)


def test_takes_is_not_negative():
    def main():
        with pytest.raises(ValueError, match="syscall: takes must not be negative: -1"):
            syscall(int, takes=-1)

    run(main)


@pytest.mark.parametrize("fn", [3, None, "f"])
def test_it_wants_a_function(fn):
    def main():
        with pytest.raises(TypeError, match="not callable; write syscall"):
            syscall(fn)

    run(main)


def test_it_refuses_generators_and_coroutines():
    def generator():
        yield 1

    async def coroutine():
        return 1

    def main():
        for fn in (generator, coroutine):
            with pytest.raises(TypeError, match="its body would never run"):
                syscall(fn)

    run(main)


def test_outside_a_run():
    with pytest.raises(RuntimeError, match=OUTSIDE):
        syscall(int)


def test_primitives_are_refused_on_the_host_thread():
    def main():
        ch = chan(1)
        for call in (
            *(partial(ch.send, 1), ch.recv, ch.close, partial(select, ch.recv), partial(go, int), runtime.gosched),
            *(time.now, partial(time.sleep, 1), partial(time.after, 1), partial(syscall, int), runtime.goid),
            *(partial(os.stdout.write, "x"), partial(os.exit, 1), partial(defer, int)),
        ):
            with pytest.raises(RuntimeError, match=r"must be called from a goroutine: a function given to syscall"):
                syscall(call)
        with pytest.raises(Exception, match="x"):
            syscall(panic, "x")

    run(main)


def test_another_runtime_may_run_there():
    assert run(lambda: syscall(run, lambda: (time.sleep(1), 7)[1])) == 7


def test_it_is_refused_in_a_finally_at_the_end_of_the_run():
    called = []

    def worker():
        try:
            select()
        finally:
            syscall(called.append, 1)
            called.append("survived")

    def main():
        go(worker)
        runtime.gosched()

    run(main)
    assert called == []


# ---- what others do meanwhile ----


def test_the_p_is_handed_off_while_it_blocks(monkeypatch):
    def main():
        done = chan(1)
        go(lambda: (syscall(int, takes=0.01), done.send(True)))
        runtime.gosched()
        count = 0
        while select(done.recv, default)[0] == 1:
            runtime.work(1e-3)
            count += 1
        return count

    finished = execute(monkeypatch, main, gomaxprocs=1)
    assert 8 <= finished.value <= 11
    assert finished.named("proc_retake")
    assert finished.open_reasons == []


def test_a_short_call_keeps_its_p(monkeypatch):
    finished = execute(monkeypatch, lambda: syscall(int), gomaxprocs=4)
    assert [event[-1] for event in finished.named("go_sysexit")] == ["kept its P"]


def test_ten_at_once_take_as_long_as_one():
    def main():
        start, done = time.now(), chan()
        for _ in range(10):
            go(lambda: done.send(syscall(threading.get_ident, takes=1)))
        threads = {done.recv() for _ in range(10)}
        check_runq(current_sched())
        check_goroutines(current_sched())
        return time.since(start), len(threads)

    for gomaxprocs in (1, 4):
        took, thread_count = run(main, gomaxprocs=gomaxprocs)
        assert 1 <= took < 1.01
        assert 1 <= thread_count <= 10


def test_ten_at_once_really_run_at_once():
    barrier = threading.Barrier(10, timeout=5)

    def main():
        done = chan()
        for _ in range(10):
            go(lambda: done.send(syscall(barrier.wait, takes=1)))
        return sorted(done.recv() for _ in range(10))

    assert run(main, gomaxprocs=2) == list(range(10))


def test_the_result_beats_a_timeout_the_same_way_every_time(monkeypatch):
    def main():
        result = chan()
        go(lambda: result.send(syscall(host_time.sleep, 1e-4)))
        return select(result.recv, time.after(1).recv)[0]

    runs = [execute(monkeypatch, main, gomaxprocs=4) for _ in range(100)]
    assert {finished.value for finished in runs} == {0}
    assert all(finished.events == runs[0].events for finished in runs)
    assert not any(finished.open_reasons for finished in runs)


def test_a_call_can_end_after_a_timeout_in_virtual_time():
    def main():
        result = chan(1)
        go(lambda: result.send(syscall(int, takes=2)))
        first = select(result.recv, time.after(1).recv)[0]
        return first, select(result.recv, time.after(5).recv)[0]

    assert run(main) == (1, 0)


def test_many_calls_leave_no_thread():
    def main():
        done = chan()
        for _ in range(100):
            go(lambda: done.send(syscall(int, takes=1)))
        for _ in range(100):
            done.recv()

    run(main, gomaxprocs=4)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("gomaxprocs", [1, 4])
def test_calls_locked_threads_and_stops_of_the_world_at_once(seed, gomaxprocs):
    def main():
        done = chan()

        def caller(index):
            if index % 3 == 0:
                runtime.lock_os_thread()
            for i in range(6):
                assert syscall(divmod, index, 3, takes=(index * 37 + i * 11) % 90 * 1e-5) == divmod(index, 3)
                runtime.work(20e-6)
            done.send(True)

        for index in range(9):
            go(caller, index)
        for n in (2, 5, 1, 3, 1, 4):
            time.sleep(2e-4)
            runtime.gomaxprocs(n)
            check_runq(current_sched())
            check_goroutines(current_sched())
        for _ in range(9):
            done.recv()
        return runtime.num_goroutine()

    assert run(main, gomaxprocs=gomaxprocs, seed=seed, max_time=60) == 1


# ---- late calls ----


def test_a_call_alone_may_take_any_time(monkeypatch):
    def main():
        syscall(host_time.sleep, LATE)
        return time.now().ns - 946_684_800 * 10**9

    finished = execute(monkeypatch, main)
    assert finished.open_reasons == []
    assert finished.value < 200_000


@pytest.mark.parametrize("gomaxprocs", [1, 4])
def test_a_late_call_opens_the_run_and_others_go_on(monkeypatch, gomaxprocs):
    def main():
        result = chan()
        go(lambda: result.send(syscall(host_time.sleep, LATE)))
        ticks, tk = 0, time.Ticker(0.01)
        while select(result.recv, tk.c.recv)[0] == 1:
            ticks += 1
        start = time.now()
        time.sleep(3600)  # time runs freely again
        return ticks, time.since(start)

    began = host_time.monotonic()
    finished = execute(monkeypatch, main, gomaxprocs=gomaxprocs)
    took = host_time.monotonic() - began
    ticks, slept = finished.value
    assert 1 <= ticks <= 12
    assert slept == pytest.approx(3600, abs=0.01)
    assert LATE <= took < 5
    assert finished.open_reasons == ["late host call: sleep"]
    assert [event[-1] for event in finished.named("host_call_late")] == ["sleep"]


def test_a_call_that_never_returns_does_not_keep_the_run(pipe):
    block, release = pipe

    def main():
        go(syscall, block)
        runtime.gosched()
        return "main"

    began = host_time.monotonic()
    assert run(main, gomaxprocs=1) == "main"
    assert host_time.monotonic() - began < 1
    assert worker_count() == 1
    release()


def test_a_call_that_never_returns_is_no_deadlock(pipe):
    block, release = pipe
    threading.Timer(0.05, release).start()

    def main():
        done = chan()
        go(lambda: done.send(syscall(block)))
        return done.recv()

    assert run(main) == b""


def test_a_call_that_never_returns_and_a_deadlock_of_the_rest(pipe):
    block, release = pipe
    threading.Timer(0.05, release).start()

    def main():
        go(syscall, block)
        chan().recv()

    with pytest.raises(Deadlock):  # as soon as the call is over
        run(main)


@pytest.mark.parametrize("is_alone", [True, False])
def test_max_time_ends_a_call_that_never_returns(pipe, is_alone):
    block, _ = pipe

    def main():
        if not is_alone:
            go(time.sleep, 1000)
        syscall(block)

    with pytest.raises(Timeout) as caught:
        run(main, max_time=0.05 if is_alone else 0.02)
    assert "goroutine 1 [syscall]:" in str(caught.value)


def test_others_time_out_while_a_call_hangs(pipe):
    block, _ = pipe

    def main():
        result = chan()
        go(lambda: result.send(syscall(block)))
        return select(result.recv, time.after(0.02).recv)[0]

    assert run(main, gomaxprocs=1) == 1


def test_a_panic_while_a_call_hangs(pipe):
    block, _ = pipe

    def main():
        go(syscall, block)
        runtime.gosched()
        panic("x")

    with pytest.raises(GoPanic):
        run(main)
    assert run(lambda: syscall(int)) == 0  # the process can run again


@pytest.mark.slow
def test_a_thousand_runs_leave_nothing():
    before = len(host_os.listdir("/proc/self/fd")) if host_os.path.isdir("/proc/self/fd") else 0
    for _ in range(1000):
        run(lambda: syscall(int))
    assert worker_count() == 0
    if before:
        assert len(host_os.listdir("/proc/self/fd")) == before
