"""Arguments that are wrong: a clear error where they are given."""

import datetime
import functools
import re

import pytest

from goruntime import chan, default, defer, func, go, nilchan, run, select
from goruntime.lang.error import GoPlainError


class Odd:
    """Neither a channel nor callable."""

    def __repr__(self):
        return "<odd>"


def generator():
    yield


async def coroutine():
    pass


async def async_generator():
    yield


class GeneratorCall:
    def __call__(self):
        yield


class CoroutineCall:
    async def __call__(self):
        pass


class Methods:
    def generator(self):
        yield

    @staticmethod
    def static():
        yield


NO_FUNCTIONS = {
    "generator": (generator, "generator is a generator function"),
    "coroutine": (coroutine, "coroutine is a coroutine function"),
    "async generator": (async_generator, "async_generator is a coroutine function"),
    "partial": (functools.partial(functools.partial(generator)), "generator is a generator function"),
    "method": (Methods().generator, "Methods.generator is a generator function"),
    "object": (GeneratorCall(), "GeneratorCall.__call__ is a generator function"),
    "async object": (CoroutineCall(), "CoroutineCall.__call__ is a coroutine function"),
}
no_function = pytest.mark.parametrize(("fn", "text"), NO_FUNCTIONS.values(), ids=NO_FUNCTIONS)
not_callable = pytest.mark.parametrize("thing", [None, 5, "f", Odd()], ids=repr)


# go, run, func, defer.


@no_function
@pytest.mark.parametrize("what", ["go", "run", "func"])
def test_generators_and_coroutines_are_refused(what, fn, text):
    def refused():
        with pytest.raises(TypeError, match=rf"^{what}: {re.escape(text)}; its body would never run$"):
            {"go": go, "run": run, "func": func}[what](fn)

    if what == "go":
        run(refused)
    else:
        refused()


def test_a_refused_go_starts_nothing():
    def main():
        with pytest.raises(TypeError):
            go(generator)
        return "on"

    assert run(main) == "on"


def test_func_over_a_static_method_that_is_a_generator():
    with pytest.raises(TypeError, match="static is a generator function"):
        func(Methods.__dict__["static"])


@not_callable
def test_what_cannot_be_called(thing):
    shown = re.escape(repr(thing))

    def main():
        with pytest.raises(TypeError, match=rf"^go: {shown} is not callable; write go\(f, x\), not go\(f\(x\)\)$"):
            go(thing)
        if thing is not None:  # a nil function may be deferred; it is its call that panics
            with pytest.raises(TypeError, match=rf"^defer: {shown} is not callable; write defer\(f, x\)"):
                defer(thing)

    run(main)
    with pytest.raises(TypeError, match=rf"^run: {shown} is not callable; write run\(f, x\), not run\(f\(x\)\)$"):
        run(thing)
    with pytest.raises(TypeError, match=rf"^func: {shown} is not callable$"):
        func(thing)


@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited")
@pytest.mark.parametrize("make", [generator, coroutine])
def test_what_a_generator_function_returned(make):
    thing = make()
    with pytest.raises(TypeError, match="is not callable; write run"):
        run(thing)
    thing.close()


def test_go_and_defer_without_a_function():
    def main():
        for primitive in (go, defer):
            with pytest.raises(TypeError, match="missing 1 required positional argument"):
                primitive()

    run(main)


def test_wrong_arguments_of_the_function_are_its_own_panic():
    from goruntime import GoPanic

    with pytest.raises(GoPanic, match=r"panic: TypeError: .*takes 1 positional argument but 2 were given"):
        run(lambda x: x, 1, 2)


# chan.


@pytest.mark.parametrize("size", [None, "3", 3.5, True, Odd(), [1]], ids=repr)
def test_a_size_that_is_no_integer(size):
    with pytest.raises(TypeError, match=f"^chan: size must be an integer, not {type(size).__name__}$"):
        chan(size)


