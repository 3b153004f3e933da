"""Small programs, right and wrong, each with one way to fail."""

from __future__ import annotations

from typing import Any

from goruntime import chan, go, os, panic, runtime, select, time


def add(cell: list[int], done: Any) -> None:
    seen = cell[0]
    runtime.gosched()
    cell[0] = seen + 1
    done.send(None)


def lost_update() -> int:
    """Returns 2, or 1 when an update is lost."""
    cell, done = [0], chan()
    go(add, cell, done)
    go(add, cell, done)
    done.recv()
    done.recv()
    return cell[0]


def asserts_no_loss() -> None:
    assert lost_update() == 2, "an update was lost"


def locked_add(cell: list[int], lock: Any, done: Any) -> None:
    lock.send(None)
    seen = cell[0]
    runtime.gosched()
    cell[0] = seen + 1
    lock.recv()
    done.send(None)


def locked_update() -> int:
    """Returns 2."""
    cell, lock, done = [0], chan(1), chan()
    go(locked_add, cell, lock, done)
    go(locked_add, cell, lock, done)
    done.recv()
    done.recv()
    return cell[0]


def take_both(first: Any, second: Any, done: Any) -> None:
    first.send(None)
    second.send(None)
    second.recv()
    first.recv()
    done.send(None)


def ab_ba() -> None:
    """Deadlocks when each has one of the two locks."""
    a, b, done = chan(1), chan(1), chan()
    go(take_both, a, b, done)
    go(take_both, b, a, done)
    done.recv()
    done.recv()


def closes(ch: Any) -> None:
    ch.close()


def sends_on_closed() -> None:
    """Panics when the other goroutine is faster."""
    ch = chan(1)
    go(closes, ch)
    ch.send(1)


def answers(ch: Any) -> None:
    time.sleep(1)
    ch.send("answer")


def leaks_the_late_answer() -> int:
    """Leaks the goroutine when the time-out is faster."""
    ch = chan()
    go(answers, ch)
    index, _ = select(ch.recv, time.after(1).recv)
    return index


def gives_up(code: int) -> None:
    os.exit(code)


def exits() -> None:
    """Exit status 3, unless main is faster."""
    go(gives_up, 3)
    runtime.gosched()


def spins(flag: list[bool]) -> None:
    while not flag[0]:
        runtime.gosched()


def never_ends() -> None:
    spins([False])


def overflows() -> None:
    """A fatal error when the other goroutine has set the cell."""
    cell = [0]
    go(sets, cell)
    runtime.gosched()
    if cell[0]:
        dives()


def sets(cell: list[int]) -> None:
    cell[0] = 1


def dives() -> None:
    dives()


def panics_in_a_goroutine() -> None:
    done = chan()
    go(panics, done)
    done.recv()


def panics(done: Any) -> None:
    done.send(None)
    panic("after the send")


FAILING = {
    "deadlock": ab_ba,
    "panic": sends_on_closed,
    "assertion": asserts_no_loss,
    "leak": leaks_the_late_answer,
    "exit": exits,
    "fatal error": overflows,
}
