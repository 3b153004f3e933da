"""One P, its queues, its timers, and channels: the rules of Go's scheduler, as a machine for `reference`.

Goroutines are generators that yield when they park or yield the P. Statements take no time, but for `Compute`: a timer
fires when nothing can run, or after somebody has computed. What Go leaves open (which of two ready cases select takes,
the order of timers due together, who runs during a system call) raises `Reject`. The one open thing that is let in is
`first_tick`, how often the scheduler has run when the program starts.

Differs: stacks do not grow, so G structures are reused in the order in which Go would reuse them if theirs did not.
"""

from collections import deque
from collections.abc import Callable, Generator
from dataclasses import dataclass, field

Steps = Generator[None, None, None]
GOROUTINE_LIMIT = 400
CLOCK_LIMIT_MS = 150
DUE_GAP_MS = 4
COMPUTE_LIMIT_MS = 15
COMPUTE_GAP_MS = 20  # and as much as was computed: on a busy machine computing takes longer than it should


class Reject(Exception):
    """The program is no oracle: its output is not determined, or it is too long."""


class Finished(Exception):
    """The process ends, with this status."""


class Misuse(Exception):
    """An operation panics, with this text."""


@dataclass(eq=False, slots=True)
class Goroutine:
    """A goroutine; `slot` is its place in Go's allgs, which a dead one leaves to a new one."""

    id: int
    slot: int
    created_by: str
    steps: Steps
    status: str = "runnable"
    woken: "Waiter | None" = None

    def describe(self) -> list[str]:
        """Return header and created-by line."""
        return [f"goroutine {self.id} [{self.status}]:", *([self.created_by] if self.created_by else [])]


@dataclass(eq=False, slots=True)
class Waiter:
    """A goroutine in a channel's queue (Go: sudog). The cases of one select share `won`."""

    goroutine: Goroutine
    won: list[bool]
    case: int
    value: int
    success: bool = False


@dataclass(eq=False, slots=True)
class Channel:
    """A channel; without capacity the nil channel; with `due` that of a timer not evaluated yet."""

    capacity: int | None
    buffer: deque[int] = field(default_factory=deque)
    receivers: deque[Waiter] = field(default_factory=deque)
    senders: deque[Waiter] = field(default_factory=deque)
    closed: bool = False
    due: int | None = None

    def is_ready(self, sends: bool, now: int) -> bool:
        """Say whether a send or a receive would not block."""
        if self.capacity is None:
            return False
        if self.due is not None and self.due <= now:
            self.buffer.append(0)
            self.due = None
        has_peer = any(not waiter.won[0] for waiter in (self.receivers if sends else self.senders))
        return self.closed or has_peer or (len(self.buffer) < self.capacity if sends else bool(self.buffer))


@dataclass(eq=False, slots=True)
class Timer:
    """What happens at `due`: a goroutine wakes, a function starts, or a channel receives."""

    due: int
    serves: "Goroutine | Channel | Callable[[Goroutine], Steps]"
    computed_before: int = 0

    def is_in_heap(self) -> bool:
        """Say whether it can fire: the timer of a channel only while somebody is blocked there."""
        if not isinstance(self.serves, Channel):
            return True
        return self.serves.due is not None and any(not waiter.won[0] for waiter in self.serves.receivers)


