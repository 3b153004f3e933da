"""Main calls Goexit, the other goroutine finishes: the runtime reports that there is nothing left."""

from goruntime import defer, go, println, run, runtime


def main():
    @go
    def func1():
        println("worker done")

    defer(println, "main deferred")
    runtime.goexit()


if __name__ == "__main__":
    run(main)
