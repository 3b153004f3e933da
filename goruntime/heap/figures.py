"""The allocator's figures at one instant: what MemStats, package metrics and `goruntime heap` show.

Go: runtime/metrics.go heapStatsAggregate, sysStatsAggregate.
"""

from __future__ import annotations

from typing import NamedTuple

from .sizeclass import CLASS_TO_SIZE, SIZE_CLASS_COUNT

NONE_BY_CLASS = (0,) * SIZE_CLASS_COUNT


class MemoryFigures(NamedTuple):
    """Units: bytes, where it does not say count. What a run has not touched is 0."""

    # Pages of the heap, by what they are used for. Free: still backed by the operating system. Released: not any more.
    heap_inuse: int = 0
    heap_free: int = 0
    heap_released: int = 0
    in_stacks: int = 0
    in_work_bufs: int = 0
    # Objects. Tiny ones share a block, which is counted with the others.
    tiny_alloc_count: int = 0
    large_alloc: int = 0
    large_alloc_count: int = 0
    large_free: int = 0
    large_free_count: int = 0
    small_alloc_count: tuple[int, ...] = NONE_BY_CLASS  # by size class
    small_free_count: tuple[int, ...] = NONE_BY_CLASS
    heap_scan: int = 0  # of objects: up to the last pointer in each
    # Outside the heap.
    stacks_sys: int = 0
    mspan_inuse: int = 0
    mspan_sys: int = 0
    mcache_inuse: int = 0
    mcache_sys: int = 0
    buck_hash_sys: int = 0
    gc_misc_sys: int = 0
    other_sys: int = 0
    # The operating system's view.
    mapped_ready: int = 0  # mapped, and not released
    resident: int = 0  # touched, and not given back

    @property
    def total_alloc(self) -> int:
        """Of objects ever allocated."""
        return self.large_alloc + _bytes(self.small_alloc_count)

    @property
    def total_free(self) -> int:
        """Of objects ever freed."""
        return self.large_free + _bytes(self.small_free_count)

    def total_sys(self) -> int:
        """From the operating system, for whatever purpose."""
        heap = self.heap_inuse + self.heap_free + self.heap_released + self.in_stacks + self.in_work_bufs
        records = self.mspan_sys + self.mcache_sys + self.buck_hash_sys + self.gc_misc_sys
        return heap + self.stacks_sys + records + self.other_sys


def _bytes(count_by_class: tuple[int, ...]) -> int:
    return sum(size * count for size, count in zip(CLASS_TO_SIZE, count_by_class, strict=True))
