"""Many goroutines: the memory of 100,000 parked ones, of a million short ones, a chain of 100,000, and 100,000 timers.

Memory is the growth of the process's resident set, each round in a fresh process.
"""

from __future__ import annotations

import asyncio
from time import perf_counter

from harness import Bound, Case, Measure, Variant

MEGABYTE = 1 << 20
WARM_UP = 20_000
BATCH = 1000


def resident() -> int:
    """Return the bytes of this process that are in memory."""
    import psutil

    return int(psutil.Process().memory_info().rss)


def goruntime_parked(procs: int) -> Measure:
    """Return the memory of one goroutine that waits for a receive."""

    def measure(items: int) -> float:
        from goruntime import chan, go, run, runtime

        begun = 0

        def main() -> int:
            never: chan[None] = chan()

            def wait() -> None:
                nonlocal begun
                begun += 1
                never.recv()

            before = resident()
            for _ in range(items):
                go(wait)
            while begun < items:
                runtime.gosched()
            return resident() - before

        return float(run(main, gomaxprocs=procs)) / items

    return measure


def gevent_parked(items: int) -> float:
    """Return the memory of one greenlet that waits for an event."""
    import gevent
    from gevent.event import Event

    never = Event()
    before = resident()
    waiting = [gevent.spawn(never.wait) for _ in range(items)]
    gevent.sleep(0)
    gevent.sleep(0)
    grown = resident() - before
    never.set()
    gevent.joinall(waiting)
    return grown / items


def asyncio_parked(items: int) -> float:
    """Return the memory of one task that waits for an event."""

    async def main() -> float:
        never = asyncio.Event()
        before = resident()
        waiting = [asyncio.create_task(never.wait()) for _ in range(items)]
        await asyncio.sleep(0)
        grown = resident() - before
        never.set()
        for task in waiting:
            await task
        return grown / items

    return asyncio.run(main())


def goruntime_short(items: int) -> float:
    """Return how much memory grows over ``items`` goroutines, 1,000 at a time, after a warm-up."""
    from goruntime import chan, go, run

    left = 0

    def main() -> int:
        done: chan[None] = chan(1)

        def task() -> None:
            nonlocal left
            left -= 1
            if not left:
                done.send(None)

        def churn(count: int) -> None:
            nonlocal left
            for _ in range(0, count, BATCH):
                left = BATCH
                for _ in range(BATCH):
                    go(task)
                done.recv()

        churn(WARM_UP)
        before = resident()
        churn(items)
        return max(0, resident() - before)

    return float(run(main))


def goruntime_chain(items: int) -> float:
    """Return the seconds of one link of a chain in which each goroutine starts the next."""
    from goruntime import chan, go, run

    def main() -> float:
        done: chan[None] = chan()

        def link(left: int) -> None:
            if left:
                go(link, left - 1)
            else:
                done.send(None)

        start = perf_counter()
        go(link, items)
        done.recv()
        return perf_counter() - start

    return float(run(main)) / items


def asyncio_chain(items: int) -> float:
    """Do the same with tasks."""

    async def main() -> float:
        done = asyncio.Event()
        tasks: set[asyncio.Task[None]] = set()

        async def link(left: int) -> None:
            if left:
                task = asyncio.create_task(link(left - 1))
                tasks.add(task)
                task.add_done_callback(tasks.discard)
            else:
                done.set()

        start = perf_counter()
        await link(items)
        await done.wait()
        return perf_counter() - start

    return asyncio.run(main()) / items


def goruntime_timers(items: int) -> float:
    """Return the seconds of one timer among ``items``: made, pending with all others, fired."""
    from goruntime import run, time

    fired = 0

    def main() -> float:
        def fire() -> None:
            nonlocal fired
            fired += 1

        start = perf_counter()
        for number in range(items):
            time.after_func(1 + (number * 7919 % items) * 1e-6, fire)
        while fired < items:
            time.sleep(1)
        return perf_counter() - start

    return float(run(main)) / items


CASES = (
    Case(
        name="parked",
        title="100,000 parked",
        unit="B",
        variants=(
            Variant("goruntime p=1", goruntime_parked(1), 100_000),
            Variant("goruntime p=4", goruntime_parked(4), 100_000),
            Variant("gevent", gevent_parked, 100_000),
            Variant("asyncio", asyncio_parked, 100_000),
        ),
        bounds=(Bound("goruntime p=1", 10 * 1024), Bound("goruntime p=4", 10 * 1024)),
        note="resident memory of each",
        fresh=True,
    ),
    Case(
        name="million",
        title="1,000,000 short ones",
        unit="B",
        variants=(Variant("goruntime", goruntime_short, 1_000_000),),
        bounds=(Bound("goruntime", 2 * MEGABYTE),),
        note="growth of resident memory over all of them, 1,000 at a time",
        fresh=True,
    ),
    Case(
        name="chain",
        title="chain of 100,000",
        unit="s",
        variants=(
            Variant("goruntime", goruntime_chain, 100_000),
            Variant("asyncio", asyncio_chain, 100_000),
        ),
        note="each started by the last",
    ),
    Case(
        name="timers",
        title="100,000 pending timers",
        unit="s",
        variants=(Variant("goruntime", goruntime_timers, 100_000),),
        note="made, pending together, fired",
    ),
)
