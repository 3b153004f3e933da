"""Give way, and sleep: ten tasks that yield in a ring, and 1,000 that sleep again and again.

goruntime sleeps in virtual time: nothing waits, and what is measured is the work of a timer and a wake-up. The others
sleep in real time, so short (10 µs) and so many at once that they too are busy all the time.
"""

from __future__ import annotations

import asyncio
from time import perf_counter

from harness import Case, Measure, Variant

RING = 10
SLEEPERS = 1000
SLEEP_SECONDS = 1e-5


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


def goruntime_sleep(procs: int) -> Measure:
    """Return the sleepers on goruntime with ``procs`` Ps."""

    def measure(items: int) -> float:
        from goruntime import chan, go, run, time

        def main() -> float:
            done: chan[None] = chan()

            def sleeper() -> None:
                for _ in range(items // SLEEPERS):
                    time.sleep(SLEEP_SECONDS)
                done.send(None)

            for _ in range(SLEEPERS):
                go(sleeper)
            start = perf_counter()
            for _ in range(SLEEPERS):
                done.recv()
            return perf_counter() - start

        return float(run(main, gomaxprocs=procs)) / items

    return measure


def gevent_sleep(tasks: int, seconds: float) -> Measure:
    """Return the gevent variant: ``tasks`` greenlets that sleep for ``seconds``; 0 is a yield."""

    def measure(items: int) -> float:
        import gevent

        def sleeper() -> None:
            for _ in range(items // tasks):
                gevent.sleep(seconds)

        sleepers = [gevent.spawn(sleeper) for _ in range(tasks)]
        start = perf_counter()
        gevent.joinall(sleepers)
        return (perf_counter() - start) / items

    return measure


def asyncio_sleep(tasks: int, seconds: float) -> Measure:
    """Return the asyncio variant: ``tasks`` tasks that sleep for ``seconds``; 0 is a yield."""

    async def main(items: int) -> float:
        async def sleeper() -> None:
            for _ in range(items // tasks):
                await asyncio.sleep(seconds)

        sleepers = [asyncio.create_task(sleeper()) for _ in range(tasks)]
        start = perf_counter()
        for each in sleepers:
            await each
        return (perf_counter() - start) / items

    return lambda items: asyncio.run(main(items))


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
            Variant("gevent", gevent_sleep(RING, 0), 50_000),
            Variant("asyncio", asyncio_sleep(RING, 0), 100_000),
            Variant("greenlet", greenlet_ring, 200_000),
        ),
        note="gosched, gevent.sleep(0), asyncio.sleep(0); greenlet: a bare switch",
    ),
    Case(
        name="sleep",
        title="sleep and wake up",
        unit="s",
        variants=(
            Variant("goruntime p=1", goruntime_sleep(1), 50_000),
            Variant("goruntime p=4", goruntime_sleep(4), 50_000),
            Variant("gevent", gevent_sleep(SLEEPERS, SLEEP_SECONDS), 20_000),
            Variant("asyncio", asyncio_sleep(SLEEPERS, SLEEP_SECONDS), 20_000),
        ),
        note="1,000 sleepers at once; the others sleep 10 µs of real time",
    ),
)
