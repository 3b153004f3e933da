"""When the next collection should be over: the heap's goal, from GOGC and GOMEMLIMIT.

The goal is how large the heap may be when a cycle ends: what the last cycle left, and GOGC percent of that on top, but
at least 4 MiB * GOGC/100. A memory limit can only lower it: to what is left of the limit when everything that is no
object of the heap is taken away, less 3 % (at least 1 MiB) of headroom.

Nothing has been marked before the first cycle, so until then the goal is the minimum, or what the limit leaves.

Go: runtime/mgcpacer.go gcControllerState.
Units: bytes, percent.
"""

from __future__ import annotations

from typing import NamedTuple

DEFAULT_HEAP_MINIMUM = 4 << 20
DEFAULT_GC_PERCENT = 100
GC_OFF = -1
NO_LIMIT = (1 << 63) - 1
NO_GOAL = (1 << 64) - 1  # the goal of GOGC=off: Go's ^uint64(0)
HEADROOM_PERCENT = 3
MIN_HEADROOM = 1 << 20


class InUse(NamedTuple):
    """What the memory limit is compared with."""

    mapped_ready: int  # from the operating system, and not given back
    heap_free: int  # of that: free pages of the heap
    heap_alloc: int  # of that: objects


class Pacer:
    """What GOGC and GOMEMLIMIT say. One for each run."""

    __slots__ = ("gc_percent", "heap_marked", "heap_minimum", "memory_limit")

    def __init__(self, gc_percent: int = DEFAULT_GC_PERCENT, memory_limit: int = NO_LIMIT) -> None:
        self.heap_marked = 0  # what the last cycle found reachable
        self.set_gc_percent(gc_percent)
        self.memory_limit = memory_limit

    def set_gc_percent(self, percent: int) -> None:
        """Set GOGC; any negative number is off.

        Go: runtime/mgcpacer.go gcControllerState.setGCPercent.
        """
        self.gc_percent = percent if percent >= 0 else GC_OFF
        self.heap_minimum = DEFAULT_HEAP_MINIMUM * percent // 100 if percent >= 0 else NO_GOAL

    def heap_goal(self, in_use: InUse) -> int:
        """The goal; NO_GOAL if nothing limits the heap.

        Go: runtime/mgcpacer.go gcControllerState.heapGoal, heapGoalInternal, commit.
        """
        goal = NO_GOAL
        if self.gc_percent >= 0:
            goal = max(self.heap_marked + self.heap_marked * self.gc_percent // 100, self.heap_minimum)
        return min(goal, self.memory_limit_heap_goal(in_use))

    def memory_limit_heap_goal(self, in_use: InUse) -> int:
        """The goal that keeps the whole program below the memory limit.

        Go: runtime/mgcpacer.go gcControllerState.memoryLimitHeapGoal.
        """
        limit = self.memory_limit
        not_heap = in_use.mapped_ready - in_use.heap_free - in_use.heap_alloc
        overage = max(in_use.mapped_ready - limit, 0)
        if not_heap + overage >= limit:
            return self.heap_marked  # nothing helps but collecting all the time
        goal = limit - (not_heap + overage)
        headroom = max(goal // 100 * HEADROOM_PERCENT, MIN_HEADROOM)
        return max(goal - headroom, headroom, self.heap_marked)
