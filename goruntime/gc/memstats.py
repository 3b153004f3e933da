"""What `runtime.read_mem_stats` tells: every figure of the memory allocator, at one instant.

Only what was freed is counted while the program runs; what lives is the rest. The identities that follow hold in every
MemStats:

* alloc = heap_alloc = total_alloc - (bytes freed); heap_objects = mallocs - frees.
* heap_sys = heap_inuse + heap_idle; heap_idle is free pages, those given back (heap_released) included.
* sys = heap_sys + stack_sys + mspan_sys + mcache_sys + buck_hash_sys + gc_sys + other_sys.

A tiny object is counted in mallocs and in frees, at once: only the block it lies in is really allocated.

Go: runtime/mstats.go MemStats, readmemstats_m.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ..heap.sizeclass import CLASS_TO_SIZE
from .pacer import InUse

if TYPE_CHECKING:
    from ..heap.figures import MemoryFigures
    from .pacer import Pacer

BY_SIZE_COUNT = 61  # classes in by_size; the larger ones are in the totals only, as in Go
PAUSE_COUNT = 256


class BySize(NamedTuple):
    """One size class: objects of at most `size` bytes."""

    size: int
    mallocs: int
    frees: int


class MemStats(NamedTuple):
    """The memory allocator's figures, as Go names them. Units: bytes, where nothing else is said.

    Differs: what the collector and specials need beside the heap is not accounted for yet (in gc_sys and other_sys).
    Differs: there are no profiler's tables (buck_hash_sys), and no collector yet: its fields read as before a cycle.
    Go: runtime/mstats.go MemStats.
    """

    alloc: int  # of objects, those that are dead but not swept included: heap_alloc
    total_alloc: int  # of objects ever allocated
    sys: int  # from the operating system: the sum of all *_sys
    lookups: int  # always 0, as in Go
    mallocs: int  # objects ever allocated
    frees: int  # objects ever freed
    heap_alloc: int
    heap_sys: int  # of address space for the heap, without stacks
    heap_idle: int  # in spans that nobody uses
    heap_inuse: int  # in spans that hold objects, or could
    heap_released: int  # of heap_idle: given back to the operating system
    heap_objects: int  # number of objects
    stack_inuse: int  # in spans for stacks
    stack_sys: int
    mspan_inuse: int
    mspan_sys: int
    mcache_inuse: int
    mcache_sys: int
    buck_hash_sys: int
    gc_sys: int
    other_sys: int
    next_gc: int  # the heap's goal
    last_gc: int  # when the last cycle ended: ns since 1970
    pause_total_ns: int
    pause_ns: tuple[int, ...]  # a ring: the last cycle is at (num_gc + 255) % 256
    pause_end: tuple[int, ...]
    num_gc: int
    num_forced_gc: int
    gc_cpu_fraction: float
    enable_gc: bool
    debug_gc: bool
    by_size: tuple[BySize, ...]


def in_use(figures: MemoryFigures) -> InUse:
    """What a memory limit is compared with."""
    return InUse(figures.pages.mapped_ready, figures.pages.heap_free, figures.object_bytes)


def mem_stats(figures: MemoryFigures, pacer: Pacer) -> MemStats:
    """The record, from the heap's own figures; the mcaches have been flushed.

    Go: runtime/mstats.go readmemstats_m.
    """
    pages, objects = figures
    heap_idle = pages.heap_free + pages.heap_released
    mallocs = objects.alloc_count + objects.tiny_alloc_count
    frees = objects.free_count + objects.tiny_alloc_count
    rows = zip(CLASS_TO_SIZE, objects.small_alloc_count, objects.small_free_count, strict=True)
    return MemStats(
        alloc=figures.object_bytes,
        total_alloc=objects.total_alloc,
        sys=pages.total_sys(),
        lookups=0,
        mallocs=mallocs,
        frees=frees,
        heap_alloc=figures.object_bytes,
        heap_sys=pages.heap_inuse + heap_idle,
        heap_idle=heap_idle,
        heap_inuse=pages.heap_inuse,
        heap_released=pages.heap_released,
        heap_objects=mallocs - frees,
        stack_inuse=pages.in_stacks,
        stack_sys=pages.in_stacks + pages.stacks_sys,
        mspan_inuse=pages.mspan_inuse,
        mspan_sys=pages.mspan_sys,
        mcache_inuse=pages.mcache_inuse,
        mcache_sys=pages.mcache_sys,
        buck_hash_sys=pages.buck_hash_sys,
        gc_sys=pages.gc_misc_sys + pages.in_work_bufs,
        other_sys=pages.other_sys,
        next_gc=pacer.heap_goal(in_use(figures)),
        last_gc=0,
        pause_total_ns=0,
        pause_ns=(0,) * PAUSE_COUNT,
        pause_end=(0,) * PAUSE_COUNT,
        num_gc=0,
        num_forced_gc=0,
        gc_cpu_fraction=0.0,
        enable_gc=True,
        debug_gc=False,
        by_size=tuple(BySize(*row) for row in rows)[:BY_SIZE_COUNT],
    )
