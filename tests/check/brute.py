"""Brute force over all interleavings of a small program: what exploration is measured by.

A program is a list of goroutines, each a list of statements; goroutine 0 is main. `outcomes` runs it on a model of Go's
channels and timers that shares nothing with goruntime: states are plain tuples, and from each state every goroutine
that can take a step takes it. Steps are as fine as Go allows: one operation is a step, and so is the plain code between
two operations. A goroutine that cannot go on queues up, first in, first out, at any time. `source` is the same program
in Python on goruntime.

Statements, x being the goroutine's own variable:
    ("send", c, value) ("sendx", c) ("recv", c) ("close", c) ("len", c)     on channel number c; recv and len set x
    ("select", (("recv", c) | ("send", c, value), ...), has_default)        sets x to (index, value)
    ("go", i) ("gosched",) ("sleep", seconds)
    ("load",) ("store",) ("log",)                                     x = cell; cell = x + 1; log += (goroutine, x)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

PLAIN = ("load", "store", "log")
Outcome = tuple[Any, ...]  # ("returned", cell, log, leaked goroutines) | ("deadlock",) | ("panic", text)


@dataclass(frozen=True)
class Program:
    """Capacities of the channels, and the goroutines."""

    sizes: tuple[int, ...]
    goroutines: tuple[tuple[tuple[Any, ...], ...], ...]


@dataclass(frozen=True)
class Channel:
    size: int
    buf: tuple[Any, ...] = ()
    closed: bool = False
    senders: tuple[tuple[int, int, Any], ...] = ()  # (goroutine, case or -1, value), first in first
    receivers: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class State:
    pcs: tuple[int, ...]  # -1: not started
    xs: tuple[Any, ...]
    parked: tuple[bool, ...]
    channels: tuple[Channel, ...]
    cell: int = 0
    log: tuple[Any, ...] = ()
    now: int = 0
    sleepers: tuple[tuple[int, int], ...] = ()  # (when, goroutine)
    doomed: tuple[int, ...] = ()  # senders whose channel was closed: they panic when they run
    result: Outcome | None = None  # once main has returned


PANICS = ("send on closed channel", "close of closed channel")


def put(items: tuple[Any, ...], index: int, value: Any) -> tuple[Any, ...]:
    return (*items[:index], value, *items[index + 1 :])


def outcomes(program: Program) -> set[Outcome]:
    """Every way in which the program can end."""
    count = len(program.goroutines)
    start = State(
        put((-1,) * count, 0, 0), (None,) * count, (False,) * count, tuple(Channel(size) for size in program.sizes)
    )
    found: set[Outcome] = set()
    seen = {start}
    todo = [start]
    while todo:
        state = todo.pop()
        following, ends = steps(program, state)
        found |= ends
        for after in following:
            if after not in seen:
                seen.add(after)
                todo.append(after)
    return found


def steps(program: Program, state: State) -> tuple[list[State], set[Outcome]]:
    """All states one step away, and the outcomes that end here."""
    following: list[State] = []
    ends: set[Outcome] = set()
    for g, body in enumerate(program.goroutines):
        pc = state.pcs[g]
        if pc < 0 or state.parked[g] or pc > len(body):
            continue
        if pc == len(body):
            after = replace(state, pcs=put(state.pcs, g, pc + 1))
            if g == 0:
                after = replace(after, result=(state.cell, state.log))
            following.append(after)
        elif g in state.doomed:
            ends.add(dead(state, PANICS[0]))
        elif body[pc][0] in PLAIN:
            following.append(segment(state, g, body))
        else:
            for after in operation(state, g, body[pc]):
                if isinstance(after, str):
                    ends.add(dead(state, after))
                else:
                    following.append(after)
    for when, g in state.sleepers:
        if when == min(state.sleepers)[0]:
            woken = tuple(item for item in state.sleepers if item != (when, g))
            following.append(wake(replace(state, sleepers=woken, now=max(state.now, when)), g, state.xs[g]))
    if not following and not ends:
        left = tuple(g for g, pc in enumerate(state.pcs) if 0 <= pc <= len(program.goroutines[g]))
        ends.add(("deadlock",) if state.result is None else ("returned", *state.result, left))
    return following, ends


def dead(state: State, panic: str) -> Outcome:
    """A goroutine panics: the program is over, if it was not before."""
    return ("panic", panic) if state.result is None else ("returned", *state.result, ())


def segment(state: State, g: int, body: tuple[tuple[Any, ...], ...]) -> State:
    """The plain statements up to the next operation or the end, as one step. Main's last one includes its return."""
    pc, x, cell, log = state.pcs[g], state.xs[g], state.cell, state.log
    while pc < len(body) and body[pc][0] in PLAIN:
        match body[pc]:
            case ("load",):
                x = cell
            case ("store",):
                cell = (x if isinstance(x, int) else 0) + 1
            case ("log",):
                log = (*log, (g, x))
        pc += 1
    after = replace(state, pcs=put(state.pcs, g, pc), xs=put(state.xs, g, x), cell=cell, log=log)
    if g == 0 and pc == len(body):
        after = replace(after, pcs=put(after.pcs, g, pc + 1), result=(cell, log))
    return after


