"""All run queues, rebuilt from a run's events alone: the reader that shows whether the events tell the whole story.

Nothing here knows the runtime; these are the rules of Go's queues (runnext, a ring of 256, the global queue) and what
each event says about them. Every goroutine that starts must be found where the event says it was taken from.
"""

from collections import deque

RING = 256


class Queues:
    """The queues of one run, and where each goroutine is."""

    def __init__(self, gomaxprocs):
        self.gomaxprocs = gomaxprocs
        self.runnext = {}  # P -> goid
        self.rings = {}  # P -> deque of goids
        self.shared = deque()
        self.loot = {}  # M -> goid, stolen and about to run
        self.handed_over = {}  # goid -> M it is locked to
        self.state = {}  # goid -> "runnable", "running", "waiting", "dead"
        self.reasons = {}  # goid -> why it waits
        self.started = 0
        self.seen = set()  # (queue, why) of every start

    def ring(self, p):
        return self.rings.setdefault(p, deque())

    # What events say.

    def read(self, records):
        for record in records:
            handler = getattr(self, f"on_{record['event']}", None)
            if handler is not None:
                handler(record)

    def on_go_create(self, e):
        assert self.state.get(e["target"]) is None, e
        assert e["function"], e
        self.become(e["target"], "runnable")
        if e["target"] == 1:
            assert e["queue"] == "direct"
        elif e["queue"] == "coroutine":
            self.become(e["target"], "waiting")
        else:
            assert e["queue"] == "runnext"
            self.put_next(e["p"], e["target"])

    def on_go_ready(self, e):
        assert self.state[e["target"]] == "waiting", e
        assert self.reasons[e["target"]] == e["reason"], e
        assert e["queue"] == "runnext"
        self.become(e["target"], "runnable")
        self.put_next(e["p"], e["target"])

    def on_go_park(self, e):
        self.leave(e, "waiting")
        self.reasons[e["g"]] = e["reason"]

    def on_go_end(self, e):
        self.leave(e, "dead")

    def on_go_yield(self, e):
        self.leave(e, "runnable")
        if e["queue"] == "runnext":
            self.put_next(e["p"], e["g"])
        elif e["queue"] == "ring":
            self.put_last(e["p"], e["g"])
        else:
            self.shared.append(e["g"])

    def on_go_sysexit(self, e):
        if e["how"].startswith("no P"):
            self.leave(e, "runnable")
            self.shared.append(e["g"])

    def on_go_hand_over(self, e):
        assert self.state[e["target"]] == "runnable", e
        self.take(e["m"], e["p"], e["target"], e["queue"], e["why"])
        self.handed_over[e["target"]] = e["thread"]

    def on_go_start(self, e):
        goid = e["g"]
        assert self.state[goid] == "runnable", e
        self.seen.add((e["queue"], e["why"]))
        self.take(e["m"], e["p"], goid, e["queue"], e["why"])
        self.become(goid, "running")
        self.started += 1

    def on_go_switch(self, e):
        assert self.state[e["target"]] == "waiting", e
        assert self.state[e["g"]] == "running", e
        if e["how"] == "is blocked":
            self.leave(e, "waiting")
        else:
            assert e["how"] == "ends"  # and go_end follows
        self.become(e["target"], "running")

    def on_proc_steal(self, e):
        victim = e["victim"]
        if e["what"] == "runnext":
            batch = [self.runnext.pop(victim)]
        else:
            ring = self.ring(victim)
            assert e["count"] == len(ring) - len(ring) // 2, e
            batch = [ring.popleft() for _ in range(e["count"])]
        assert len(batch) == e["count"]
        self.loot[e["m"]] = batch.pop()
        self.ring(e["p"]).extend(batch)

    def on_maxprocs(self, e):
        for p in range(e["new"], e["old"]):
            self.shared.extendleft(reversed(self.ring(p)))
            self.ring(p).clear()
            if p in self.runnext:
                self.shared.appendleft(self.runnext.pop(p))
        self.gomaxprocs = e["new"]

    # What follows from it.

    def become(self, goid, state):
        self.state[goid] = state

    def leave(self, e, state):
        assert self.state[e["g"]] == "running", e
        self.become(e["g"], state)

    def put_next(self, p, goid):
        kicked = self.runnext.get(p)
        self.runnext[p] = goid
        if kicked is not None:
            self.put_last(p, kicked)

    def put_last(self, p, goid):
        ring = self.ring(p)
        if len(ring) < RING:
            ring.append(goid)
        else:
            self.shared.extend(ring.popleft() for _ in range(RING // 2))
            self.shared.append(goid)

    def take(self, m, p, goid, queue, why):
        if queue == "runnext":
            assert self.runnext.pop(p) == goid
        elif queue == "ring":
            assert self.ring(p).popleft() == goid
        elif queue == "global":
            assert self.shared.popleft() == goid
            if why != "every 61st slice":
                count = min(RING // 2, len(self.shared) + 1, (len(self.shared) + 1) // self.gomaxprocs + 1)
                for _ in range(count - 1):
                    self.ring(p).append(self.shared.popleft())
        else:
            assert queue == "direct"
            self.take_direct(m, goid, why)

    def take_direct(self, m, goid, why):
        if why == "stolen":
            assert self.loot.pop(m) == goid
        elif why == "main goroutine":
            assert goid == 1
        elif why == "locked to this thread":
            assert self.handed_over.pop(goid) == m
        else:
            assert why == "found an idle P", why
            self.shared.remove(goid)  # it was on its way to the global queue when a P turned up

    def check_is_over(self):
        """At the end every goroutine is accounted for: who is runnable is in one queue."""
        queued = [*self.shared, *self.runnext.values(), *self.loot.values(), *self.handed_over]
        for ring in self.rings.values():
            queued += ring
        assert sorted(queued) == sorted(goid for goid, state in self.state.items() if state == "runnable")
