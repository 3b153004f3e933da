"""Gosched goes behind all local goroutines; one that a channel made ready sits in runnext and goes first."""

from goruntime import chan, go, print_, println, run, runtime, time


def main():
    time.sleep(2 * time.millisecond)
    c = chan(1)

    @go
    def func1():
        c.recv()
        print_("woken-by-send ")

    runtime.gosched()
    for i in range(3):

        @go
        def func2(i=i):
            print_("new", i, " ")

    c.send(1)  # readies the waiter into runnext, kicking new2 to the ring
    print_("main-before ")
    runtime.gosched()
    println("main-after")


if __name__ == "__main__":
    run(main)
