"""mallocgc in a run: where objects come from, what they cost, who hears of them, and how a run ends with them."""

from __future__ import annotations

import pytest
from greenlet import getcurrent

from goruntime import Observer, go, run, runtime, time
from goruntime.base.errors import FatalError
from goruntime.base.events import MALLOC, MALLOC_LARGE, SPAN_REFILL
from goruntime.gc.malloc import ZEROBASE, malloc_cost, malloc_now, mallocgc, next_free, scan_bytes
from goruntime.heap.check import check_heap
from goruntime.heap.sizeclass import PAGE_SIZE, small_span_class
from goruntime.heap.span import EMPTY_SPAN
from goruntime.heap.sweep import sweep_all_but
from goruntime.kernel import costs
from goruntime.sync import WaitGroup

SPAN_48 = small_span_class(48, True)
ONE_P = {"gomaxprocs": 1}


class Listener(Observer):
    """Keeps what it hears."""

    def __init__(self) -> None:
        self.heard: list[tuple] = []

    def on_event(self, event) -> None:
        self.heard.append(event)


class Handle:
    """What stands for an object."""

    __slots__ = ("value",)

    def __init__(self, value: int) -> None:
        self.value = value


def this_m():
    return getcurrent().m


def test_each_path():
    def main():
        m = this_m()
        cache = m.p.mcache
        assert mallocgc(m, 0, 0) == ZEROBASE
        first = mallocgc(m, 3, 0)
        assert mallocgc(m, 3, 0) == first + 3
        assert mallocgc(m, 16, 0) % 16 == 0
        assert cache.alloc[small_span_class(16, False)] is EMPTY_SPAN
        assert mallocgc(m, 16, 8) != 0
        assert cache.alloc[small_span_class(16, False)] is not EMPTY_SPAN
        assert mallocgc(m, 1000, 8) % 16 == 8
        assert mallocgc(m, 32_761, 8) % PAGE_SIZE == 0
        check_heap(m.sched.heap)

    run(main, **ONE_P)


def test_what_it_costs_is_what_the_clock_says():
    sizes = [(1, 0), (16, 0), (48, 0), (48, 48), (1024, 0), (1016, 1016), (100_000, 0), (100_000, 8)]

    def main():
        m = this_m()
        for size, ptrdata in sizes:
            malloc_now(m, size, ptrdata)  # the refill
            before = m.clock
            malloc_now(m, size, ptrdata)
            assert m.clock - before == malloc_cost(size, ptrdata)
        malloc_now(m, 1024, 0)
        before = m.clock
        malloc_now(m, 1024, 0, zero=False)
        assert m.clock - before == costs.MALLOC

    run(main, **ONE_P)
    assert malloc_cost(0, 0) == 0
    assert malloc_cost(8, 8) > malloc_cost(8, 0)
    assert malloc_cost(65_536, 0) == costs.MALLOC_LARGE + 8 * costs.MALLOC_LARGE_PAGE


def test_a_refill_costs_more():
    def main():
        m = this_m()
        before = m.clock
        malloc_now(m, 48, 0)
        assert m.clock - before == malloc_cost(48, 0) + costs.SPAN_REFILL

    run(main, **ONE_P)


def test_scannable_bytes_are_added_up():
    assert [scan_bytes(*of) for of in ((48, 0), (48, 24), (1000, 8), (40_000, 8))] == [0, 24, 1024, 40_960]

    def main():
        m = this_m()
        cache, heap = m.p.mcache, m.sched.heap
        malloc_now(m, 48, 24)
        malloc_now(m, 1000, 8)
        assert (cache.scan_alloc, heap.heap_scan) == (1024, 24)  # the second refill has taken the first along

    run(main, **ONE_P)


def test_listeners_hear_of_every_object_and_the_run_is_the_same():
    def main():
        m = this_m()
        for _ in range(200):
            mallocgc(m, 48, 0)
        mallocgc(m, 3, 0)
        mallocgc(m, 3, 0)
        mallocgc(m, 100_000, 0)
        return m.clock, m.p.mcache.alloc[SPAN_48].alloc_count

    listener = Listener()
    silent = run(main, **ONE_P)
    assert run(main, observers=[listener], **ONE_P) == silent
    kinds = [event[0] for event in listener.heard]
    assert [kinds.count(kind) for kind in (MALLOC, MALLOC_LARGE, SPAN_REFILL)] == [203, 1, 3]
    assert len({event[5] for event in listener.heard if event[0] == MALLOC}) == 203


