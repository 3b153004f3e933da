"""The state machines of G and P, and the one door through which a state changes.

Goroutine states, by queue, owner and duty:

* IDLE: just made, in no list. Only newproc1 sees it.
* RUNNABLE: on exactly one run queue (runnext, a ring, the global queue) or in the hands of the M that took it. Runs no
  code. Whoever takes it must execute it or queue it again.
* RUNNING: on an M with a P, which owns it; the only state in which user code runs.
* SYSCALL: on an M that may have lost its P; runs no Python code of the user's in this host thread.
* WAITING: in no run queue; somebody (a channel, a timer, a semaphore, nobody) must `ready` it. `waitreason` is valid.
* DEAD: unused, in a free list, or just being ended by its own M.
* COPYSTACK: its stack is being moved; owned by who moves it. (Stacks come with the heap.)
* PREEMPTED: stopped for suspendG; the suspender makes it WAITING, then readies it.
* LEAKED: found unreachable by the leak collector; otherwise WAITING.
* DURABLE: WAITING in a synctest bubble for what only that can bring (sched/bubble.py), so that the bubble must be told
  when it is readied. Go reads this from the wait reason; here it is a state, which `ready` notices by the compare that
  it makes anyway.

Go: runtime/runtime2.go _Grunnable.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ..base.errors import throw

if TYPE_CHECKING:
    from .g import G
    from .p import P

IDLE, RUNNABLE, RUNNING, SYSCALL, WAITING = 0, 1, 2, 3, 4
DEAD, COPYSTACK, PREEMPTED, LEAKED, DURABLE = 6, 8, 9, 10, 11
STATUS_NAMES = {
    IDLE: "idle", RUNNABLE: "runnable", RUNNING: "running", SYSCALL: "syscall", WAITING: "waiting", DEAD: "dead",
    COPYSTACK: "copystack", PREEMPTED: "preempted", LEAKED: "leaked", DURABLE: "durable",
}  # fmt: skip

# P: since Go 1.26 there is no syscall state; whether a P is in a system call is read from its M's goroutine.
PIDLE, PRUNNING, PGCSTOP, PDEAD = 0, 1, 3, 4
PSTATUS_NAMES = {PIDLE: "idle", PRUNNING: "running", PGCSTOP: "gcstop", PDEAD: "dead"}

# Which door each edge is: (from, to) -> the function that makes the change.
G_EDGES = {
    (IDLE, DEAD): "newproc1: a fresh G enters allgs",
    (DEAD, RUNNABLE): "newproc1: the go statement",
    (RUNNABLE, RUNNING): "execute",
    (RUNNING, RUNNABLE): "gosched, preemption, exitsyscall without a P",
    (RUNNING, WAITING): "park, coroswitch",
    (WAITING, RUNNABLE): "ready, injectglist",
    (RUNNING, SYSCALL): "entersyscall",
    (SYSCALL, RUNNING): "exitsyscall",
    (RUNNING, DEAD): "goexit",
    (WAITING, RUNNING): "a park that its unlock function refused; stop-the-world ended; coroswitch",
    (DEAD, WAITING): "a system goroutine is born parked",
    (RUNNABLE, WAITING): "newcoro: in no queue yet, and will be switched to",
    (WAITING, DURABLE): "park, in a synctest bubble",
    (DURABLE, WAITING): "ready: its bubble is no longer idle",
}
P_EDGES = {
    (PIDLE, PRUNNING): "acquirep",
    (PRUNNING, PIDLE): "releasep",
    (PRUNNING, PGCSTOP): "stop-the-world reached it",
    (PIDLE, PGCSTOP): "stop-the-world took it idle",
    (PGCSTOP, PIDLE): "procresize",
    (PGCSTOP, PRUNNING): "procresize: the P of who started the world",
    (PGCSTOP, PDEAD): "procresize: GOMAXPROCS shrank",
    (PDEAD, PGCSTOP): "procresize: GOMAXPROCS grew",
}

# With GORUNTIME_DEBUG=1 every transition goes through the doors, which then know the legal edges and note those seen;
# without it the hot paths make theirs inline, with the same compare and throw.
DEBUG = os.environ.get("GORUNTIME_DEBUG", "0") not in ("", "0")
edges_seen: dict[tuple[str, int, int], int] = {}


def casgstatus(gp: G, old: int, new: int) -> None:
    """Change a goroutine's state from old to new; the only door.

    Go: runtime/proc.go casgstatus.
    """
    if gp.status != old:
        throw("casgstatus: bad incoming values")
    if DEBUG:
        _check_edge("G", G_EDGES, old, new)
    gp.status = new


def set_pstatus(pp: P, old: int, new: int) -> None:
    """Change a P's state from old to new; the only door."""
    if pp.status != old:
        throw("set_pstatus: bad incoming values")
    if DEBUG:
        _check_edge("P", P_EDGES, old, new)
    pp.status = new


def _check_edge(machine: str, edges: dict[tuple[int, int], str], old: int, new: int) -> None:
    if (old, new) not in edges:
        throw("status: transition that is not in the table")
    key = (machine, old, new)
    edges_seen[key] = edges_seen.get(key, 0) + 1
