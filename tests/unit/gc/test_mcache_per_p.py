"""An mcache for each P, in a running program: who allocates takes slots from the P it is on, whoever it was before."""

from __future__ import annotations

import random

import pytest
from greenlet import getcurrent

from goruntime import Observer, chan, go, run, runtime
from goruntime.base.errors import Throw
from goruntime.gc.malloc import mallocgc
from goruntime.heap.check import check_heap
from goruntime.heap.sizeclass import small_span_class
from goruntime.heap.span import EMPTY_SPAN
from goruntime.heap.sweep import sweep_all_but
from tests.model.invariants import checked_at_every_step

SIZE, SLOTS = 352, 22
SPC = small_span_class(SIZE, True)
SIZES = ((8, 8), (16, 0), (48, 16), (352, 0), (352, 8), (1000, 8), (5000, 0), (40_000, 0), (3, 0))


def allocate(size=SIZE, ptrdata=0):
    """An object, and the P that it came from: between the two there is no safepoint."""
    address = mallocgc(getcurrent().m, size, ptrdata)
    return address, getcurrent().m.p


def heap_now():
    return getcurrent().m.sched.heap


class Checker(Observer):
    """Proves the heap at every event, and that no two Ps hold one span."""

    def __init__(self):
        self.heap = None
        self.checked = 0
        self.found = None

    def on_event(self, event):
        """Keep what is wrong: an observer that raises is only removed."""
        if self.heap is None or self.found is not None or self.heap.mem.is_over:
            return
        try:
            check_heap(self.heap)
            held = [span for cache in self.heap.caches for span in cache.alloc if span is not EMPTY_SPAN]
            assert len(held) == len(set(map(id, held)))
        except (Throw, AssertionError) as wrong:
            self.found = (event, wrong)
        self.checked += 1


def allocating(seed, goroutines, count, changes=()):
    """Goroutines that allocate and compute; the number of Ps changes on the way. Returns each object's (address, P)."""

    def worker(number):
        draw = random.Random(seed * 100 + number)
        mine = []
        for _ in range(count):
            size, ptrdata = draw.choice(SIZES)
            address, pp = allocate(size, ptrdata)
            span = heap_now().mheap.span_of(address)
            if span.npages * 8192 != span.elemsize:  # no large object
                assert pp.mcache.alloc[span.spanclass] is span
            mine.append((size, address, pp.id))
            if draw.random() < 0.3:
                runtime.work(draw.random() * 20e-6)
            elif draw.random() < 0.2:
                runtime.gosched()
        out.send(mine)

    out = chan(goroutines)
    for number in range(goroutines):
        go(worker, number)
    for n in changes:
        runtime.work(60e-6)
        runtime.gomaxprocs(n)
    return [one for _ in range(goroutines) for one in out.recv()]


@pytest.mark.parametrize("gomaxprocs", [1, 2, 4])
def test_two_ps_never_hold_one_span(gomaxprocs):
    checker = Checker()

    def main():
        allocate()
        checker.heap = heap_now()
        return allocating(1, 4, 25, changes=[gomaxprocs, 1, gomaxprocs])

    objects = run(main, gomaxprocs=gomaxprocs, observers=[checker])
    assert checker.found is None, checker.found
    assert checker.checked > 100
    assert {pid for *_, pid in objects} == set(range(gomaxprocs))
    whole = [address for size, address, _ in objects if size >= 16]
    assert len(whole) == len(set(whole))


@pytest.mark.sim
@pytest.mark.slow
@pytest.mark.parametrize("gomaxprocs", [1, 2, 3, 4])
def test_the_heap_is_sound_under_many_seeds(sim_seed, gomaxprocs):
    for seed in range(sim_seed, sim_seed + 8):
        print(f"seed {seed}")
        checker = Checker()

        def main(seed=seed, checker=checker):
            allocate()
            checker.heap = heap_now()
            return allocating(seed, 5, 30, changes=[1, 4, 2, gomaxprocs])

        run(main, gomaxprocs=gomaxprocs, seed=seed, observers=[checker])
        assert checker.found is None, (seed, checker.found)
        with checked_at_every_step():  # nobody listens: slots lie ready in windows
            run(main, gomaxprocs=gomaxprocs, seed=seed)


