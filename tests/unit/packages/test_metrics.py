"""Package runtime/metrics: which names there are, and that each counts what it says."""

from __future__ import annotations

from math import inf

import pytest
from greenlet import getcurrent

from goruntime import chan, debug, go, metrics, run, runtime, sync, time
from goruntime.gc.malloc import mallocgc
from goruntime.heap.sizeclass import CLASS_TO_SIZE
from goruntime.metrics import NOT_HERE, Float64Histogram
from goruntime.sched.status import SYSCALL
from tests.unit.sched.world import sched_here

from .running import OUTSIDE

NAMES = [description.name for description in metrics.all()]


def allocate(count, size, ptrdata=0):
    return [mallocgc(getcurrent().m, size, ptrdata) for _ in range(count)]


def one(name):
    return metrics.read([name])[name]


# Names and kinds.


def test_names_are_sorted_and_described():
    assert sorted(NAMES) == NAMES
    assert len(set(NAMES)) == 106  # Go's 108 without NOT_HERE; tests/behavior/metrics_dump compares them with Go's
    for description in metrics.all():
        assert description.description.endswith(".")
        assert description.kind in ("uint64", "float64", "float64histogram")


def test_every_value_is_of_its_kind():
    values = run(lambda: metrics.read(NAMES))
    assert list(values) == NAMES
    kinds = {"uint64": int, "float64": float, "float64histogram": Float64Histogram}
    for description in metrics.all():
        value = values[description.name]
        assert type(value) is kinds[description.kind], description.name
        if isinstance(value, Float64Histogram):
            assert len(value.counts) == len(value.buckets) - 1
            assert list(value.buckets) == sorted(value.buckets)


def test_all_is_the_callers_own():
    metrics.all().clear()
    assert len(metrics.all()) == 106


def test_any_iterable_of_names():
    def main():
        assert metrics.read([]) == {}
        assert metrics.read(name for name in ("/sched/gomaxprocs:threads",)) == {"/sched/gomaxprocs:threads": 4}
        twice = metrics.read(("/sched/gomaxprocs:threads", "/sched/gomaxprocs:threads"))
        assert twice == {"/sched/gomaxprocs:threads": 4}

    run(main)


@pytest.mark.parametrize(
    ("names", "error", "text"),
    [
        ("/gc/gogc:percent", TypeError, r"names must be several: write metrics.read\(\['/gc/gogc:percent'\]\)"),
        ([3], TypeError, "a name must be a string, not int"),
        (["/gc/gogc"], ValueError, "unknown metric '/gc/gogc'; did you mean '/gc/gogc:percent'?"),
        (["/sched/goroutine:goroutines"], ValueError, "did you mean '/sched/goroutines:goroutines'?"),
        ([""], ValueError, "unknown metric ''; did you mean "),
        (
            [NOT_HERE[0]],
            ValueError,
            "there is no '/gc/scan/globals:bytes' here: it measures the variables of a Go binary",
        ),
    ],
)
def test_what_is_refused(names, error, text):
    def main():
        with pytest.raises(error, match=text.replace("?", r"\?")):
            metrics.read(names)

    run(main)


def test_outside_a_goroutine():
    with pytest.raises(RuntimeError, match=f"metrics.read {OUTSIDE}"):
        metrics.read(NAMES)


# The heap.


def test_objects_are_counted_when_their_span_leaves_the_mcache():
    def main():
        before = one("/gc/heap/allocs:objects")
        allocate(10, 48)
        assert one("/gc/heap/allocs:objects") == before  # Go lags as well: see the package's docstring
        runtime.read_mem_stats()
        values = metrics.read(["/gc/heap/allocs:objects", "/gc/heap/objects:objects", "/gc/heap/frees:objects"])
        assert values["/gc/heap/allocs:objects"] - before == 10
        assert values["/gc/heap/objects:objects"] == values["/gc/heap/allocs:objects"]

    run(main, gomaxprocs=1)


def test_allocations_by_size():
    def main():
        runtime.read_mem_stats()
        before = one("/gc/heap/allocs-by-size:bytes")
        allocate(7, 48)
        allocate(3, 33_000)
        allocate(2, 1, 0)
        runtime.read_mem_stats()
        after = one("/gc/heap/allocs-by-size:bytes")
        assert (after.buckets[0], after.buckets[1], after.buckets[-1]) == (1, 9, inf)
        assert len(after.buckets) == 69
        grown = [new - old for new, old in zip(after.counts, before.counts, strict=True)]
        assert sum(grown) == 11
        assert grown[CLASS_TO_SIZE.index(48) - 1] == 7
        assert after.buckets[CLASS_TO_SIZE.index(48) - 1 : CLASS_TO_SIZE.index(48) + 1] == (33, 49)
        assert grown[-1] == 3
        assert grown[CLASS_TO_SIZE.index(16) - 1] == 1  # the block of both tiny objects
        assert one("/gc/heap/tiny/allocs:objects") == 1

    run(main, gomaxprocs=1)


