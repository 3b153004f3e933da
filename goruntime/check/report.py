"""What an exploration has found, with the evidence for it: a pass that does not say what it tried is worth nothing."""

from __future__ import annotations

from dataclasses import dataclass, field

from .failure import Failure

PROVED, PASSED, FAILED, INCONCLUSIVE = "proved", "passed", "failed", "inconclusive"


@dataclass(slots=True)
class Report:
    """The result of `explore`."""

    strategy: str
    seed: int
    verdict: str = INCONCLUSIVE
    why_stopped: str = ""
    failures: list[Failure] = field(default_factory=list)  # one for each way to fail, in the order they were found
    suspects: list[Failure] = field(default_factory=list)  # schedules that did not end within max_steps
    schedules: int = 0  # runs that were begun
    pruned: int = 0  # of these: given up as equal to an earlier one
    failed: int = 0  # of these: failed
    distinct_traces: int = 0  # different sequences of steps among the schedules that were run to their end
    points: int = 0  # steps taken in all schedules
    choices: int = 0  # of these: chosen among several
    longest: int = 0  # steps of the longest schedule
    rechecked: int = 0  # schedules that were run twice, to see whether the program is deterministic
    results: dict[str, int] = field(default_factory=dict)  # repr of what main returned -> in how many schedules
    notes: list[str] = field(default_factory=list)  # what limits the verdict

    @property
    def failure(self) -> Failure | None:
        """The first failure, if there is one."""
        return self.failures[0] if self.failures else None

    def __bool__(self) -> bool:
        """Nothing wrong was found."""
        return self.verdict in (PROVED, PASSED)

    def __str__(self) -> str:
        runs = f"{self.schedules:,} schedules"
        if self.pruned:
            runs += f" ({self.pruned:,} given up as equal to others)"
        lines = [
            f"{self.verdict}: {self.why_stopped}",
            f"  {self.strategy}, seed {self.seed}: {runs}, {self.distinct_traces:,} distinct traces",
            f"  {self.points:,} scheduling points, {self.choices:,} with a choice; at most {self.longest:,} a schedule",
        ]
        lines += [f"  {note}" for note in self.notes]
        lines += [f"  {failure}" for failure in (*self.failures, *self.suspects)]
        return "\n".join(lines)
