"""What leaves a goroutine: an Exception is a panic, anything else ends the run and leaves `run` as it is."""

import re

import pytest
from greenlet import GreenletExit

from goruntime import FatalError, GoPanic, chan, defer, func, go, panic, recover, run, time
from goruntime.base.errors import AbandonUnwind, GoexitUnwind, Throw

pytestmark = pytest.mark.usefixtures("every_way")
ME = __name__


class Custom(Exception):
    """Raised by programs."""


def raiser(error):
    raise error


def in_main(error):
    raiser(error)


def in_a_goroutine(error):
    go(raiser, error)
    chan().recv()


def in_a_func(error):
    func(raiser)(error)


def in_a_deferred_call(error):
    defer(raiser, error)


def in_a_deferred_call_of_a_panic(error):
    defer(raiser, error)
    panic("first")


def in_a_deferred_call_of_a_func_of_a_goroutine(error):
    @func
    def inner():
        defer(raiser, error)

    go(inner)
    chan().recv()


PLACES = [
    in_main,
    in_a_goroutine,
    in_a_func,
    in_a_deferred_call,
    in_a_deferred_call_of_a_panic,
    in_a_deferred_call_of_a_func_of_a_goroutine,
]
every_place = pytest.mark.parametrize("place", PLACES, ids=lambda place: place.__name__)


# Exceptions.


def test_an_exception_in_main():
    def inner():
        raise ValueError("the text")

    def main():
        inner()

    with pytest.raises(GoPanic) as caught:
        run(main)
    failure = caught.value
    here = rf"\t{re.escape(__file__)}:\d+\n"
    name = re.escape(f"{ME}.test_an_exception_in_main")
    assert re.fullmatch(
        rf"panic: ValueError: the text\n\ngoroutine 1 \[running\]:\n{name}.inner\(...\)\n{here}{name}.main\(...\)\n{here}",
        str(failure),
    )
    assert (type(failure.value), failure.goroutine, failure.status) == (ValueError, 1, 2)
    assert failure.__cause__ is failure.value


def test_an_exception_in_another_goroutine():
    def work():
        raise ValueError("the text")

    def main():
        go(work)
        chan().recv()

    with pytest.raises(GoPanic) as caught:
        run(main)
    here = rf"\t{re.escape(__file__)}:\d+\n"
    name = re.escape(f"{ME}.test_an_exception_in_another_goroutine")
    goid = caught.value.goroutine
    assert re.fullmatch(
        rf"panic: ValueError: the text\n\ngoroutine {goid} \[running\]:\n{name}.work\(...\)\n{here}"
        rf"created by {name}.main in goroutine 1\n{here}",
        str(caught.value),
    )
    assert goid > 1


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ValueError("x"), "ValueError: x"),
        (ValueError(), "ValueError"),
        (KeyError("k"), "KeyError: 'k'"),
        (Custom("two\nlines"), f"{ME}.Custom: two\n\tlines"),
        (type("Local", (Custom,), {"__qualname__": "f.<locals>.Local"})("x"), f"{ME}.f.Local: x"),
        (AssertionError("wrong"), "AssertionError: wrong"),
        (StopIteration(3), "StopIteration: 3"),
        (ExceptionGroup("group", [ValueError(1)]), "ExceptionGroup: group (1 sub-exception)"),
    ],
    ids=repr,
)
@every_place
def test_texts(error, text, place):
    with pytest.raises(GoPanic) as caught:
        run(place, error)
    first = "panic: first\n\t" if place is in_a_deferred_call_of_a_panic else ""
    assert str(caught.value).startswith(f"{first}panic: {text}\n\ngoroutine ")
    assert caught.value.value is error


def test_the_cause_is_chained():
    def main():
        try:
            raise KeyError("inner")
        except KeyError as error:
            raise Custom("outer") from error

    with pytest.raises(GoPanic) as caught:
        run(main)
    assert isinstance(caught.value.__cause__, Custom)
    assert isinstance(caught.value.__cause__.__cause__, KeyError)


def test_a_text_that_raises():
    class Mute(Exception):
        def __str__(self):
            raise KeyError("oops")

    class Wrong(Exception):
        def __str__(self):
            return 5

    for kind in (Mute, Wrong):
        with pytest.raises(FatalError, match="^.*fatal error: panic while printing panic value: type "):
            run(raiser, kind())


