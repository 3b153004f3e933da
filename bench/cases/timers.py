"""Sleep, timers and timeouts: what arming a timer costs, and what its firing and the wake-up cost.

On equal terms: goruntime sleeps in virtual time, so nothing waits and only the work is measured. The others sleep in
real time, and what they do not work they rest.

* 1,000 sleepers at once, 10 µs each, and 1,000 timers that are due together keep the others' loop busy for longer than
  that: when it looks, the time of many has come. It never rests, and what is measured is the work there too: a real
  timer in the loop's heap, its expiry, the switch. (gevent.sleep(0) and asyncio.sleep(0) make no timer; they are the
  benchmark `yield`.)
* One that sleeps in a row, or waits for one timeout after another, leaves its machine idle each time. goruntime goes
  through all of that: the thread gives its P back, spins, sleeps in the poller, is woken. gevent rests for 10 µs as
  asked, which is some 40 µs of CPU time and a millisecond by the clock. The rows of "1 ns" ask for a time that is over
  before the loop looks: it never rests, and its figure is the loop's work alone, without the idling of goruntime.
"""

from __future__ import annotations

import asyncio
from time import perf_counter

from harness import Bound, Case, Measure, Variant

SLEEPERS = 1000
SHORT = 1e-5  # s
SHORTEST = 1e-9
NEVER = 3600  # s: a timeout that is not reached
BATCH = 1000  # functions that are armed before the first of them is due


