"""Main is about to return while a goroutine panics: it waits for the deferred calls, and the panic wins."""

import fmt

from goruntime import defer, go, panic, run, runtime


def main():
    @go
    def func1():
        @defer
        def func1_1():
            for _ in range(3):
                runtime.gosched()

        panic("late panic")

    runtime.gosched()
    fmt.println("main returning")


if __name__ == "__main__":
    run(main)
