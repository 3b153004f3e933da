"""func, defer, returns, returned: what runs at the end of a function, in which order, and what it returns then."""

import functools

import pytest

from goruntime import GoPanic, chan, defer, func, go, panic, recover, returned, returns, run, runtime
from goruntime.lang.error import Panic


def inside(main):
    """Run the test's body as goroutine 1."""

    @functools.wraps(main)
    def test(*args, **kwargs):
        return run(functools.partial(main, *args, **kwargs))

    return test


# Order.


@inside
def test_last_in_first_out():
    log = []

    @func
    def f():
        for number in range(4):
            defer(log.append, number)
        log.append("body")

    f()
    assert log == ["body", 3, 2, 1, 0]


def test_main_and_goroutines_have_defer_already():
    log = []

    def work(done):
        defer(done.send, 1)
        defer(log.append, "goroutine's")

    def main():
        defer(log.append, "main's")
        done = chan()
        go(work, done)
        done.recv()
        log.append("body")

    run(main)
    assert log == ["goroutine's", "body", "main's"]


@inside
def test_arguments_are_evaluated_at_once():
    log = []

    @func
    def f(n):
        defer(log.append, n)
        defer(lambda: log.append(n))
        n += 1

    f(1)
    assert log == [2, 1]


@inside
def test_keywords():
    log = []

    @func
    def f():
        defer(lambda *args, **kwargs: log.append((args, kwargs)), 1, 2, key=3)

    f()
    assert log == [((1, 2), {"key": 3})]


@inside
def test_a_deferred_function_defers():
    log = []

    @func
    def inner():
        defer(log.append, "inner's")
        log.append("inner")

    @func
    def outer():
        defer(log.append, "outer's first")
        defer(inner)

    outer()
    assert log == ["inner", "inner's", "outer's first"]


@inside
def test_each_call_has_its_own():
    log = []

    @func
    def countdown(n):
        defer(log.append, n)
        if n:
            countdown(n - 1)

    countdown(3)
    assert log == [0, 1, 2, 3]


@inside
def test_they_run_before_the_caller_goes_on():
    log = []

    @func
    def f():
        defer(log.append, 1)

    log.append(0)
    f()
    log.append(2)
    assert log == [0, 1, 2]


def test_one_that_waits():
    def main():
        ch, log = chan(), []

        @func
        def f():
            defer(lambda: log.append(ch.recv()))
            defer(lambda: log.append(ch.recv()))

        go(lambda: [ch.send(number) for number in range(2)])
        f()
        return log

    assert run(main) == [0, 1]


# Where it may be called.


def frames():
    def plain():
        defer(print)

    def nested():
        def inner():
            defer(print)

        inner()

    class Method:
        def method(self):
            defer(print)

    def in_class_body():
        class Body:
            defer(print)

    def decorated():
        defer(print)

    def between(fn):
        @functools.wraps(fn)
        def wrapper():
            return fn()

        return wrapper

    return {
        "plain": (plain, "plain"),
        "nested": (func(nested), "nested.inner"),
        "lambda": (lambda: defer(print), "<lambda>"),
        "lambda in a func": (func(lambda: (lambda: defer(print))()), "<lambda>.<lambda>"),
        "method": (Method().method, "Method.method"),
        "class body": (func(in_class_body), "in_class_body.Body"),
        "under a decorator": (func(between(decorated)), "decorated"),
    }


@pytest.mark.parametrize("name", frames())
@inside
def test_outside_a_func(name):
    call, where = frames()[name]
    with pytest.raises(
        RuntimeError, match=rf"^defer in frames\.{where}, which is not a func: add @func above its def$"
    ):
        call()


@inside
def test_in_a_comprehension():
    log = []

    @func
    def f():
        [defer(log.append, number) for number in range(2)]
        {defer(log.append, number): 1 for number in range(2, 4)}
        {defer(log.append, number) for number in range(4, 6)}
        list(defer(log.append, number) for number in range(6, 8))  # noqa: C400
        [[defer(log.append, number) for number in range(8, 10)] for _ in range(1)]

    f()
    assert log == list(range(9, -1, -1))


