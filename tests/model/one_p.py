"""The order in which one P runs a program, by the rules alone: queues, ticks, wait queues, timers. Nothing is shared
with the runtime, and computing takes no time.

Goroutines are generators; an operation that parks yields.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterator
from typing import Any

from .programs import SLEEP_UNIT, Program, Step

RING = 256
FAIRNESS = 61
FIRST_TICK = 4  # slices that the P has given when main.main starts


class Goroutine:
    """One goroutine; `who` is None for the runtime's own."""

    def __init__(self, who: int | None, steps: Iterator[None]) -> None:
        self.who = who
        self.steps = steps
        self.got: Any = None  # what its waker left for it


class Waiter:
    """A goroutine in a channel's queue; the cases of one select share `won`."""

    def __init__(self, goroutine: Goroutine, case: int, value: Any, won: list[bool]) -> None:
        self.goroutine, self.case, self.value, self.won = goroutine, case, value, won


class Channel:
    """Buffer, and who waits at each end."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.buffer: deque[Any] = deque()
        self.senders: deque[Waiter] = deque()
        self.receivers: deque[Waiter] = deque()
        self.closed = False


class Panic(Exception):
    """An operation on a channel panics."""


def first_waiting(queue: deque[Waiter]) -> Waiter | None:
    """Take the first waiter whose select nobody has won."""
    while queue:
        waiter = queue.popleft()
        if not waiter.won[0]:
            waiter.won[0] = True
            return waiter
    return None


def somebody_waits(queue: deque[Waiter]) -> bool:
    return any(not waiter.won[0] for waiter in queue)


class Model:
    """One run. `choices` are the questions that selects asked where several cases were ready, with the answers."""

    def __init__(self, program: Program, choices: Iterator[tuple[int, int]]) -> None:
        self.program = program
        self.choices = choices
        self.next: Goroutine | None = None
        self.ring: deque[Goroutine] = deque()
        self.shared: deque[Goroutine] = deque()
        self.tick = FIRST_TICK
        self.now = 0
        self.timers: list[tuple[int, int, Goroutine]] = []
        self.sleep_count = 0
        self.channels = [Channel(capacity) for capacity in program.capacities]
        self.done = Channel(1)
        self.started = 1
        self.finished: set[int] = set()
        self.entries: list[tuple[int, str, int, Any]] = []
        self.is_deadlock = False

    # The scheduler.

    def put_next(self, goroutine: Goroutine) -> None:
        self.next, kicked = goroutine, self.next
        if kicked is None:
            return
        if len(self.ring) == RING:
            self.shared.extend(self.ring.popleft() for _ in range(RING // 2))
            self.shared.append(kicked)
        else:
            self.ring.append(kicked)

    def ready(self, waiter: Waiter, got: Any) -> None:
        waiter.goroutine.got = got
        self.put_next(waiter.goroutine)

    def pick(self) -> Goroutine | None:
        for timer in sorted(self.timers, key=lambda timer: timer[:2]):
            if timer[0] <= self.now:
                self.timers.remove(timer)
                self.put_next(timer[2])
        if self.tick % FAIRNESS == 0 and self.shared:
            self.tick += 1
            return self.shared.popleft()
        if self.next is not None:
            goroutine, self.next = self.next, None
            return goroutine
        if not self.ring and self.shared:
            for _ in range(min(RING // 2, len(self.shared))):
                self.ring.append(self.shared.popleft())
        if self.ring:
            self.tick += 1
            return self.ring.popleft()
        return None

    def run(self) -> None:
        self.running = Goroutine(0, self.main())
        for _ in range(2):  # system goroutines that have not run yet: each parks for ever
            self.put_next(Goroutine(None, iter([None])))
        while True:
            try:
                next(self.running.steps)
            except StopIteration:
                if self.running.who == 0:
                    return
            while (following := self.pick()) is None:
                if not self.timers:
                    self.is_deadlock = True
                    return
                self.now = min(timer[0] for timer in self.timers)
            self.running = following

    # Goroutines.

    def main(self) -> Generator[None]:
        yield from self.body(0, 0)
        while len(self.finished) < self.started:
            yield from self.receive(self.done)

    def body(self, who: int, body: int) -> Generator[None]:
        sent = 0
        for step in self.program.bodies[body]:
            value = None
            if step.kind in ("send", "select"):
                sent += 1
                value = (who, sent)
            try:
                channel, value = yield from self.do(step, value)
            except Panic as panic:
                channel, value = -1, str(panic)
            self.entries.append((who, step.kind, channel, value))
        self.finished.add(who)
        if len(self.finished) == self.started:
            yield from self.send(self.done, None)

    def do(self, step: Step, value: Any) -> Generator[None, None, tuple[int, Any]]:
        match step.kind:
            case "send":
                yield from self.send(self.channels[step.chans[0]], value)
                return step.chans[0], ("sent", value)
            case "recv":
                return step.chans[0], (yield from self.receive(self.channels[step.chans[0]]))
            case "close":
                self.close(self.channels[step.chans[0]])
                return step.chans[0], ("close", None)
            case "select":
                return (yield from self.select(step, value))
            case "gosched":
                self.shared.append(self.running)
                yield
            case "sleep":
                self.timers.append((self.now + (SLEEP_UNIT << self.sleep_count), self.sleep_count, self.running))
                self.sleep_count += 1
                yield
            case "go":
                self.put_next(Goroutine(self.started, self.body(self.started, step.amount)))
                self.started += 1
        return -1, None

    # Channels.

    def try_send(self, channel: Channel, value: Any) -> bool:
        if channel.closed:
            raise Panic("send on closed channel")
        if (receiver := first_waiting(channel.receivers)) is not None:
            self.ready(receiver, (receiver.case, ("got", value)))
        elif len(channel.buffer) < channel.capacity:
            channel.buffer.append(value)
        else:
            return False
        return True

    def try_receive(self, channel: Channel) -> Any:
        if (sender := first_waiting(channel.senders)) is not None:
            channel.buffer.append(sender.value)
            self.ready(sender, (sender.case, ("sent", sender.value)))
        if channel.buffer:
            return ("got", channel.buffer.popleft())
        return ("closed", None) if channel.closed else None

    def send(self, channel: Channel, value: Any) -> Generator[None]:
        if not self.try_send(channel, value):
            goroutine = self.running
            channel.senders.append(Waiter(goroutine, 0, value, [False]))
            yield
            if goroutine.got[1] is None:
                raise Panic("send on closed channel")

    def receive(self, channel: Channel) -> Generator[None, None, Any]:
        got = self.try_receive(channel)
        if got is None:
            goroutine = self.running
            channel.receivers.append(Waiter(goroutine, 0, None, [False]))
            yield
            got = goroutine.got[1] or ("closed", None)
        return got

    def close(self, channel: Channel) -> None:
        if channel.closed:
            raise Panic("close of closed channel")
        channel.closed = True
        waiters = []
        for queue in (channel.receivers, channel.senders):
            while (waiter := first_waiting(queue)) is not None:
                waiters.append(waiter)
        for waiter in reversed(waiters):
            self.ready(waiter, (waiter.case, None))

    def select(self, step: Step, value: Any) -> Generator[None, None, tuple[int, Any]]:
        cases = list(zip(step.chans, step.sends, strict=True))
        is_ready = []
        for case, (index, is_send) in enumerate(cases):
            if index < 0:
                continue
            channel = self.channels[index]
            if is_send:
                room = len(channel.buffer) < channel.capacity
                done = channel.closed or room or somebody_waits(channel.receivers)
            else:
                done = channel.closed or bool(channel.buffer) or somebody_waits(channel.senders)
            if done:
                is_ready.append(case)
        if is_ready:
            taken = is_ready[0]
            for count, case in enumerate(is_ready[1:], 2):
                # Each further one takes the place of the one before with odds of one to count.
                asked, answer = next(self.choices)
                assert asked == count
                if answer == 0:
                    taken = case
            index, is_send = cases[taken]
            if is_send:
                self.try_send(self.channels[index], value)
                return index, ("sent", value)
            return index, self.try_receive(self.channels[index])
        if any(index < 0 for index, _ in cases):
            return -1, None
        goroutine = self.running
        won = [False]
        for case, (index, is_send) in enumerate(cases):
            channel = self.channels[index]
            (channel.senders if is_send else channel.receivers).append(Waiter(goroutine, case, value, won))
        yield
        taken, got = goroutine.got
        index, is_send = cases[taken]
        if is_send and got is None:
            raise Panic("send on closed channel")
        return index, got or ("closed", None)
