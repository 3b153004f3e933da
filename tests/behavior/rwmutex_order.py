"""Readers and a writer queue behind a writer: all readers get in first; a writer that waits keeps new readers out."""

from goruntime import chan, go, print_, println, run, runtime, sync, time


def main():
    mu = sync.RWMutex()
    done = chan(16)
    mu.lock()
    for i in range(5):

        @go
        def func1(i=i):
            if i == 2:
                mu.lock()
                print_("W", i, " ")
                mu.unlock()
            else:
                mu.rlock()
                print_("R", i, " ")
                mu.runlock()
            done.send(True)

        runtime.gosched()
    time.sleep(time.millisecond)
    mu.unlock()
    for _ in range(5):
        done.recv()
    println()
    mu.rlock()

    @go
    def func2():
        mu.lock()
        print_("W ")
        mu.unlock()
        done.send(True)

    runtime.gosched()
    println("TryRLock with writer pending:", mu.try_rlock())
    mu.runlock()
    done.recv()
    println()


if __name__ == "__main__":
    run(main)