@inside
def test_kinds_of_funcs():
    log = []

    class Kind:
        @func
        def method(self, n):
            defer(log.append, n)
            return self

        @classmethod
        @func
        def made(cls):
            defer(log.append, "class")
            return cls()

        @staticmethod
        @func
        def static():
            defer(log.append, "static")

        @func
        def __call__(self):
            defer(log.append, "call")

        @property
        @func
        def value(self):
            defer(log.append, "property")
            return 5

    kind = Kind.made()
    assert kind.method(1) is kind
    Kind.static()
    kind()
    assert kind.value == 5
    func(functools.partial(kind.method, "partial"))()
    func(lambda: defer(log.append, "lambda"))()
    assert log == ["class", 1, "static", "call", "property", "partial", "lambda"]


def test_func_keeps_what_it_wraps():
    @func
    def f(a: int, *, b: str = "x") -> float:
        """Its text."""

    assert f.__name__ == "f"
    assert f.__doc__ == "Its text."
    assert f.__wrapped__.__code__.co_name == "f"


# What the function returns.


@inside
def test_returned_and_returns():
    @func
    def double(n):
        defer(lambda: returns(returned() * 2))
        return n

    @func
    def twice():
        defer(lambda: returns(returned() + 1))
        defer(lambda: returns(returned() * 10))
        return 4

    @func
    def nothing():
        defer(lambda: returns("set"))

    @func
    def untouched():
        defer(returned)
        return "mine"

    assert double(4) == 8
    assert twice() == 41
    assert nothing() == "set"
    assert untouched() == "mine"


def test_of_main():
    def main():
        defer(returns, 7)
        return 5

    assert run(main) == 7


@inside
def test_each_func_has_its_own_result():
    log = []

    @func
    def inner():
        defer(lambda: returns("inner's"))
        return "x"

    @func
    def outer():
        def deferred():
            log.append(inner())
            log.append(returned())
            returns("outer's")

        defer(deferred)
        return "y"

    assert outer() == "outer's"
    assert log == ["inner's", "y"]


@inside
def test_without_a_deferred_call():
    for primitive in (returned, lambda: returns(1)):
        with pytest.raises(RuntimeError, match=r"^return(s|ed) must be called from a deferred function$"):
            primitive()


@inside
def test_after_a_recovery():
    @func
    def silent():
        defer(lambda: None)
        defer(recovers)
        panic("x")

    @func
    def speaking():
        def deferred():
            returns(f"recovered {recover()}")

        defer(deferred)
        panic("x")

    def recovers():
        recover()

    assert silent() is None
    assert speaking() == "recovered x"


# nil.


@inside
def test_a_nil_function_panics_when_it_would_run():
    log = []

    @func
    def f():
        defer(lambda: log.append(str(recover())))
        defer(None)
        log.append("body")

    f()
    assert log == ["body", "runtime error: invalid memory address or nil pointer dereference"]


def test_a_nil_function_nobody_recovers():
    with pytest.raises(GoPanic, match="nil pointer dereference\n.signal SIGSEGV"):
        run(defer, None) if False else run(lambda: defer(None))


# Exceptions of Python's.


@inside
def test_with_try_and_finally():
    log = []

    @func
    def f():
        defer(log.append, "deferred")
        try:
            raise ValueError
        except ValueError:
            log.append("except")
        finally:
            log.append("finally")

    f()
    assert log == ["except", "finally", "deferred"]


@inside
def test_a_func_that_raises_is_caught_by_its_caller():
    log = []

    @func
    def f():
        defer(log.append, "deferred")
        raise ValueError("x")

    with pytest.raises(ValueError, match="x"):
        f()
    assert log == ["deferred"]
    with pytest.raises(ValueError, match="x"):
        f()
    assert log == ["deferred"] * 2


@inside
def test_the_exception_is_the_one_that_was_raised():
    error = ValueError("x")
    cause = KeyError("y")

    @func
    def inner():
        raise error from cause

    @func
    def middle():
        defer(len, "")
        inner()

    with pytest.raises(ValueError, match="x") as caught:
        func(middle)()
    assert caught.value is error
    assert error.__cause__ is cause


def test_goexit_runs_them():
    log = []

    def main():
        done = chan()

        @func
        def inner():
            defer(log.append, "inner's")
            runtime.goexit()

        def work():
            defer(done.send, 1)
            defer(log.append, "outer's")
            try:
                inner()
            except Exception:  # noqa: BLE001  it must not get here
                log.append("an exception it is not")

        go(work)
        done.recv()

    run(main)
    assert log == ["inner's", "outer's"]


