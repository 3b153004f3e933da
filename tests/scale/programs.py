"""The programs that tests/scale measures, each run as `python -m tests.scale.programs NAME ARGUMENTS`.

Each prints one line of JSON. Memory is resident memory, which the host has handed out in pages; time is CPU time.
"""

from __future__ import annotations

import gc
import json
import sys
import time
from typing import Any

import psutil

from goruntime import chan, go, nilchan, run, select
from goruntime.base.errors import Deadlock
from goruntime.runtime import gosched
from goruntime.sched.pool import MAX_POOLED_G, pool_of_this_thread
from goruntime.time import Timer, after, sleep

PROCESS = psutil.Process()


def resident() -> int:
    """Resident memory of this process, bytes."""
    return PROCESS.memory_info().rss


def parked(kind: str, count: str, gomaxprocs: str) -> dict[str, Any]:
    """So many goroutines that wait: what each weighs, and what is left when the run is over."""
    total = int(count)
    figures: dict[str, Any] = {}

    def main() -> None:
        ch, other, waiting = chan(), chan(), [0]

        def wait() -> None:
            waiting[0] += 1
            if kind == "select":
                select(ch.recv, other.recv)
            elif kind == "sleep":
                sleep(3_600)
            else:
                ch.recv()

        gosched()
        before = resident()
        began = time.process_time()
        for _ in range(total):
            go(wait)
        while waiting[0] < total:
            sleep(1e-3)
        figures["start_s"] = time.process_time() - began
        figures["bytes_each"] = (resident() - before) / total
        began = time.process_time()
        if kind != "sleep":
            ch.close()
        figures["wake_s"] = time.process_time() - began
        figures["ended_at"] = time.process_time()

    run(main, gomaxprocs=int(gomaxprocs))
    figures["end_s"] = time.process_time() - figures.pop("ended_at")
    gc.collect()
    figures["pooled"] = len(pool_of_this_thread().free_g)
    figures["pool_bound"] = MAX_POOLED_G
    return figures


def abandoned(count: str) -> dict[str, Any]:
    """So many goroutines that wait for ever when the program dies: how long taking them down takes, and what stays."""
    total = int(count)
    figures: dict[str, Any] = {}
    before = resident()

    def main() -> None:
        for _ in range(total):
            go(nilchan.recv)
        for _ in range(3):
            gosched()
        figures["full_bytes"] = resident() - before
        figures["ended_at"] = time.process_time()

    run(main, gomaxprocs=1)
    figures["end_s"] = time.process_time() - figures.pop("ended_at")
    gc.collect()
    figures["left_bytes"] = resident() - before
    figures["pooled"] = len(pool_of_this_thread().free_g)
    figures["pool_bound"] = MAX_POOLED_G
    return figures


def short(rounds: str, at_once: str, gomaxprocs: str) -> dict[str, Any]:
    """Many short goroutines, so many at a time: how much memory grows after the first rounds."""
    figures: dict[str, Any] = {}

    def main() -> None:
        done = chan(int(at_once))
        sizes = []
        began = time.process_time()
        for number in range(int(rounds)):
            for _ in range(int(at_once)):
                go(done.send, None)
            for _ in range(int(at_once)):
                done.recv()
            if number == int(rounds) // 10:
                sizes.append(resident())
        sizes.append(resident())
        figures["cpu_s"] = time.process_time() - began
        figures["grown_bytes"] = sizes[1] - sizes[0]

    run(main, gomaxprocs=int(gomaxprocs))
    return figures


def chain(length: str, gomaxprocs: str) -> dict[str, Any]:
    """Each goroutine is started by the one before it."""
    figures: dict[str, Any] = {}

    def main() -> None:
        done = chan()

        def link(left: int) -> None:
            if left:
                go(link, left - 1)
            else:
                done.send(None)

        before = resident()
        began = time.process_time()
        go(link, int(length))
        done.recv()
        figures["cpu_s"] = time.process_time() - began
        figures["grown_bytes"] = resident() - before

    run(main, gomaxprocs=int(gomaxprocs))
    return figures


def nested(length: str, gomaxprocs: str) -> dict[str, Any]:
    """Each goroutine starts the next and waits for it: all of them are there at once."""
    figures: dict[str, Any] = {}

    def main() -> None:
        def link(left: int, up: Any) -> None:
            below = chan()
            if left:
                go(link, left - 1, below)
                up.send(below.recv() + 1)
            else:
                up.send(1)

        top = chan()
        began = time.process_time()
        go(link, int(length) - 1, top)
        figures["reached"] = top.recv()
        figures["cpu_s"] = time.process_time() - began

    run(main, gomaxprocs=int(gomaxprocs))
    return figures


def pending(count: str) -> dict[str, Any]:
    """So many timers that are pending, half of them stopped again, and all others fired."""
    total = int(count)
    figures: dict[str, Any] = {}

    def main() -> None:
        fired = chan(total)
        before = resident()
        began = time.process_time()
        timers = [Timer(1 + number % 1_000 * 1e-3) for number in range(total)]
        figures["arm_s"] = time.process_time() - began
        figures["bytes_each"] = (resident() - before) / total
        began = time.process_time()
        for timer in timers[::2]:
            assert timer.stop()
        figures["stop_s"] = time.process_time() - began

        def wait(timer: Timer) -> None:
            timer.c.recv()
            fired.send(None)

        began = time.process_time()
        for timer in timers[1::2]:
            go(wait, timer)
        for _ in range(total // 2):
            fired.recv()
        figures["fire_s"] = time.process_time() - began

    run(main, gomaxprocs=2)
    return figures


def sleepers(count: str) -> dict[str, Any]:
    """So many goroutines asleep at once."""
    total = int(count)
    figures: dict[str, Any] = {"woken": 0}

    def main() -> None:
        done = chan()

        def one(number: int) -> None:
            sleep(1 + number * 1e-6)
            figures["woken"] += 1
            if figures["woken"] == total:
                done.send(None)

        began = time.process_time()
        for number in range(total):
            go(one, number)
        done.recv()
        figures["cpu_s"] = time.process_time() - began

    run(main, gomaxprocs=1)
    return figures


def dying(rounds: str) -> dict[str, Any]:
    """Runs that end in a deadlock with goroutines and timers left behind: how much memory grows."""
    sizes = []
    for number in range(int(rounds)):

        def main() -> None:
            for _ in range(50):
                go(select, after(1e-3).recv, nilchan.recv)
                go(nilchan.recv)
            nilchan.recv()

        try:
            run(main, gomaxprocs=3)
        except Deadlock:
            pass
        if number == int(rounds) // 4:
            gc.collect()
            sizes.append(resident())
    gc.collect()
    return {"grown_bytes": resident() - sizes[0]}


if __name__ == "__main__":
    print(json.dumps(globals()[sys.argv[1]](*sys.argv[2:])))
