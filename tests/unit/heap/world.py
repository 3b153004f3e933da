"""A heap of simple pages, Ps that allocate from it, and handles, without any goroutine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from goruntime.heap.heap import Heap
from goruntime.heap.mcache import MCache
from goruntime.heap.sizeclass import MAX_SMALL_REQUEST, TINY_SIZE, TINY_SPAN_CLASS, small_span_class

from .firstfit import FirstFitPages


class Thing:
    """A handle."""

    __slots__ = ("__weakref__", "value")

    def __init__(self, value: int = 0) -> None:
        self.value = value


def first(_kind: int, _n: int) -> int:
    return 0


def new_heap(
    procs: int = 1, limit: int = 1 << 20, choose: Any = first, make: Callable[[], Any] | None = None
) -> tuple[Heap, list[MCache]]:
    """A heap and the mcaches of so many Ps; its pages are simple ones (`limit` of them) if nothing else makes them."""
    heap = Heap(make or (lambda: FirstFitPages(limit)), choose)
    return heap, [heap.new_cache() for _ in range(procs)]


def take(cache: MCache, spanclass: int) -> int:
    """A slot: what gc.malloc.next_free does, without a goroutine."""
    window = cache.alloc[spanclass].window
    if not window and not cache.fill(spanclass):
        cache.refill(spanclass)
        assert cache.fill(spanclass)
    return cache.alloc[spanclass].window.pop()


def allocate(cache: MCache, size: int, ptrdata: int = 0) -> int:
    """What gc.malloc.malloc_now does, without a goroutine."""
    if size > MAX_SMALL_REQUEST:
        return cache.alloc_large(size, not ptrdata).base
    if size < TINY_SIZE and not ptrdata:
        address = cache.alloc_tiny(size)
        if not address:
            address = take(cache, TINY_SPAN_CLASS)
            cache.open_tiny(address, size)
        return address
    return take(cache, small_span_class(size, not ptrdata))


def put(cache: MCache, size: int, ptrdata: int = 0) -> Thing:
    """Allocate an object and register its handle."""
    thing = Thing(allocate(cache, size, ptrdata))
    if size < TINY_SIZE and not ptrdata and thing.value % TINY_SIZE:
        cache.mem.add_interior(thing.value & -TINY_SIZE, thing.value, thing)
    else:
        cache.mem[thing.value] = thing
    return thing
