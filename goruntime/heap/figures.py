"""The allocator's figures at one instant: what MemStats, package metrics and `goruntime heap` show.

Go: runtime/metrics.go heapStatsAggregate, sysStatsAggregate.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from .sizeclass import CLASS_TO_SIZE, SIZE_CLASS_COUNT

if TYPE_CHECKING:
    from .heap import Heap

NONE_BY_CLASS = (0,) * SIZE_CLASS_COUNT


class PageFigures(NamedTuple):
    """What the page heap counts. Units: bytes."""

    # Pages, by what they are used for. Free: still backed by the operating system. Released: not any more.
    heap_inuse: int = 0
    heap_free: int = 0
    heap_released: int = 0
    in_stacks: int = 0
    in_work_bufs: int = 0
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

    def total_sys(self) -> int:
        """From the operating system, for whatever purpose."""
        heap = self.heap_inuse + self.heap_free + self.heap_released + self.in_stacks + self.in_work_bufs
        records = self.mspan_sys + self.mcache_sys + self.buck_hash_sys + self.gc_misc_sys
        return heap + self.stacks_sys + records + self.other_sys


class ObjectFigures(NamedTuple):
    """Objects that were allocated and freed. Tiny ones share a block, which is counted with the others."""

    tiny_alloc_count: int = 0
    large_alloc: int = 0  # bytes
    large_alloc_count: int = 0
    large_free: int = 0  # bytes
    large_free_count: int = 0
    small_alloc_count: tuple[int, ...] = NONE_BY_CLASS  # by size class
    small_free_count: tuple[int, ...] = NONE_BY_CLASS
    heap_scan: int = 0  # bytes of objects, up to the last pointer in each

    @property
    def total_alloc(self) -> int:
        """Bytes of objects ever allocated."""
        return self.large_alloc + _bytes(self.small_alloc_count)

    @property
    def total_free(self) -> int:
        """Bytes of objects ever freed."""
        return self.large_free + _bytes(self.small_free_count)

    @property
    def alloc_count(self) -> int:
        """Objects ever allocated, of tiny ones the blocks."""
        return self.large_alloc_count + sum(self.small_alloc_count)

    @property
    def free_count(self) -> int:
        """Objects ever freed."""
        return self.large_free_count + sum(self.small_free_count)


class MemoryFigures(NamedTuple):
    """All of them."""

    pages: PageFigures = PageFigures()
    objects: ObjectFigures = ObjectFigures()

    @property
    def object_bytes(self) -> int:
        """Of objects, those that are dead but not swept included."""
        return self.objects.total_alloc - self.objects.total_free


def _bytes(count_by_class: tuple[int, ...]) -> int:
    return sum(size * count for size, count in zip(CLASS_TO_SIZE, count_by_class, strict=True))


def memory_figures(heap: Heap) -> MemoryFigures:
    """The figures of a heap as they are; what is in an mcache and has not been told yet is not in them.

    Go: runtime/metrics.go heapStatsAggregate.compute, sysStatsAggregate.compute.
    """
    counts = heap.counts
    return MemoryFigures(
        heap.mheap.page_figures(),
        ObjectFigures(
            tiny_alloc_count=counts.tiny_alloc_count,
            large_alloc=counts.large_alloc,
            large_alloc_count=counts.large_alloc_count,
            large_free=counts.large_free,
            large_free_count=counts.large_free_count,
            small_alloc_count=tuple(counts.small_alloc_count),
            small_free_count=tuple(counts.small_free_count),
            heap_scan=heap.heap_scan,
        ),
    )
