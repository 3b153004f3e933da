"""follow: exactly the steps of a schedule, or the name of the first that cannot be taken."""

from __future__ import annotations

from ...sched.ops import OP_NAMES
from ..actor import Actor
from ..schedule import Schedule, Step
from .protocol import StopRun


class Diverged(StopRun):
    """The program does not do what the schedule says; the text says where."""


class Follow:
    """One run, step by step."""

    sees_all = True

    def __init__(self, schedule: Schedule) -> None:
        self.steps = schedule.steps
        self.position = 0

    def begin(self) -> bool:
        """From the first step."""
        self.position = 0
        return True

    def pick(self, options: list[Actor]) -> int:
        """Whose step it is in the schedule."""
        can = [Step(actor.name.text, OP_NAMES[actor.op]) for actor in options]
        if self.position >= len(self.steps):
            raise Diverged(f"the schedule ends after step {len(self.steps)}, but the program goes on: {listed(can)}")
        wanted = self.steps[self.position]
        self.position += 1
        for index, step in enumerate(can):
            if step.who == wanted.who and step.op == wanted.op:
                return index
        raise Diverged(f"step {self.position} is {wanted} in the schedule, but what can happen is {listed(can)}")

    def pick_case(self, indices: list[int]) -> int:
        """The case that the schedule's last step names."""
        wanted = self.steps[self.position - 1]
        if wanted.case not in indices:
            raise Diverged(
                f"step {self.position} is {wanted} in the schedule, but the cases that are ready are {indices}"
            )
        return wanted.case

    def check_end(self) -> None:
        """The run is over: was that all?

        Raises: Diverged if steps are left.
        """
        if self.position < len(self.steps):
            missing = self.steps[self.position]
            raise Diverged(f"the program ended before step {self.position + 1}, which is {missing} in the schedule")


def listed(steps: list[Step]) -> str:
    """Steps, for a person."""
    return ", ".join(map(str, steps))
