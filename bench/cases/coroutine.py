"""Pulling one value at a time out of an iterator that runs on a stack of its own: two switches for each value.

A generator has no stack of its own: so it is much faster, and cannot yield from a function that it calls.
"""

from __future__ import annotations

from time import perf_counter

from harness import Bound, Case, Variant


def goruntime_pull(items: int) -> float:
    """coro.pull."""
    from goruntime import coro, run

    def main() -> float:
        next_, stop = coro.pull(iter(int, 1))
        start = perf_counter()
        for _ in range(items):
            next_()
        took = perf_counter() - start
        stop()
        return took

    return float(run(main, gomaxprocs=1)) / items


def greenlet_pull(items: int) -> float:
    """A bare greenlet that switches back with each value."""
    from greenlet import getcurrent, greenlet

    def values(puller: greenlet) -> None:
        for value in iter(int, 1):
            puller.switch(value)

    iterator = greenlet(values)
    iterator.switch(getcurrent())
    start = perf_counter()
    for _ in range(items):
        iterator.switch()
    return (perf_counter() - start) / items


def generator(items: int) -> float:
    """Python's own."""
    next_ = (value for value in iter(int, 1)).__next__
    start = perf_counter()
    for _ in range(items):
        next_()
    return (perf_counter() - start) / items


CASES = (
    Case(
        name="coroutine",
        title="pull a value",
        unit="s",
        variants=(
            Variant("goruntime p=1", goruntime_pull, 100_000),
            Variant("greenlet", greenlet_pull, 200_000),
            Variant("generator", generator, 500_000),
        ),
        bounds=(Bound("goruntime p=1", 6.0, "greenlet"),),
        note="coro.pull; greenlet: two bare switches",
    ),
)
