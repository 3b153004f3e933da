"""Changing GOMAXPROCS stops the world; goroutines queued on removed Ps go to the head of the global queue."""

import fmt

from goruntime import go, print_, println, run, runtime


def main():
    fmt.println(runtime.gomaxprocs(4), runtime.gomaxprocs(0))
    for i in range(5):

        @go
        def func1(i=i):
            print_(i, " ")

    fmt.println("set to 1, was", runtime.gomaxprocs(1))
    runtime.gosched()
    for _ in range(100):
        runtime.gosched()
    println()
    fmt.println("set 2000, was", runtime.gomaxprocs(2000), "now", runtime.gomaxprocs(0))


if __name__ == "__main__":
    run(main)
