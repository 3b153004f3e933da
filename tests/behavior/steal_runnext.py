"""Two Ps, main never yields: the other P steals and runs every goroutine, also the one in main's runnext."""

from goruntime import go, println, run, runtime, time


def main():
    ran = 0

    def add(n):  # Go's atomic.Int32: here no goroutine is interrupted between two safepoints
        nonlocal ran
        ran += n

    for _ in range(100):
        go(add, 1)
    t = time.now()
    while ran < 100:
        if time.since(t) > 5 * time.second:
            break
        runtime.work(time.microsecond)
    println("all ran while main was spinning:", ran == 100)


if __name__ == "__main__":
    run(main)
