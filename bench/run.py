"""Measure goruntime's speed against gevent, asyncio, goless and a bare greenlet, and print one table.

``./dev bench [NAMES] [--repeat N] [--json FILE] [--quick] [--strict]``. How to read the table: bench/README.md. The
figures are no test: a missed bound is marked, and the status is 0 unless --strict is given.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import platform
import statistics
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

from cases import CASES
from harness import ROOT, Bound, Case, Samples, measure_case

LIBRARIES = ("gevent", "asyncio", "goless", "greenlet")


@dataclass
class Row:
    """What is printed and stored for one variant of one case."""

    case: str
    title: str
    who: str
    unit: str
    best: float | None = None
    spread: float | None = None  # how far the median is from the best, as a part of the best
    p99: float | None = None  # the latency's, in the round with the best value
    missing: str = ""
    ratios: dict[str, float] = field(default_factory=dict)
    bounds: list[str] = field(default_factory=list)
    met: list[bool | None] = field(default_factory=list)  # None: cannot be told, the other side is missing
    values: list[float] = field(default_factory=list)


def amount(value: float, unit: str) -> str:
    """Write a value with its unit, at three digits."""
    if unit == "/s":
        return f"{value:,.0f}/s"
    steps = ((1e-6, 1e9, "ns"), (1e-3, 1e6, "µs"), (1.0, 1e3, "ms"), (1e18, 1.0, "s"))
    if unit == "B":
        steps = ((1024, 1, "B"), (1 << 20, 1 / 1024, "KB"), (1 << 30, 1 / (1 << 20), "MB"), (1e18, 1 / (1 << 30), "GB"))
    factor, name = next((factor, name) for limit, factor, name in steps if abs(value) < limit)
    scaled = value * factor
    if not value:
        return f"0 {name}"
    digits = 0 if abs(scaled) >= 100 else 1 if abs(scaled) >= 10 else 2
    return f"{scaled:.{digits}f} {name}"


def summarise(case: Case, who: str, samples: Samples) -> Row:
    """Return the row of one variant, without ratios and bounds."""
    row = Row(case.name, case.title, who, case.unit, missing=samples.missing, values=samples.values)
    if samples.values:
        row.best = max(samples.values) if case.unit == "/s" else min(samples.values)
        if samples.p99s:
            row.p99 = samples.p99s[samples.values.index(row.best)]
        if row.best:
            row.spread = abs(statistics.median(samples.values) - row.best) / row.best
    return row


def judge(row: Row, bound: Bound, rows: dict[str, Row]) -> tuple[str, bool | None]:
    """Return the words of a bound and whether it is met."""
    if bound.against is None:
        sign = ">=" if row.unit == "/s" else "<="
        words = f"{sign} {amount(bound.limit, row.unit)}"
        if row.best is None:
            return words, None
        return words, row.best >= bound.limit if sign == ">=" else row.best <= bound.limit
    sign = ">=" if row.unit == "/s" else "<="
    words = f"{sign} {bound.limit:g}x {bound.against}"
    other = rows[bound.against].best
    if row.best is None or not other:
        return words, None
    ratio = row.best / other
    return words, ratio >= bound.limit if sign == ">=" else ratio <= bound.limit


def compare(case: Case, rows: dict[str, Row]) -> None:
    """Fill in the ratios and bounds of goruntime's rows."""
    for row in rows.values():
        if not row.who.startswith("goruntime") or row.best is None:
            continue
        for library in LIBRARIES:
            other = rows.get(library)
            if other is not None and other.best:
                row.ratios[library] = row.best / other.best
    for bound in case.bounds:
        row = rows[bound.who]
        words, met = judge(row, bound, rows)
        row.bounds.append(words)
        row.met.append(met)


def lines(rows: list[Row]) -> Iterator[str]:
    """Write rows of one case as lines of the table."""
    for number, row in enumerate(rows):
        title = row.title if number == 0 else ""
        if row.best is None:
            yield f"{title:<24}{row.who:<18}{row.missing}"
            continue
        spread = "" if row.spread is None else f"+{row.spread:.0%}"
        ratios = "".join(f"{row.ratios[name]:>8.2f}x" if name in row.ratios else " " * 9 for name in LIBRARIES)
        marks = {True: "met", False: "MISSED", None: "?"}
        bounds = ", ".join(f"{words} {marks[met]}" for words, met in zip(row.bounds, row.met, strict=True))
        if row.p99 is not None:
            bounds = f"p99 {amount(row.p99, 's')}   {bounds}"
        yield f"{title:<24}{row.who:<18}{amount(row.best, row.unit):>12}{spread:>7} {ratios}   {bounds}".rstrip()


def versions() -> dict[str, str]:
    """Return what was measured: Python and the libraries."""
    found = {"python": platform.python_version()}
    for name in ("goruntime", "greenlet", "gevent", "goless"):
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "of this folder" if (ROOT / name).is_dir() else "not installed"
    return found


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="bench", description="Measure goruntime beside gevent, asyncio and goless.")
    names = [case.name for case in CASES]
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"benchmarks to run (all): {' '.join(names)}")
    parser.add_argument("--repeat", type=int, default=5, metavar="N", help="rounds of each, in turns (5)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="store everything that was measured")
    parser.add_argument("--quick", action="store_true", help="one short round: does all of it work?")
    parser.add_argument("--strict", action="store_true", help="status 1 when a bound is missed or could not be checked")
    options = parser.parse_args()
    unknown = sorted(set(options.names) - set(names))
    if unknown:
        parser.error(f"no such benchmark: {' '.join(unknown)} (there are: {' '.join(names)})")
    if options.repeat < 1:
        parser.error("--repeat must be at least 1")
    return options


def main() -> int:
    """Run what is asked for, print the table, and return the status."""
    options = parse()
    about = versions()
    print(", ".join(f"{name} {version}" for name, version in about.items()))
    heading = "".join(f"{name:>9}" for name in LIBRARIES)
    print(f"{'benchmark':<24}{'who':<18}{'one item':>12}{'spread':>7} {heading}   bound")
    table: list[Row] = []
    for case in CASES:
        if options.names and case.name not in options.names:
            continue
        rounds, scale = (1, 0.1) if options.quick else (options.repeat, 1.0)
        rows = {who: summarise(case, who, samples) for who, samples in measure_case(case, rounds, scale)}
        compare(case, rows)
        for line in lines(list(rows.values())):
            print(line, flush=True)
        if case.note:
            print(f"{'':<24}({case.note})")
        table += rows.values()
    if options.json:
        settings = {"repeat": options.repeat, "quick": options.quick}
        document = {"versions": about, **settings, "rows": [asdict(row) for row in table]}
        options.json.write_text(json.dumps(document, indent=1) + "\n")
    verdicts = [met for row in table for met in row.met]
    print(f"{verdicts.count(True)} of {len(verdicts)} bounds met, {verdicts.count(None)} could not be checked")
    return int(options.strict and not all(verdicts))


if __name__ == "__main__":
    sys.exit(main())
