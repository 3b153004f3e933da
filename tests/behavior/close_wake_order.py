"""Five receivers blocked in order 0..4, then close: it readies the newest first, each into runnext."""

from goruntime import chan, go, print_, println, run, runtime, time


def main():
    c = chan()
    done = chan(16)
    for i in range(5):

        @go
        def func1(i=i):
            c.recv()
            print_(i, " ")
            done.send(True)

        runtime.gosched()
    time.sleep(time.millisecond)
    c.close()
    for _ in range(5):
        done.recv()
    println()


if __name__ == "__main__":
    run(main)
