"""The operations at which a goroutine can be interrupted.

Each safepoint names its operation and the object it is about to touch, `(op, obj)`. The normal scheduler ignores both;
a controller (exploration) uses them: a goroutine whose pending operation would block is not offered, and two
operations can only matter to each other when their dependency class and object are the same.

To add one: append it here with its dependency class, give the object a `ready(op, g) -> bool`, and charge its cost.
"""

from __future__ import annotations

from typing import NamedTuple


class Operation(NamedTuple):
    """What the scheduler needs to know about one kind of safepoint."""

    name: str
    dependency: str  # operations of different classes, or on different objects, commute
    is_local: bool  # no choice: the goroutine goes on at once


OPERATIONS: list[Operation] = []


def _operation(name: str, dependency: str, is_local: bool = False) -> int:
    OPERATIONS.append(Operation(name, dependency, is_local))
    return len(OPERATIONS) - 1


OP_START = _operation("start", "start")
OP_EXIT = _operation("exit", "none", is_local=True)
OP_GO = _operation("go", "none", is_local=True)
OP_SEND = _operation("send", "chan")
OP_RECV = _operation("recv", "chan")
OP_CLOSE = _operation("close", "chan")
OP_LEN = _operation("len", "chan")
OP_SELECT = _operation("select", "chan")
OP_GOSCHED = _operation("gosched", "yield")
OP_SLEEP = _operation("sleep", "timer")
OP_TIMER = _operation("timer", "timer")
OP_WORK = _operation("work", "none", is_local=True)
OP_SYSCALL = _operation("syscall", "host")
OP_WRITE = _operation("write", "host")
OP_TIME = _operation("time", "none", is_local=True)
OP_THREAD = _operation("thread", "none", is_local=True)
OP_WORLD = _operation("world", "world")
OP_BLOCK = _operation("block", "none")  # blocks for ever: nil channel, select without cases
OP_PYTHON = _operation("python", "none", is_local=True)  # the preemption signal, between any two bytecodes
OP_WAKE = _operation("wake", "none")  # parked goroutine that was readied and goes on
OP_LOCK = _operation("lock", "sync")  # waits until it is free: Mutex, Once, the writers' side of RWMutex
OP_UNLOCK = _operation("unlock", "sync")
OP_TRY_LOCK = _operation("try_lock", "sync")  # of every kind: what never waits
OP_RLOCK = _operation("rlock", "sync")
OP_RUNLOCK = _operation("runlock", "sync")
OP_ANNOUNCE = _operation("announce", "sync")  # RWMutex.lock, inner point: tell the readers that a writer waits
OP_DRAIN = _operation("drain", "sync")  # RWMutex.lock: wait until the readers have gone
OP_ADD = _operation("add", "sync")  # WaitGroup.add, done
OP_RELEASE = _operation("release", "sync")  # WaitGroup.done, inner point: the count is 0, the waiters still wait
OP_WAIT = _operation("wait", "sync")  # WaitGroup.wait
OP_WAITED = _operation("waited", "sync")  # WaitGroup.wait, inner point: woken, about to look whether it was reused
OP_COND_WAIT = _operation("cond_wait", "sync")  # takes a ticket
OP_NOTIFY = _operation("notify", "sync")  # Cond.signal, broadcast
OP_ONCE = _operation("once", "sync")
OP_COROUTINE = _operation("coroutine", "none", is_local=True)
OP_BUBBLE = _operation("bubble", "world")  # wait; the root runs a timer of its bubble
OP_LOAD = _operation("load", "sync")  # of an atomic: what changes nothing
OP_ATOMIC = _operation("atomic", "sync")  # what may change it
OP_POOL = _operation("pool", "sync")
OP_MAP_LOAD = _operation("map_load", "sync")  # of a sync.Map: what changes nothing
OP_MAP_STORE = _operation("map_store", "sync")
OP_IO = _operation("io", "host")  # with a socket or pipe; two of them may be ends of one connection
OP_DERIVE = _operation("derive", "context")  # from a context: is it canceled, else become its child
OP_CANCEL = _operation("cancel", "context")  # a context; of each of its children, an inner point
OP_CONTEXT_ERR = _operation("context_err", "context")  # whether it is canceled
OP_MALLOC = _operation("malloc", "none", is_local=True)
OP_STORE = _operation("store", "memory")  # of a pointer, to a word of the emulated memory
OP_CRITICAL = _operation("critical", "sync")  # what a package does with a mutex of its own held, and does not block in

OP_NAMES = tuple(operation.name for operation in OPERATIONS)
OP_BITS = 6  # of a step's token: its operation

assert len(OPERATIONS) <= 1 << OP_BITS
