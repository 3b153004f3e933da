"""The heap's goal before the first collection: what GOGC and GOMEMLIMIT say."""

from __future__ import annotations

import pytest

from goruntime.gc.pacer import MIN_HEADROOM, NO_LIMIT, InUse, Pacer

MIB = 1 << 20
NOTHING = InUse(0, 0, 0)


@pytest.mark.parametrize(
    ("percent", "goal"),
    [(100, 4 * MIB), (50, 2 * MIB), (200, 8 * MIB), (400, 16 * MIB), (0, 0), (1, 41943), (33, 1384120)],
)
def test_goal_of_a_heap_that_was_never_collected(percent: int, goal: int) -> None:
    assert Pacer(percent).heap_goal(NOTHING) == goal


def test_off_leaves_what_the_memory_limit_leaves() -> None:
    pacer = Pacer(-5)
    assert pacer.gc_percent == -1
    # Go prints this as NextGC with GOGC=off: even no limit is one.
    goal = NO_LIMIT - NO_LIMIT // 100 * 3
    assert pacer.heap_goal(NOTHING) == goal


# Hand-computed from runtime/mgcpacer.go memoryLimitHeapGoal.
def test_the_limit_lowers_the_goal() -> None:
    limit = 64 * MIB
    pacer = Pacer(-1, limit)
    # 10 MiB mapped, of it 2 MiB free and 5 MiB objects: 3 MiB that the heap cannot have, and 3 % of headroom.
    goal = limit - 3 * MIB
    assert pacer.heap_goal(InUse(10 * MIB, 2 * MIB, 5 * MIB)) == goal - goal // 100 * 3
    # Small limits keep at least 1 MiB of headroom.
    assert Pacer(-1, 8 * MIB).heap_goal(NOTHING) == 7 * MIB
    assert Pacer(-1, MIB).heap_goal(NOTHING) == MIN_HEADROOM
    # What is over the limit counts twice: it must be made up for.
    assert Pacer(-1, 32 * MIB).heap_goal(InUse(36 * MIB, 0, 30 * MIB)) == 32 * MIB - 10 * MIB - MIN_HEADROOM
    # Nothing helps any more: collect all the time.
    assert Pacer(-1, 4 * MIB).heap_goal(InUse(9 * MIB, 0, MIB)) == 0


def test_the_lower_of_two_goals_holds() -> None:
    assert Pacer(100, 64 * MIB).heap_goal(NOTHING) == 4 * MIB
    assert Pacer(1600, 64 * MIB).heap_goal(NOTHING) == 64 * MIB - 64 * MIB // 100 * 3


def test_go_printed_these() -> None:
    # gc_api.out: a limit of 64 MiB and GOGC=1000 leave the goal of GOGC.
    assert Pacer(1000, 64 * MIB).heap_goal(InUse(4 * MIB, 0, 0)) == 41943040
