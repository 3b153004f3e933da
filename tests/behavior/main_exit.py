"""Main returning ends the program at once: the goroutine never prints, its defers do not run, status 0."""

import fmt

from goruntime import defer, go, run, select


def main():
    @go
    def func1():
        defer(fmt.println, "goroutine defer")
        fmt.println("goroutine")
        select()

    defer(fmt.println, "main defer")
    fmt.println("main returns")


if __name__ == "__main__":
    run(main)
