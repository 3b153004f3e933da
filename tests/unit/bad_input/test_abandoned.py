"""Goroutines that main leaves behind: their stacks are taken down in order, whatever they do about it."""

import gc
import warnings
import weakref

import pytest

from goruntime import (
    boot,
    chan,
    default,
    defer,
    func,
    go,
    nilchan,
    panic,
    println,
    recover,
    run,
    runtime,
    select,
    syscall,
    time,
)
from goruntime.sched import preempt

pytestmark = pytest.mark.usefixtures("every_way")


def leave(*functions):
    """Run a main that starts the functions, lets them wait, and returns; what they logged."""
    log = []

    def main():
        for function in functions:
            go(function, log)
        time.sleep(0.001)
        return "main returned"

    assert run(main) == "main returned"
    return log


def block():
    chan().recv()


# Ways to wait.

WAYS = {
    "recv": block,
    "recv_": lambda: chan().recv_(),
    "range": lambda: list(chan()),
    "send": lambda: chan().send(1),
    "nil": nilchan.recv,
    "nil send": lambda: nilchan.send(1),
    "select": lambda: select(chan().recv, (chan().send, 1)),
    "select nothing": select,
    "sleep": lambda: time.sleep(100),
    "timer": lambda: time.after(100).recv(),
    "ticker": lambda: list(time.tick(100)),
    "busy": lambda: [runtime.work(1e-7) for _ in iter(int, 1)],
    "yielding": lambda: [runtime.gosched() for _ in iter(int, 1)],
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("count", [1, 4])
def test_finally_runs_but_deferred_calls_do_not(way, count):
    log = []

    def left():
        defer(log.append, "deferred")
        try:
            func(inner)()
        finally:
            log.append("finally")

    def inner():
        defer(log.append, "deferred")
        way()

    def main():
        go(left)
        time.sleep(0.0001)

    run(main, gomaxprocs=count)
    assert log == ["finally"]


def test_in_the_order_of_creation():
    def left(log, number):
        try:
            block()
        finally:
            log.append(number)

    assert leave(*[lambda log, n=n: left(log, n) for n in range(20)]) == list(range(20))


def test_one_that_has_not_started_does_not():
    log = []

    def main():
        for number in range(300):
            go(log.append, number)

    run(main, gomaxprocs=1)
    assert log == []


def test_inside_a_deferred_call_that_recovers():
    def left(log):
        def deferred():
            recover()
            try:
                block()
            finally:
                log.append("finally")

        defer(log.append, "deferred")
        defer(deferred)
        panic("x")

    def wrapped(log):
        left(log)

    assert leave(left) == ["finally"]


def test_a_context_manager_is_left():
    from contextlib import contextmanager

    def left(log):
        @contextmanager
        def managed():
            log.append("enter")
            try:
                yield
            finally:
                log.append("exit")

        with managed():
            block()

    assert leave(left) == ["enter", "exit"]


def test_a_generator_is_closed():
    def left(log):
        def values():
            try:
                yield 1
                block()
            finally:
                log.append("generator's finally")

        for _ in values():
            log.append("value")

    assert leave(left) == ["value", "generator's finally"]


def test_a_suspended_generator_is_closed():
    def left(log):
        def values():
            try:
                yield 1
            finally:
                chan(1).send(1)
                log.append("generator's finally")

        iterator = values()
        next(iterator)
        block()

    assert leave(left) == ["generator's finally"]


# What `finally` may do.


def test_primitives_that_would_not_block_do_nothing(capsys):
    def left(log):
        ch, full, closed = chan(1), chan(1), chan(1)
        full.send("kept")
        closed.send("kept")
        closed.close()
        try:
            block()
        finally:
            ch.send(1)
            log.append(("send", len(ch)))
            log.append(("recv", full.recv(), len(full)))
            log.append(("recv_", full.recv_()))
            log.append(("range", list(closed), len(closed)))
            log.append(("select", select(full.recv, default)))
            ch.close()
            log.append(("close", ch.closed))
            go(log.append, "never")
            println("never")
            runtime.gosched()
            time.sleep(0)
            runtime.work(1)
            log.append(("defer", defer(log.append, "never")))

    assert leave(left) == [
        ("send", 0),
        ("recv", None, 1),
        ("recv_", (None, False)),
        ("range", [], 1),
        ("select", (-1, None)),
        ("close", False),
        ("defer", None),
    ]
    assert capsys.readouterr().err == ""


BLOCKING = {
    "recv": block,
    "send": lambda: chan().send(1),
    "nil": nilchan.recv,
    "select": lambda: select(chan().recv),
    "select nothing": select,
    "sleep": lambda: time.sleep(1),
    "syscall": lambda: syscall(print, "never"),
}


@pytest.mark.parametrize("wait", BLOCKING.values(), ids=BLOCKING)
def test_primitives_that_would_block_end_it_again(wait):
    def left(log):
        try:
            block()
        finally:
            log.append("outer finally")
            try:
                wait()
                log.append("never")
            finally:
                log.append("inner finally")

    assert leave(left) == ["outer finally", "inner finally"]


def test_a_thousand_finally_clauses_that_would_block():
    def left(log):
        def nested(n):
            try:
                nested(n - 1) if n else block()
            finally:
                log.append(n)
                block()

        nested(1000)

    assert leave(left) == list(range(1001))


@pytest.mark.parametrize("error", [ValueError("x"), SystemExit(1), KeyboardInterrupt()], ids=repr)
def test_a_finally_that_raises(error):
    def left(log):
        try:
            block()
        finally:
            log.append("finally")
            raise error

    def after(log):
        try:
            block()
        finally:
            log.append("after")

    assert leave(left, after) == ["finally", "after"]


def test_a_finally_that_panics_or_exits():
    def panics(log):
        try:
            block()
        finally:
            panic(1)

    def exits(log):
        try:
            block()
        finally:
            runtime.goexit()

    def last(log):
        try:
            block()
        finally:
            log.append("last")

    assert leave(panics, exits, func(panics), func(exits), last) == ["last"]


def test_a_loop_that_waits_for_what_nothing_brings():
    """`finally: while len(ch): ch.recv()` would not end, since recv does nothing."""

    def left(log):
        ch = chan(3)
        ch.send(1)
        try:
            block()
        finally:
            while len(ch):
                ch.recv()

    leave(left)


# Swallowing the end.


def test_an_end_that_is_swallowed_a_few_times():
    def left(log):
        for number in range(50):
            try:
                block()
            except BaseException:
                log.append(number)
        return "its own end"

    assert leave(left) == list(range(50))


@pytest.mark.parametrize("nested", [False, True], ids=["loop", "loop in a finally"])
def test_an_end_that_is_always_swallowed(nested):
    log = []

    def swallow():
        while True:
            try:
                block()
            except BaseException as error:
                log.append(type(error).__name__)

    def stubborn():
        if nested:
            try:
                block()
            finally:
                swallow()
        swallow()

    def polite():
        try:
            block()
        finally:
            log.append("polite")

    def main():
        go(stubborn)
        go(polite)
        time.sleep(0.001)
        return 1

    kept = len(boot._lost_goroutines)
    with pytest.warns(
        ResourceWarning, match=r"^goroutine \d+ swallowed its end 100 times and is left suspended$"
    ) as caught:
        assert run(main) == 1
    assert len(caught) == 1
    assert log.count("AbandonUnwind") in (99, 100)
    assert log[-1] == "polite"
    assert len(boot._lost_goroutines) == kept + 1


def test_the_warning_may_be_an_error():
    def stubborn():
        while True:
            try:
                block()
            except BaseException:
                pass

    def main():
        go(stubborn)
        time.sleep(0.001)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ResourceWarning, match="is left suspended"):
            run(main)


