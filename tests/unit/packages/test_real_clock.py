"""clock="real": the kernel keeps pace with the wall clock. Waits are short here; a busy machine only adds."""

from __future__ import annotations

import os as host_os
import signal
import threading
import time as host_time

import pytest

from goruntime import chan, go, run, runtime, select, syscall, time
from goruntime.base.errors import Deadlock, Timeout

from .running import execute

SLACK = 1.0  # s that a busy machine may add


def stopwatch(main, **options):
    """(real seconds, value) of a run."""
    began = host_time.monotonic()
    value = run(main, clock="real", **options)
    return host_time.monotonic() - began, value


def test_sleeping_takes_real_time():
    def main():
        start = host_time.monotonic()
        time.sleep(0.02)
        return host_time.monotonic() - start

    assert 0.02 <= run(main, clock="real") < 0.02 + SLACK


def test_no_sleep_is_too_short():
    def main():
        shortest = []
        for d in (1e-6, 1e-4, 1e-3, 2.5e-3):
            start = host_time.monotonic()
            time.sleep(d)
            shortest.append(host_time.monotonic() - start - d)
        sum(range(300_000))  # computes without a safepoint: the clock has to catch up
        start = host_time.monotonic()
        time.sleep(5e-3)
        shortest.append(host_time.monotonic() - start - 5e-3)
        return shortest

    assert min(run(main, clock="real")) >= 0


def test_computing_takes_real_time():
    def main():
        done = chan()
        for _ in range(4):
            go(lambda: (runtime.work(0.03), done.send(True)))
        for _ in range(4):
            done.recv()

    took, _ = stopwatch(main, gomaxprocs=4)
    assert 0.03 <= took < 0.03 + SLACK
    assert stopwatch(main, gomaxprocs=1)[0] >= 0.12


def test_now_is_the_wall_clock():
    def main():
        found = []
        for _ in range(3):
            before = host_time.time()
            found.append(before - 1e-3 <= time.now() <= host_time.time() + 1e-3)
            sum(range(100_000))
            time.sleep(1e-3)
        return found

    assert run(main, clock="real") == [True] * 3


def test_time_never_runs_backwards():
    latest = 0

    def reader(done):
        nonlocal latest
        for _ in range(100):
            t = time.now().ns
            assert t >= latest
            latest = t
        done.send(True)

    def main():
        done = chan()
        for _ in range(4):
            go(reader, done)
        for _ in range(4):
            done.recv()

    run(main, clock="real", gomaxprocs=4)


def test_a_call_completes_when_it_completes(monkeypatch):
    def main():
        result = chan()
        start = host_time.monotonic()
        go(lambda: result.send(syscall(host_time.sleep, 0.05)))
        ticks, tk = 0, time.Ticker(0.01)
        while select(result.recv, tk.c.recv)[0] == 1:
            ticks += 1
        quick = host_time.monotonic()
        assert syscall(int, takes=3600) == 0
        return ticks, quick - start, host_time.monotonic() - quick

    finished = execute(monkeypatch, main, clock="real", gomaxprocs=1)
    ticks, took, quick = finished.value
    assert 1 <= ticks <= 5
    assert 0.05 <= took < 0.05 + SLACK
    assert quick < SLACK
    assert not finished.named("host_call_late")


def test_calls_run_at_once():
    def main():
        done = chan()
        for _ in range(10):
            go(lambda: done.send(syscall(host_time.sleep, 0.05)))
        for _ in range(10):
            done.recv()

    assert 0.05 <= stopwatch(main, gomaxprocs=2)[0] < 0.4


def test_many_computing_goroutines_all_get_on():
    """Whoever is continued gets a slice: behind the wall clock everybody is overdue all the time."""

    def main():
        done = chan()
        for _ in range(8):
            go(lambda: (runtime.work(0.02), done.send(True)))
        for _ in range(8):
            done.recv()

    took, _ = stopwatch(main, gomaxprocs=4, max_time=5)
    assert 0.04 <= took < 0.04 + SLACK


@pytest.mark.slow
def test_an_idle_program_uses_hardly_any_cpu():
    for main in (lambda: time.sleep(1), lambda: syscall(host_time.sleep, 1), lambda: runtime.work(1)):
        began = host_time.process_time()
        run(main, clock="real")
        assert host_time.process_time() - began < 0.1


def test_a_deadlock_is_reported_at_once():
    began = host_time.monotonic()
    with pytest.raises(Deadlock):
        run(lambda: chan().recv(), clock="real")
    assert host_time.monotonic() - began < SLACK


def test_max_time_is_real():
    began = host_time.monotonic()
    with pytest.raises(Timeout):
        run(time.sleep, 1000, clock="real", max_time=0.03)
    assert 0.03 <= host_time.monotonic() - began < 0.03 + SLACK


def block_in_a_call():
    reader, writer = host_os.pipe()
    try:
        syscall(host_os.read, reader, 1)
    finally:
        host_os.close(writer)
        host_time.sleep(0.01)
        host_os.close(reader)


@pytest.mark.skipif(not hasattr(signal, "SIGUSR1"), reason="needs POSIX signals")
@pytest.mark.parametrize(
    ("clock", "main"),
    [
        *(("real", lambda: time.sleep(1000)), ("real", lambda: runtime.work(1000))),
        *(("real", block_in_a_call), ("virtual", block_in_a_call)),
    ],
    ids=["sleep", "work", "call", "call-virtual"],
)
def test_ctrl_c_ends_every_wait(main, clock):
    pressed = []

    def press():
        host_time.sleep(0.05)
        pressed.append(host_time.monotonic())
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

    presser = threading.Thread(target=press)
    presser.start()
    with pytest.raises(KeyboardInterrupt):
        run(main, clock=clock)
    waited = host_time.monotonic() - pressed[0]
    presser.join()
    assert waited < 0.05 + SLACK / 4


def test_waits_are_announced(monkeypatch):
    """The signals' handlers and the watchdog look in while the kernel waits for the host."""
    from goruntime.sched.sched import Sched

    calls = []
    check = Sched.check_interrupt

    def look(self):
        calls.append(self.kernel.is_waiting)
        check(self)

    monkeypatch.setattr(Sched, "check_interrupt", look)
    run(lambda: time.sleep(0.05), clock="real")
    assert len(calls) >= 3
    assert all(calls)
