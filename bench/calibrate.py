"""Measure on real Go what the cost table of the simulated kernel holds.

``python bench/calibrate.py`` builds the small Go programs in bench/calibrate/ with the toolchain on PATH (or
$GORUNTIME_GO), runs each several times, and prints one constant a line, in integer nanoseconds, with the measurement it
comes from: the material of goruntime/kernel/costs.py. ``--json FILE`` also stores every raw figure;
bench/calibrate/results.json is such a file, and ``--table FILE`` prints the table of one.

How a figure is made: each program repeats its measurement hundreds of times and reports quantiles, with the cost of
reading the clock and of the empty loop subtracted. Costs of code are the lowest 10 % quantile of all passes, because
other processes only ever add time. Latencies, where the spread belongs to the thing itself, are the lower quartile of
the passes' medians: a busy neighbour mostly adds, but it can also shorten them, by keeping a CPU awake that an idle
machine would have to wake. Measure on an otherwise idle machine. constants.txt says which figure makes which constant.

Known limits: two CPUs are needed for the figures on threads, and latencies (futex wake-up, thread creation,
oversleeping) depend on the machine: a virtual machine wakes an idle CPU several times slower than a bare one. They are
calibrated all the same, because what programs see depends on their ratio to the rest, not on the last microsecond.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

SOURCES = Path(__file__).resolve().parent / "calibrate"
CONSTANTS = SOURCES / "constants.txt"
PROGRAMS = ("chans", "gos", "syncs", "timers", "syscalls", "threads", "packages", "synctest", "sockets", "heap")
PROGRAM_SECONDS = 60  # one that takes longer is starved by other processes: its pass is dropped

Row = dict[str, float]
Rows = dict[str, list[Row]]  # by name, one row for each pass


class Constant(NamedTuple):
    """One line of the table: its value, the expression over measured figures that gave it, and its meaning."""

    name: str
    value: int
    expression: str
    words: str


def find_go() -> str:
    """Return the Go command: $GORUNTIME_GO, or ``go`` on PATH."""
    found = os.environ.get("GORUNTIME_GO") or shutil.which("go")
    if not found:
        raise SystemExit("calibrate: no Go toolchain: put go on PATH or set GORUNTIME_GO")
    return found


def build(go: str, folder: Path, programs: tuple[str, ...]) -> None:
    """Compile the programs; they reach into the runtime by go:linkname, which needs the linker's consent."""
    for name in programs:
        command = [go, "build", "-ldflags=-checklinkname=0", "-o", str(folder / name), "common.go", f"{name}.go"]
        subprocess.run(command, cwd=SOURCES, check=True)


def run_once(folder: Path, name: str) -> Iterator[tuple[str, Row]]:
    """Run one program and yield its results by name; only ``threads``, whose loops need it, is preempted by signals."""
    done = subprocess.run(
        [str(folder / name)],
        env=os.environ | {"GODEBUG": "" if name == "threads" else "asyncpreemptoff=1"},
        check=True,
        capture_output=True,
        text=True,
        timeout=PROGRAM_SECONDS,
    )
    for line in done.stdout.splitlines():
        row = json.loads(line)
        if row["n"]:
            yield row.pop("name"), row


def measure(go: str, passes: int, programs: tuple[str, ...]) -> Rows:
    """Return for every name the figures of all passes."""
    rows: Rows = {}
    with tempfile.TemporaryDirectory(prefix="goruntime-calibrate-") as scratch:
        folder = Path(scratch)
        build(go, folder, programs)
        for number, program in itertools.product(range(passes), programs):
            try:
                results = list(run_once(folder, program))
            except subprocess.TimeoutExpired:
                late = f"pass {number + 1} of {program} took over {PROGRAM_SECONDS} s and is dropped"
                print(f"calibrate: {late}", file=sys.stderr)
                continue
            for name, row in results:
                rows.setdefault(name, []).append(row)
    return rows


def lower_quartile(values: list[float]) -> float:
    """Return the value below which a quarter of them lies."""
    return sorted(values)[(len(values) - 1) // 4]


def derive(rows: Rows) -> dict[str, list[Constant]]:
    """Return the constants under their headings, in whole nanoseconds, at least 1 each."""
    names: dict[str, object] = {name: min(row["p10"] for row in passes) for name, passes in rows.items()}
    medians = {name: lower_quartile([row["median"] for row in passes]) for name, passes in rows.items()}
    least = {name: min(row["min"] for row in passes) for name, passes in rows.items()}
    names |= {"median": SimpleNamespace(**medians), "least": SimpleNamespace(**least)}
    groups: dict[str, list[Constant]] = {}
    for line in CONSTANTS.read_text().splitlines():
        if line.startswith("["):
            group = groups.setdefault(line.strip("[]"), [])
        elif line and not line.startswith("#"):
            definition, _, words = line.partition("#")
            name, _, expression = (part.strip() for part in definition.partition("="))
            value = eval(expression, {"__builtins__": {}}, names)  # our own file
            names[name] = value
            group.append(Constant(name, max(1, round(value)), expression, words.strip()))
    return groups


def render(groups: dict[str, list[Constant]], version: str) -> str:
    """Return the constants as Python source with the provenance of each."""
    lines = [f"# Virtual nanoseconds, measured with {version} by bench/calibrate.py."]
    for title, group in groups.items():
        lines += ["", f"# {title}"]
        lines += [f"{f'{c.name} = {c.value}':<31} # {c.words} ({c.expression})" for c in group]
    return "\n".join(lines)


def store(path: Path, groups: dict[str, list[Constant]], rows: Rows, version: str) -> None:
    """Write constants and raw figures, a line each."""
    constants = {constant.name: constant.value for group in groups.values() for constant in group}
    lines = [f'{{"go": "{version}", "unit": "ns", "cpus": {os.cpu_count()},', '"constants": {']
    lines += [",\n".join(f" {json.dumps(name)}: {value}" for name, value in constants.items())]
    lines += ["},", '"measured": {']
    lines += [",\n".join(f" {json.dumps(name)}: {json.dumps(passes)}" for name, passes in sorted(rows.items()))]
    path.write_text("\n".join(lines) + "\n}}\n")


def main() -> None:
    """Measure, print the table, and store the raw figures where asked."""
    parser = argparse.ArgumentParser(description="Calibrate the cost table against real Go.")
    parser.add_argument("--passes", type=int, default=5, metavar="N", help="runs of every program (5)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="store the constants and every raw figure")
    parser.add_argument("--only", choices=PROGRAMS, help="measure one program; FILE keeps its figures of the others")
    parser.add_argument("--table", type=Path, metavar="FILE", help="measure nothing: print the table of stored figures")
    options = parser.parse_args()
    if options.only and not options.json:
        parser.error("--only needs --json FILE, which has the figures of the other programs")
    if options.table:
        stored = json.loads(options.table.read_text())
        rows, version = stored["measured"], stored["go"]
    else:
        go = find_go()
        asked = subprocess.run([go, "env", "GOVERSION"], check=True, capture_output=True, text=True)
        version = asked.stdout.strip()
        rows = measure(go, options.passes, (options.only,) if options.only else PROGRAMS)
        if options.only:
            rows = json.loads(options.json.read_text())["measured"] | rows
    groups = derive(rows)
    print(render(groups, version))
    if options.json:
        store(options.json, groups, rows, version)


if __name__ == "__main__":
    main()