@pytest.mark.sim
@pytest.mark.parametrize("gomaxprocs", [2, 4])
def test_slots_of_a_p_follow_each_other_whoever_takes_them(sim_seed, gomaxprocs):
    """Without listeners, so with windows: each P hands its spans out in address order, to any goroutine."""

    def main(seed):
        def worker():
            draw = random.Random(seed)
            for _ in range(40):
                address, pp = allocate()
                order.append((pp.id, address))
                if draw.random() < 0.4:
                    runtime.work(draw.random() * 30e-6)
                    runtime.gosched()
            done.send(None)

        done = chan(6)
        for _ in range(6):
            go(worker)
        for _ in range(6):
            done.recv()
        check_heap(heap_now())

    for seed in range(sim_seed, sim_seed + 10):
        order: list[tuple[int, int]] = []
        run(main, seed, gomaxprocs=gomaxprocs, seed=seed)
        owner: dict[int, int] = {}
        last: dict[int, int] = {}
        for pid, address in order:
            base = address & -8192
            assert owner.setdefault(base, pid) == pid, seed
            expected = last[pid] + SIZE if pid in last and last[pid] % 8192 < (SLOTS - 1) * SIZE else base
            assert address == expected, seed
            last[pid] = address
        assert len(last) == gomaxprocs


@pytest.mark.sim
def test_a_goroutine_that_migrates_takes_its_next_slot_from_the_other_ps_span(sim_seed):
    def main():
        last = {}
        moves = 0
        previous = None
        go(neighbour)
        while moves < 4:
            address, pp = allocate()
            if pp.id in last and address % 8192:
                assert address == last[pp.id] + SIZE
            if previous is not None and previous is not pp:
                moves += 1
                assert previous.mcache.alloc[SPC] is not pp.mcache.alloc[SPC]
                assert pp.mcache.alloc[SPC] is heap_now().mheap.span_of(address)
            last[pp.id] = address
            previous = pp
            runtime.gosched()

    def neighbour():
        while True:
            runtime.gosched()

    for seed in range(sim_seed, sim_seed + 5):
        run(main, gomaxprocs=2, seed=seed)


@pytest.mark.sim
def test_a_p_that_goes_away_gives_back_its_spans_and_the_heap_live_correction(sim_seed):
    """Its slots are used by the others; the estimate of what lives counts the slots that it had not used no more."""

    def main():
        done = chan()

        def other():
            while getcurrent().m.p.id != 1:
                runtime.gosched()
            for _ in range(5):
                allocate()
            allocate(40, 8)
            done.send(getcurrent().m.p.id)

        while getcurrent().m.p.id != 0:
            runtime.gosched()
        allocate()
        go(other)
        assert done.recv() == 1
        heap = heap_now()
        caches = {cache: [span for span in cache.alloc if span is not EMPTY_SPAN] for cache in heap.caches}
        theirs = caches[heap.caches[1]]
        assert len(theirs) >= 2
        before = heap.heap_live
        unused = sum((span.nelems - span.alloc_count) * span.elemsize for span in theirs)
        scan = heap.caches[1].scan_alloc
        scanned = heap.heap_scan
        runtime.gomaxprocs(1)
        assert len(heap.caches) == 1
        assert heap.heap_live == before - unused
        assert heap.heap_scan == scanned + scan
        assert all(span in heap.central[span.spanclass].partial_swept() for span in theirs)
        check_heap(heap)
        # P0 goes on in its own span, then where the other stopped.
        own = heap.caches[0].alloc[SPC]
        their = next(span for span in theirs if span.spanclass == SPC)
        first = their.object_address(their.freeindex)
        while own.alloc_count < own.nelems:
            assert heap.mheap.span_of(allocate()[0]) is own
        assert allocate()[0] == first
        runtime.gomaxprocs(2)
        assert heap.caches[1].alloc[SPC] is EMPTY_SPAN
        check_heap(heap)

    for seed in range(sim_seed, sim_seed + 5):
        run(main, gomaxprocs=2, seed=seed)


def test_a_freed_slot_is_taken_again_at_the_same_address_by_whichever_p_fetches_the_span():
    def main():
        addresses = [allocate()[0] for _ in range(3 * SLOTS)]
        runtime.gomaxprocs(1)
        sweep_all_but(heap_now(), [addresses[5], addresses[9]])
        check_heap(heap_now())
        runtime.gomaxprocs(2)
        while getcurrent().m.p.id != 1:
            runtime.gosched()
        got = [allocate()[0] for _ in range(3)]
        assert got[:2] == [addresses[5], addresses[9]]
        assert got[2] & -8192 not in {address & -8192 for address in addresses}

    run(main, gomaxprocs=2)
