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
BATCH = 100


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


def goruntime_rwmutex(items: int) -> float:
    """The readers' side of an RWMutex."""
    from goruntime import run
    from goruntime.sync import RWMutex

    def main() -> float:
        rw = RWMutex()
        return uncontended(rw.rlock, rw.runlock, items)

    return float(run(main, gomaxprocs=1))


def goruntime_waitgroup(items: int) -> float:
    """Add one and be done, while another task keeps the group busy."""
    from goruntime import run
    from goruntime.sync import WaitGroup

    def main() -> float:
        wg = WaitGroup()
        wg.add(1)
        return uncontended(lambda: wg.add(1), wg.done, items)

    return float(run(main, gomaxprocs=1))


def goruntime_atomic(items: int) -> float:
    """Add to an Int64."""
    from goruntime import run
    from goruntime.atomic import Int64

    def main() -> float:
        word = Int64()
        start = perf_counter()
        for _ in range(items):
            word.add(1)
        return (perf_counter() - start) / items

    return float(run(main, gomaxprocs=1))


def goruntime_tasks(items: int) -> float:
    """Start tasks with WaitGroup.go, a batch at a time, and wait for them."""
    from goruntime import run
    from goruntime.sync import WaitGroup

    def main() -> float:
        wg = WaitGroup()
        start = perf_counter()
        for _ in range(items // BATCH):
            for _ in range(BATCH):
                wg.go(int)
            wg.wait()
        return (perf_counter() - start) / items

    return float(run(main, gomaxprocs=1))


def gevent_tasks(items: int) -> float:
    """Spawn into a gevent Group, a batch at a time, and join it."""
    from gevent.pool import Group

    group = Group()
    start = perf_counter()
    for _ in range(items // BATCH):
        for _ in range(BATCH):
            group.spawn(int)
        group.join()
    return (perf_counter() - start) / items


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
        name="rwmutex",
        title="rlock + runlock",
        unit="s",
        variants=(
            Variant("goruntime", goruntime_rwmutex, 300_000),
            Variant("gevent", gevent_uncontended, 300_000),
        ),
        bounds=(Bound("goruntime", 3.0, "gevent"),),
        note="gevent has none: Semaphore(1)",
    ),
    Case(
        name="waitgroup",
        title="WaitGroup add + done",
        unit="s",
        variants=(Variant("goruntime", goruntime_waitgroup, 200_000),),
    ),
    Case(name="atomic", title="atomic add", unit="s", variants=(Variant("goruntime", goruntime_atomic, 300_000),)),
    Case(
        name="task",
        title="tasks of a group",
        unit="s",
        variants=(Variant("goruntime", goruntime_tasks, 20_000), Variant("gevent", gevent_tasks, 20_000)),
        bounds=(Bound("goruntime", 1.0, "gevent"),),
        note="WaitGroup.go; gevent.pool.Group; a hundred at a time",
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
