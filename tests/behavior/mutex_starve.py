"""Barging and its end: five waiters, an owner that locks again at once, and one that does so until a waiter got in."""

import goruntime
from goruntime import chan, go, print_, println, runtime, sync, time


def run(hold):
    mu = sync.Mutex()
    done = chan(16)
    mu.lock()
    for i in range(5):

        @go
        def func1(i=i):
            mu.lock()
            print_(i, " ")
            mu.unlock()
            done.send(True)

        runtime.gosched()
    runtime.work(hold)
    mu.unlock()
    mu.lock()
    print_("M ")
    mu.unlock()
    for _ in range(5):
        done.recv()
    println()


def greedy(hold):
    mu = sync.Mutex()
    got = False
    mu.lock()

    @go
    def func1():
        nonlocal got
        mu.lock()
        got = True
        mu.unlock()

    runtime.gosched()
    n = 0
    while not got:
        runtime.work(hold)
        mu.unlock()
        runtime.gosched()  # the woken waiter tries, and loses
        mu.lock()
        n += 1
        if n > 1000:
            break
    mu.unlock()
    println("greedy relocks before waiter won:", n)


def main():
    print_("hold 0: ")
    run(0)
    print_("hold 3ms: ")
    run(3 * time.millisecond)
    greedy(2 * time.millisecond)


if __name__ == "__main__":
    goruntime.run(main)
