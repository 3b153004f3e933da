"""Goexit runs the deferred calls, which recover() cannot stop, and WaitGroup.go counts it as done."""

import fmt

from goruntime import defer, func, go, recover, run, runtime, sync


def main():
    wg = sync.WaitGroup()
    wg.add(1)

    @go
    def func1():
        defer(wg.done)
        defer(fmt.println, "d1")

        @defer
        def func1_1():
            fmt.println("d2 recover =", recover())

        @func
        def func1_2():
            defer(fmt.println, "inner d")
            runtime.goexit()

        func1_2()
        fmt.println("unreachable")

    wg.wait()

    def func2():
        defer(fmt.println, "wg.Go with Goexit still calls Done")
        runtime.goexit()

    wg.go(func2)
    wg.wait()


if __name__ == "__main__":
    run(main)
