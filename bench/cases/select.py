"""Select over two channels that both have items, against a plain receive from one that has."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter

from harness import Bound, Case, Variant

SIZE = 1000


def goruntime_select(items: int) -> float:
    """Select from two full channels; filling them is not timed."""
    from goruntime import chan, run, select

    def main() -> float:
        left: chan[None] = chan(SIZE)
        right: chan[None] = chan(SIZE)
        took = 0.0
        for _ in range(0, items, SIZE):
            for channel in (left, right):
                while len(channel) < SIZE:
                    channel.send(None)
            start = perf_counter()
            for _ in range(SIZE - 1):
                select(left.recv, right.recv)
            took += perf_counter() - start
        return took

    return float(run(main, gomaxprocs=1)) / (items // SIZE * (SIZE - 1))


def goruntime_receive(items: int) -> float:
    """Receive from one full channel."""
    from goruntime import chan, run

    def main() -> float:
        channel: chan[None] = chan(SIZE)
        took = 0.0
        for _ in range(0, items, SIZE):
            while len(channel) < SIZE:
                channel.send(None)
            start = perf_counter()
            for _ in range(SIZE - 1):
                channel.recv()
            took += perf_counter() - start
        return took

    return float(run(main, gomaxprocs=1)) / (items // SIZE * (SIZE - 1))


def with_goless(operation: Callable[[object, object], object]) -> Callable[[int], float]:
    """Return a goless variant that does ``operation`` on two full channels."""

    def measure(items: int) -> float:
        import goless

        left, right = goless.chan(SIZE), goless.chan(SIZE)
        took = 0.0
        count = 0
        for _ in range(0, items, SIZE // 2):
            for channel in (left, right):
                for _ in range(SIZE - 1):
                    case, _ = goless.select([goless.scase(channel, None), goless.dcase()])
                    if isinstance(case, goless.dcase):
                        break
            start = perf_counter()
            for _ in range(SIZE // 2):
                operation(left, right)
            took += perf_counter() - start
            count += SIZE // 2
        return took / count

    return measure


def goless_select(left: object, right: object) -> object:
    """Select as goless writes it."""
    import goless

    return goless.select([goless.rcase(left), goless.rcase(right)])


def goless_receive(left: object, right: object) -> object:
    """Receive, ignoring the second channel."""
    return left.recv()  # type: ignore[attr-defined]


CASES = (
    Case(
        name="select",
        title="select, 2 ready",
        unit="s",
        variants=(
            Variant("goruntime p=1", goruntime_select, 50_000),
            Variant("goruntime recv", goruntime_receive, 50_000),
            Variant("goless", with_goless(goless_select), 10_000),
            Variant("goless recv", with_goless(goless_receive), 10_000),
        ),
        bounds=(Bound("goruntime p=1", 5.0, "goruntime recv"),),
        note="recv: a plain receive from a channel that has items; gevent and asyncio have no select over queues",
    ),
)
