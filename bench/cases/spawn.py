"""Start a task that does nothing and see it finish, 1,000 at a time.

goruntime counts down and the last goroutine sends on a channel; the others have handles and join them. The bare
greenlet is made, run to its end and dropped.
"""

from __future__ import annotations

import asyncio
from time import perf_counter

from harness import Bound, Case, Measure, Variant

BATCH = 1000


def goruntime(procs: int) -> Measure:
    """Return the goruntime variant with ``procs`` Ps."""

    def measure(items: int) -> float:
        from goruntime import chan, go, run

        left = 0

        def main() -> float:
            nonlocal left
            done: chan[None] = chan(1)

            def task() -> None:
                nonlocal left
                left -= 1
                if not left:
                    done.send(None)

            start = perf_counter()
            for _ in range(0, items, BATCH):
                left = BATCH
                for _ in range(BATCH):
                    go(task)
                done.recv()
            return perf_counter() - start

        return float(run(main, gomaxprocs=procs)) / items

    return measure


def nothing() -> None:
    """Be a task."""


async def nothing_async() -> None:
    """Be a task of asyncio."""


def with_gevent(items: int) -> float:
    """Spawn and join."""
    import gevent

    start = perf_counter()
    for _ in range(0, items, BATCH):
        for task in [gevent.spawn(nothing) for _ in range(BATCH)]:
            task.join()
    return (perf_counter() - start) / items


def with_asyncio(items: int) -> float:
    """Create tasks and await one after the other: the quickest way."""

    async def main() -> float:
        start = perf_counter()
        for _ in range(0, items, BATCH):
            for task in [asyncio.create_task(nothing_async()) for _ in range(BATCH)]:
                await task
        return perf_counter() - start

    return asyncio.run(main()) / items


def with_gather(items: int) -> float:
    """Create tasks and gather them: the usual way."""

    async def main() -> float:
        start = perf_counter()
        for _ in range(0, items, BATCH):
            await asyncio.gather(*[asyncio.create_task(nothing_async()) for _ in range(BATCH)])
        return perf_counter() - start

    return asyncio.run(main()) / items


def with_goless(items: int) -> float:
    """Count down as goruntime does: goless has no handles either."""
    import goless

    done = goless.chan(1)
    left = 0

    def task() -> None:
        nonlocal left
        left -= 1
        if not left:
            done.send(None)

    start = perf_counter()
    for _ in range(0, items, BATCH):
        left = BATCH
        for _ in range(BATCH):
            goless.go(task)
        done.recv()
    return (perf_counter() - start) / items


def with_greenlet(items: int) -> float:
    """Make a greenlet, run it to its end, drop it."""
    from greenlet import greenlet

    start = perf_counter()
    for _ in range(items):
        greenlet(nothing).switch()
    return (perf_counter() - start) / items


CASES = (
    Case(
        name="spawn",
        title="spawn and finish",
        unit="s",
        variants=(
            Variant("goruntime p=1", goruntime(1), 50_000),
            Variant("goruntime p=4", goruntime(4), 50_000),
            Variant("gevent", with_gevent, 20_000),
            Variant("asyncio", with_asyncio, 50_000),
            Variant("asyncio gather", with_gather, 50_000),
            Variant("goless", with_goless, 20_000),
            Variant("greenlet", with_greenlet, 20_000),
        ),
        bounds=tuple(
            Bound(f"goruntime p={procs}", limit, against)
            for procs in (1, 4)
            for limit, against in ((0.2, "gevent"), (0.6, "asyncio"))
        ),
        note="1,000 at a time; greenlet: made, run and dropped one by one",
    ),
)