@inside
def test_a_panic_in_the_middle_runs_the_rest():
    log = []

    @func
    def f():
        defer(log.append, "first")
        defer(panic, "second")
        defer(log.append, "third")

    with pytest.raises(Panic) as caught:
        f()
    assert caught.value.value == "second"
    assert log == ["third", "first"]


# Methods.


def test_func_stands_above_staticmethod_and_classmethod():
    log = []

    class Tool:
        @func
        @staticmethod
        def plain(x):
            defer(log.append, ("plain", x))
            return x

        @func
        @classmethod
        def of_class(cls, x):
            defer(log.append, ("class", cls.__name__, x))
            return x

        @staticmethod
        @func
        def inside(x):
            defer(log.append, ("inside", x))
            return x

    def main():
        return Tool.plain(1), Tool().plain(2), Tool.of_class(3), Tool().of_class(4), Tool().inside(5)

    assert run(main) == (1, 2, 3, 4, 5)
    assert log == [("plain", 1), ("plain", 2), ("class", "Tool", 3), ("class", "Tool", 4), ("inside", 5)]
    assert Tool.plain.__name__ == "plain"


def test_func_of_a_class_adds_a_method():
    class Counter:
        def __init__(self):
            self.value = 1

    bump = "a variable"

    @func(Counter)
    def bump(self, by=1):  # noqa: F811  that it is not is what the test is about
        """Count."""
        defer(lambda: setattr(self, "value", self.value + by))
        return self.value

    @func(Counter)
    @classmethod
    def make(cls):
        return cls()

    def main():
        counter = Counter.make()
        return counter.bump(), counter.bump(by=5), counter.value

    assert run(main) == (1, 2, 7)
    assert bump == "a variable"
    assert make is None
    assert (Counter.bump.__name__, Counter.bump.__doc__) == ("bump", "Count.")


def test_func_of_a_class_refuses_what_func_refuses():
    class Thing:
        pass

    with pytest.raises(TypeError, match="generator function"):

        @func(Thing)
        def numbers(self):
            yield 1

    assert not hasattr(Thing, "numbers")


# The chain of exceptions: each that a deferred call raised happened during the one before it.


def chain_of(error):
    """The texts along `__context__`."""
    texts = []
    while error is not None:
        texts.append(str(error))
        error = error.__context__
    return texts


def raiser(text):
    def raise_it():
        raise ValueError(text)

    return raise_it


def test_what_deferred_calls_raise_is_chained_in_the_order_it_happened():
    @func
    def inner():
        for text in ("i3", "i2", "i1"):
            defer(raiser(text))

    @func
    def outer():
        defer(raiser("last"))
        defer(inner)
        defer(raiser("second"))
        raise ValueError("first")

    def main():
        with pytest.raises(ValueError, match="last") as caught:
            outer()
        return chain_of(caught.value), caught.value.__cause__

    assert run(main) == (["last", "i3", "i2", "i1", "second", "first"], None)


def test_the_chain_begins_anew_where_the_panic_was_recovered():
    def main():
        @func
        def body():
            defer(raiser("third"))
            defer(raiser("second"))
            defer(lambda: recover())
            raise ValueError("first")

        with pytest.raises(ValueError, match="third") as caught:
            body()
        return chain_of(caught.value)

    assert run(main) == ["third", "second"]


def test_a_deferred_call_that_recovers_and_raises_is_chained_to_what_it_recovered():
    def main():
        @func
        def body():
            @defer
            def _():
                recover()
                raise ValueError("second")

            raise ValueError("first")

        with pytest.raises(ValueError, match="second") as caught:
            body()
        return chain_of(caught.value)

    assert run(main) == ["second", "first"]


def test_what_is_handled_around_the_call_stays_at_the_end_of_the_chain():
    def main():
        @func
        def body():
            defer(raiser("third"))
            defer(raiser("second"))

        try:
            raiser("outside")()
        except ValueError:
            with pytest.raises(ValueError, match="third") as caught:
                body()
        return chain_of(caught.value)

    assert run(main) == ["third", "second", "outside"]


def test_raising_the_same_exception_again_makes_no_circle():
    def main():
        error = ValueError("again")

        def again():
            raise error

        @func
        def body():
            defer(again)
            defer(raiser("between"))
            defer(again)
            raise error

        with pytest.raises(ValueError, match="again") as caught:
            body()
        return caught.value is error

    assert run(main) is True