@pytest.mark.parametrize("size", [-1, 1 << 47, 1 << 62, 10**30])
def test_a_size_out_of_range(size):
    with pytest.raises(GoPlainError, match="^makechan: size out of range$"):
        chan(size)


def test_a_size_is_whatever_counts_as_an_integer():
    class Three:
        def __index__(self):
            return 3

    assert repr(chan(Three())) == "<chan 0/3>"


@pytest.mark.parametrize("dtype", ["int", 5, None, [int]], ids=repr)
def test_a_dtype_that_is_no_type(dtype):
    with pytest.raises(TypeError, match="^chan: dtype must be a type, not"):
        chan(1, dtype)


@pytest.mark.parametrize(
    ("dtype", "value"), [(int, "1"), (int, True), (int, None), (str, 1), (float, "x"), (bool, 1), (bytes, "b")]
)
def test_sending_another_type(dtype, value):
    shown = re.escape(repr(value))

    def main():
        ch = chan[dtype](1)
        for send in (lambda: ch.send(value), lambda: select((ch.send, value), default)):
            with pytest.raises(TypeError, match=rf"^chan\[{dtype.__name__}\]: cannot send {shown} of type"):
                send()
        return len(ch)

    assert run(main) == 0


# select.


def bad_cases():
    ch = chan(1)
    return {
        "the channel": (ch, "not the channel itself"),
        "a view": (ch.recv_only(), "not the channel itself"),
        "nothing": (None, "not None"),
        "a send without its value": (ch.send, r"a send case is \(ch.send, value\)"),
        "a send in a list": ([ch.send, 1], "a case is ch.recv, ch.recv_"),
        "a receive in a tuple": ((ch.recv,), "a case is ch.recv, ch.recv_"),
        "a receive with a value": ((ch.recv, 1), "a case is ch.recv, ch.recv_"),
        "a send with two values": ((ch.send, 1, 2), "a case is ch.recv, ch.recv_"),
        "a close": (ch.close, "a case is ch.recv, ch.recv_"),
        "a called receive": (5, "not 5"),
        "a builtin": (len, "not <built-in function len>"),
        "an unbound method": (chan.recv, "not <function chan.recv"),
        "another object": (Odd(), "not <odd>"),
    }


@pytest.mark.parametrize("name", bad_cases())
@pytest.mark.parametrize("others", [(), (default,), ("ready", default)], ids=["alone", "default", "ready first"])
def test_a_case_that_is_none(name, others):
    def main():
        case, text = bad_cases()[name]
        ready = chan(1)
        ready.send(1)
        cases = [ready.recv if other == "ready" else other for other in others]
        with pytest.raises(TypeError, match=f"select: .*{text}"):
            select(*cases, case)
        ready.check()
        return len(ready)

    assert run(main) == 1


def test_two_defaults():
    def main():
        with pytest.raises(TypeError, match="^select: multiple defaults$"):
            select(default, default)
        with pytest.raises(TypeError, match="^select: multiple defaults$"):
            select(default, nilchan.recv, default)

    run(main)


def test_too_many_cases():
    def main():
        ch = chan()
        with pytest.raises(ValueError, match=r"^select: too many cases \(maximum 65536\)$"):
            select(*[ch.recv] * 65_537)
        ch.check()
        return ch.recvq.first

    assert run(main) is None


# run's options.

