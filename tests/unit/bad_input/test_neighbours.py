"""What else lives in a Python process: contexts, decimal, tracing, profiling, asyncio, generators, copies."""

import asyncio
import contextvars
import copy
import cProfile
import decimal
import pickle
import sys
import threading

import pytest

from goruntime import Deadlock, GoPanic, chan, default, go, nilchan, run, runtime, select, time
from goruntime.lang.error import GoPlainError, GoRuntimeError, NilDereference, Panic, PanicNilError

pytestmark = pytest.mark.usefixtures("every_way")
variable = contextvars.ContextVar("variable", default="unset")


# Contexts.


def test_context_variables_do_not_leak():
    seen = []

    def work(number, done):
        seen.append(variable.get())
        variable.set(number)
        runtime.gosched()
        seen.append(variable.get() == number)
        done.send(1)

    def main():
        seen.append(variable.get())
        variable.set("main's")
        done = chan()
        for _ in range(2):
            for number in range(3):
                go(work, number, done)
            for _ in range(3):
                done.recv()
        seen.append(variable.get())

    token = variable.set("the caller's")
    try:
        for _ in range(2):
            run(main, gomaxprocs=1)
            assert seen[0] == "the caller's"
            assert seen[-1] == "main's"
            assert set(seen[1:-1]) == {"the caller's", True}
            assert variable.get() == "the caller's"
            seen.clear()
    finally:
        variable.reset(token)


def test_decimal_contexts_do_not_leak():
    seen = set()

    def work(number, done):
        seen.add(decimal.getcontext().prec)
        decimal.getcontext().prec = 30 + number
        runtime.gosched()
        assert decimal.getcontext().prec == 30 + number
        done.send(1)

    def main():
        decimal.getcontext().prec = 7
        done = chan()
        for _ in range(2):
            for number in range(3):
                go(work, number, done)
            for _ in range(3):
                done.recv()
        assert decimal.getcontext().prec == 7

    with decimal.localcontext() as mine:
        mine.prec = 5
        for _ in range(2):
            run(main, gomaxprocs=1)
            assert seen == {decimal.DefaultContext.prec}
            assert decimal.getcontext().prec == 5


def test_other_variables_are_kept_when_decimal_is_in_use():
    decimal.getcontext()
    token = variable.set("the caller's")
    try:
        assert run(variable.get) == "the caller's"
    finally:
        variable.reset(token)


# Tracing.


def talk():
    ch = chan()
    go(ch.send, 5)
    go(time.sleep, 1)
    time.sleep(0.001)
    return ch.recv()


def test_with_a_trace_function():
    events = []

    def trace(frame, event, argument):
        events.append(event)
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        assert run(talk) == 5
    finally:
        sys.settrace(before)
    assert {"call", "line", "return"} <= set(events)


def test_with_a_profile_function():
    calls = []
    before = sys.getprofile()
    sys.setprofile(lambda frame, event, argument: calls.append(event))
    try:
        assert run(talk) == 5
    finally:
        sys.setprofile(before)
    assert calls


def test_with_cprofile():
    profile = cProfile.Profile()
    assert profile.runcall(run, talk) == 5

    def main():
        inner = cProfile.Profile()
        return inner.runcall(talk)

    assert run(main) == 5


# asyncio.


def test_asyncio_inside_a_goroutine():
    async def coroutine():
        await asyncio.sleep(0)
        ch = chan(1)
        ch.send(3)  # still this goroutine
        return ch.recv()

    def main():
        ch = chan()
        go(ch.send, 4)
        return asyncio.run(coroutine()), ch.recv()

    assert run(main) == (3, 4)


def test_a_run_inside_asyncio():
    async def coroutine():
        return run(talk)

    assert asyncio.run(coroutine()) == 5


# Generators.


def test_a_generator_that_two_goroutines_share():
    def main():
        ch, out = chan(), chan(9)

        def values():
            while True:
                yield ch.recv()

        shared = values()

        def take():
            try:
                out.send(next(shared))
            except ValueError as error:
                out.send(str(error))

        go(take)
        go(take)
        time.sleep(0.001)
        ch.send(1)
        time.sleep(0.001)
        go(take)
        time.sleep(0.001)
        ch.send(2)
        return [out.recv() for _ in range(3)]

    assert run(main, gomaxprocs=1) == ["generator already executing", 1, 2]


def test_a_generator_that_is_closed_uses_primitives():
    def main():
        ch, log = chan(), []

        def values():
            try:
                yield 1
            finally:
                log.append(ch.recv())

        go(ch.send, "received in finally")
        iterator = values()
        next(iterator)
        del iterator
        return log

    assert run(main) == ["received in finally"]


def test_a_generator_that_outlives_its_run():
    def values():
        try:
            yield chan(1)
        finally:
            time.now()

    def main():
        iterator = values()
        next(iterator)
        return iterator

    iterator = run(main)
    with pytest.raises(RuntimeError, match="must be called from a goroutine"):
        iterator.close()


# Copies.


@pytest.mark.parametrize("how", [copy.copy, copy.deepcopy, pickle.dumps])
@pytest.mark.parametrize(
    "make", [chan, lambda: chan[int](2), lambda: chan(1).send_only()], ids=["chan", "typed", "view"]
)
def test_a_channel_is_not_copied(how, make):
    thing = make()
    if how is copy.copy and not isinstance(thing, chan):
        assert how(thing) == thing  # a view of the same channel
        return
    with pytest.raises(TypeError, match="^chan: a channel cannot be copied; share it$"):
        how(thing)


@pytest.mark.parametrize("how", [copy.copy, copy.deepcopy, lambda thing: pickle.loads(pickle.dumps(thing))])
@pytest.mark.parametrize("thing", [default, nilchan], ids=repr)
def test_what_there_is_one_of_stays_itself(how, thing):
    assert how(thing) is thing


@pytest.mark.parametrize("how", [copy.copy, copy.deepcopy, lambda thing: pickle.loads(pickle.dumps(thing))])
@pytest.mark.parametrize(
    "error",
    [
        Panic(3),
        GoPlainError("x"),
        GoRuntimeError("x"),
        NilDereference(),
        PanicNilError(),
        GoPanic("text", 5, 7),
        Deadlock("d"),
    ],
    ids=repr,
)
def test_errors_are_copied(how, error):
    made = how(error)
    assert type(made) is type(error)
    assert str(made) == str(error)
    if isinstance(error, (Panic, GoPanic)):
        assert made.value == error.value or made.value is made


# Threads and locks of the host.


def test_locks_that_nobody_holds_for_long():
    def main():
        lock, total = threading.Lock(), [0]
        done = chan()

        def work():
            for _ in range(50):
                with lock:
                    total[0] += 1
            done.send(1)

        for _ in range(4):
            go(work)
        for _ in range(4):
            done.recv()
        return total

    assert run(main) == [200]


def test_select_with_cases_from_a_list():
    def main():
        chans = [chan(1) for _ in range(10)]
        chans[7].send("x")
        return select(*[ch.recv for ch in chans])

    assert run(main) == (7, "x")
