"""GODEBUG=schedtrace=100,scheddetail=1: every P, M and G of an idle program with a locked sleeper."""

from goruntime import chan, go, run, runtime, time


def main():
    c = chan()

    @go
    def func1():
        c.recv()

    @go
    def func2():
        runtime.lock_os_thread()
        time.sleep(time.hour)

    time.sleep(150 * time.millisecond)


if __name__ == "__main__":
    run(main)
