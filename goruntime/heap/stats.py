"""What the page heap counts, and what must be equal in it.

Two accounts are kept, as in Go. One by state, which pacing reads at any time: pages in use for objects, free, released,
and all that is mapped and Ready. One of deltas that are written together, which MemStats reads: committed, released,
in the heap, in stacks, in work buffers. They are kept at different places, so their agreement proves something.

Go: runtime/mstats.go sysMemStat, heapStatsDelta, consistentHeapStats, readmemstats_m (go1.27).
Differs: the deltas are one record, not a ring of three: nobody else runs while one is written.
Units: bytes. Invariant: check().
"""

from __future__ import annotations

from ..base.errors import throw


class SysMemStat:
    """Bytes from the operating system for one purpose.

    Go: runtime/mstats.go sysMemStat.
    """

    __slots__ = ("bytes",)

    def __init__(self) -> None:
        self.bytes = 0

    def add(self, delta: int) -> None:
        """So many more, or fewer.

        Go: runtime/mstats.go sysMemStat.add.
        """
        self.bytes += delta
        if self.bytes < 0:
            throw("sysMemStat overflow")


class PageStats:
    """All of them, for one heap."""

    __slots__ = (
        "buck_hash_sys", "committed", "gc_misc_sys", "heap_free", "heap_in_use", "heap_released", "in_heap",
        "in_stacks", "in_work_bufs", "mapped_ready", "mcache_sys", "mspan_sys", "other_sys", "released", "stacks_sys",
    )  # fmt: skip

    def __init__(self) -> None:
        # By state; runtime/mgcpacer.go gcControllerState has them in Go.
        self.heap_in_use = SysMemStat()  # in spans for objects
        self.heap_free = SysMemStat()  # in no span, still backed
        self.heap_released = SysMemStat()  # in no span, given back
        self.mapped_ready = 0  # all that is Ready, whatever for
        # Written together.
        self.committed = 0  # backed, in any span or none
        self.released = 0
        self.in_heap = 0
        self.in_stacks = 0
        self.in_work_bufs = 0
        # Outside the arenas.
        self.stacks_sys = SysMemStat()  # of threads
        self.mspan_sys = SysMemStat()
        self.mcache_sys = SysMemStat()
        self.buck_hash_sys = SysMemStat()  # of the profiler
        self.gc_misc_sys = SysMemStat()
        self.other_sys = SysMemStat()

    def heap_retained(self) -> int:
        """An estimate of what of the heap is resident.

        Go: runtime/mgcscavenge.go heapRetained.
        """
        return self.heap_in_use.bytes + self.heap_free.bytes

    def heap_mapped(self) -> int:
        """All pages of the arenas that are mapped and not in stacks or work buffers."""
        return self.heap_in_use.bytes + self.heap_free.bytes + self.heap_released.bytes

    def total_mapped(self) -> int:
        """All that came from the operating system: MemStats.Sys."""
        records = self.stacks_sys, self.mspan_sys, self.mcache_sys, self.buck_hash_sys, self.gc_misc_sys, self.other_sys
        return self.heap_mapped() + sum(stat.bytes for stat in records) + self.in_stacks + self.in_work_bufs

    def check(self) -> None:
        """Both accounts agree.

        Go: runtime/mstats.go readmemstats_m.
        """
        if self.heap_in_use.bytes != self.in_heap:
            throw("heapInUse and consistent stats are not equal")
        if self.heap_released.bytes != self.released:
            throw("heapReleased and consistent stats are not equal")
        if self.heap_retained() != self.committed - self.in_stacks - self.in_work_bufs:
            throw("measures of the retained heap are not equal")
        if self.mapped_ready != self.total_mapped() - self.released:
            throw("mappedReady and other memstats are not equal")
