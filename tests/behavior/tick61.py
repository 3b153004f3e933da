"""Local goroutines keep respawning while main waits in the global queue: it runs within 61 scheduler ticks."""

from goruntime import go, println, run, runtime


def main():
    n = 0
    stop = False

    def ring():
        nonlocal n
        n += 1
        if not stop:
            go(ring)
            go(lambda: None)  # kicks ring out of runnext into the ring buffer

    go(ring)
    runtime.gosched()
    stop = True
    println("ring links before main (on the global queue) ran:", n, " <=61:", n <= 61)


if __name__ == "__main__":
    run(main)