def test_memory_classes_add_up_and_agree_with_mem_stats():
    def main():
        allocate(1_000, 100)
        allocate(1, 1 << 20)
        stats = runtime.read_mem_stats()
        classes = [name for name in NAMES if name.startswith("/memory/classes/")]
        values = metrics.read(classes)
        total = values.pop("/memory/classes/total:bytes")
        assert total == sum(values.values()) == stats.sys
        assert values["/memory/classes/heap/objects:bytes"] == stats.heap_alloc
        assert values["/memory/classes/heap/unused:bytes"] == stats.heap_inuse - stats.heap_alloc
        assert values["/memory/classes/heap/free:bytes"] == stats.heap_idle - stats.heap_released
        assert values["/memory/classes/heap/released:bytes"] == stats.heap_released
        assert values["/memory/classes/heap/stacks:bytes"] == stats.stack_inuse

    run(main)


def test_the_goal_and_the_knobs():
    def main():
        names = ["/gc/gogc:percent", "/gc/gomemlimit:bytes", "/gc/heap/goal:bytes"]
        assert list(metrics.read(names).values()) == [100, 2**63 - 1, 4 << 20]
        debug.set_gc_percent(-1)
        debug.set_memory_limit(1 << 30)
        off, limit, goal = metrics.read(names).values()
        assert (off, limit) == (2**64 - 1, 1 << 30)
        assert 0 < goal < 1 << 30
        assert runtime.read_mem_stats().next_gc == one("/gc/heap/goal:bytes")

    run(main)


# The scheduler.


def test_goroutines_by_what_they_do():
    def main():
        names = ["", "-created", "/running", "/runnable", "/waiting", "/not-in-go"]
        names = [f"/sched/goroutines{name}:goroutines" for name in names]
        time.sleep(1)  # until the runtime's own goroutines wait
        total, created, running, runnable, waiting, outside = metrics.read(names).values()
        assert (running, runnable, outside) == (1, 0, 0)
        assert total == created == waiting + 1
        ch = chan()
        for _ in range(5):
            go(ch.recv)
        runtime.gosched()
        for _ in range(3):
            go(time.sleep, 1)
        assert list(metrics.read(names).values()) == [total + 8, created + 8, 1, 3, waiting + 5, 0]
        ch.close()
        time.sleep(2)
        assert list(metrics.read(names).values()) == [total, created + 8, 1, 0, waiting, 0]

    run(main, gomaxprocs=1)


def test_goroutines_in_system_calls_with_and_without_a_p():
    def main():
        def call():
            time.sleep(1e-3)
            syscall(lambda: None, takes=1.0)

        for _ in range(3):
            go(call)
        runtime.work(2e-3)
        in_call = sum(gp.status == SYSCALL for gp in sched_here().allgs)
        assert in_call == one("/sched/goroutines/not-in-go:goroutines") > 0

    from goruntime import syscall

    run(main, gomaxprocs=2)


def test_threads_and_gomaxprocs():
    def main():
        assert one("/sched/gomaxprocs:threads") == 3
        runtime.gomaxprocs(2)
        assert one("/sched/gomaxprocs:threads") == 2
        sched = sched_here()
        assert one("/sched/threads/total:threads") == sched.m_count - sched.nmfreed

    run(main, gomaxprocs=3)


def test_pauses():
    def main():
        for name in ("stopping/other", "total/other"):
            assert sum(one(f"/sched/pauses/{name}:seconds").counts) == 0
        runtime.gomaxprocs(2)
        runtime.read_mem_stats()
        for name, count in (("stopping/other", 2), ("total/other", 2), ("stopping/gc", 0), ("total/gc", 0)):
            assert sum(one(f"/sched/pauses/{name}:seconds").counts) == count
        assert one("/gc/pauses:seconds") == one("/sched/pauses/total/gc:seconds")

    run(main)


def test_mutex_waits_in_seconds():
    def main():
        mu = sync.Mutex()
        mu.lock()
        go(mu.lock)
        runtime.gosched()
        runtime.work(0.5)
        mu.unlock()
        return one("/sync/mutex/wait/total:seconds")

    assert run(main, gomaxprocs=1) == pytest.approx(0.5, abs=0.02)


def test_latencies_are_counted_from_the_first_reading_on():
    def main():
        def burn():
            runtime.work(5e-3)

        for _ in range(3):
            go(burn)
        time.sleep(0.1)
        first = one("/sched/latencies:seconds")
        assert sum(first.counts) == 0
        for _ in range(3):
            go(burn)
        time.sleep(0.1)
        second = one("/sched/latencies:seconds")
        # Three goroutines that began to run, two of them after 5 and 10 ms, and main after its sleep.
        assert sum(second.counts) == 4
        slow = sum(count for count, bound in zip(second.counts, second.buckets, strict=False) if bound >= 4e-3)
        assert slow == 2
        return repr(second)

    assert run(main, gomaxprocs=1).startswith("<Float64Histogram: 4 from ")


def test_reading_is_charged_and_changes_no_order():
    def main(names):
        log = []

        def worker(number):
            for _ in range(3):
                metrics.read(names)
                log.append(number)
                runtime.gosched()

        for number in range(3):
            go(worker, number)
        time.sleep(1)
        start = time.now().ns
        metrics.read(names)
        return log, time.now().ns - start

    order, nothing = run(main, [], gomaxprocs=1)
    same, everything = run(main, NAMES, gomaxprocs=1)
    assert same == order
    assert everything - nothing == 25 * len(NAMES)


def test_the_same_run_gives_the_same_figures():
    def main():
        group = sync.WaitGroup()
        for number in range(8):
            group.go(lambda number=number: allocate(500, 8 * number + 8, 8))
        group.wait()
        return metrics.read(NAMES), runtime.read_mem_stats()

    assert run(main, seed=5) == run(main, seed=5)
