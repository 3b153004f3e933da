"""random: everybody who can take a step is equally likely to, at every point."""

from __future__ import annotations

from ...base.choose import SCHEDULE, SELECT, SeededChooser
from ..actor import Actor


class RandomWalk:
    """Independent walks, one after another, from one seed."""

    sees_all = False

    def __init__(self, seed: int) -> None:
        self._choose = SeededChooser(seed).choose

    def begin(self) -> bool:
        """There is always another walk."""
        return True

    def pick(self, options: list[Actor]) -> int:
        """Anybody."""
        return self._choose(SCHEDULE, len(options))

    def pick_case(self, indices: list[int]) -> int:
        """Any."""
        return indices[self._choose(SELECT, len(indices))]
