"""A hundred thousand of everything. The figures are printed: `./dev test tests/scale -rP` shows them.

Limits on memory are the promise (and 3.11's figure is the one that was promised). Limits on CPU time are generous: they
are there for what should be linear and is not.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
COUNT = 100_000
KIB = 1024

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="resident memory as Linux counts it"),
]


def measure(*command: Any) -> dict[str, Any]:
    """Run one of the programs in a process of its own, as users do: without the checked doors."""
    environment = {**os.environ, "GORUNTIME_DEBUG": "0", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-m", "tests.scale.programs", *map(str, command)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    figures: dict[str, Any] = json.loads(done.stdout)
    print(*command, *(f"{name}={value:,.3f}".rstrip("0").rstrip(".") for name, value in figures.items()))
    return figures


@pytest.mark.parametrize("kind", ["recv", "select"])
def test_100000_parked_goroutines_weigh_less_than_10_kb_each(kind):
    figures = measure("parked", kind, COUNT, 4 if kind == "select" else 1)
    assert figures["bytes_each"] < 10_000
    assert figures["pooled"] <= figures["pool_bound"]
    assert figures["start_s"] < 20
    assert figures["end_s"] < 20


def test_100000_abandoned_goroutines_are_taken_down_and_the_pool_is_bounded():
    figures = measure("abandoned", COUNT)
    assert figures["end_s"] < 20
    assert figures["pooled"] <= figures["pool_bound"]
    assert figures["left_bytes"] < figures["full_bytes"] / 3


def test_a_million_short_goroutines_a_thousand_at_a_time_without_growth():
    figures = measure("short", 1000, 1000, 1)
    assert figures["grown_bytes"] < 1_000 * KIB


def test_short_goroutines_on_four_ps_without_growth():
    figures = measure("short", 100, 1000, 4)
    assert figures["grown_bytes"] < 1_000 * KIB


@pytest.mark.parametrize("gomaxprocs", [1, 4])
def test_a_chain_of_100000_goroutines_each_started_by_the_last(gomaxprocs):
    figures = measure("chain", COUNT, gomaxprocs)
    assert figures["grown_bytes"] < 2_000 * KIB


def test_20000_goroutines_each_waiting_for_the_one_that_it_started():
    assert measure("nested", 20_000, 2)["reached"] == 20_000


def test_100000_pending_timers():
    figures = measure("pending", COUNT)
    assert figures["bytes_each"] < 2_500
    assert figures["fire_s"] < 30


def test_100000_sleeping_goroutines():
    assert measure("sleepers", COUNT)["woken"] == COUNT


def test_programs_that_die_again_and_again_leave_nothing():
    assert measure("dying", 200)["grown_bytes"] < 2_000 * KIB
