"""What exploration says about a program of brute.py, in the same words as brute force."""

from __future__ import annotations

import ast
from typing import Any

from goruntime.base.config import make_config
from goruntime.base.errors import Deadlock, FatalError, GoPanic
from goruntime.check.controller import Pruned
from goruntime.check.failure import Leak
from goruntime.check.report import Report
from goruntime.check.runner import Exploration
from goruntime.check.strategy import make_strategy

from . import brute, brute_sync
from .brute import Outcome, Program
from .brute_sync import SyncProgram


class Collector(Exploration):
    """Notes how every single schedule ended."""

    found: set[Outcome]

    def _count(self, error: BaseException | None) -> None:
        super()._count(error)
        if not isinstance(error, Pruned):
            self.found.add(outcome(error, self.controller.returned))


def outcome(error: BaseException | None, returned: str) -> Outcome:
    if error is None or isinstance(error, Leak):
        left = () if error is None else tuple(sorted(number(record) for record in error.goroutines))
        return ("returned", *ast.literal_eval(returned), left)
    if isinstance(error, Deadlock):
        return ("deadlock",)
    assert isinstance(error, (GoPanic, FatalError)), error
    return ("panic", str(error).partition("\n")[0].removeprefix("panic: "))


def number(record: Any) -> int:
    """Which of the program's goroutines g0, g1, ... this is."""
    return int(record.frames[-1].function.rpartition(".")[2][1:])


def load(program: Program | SyncProgram) -> Any:
    """main() of a program."""
    text = brute.source(program) if isinstance(program, Program) else brute_sync.source(program)
    names: dict[str, Any] = {"__name__": "made_for_this_test"}
    exec(compile(text, "<made for this test>", "exec"), names)
    return names["main"]


def explored(
    main: Any, strategy: str = "dfs", schedules: int = 100_000, bound: int | None = None, quiet: bool = True
) -> tuple[set[Outcome], Report]:
    """Every outcome that a strategy finds, and its report."""
    config = make_config({}, 4)
    exploration = Collector(
        main, (), config, make_strategy(strategy, 0, bound), Report(strategy, 0), max_steps=10_000, leaks=True
    )
    if not quiet:
        exploration.controller.quiet = None
    exploration.found = set()
    report = exploration.run(schedules, stop_on_failure=False, output=False)
    return exploration.found, report
