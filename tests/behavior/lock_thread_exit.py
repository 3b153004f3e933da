"""A goroutine that ends while it is locked takes its thread with it; one that unlocks gives the thread back."""

import fmt
import threads

from goruntime import chan, go, run, runtime, time


def gone(tid):
    for _ in range(50):
        if not threads.exists(tid):
            return True
        time.sleep(2 * time.millisecond)
    return False


def main():
    runtime.lock_os_thread()  # keeps the other goroutines off m0
    tid = chan()

    @go
    def func1():
        runtime.lock_os_thread()
        tid.send(threads.gettid())

    fmt.println("thread of goroutine that exited locked is gone:", gone(tid.recv()))

    @go
    def func2():
        runtime.lock_os_thread()
        tid.send(threads.gettid())
        runtime.unlock_os_thread()

    fmt.println("thread of goroutine that unlocked is gone:", gone(tid.recv()))
    a = threads.gettid()
    for _ in range(100):
        runtime.gosched()
    fmt.println("locked goroutine keeps its tid:", a == threads.gettid(), " main thread:", a == threads.getpid())
    runtime.unlock_os_thread()
    runtime.unlock_os_thread()  # one too many is a no-op
    # m0 is special: a locked goroutine that ends there parks the main thread for ever instead of ending it.
    for _ in range(1000):
        ch = chan()

        @go
        def func3(ch=ch):
            if threads.gettid() == threads.getpid():
                runtime.lock_os_thread()
                ch.send(True)
                return
            ch.send(False)

        if ch.recv():
            fmt.println("exited locked on m0, main thread gone:", gone(threads.getpid()))
            return
    fmt.println("exited locked on m0, main thread gone: false")


if __name__ == "__main__":
    run(main)