def wake(state: State, g: int, x: Any) -> State:
    """g's operation is done, with this result."""
    return replace(
        state, parked=put(state.parked, g, False), pcs=put(state.pcs, g, state.pcs[g] + 1), xs=put(state.xs, g, x)
    )


def leave_queues(state: State, g: int) -> State:
    """g no longer waits on any channel."""
    channels = tuple(
        replace(
            ch,
            senders=tuple(item for item in ch.senders if item[0] != g),
            receivers=tuple(item for item in ch.receivers if item[0] != g),
        )
        for ch in state.channels
    )
    return replace(state, channels=channels)


def operation(state: State, g: int, statement: tuple[Any, ...]) -> Iterator[State | str]:
    """The states that an operation of g can lead to: more than one only for select. A text: it panics."""
    match statement:
        case ("send", c, value):
            yield send(state, g, c, value) or park(state, g, [(("send", c, value), -1)])
        case ("sendx", c):
            yield send(state, g, c, state.xs[g]) or park(state, g, [(("send", c, state.xs[g]), -1)])
        case ("recv", c):
            yield receive(state, g, c, -1) or park(state, g, [(("recv", c), -1)])
        case ("close", c):
            yield close(state, g, c)
        case ("len", c):
            yield wake(state, g, len(state.channels[c].buf))
        case ("select", cases, has_default):
            ready = False
            for index, case in enumerate(cases):
                after = attempt(state, g, case, index)
                if after is not None:
                    ready = True
                    yield after
            if not ready:
                if has_default:
                    yield wake(state, g, (len(cases), None))
                else:
                    yield park(state, g, [(case, index) for index, case in enumerate(cases)])
        case ("go", i):
            yield wake(replace(state, pcs=put(state.pcs, i, 0)), g, state.xs[g])
        case ("gosched",):
            yield wake(state, g, state.xs[g])
        case ("sleep", seconds):
            sleepers = tuple(sorted((*state.sleepers, (state.now + seconds, g))))
            yield replace(state, parked=put(state.parked, g, True), sleepers=sleepers)


def attempt(state: State, g: int, case: tuple[Any, ...], index: int) -> State | str | None:
    if case[0] == "recv":
        return receive(state, g, case[1], index)
    return send(state, g, case[1], case[2], index)


def send(state: State, g: int, c: int, value: Any, index: int = -1) -> State | str | None:
    """None if it would block."""
    ch = state.channels[c]
    done = state.xs[g] if index < 0 else (index, None)
    if ch.closed:
        return PANICS[0]
    if ch.receivers:
        receiver, case = ch.receivers[0]
        after = leave_queues(state, receiver)
        after = wake(after, receiver, value if case < 0 else (case, value))
        return wake(after, g, done)
    if len(ch.buf) < ch.size:
        after = replace(state, channels=put(state.channels, c, replace(ch, buf=(*ch.buf, value))))
        return wake(after, g, done)
    return None


