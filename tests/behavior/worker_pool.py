"""Three workers and nine jobs on one P: which worker takes which job, without and with a buffer."""

from goruntime import chan, print_, println, run, sync


def main():
    jobs = chan()
    wg = sync.WaitGroup()
    for w in range(3):

        def func1(w):
            for j in jobs:
                print_("w", w, ":j", j, " ")

        wg.go(func1, w)
    for j in range(9):
        jobs.send(j)
    jobs.close()
    wg.wait()
    println()
    buf = chan(9)
    for w in range(3):

        def func2(w):
            for j in buf:
                print_("w", w, ":j", j, " ")

        wg.go(func2, w)
    for j in range(9):
        buf.send(j)
    buf.close()
    wg.wait()
    println()


if __name__ == "__main__":
    run(main)
