"""GODEBUG=schedtrace=50 while ten goroutines compute on two Ps: two run, eight are queued somewhere."""

from goruntime import go, run, runtime, time


def main():
    for _ in range(10):

        @go
        def func1():
            while True:
                runtime.work(time.millisecond)

    time.sleep(220 * time.millisecond)


if __name__ == "__main__":
    run(main)