def test_a_goroutine_on_another_p_allocates_from_that_ps_span():
    """Two goroutines that are on two Ps at the same time never take from one span."""

    def main():
        spans: dict[int, set[int]] = {}
        wg = WaitGroup()

        def work():
            for _ in range(300):
                m = this_m()
                address = mallocgc(m, 48, 0)
                runtime.work(1e-6)
                spans.setdefault(address // PAGE_SIZE, set()).add(m.p.id)
            wg.done()

        wg.add(4)
        for _ in range(4):
            go(work)
        wg.wait()
        check_heap(this_m().sched.heap)
        return spans

    spans = run(main, gomaxprocs=4)
    assert len(set().union(*spans.values())) > 1
    assert all(len(ps) == 1 for ps in spans.values())


def test_fewer_ps_give_their_spans_and_the_correction_back():
    def main():
        heap = this_m().sched.heap
        wg = WaitGroup()

        def work():
            mallocgc(this_m(), 48, 0)
            runtime.work(0.01)
            wg.done()

        wg.add(3)
        for _ in range(3):
            go(work)
        wg.wait()
        held = [cache for cache in heap.caches if cache.alloc[SPAN_48] is not EMPTY_SPAN]
        live = heap.heap_live
        gone = [cache for cache in held if cache is not this_m().sched.allp[0].mcache]
        assert gone
        unused = sum(span.elemsize * (span.nelems - span.alloc_count) for cache in gone for span in cache.alloc)
        runtime.gomaxprocs(1)
        assert heap.heap_live == live - unused
        assert len(heap.caches) == 1
        check_heap(heap)
        runtime.gomaxprocs(3)
        assert len(heap.caches) == 3
        check_heap(heap)

    run(main, gomaxprocs=4)


def test_when_memory_runs_out_go_says_so():
    def main():
        memory = this_m().sched.heap.mheap.memory
        memory.limit_bytes = memory.vm_size
        mallocgc(this_m(), 64 << 20, 0)

    with pytest.raises(FatalError, match="fatal error: out of memory") as died:
        run(main, **ONE_P)
    first = str(died.value).splitlines()[0]
    assert first == "runtime: out of memory: cannot allocate 67108864-byte block (0 in use)"


def test_addresses_without_memory_behind_them_are_another_death():
    def main():
        mallocgc(this_m(), 1 << 46, 0)

    with pytest.raises(FatalError, match="fatal error: runtime: out of memory") as died:
        run(main, **ONE_P)
    assert str(died.value).startswith("fatal error: runtime: out of memory\n")


def test_the_runs_end_empties_the_table_and_what_python_holds_stays():
    def main():
        m = this_m()
        mem = m.p.mcache.mem
        held = mem[mallocgc(m, 48, 0)] = Handle(7)
        mem[mallocgc(m, 48, 0)] = Handle(8)
        return held, mem

    held, mem = run(main, **ONE_P)
    assert held.value == 7
    assert list(mem) == [0]
    with pytest.raises(RuntimeError, match="a run that is over"):
        mem[0xC000000000]


def test_a_slot_that_is_freed_is_found_again():
    def main():
        m = this_m()
        heap = m.sched.heap
        addresses = [mallocgc(m, 48, 0) for _ in range(70)]
        heap.mem[addresses[65]] = Handle(1)
        sweep_all_but(heap, [addresses[3], addresses[65]])
        assert [next_free(m, SPAN_48), mallocgc(m, 48, 0)] == [addresses[3], addresses[65]]
        check_heap(heap)

    run(main, **ONE_P)


def test_an_abandoned_goroutine_may_still_allocate():
    """In its `finally`, when the run is over."""
    got: list[int] = []

    def main():
        def left_behind():
            try:
                time.sleep(1)
            finally:
                got.append(mallocgc(this_m(), 48, 0))

        go(left_behind)
        time.sleep(0.001)

    run(main, **ONE_P)
    assert len(got) == 1
