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

OP_NAMES = tuple(operation.name for operation in OPERATIONS)
