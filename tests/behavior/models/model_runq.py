"""The run queues of one P: enough rules to reproduce every variant of runq_overflow.out exactly.

The rules: `go` puts the new goroutine into runnext and kicks the old one to the tail of the ring. The ring holds 256;
when it is full, its older 128 and the kicked one go to the tail of the global queue. Picked are, in this order: one
from the global queue at every 61st tick; runnext; the head of the ring; up to 128 from the global queue, of which the
first runs and the others go to the ring. Every start counts a tick, but one through runnext.
"""

import re
from collections import deque

RING = 256
BATCH = 128
FAIRNESS = 61
COUNTS = (257, 258, 300, 400, 1000)


class P:
    def __init__(self, tick):
        self.runnext = None
        self.ring = deque()
        self.globals = deque()
        self.tick = tick

    def put(self, g):
        """`go`: into runnext, the goroutine that was there to the ring."""
        self.runnext, kicked = g, self.runnext
        if kicked is None:
            return
        if len(self.ring) < RING:
            self.ring.append(kicked)
        else:
            self.globals.extend([self.ring.popleft() for _ in range(BATCH)])
            self.globals.append(kicked)

    def pick(self):
        """The goroutine to run next."""
        if self.tick % FAIRNESS == 0 and self.globals:
            self.tick += 1
            return self.globals.popleft()
        if self.runnext is not None:
            g, self.runnext = self.runnext, None
            return g
        if not self.ring:
            for _ in range(min(BATCH, len(self.globals))):
                self.ring.append(self.globals.popleft())
        self.tick += 1
        return self.ring.popleft()


def simulate(tick):
    """The lines of runq_overflow for a P whose schedtick is `tick` when main begins."""
    p = P(tick)
    lines = {}
    for n in COUNTS:
        for g in range(n):
            p.put(g)
        # Main is readied by the last one, into runnext: it runs without a tick.
        lines[n] = as_runs([p.pick() for _ in range(n)])
    return lines


def as_runs(order):
    """`7 0-5 6`: consecutive numbers as one word, as the program prints them."""
    words = []
    start = 0
    for k in range(1, len(order) + 1):
        if k == len(order) or order[k] != order[k - 1] + 1:
            words.append(str(order[start]) if k - 1 == start else f"{order[start]}-{order[k - 1]}")
            start = k
    return " ".join(words)


def measured(text):
    """The lines of each variant in runq_overflow.out."""
    return [
        {int(n): runs.strip() for n, runs in re.findall(r"n=(\d+): (.*)", block)}
        for block in text.split("# variant ")[1:]
    ]
