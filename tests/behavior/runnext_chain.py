"""A chain of goroutines that each start the next lives in runnext and inherits one slice: main starves behind it."""

from goruntime import go, print_, println, run, runtime, time


def main():
    n = 0
    stop = False

    def chain():
        nonlocal n
        n += 1
        if not stop:
            go(chain)

    for _ in range(4):
        stop = False
        n = 0
        time.sleep(3 * time.millisecond)
        t = time.now().ns
        go(chain)
        runtime.gosched()
        d = time.now().ns - t
        stop = True
        runtime.gosched()
        print_("links>1000:", n > 1000, " wait_ms:", d // 1_000_000, "; ")
    println()


if __name__ == "__main__":
    run(main)
