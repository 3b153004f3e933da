"""SIGQUIT dumps every goroutine, the system's included, and ends the program with status 2."""

from goruntime import chan, go, run, time


def main():
    c = chan()

    @go
    def func1():
        c.recv()

    time.sleep(time.hour)


if __name__ == "__main__":
    run(main, clock="real")  # under the virtual clock the hour would be over at once
