"""Starvation mode: unlock hands the mutex to the head of the queue and yields: that runs before unlock returns."""

from goruntime import chan, go, print_, println, run, runtime, sync, time


def main():
    mu = sync.Mutex()
    done = chan(8)
    mu.lock()
    for i in range(3):

        @go
        def func1(i=i):
            mu.lock()
            print_("+", i, " ")
            mu.unlock()
            print_("-", i, " ")
            done.send(True)

        runtime.gosched()
    runtime.work(3 * time.millisecond)
    mu.unlock()  # normal mode: wakes 0, and goes on
    mu.lock()  # barges in
    print_("M1 ")
    runtime.gosched()  # 0 wakes, loses, has waited more than 1 ms: it is starving, and queues at the front
    mu.unlock()  # hands over
    print_("M-unlocked ")
    println("TryLock:", mu.try_lock())
    for _ in range(3):
        done.recv()
    println()


if __name__ == "__main__":
    run(main)
