"""A critical section that yields: waiters get it in order; workers that loop lock again before the woken one can."""

from goruntime import print_, println, run, runtime, sync


def main():
    mu = sync.Mutex()
    wg = sync.WaitGroup()
    for i in range(5):

        def func1(i):
            mu.lock()
            print_("in", i, " ")
            runtime.gosched()
            print_("out", i, " ")
            mu.unlock()

        wg.go(func1, i)
    wg.wait()
    println()
    log = ""
    for i in range(2):

        def func2(i):
            nonlocal log
            for _ in range(4):
                mu.lock()
                log += chr(ord("A") + i)
                runtime.gosched()
                mu.unlock()

        wg.go(func2, i)
    wg.wait()
    println(log)


if __name__ == "__main__":
    run(main)
