"""All benchmarks, in the order of the table."""

from . import (
    alloc,
    coroutine,
    echo,
    explore,
    fields,
    handoff,
    mutex,
    scale,
    select,
    spawn,
    startup,
    switch,
    timers,
)

CASES = (
    *handoff.CASES,
    *spawn.CASES,
    *select.CASES,
    *mutex.CASES,
    *switch.CASES,
    *coroutine.CASES,
    *timers.CASES,
    *alloc.CASES,
    *echo.CASES,
    *explore.CASES,
    *startup.CASES,
    *scale.CASES,
    *fields.CASES,
)

__all__ = ["CASES"]
