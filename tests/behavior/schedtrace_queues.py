"""Queue lengths in schedtrace lines: [ ] leaves out runnext, and a full ring has spilled 129 to the global queue.

Main computes without a call, which asyncpreemptoff=1 makes unpreemptible: the goroutines it started stay queued.
"""

from goruntime import go, run, runtime, time


def spin(d):
    runtime.work(d)


def main():
    time.sleep(time.millisecond)
    for _ in range(10):
        go(lambda: None)
    spin(200 * time.millisecond)
    time.sleep(time.millisecond)
    for _ in range(300):
        go(lambda: None)
    spin(200 * time.millisecond)


if __name__ == "__main__":
    run(main)
