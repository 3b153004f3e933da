"""Panics in defers, re-panics, and Goexit among them: the texts of ten shapes, each in a process of its own."""

import sys

import fmt
import osexec

from goruntime import defer, func, panic, recover, run, runtime


@func
def panic_in_defer():
    @defer
    def func1():
        panic("second")

    panic("first")


@func
def recover_then_new_panic():
    @defer
    def func1():
        recover()
        panic("second")

    panic("first")


@func
def repanic_same_value():
    @defer
    def func1():
        r = recover()
        panic(r)

    panic("first")


@func
def three_deep():
    @defer
    def func1():
        panic("third")

    @defer
    def func2():
        panic("second")

    panic("first")


@func
def recovered_inner_in_defer():
    @defer
    def func1():
        @func
        def func1_1():
            @defer
            def func1_1_1():
                recover()

            panic("inner")

        func1_1()

    panic("outer")


@func
def goexit_in_defer_during_panic():
    defer(runtime.goexit)
    panic("lost")


@func
def panic_in_defer_during_goexit():
    @defer
    def func1():
        panic("during goexit")

    runtime.goexit()


@func
def recover_panic_during_goexit():
    @defer
    def func1():
        recover()

    @defer
    def func2():
        panic("x")

    runtime.goexit()


@func
def repanic_twice():
    @defer
    def func1():
        panic(recover())

    @defer
    def func2():
        panic(recover())

    panic("first")


@func
def repanic_other_middle():
    @defer
    def func1():
        panic(recover())

    @defer
    def func2():
        recover()
        panic("b")

    panic("a")


CASES = [
    ("panic in defer", panic_in_defer),
    ("recover then new panic", recover_then_new_panic),
    ("repanic same value", repanic_same_value),
    ("three deep", three_deep),
    ("recovered inner in defer", recovered_inner_in_defer),
    ("goexit in defer during panic", goexit_in_defer_during_panic),
    ("panic in defer during goexit", panic_in_defer_during_goexit),
    ("recover panic during goexit", recover_panic_during_goexit),
    ("repanic twice", repanic_twice),
    ("repanic other middle", repanic_other_middle),
]


def main():
    if len(sys.argv) > 1:
        _, f = CASES[int(sys.argv[1])]
        f()
        return
    for i, (name, _) in enumerate(CASES):
        err, b = osexec.combined_output(__file__, i, GOTRACEBACK="none")
        fmt.print_(f"== {name} -> {fmt.text(err)}\n{b}")


if __name__ == "__main__":
    run(main)
