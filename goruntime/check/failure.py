"""What can go wrong in a schedule, and how it is told.

A failure is the way in which a run ended, the schedule that leads there, and the steps of that schedule as they were
seen when it was run once more. `explain` shows who did what in which order, and why that is wrong.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..base.errors import Deadlock, FatalError, GoPanic, RuntimeFailure, Timeout
from ..observe.traceback import GoroutineRecord, Level, dump, dump_text, record_of
from .schedule import Schedule

if TYPE_CHECKING:
    from ..sched.g import G
    from ..sched.sched import Sched
    from .record import SeenStep

DEADLOCK, PANIC, FATAL, ASSERTION, LEAK, EXIT, LIVELOCK = (
    "deadlock", "panic", "fatal error", "assertion", "leak", "exit", "livelock",
)  # fmt: skip
COLUMN = 16  # characters of one goroutine's column
MAX_COLUMNS = 5  # more goroutines than that are named in one column
MAX_ROWS = 80  # of a table: the steps in the middle of a longer one are left out
WIDEST_SOURCE = 60


class Leak(RuntimeFailure):
    """Main has returned, and goroutines are blocked for ever; `.goroutines` says which, on what."""

    status = 1

    def __init__(self, left: Iterable[G]) -> None:
        records = tuple(record_of(gp) for gp in left)
        are = "goroutine is" if len(records) == 1 else "goroutines are"
        text = f"goroutine leak: main has returned, and {len(records)} {are} blocked for ever\n"
        super().__init__(text + dump_text(records), records)


def out_of_steps(sched: Sched, limit: int) -> Timeout:
    """The program does not come to an end."""
    records = dump(sched, Level(1, True, False))
    return Timeout(f"timeout: {limit} scheduling steps are over (max_steps)\n" + dump_text(records), records)


def no_io(sched: Sched, seconds: float) -> Timeout:
    """Nobody can go on, but some wait for I/O, which may still come from outside."""
    records = dump(sched, Level(1, True, False))
    text = f"timeout: nobody can go on, and the I/O that is waited for did not come for {seconds:g} s of real time\n"
    return Timeout(text + dump_text(records), records)


def kind_of(error: BaseException) -> str:
    """What kind of failure a run's end is."""
    if isinstance(error, GoPanic):
        return ASSERTION if isinstance(error.__cause__, AssertionError) else PANIC
    if isinstance(error, Deadlock):
        return DEADLOCK
    if isinstance(error, FatalError):
        return FATAL
    if isinstance(error, Leak):
        return LEAK
    if isinstance(error, Timeout):
        return LIVELOCK
    return EXIT


def headline(error: BaseException) -> str:
    """The first line of what it says."""
    if isinstance(error, SystemExit):
        return f"exit status {error.code}"
    return str(error).partition("\n")[0]


def signature(error: BaseException) -> tuple[Any, ...]:
    """What two failures have in common that are the same bug: kind, first line, and where everybody stands."""
    goroutines: tuple[GoroutineRecord, ...] = getattr(error, "goroutines", ())
    if isinstance(error, Timeout):
        return (LIVELOCK,)
    places = sorted((record.status, str(record.frames[:1])) for record in goroutines)
    return (kind_of(error), headline(error), *places)


@dataclass(slots=True)
class Failure:
    """One way in which the program fails, and the shortest schedule that was seen to lead there."""

    kind: str  # "deadlock", "panic", "fatal error", "assertion", "leak", "exit", or "livelock" (a suspicion)
    message: str  # the first line
    text: str  # everything, as `str` of what `run` would have raised
    exception: BaseException
    schedule: Schedule
    number: int  # the schedule was the number-th that was run, from 1
    count: int = 1  # how many schedules failed like this
    trace: tuple[SeenStep, ...] = ()
    names: dict[int, str] = field(default_factory=dict)  # goroutine ids in `text` -> names in the schedule
    functions: dict[str, str] = field(default_factory=dict)  # names -> what they run
    waits: dict[str, str] = field(default_factory=dict)  # names -> for what they wait at the end, and where
    is_reproducible: bool = True

    def explain(self) -> str:
        """Who did what, in order, and why it is wrong."""
        return "\n".join([*self._introduction(), "", *table(self.trace, self.functions), "", *self._why()]) + "\n"

    def _introduction(self) -> Iterable[str]:
        times = "" if self.count == 1 else f", and {self.count - 1} more like it"
        yield f"{self.kind}: {self.message}"
        yield f"in schedule {self.number}{times}: {len(self.schedule)} steps"
        if not self.is_reproducible:
            yield "It did not happen again under this schedule: something in the program differs from run to run."
        yield ""
        for name, function in self.functions.items():
            yield f"{name:>6}  {function}"

    def _why(self) -> Iterable[str]:
        goroutines: tuple[GoroutineRecord, ...] = getattr(self.exception, "goroutines", ())
        if self.kind in (DEADLOCK, LEAK):
            yield "Nobody can go on:" if self.kind == DEADLOCK else "Main has returned, and nothing can wake any more:"
            for name, what in self.waits.items():
                yield f"{name:>6}  {what}"
        elif self.kind == LIVELOCK:
            yield f"After {len(self.schedule)} steps the program was still running: either it never ends in this"
            yield "schedule, or it needs a larger max_steps. Who took the last steps:"
            for name, count in last_steps(self.schedule).items():
                yield f"{name:>6}  {count} of the last {min(len(self.schedule), 100)}"
        else:
            for record in goroutines[:1]:
                frame = f" at {record.frames[0].file}:{record.frames[0].line}" if record.frames else ""
                yield f"{self.names.get(record.goid, str(record.goid)):>6}  ended the program{frame}"
        yield ""
        yield f"Again: replay(main, {str(self.schedule)!r})"

    def __str__(self) -> str:
        return f"{self.kind}: {self.message} (schedule {self.number}, {len(self.schedule)} steps)"


def last_steps(schedule: Schedule) -> dict[str, int]:
    """How many of the last 100 steps each goroutine took."""
    counts: dict[str, int] = {}
    for step in schedule.steps[-100:]:
        counts[step.who] = counts.get(step.who, 0) + 1
    return counts


def table(trace: tuple[SeenStep, ...], functions: dict[str, str]) -> list[str]:
    """The steps, one column for each goroutine."""
    rows = [step for step in trace if step.is_worth_a_row()]
    names = list(functions) if len(functions) <= MAX_COLUMNS else []
    header = "".join(f"{name:<{COLUMN}}" for name in names) or f"{'who':<8}{'does':<{COLUMN * 2}}"
    lines = [f"{'step':>5}  {header}where"]
    skipped = len(rows) - MAX_ROWS
    for index, step in enumerate(rows):
        if skipped > 0 and index == MAX_ROWS // 2:
            lines.append(f"       ... {skipped} steps ...")
        if skipped > 0 and MAX_ROWS // 2 <= index < MAX_ROWS // 2 + skipped:
            continue
        what = step.what()
        if names:
            column = names.index(step.who) if step.who in names else 0
            text = " " * COLUMN * column + (what if step.who in names else f"({step.who}) {what}")
            text = f"{text:<{COLUMN * len(names)}}"
        else:
            text = f"{step.who:<8}{what:<{COLUMN * 2}}"
        source = f"  {step.source[:WIDEST_SOURCE]}" if step.source else ""
        place = f"{step.place}{source}" if step.place else ""
        lines.append(f"{step.number:>5}  {text}{' ' if not text.endswith(' ') else ''}{place}".rstrip())
    return lines
