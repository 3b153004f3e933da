"""Who runs when, and which recover() works: defer order, named results, Goexit, nested and repeated recovers."""

import fmt

from goruntime import chan, defer, func, go, panic, recover, returned, returns, run, runtime

OMITTED = [
    "true assignment to entry in nil map",  # maps are types of the emulated heap
]


@func
def named():
    @defer
    def func1():
        returns(returned() * 2)

    return 21


@func
def onpanic():
    @defer
    def func1():
        x = recover()
        if x is not None:
            returns((r, f"wrapped: {x}"))

    r = 7
    panic("p")


def helper():
    return recover()


@func
def try_(name, f):
    @defer
    def func1():
        fmt.print_(f"{name} -> outer recover: {fmt.text(recover())}\n")

    f()


def main():
    @func
    def func1():
        for i in range(3):
            defer(fmt.print_, "defer", i, " ")
        x = 1
        defer(fmt.println, "arg evaluated early:", x)
        x = 2

    func1()
    fmt.println()
    fmt.println("named result:", named())
    fmt.println(*onpanic())

    @func
    def func2():
        @defer
        def func2_1():
            helper()

        panic(1)

    try_("recover called by helper of deferred", func2)

    @func
    def func3():
        defer(helper)
        panic(2)

    try_("defer helper() directly", func3)

    @func
    def func4():
        defer(recover)
        panic(3)

    try_("defer recover() directly", func4)

    @func
    def func5():
        @defer
        def func5_1():
            def func5_1_1():
                recover()

            func5_1_1()

        panic(4)

    try_("closure inside deferred", func5)

    @func
    def func6():
        defer(fmt.print_, "[d1]")

        @defer
        def func6_1():
            recover()

        defer(fmt.print_, "[d3]")
        panic(5)

    try_("remaining defers run after recover", func6)

    @func
    def func7():
        @defer
        def func7_1():
            panic("new")

        panic("old")

    try_("second panic replaces first", func7)

    @func
    def func8():
        @defer
        def func8_1():
            fmt.print_("[", recover(), recover(), "]")

        panic(6)

    try_("recover twice", func8)

    @func
    def func9():
        f = None
        defer(f)
        fmt.print_("[body ran]")

    try_("nil func deferred panics at exit", func9)
    done = chan()

    @go
    def func10():
        defer(done.close)

        @defer
        def func10_1():
            fmt.println("Goexit: recover() in defer =", recover())

        runtime.goexit()

    done.recv()
    for i in range(3):

        @defer
        def func12(i=i):
            fmt.print_(i, " ")


if __name__ == "__main__":
    run(main)
