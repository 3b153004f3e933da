"""docs/states.md: the states of goroutines and Ps, from the tables that the checked doors of sched/status.py use."""

from __future__ import annotations

from pathlib import Path

from goruntime.sched import status

TARGET = "states.md"

INTRODUCTION = """\
# States

Made from the tables in [goruntime/sched/status.py](../goruntime/sched/status.py) by `./dev docs`: change them there.
With `GORUNTIME_DEBUG=1`, as in all tests, a transition that is not listed here ends the run.
"""


def machine(title: str, names: dict[int, str], edges: dict[tuple[int, int], str]) -> str:
    """A diagram and a table of one state machine."""
    diagram = "\n".join(f"    {names[old]} --> {names[new]}" for old, new in edges)
    table = "\n".join(f"| {names[old]} | {names[new]} | {who} |" for (old, new), who in edges.items())
    return (
        f"## {title}\n\n```mermaid\nstateDiagram-v2\n{diagram}\n```\n\n"
        f"| from | to | who makes the change |\n|---|---|---|\n{table}\n"
    )


def generate(package: Path) -> str:
    """The page."""
    return "\n".join(
        [
            INTRODUCTION,
            machine("Goroutines", status.STATUS_NAMES, status.G_EDGES),
            machine("Ps", status.PSTATUS_NAMES, status.P_EDGES),
        ]
    )
