"""What starting costs: importing the package, and running a main that does nothing."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import subprocess
import sys
import tempfile
from time import perf_counter

from harness import Bound, Case, Measure, Variant


def imported(module: str) -> Measure:
    """Return the time of an interpreter that imports ``module`` and ends; "" imports nothing.

    A first import, not timed, compiles what has changed, into a folder that is thrown away.
    """

    def measure(items: int) -> float:
        if module and importlib.util.find_spec(module) is None:
            raise ModuleNotFoundError(f"No module named {module!r}")
        command = [sys.executable, "-c", f"import {module}" if module else "pass"]
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        best = float("inf")
        with tempfile.TemporaryDirectory(prefix="goruntime-bench-") as folder:
            environment["PYTHONPYCACHEPREFIX"] = folder
            subprocess.run(command, env=environment, check=True)
            for _ in range(items):
                start = perf_counter()
                subprocess.run(command, env=environment, check=True)
                best = min(best, perf_counter() - start)
        return best

    return measure


def nothing() -> None:
    """Be a main."""


async def nothing_async() -> None:
    """Be a main of asyncio."""


def goruntime_empty(procs: int) -> Measure:
    """Return the time of one run of an empty main with ``procs`` Ps."""

    def measure(items: int) -> float:
        from goruntime import run

        start = perf_counter()
        for _ in range(items):
            run(nothing, gomaxprocs=procs)
        return (perf_counter() - start) / items

    return measure


def asyncio_empty(items: int) -> float:
    """Run an event loop for an empty coroutine."""
    start = perf_counter()
    for _ in range(items):
        asyncio.run(nothing_async())
    return (perf_counter() - start) / items


CASES = (
    Case(
        name="import",
        title="import",
        unit="s",
        variants=(
            Variant("bare python", imported(""), 5),
            Variant("goruntime", imported("goruntime"), 5),
            Variant("gevent", imported("gevent"), 5),
            Variant("asyncio", imported("asyncio"), 5),
        ),
        bounds=(Bound("goruntime", 0.060),),
        note="a fresh interpreter, less the bare one",
        minus="bare python",
    ),
    Case(
        name="empty",
        title="run of an empty main",
        unit="s",
        variants=(
            Variant("goruntime p=1", goruntime_empty(1), 300),
            Variant("goruntime p=4", goruntime_empty(4), 300),
            Variant("asyncio", asyncio_empty, 300),
        ),
        bounds=(Bound("goruntime p=1", 0.001), Bound("goruntime p=4", 0.001)),
    ),
)
