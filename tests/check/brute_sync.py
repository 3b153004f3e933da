"""Brute force over all interleavings of small programs with package sync: what exploration is measured by.

As brute.py does for channels: a model of its own, whose steps are as fine as Go's atomic operations. A mutex goes to
any of those who want it: of two who wait the first comes first, but the second may be one that has only just come.

Statements; m, rw, wg, c (a Cond on m), once and n (an atomic) are the objects, x is the goroutine's own variable:
    ("m.lock",) ("m.unlock",) ("m.try_lock",)                        try_lock sets x
    ("rw.lock",) ("rw.unlock",) ("rw.try_lock",) ("rw.rlock",) ("rw.runlock",) ("rw.try_rlock",)
    ("wg.add", delta) ("wg.wait",)
    ("c.wait",) ("c.signal",) ("c.broadcast",)
    ("once.do",)                                                     its function is: cell = cell + 1
    ("n.add", delta) ("n.load",) ("n.cas", old, new)                 set x
    ("go", i) ("gosched",)
    ("load",) ("store",) ("log",)                                    x = cell; cell = x + 1; log += (goroutine, x)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

PLAIN = ("load", "store", "log")
MAX = 1 << 30
Outcome = tuple[Any, ...]  # ("returned", cell, log, leaked goroutines) | ("deadlock",) | ("panic", text)
Body = tuple[tuple[Any, ...], ...]


@dataclass(frozen=True)
class SyncProgram:
    """The goroutines, and what the wait group counts at the start."""

    goroutines: tuple[Body, ...]
    count: int = 0


@dataclass(frozen=True)
class Objects:
    """The words of Go's structures, and what semaphores count."""

    m: bool = False
    rw_w: bool = False
    readers: int = 0
    reader_wait: int = 0
    reader_sema: int = 0
    writer_sema: int = 0
    counter: int = 0
    waiters: int = 0
    wg_sema: int = 0
    wait: int = 0
    notify: int = 0
    once: bool = False
    once_m: bool = False
    n: int = 0


@dataclass(frozen=True)
class State:
    pcs: tuple[int, ...]  # -1: not started
    micros: tuple[int, ...]  # the step within the statement
    xs: tuple[Any, ...]
    held: tuple[Any, ...]  # what an operation keeps from one step to the next
    objects: Objects
    cell: int = 0
    log: tuple[Any, ...] = ()
    result: Outcome | None = None


DONE = -1
# One step: the objects after it, the next step of the statement (or DONE), x, what is kept. None: it has to wait.
Step = tuple[Objects, int, Any, Any] | str | None


def put(items: tuple[Any, ...], index: int, value: Any) -> tuple[Any, ...]:
    return (*items[:index], value, *items[index + 1 :])