# Nil.


class Node:
    left = None


@pytest.mark.parametrize(
    "access",
    [
        lambda: Node().left.key,
        lambda: Node().left.method(),
        lambda: setattr(Node().left, "key", 1),
        lambda: delattr(Node().left, "key"),
        lambda: (None).key,
    ],
    ids=["load", "call", "store", "delete", "getattr"],
)
def test_a_field_of_none_is_a_nil_dereference(access):
    text = "runtime error: invalid memory address or nil pointer dereference"
    with pytest.raises(GoPanic) as caught:
        run(access)
    assert str(caught.value).startswith(
        f"panic: {text}\n[signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0x0]\n\ngoroutine 1 [running]:\n"
    )

    def main():
        defer(lambda: recovered.append(recover()))
        access()

    recovered = []
    run(main)
    assert str(recovered[0]) == recovered[0].error() == text
    assert isinstance(recovered[0].__cause__, AttributeError)


@pytest.mark.parametrize(
    ("access", "text"),
    [
        (lambda: object().key, "AttributeError: 'object' object has no attribute 'key'"),
        (lambda: raiser(AttributeError("none of yours")), "AttributeError: none of yours"),
        (lambda: raiser(AttributeError("x", name="y")), "AttributeError: x"),
        (lambda: None + 1, "TypeError: unsupported operand"),
    ],
    ids=["another object", "raised", "raised with a name", "another operation"],
)
def test_what_is_none(access, text):
    with pytest.raises(GoPanic) as caught:
        run(access)
    assert str(caught.value).startswith(f"panic: {text}")


# What is no Exception.


def verdicts():
    return [
        KeyboardInterrupt(),
        SystemExit(3),
        SystemExit("text"),
        GeneratorExit(),
        GreenletExit("x"),
        pytest.skip.Exception("skipped"),
        pytest.fail.Exception("failed"),
        BaseExceptionGroup("group", [KeyboardInterrupt()]),
    ]


@pytest.mark.parametrize("number", range(len(verdicts())), ids=[repr(each) for each in verdicts()])
@every_place
def test_what_ends_the_run_leaves_it_unchanged(number, place):
    verdict = verdicts()[number]
    before = vars(verdict).copy()
    with pytest.raises(type(verdict)) as caught:
        run(place, verdict)
    assert caught.value is verdict
    assert vars(verdict) == before
    assert verdict.__cause__ is None


def test_pytest_functions_in_a_goroutine():
    for function, kind in ((pytest.skip, pytest.skip.Exception), (pytest.fail, pytest.fail.Exception)):
        with pytest.raises(kind, match="why"):
            run(in_a_goroutine_calls, function)


def in_a_goroutine_calls(function):
    go(function, "why")
    chan().recv()


def test_one_that_the_program_catches_is_over():
    def main():
        with pytest.raises(SystemExit):
            func(raiser)(SystemExit(1))
        defer(log.append, "main's")
        return "on"

    log = []
    assert run(main) == "on"
    assert log == ["main's"]  # not one of the func that SystemExit left


# What only the runtime raises.


def test_a_program_that_raises_a_throw():
    with pytest.raises(FatalError, match="^fatal error: mine\n$"):
        run(raiser, Throw("mine"))


@pytest.mark.parametrize("arguments", [(), ("text",)], ids=repr)
@every_place
def test_a_program_that_raises_an_abandon(arguments, place):
    with pytest.raises(FatalError, match="the program raised an AbandonUnwind"):
        run(place, AbandonUnwind(*arguments))


def test_an_end_that_was_kept_is_raised_in_a_later_run():
    kept = []

    def keeper():
        try:
            chan().recv()
        except BaseException as error:
            kept.append(error)

    def main():
        go(keeper)
        time.sleep(0.001)

    run(main)
    with pytest.raises(FatalError, match="the program raised an AbandonUnwind"):
        run(raiser, kept[0])


def test_a_goexit_that_the_program_raises_is_one():
    def main():
        ended = chan(1)

        def left():
            defer(ended.send, "deferred")
            raise GoexitUnwind

        go(left)
        return ended.recv()

    assert run(main) == "deferred"
