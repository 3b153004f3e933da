"""Receivers blocked in order 0..4, values sent one after another: values are FIFO, the run order is not."""

from goruntime import chan, go, print_, println, run, runtime, time


def main():
    c = chan()
    done = chan(16)
    for i in range(5):

        @go
        def func1(i=i):
            v = c.recv()
            print_("g", i, "=", v, " ")
            done.send(True)

        runtime.gosched()
    time.sleep(time.millisecond)
    for v in range(10, 15):
        c.send(v)
    for _ in range(5):
        done.recv()
    println()


if __name__ == "__main__":
    run(main)
