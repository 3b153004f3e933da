"""runtime.read_mem_stats: Go's identities, and figures that are exact."""

from __future__ import annotations

import pytest
from greenlet import getcurrent

from goruntime import go, run, runtime, sync
from goruntime.gc.malloc import mallocgc
from goruntime.heap.sizeclass import CLASS_TO_SIZE
from goruntime.heap.sweep import sweep_all_but
from tests.unit.sched.world import records, sched_here

from .running import OUTSIDE

COUNTERS = ("mallocs", "frees", "total_alloc", "heap_alloc", "heap_inuse", "heap_objects")


def allocate(count, size, ptrdata=0):
    return [mallocgc(getcurrent().m, size, ptrdata) for _ in range(count)]


def check_identities(m):
    assert m.alloc == m.heap_alloc
    assert m.heap_objects == m.mallocs - m.frees
    assert m.heap_sys == m.heap_inuse + m.heap_idle
    assert 0 <= m.heap_released <= m.heap_idle
    assert m.sys == sum((m.heap_sys, m.stack_sys, m.mspan_sys, m.mcache_sys, m.buck_hash_sys, m.gc_sys, m.other_sys))
    assert m.heap_alloc <= m.heap_inuse
    assert m.mspan_inuse <= m.mspan_sys
    assert m.mcache_inuse <= m.mcache_sys
    assert len(m.by_size) == 61
    assert [row.size for row in m.by_size] == list(CLASS_TO_SIZE[:61])
    assert m.by_size[60].size == 18432  # memstats_delta.out
    assert (len(m.pause_ns), len(m.pause_end)) == (256, 256)
    assert (m.enable_gc, m.debug_gc, m.lookups) == (True, False, 0)


def change(before, after):
    return {name: getattr(after, name) - getattr(before, name) for name in COUNTERS}


# The deltas of memstats_delta.out: what 1,000 objects of each size add.
@pytest.mark.parametrize(
    ("size", "slot", "inuse"),
    [
        *[(16, 16, 16_384), (1000, 1024, 1_024_000), (5000, 5376, 5_472_256)],
        *[(32_768, 32_768, 32_768_000), (40_000, 40_960, 40_960_000)],
    ],
)
def test_a_thousand_objects(size, slot, inuse):
    def main():
        before = runtime.read_mem_stats()
        addresses = allocate(1_000, size)
        after = runtime.read_mem_stats()
        for stats in (before, after):
            check_identities(stats)
        assert change(before, after) == {
            "mallocs": 1_000, "frees": 0, "total_alloc": 1_000 * slot, "heap_alloc": 1_000 * slot,
            "heap_inuse": inuse, "heap_objects": 1_000,
        }  # fmt: skip
        if slot <= 18_432:
            index = CLASS_TO_SIZE.index(slot)
            assert after.by_size[index].mallocs - before.by_size[index].mallocs == 1_000
        sweep_all_but(sched_here().heap, addresses[::2])
        swept = runtime.read_mem_stats()
        check_identities(swept)
        assert change(after, swept) | {"heap_inuse": 0} == {
            "mallocs": 0, "frees": 500, "total_alloc": 0, "heap_alloc": -500 * slot, "heap_inuse": 0,
            "heap_objects": -500,
        }  # fmt: skip

    run(main, gomaxprocs=1)


def test_tiny_objects_are_allocated_and_freed_at_once():
    def main():
        before = runtime.read_mem_stats()
        allocate(4_800, 1)
        after = runtime.read_mem_stats()
        # memgc: 4,800 int8 are 300 blocks.
        assert change(before, after) | {"heap_inuse": 0} == {
            "mallocs": 4_800, "frees": 4_500, "total_alloc": 4_800, "heap_alloc": 4_800, "heap_inuse": 0,
            "heap_objects": 300,
        }  # fmt: skip
        assert after.by_size[2].mallocs - before.by_size[2].mallocs == 300

    run(main, gomaxprocs=1)


def test_reading_flushes_every_mcache():
    def main():
        group = sync.WaitGroup()
        for _ in range(4):
            group.go(lambda: allocate(10, 64))
        group.wait()
        runtime.read_mem_stats()
        for pp in sched_here().allp:
            assert all(span.nelems == 0 for span in pp.mcache.alloc)
        first = allocate(1, 1)[0]
        runtime.read_mem_stats()
        assert allocate(1, 1)[0] != first + 1  # the block that tiny objects share was given up

    run(main, gomaxprocs=4)


def test_reading_stops_the_world():
    def main():
        go(runtime.work, 50e-6)
        go(runtime.work, 50e-6)
        runtime.gosched()
        runtime.read_mem_stats()

    stops = [record["reason"] for record in records(main, "stw_begin", gomaxprocs=2)]
    assert stops == ["read mem stats"]


def test_reading_twice_changes_nothing():
    def main():
        allocate(1_000, 24, 8)
        return runtime.read_mem_stats(), runtime.read_mem_stats()

    first, second = run(main)
    assert first == second


def test_the_record_is_immutable():
    stats = run(runtime.read_mem_stats)
    with pytest.raises(AttributeError):
        stats.alloc = 3
    with pytest.raises(AttributeError):
        stats.by_size[1].mallocs = 3


def test_what_belongs_to_the_collector_reads_as_before_the_first_cycle():
    stats = run(runtime.read_mem_stats)
    assert (stats.next_gc, stats.last_gc, stats.num_gc, stats.num_forced_gc) == (4 << 20, 0, 0, 0)
    assert (stats.pause_total_ns, sum(stats.pause_ns), stats.gc_cpu_fraction) == (0, 0, 0.0)
    assert run(runtime.read_mem_stats, gogc=50).next_gc == 2 << 20


def test_outside_a_goroutine():
    with pytest.raises(RuntimeError, match=f"runtime.read_mem_stats {OUTSIDE}"):
        runtime.read_mem_stats()


def test_in_the_finally_of_an_abandoned_goroutine():
    seen = []

    def main():
        def worker():
            try:
                runtime.work(1)
            finally:
                seen.append(runtime.read_mem_stats())

        go(worker)
        runtime.work(1e-4)

    run(main, gomaxprocs=2)
    assert len(seen) == 1
    check_identities(seen[0])
