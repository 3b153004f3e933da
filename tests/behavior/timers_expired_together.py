"""Timers with different deadlines, all expired when the scheduler looks: the last one runs first, then the others."""

from goruntime import chan, go, print_, println, run, runtime, time


def spin(d):
    runtime.work(d)


def main():
    done = chan(16)
    for i in range(5):

        def func1(i=i):
            print_("f", i, " ")
            done.send(True)

        time.after_func((i + 1) * 100 * time.microsecond, func1)
    spin(3 * time.millisecond)
    for _ in range(5):
        done.recv()
    println()
    started = 0
    for i in range(5):

        @go
        def func2(i=i):
            nonlocal started
            started += 1
            time.sleep((i + 1) * 200 * time.microsecond)
            print_("s", i, " ")
            done.send(True)

    while started < 5:
        time.sleep(10 * time.microsecond)
    spin(4 * time.millisecond)
    for _ in range(5):
        done.recv()
    println()


if __name__ == "__main__":
    run(main)
