"""Three CPU-bound goroutines on one P: slices of 10 to 20 ms, round robin through the global queue."""

from itertools import pairwise

import fmt

from goruntime import chan, go, run, runtime, time


def main():
    log = []
    start = time.now().ns
    cur = -1
    end = start + 130_000_000
    done = chan()
    for i in range(3):

        @go
        def func1(i=i):
            nonlocal cur
            while time.now().ns < end:
                if cur != i:
                    cur = i
                    log.append((i, time.now().ns - start))
                runtime.work(10 * time.microsecond)  # Go's loop only looks at the clock
            done.send(True)

    for _ in range(3):
        done.recv()
    for (g, at), (_, until) in list(pairwise(log))[:12]:
        fmt.print_(f"g{g}:{(until - at) // 100_000 / 10:.0f}ms ")
    fmt.println()


if __name__ == "__main__":
    run(main)
