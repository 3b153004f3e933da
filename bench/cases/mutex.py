"""Locks: nobody else wants it; two pass it to one another; four fight for one.

*Uncontended* is a lock and an unlock. *Hand-off* is two locks by which two goroutines let one another go, as with
semaphores: each lock waits, each unlock wakes the other one. *Contended* is four goroutines that
lock, yield, unlock and yield, so that whoever comes finds it taken: one item has two yields in it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import perf_counter
from typing import Any

from harness import Bound, Case, Measure, Variant

FIGHTERS = 4


def uncontended(lock: Callable[[], Any], unlock: Callable[[], Any], items: int) -> float:
    """Lock and unlock in turn."""
    start = perf_counter()
    for _ in range(items):
        lock()
        unlock()
    return (perf_counter() - start) / items


def goruntime_uncontended(items: int) -> float:
    """A Mutex."""
    from goruntime import run
    from goruntime.sync import Mutex

    def main() -> float:
        mu = Mutex()
        return uncontended(mu.lock, mu.unlock, items)

    return float(run(main, gomaxprocs=1))


def gevent_uncontended(items: int) -> float:
    """gevent's semaphore, compiled to C."""
    from gevent.lock import Semaphore

    semaphore = Semaphore(1)
    return uncontended(semaphore.acquire, semaphore.release, items)


def asyncio_uncontended(items: int) -> float:
    """asyncio's lock."""

    async def main() -> float:
        lock = asyncio.Lock()
        start = perf_counter()
        for _ in range(items):
            await lock.acquire()
            lock.release()
        return perf_counter() - start

    return asyncio.run(main()) / items


def goruntime_handoff(procs: int) -> Measure:
    """Return the variant with ``procs`` Ps: two Mutexes, both locked, each unlocked by the other side."""

    def measure(items: int) -> float:
        from goruntime import go, run
        from goruntime.sync import Mutex

        def main() -> float:
            ping, pong = Mutex(), Mutex()
            ping.lock()
            pong.lock()

            def other() -> None:
                for _ in range(items // 2):
                    ping.lock()
                    pong.unlock()

            go(other)
            start = perf_counter()
            for _ in range(items // 2):
                ping.unlock()
                pong.lock()
            return perf_counter() - start

        return float(run(main, gomaxprocs=procs)) / items

    return measure


def gevent_handoff(items: int) -> float:
    """Two semaphores that stand at 0."""
    import gevent
    from gevent.lock import Semaphore

    ping, pong = Semaphore(0), Semaphore(0)

    def other() -> None:
        for _ in range(items // 2):
            ping.acquire()
            pong.release()

    gevent.spawn(other)
    start = perf_counter()
    for _ in range(items // 2):
        ping.release()
        pong.acquire()
    return (perf_counter() - start) / items


def asyncio_handoff(items: int) -> float:
    """Two semaphores that stand at 0."""

    async def main() -> float:
        ping, pong = asyncio.Semaphore(0), asyncio.Semaphore(0)

        async def other() -> None:
            for _ in range(items // 2):
                await ping.acquire()
                pong.release()

        task = asyncio.create_task(other())
        start = perf_counter()
        for _ in range(items // 2):
            ping.release()
            await pong.acquire()
        took = perf_counter() - start
        await task
        return took

    return asyncio.run(main()) / items


def goruntime_contended(procs: int) -> Measure:
    """Return the variant with ``procs`` Ps."""

    def measure(items: int) -> float:
        from goruntime import run
        from goruntime.runtime import gosched
        from goruntime.sync import Mutex, WaitGroup

        def main() -> float:
            mu, wg = Mutex(), WaitGroup()

            def fight() -> None:
                for _ in range(items // FIGHTERS):
                    mu.lock()
                    gosched()
                    mu.unlock()
                    gosched()

            start = perf_counter()
            for _ in range(FIGHTERS):
                wg.go(fight)
            wg.wait()
            return perf_counter() - start

        return float(run(main, gomaxprocs=procs)) / items

    return measure


def gevent_contended(items: int) -> float:
    """The same with a semaphore and sleep(0)."""
    import gevent
    from gevent.lock import Semaphore

    semaphore = Semaphore(1)

    def fight() -> None:
        for _ in range(items // FIGHTERS):
            semaphore.acquire()
            gevent.sleep(0)
            semaphore.release()
            gevent.sleep(0)

    start = perf_counter()
    gevent.joinall([gevent.spawn(fight) for _ in range(FIGHTERS)])
    return (perf_counter() - start) / items


def asyncio_contended(items: int) -> float:
    """The same with asyncio's lock and sleep(0)."""

    async def main() -> float:
        lock = asyncio.Lock()

        async def fight() -> None:
            for _ in range(items // FIGHTERS):
                async with lock:
                    await asyncio.sleep(0)
                await asyncio.sleep(0)

        start = perf_counter()
        await asyncio.gather(*[fight() for _ in range(FIGHTERS)])
        return perf_counter() - start

    return asyncio.run(main()) / items


CASES = (
    Case(
        name="mutex",
        title="lock + unlock, uncontended",
        unit="s",
        variants=(
            Variant("goruntime", goruntime_uncontended, 300_000),
            Variant("gevent", gevent_uncontended, 300_000),
            Variant("asyncio", asyncio_uncontended, 100_000),
        ),
        bounds=(Bound("goruntime", 3.0, "gevent"),),
        note="gevent: Semaphore(1), compiled to C",
    ),
    Case(
        name="mutex_handoff",
        title="lock, handed to and fro",
        unit="s",
        variants=(
            Variant("goruntime p=1", goruntime_handoff(1), 100_000),
            Variant("goruntime p=4", goruntime_handoff(4), 100_000),
            Variant("gevent", gevent_handoff, 100_000),
            Variant("asyncio", asyncio_handoff, 50_000),
        ),
        bounds=(Bound("goruntime p=1", 1.0, "gevent"), Bound("goruntime p=4", 1.0, "gevent")),
        note="one item: a lock that waits, and the unlock that wakes it",
    ),
    Case(
        name="mutex_contended",
        title="lock, four want it",
        unit="s",
        variants=(
            Variant("goruntime p=1", goruntime_contended(1), 40_000),
            Variant("goruntime p=4", goruntime_contended(4), 40_000),
            Variant("gevent", gevent_contended, 40_000),
            Variant("asyncio", asyncio_contended, 20_000),
        ),
        bounds=(Bound("goruntime p=1", 1.0, "gevent"), Bound("goruntime p=4", 1.0, "gevent")),
        note="one item: lock, yield, unlock, yield; with four Ps they spin, and run at once",
    ),
)