def test_one_that_computes_for_ever(monkeypatch):
    """Only the preemption signal gets at it: it ends it, again and again, and then leaves it suspended."""
    monkeypatch.setattr(preempt, "UNWIND_CALLS", 1)
    monkeypatch.setattr(preempt, "UNWIND_PATIENCE", 3)
    monkeypatch.setattr(boot, "UNWIND_PATIENCE", 3)
    ends = []

    def stubborn():
        while True:
            try:
                block()
            except BaseException:
                ends.append(1)
            try:
                number = 0
                while True:
                    number += 1
            except BaseException:
                ends.append(1)

    def main():
        go(stubborn)
        time.sleep(0.001)

    with pytest.warns(ResourceWarning, match="swallowed its end 3 times"):
        run(main)
    assert len(ends) >= 3


# What stays.


class Kept:
    pass


@pytest.mark.parametrize("way", ["returns", "panics"])
def test_nothing_of_a_run_stays_alive(way):
    import contextvars

    variable = contextvars.ContextVar("variable")
    kept = []

    def new():
        value = Kept()
        kept.append(weakref.ref(value))
        return value

    def waits(value):
        local = new()
        variable.set(new())
        try:
            raise ValueError(new())
        except ValueError as error:
            held = error
        block()
        return local, held

    def swallows(value):
        @func
        def inner():
            panic(new())

        try:
            inner()
        except Exception:
            variable.set(new())

    def main():
        ch = chan(3)
        ch.send(new())
        variable.set(new())
        for _ in range(5):
            go(waits, new())
            go(swallows, new())
            go(lambda value: chan().send(new()), new())
            go(lambda value: select((chan().send, new()), ch.send_only().close and chan().recv), new())
        time.after_func(100, lambda value=new(): value)
        time.sleep(0.001)
        go(print, new(), "never started")
        if way == "panics":
            raise ValueError(new())
        return [new()]

    if way == "panics":
        with pytest.raises(Exception, match="ValueError"):
            run(main)
    else:
        assert len(run(main)) == 1
    gc.collect()
    assert len(kept) > 40
    assert [ref for ref in kept if ref() is not None] == []
