"""A thousand runs that die in ten different ways leave nothing behind."""

import gc
import os
import threading
import time as host_time

import psutil
import pytest

from goruntime import chan, defer, func, go, nilchan, panic, recover, run, runtime, select, syscall, time
from goruntime import os as goos
from goruntime.sched.g import G, SystemG
from goruntime.sched.m import M
from goruntime.sched.p import P
from goruntime.sched.pool import G0, MAX_POOLED_G, MAX_POOLED_G0
from goruntime.sched.sched import Sched
from tests.model.invariants import doors


def generator(ch):
    try:
        yield ch.recv()
    finally:
        ch.send(1)


def leave_goroutines_behind(folder):
    """One of every kind."""
    ch = chan()

    def yields():
        while True:
            time.sleep(0.0003)
            runtime.gosched()

    def opens_a_file():
        with open(folder / "left", "w"):
            ch.recv()

    def swallows():
        for _ in range(3):
            try:
                ch.recv()
            except BaseException:
                pass

    @func
    def defers():
        defer(print, "never")
        ch.recv()

    for wait in (ch.recv, nilchan.recv, yields, opens_a_file, swallows, defers, select):
        go(wait)
    go(lambda: list(generator(ch)))
    go(lambda: select(ch.recv, (ch.send, 1)))
    go(lambda: syscall(int, "5"))
    go(time.sleep, 1000)
    time.after(50)
    time.after_func(50, print)
    time.sleep(0.0002)
    go(print, "never")


def returns(folder):
    leave_goroutines_behind(folder)


def panics(folder):
    leave_goroutines_behind(folder)
    panic("x")


def panics_in_a_goroutine(folder):
    leave_goroutines_behind(folder)
    go(panic, [0] * 1000)
    select()


def panics_while_panicking(folder):
    leave_goroutines_behind(folder)
    defer(panic, 2)
    defer(lambda: (recover(), panic(3)))
    raise ValueError


def deadlocks(folder):
    ch = chan()
    go(ch.recv)
    ch.recv()


def exits_main(folder):
    runtime.goexit()


def overflows(folder):
    leave_goroutines_behind(folder)

    def inner():
        inner()

    inner()


def overflows_in_a_primitive(folder):
    ch = chan()
    go(lambda: list(ch))

    def inner():
        ch.send(1)
        inner()

    inner()


def exits(folder):
    leave_goroutines_behind(folder)
    goos.exit(3)


def is_interrupted(folder):
    leave_goroutines_behind(folder)
    raise KeyboardInterrupt


def takes_too_long(folder):
    leave_goroutines_behind(folder)
    while True:
        time.sleep(0.001)


def takes_too_many_steps(folder):
    leave_goroutines_behind(folder)
    while True:
        runtime.gosched()


WAYS = {
    returns: ("", {}),
    panics: ("GoPanic", {}),
    panics_in_a_goroutine: ("GoPanic", {}),
    panics_while_panicking: ("GoPanic", {}),
    deadlocks: ("Deadlock", {}),
    exits_main: ("Deadlock", {}),
    overflows: ("FatalError", {}),
    overflows_in_a_primitive: ("FatalError", {}),
    exits: ("SystemExit", {}),
    is_interrupted: ("KeyboardInterrupt", {}),
    takes_too_long: ("Timeout", {"max_time": 0.01}),
    takes_too_many_steps: ("Timeout", {"max_steps": 300}),
}


def die(number, folder):
    way, (ending, config) = list(WAYS.items())[number % len(WAYS)]
    try:
        run(way, folder, gomaxprocs=1 + number // len(WAYS) % 4, seed=number, **config)
        ended = ""
    except BaseException as error:
        ended = type(error).__name__
    assert ended == ending


def census():
    gc.collect()
    kinds = [type(each) for each in gc.get_objects()]
    return {kind.__name__: kinds.count(kind) for kind in (G, G0, SystemG, Sched, M, P, chan)}


class Machine:
    """What the process holds of the host."""

    def __init__(self):
        self.process = psutil.Process()

    def threads(self):
        for _ in range(100):  # a thread that has ended its work takes a moment to go
            if self.process.num_threads() <= 1 + len(threading.enumerate()):
                break
            host_time.sleep(0.01)
        return sorted(thread.name for thread in threading.enumerate())

    def files(self):
        return self.process.num_fds() if os.name == "posix" else len(self.process.open_files())

    def resident(self):
        gc.collect()
        return self.process.memory_info().rss


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_each_way_ends_as_it_should(way, tmp_path):
    for is_checked in (True, False):
        with doors(is_checked):
            for number in range(4):
                die(list(WAYS).index(way) + number * len(WAYS), tmp_path)


@pytest.mark.slow
def test_a_thousand_deaths(tmp_path):
    machine = Machine()
    with doors(False):
        for number in range(240):
            die(number, tmp_path)
        threads, files, counts = machine.threads(), machine.files(), census()
        resident = [machine.resident()]
        for number in range(1000):
            die(number, tmp_path)
            if number % 100 == 99:
                resident.append(machine.resident())
    assert machine.threads() == threads
    assert machine.files() == files
    after = census()
    for kind in ("Sched", "M", "P", "chan"):
        assert after[kind] <= counts[kind], (counts, after)
    assert after["G"] <= max(counts["G"], MAX_POOLED_G + 1)
    assert after["G0"] <= max(counts["G0"], MAX_POOLED_G0)
    assert after["SystemG"] <= max(counts["SystemG"], 64)
    # Flat: not more at the end than at some time in the first half, but for the noise of the allocator.
    assert min(resident[-3:]) <= max(resident[:6]) + (1 << 20), resident
