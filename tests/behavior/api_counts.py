"""What the runtime counts: goroutines (never the system's), goids (never reused), and settings' old values."""

import fmt

from goruntime import chan, debug, go, run, runtime

OMITTED = [
    "cgo calls 0 go1.27.3 gc",  # not in goruntime's API: NumCgoCall, Version, Compiler
    'truncated Stack: 10 "goroutine "',  # runtime.stack() returns a str: there is no buffer that could be too small
]
OMITTED_TEXT = [
    " SetPanicOnFault false",  # not in the API
]


def goid():
    return runtime.stack().split()[1]


def main():
    fmt.println("NumGoroutine", runtime.num_goroutine(), "goid", goid())
    ids = chan()
    block = chan()
    for _ in range(3):

        @go
        def func1():
            ids.send(goid())
            block.recv()

    fmt.print_("user goids in run order:")
    for _ in range(3):
        fmt.print_(" ", ids.recv())
    fmt.println("\nNumGoroutine", runtime.num_goroutine())
    block.close()
    runtime.gosched()
    fmt.println("after exit", runtime.num_goroutine())

    @go
    def func2():
        ids.send(goid())

    fmt.println("G structs are reused, goids are not:", ids.recv())
    fmt.println(
        *("GOMAXPROCS(0)", runtime.gomaxprocs(0), "GOMAXPROCS(3) returns", runtime.gomaxprocs(3)),
        *("then", runtime.gomaxprocs(-1), "restore", runtime.gomaxprocs(1)),
    )
    fmt.println(
        *("SetMaxThreads", debug.set_max_threads(10000), "SetMaxStack", debug.set_max_stack(1000000000)),
        *("SetGCPercent", debug.set_gc_percent(100)),
    )
    stack = runtime.stack()
    fmt.println(stack.split("\n", 1)[0])


if __name__ == "__main__":
    run(main)
