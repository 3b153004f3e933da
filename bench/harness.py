"""What a benchmark is, and how its rounds are run: every variant in a process of its own, in turns.

A *case* is one thing to measure; its *variants* do that thing with goruntime and with each competitor. A variant's
function does the thing ``items`` times and returns the value of one item: seconds, bytes, or items a second. It imports
its library itself, so that a library that is not there costs its own rows and nothing else.

Processes of their own, because the libraries would otherwise disturb one another (gevent's hub, signal handlers, a
garbage collector that walks the others' objects). In turns (A B A B ...), because a shared machine has slow and fast
seconds, and a ratio of two figures is worth something only when both saw the same seconds.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

BENCH = Path(__file__).resolve().parent
ROOT = BENCH.parent
ROUND_SECONDS = 180  # a round that takes longer is given up


class Reading(NamedTuple):
    """What a round of some cases gives: the value, and the 99th percentile of the latency, seconds."""

    value: float
    p99: float


Measure = Callable[[int], "float | Reading"]


@dataclass(frozen=True)
class Variant:
    """One way to do what the case measures: ``who`` does it, ``items`` times in one round."""

    who: str
    measure: Measure
    items: int


@dataclass(frozen=True)
class Bound:
    """What ``who`` may take: ``limit`` times what ``against`` takes, or ``limit`` itself in the case's unit."""

    who: str
    limit: float
    against: str | None = None


@dataclass(frozen=True)
class Case:
    """One benchmark. ``fresh``: each round in a new process. ``minus``: whose value is taken off all others'."""

    name: str
    title: str
    unit: str  # "s", "B" or "/s"; of "/s" more is better, of the others less
    variants: tuple[Variant, ...]
    bounds: tuple[Bound, ...] = ()
    note: str = ""
    fresh: bool = False
    minus: str | None = None


@dataclass
class Samples:
    """What the rounds of one variant gave, or why they gave nothing."""

    values: list[float] = field(default_factory=list)
    p99s: list[float] = field(default_factory=list)
    missing: str = ""


class Worker:
    """A process that runs rounds of one variant when told to."""

    def __init__(self, case: Case, variant: Variant, items: int) -> None:
        paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
        self.process = subprocess.Popen(
            [sys.executable, str(BENCH / "worker.py"), case.name, variant.who, str(items)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)},
        )

    def round(self) -> dict[str, object]:
        """Run one round; return {"value": ...} (and perhaps "p99"), {"skip": why} or {"error": why}."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        watchdog = threading.Timer(ROUND_SECONDS, self.process.kill)
        watchdog.start()
        try:
            self.process.stdin.write("round\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        finally:
            watchdog.cancel()
        if not line:
            return {"error": self.last_words()}
        answer: dict[str, object] = json.loads(line)
        return answer

    def last_words(self) -> str:
        """Return why the process died: the last line of its stderr, or its status."""
        _, complaint = self.process.communicate()
        lines = complaint.strip().splitlines()
        return lines[-1] if lines else f"died with status {self.process.returncode}"

    def close(self) -> None:
        """End the process."""
        with contextlib.suppress(BrokenPipeError):
            self.process.communicate()


def measure_case(case: Case, rounds: int, scale: float) -> Iterator[tuple[str, Samples]]:
    """Run ``rounds`` rounds of every variant, in turns, and yield what each gave."""
    samples = {variant.who: Samples() for variant in case.variants}
    workers: dict[str, Worker] = {}
    try:
        for _ in range(rounds):
            for variant in case.variants:
                mine = samples[variant.who]
                if mine.missing:
                    continue
                if variant.who not in workers:
                    workers[variant.who] = Worker(case, variant, max(1, int(variant.items * scale)))
                answer = workers[variant.who].round()
                if "value" in answer:
                    mine.values.append(float(str(answer["value"])))
                    if "p99" in answer:
                        mine.p99s.append(float(str(answer["p99"])))
                else:
                    mine.missing = str(answer.get("skip") or f"failed: {answer.get('error')}")
                if case.fresh or mine.missing:
                    workers.pop(variant.who).close()
    finally:
        for worker in workers.values():
            worker.close()
    if case.minus is not None:
        floor = min(samples[case.minus].values, default=0.0)
        for who, mine in samples.items():
            if who != case.minus:
                mine.values = [value - floor for value in mine.values]
    yield from samples.items()