class Machine:
    """One P."""

    def __init__(self, first_tick: int) -> None:
        self.tick, self.now, self.computed, self.next_id = first_tick, 0, 0, 1
        self.runnext: Goroutine | None = None
        self.ring: deque[Goroutine] = deque()
        self.globals: deque[Goroutine] = deque()
        self.timers: list[Timer] = []
        self.shows_all = False
        self.dues: list[int] = []
        self.live: dict[int, Goroutine] = {}
        self.slot_count = 0
        self.free_slots: list[int] = []
        self.free_slots_global: list[int] = []
        self.lines: list[str] = []

    def run(self) -> int:
        """Run goroutines until the process ends; return its status."""
        try:
            while True:
                goroutine = self.pick()
                goroutine.status = "running"
                try:
                    next(goroutine.steps)
                except StopIteration:
                    self.free(goroutine)
        except Finished as finished:
            return int(finished.args[0])

    def spawn(self, start: Callable[[Goroutine], Steps], created_by: str) -> None:
        """Start a goroutine, in the place of a dead one if there is any.

        Go: runtime/proc.go newproc1, gfget.
        """
        if self.next_id > GOROUTINE_LIMIT:
            raise Reject("too many goroutines")
        if not self.free_slots:
            while self.free_slots_global and len(self.free_slots) < 32:
                self.free_slots.append(self.free_slots_global.pop())
        if not self.free_slots:
            self.free_slots.append(self.slot_count)
            self.slot_count += 1
        slot = self.free_slots.pop()
        goroutine = self.live[slot] = Goroutine(self.next_id, slot, created_by, iter(()))  # type: ignore[arg-type]
        goroutine.steps = start(goroutine)
        self.next_id += 1
        self.put(goroutine)

    def free(self, goroutine: Goroutine) -> None:
        """Keep the place of a goroutine that is done.

        Go: runtime/proc.go gdestroy, gfput.
        """
        del self.live[goroutine.slot]
        self.free_slots.append(goroutine.slot)
        if len(self.free_slots) >= 64:
            self.free_slots_global += [self.free_slots.pop() for _ in range(33)]

    def put(self, goroutine: Goroutine) -> None:
        """Make a goroutine the next one.

        Go: runtime/proc.go runqput, runqputslow.
        """
        goroutine.status = "runnable"
        self.runnext, kicked = goroutine, self.runnext
        if kicked is not None:
            self.put_last(kicked)

    def put_last(self, goroutine: Goroutine) -> None:
        """Put a goroutine at the end of the ring.

        Go: runtime/proc.go runqput, runqputslow, goyield_m.
        """
        goroutine.status = "runnable"
        if len(self.ring) == 256:
            self.globals.extend([self.ring.popleft() for _ in range(128)] + [goroutine])
        else:
            self.ring.append(goroutine)

    def gosched(self, goroutine: Goroutine) -> Steps:
        """Go to the end of the global queue.

        Go: runtime/proc.go goschedImpl.
        """
        goroutine.status = "runnable"
        self.globals.append(goroutine)
        yield

    def pick(self) -> Goroutine:
        """Return who runs now.

        Go: runtime/proc.go findRunnable, execute.
        """
        while True:
            self.run_timers()
            if self.tick % 61 == 0 and self.globals:
                self.tick += 1
                return self.globals.popleft()
            if self.runnext:
                goroutine, self.runnext = self.runnext, None
                return goroutine
            if not self.ring and self.globals:
                self.ring.extend(self.globals.popleft() for _ in range(min(128, len(self.globals))))
            if self.ring:
                self.tick += 1
                return self.ring.popleft()
            self.advance()

    def advance(self) -> None:
        """Let time pass until the next timer, or die for want of one.

        Go: runtime/proc.go findRunnable, checkdead.
        """
        dues = [timer.due for timer in self.timers if timer.is_in_heap()]
        if dues:
            self.now = min(dues)
        elif self.live:
            self.die(["fatal error: all goroutines are asleep - deadlock!"], None, shows_all=True)
        else:
            self.die(["fatal error: no goroutines (main called runtime.Goexit) - deadlock!"], None, shows_all=False)

    def compute(self, milliseconds: int) -> None:
        """Let time pass while a goroutine keeps the P; Reject if a timer could fall due in real time."""
        self.now += milliseconds
        self.computed += milliseconds
        if self.computed > COMPUTE_LIMIT_MS:
            raise Reject("computes too much")
        for timer in self.timers:
            if timer.due - self.now < COMPUTE_GAP_MS + self.computed - timer.computed_before:
                raise Reject("a timer is due while somebody computes")

    def add_timer(self, milliseconds: int, serves: "Goroutine | Channel | Callable[[Goroutine], Steps]") -> Timer:
        """Start a timer."""
        due = self.now + milliseconds
        if due > CLOCK_LIMIT_MS:
            raise Reject("takes too long")
        if any(abs(due - other) < DUE_GAP_MS + self.computed for other in self.dues):
            raise Reject("two timers are due together")
        self.dues.append(due)
        timer = Timer(due, serves, self.computed)
        self.timers.append(timer)
        return timer

    def run_timers(self) -> None:
        """Fire what is due."""
        due = [timer for timer in self.timers if timer.due <= self.now and timer.is_in_heap()]
        for timer in sorted(due, key=lambda timer: timer.due):
            self.timers.remove(timer)
            if isinstance(timer.serves, Goroutine):
                self.put(timer.serves)
            elif isinstance(timer.serves, Channel):
                timer.serves.due = None
                self.wake(self.dequeue(timer.serves.receivers), 0, True)
            else:
                self.spawn(timer.serves, "created by time.goFunc")

    def die(self, lines: list[str], culprit: Goroutine | None, shows_all: bool) -> None:
        """Print why and who, and end.

        Go: runtime/panic.go dopanic_m; runtime/traceback.go tracebackothers.
        """
        self.lines += lines + (culprit.describe() if culprit else [])
        for slot in sorted(self.live) if shows_all else ():
            if self.live[slot] is not culprit:
                self.lines += self.live[slot].describe()
        raise Finished(2)

    def dequeue(self, queue: deque[Waiter]) -> Waiter | None:
        """Take the first waiter, but none whose select has been won.

        Go: runtime/chan.go dequeue.
        """
        while queue:
            waiter = queue.popleft()
            if not waiter.won[0]:
                waiter.won[0] = True
                return waiter
        return None

    def wake(self, waiter: Waiter | None, value: int, success: bool) -> None:
        """Ready a waiter that has been dequeued."""
        assert waiter is not None
        waiter.value, waiter.success, waiter.goroutine.woken = value, success, waiter
        self.put(waiter.goroutine)

    def communicate(
        self, goroutine: Goroutine, cases: list[tuple[Channel, int | None]], has_default: bool = False
    ) -> Generator[None, None, tuple[int, int, bool]]:
        """Do one case, a send where it has a value; return which, and what it received.

        A single case is the plain operation, as the compiler makes it.
        Go: runtime/select.go selectgo.
        """
        ready = [index for index, (channel, sent) in enumerate(cases) if channel.is_ready(sent is not None, self.now)]
        if len(ready) > 1:
            raise Reject("select with several ready cases")
        if ready:
            return ready[0], *self.operate(*cases[ready[0]])
        if has_default:
            return len(cases), 0, False
        goroutine.status = "select" if cases else "select (no cases)"
        if len(cases) == 1:
            goroutine.status = "chan receive" if cases[0][1] is None else "chan send"
            goroutine.status += " (nil chan)" if cases[0][0].capacity is None else ""
        won = [False]
        for index, (channel, sent) in enumerate(cases):
            queue = channel.receivers if sent is None else channel.senders
            queue.append(Waiter(goroutine, won, index, sent or 0))
        yield
        waiter = goroutine.woken
        assert waiter is not None
        if cases[waiter.case][1] is not None and not waiter.success:
            raise Misuse("send on closed channel")
        return waiter.case, waiter.value, waiter.success

    def operate(self, channel: Channel, sent: int | None) -> tuple[int, bool]:
        """Do what does not block.

        Go: runtime/chan.go chansend, chanrecv.
        """
        if sent is not None:
            if channel.closed:
                raise Misuse("send on closed channel")
            if receiver := self.dequeue(channel.receivers):
                self.wake(receiver, sent, True)
            else:
                channel.buffer.append(sent)
            return 0, False
        if sender := self.dequeue(channel.senders):
            channel.buffer.append(sender.value)
            self.wake(sender, 0, True)
        return (channel.buffer.popleft(), True) if channel.buffer else (0, False)

    def close(self, channel: Channel) -> None:
        """Close; the newest waiter is readied first.

        Go: runtime/chan.go closechan.
        """
        if channel.capacity is None:
            raise Misuse("close of nil channel")
        if channel.closed:
            raise Misuse("close of closed channel")
        channel.closed = True
        waiters = []
        for queue in (channel.receivers, channel.senders):
            while waiter := self.dequeue(queue):
                waiters.append(waiter)
        for waiter in reversed(waiters):
            self.wake(waiter, 0, False)