def receive(state: State, g: int, c: int, index: int) -> State | None:
    """None if it would block."""
    ch = state.channels[c]

    def got(value: Any) -> Any:
        return value if index < 0 else (index, value)

    if ch.senders:
        sender, case, value = ch.senders[0]
        after = leave_queues(state, sender)
        after = wake(after, sender, after.xs[sender] if case < 0 else (case, None))
        if ch.size:
            now = after.channels[c]
            after = replace(after, channels=put(after.channels, c, replace(now, buf=(*ch.buf[1:], value))))
            value = ch.buf[0]
        return wake(after, g, got(value))
    if ch.buf:
        after = replace(state, channels=put(state.channels, c, replace(ch, buf=ch.buf[1:])))
        return wake(after, g, got(ch.buf[0]))
    if ch.closed:
        return wake(state, g, got(None))
    return None


def close(state: State, g: int, c: int) -> State | str:
    ch = state.channels[c]
    if ch.closed:
        return PANICS[1]
    after = replace(state, channels=put(state.channels, c, replace(ch, closed=True)))
    woken: list[int] = []  # a select may wait twice
    for receiver, case in ch.receivers:
        if receiver not in woken:
            woken.append(receiver)
            after = wake(leave_queues(after, receiver), receiver, None if case < 0 else (case, None))
    for sender, _, _ in ch.senders:
        if sender not in woken:
            woken.append(sender)
            after = leave_queues(after, sender)
            doomed = tuple(sorted((*after.doomed, sender)))
            after = replace(after, parked=put(after.parked, sender, False), doomed=doomed)
    return wake(after, g, after.xs[g])


def park(state: State, g: int, cases: list[tuple[tuple[Any, ...], int]]) -> State:
    channels = state.channels
    for case, index in cases:
        ch = channels[case[1]]
        if case[0] == "send":
            ch = replace(ch, senders=(*ch.senders, (g, index, case[2])))
        else:
            ch = replace(ch, receivers=(*ch.receivers, (g, index)))
        channels = put(channels, case[1], ch)
    return replace(state, parked=put(state.parked, g, True), channels=channels)


# The same program on goruntime.

HEADER = """
from goruntime import chan, go, select, default, time
from goruntime.runtime import gosched

class Shared:
    def __init__(self):
        self.cell = 0
        self.log = []
"""


def source(program: Program) -> str:
    """Python code that defines main()."""
    channels = [f"c{c}" for c in range(len(program.sizes))]
    text = HEADER
    for g, body in enumerate(program.goroutines):
        name, parameters = ("main", "") if g == 0 else (f"g{g}", ", ".join(["shared", *channels]))
        text += f"\ndef {name}({parameters}):\n    x = None\n"
        if g == 0:
            text += "    shared = Shared()\n"
            text += "".join(f"    c{c} = chan({size})\n" for c, size in enumerate(program.sizes))
        text += "".join(f"    {line}\n" for statement in body for line in python(statement, g, channels))
        if g == 0:
            text += "    return shared.cell, tuple(shared.log)\n"
    return text


def python(statement: tuple[Any, ...], g: int, channels: list[str]) -> list[str]:
    match statement:
        case ("send", c, value):
            return [f"c{c}.send({value!r})"]
        case ("sendx", c):
            return [f"c{c}.send(x)"]
        case ("recv", c):
            return [f"x = c{c}.recv()"]
        case ("close", c):
            return [f"c{c}.close()"]
        case ("len", c):
            return [f"x = len(c{c})"]
        case ("select", cases, has_default):
            texts = [f"c{case[1]}.recv" if case[0] == "recv" else f"(c{case[1]}.send, {case[2]!r})" for case in cases]
            return [f"x = select({', '.join(texts + ['default'] * has_default)})"]
        case ("go", i):
            return [f"go({', '.join([f'g{i}', 'shared', *channels])})"]
        case ("gosched",):
            return ["gosched()"]
        case ("sleep", seconds):
            return [f"time.sleep({seconds})"]
        case ("load",):
            return ["x = shared.cell"]
        case ("store",):
            return ["shared.cell = (x if isinstance(x, int) else 0) + 1"]
        case ("log",):
            return [f"shared.log.append(({g}, x))"]
    raise AssertionError(statement)
