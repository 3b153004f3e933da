"""coro.pull switches directly between two goroutines: no run queue, so a ready goroutine does not run in between."""

import fmt

from goruntime import coro, defer, func, go, panic, print_, println, recover, run, runtime


def main():
    ran = False

    @func
    def seq(yield_):
        defer(println, "cleanup")
        for i in range(3):
            print_("y", i, " ")
            if not yield_(i):
                return

    next_, stop = coro.pull(seq)

    @go
    def func2():
        nonlocal ran
        ran = True

    a, _ = next_()
    b, _ = next_()
    println("got", a, b, "bystander ran:", ran, "NumGoroutine", runtime.num_goroutine())
    stop()
    _, ok = next_()
    println("after stop:", ok)
    n2, s2 = coro.pull(lambda yield_: panic("in iterator"))
    defer(s2)

    @func
    def func4():
        @defer
        def func4_1():
            fmt.println("panic propagates to caller of next:", recover())

        n2()

    func4()


if __name__ == "__main__":
    run(main)
