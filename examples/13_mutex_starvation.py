"""A mutex lets whoever is running barge in, because that is fast, until somebody has waited for more than 1 ms.

Look at the picture, one character for each 0.1 ms: `G` holds the lock, gives it back and takes it again at once; `p`
needs it for a moment every now and then, and waits for it (`-`). While p sleeps in the queue, G wins each time
(normal mode). Once p has waited for 1 ms it switches the mutex to starvation mode, and then the next unlock hands
the lock over to p, without a chance for G.
Try: HOLD = 1.5 and 0.02 ms: p waits 1 ms all the same, and then for G to be done; gomaxprocs=1.
"""

from goruntime import run, runtime, sync, time

HOLD = 0.3 * time.millisecond
LENGTH = 12 * time.millisecond


class Lane:
    """What one goroutine did, as a line of characters."""

    def __init__(self):
        self.start, self.pieces = time.now(), []

    def note(self, mark, since):
        self.pieces.append((mark, self.column(since), self.column(time.now())))

    def column(self, instant):
        return round((instant - self.start) * 10_000)

    def __str__(self):
        line = ["."] * self.column(self.start + LENGTH)
        for mark, begin, end in self.pieces:
            line[begin : max(end, begin + 1)] = mark * max(end - begin, 1)
        return "".join(line)


def greedy(mutex, lane):
    while time.since(lane.start) < LENGTH:
        with mutex:
            since = time.now()
            runtime.work(HOLD)
            lane.note("G", since)


def polite(mutex, lane, waits):
    while time.since(lane.start) < LENGTH:
        time.sleep(time.millisecond)
        asked = time.now()
        with mutex:
            lane.note("-", asked)
            waits.append(time.since(asked))
            since = time.now()
            runtime.work(0.1 * time.millisecond)
            lane.note("p", since)


def main():
    mutex, waits, group = sync.Mutex(), [], sync.WaitGroup()
    lanes = Lane(), Lane()
    group.go(greedy, mutex, lanes[0])
    group.go(polite, mutex, lanes[1], waits)
    group.wait()
    for lane in lanes:
        print(lane)
    print("p waited", ", ".join(f"{wait * 1000:.1f}" for wait in waits), "ms")


if __name__ == "__main__":
    run(main, gomaxprocs=2)
