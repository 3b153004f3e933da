"""More goroutines than the ring holds: half of it spills to the global queue, where every 61st slice looks first."""

import fmt

import goruntime
from goruntime import go, sync, time


def run(n):
    wg = sync.WaitGroup()
    order = []
    wg.add(n)
    for i in range(n):

        @go
        def func1(i=i):
            order.append(i)
            wg.done()

    wg.wait()
    s = 0
    for k in range(1, n + 1):
        if k == n or order[k] != order[k - 1] + 1:
            if k - 1 == s:
                fmt.print_(f"{order[s]} ")
            else:
                fmt.print_(f"{order[s]}-{order[k - 1]} ")
            s = k
    fmt.println()


def main():
    time.sleep(5 * time.millisecond)
    for n in (257, 258, 300, 400, 1000):
        fmt.print_(f"n={n}: ")
        run(n)


if __name__ == "__main__":
    goruntime.run(main)
