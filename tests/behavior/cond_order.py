"""Five waiters of a Cond: signals wake them in the order they came, a broadcast readies all in that order."""

from goruntime import chan, go, print_, println, run, runtime, sync, time


def main():
    mu = sync.Mutex()
    c = sync.Cond(mu)
    done = chan(16)

    def start():
        for i in range(5):

            @go
            def func1_1(i=i):
                mu.lock()
                c.wait()
                print_(i, " ")
                mu.unlock()
                done.send(True)

            runtime.gosched()
        time.sleep(time.millisecond)

    start()
    print_("signal x5, yielding each time: ")
    for _ in range(5):
        c.signal()
        done.recv()
    println()
    start()
    print_("signal x5, no yield: ")
    for _ in range(5):
        c.signal()
    for _ in range(5):
        done.recv()
    println()
    start()
    print_("broadcast: ")
    c.broadcast()
    for _ in range(5):
        done.recv()
    println()


if __name__ == "__main__":
    run(main)