def goruntime_sleep(procs: int, tasks: int, seconds: float) -> Measure:
    """Return ``tasks`` goroutines that sleep again and again, on ``procs`` Ps."""

    def measure(items: int) -> float:
        from goruntime import chan, go, run, time

        def main() -> float:
            done: chan[None] = chan()

            def sleeper() -> None:
                for _ in range(items // tasks):
                    time.sleep(seconds)
                done.send(None)

            for _ in range(tasks):
                go(sleeper)
            start = perf_counter()
            for _ in range(tasks):
                done.recv()
            return perf_counter() - start

        return float(run(main, gomaxprocs=procs)) / items

    return measure


def gevent_sleep(tasks: int, seconds: float) -> Measure:
    """Return the gevent variant."""

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
    """Return the asyncio variant."""

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


def goruntime_after_func(procs: int) -> Measure:
    """Return functions that are armed in batches and run when they are due, each in a goroutine of its own."""

    def measure(items: int) -> float:
        from goruntime import chan, run, time

        def main() -> float:
            done: chan[None] = chan()
            left = 0

            def fired() -> None:
                nonlocal left
                left -= 1
                if not left:
                    done.send(None)

            start = perf_counter()
            for _ in range(items // BATCH):
                left = BATCH
                for _ in range(BATCH):
                    time.after_func(SHORT, fired)
                done.recv()
            return perf_counter() - start

        return float(run(main, gomaxprocs=procs)) / items

    return measure


def gevent_spawn_later(items: int) -> float:
    """The same with gevent: each function runs in a greenlet of its own."""
    import gevent
    from gevent.event import Event

    done = Event()
    left = 0

    def fired() -> None:
        nonlocal left
        left -= 1
        if not left:
            done.set()

    start = perf_counter()
    for _ in range(items // BATCH):
        left = BATCH
        for _ in range(BATCH):
            gevent.spawn_later(SHORT, fired)
        done.wait()
        done.clear()
    return (perf_counter() - start) / items


def asyncio_call_later(items: int) -> float:
    """The same with asyncio, where the function is called by the loop itself and may not wait for anything."""
    return asyncio.run(call_later(items))


async def call_later(items: int) -> float:
    """What it does."""
    loop = asyncio.get_running_loop()
    done = asyncio.Event()
    left = 0

    def fired() -> None:
        nonlocal left
        left -= 1
        if not left:
            done.set()

    start = perf_counter()
    for _ in range(items // BATCH):
        left = BATCH
        for _ in range(BATCH):
            loop.call_later(SHORT, fired)
        await done.wait()
        done.clear()
    return (perf_counter() - start) / items


def goruntime_timeout(procs: int, seconds: float) -> Measure:
    """Return select over a channel and a timer's: with a short time nothing comes, with a long one a value does."""

    def measure(items: int) -> float:
        from goruntime import chan, go, run, select, time

        is_fed = seconds == NEVER

        def main() -> float:
            values: chan[int] = chan()

            def feed() -> None:
                for item in range(items):
                    values.send(item)

            if is_fed:
                go(feed)
            start = perf_counter()
            for _ in range(items):
                timer = time.Timer(seconds)
                index, _ = select(values.recv, timer.c.recv)
                timer.stop()
                assert index == (0 if is_fed else 1)
            return perf_counter() - start

        return float(run(main, gomaxprocs=procs)) / items

    return measure


def gevent_timeout(seconds: float) -> Measure:
    """Return the same with gevent's Timeout around a get."""

    def measure(items: int) -> float:
        import gevent
        from gevent.queue import Channel

        is_fed = seconds == NEVER
        values = Channel()

        def feed() -> None:
            for item in range(items):
                values.put(item)

        if is_fed:
            gevent.spawn(feed)
        start = perf_counter()
        for item in range(items):
            got = None
            with gevent.Timeout(seconds, False):
                got = values.get()
            assert got == (item if is_fed else None)
        return (perf_counter() - start) / items

    return measure


def asyncio_timeout(seconds: float) -> Measure:
    """Return the same with asyncio.timeout around a get."""

    async def main(items: int) -> float:
        is_fed = seconds == NEVER
        values: asyncio.Queue[int] = asyncio.Queue(1)

        async def feed() -> None:
            for item in range(items):
                await values.put(item)

        feeder = asyncio.create_task(feed()) if is_fed else None
        start = perf_counter()
        for item in range(items):
            got = None
            try:
                async with asyncio.timeout(seconds):
                    got = await values.get()
            except TimeoutError:
                got = None
            assert got == (item if is_fed else None)
        took = perf_counter() - start
        if feeder is not None:
            await feeder
        return took / items

    return lambda items: asyncio.run(main(items))


def _bounds(limit: float) -> tuple[Bound, ...]:
    return tuple(Bound(f"goruntime p={procs}", limit, "gevent") for procs in (1, 4))


CASES = (
    Case(
        name="sleep",
        title="sleep, 1,000 at once",
        unit="s",
        variants=(
            Variant("goruntime p=1", goruntime_sleep(1, SLEEPERS, SHORT), 50_000),
            Variant("goruntime p=4", goruntime_sleep(4, SLEEPERS, SHORT), 50_000),
            Variant("gevent", gevent_sleep(SLEEPERS, SHORT), 50_000),
            Variant("asyncio", asyncio_sleep(SLEEPERS, SHORT), 50_000),
        ),
        bounds=_bounds(1.0),
        note="each sleeps 10 µs again and again; virtual, or real and over when the loop comes round",
    ),
    Case(
        name="sleep_row",
        title="sleep, one in a row",
        unit="s",
        variants=(
            Variant("goruntime p=1", goruntime_sleep(1, 1, SHORT), 20_000),
            Variant("goruntime p=4", goruntime_sleep(4, 1, SHORT), 20_000),
            Variant("gevent", gevent_sleep(1, SHORT), 500),
            Variant("gevent 1 ns", gevent_sleep(1, SHORTEST), 20_000),
            Variant("asyncio", asyncio_sleep(1, SHORT), 500),
            Variant("asyncio 1 ns", asyncio_sleep(1, SHORTEST), 20_000),
        ),
        bounds=_bounds(1.0),
        note="10 µs; virtual, or real with the rest it takes; 1 ns: over before the loop looks, which never rests",
    ),
    Case(
        name="after_func",
        title="after_func",
        unit="s",
        variants=(
            Variant("goruntime p=1", goruntime_after_func(1), 20_000),
            Variant("goruntime p=4", goruntime_after_func(4), 20_000),
            Variant("gevent", gevent_spawn_later, 20_000),
            Variant("asyncio", asyncio_call_later, 20_000),
        ),
        bounds=_bounds(1.0),
        note="1,000 armed, then all due; gevent: spawn_later; asyncio: call_later, a callback and no task",
    ),
    Case(
        name="timed_out",
        title="timeout, reached",
        unit="s",
        variants=(
            Variant("goruntime p=1", goruntime_timeout(1, SHORT), 20_000),
            Variant("goruntime p=4", goruntime_timeout(4, SHORT), 20_000),
            Variant("gevent", gevent_timeout(SHORT), 500),
            Variant("gevent 1 ns", gevent_timeout(SHORTEST), 20_000),
            Variant("asyncio", asyncio_timeout(SHORT), 500),
            Variant("asyncio 1 ns", asyncio_timeout(SHORTEST), 20_000),
        ),
        bounds=_bounds(1.0),
        note="select with a timer's channel; gevent.Timeout and asyncio.timeout around a get",
    ),
    Case(
        name="timeout",
        title="timeout, not reached",
        unit="s",
        variants=(
            Variant("goruntime p=1", goruntime_timeout(1, NEVER), 20_000),
            Variant("goruntime p=4", goruntime_timeout(4, NEVER), 20_000),
            Variant("gevent", gevent_timeout(NEVER), 20_000),
            Variant("asyncio", asyncio_timeout(NEVER), 20_000),
        ),
        note="the same with a value that comes first; asyncio's queue has room for one",
    ),
)
