"""Random programs: goroutines that send, receive, close, select, yield, compute, sleep and start others.

A program is plain data. `strategy` draws one, `Machine` runs it on goruntime and writes down what each operation did
and when, by the clock of the goroutine's thread.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from greenlet import getcurrent
from hypothesis import strategies as st

from goruntime import chan, default, go, run, select
from goruntime.base.errors import Deadlock
from goruntime.lang.error import GoPlainError
from goruntime.lang.syscall import syscall
from goruntime.runtime import gomaxprocs, gosched, lock_os_thread, unlock_os_thread, work
from goruntime.sched.syscall import short_syscall
from goruntime.time import Ticker, Timer, after, sleep

MILLISECOND = 1_000_000
SLEEP_UNIT = 10 * MILLISECOND


class Step(NamedTuple):
    """One operation of a body.

    Kinds: send, recv, close, select, gosched, work, sleep, go; and of the system: call, write, procs, lock, unlock,
    tick, timeout, reset. A sleep of -1 takes twice as long as the one before it.
    """

    kind: str
    chans: tuple[int, ...] = ()  # indices; a negative one stands for `default`
    sends: tuple[bool, ...] = ()  # select: which cases send
    amount: int = 0  # ns; go: which body; procs: how many


class Program(NamedTuple):
    """Bodies of goroutines (the first is what main runs) over channels of these capacities."""

    capacities: tuple[int, ...]
    bodies: tuple[tuple[Step, ...], ...]


class Entry(NamedTuple):
    """One operation that was done: by whom, what, its channel, value and outcome, when it began and ended."""

    who: int
    kind: str
    chan: int
    value: Any
    began_ns: int
    ended_ns: int


@dataclass
class Log:
    """What a run did."""

    entries: list[Entry] = field(default_factory=list)
    blocked: dict[int, tuple[str, tuple[int, ...], tuple[bool, ...], Any]] = field(default_factory=dict)
    finished: set[int] = field(default_factory=set)
    started: int = 0
    is_deadlock: bool = False
    channels: list[Any] = field(default_factory=list)
    result: Any = None


def steps(channel_count: int, body_count: int, durations: Any, sleeps: Any, has_system: bool) -> Any:
    """One step of a body."""
    channel = st.integers(0, channel_count - 1)
    simple = [
        st.builds(lambda c: Step("send", (c,)), channel),
        st.builds(lambda c: Step("recv", (c,)), channel),
        st.builds(lambda c: Step("send", (c,)), channel),
        st.builds(lambda c: Step("recv", (c,)), channel),
        st.just(Step("gosched")),
        st.builds(lambda body: Step("go", amount=body), st.integers(1, body_count - 1)),
        st.lists(st.tuples(st.integers(-1, channel_count - 1), st.booleans()), min_size=1, max_size=3).map(_select),
    ]
    if durations is not None:
        simple.append(st.builds(lambda ns: Step("work", amount=ns), durations))
    if sleeps is not None:
        simple.append(st.builds(lambda ns: Step("sleep", amount=ns), sleeps))
    if has_system:
        simple.append(st.builds(lambda ns: Step("call", amount=ns), st.sampled_from([1_000, 30_000, 20 * MILLISECOND])))
        simple.append(st.builds(lambda n: Step("procs", amount=n), st.integers(1, 5)))
        simple += [st.just(Step(kind)) for kind in ("write", "lock", "lock", "unlock", "tick")]
    if has_system and sleeps is not None:
        simple.append(st.builds(lambda c, ns: Step("timeout", (c,), amount=ns), channel, sleeps))
        simple.append(st.builds(lambda ns: Step("reset", amount=ns), sleeps))
    return st.one_of(*simple, st.builds(lambda c: Step("close", (c,)), channel))


def _select(cases: list[tuple[int, bool]]) -> Step:
    seen_default = False
    kept = []
    for index, is_send in cases:
        if index < 0 and seen_default:
            continue
        seen_default |= index < 0
        kept.append((index, is_send))
    return Step("select", tuple(c for c, _ in kept), tuple(s for _, s in kept))


@st.composite
def strategy(
    draw: Any, durations: Any = None, sleeps: Any = None, longest: int = 7, has_system: bool = False
) -> Program:
    """A program of at most 3 channels and 5 bodies; `durations` of work, `sleeps`: strategies of ns, or None for none.

    has_system: with system calls, goroutines locked to threads, and changes of GOMAXPROCS.
    """
    capacities = tuple(draw(st.lists(st.integers(0, 3), min_size=1, max_size=3)))
    body_count = draw(st.integers(2, 5))
    step = steps(len(capacities), body_count, durations, sleeps, has_system)
    bodies = [draw(st.lists(step, min_size=1, max_size=longest)) for _ in range(body_count)]
    # Every body is started once by main; a body may start one that comes after it, so that no program runs for ever.
    starts = [Step("go", amount=body) for body in range(1, body_count)]
    kept = [tuple(s for s in body if s.kind != "go" or s.amount > index) for index, body in enumerate(bodies)]
    return Program(capacities, (tuple(starts) + kept[0], *kept[1:]))


class Machine:
    """Runs a program on goruntime. Each value sent is (number of the goroutine, number of its send)."""

    def __init__(self, program: Program, waits: bool = True) -> None:
        self.program = program
        self.waits = waits  # main waits for all others
        self.log = Log()
        self.sleep_count = 0

    def run(self, **config: Any) -> Log:
        try:
            self.log.result = run(self.main, **config)
        except Deadlock:
            self.log.is_deadlock = True
        return self.log

    def main(self) -> int:
        log = self.log
        log.channels = [chan(capacity) for capacity in self.program.capacities]
        self.done = chan(1)
        self.goroutine(0, 0)
        while self.waits and len(log.finished) < log.started:
            self.done.recv()
        return log.started

    def goroutine(self, who: int, body: int) -> None:
        log = self.log
        if who == 0:
            log.started = 1
        sent = 0
        for step in self.program.bodies[body]:
            began_ns = now_ns()
            value: Any = None
            if step.kind in ("send", "select"):
                sent += 1
                value = (who, sent)
            log.blocked[who] = (step.kind, step.chans, step.sends, value)
            try:
                channel, value = self.do(step, value)
            except GoPlainError as panic:
                channel, value = -1, str(panic)
            log.entries.append(Entry(who, step.kind, channel, value, began_ns, now_ns()))
        log.blocked.pop(who, None)
        log.finished.add(who)
        if self.waits and len(log.finished) == log.started:
            self.done.send(None)

    def do(self, step: Step, value: Any) -> tuple[int, Any]:
        """Do one step; returns the channel it was about and what it gave: ("sent" | "got", value), or None."""
        chans = self.log.channels
        match step.kind:
            case "send":
                chans[step.chans[0]].send(value)
                return step.chans[0], ("sent", value)
            case "recv":
                got, ok = chans[step.chans[0]].recv_()
                return step.chans[0], ("got", got) if ok else ("closed", None)
            case "close":
                chans[step.chans[0]].close()
                return step.chans[0], ("close", None)
            case "select":
                return self.select(step, value)
            case "gosched":
                gosched()
            case "work":
                work(step.amount / 1e9)
            case "sleep" if step.amount < 0:
                self.sleep_count += 1
                sleep((SLEEP_UNIT << self.sleep_count - 1) / 1e9)
            case "sleep":
                sleep(step.amount / 1e9)
            case "call":
                assert syscall(abs, -1, takes=step.amount / 1e9) == 1
            case "timeout":
                index, got = select(chans[step.chans[0]].recv_, after(step.amount / 1e9).recv)
                if index == 0:
                    return step.chans[0], ("got", got[0]) if got[1] else ("closed", None)
            case "reset":
                timer = Timer(step.amount / 1e9)
                work(10e-6)
                timer.reset(step.amount / 2e9)
                timer.c.recv()
                assert not timer.stop()
            case "tick":
                ticker = Ticker(30e-6)
                assert ticker.c.recv().ns < ticker.c.recv().ns
                ticker.stop()
            case "write":
                g = getcurrent()
                short_syscall(g.m, g, "write", 661, bool)  # type: ignore[attr-defined, arg-type]
            case "procs":
                gomaxprocs(step.amount)
            case "lock":
                lock_os_thread()
            case "unlock":
                unlock_os_thread()
            case "go":
                who = self.log.started
                self.log.started += 1
                go(self.goroutine, who, step.amount)
        return -1, None

    def select(self, step: Step, value: Any) -> tuple[int, Any]:
        cases: list[Any] = []
        for index, is_send in zip(step.chans, step.sends, strict=True):
            if index < 0:
                cases.append(default)
            else:
                ch = self.log.channels[index]
                cases.append((ch.send, value) if is_send else ch.recv_)
        taken, got = select(*cases)
        index = step.chans[taken]
        if index < 0:
            return -1, None
        if step.sends[taken]:
            return index, ("sent", value)
        got, ok = got
        return index, ("got", got) if ok else ("closed", None)


def now_ns() -> int:
    """The clock of the thread that the calling goroutine is on."""
    return getcurrent().m.clock  # type: ignore[attr-defined]
