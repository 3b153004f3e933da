"""Five goroutines wait for one WaitGroup: they are readied in the order they came, each into runnext."""

from goruntime import chan, go, print_, println, run, runtime, sync, time


def main():
    wg = sync.WaitGroup()
    wg.add(1)
    done = chan(16)
    for i in range(5):

        @go
        def func1(i=i):
            wg.wait()
            print_(i, " ")
            done.send(True)

        runtime.gosched()
    time.sleep(time.millisecond)
    wg.done()
    for _ in range(5):
        done.recv()
    println()


if __name__ == "__main__":
    run(main)
