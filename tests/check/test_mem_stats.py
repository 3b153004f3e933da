"""Reading the allocator's figures in every order: nothing is counted twice, nothing is lost."""

from __future__ import annotations

import pytest
from greenlet import getcurrent

from goruntime import go, metrics, runtime, sync
from goruntime.check import explore
from goruntime.gc.malloc import mallocgc


@pytest.mark.parametrize("strategy", ["dfs", "random"])
def test_readers_and_allocators_in_every_order(strategy):
    def main():
        group = sync.WaitGroup()
        before = runtime.read_mem_stats()
        seen = []

        def allocate():
            for _ in range(2):
                mallocgc(getcurrent().m, 48, 0)
                runtime.gosched()

        def read():
            stats = runtime.read_mem_stats()
            assert stats.heap_objects == stats.mallocs - stats.frees
            live = metrics.read(["/gc/heap/objects:objects"])["/gc/heap/objects:objects"]
            seen.append((stats.heap_objects, live))

        group.go(allocate)
        group.go(allocate)
        group.go(read)
        group.wait()
        ((objects, live),) = seen
        assert before.heap_objects <= objects <= live
        after = runtime.read_mem_stats()
        index = next(place for place, row in enumerate(after.by_size) if row.size == 48)
        assert after.by_size[index].mallocs - before.by_size[index].mallocs >= 4

    report = explore(main, strategy=strategy, schedules=400)
    assert not report.failures, report.failures[0].explain()
    assert report.schedules > 10


def test_a_stop_of_the_world_while_others_wait():
    def main():
        def other():
            runtime.read_mem_stats()

        go(other)
        runtime.read_mem_stats()
        runtime.gomaxprocs(2)

    report = explore(main, strategy="dfs", schedules=400)
    assert report.verdict == "proved", report.verdict
