"""The goroutine of os/signal in a dump: it is the program's own, in a system call."""

from goruntime import chan, go, os, panic, run, select, signal, time


def main():
    c = chan(1)
    signal.notify(c, os.interrupt)

    @go
    def func1():
        select()

    time.after_func(50 * time.millisecond, lambda: panic("enough"))
    c.recv()


if __name__ == "__main__":
    run(main)
