"""Two Ps, main never yields: the other P steals and runs every goroutine, also the one in main's runnext."""

from goruntime import atomic, go, println, run, runtime, time


def main():
    ran = atomic.Int32()
    for _ in range(100):
        go(ran.add, 1)
    t = time.now()
    while ran.load() < 100:
        if time.since(t) > 5 * time.second:
            break
        runtime.work(time.microsecond)
    println("all ran while main was spinning:", ran.load() == 100)


if __name__ == "__main__":
    run(main)
