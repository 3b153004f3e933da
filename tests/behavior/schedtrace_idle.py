"""GODEBUG=schedtrace=100 while everybody sleeps: idle Ps, empty queues, ticks that stand still."""

from goruntime import go, run, time


def main():
    for _ in range(4):

        @go
        def func1():
            time.sleep(time.second)

    time.sleep(350 * time.millisecond)


if __name__ == "__main__":
    run(main)
