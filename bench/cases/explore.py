"""Explored schedules a second: two goroutines that each read a shared cell, give way, and write it back.

Making and unmaking the runtime of each schedule is included. A depth-first search ends when it has seen every schedule
of this small program, so it is started again until enough schedules have run.
"""

from __future__ import annotations

from time import perf_counter

from harness import Bound, Case, Measure, Variant


def explored(strategy: str) -> Measure:
    """Return the variant that explores with ``strategy``."""

    def measure(items: int) -> float:
        from goruntime import chan, go, runtime
        from goruntime.check import explore

        def main() -> None:
            cell = 0
            done: chan[None] = chan(2)

            def add() -> None:
                nonlocal cell
                seen = cell
                runtime.gosched()
                cell = seen + 1
                done.send(None)

            go(add)
            go(add)
            done.recv()
            done.recv()

        schedules = 0
        start = perf_counter()
        while schedules < items:
            report = explore(main, strategy=strategy, schedules=items - schedules)
            if not report.schedules:
                raise RuntimeError(f"explore ran no schedule: {report}")
            schedules += report.schedules
        return schedules / (perf_counter() - start)

    return measure


CASES = (
    Case(
        name="explore",
        title="explored schedules",
        unit="/s",
        variants=(
            Variant("goruntime random", explored("random"), 3_000),
            Variant("goruntime dfs", explored("dfs"), 3_000),
        ),
        bounds=(Bound("goruntime random", 3000), Bound("goruntime dfs", 3000)),
        note="a fresh runtime for each",
    ),
)
