"""runtime.stack(all=True) with one goroutine per interesting header.

Goroutines whose primitive is not in goruntime yet are replaced by a `placeholder`, so that the others keep their
goids. Goids below are counted without the system's goroutines: main 1, the first that it starts 2.
"""

import os as host

from goruntime import coro, defer, go, net, os, println, run, runtime, select, sync, syscall, time

OMITTED = [
    "goroutine 6",  # labels: pprof.Do
]


def placeholder():
    select()


def exited():
    """Go's program has no goroutine of this number either when it prints."""


def main():
    listener = net.listen("tcp", "127.0.0.1:0")

    @go
    def func1():
        time.sleep(time.hour)

    @go
    def func2():
        listener.accept()

    r, _w = host.pipe()

    @go
    def func3():
        syscall(host.read, r, 1)

    @go
    def func4():
        runtime.lock_os_thread()
        select()

    go(placeholder)  # 6

    @go
    def func6():
        def func6_1(yield_):
            yield_(1)
            select()

        next_, stop = coro.pull(func6_1)
        defer(stop)
        next_()
        go(next_)
        select()

    @go
    def func7():
        next_, _ = coro.pull(lambda yield_: yield_(1))
        next_()
        select()  # the pulled goroutine stays in "coroutine"

    mu = sync.Mutex()
    mu.lock()
    go(mu.lock)
    once = sync.Once()
    go(once.do, lambda: select())
    go(exited)  # 11
    runtime.gosched()
    go(once.do, lambda: None)
    time.sleep(20 * time.millisecond)

    @go
    def func10():
        println("never ran yet")  # runnable

    os.stdout.write(runtime.stack(all=True))


if __name__ == "__main__":
    run(main)
