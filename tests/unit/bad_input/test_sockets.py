"""Sockets at the bottom of the stack: a RecursionError strikes anywhere in an operation, and nothing is half done.

Either nothing has happened, and the operation can be repeated; or the run ends with Go's stack overflow. Whichever it
is, no descriptor stays open, and who waits on the other side is not forgotten.
"""

from __future__ import annotations

import pytest
from greenlet import getcurrent

from goruntime import FatalError, chan, go, net, os, run, time
from goruntime.sched.proc import check_goroutines
from goruntime.sched.runq import check_runq
from tests.model.invariants import doors
from tests.unit.bad_input.test_recursion import deepest, dive
from tests.unit.packages.sockets import HERE, fd_count, pair, started

DEEPEST_OPERATION = 60  # frames that one of them needs at most, and some more


def read():
    near, far = pair()
    near.write(b"hello")
    return lambda: far.read(5), lambda got: got == b"hello"


def read_that_waits():
    near, far = pair()
    go(lambda: (time.sleep(1e-3), near.write(b"hello")))
    return lambda: far.read(5), lambda got: got == b"hello"


def read_behind_another():
    near, far = pair()
    first = started(far.read, 1)
    go(lambda: (time.sleep(1e-3), near.write(b"ab")))
    return lambda: far.read(1), lambda got: got + first.recv() in (b"ab", b"ba")


def write():
    near, far = pair()
    return lambda: near.write(b"hello"), lambda count: count == 5 and far.read(9)[:5] == b"hello"


def write_that_waits():
    reader, writer = os.pipe()

    def take():
        got = 0
        while got < 100_000:
            got += len(reader.read(1 << 16))
        taken.send(True)

    taken = chan(1)
    go(lambda: (time.sleep(1e-3), take()))
    return lambda: writer.write(bytes(100_000)), lambda count: count == 100_000 and taken.recv()


def accept():
    listener = net.listen("tcp", HERE)
    near = net.dial("tcp", str(listener.addr()))
    return listener.accept, lambda far: far.write(b"x") == 1 and near.read(1) == b"x"


def close():
    near, far = pair()
    return near.close, lambda _: far.read(1) == b""


def close_under_a_reader():
    near, far = pair()
    reading = started(near.read, 1)
    return near.close, lambda _: "use of closed" in str(reading.recv()) and far.read(1) == b""


def set_deadline():
    near, far = pair()
    reading = started(near.read, 1)
    return lambda: near.set_deadline(time.now() + 1e-3), lambda _: isinstance(reading.recv(), TimeoutError) and far


def listen():
    return lambda: net.listen("tcp", HERE), lambda listener: listener.close() is None


def dial():
    listener = net.listen("tcp", HERE)
    address = str(listener.addr())
    return lambda: net.dial("tcp", address), lambda near: listener.accept().write(b"x") == 1 and near.read(1) == b"x"


def pipe():
    return os.pipe, lambda ends: ends[1].write(b"x") == 1 and ends[0].read(1) == b"x"


CASES = (
    read, read_that_waits, read_behind_another, write, write_that_waits, accept, close, close_under_a_reader, set_deadline,
    listen, dial, pipe,
)  # fmt: skip
CANNOT_BE_REPEATED = (write_that_waits, close, close_under_a_reader)  # after a part of it


def attempt(case, room, is_late):
    operation, is_right = case()

    def operate():
        if is_late:  # everybody else is due first, so that the operation gives way at its safepoint
            m = getcurrent().m
            m.clock += 200_000
            m.horizon = 0
        return operation()

    try:
        result = dive(deepest() - room, operate)
        outcome = "done"
    except RecursionError:
        result = None
        outcome = "raised"
    sched = getcurrent().m.sched
    check_runq(sched)
    check_goroutines(sched)
    if outcome == "raised":
        if case in CANNOT_BE_REPEATED:
            try:
                result = operation()
            except OSError:
                return outcome
        else:
            result = operation()
    assert is_right(result), (case.__name__, room, outcome)
    return outcome


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize(
    ("is_checked", "is_late", "gomaxprocs"), [(False, False, 1), (True, False, 1), (False, True, 4)]
)
def test_sweep(case, is_checked, is_late, gomaxprocs):
    deepest()
    before = fd_count()
    outcomes = []
    with doors(is_checked):
        for room in range(DEEPEST_OPERATION):
            try:
                outcomes.append(run(attempt, case, room, is_late, gomaxprocs=gomaxprocs, max_time=10))
            except FatalError as failure:
                assert "fatal error: stack overflow\n" in str(failure)
                outcomes.append("overflow")
            assert fd_count() == before, (room, outcomes[-1])
    assert outcomes[0] != "done"
    assert outcomes[-1] == "done"
