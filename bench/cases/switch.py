"""Give way: ten tasks that yield in a ring. What sleeps is in timers.py."""

from __future__ import annotations

import asyncio
from time import perf_counter

from harness import Bound, Case, Measure, Variant

RING = 10


def goruntime_yield(procs: int) -> Measure:
    """Return the ring on goruntime with ``procs`` Ps."""

    def measure(items: int) -> float:
        from goruntime import chan, go, run, runtime

        def main() -> float:
            done: chan[None] = chan()

            def turn() -> None:
                for _ in range(items // RING):
                    runtime.gosched()
                done.send(None)

            for _ in range(RING):
                go(turn)
            start = perf_counter()
            for _ in range(RING):
                done.recv()
            return perf_counter() - start

        return float(run(main, gomaxprocs=procs)) / items

    return measure


def gevent_yield(items: int) -> float:
    """The ring on gevent."""
    import gevent

    def turn() -> None:
        for _ in range(items // RING):
            gevent.sleep(0)

    members = [gevent.spawn(turn) for _ in range(RING)]
    start = perf_counter()
    gevent.joinall(members)
    return (perf_counter() - start) / items


def asyncio_yield(items: int) -> float:
    """The ring on asyncio."""

    async def main() -> float:
        async def turn() -> None:
            for _ in range(items // RING):
                await asyncio.sleep(0)

        members = [asyncio.create_task(turn()) for _ in range(RING)]
        start = perf_counter()
        for each in members:
            await each
        return (perf_counter() - start) / items

    return asyncio.run(main())


def greenlet_ring(items: int) -> float:
    """Switch round a ring of greenlets, each straight to the next; the main one is a member."""
    from greenlet import getcurrent, greenlet

    def member(following: greenlet) -> None:
        while True:
            following.switch()

    following = getcurrent()
    for _ in range(RING - 1):
        earlier = greenlet(member)
        earlier.switch(following)  # runs until it has switched on; the ring is entered here
        following = earlier
    start = perf_counter()
    for _ in range(items // RING):
        following.switch()
    return (perf_counter() - start) / items


CASES = (
    Case(
        name="yield",
        title="yield in a ring of 10",
        unit="s",
        variants=(
            Variant("goruntime p=1", goruntime_yield(1), 100_000),
            Variant("goruntime p=4", goruntime_yield(4), 100_000),
            Variant("gevent", gevent_yield, 50_000),
            Variant("asyncio", asyncio_yield, 100_000),
            Variant("greenlet", greenlet_ring, 200_000),
        ),
        bounds=(Bound("goruntime p=1", 1.2, "gevent"), Bound("goruntime p=4", 1.5, "gevent")),
        note="gosched, gevent.sleep(0), asyncio.sleep(0); greenlet: a bare switch",
    ),
)
