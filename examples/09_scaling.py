"""Eight goroutines that compute for a second each, on 1, 2, 4 and 8 Ps of a machine with 8 CPUs.

Look at the times: the Ps really run at the same time, each with a clock of its own, although all of this happens
in one Python thread and is over in a moment. That is virtual time: runtime.work(1) costs a second of it.
Try: 3 Ps, and three digits more of the time (with 4 Ps it is 2 s and a little, for the turns do not come out even
in the end); time.sleep(1) instead of runtime.work(1), which needs no P at all.
"""

from goruntime import chan, go, run, runtime, time

GOROUTINES = 8


def compute(done):
    runtime.work(1)
    done.send(None)


def measure():
    start = time.now()
    done = chan()
    for _ in range(GOROUTINES):
        go(compute, done)
    for _ in range(GOROUTINES):
        done.recv()
    return time.since(start)


def main():
    for procs in 1, 2, 4, 8:
        runtime.gomaxprocs(procs)
        seconds = measure()
        print(f"GOMAXPROCS={procs}  {seconds:.0f} s  {'#' * round(5 * seconds)}")


if __name__ == "__main__":
    run(main, cpus=8)
