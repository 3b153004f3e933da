"""An unrecovered panic in any goroutine ends the process with status 2; main's defers do not run."""

from goruntime import defer, go, panic, println, run, select


def main():
    defer(println, "main deferred: never printed")

    @go
    def func1():
        defer(println, "goroutine deferred runs first")
        panic("boom")

    select()


if __name__ == "__main__":
    run(main)
