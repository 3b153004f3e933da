"""What a controller asks a strategy."""

from __future__ import annotations

from typing import Protocol

from ..actor import Actor


class StopRun(Exception):
    """A strategy cannot answer: this run is over."""


class NotDeterministic(StopRun):
    """The program took another way than before under the same choices."""


class Strategy(Protocol):
    """Who answers the questions of one exploration, schedule after schedule. It may raise StopRun, nothing else."""

    sees_all: bool  # wants to be asked also when there is only one answer

    def begin(self) -> bool:
        """A new run is about to begin. False: there is none left, and no run begins."""
        ...

    def pick(self, options: list[Actor]) -> int:
        """Whose step is next; negative: this run is not worth going on with."""
        ...

    def pick_case(self, indices: list[int]) -> int:
        """Which case of a select is taken: one of several indices."""
        ...