def outcomes(program: SyncProgram) -> set[Outcome]:
    """Every way in which the program can end."""
    count = len(program.goroutines)
    start = State(
        put((-1,) * count, 0, 0), (0,) * count, (None,) * count, (None,) * count, Objects(counter=program.count)
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


def steps(program: SyncProgram, state: State) -> tuple[list[State], set[Outcome]]:
    """All states one step away, and the outcomes that end here."""
    following: list[State] = []
    ends: set[Outcome] = set()
    for g, body in enumerate(program.goroutines):
        pc = state.pcs[g]
        if pc < 0 or pc > len(body):
            continue
        if pc == len(body):
            after = replace(state, pcs=put(state.pcs, g, pc + 1))
            if g == 0:
                after = replace(after, result=(state.cell, state.log))
            following.append(after)
        elif body[pc][0] in PLAIN:
            following.append(segment(state, g, body))
        else:
            after_or_text = statement_step(state, g, body[pc])
            if isinstance(after_or_text, str):
                ends.add(dead(state, after_or_text))
            elif after_or_text is not None:
                following.append(after_or_text)
    if not following and not ends:
        left = tuple(g for g, pc in enumerate(state.pcs) if 0 <= pc <= len(program.goroutines[g]))
        ends.add(("deadlock",) if state.result is None else ("returned", *state.result, left))
    return following, ends


def dead(state: State, panic: str) -> Outcome:
    return ("panic", panic) if state.result is None else ("returned", *state.result, ())


def segment(state: State, g: int, body: Body) -> State:
    """The plain statements up to the next operation or the end, as one step. Main's last one includes its return."""
    pc, x, cell, log = state.pcs[g], state.xs[g], state.cell, state.log
    while pc < len(body) and body[pc][0] in PLAIN:
        match body[pc]:
            case ("load",):
                x = cell
            case ("store",):
                cell = (x if type(x) is int else 0) + 1
            case ("log",):
                log = (*log, (g, x))
        pc += 1
    after = replace(state, pcs=put(state.pcs, g, pc), xs=put(state.xs, g, x), cell=cell, log=log)
    if g == 0 and pc == len(body):
        after = replace(after, pcs=put(after.pcs, g, pc + 1), result=(cell, log))
    return after


def statement_step(state: State, g: int, statement: tuple[Any, ...]) -> State | str | None:
    name = statement[0]
    if name == "go":
        return advance(replace(state, pcs=put(state.pcs, statement[1], 0)), g)
    if name == "gosched":
        return advance(state, g)
    if name == "once.do" and state.micros[g] == 1:
        return replace(state, cell=state.cell + 1, micros=put(state.micros, g, 2))
    step = STEPS[name](state.objects, state.micros[g], state.held[g], *statement[1:])
    if step is None or isinstance(step, str):
        return step
    objects, micro, x, held = step
    after = replace(state, objects=objects, held=put(state.held, g, held))
    if x is not None:
        after = replace(after, xs=put(after.xs, g, x))
    return advance(after, g) if micro == DONE else replace(after, micros=put(after.micros, g, micro))


def advance(state: State, g: int) -> State:
    return replace(
        state, pcs=put(state.pcs, g, state.pcs[g] + 1), micros=put(state.micros, g, 0), held=put(state.held, g, None)
    )


# What the operations do, step by step.


def m_lock(o: Objects, micro: int, held: Any) -> Step:
    return None if o.m else (replace(o, m=True), DONE, None, None)


def m_unlock(o: Objects, micro: int, held: Any) -> Step:
    return (replace(o, m=False), DONE, None, None) if o.m else "fatal error: sync: unlock of unlocked mutex"


def m_try_lock(o: Objects, micro: int, held: Any) -> Step:
    return replace(o, m=True), DONE, not o.m, None


def rw_lock(o: Objects, micro: int, held: Any) -> Step:
    if micro == 0:
        return None if o.rw_w else (replace(o, rw_w=True), 1, None, None)
    if micro == 1:
        return replace(o, readers=o.readers - MAX), 2, None, o.readers
    if micro == 2:
        after = replace(o, reader_wait=o.reader_wait + held)
        return after, 3 if held and after.reader_wait else DONE, None, None
    return (replace(o, writer_sema=o.writer_sema - 1), DONE, None, None) if o.writer_sema else None


def rw_unlock(o: Objects, micro: int, held: Any) -> Step:
    if micro == 0:
        readers = o.readers + MAX
        if readers >= MAX:
            return "fatal error: sync: Unlock of unlocked RWMutex"
        return replace(o, readers=readers), 1, None, readers
    if micro == 1:
        return replace(o, reader_sema=o.reader_sema + held), 2, None, None
    return (replace(o, rw_w=False), DONE, None, None) if o.rw_w else "fatal error: sync: unlock of unlocked mutex"


def rw_try_lock(o: Objects, micro: int, held: Any) -> Step:
    if micro == 0:
        return (o, DONE, False, None) if o.rw_w else (replace(o, rw_w=True), 1, None, None)
    if micro == 1:
        return (o, 2, None, None) if o.readers else (replace(o, readers=-MAX), DONE, True, None)
    return replace(o, rw_w=False), DONE, False, None


def rw_rlock(o: Objects, micro: int, held: Any) -> Step:
    if micro == 0:
        return replace(o, readers=o.readers + 1), 1 if o.readers + 1 < 0 else DONE, None, None
    return (replace(o, reader_sema=o.reader_sema - 1), DONE, None, None) if o.reader_sema else None


def rw_runlock(o: Objects, micro: int, held: Any) -> Step:
    if micro == 0:
        readers = o.readers - 1
        if readers < 0 and readers + 1 in (0, -MAX):
            return "fatal error: sync: RUnlock of unlocked RWMutex"
        return replace(o, readers=readers), 1 if readers < 0 else DONE, None, None
    after = replace(o, reader_wait=o.reader_wait - 1)
    if not after.reader_wait:
        after = replace(after, writer_sema=after.writer_sema + 1)
    return after, DONE, None, None


def rw_try_rlock(o: Objects, micro: int, held: Any) -> Step:
    return (o, DONE, False, None) if o.readers < 0 else (replace(o, readers=o.readers + 1), DONE, True, None)


def wg_add(o: Objects, micro: int, held: Any, delta: int) -> Step:
    if micro == 0:
        after = replace(o, counter=o.counter + delta)
        if after.counter < 0:
            return after, 2, None, "sync: negative WaitGroup counter"
        if o.waiters and delta > 0 and after.counter == delta:
            return after, 2, None, "sync: WaitGroup misuse: Add called concurrently with Wait"
        if after.counter or not o.waiters:
            return after, DONE, None, None
        return after, 1, None, o.waiters
    if micro == 2:
        return str(held)
    if o.counter or o.waiters != held:
        return "sync: WaitGroup misuse: Add called concurrently with Wait"
    return replace(o, waiters=0, wg_sema=o.wg_sema + held), DONE, None, None


def wg_wait(o: Objects, micro: int, held: Any) -> Step:
    if micro == 0:
        return (replace(o, waiters=o.waiters + 1), 1, None, None) if o.counter else (o, DONE, None, None)
    if micro == 1:
        return (replace(o, wg_sema=o.wg_sema - 1), 2, None, None) if o.wg_sema else None
    if o.counter or o.waiters:
        return "sync: WaitGroup is reused before previous Wait has returned"
    return o, DONE, None, None


def c_wait(o: Objects, micro: int, held: Any) -> Step:
    if micro == 0:
        return replace(o, wait=o.wait + 1), 1, None, o.wait
    if micro == 1:
        return (replace(o, m=False), 2, None, held) if o.m else "fatal error: sync: unlock of unlocked mutex"
    if micro == 2:
        return (o, 3, None, None) if held < o.notify else None
    return m_lock(o, 0, None)


def c_signal(o: Objects, micro: int, held: Any) -> Step:
    return replace(o, notify=min(o.notify + 1, o.wait)), DONE, None, None


def c_broadcast(o: Objects, micro: int, held: Any) -> Step:
    return replace(o, notify=o.wait), DONE, None, None


def once_do(o: Objects, micro: int, held: Any) -> Step:
    """Step 1, in between, is the function."""
    if micro == 0:
        if o.once:
            return o, DONE, None, None
        return None if o.once_m else (replace(o, once_m=True), 1, None, None)
    return replace(o, once=True, once_m=False), DONE, None, None


def n_add(o: Objects, micro: int, held: Any, delta: int) -> Step:
    return replace(o, n=o.n + delta), DONE, o.n + delta, None


def n_load(o: Objects, micro: int, held: Any) -> Step:
    return o, DONE, o.n, None


def n_cas(o: Objects, micro: int, held: Any, old: int, new: int) -> Step:
    return (replace(o, n=new), DONE, True, None) if o.n == old else (o, DONE, False, None)


STEPS: dict[str, Callable[..., Step]] = {
    "m.lock": m_lock, "m.unlock": m_unlock, "m.try_lock": m_try_lock,
    "rw.lock": rw_lock, "rw.unlock": rw_unlock, "rw.try_lock": rw_try_lock,
    "rw.rlock": rw_rlock, "rw.runlock": rw_runlock, "rw.try_rlock": rw_try_rlock,
    "wg.add": wg_add, "wg.wait": wg_wait,
    "c.wait": c_wait, "c.signal": c_signal, "c.broadcast": c_broadcast,
    "once.do": once_do,
    "n.add": n_add, "n.load": n_load, "n.cas": n_cas,
}  # fmt: skip

# The same program on goruntime.

HEADER = """
from goruntime import go, sync, atomic
from goruntime.runtime import gosched

class Shared:
    def __init__(self):
        self.cell = 0
        self.log = []
"""
OBJECTS = "m, rw, wg, c, once, n"


def source(program: SyncProgram) -> str:
    """Python code that defines main()."""
    text = HEADER
    for g, body in enumerate(program.goroutines):
        name, parameters = ("main", "") if g == 0 else (f"g{g}", f"shared, {OBJECTS}")
        text += f"\ndef {name}({parameters}):\n    x = None\n"
        if g == 0:
            text += "    shared = Shared()\n    m = sync.Mutex()\n    rw = sync.RWMutex()\n    wg = sync.WaitGroup()\n"
            text += "    c = sync.Cond(m)\n    once = sync.Once()\n    n = atomic.Int64()\n"
            text += f"    wg.counter = {program.count}\n"
        text += "    def f():\n        shared.cell += 1\n" if any(item[0] == "once.do" for item in body) else ""
        text += "".join(f"    {python(statement, g)}\n" for statement in body)
        if g == 0:
            text += "    return shared.cell, tuple(shared.log)\n"
    return text


def python(statement: tuple[Any, ...], g: int) -> str:
    match statement:
        case ("go", i):
            return f"go(g{i}, shared, {OBJECTS})"
        case ("gosched",):
            return "gosched()"
        case ("load",):
            return "x = shared.cell"
        case ("store",):
            return "shared.cell = (x if type(x) is int else 0) + 1"
        case ("log",):
            return f"shared.log.append(({g}, x))"
        case ("once.do",):
            return "once.do(f)"
        case ("n.cas", old, new):
            return f"x = n.compare_and_swap({old}, {new})"
        case (name, *arguments):
            sets = "x = " if name in ("m.try_lock", "rw.try_lock", "rw.try_rlock", "n.add", "n.load") else ""
            return f"{sets}{name}({', '.join(map(str, arguments))})"
    raise AssertionError(statement)