OPTIONS = {
    "unknown": ({"fast": 1}, TypeError, "^run: unknown option 'fast'$"),
    "gomaxprocs text": ({"gomaxprocs": "abc"}, TypeError, "^gomaxprocs must be a positive integer, not 'abc'$"),
    "gomaxprocs zero": ({"gomaxprocs": 0}, ValueError, "^gomaxprocs must be a positive integer, not 0$"),
    "gomaxprocs negative": ({"gomaxprocs": -1}, ValueError, "^gomaxprocs must be a positive integer, not -1$"),
    "gomaxprocs bool": ({"gomaxprocs": True}, TypeError, "^gomaxprocs must be a positive integer, not True$"),
    "gomaxprocs float": ({"gomaxprocs": 2.0}, TypeError, "^gomaxprocs must be a positive integer, not 2.0$"),
    "gomaxprocs huge": ({"gomaxprocs": 2**40}, ValueError, "^gomaxprocs must be at most"),
    "cpus": ({"cpus": "4"}, TypeError, "^cpus must be a positive integer, not '4'$"),
    "cpus zero": ({"cpus": 0}, ValueError, "^cpus must be a positive integer, not 0$"),
    "seed text": ({"seed": "a"}, TypeError, "^seed must be an integer, not str$"),
    "seed float": ({"seed": 1.5}, TypeError, "^seed must be an integer, not float$"),
    "seed bool": ({"seed": True}, TypeError, "^seed must be an integer, not bool$"),
    "clock": ({"clock": "fast"}, ValueError, '^clock must be "virtual" or "real", not \'fast\'$'),
    "clock list": ({"clock": []}, ValueError, "^clock must be"),
    "max_time zero": ({"max_time": 0}, ValueError, "^max_time must be positive: 0$"),
    "max_time negative": ({"max_time": -1}, ValueError, "^max_time must be positive: -1$"),
    "max_time text": ({"max_time": "1"}, TypeError, "^max_time must be a number of seconds, not str$"),
    "max_time nan": ({"max_time": float("nan")}, ValueError, "^max_time must be a number of seconds, not nan$"),
    "max_steps zero": ({"max_steps": 0}, ValueError, "^max_steps must be a positive integer, not 0$"),
    "max_steps float": ({"max_steps": 1.5}, TypeError, "^max_steps must be a positive integer, not 1.5$"),
    "quantum negative": ({"quantum": -1}, ValueError, "^quantum must not be negative: -1$"),
    "quantum text": ({"quantum": "x"}, TypeError, "^quantum must be a number of seconds, not str$"),
    "quantum nan": ({"quantum": float("nan")}, ValueError, "^quantum must be a number of seconds, not nan$"),
    "godebug": ({"godebug": 5}, TypeError, "^godebug must be a string"),
    "start": ({"start": "2000"}, TypeError, "^start must be a datetime, not str$"),
    "observers": ({"observers": 5}, TypeError, "^observers must be a sequence"),
    "strategy": ({"strategy": 5}, TypeError, "^strategy must be a chooser"),
    "events": ({"events": 5}, TypeError, "^events must be"),
}


@pytest.mark.parametrize(("options", "error", "text"), OPTIONS.values(), ids=OPTIONS)
def test_options_of_run(options, error, text):
    ran = []
    with pytest.raises(error, match=text):
        run(ran.append, 1, **options)
    assert ran == []


@pytest.mark.parametrize(
    "options",
    [
        {"seed": -5},
        {"seed": 10**50},
        {"max_time": float("inf")},
        {"max_time": 1e300},
        {"quantum": float("inf")},
        {"quantum": 0},
        {"godebug": "garbage,,=,a=b=c"},
        {"start": datetime.datetime(1969, 12, 31)},
        {"gomaxprocs": None, "cpus": None},
    ],
    ids=repr,
)
def test_options_that_are_odd_but_right(options):
    def main():
        ch = chan()
        go(ch.send, 5)
        return ch.recv()

    assert run(main, **options) == 5


@pytest.mark.parametrize("text", ["abc", "", "0", "-3", "1e3", " 7", "+7", "1_0", "٣", "99999999999999999999"])
def test_the_environments_gomaxprocs_is_ignored_if_it_is_no_positive_integer(text, monkeypatch):
    from goruntime import runtime

    monkeypatch.setenv("GOMAXPROCS", text)
    assert run(runtime.gomaxprocs) == 4
    monkeypatch.setenv("GOMAXPROCS", "3")
    assert run(runtime.gomaxprocs) == 3
    assert run(runtime.gomaxprocs, gomaxprocs=2) == 2
