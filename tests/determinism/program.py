"""A program that uses everything that could go differently; run as a script, it prints its checksums.

python -m tests.determinism.program GOMAXPROCS SEED [QUANTUM_NS]
"""

from __future__ import annotations

from goruntime import chan, default, defer, func, go, recover, run, select
from goruntime.base.choose import SeededChooser
from goruntime.base.events import EventChecksum
from goruntime.lang.syscall import syscall
from goruntime.runtime import gomaxprocs, gosched, lock_os_thread, work
from goruntime.time import after, sleep

WORKERS = 6
JOBS = 40


def main() -> int:
    """Workers that compute, wait, select, call the system and die; a pipeline; timers; changes of GOMAXPROCS."""
    jobs: chan[int] = chan(3)
    results: chan[int] = chan()
    quits = [chan() for _ in range(3)]
    done: chan[bool] = chan(WORKERS)

    @func
    def worker(number: int) -> None:
        defer(lambda: (recover(), done.send(True)))
        if number == 1:
            lock_os_thread()
        for job in jobs:
            if job % 7 == number:
                sleep(job * 1e-6)
            if job % 11 == number:
                syscall(abs, job, takes=30e-6)
            work(job * 3e-6)
            if job % 5 == 0:
                gosched()
            results.send(job * job)
            if job == 33:
                raise ValueError("a worker dies")

    def ticking() -> None:
        while True:
            index, _ = select(*[quit_.recv for quit_ in quits], after(40e-6).recv)
            if index < len(quits):
                return

    for number in range(WORKERS):
        go(worker, number)
    go(ticking)
    go(ticking)

    def feed() -> None:
        for job in range(JOBS):
            jobs.send(job)
        jobs.close()

    go(feed)
    total = idle = 0
    for received in range(JOBS):
        index, value = select(results.recv, after(20e-6).recv)
        total += value if index == 0 else 0
        idle += index
        if received == JOBS // 2:
            spread(300)
            gomaxprocs(gomaxprocs() % 4 + 1)
    while len(done) < WORKERS:
        index, value = select(results.recv, default)
        total += value if index == 0 else 0
        if index:
            sleep(5e-6)
    quits[0].close()
    return total + idle


def spread(count: int) -> None:
    """So many goroutines at once that queues overflow and others steal."""
    finished: chan[None] = chan(count)

    def short(number: int) -> None:
        work(number % 3 * 1e-6)
        finished.send(None)

    for number in range(count):
        go(short, number)
    for _ in range(count):
        finished.recv()


class Sums:
    """Keeps only the sum and the number of a run's events."""

    def __init__(self) -> None:
        self.sum = EventChecksum()
        self.append = self.sum


def fingerprint(procs: int, seed: int, quantum_ns: int = 5_000) -> tuple[int, int, int, int]:
    """(what main returned, events, their checksum, the checksum of the choices) of one run."""
    chooser = SeededChooser(seed)
    sums = Sums()
    result = run(main, gomaxprocs=procs, strategy=chooser, quantum=quantum_ns / 1e9, events=sums)
    return result, sums.sum.count, sums.sum.value(), chooser.checksum()
