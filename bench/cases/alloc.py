"""Allocating: a slot of 48 bytes by each path, without a handle, against making a small Python object."""

from __future__ import annotations

from time import perf_counter

from harness import Bound, Case, Variant


def inlined(items: int) -> float:
    """The fast path as a constructor has it: pop the window, next_free when it is empty."""
    from greenlet import getcurrent

    from goruntime import run
    from goruntime.gc.malloc import next_free
    from goruntime.heap.sizeclass import small_span_class

    spanclass = small_span_class(48, True)

    def main() -> float:
        m = getcurrent().m  # type: ignore[attr-defined]
        start = perf_counter()
        for _ in range(items):
            window = m.p.mcache.alloc[spanclass].window
            window.pop() if window else next_free(m, spanclass)
        return perf_counter() - start

    return float(run(main, gomaxprocs=1)) / items


def mallocgc_of(size: int, items: int) -> float:
    """Seconds for one mallocgc of that size."""
    from greenlet import getcurrent

    from goruntime import run
    from goruntime.gc.malloc import mallocgc

    def main() -> float:
        start = perf_counter()
        for _ in range(items):
            mallocgc(getcurrent().m, size, 0)  # type: ignore[attr-defined]
        return perf_counter() - start

    return float(run(main, gomaxprocs=1)) / items


def small(items: int) -> float:
    """mallocgc of 48 bytes."""
    return mallocgc_of(48, items)


def tiny(items: int) -> float:
    """mallocgc of 3 bytes."""
    return mallocgc_of(3, items)


def refill(items: int) -> float:
    """mallocgc of 8,192 bytes: a span for each."""
    return mallocgc_of(8192, items)


def plain_object(items: int) -> float:
    """object()."""
    start = perf_counter()
    for _ in range(items):
        object()
    return (perf_counter() - start) / items


def swept(items: int) -> float:
    """Freeing every second of so many objects with handles, and allocating in the holes."""
    from goruntime.heap.heap import Heap
    from goruntime.heap.mheap import MHeap
    from goruntime.heap.sizeclass import small_span_class
    from goruntime.heap.sweep import sweep_all_but

    class Handle:
        __slots__ = ()

    spanclass = small_span_class(48, True)
    heap = Heap(MHeap, lambda _kind, _n: 0)
    cache = heap.new_cache()

    def allocate() -> int:
        if not cache.alloc[spanclass].window and not cache.fill(spanclass):
            cache.refill(spanclass)
            cache.fill(spanclass)
        address = cache.alloc[spanclass].window.pop()
        heap.mem[address] = Handle()
        return address

    addresses = [allocate() for _ in range(items)]
    dead = addresses[::2]
    start = perf_counter()
    sweep_all_but(heap, dead)
    return (perf_counter() - start) / len(dead)


CASES = (
    Case(
        name="alloc",
        title="a slot of 48 bytes",
        unit="s",
        variants=(
            Variant("goruntime inlined", inlined, 200_000),
            Variant("goruntime mallocgc", small, 200_000),
            Variant("goruntime tiny", tiny, 200_000),
            Variant("python", plain_object, 200_000),
        ),
        bounds=(Bound("goruntime inlined", 6.0, "python"), Bound("goruntime mallocgc", 30.0, "python")),
    ),
    Case(
        name="refill",
        title="a span for each object",
        unit="s",
        variants=(Variant("goruntime refill", refill, 20_000),),
        bounds=(Bound("goruntime refill", 30e-6),),
    ),
    Case(
        name="sweep",
        title="freeing an object",
        unit="s",
        variants=(Variant("goruntime sweep", swept, 200_000),),
        bounds=(Bound("goruntime sweep", 4e-6),),
    ),
)
