"""One P, channels, wait groups and timers: enough rules to reproduce the order of prints of thirteen programs.

A goroutine is a generator that yields operations. An operation is a function of the scheduler and the running
goroutine; it gives the operation's result, or PARK (the goroutine waits), or YIELD (it goes to the global queue).
No preemption, no time but the timers': what is here decides the order, nothing else does.
"""

from collections import deque

PARK = object()
YIELD = object()
FAIRNESS = 61
BATCH = 128


class Scheduler:
    """The queues of one P, and virtual time."""

    def __init__(self):
        self.runnext = None
        self.ring = deque()
        self.globals = deque()
        self.tick = 5
        self.printed = []
        self.now = 0
        self.timers = []

    def ready(self, g, value=None):
        """Into runnext, the goroutine that was there to the tail of the ring: `go` and every wake-up."""
        g.value = value
        self.runnext, kicked = g, self.runnext
        if kicked is not None:
            self.ring.append(kicked)

    def add_timer(self, delay, fire):
        self.timers.append((self.now + delay, len(self.timers), fire))

    def pick(self):
        self.run_timers()
        if self.tick % FAIRNESS == 0 and self.globals:
            self.tick += 1
            return self.globals.popleft()
        if self.runnext is not None:
            g, self.runnext = self.runnext, None
            return g
        if not self.ring:
            for _ in range(min(BATCH, len(self.globals))):
                self.ring.append(self.globals.popleft())
        if not self.ring:
            return None
        self.tick += 1
        return self.ring.popleft()

    def run_timers(self):
        """All that are due, in the order of their instants."""
        self.timers.sort(key=lambda timer: timer[:2])
        while self.timers and self.timers[0][0] <= self.now:
            self.timers.pop(0)[2]()

    def run(self, main):
        """What the program prints until main returns."""
        first = G(main)
        self.ready(first)
        while True:
            g = self.pick()
            if g is None:
                if not self.timers:
                    self.printed.append("DEADLOCK")
                    break
                self.now = min(timer[0] for timer in self.timers)
            elif self.run_one(g) and g is first:
                break
        return "".join(self.printed)

    def run_one(self, g):
        """Run g until it parks, yields or ends; True when it ended."""
        try:
            while True:
                operation = g.body.send(g.value)
                g.value = None
                result = operation(self, g)
                if result is PARK:
                    return False
                if result is YIELD:
                    self.globals.append(g)
                    return False
                g.value = result
        except StopIteration:
            return True


class G:
    def __init__(self, function):
        self.body = function()
        self.value = None


class Chan:
    def __init__(self, size=0):
        self.size = size
        self.buffer = deque()
        self.receivers = deque()
        self.senders = deque()  # (goroutine, value)
        self.closed = False


class WaitGroup:
    def __init__(self):
        self.count = 0
        self.waiters = deque()


def go(function):
    return lambda s, g: s.ready(G(function))


def show(text):
    return lambda s, g: s.printed.append(text)


def gosched():
    return lambda s, g: YIELD


def sleep(delay):
    def operation(s, g):
        s.add_timer(delay, lambda: s.ready(g))
        return PARK

    return operation


def spin(delay):
    def operation(s, g):
        s.now += delay

    return operation


def after_func(delay, function):
    return lambda s, g: s.add_timer(delay, lambda: s.ready(G(function)))


def send(c, value):
    def operation(s, g):
        if c.closed:
            raise RuntimeError("send on closed channel")
        if c.receivers:
            s.ready(c.receivers.popleft(), (value, True))
            return None
        if len(c.buffer) < c.size:
            c.buffer.append(value)
            return None
        c.senders.append((g, value))
        return PARK

    return operation


def recv(c):
    def operation(s, g):
        if c.senders:
            sender, value = c.senders.popleft()
            if c.size:  # the head of the buffer is received, the sender's value goes to its tail
                c.buffer.append(value)
                value = c.buffer.popleft()
            s.ready(sender)
            return value, True
        if c.buffer:
            return c.buffer.popleft(), True
        if c.closed:
            return None, False
        c.receivers.append(g)
        return PARK

    return operation


def close(c):
    def operation(s, g):
        c.closed = True
        while c.receivers:
            s.ready(c.receivers.pop(), (None, False))  # newest first

    return operation


def add(group, delta):
    def operation(s, g):
        group.count += delta
        if group.count == 0:
            while group.waiters:
                s.ready(group.waiters.popleft())

    return operation


def wait(group):
    def operation(s, g):
        if group.count == 0:
            return None
        group.waiters.append(g)
        return PARK

    return operation
