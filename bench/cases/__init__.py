"""All benchmarks, in the order of the table."""

from . import explore, handoff, scale, select, spawn, startup, switch

CASES = (
    *handoff.CASES,
    *spawn.CASES,
    *select.CASES,
    *switch.CASES,
    *explore.CASES,
    *startup.CASES,
    *scale.CASES,
)

__all__ = ["CASES"]
