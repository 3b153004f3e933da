"""An owner that unlocks and locks again at once wins, until a waiter has lost after more than 1 ms: starvation mode."""

from goruntime import go, println, run, runtime, sync, time


def main():
    mu = sync.Mutex()
    log = ""
    stop = False
    mu.lock()

    @go
    def func1():
        nonlocal log, stop
        while not stop:
            mu.lock()
            log += "w"
            mu.unlock()
            stop = True

    runtime.gosched()  # the waiter parks
    for i in range(6):
        if stop:
            break
        mu.unlock()  # readies the waiter, into runnext, but does not hand over
        mu.lock()  # it was free
        log += "M"
        if i == 2:
            runtime.work(2 * time.millisecond)
        runtime.gosched()  # the waiter runs, loses, queues at the front; after more than 1 ms it is starving
    mu.unlock()
    while not stop:
        runtime.gosched()
    println(log)


if __name__ == "__main__":
    run(main)
