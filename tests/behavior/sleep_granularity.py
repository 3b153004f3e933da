"""An idle process waits in epoll_wait, in whole milliseconds: short sleeps round up to about 1 ms."""

import fmt

from goruntime import run, time


def main():
    for name, d in [
        ("10µs", 10 * time.microsecond),
        ("100µs", 100 * time.microsecond),
        ("500µs", 500 * time.microsecond),
        ("1.5ms", 1500 * time.microsecond),
        ("5ms", 5 * time.millisecond),
    ]:
        a = []
        for _ in range(41):
            t = time.now().ns
            time.sleep(d)
            a.append(time.now().ns - t)
        a.sort()
        fmt.print_(f"Sleep({name}) median {a[20] / 1e6:.2f}ms; ")
    fmt.println()


if __name__ == "__main__":
    run(main)
