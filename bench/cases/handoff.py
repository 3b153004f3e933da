"""One producer sends, one consumer receives: without a buffer, and with a buffer of 128.

The consumer is the main goroutine, greenlet or coroutine; the clock runs from the first receive to the last. The bare
greenlet passes each item to another greenlet and comes back: what Python itself takes for two switches.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import perf_counter

from harness import Bound, Case, Measure, Variant

BUFFER = 128


def goruntime(procs: int, size: int) -> Measure:
    """Return the goruntime variant with ``procs`` Ps and a channel of ``size``."""

    def measure(items: int) -> float:
        from goruntime import chan, go, run

        def produce(out: chan[int]) -> None:
            for item in range(items):
                out.send(item)

        def main() -> float:
            channel: chan[int] = chan(size)
            go(produce, channel)
            start = perf_counter()
            for _ in range(items):
                channel.recv()
            return perf_counter() - start

        return float(run(main, gomaxprocs=procs)) / items

    return measure


def with_gevent(make: Callable[[], object], items: int) -> float:
    """Send through what ``make`` makes, which has gevent's put and get."""
    import gevent

    channel = make()
    put, get = channel.put, channel.get  # type: ignore[attr-defined]

    def produce() -> None:
        for item in range(items):
            put(item)

    producer = gevent.spawn(produce)
    start = perf_counter()
    for _ in range(items):
        get()
    took = perf_counter() - start
    producer.join()
    return took / items


def gevent_channel(items: int) -> float:
    """gevent's own rendezvous."""
    from gevent.queue import Channel

    return with_gevent(Channel, items)


def gevent_simple_queue(items: int) -> float:
    """gevent's quickest bounded queue, compiled to C."""
    from gevent.queue import SimpleQueue

    return with_gevent(lambda: SimpleQueue(BUFFER), items)


def gevent_queue(items: int) -> float:
    """gevent's usual bounded queue, compiled to C as well, which counts unfinished tasks on top."""
    from gevent.queue import Queue

    return with_gevent(lambda: Queue(BUFFER), items)


def asyncio_queue(size: int) -> Measure:
    """Return the asyncio variant with a queue of ``size``."""

    async def main(items: int) -> float:
        queue: asyncio.Queue[int] = asyncio.Queue(size)

        async def produce() -> None:
            for item in range(items):
                await queue.put(item)

        producer = asyncio.create_task(produce())
        start = perf_counter()
        for _ in range(items):
            await queue.get()
        took = perf_counter() - start
        await producer
        return took / items

    return lambda items: asyncio.run(main(items))


def goless_channel(size: int) -> Measure:
    """Return the goless variant with a channel of ``size``."""

    def measure(items: int) -> float:
        import goless

        channel = goless.chan(size)

        def produce() -> None:
            for item in range(items):
                channel.send(item)

        goless.go(produce)
        start = perf_counter()
        for _ in range(items):
            channel.recv()
        return (perf_counter() - start) / items

    return measure


def greenlet_switch(items: int) -> float:
    """Pass each item to another greenlet, which comes straight back."""
    from greenlet import getcurrent, greenlet

    parent = getcurrent()

    def consume(_: int) -> None:
        while True:
            parent.switch()

    other = greenlet(consume)
    other.switch(0)
    start = perf_counter()
    for item in range(items):
        other.switch(item)
    return (perf_counter() - start) / items


CASES = (
    Case(
        name="unbuffered",
        title="handoff, unbuffered",
        unit="s",
        variants=(
            Variant("goruntime p=1", goruntime(1, 0), 100_000),
            Variant("goruntime p=4", goruntime(4, 0), 100_000),
            Variant("gevent", gevent_channel, 100_000),
            Variant("asyncio", asyncio_queue(1), 100_000),
            Variant("goless", goless_channel(0), 20_000),
            Variant("greenlet", greenlet_switch, 200_000),
        ),
        bounds=(
            Bound("goruntime p=1", 0.6, "gevent"),
            Bound("goruntime p=4", 0.8, "gevent"),
        ),
        note="asyncio has no rendezvous: its row is Queue(1); greenlet: a bare switch out and back",
    ),
    Case(
        name="buffered",
        title="handoff, buffer of 128",
        unit="s",
        variants=(
            Variant("goruntime p=1", goruntime(1, BUFFER), 200_000),
            Variant("goruntime p=4", goruntime(4, BUFFER), 200_000),
            Variant("gevent", gevent_simple_queue, 200_000),
            Variant("gevent Queue", gevent_queue, 200_000),
            Variant("asyncio", asyncio_queue(BUFFER), 200_000),
            Variant("goless", goless_channel(BUFFER), 50_000),
        ),
        bounds=tuple(
            Bound(f"goruntime p={procs}", limit, against)
            for procs in (1, 4)
            for limit, against in ((2.5, "gevent"), (0.7, "asyncio"))
        ),
        note="gevent: SimpleQueue(128), its quickest, compiled to C",
    ),
)
