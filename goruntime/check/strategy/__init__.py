"""The strategies: who answers a controller's questions. One file each; this one knows them by name."""

from __future__ import annotations

from .dfs import DepthFirst
from .protocol import NotDeterministic, StopRun, Strategy
from .random_walk import RandomWalk

NAMES = ("random", "dfs")


def make_strategy(name: str, seed: int, preemption_bound: int | None) -> Strategy:
    """The strategy of that name.

    Raises: ValueError for a name that is none; TypeError and ValueError for a bound that cannot be.
    """
    if name not in NAMES:
        raise ValueError(f"there is no strategy {name!r}; there are: {', '.join(NAMES)}")
    if preemption_bound is not None:
        if isinstance(preemption_bound, bool) or not isinstance(preemption_bound, int):
            raise TypeError(f"preemption_bound must be an integer or None, not {type(preemption_bound).__name__}")
        if preemption_bound < 0:
            raise ValueError(f"preemption_bound must not be negative: {preemption_bound}")
        if name != "dfs":
            raise ValueError(f'preemption_bound belongs to strategy "dfs", not {name!r}')
    return DepthFirst(preemption_bound) if name == "dfs" else RandomWalk(seed)


__all__ = ["NAMES", "DepthFirst", "NotDeterministic", "RandomWalk", "StopRun", "Strategy", "make_strategy"]
