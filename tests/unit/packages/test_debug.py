"""Package runtime/debug: limits, traceback levels, stacks."""

from __future__ import annotations

import sys

import pytest

from goruntime import chan, debug, go, panic, run, runtime
from goruntime.base.errors import FatalError, GoPanic

from .running import OUTSIDE


def depth(n):
    return 0 if n == 0 else 1 + depth(n - 1)


def test_set_max_threads():
    assert run(lambda: (debug.set_max_threads(20_000), debug.set_max_threads(1 << 40), debug.set_max_threads(5))) == (
        10_000,
        20_000,
        0x7FFFFFFF,
    )


def test_too_many_threads_are_fatal_at_once():
    with pytest.raises(FatalError) as caught:
        run(debug.set_max_threads, 1)
    text = str(caught.value)
    assert text.startswith("runtime: program exceeds 1-thread limit\nfatal error: thread exhaustion\n\ngoroutine 1 ")


def test_one_thread_too_many_is_fatal():
    def main():
        debug.set_max_threads(4)

        def locked():
            runtime.lock_os_thread()
            chan().recv()

        for _ in range(8):
            go(locked)
        for _ in range(20):
            runtime.gosched()

    with pytest.raises(FatalError, match="thread exhaustion"):
        run(main, gomaxprocs=1)


def test_set_max_stack_returns_the_old_limit():
    def main():
        return debug.set_max_stack(2_000_000_000), debug.set_max_stack(1 << 16), debug.set_max_stack(1)

    assert run(main) == (1_000_000_000, 2_000_000_000, 1 << 16)


def test_set_max_stack_allows_deeper_recursion_until_the_run_ends():
    before = sys.getrecursionlimit()

    def main():
        debug.set_max_stack(2_000_000_000)
        return depth(4_500)

    assert run(main) == 4_500
    assert sys.getrecursionlimit() == before
    with pytest.raises(FatalError, match="goroutine stack exceeds 1000000000-byte limit"):
        run(depth, 4_500)


def test_a_stack_overflow_names_the_limit():
    def main():
        debug.set_max_stack(1 << 16)
        depth(10**6)

    with pytest.raises(FatalError) as caught:
        run(main)
    lines = str(caught.value).splitlines()
    assert lines[0] == "runtime: goroutine stack exceeds 65536-byte limit"
    assert "fatal error: stack overflow" in lines[:3]


def dying(level):
    """How the program's death looks with this level set."""

    def main():
        go(chan().recv)
        runtime.gosched()
        debug.set_traceback(level)
        panic("x")

    with pytest.raises(GoPanic) as caught:
        run(main, gomaxprocs=1)
    return str(caught.value).count("\ngoroutine ")


def test_set_traceback_can_only_raise_the_level(monkeypatch):
    assert [dying(level) for level in ("none", "single", "all", "bogus")] == [1, 1, 2, 1]
    assert dying("system") > 2
    monkeypatch.setenv("GOTRACEBACK", "none")
    assert [dying(level) for level in ("none", "single", "all")] == [0, 1, 2]
    monkeypatch.setenv("GOTRACEBACK", "all")
    assert [dying(level) for level in ("none", "single")] == [2, 2]


def test_stack_and_print_stack(capsys):
    def main():
        debug.print_stack()
        return debug.stack()

    assert run(main).startswith("goroutine 1 [running]:\npackages.test_debug.test_stack_and_print_stack.main(...)\n")
    assert capsys.readouterr().err.startswith("goroutine 1 [running]:\n")


@pytest.mark.parametrize("call", [debug.set_max_threads, debug.set_max_stack, debug.set_traceback])
@pytest.mark.parametrize("value", [None, 1.5, [], True])
def test_bad_input(call, value):
    def main():
        with pytest.raises(TypeError, match=call.__name__):
            call(value)

    run(main)


def test_an_absurd_stack():
    def main():
        with pytest.raises(ValueError, match="set_max_stack"):
            debug.set_max_stack(1 << 62)

    run(main)


@pytest.mark.parametrize(
    "call", [lambda: debug.set_max_threads(1), lambda: debug.set_max_stack(1), lambda: debug.set_traceback("all")]
)
def test_outside_a_run(call):
    with pytest.raises(RuntimeError, match=OUTSIDE):
        call()


# The knobs of the collector.


def test_set_gc_percent_returns_what_was():
    def main():
        return [debug.set_gc_percent(value) for value in (50, -7, 0, 200, 2**31 - 1, -(2**31), 1)]

    assert run(main) == [100, 50, -1, 0, 200, 2**31 - 1, -1]
    assert run(debug.set_gc_percent, 5, gogc=70) == 70
    assert run(debug.set_gc_percent, 5, gogc="off") == -1


def test_set_memory_limit_returns_what_was():
    def main():
        return [debug.set_memory_limit(value) for value in (-1, 1 << 20, -(2**63), 0, 2**63 - 1, -1)]

    none = 2**63 - 1
    assert run(main) == [none, none, 1 << 20, 1 << 20, 0, none]
    assert run(debug.set_memory_limit, -1, gomemlimit="64MiB") == 64 << 20


@pytest.mark.parametrize(
    ("call", "value", "error", "text"),
    [
        ("set_gc_percent", 1.0, TypeError, "debug.set_gc_percent: percent must be an integer, not float"),
        ("set_gc_percent", True, TypeError, "debug.set_gc_percent: percent must be an integer, not bool"),
        (
            "set_gc_percent",
            1 << 31,
            ValueError,
            "debug.set_gc_percent: percent must be at most 2147483647, not 2147483648",
        ),
        ("set_memory_limit", "1", TypeError, "debug.set_memory_limit: limit must be an integer, not str"),
        ("set_memory_limit", 1 << 63, ValueError, "debug.set_memory_limit: limit must be at most 9223372036854775807"),
    ],
)
def test_what_the_knobs_refuse(call, value, error, text):
    def main():
        with pytest.raises(error, match=text):
            getattr(debug, call)(value)

    run(main)
    with pytest.raises(RuntimeError, match=f"debug.{call} must be called from a goroutine"):
        getattr(debug, call)(1)
