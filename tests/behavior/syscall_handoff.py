"""One P, ten goroutines blocked in read(2): the P is taken away from each, so the others keep running."""

import os as host

import fmt

from goruntime import go, run, syscall, time

OMITTED_TEXT = [
    r"  threads >= 10 blocked \+ sysmon \+ one running: true",  # Ms are simulated: they are no threads of the host
]


def main():
    started = 0
    for _ in range(10):
        r, _w = host.pipe()

        @go
        def func1(r=r):
            nonlocal started
            started += 1
            syscall(host.read, r, 1)

    i = 0
    while i < 200 and started < 10:
        time.sleep(5 * time.millisecond)
        i += 1
    fmt.println("all 10 entered the syscall:", started == 10)


if __name__ == "__main__":
    run(main)
