"""mallocgc: an object for a goroutine.

    size 0                         `ZEROBASE`, the same for all
    below 16 bytes, no pointers    room in the P's open tiny block, else a slot of 16 bytes that may become the block
    to 32,760 bytes                a slot of the P's span of the right span class; above 512 bytes an object with
                                   pointers begins with a word for its type, and its address is behind it
    above                          a span of its own

The fast path is `window.pop()` of the P's span, and may stand inlined in a constructor: then the constructor charges
`malloc_cost`, takes its safepoint (OP_MALLOC) first, and calls `next_free` when the window is empty. All that must see
an allocation, sampling, listeners, a collector that marks, keeps windows empty and so gets every call of `next_free`.

Who is in the middle of an operation that has had its safepoint uses `malloc_now`; `mallocgc` takes its own.

Go: runtime/malloc.go mallocgc, mallocgcTiny, mallocgcLarge (go1.27).
Units: bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from ..base.errors import throw
from ..base.events import MALLOC, MALLOC_LARGE, SPAN_REFILL
from ..heap.check import ZEROBASE
from ..heap.sizeclass import (
    CLASS_TO_SIZE,
    MAX_SMALL_REQUEST,
    MIN_SIZE_FOR_MALLOC_HEADER,
    PAGE_SHIFT,
    PAGE_SIZE,
    SPAN_CLASS_COUNT,
    TINY_SIZE,
    TINY_SPAN_CLASS,
    small_span_class,
)
from ..heap.sysmem import OutOfMemory
from ..kernel import costs
from ..sched.ops import OP_MALLOC
from ..sched.preempt import safepoint

if TYPE_CHECKING:
    from ..heap.mcache import MCache
    from ..heap.span import Span
    from ..sched.m import M

TINY_COST = costs.MALLOC_TINY
SMALL_COST = costs.MALLOC  # of a slot that is not zeroed
CHUNK_PAGES = 512  # the heap grows by so many


def _small_cost(spanclass: int) -> int:
    """What a slot of this class costs, zeroed."""
    size = CLASS_TO_SIZE[spanclass >> 1]
    cost = costs.MALLOC + size * costs.MALLOC_PER_1024 // 1024
    if not spanclass & 1:
        cost += costs.MALLOC_SCAN if size <= MIN_SIZE_FOR_MALLOC_HEADER else costs.MALLOC_HEADER
    return cost


SMALL_COSTS = tuple(_small_cost(spanclass) for spanclass in range(SPAN_CLASS_COUNT))


def malloc_cost(size: int, ptrdata: int) -> int:
    """What an allocation costs without refills, in virtual ns: a constant of its type, for who inlines it."""
    if size == 0:
        return 0
    if size < TINY_SIZE and not ptrdata:
        return costs.MALLOC_TINY
    if size > MAX_SMALL_REQUEST:
        npages = (size + PAGE_SIZE - 1) >> PAGE_SHIFT
        return costs.MALLOC_LARGE + npages * costs.MALLOC_LARGE_PAGE
    return SMALL_COSTS[small_span_class(size, not ptrdata)]


def scan_bytes(size: int, ptrdata: int) -> int:
    """What an object adds to its P's `scan_alloc`: up to its last pointer, or its slot if it has a header.

    Go: runtime/mbitmap.go heapSetTypeNoHeader, heapSetTypeSmallHeader, heapSetTypeLarge.
    """
    if not ptrdata or size <= MIN_SIZE_FOR_MALLOC_HEADER:
        return ptrdata
    if size <= MAX_SMALL_REQUEST:
        return CLASS_TO_SIZE[small_span_class(size, False) >> 1]
    return (size + PAGE_SIZE - 1) // PAGE_SIZE * PAGE_SIZE


def mallocgc(m: M, size: int, ptrdata: int, zero: bool = True) -> int:
    """The address of a new object; ptrdata: bytes up to the end of its last pointer, 0 for none.

    zero=False leaves out the cost of zeroing memory that the caller overwrites. The goroutine may be on another M
    afterwards.
    Go: runtime/malloc.go mallocgc.
    Raises: FatalError when the kernel gives no memory.
    """
    if m.clock >= m.horizon:
        g = m.curg
        m = safepoint(m, g, OP_MALLOC, None) or g.m
    return malloc_now(m, size, ptrdata, zero)


def malloc_now(m: M, size: int, ptrdata: int, zero: bool = True) -> int:  # hot: alloc
    """mallocgc without a safepoint, for the middle of an operation that has had its own."""
    cache: MCache = m.p.mcache
    if size > MAX_SMALL_REQUEST:
        return _malloc_large(m, cache, size, ptrdata, zero)
    if not ptrdata:
        if size < TINY_SIZE:
            return _malloc_tiny(m, cache, size)
        spanclass = small_span_class(size, True)
    else:
        spanclass = small_span_class(size, False)
    m.clock += SMALL_COSTS[spanclass] if zero else SMALL_COST
    window = cache.alloc[spanclass].window
    if window:
        address = window.pop()
    else:
        g = m.curg
        address = next_free(m, spanclass)
        if g is not None:
            cache = g.m.p.mcache
    if ptrdata:  # now, not before: a refill would have taken it along
        cache.scan_alloc += ptrdata if size <= MIN_SIZE_FOR_MALLOC_HEADER else CLASS_TO_SIZE[spanclass >> 1]
    return address


def _malloc_tiny(m: M, cache: MCache, size: int) -> int:
    """An object of less than 16 bytes without pointers.

    Go: runtime/malloc.go mallocgcTiny.
    """
    if size <= 0:
        if size < 0:
            throw("mallocgc: negative size")
        return ZEROBASE
    m.clock += TINY_COST
    address = cache.alloc_tiny(size)
    if address:
        if m.watch is not None:
            m.emit(MALLOC, address, 0)
        return address
    window = cache.alloc[TINY_SPAN_CLASS].window
    address = window.pop() if window else next_free(m, TINY_SPAN_CLASS)
    m.p.mcache.open_tiny(address, size)
    return address


def next_free(m: M, spanclass: int) -> int:  # hot: alloc
    """The next free slot of a class whose window is empty: of the next 64 slots that have one, or of another span.

    Go: runtime/malloc.go mcache.nextFree.
    Raises: FatalError when the kernel gives no memory.
    """
    cache: MCache = m.p.mcache
    heap = cache.heap
    if heap.assist is not None:
        m = heap.assist(m, CLASS_TO_SIZE[spanclass >> 1])
        cache = m.p.mcache
    is_refilled = False
    if not cache.fill(spanclass):
        refill(m, cache, spanclass)
        is_refilled = True
        if not cache.fill(spanclass):
            throw("freeIndex is not valid")
    span = cache.alloc[spanclass]
    address = span.window.pop()
    if heap.one_by_one or cache.next_sample < 0:
        _seen(m, cache, span, address)
    if is_refilled:
        heap.mem.bury()  # what sweeping on the way has freed
        if heap.trigger is not None:
            heap.trigger(m)
    return address


def refill(m: M, cache: MCache, spanclass: int) -> None:
    """Give the P another span of a class.

    Go: runtime/mcache.go mcache.refill.
    """
    m.clock += costs.SPAN_REFILL
    try:
        span = cache.refill(spanclass)
    except OutOfMemory as refused:
        out_of_memory(m, refused)
    if m.watch is not None:
        m.emit(SPAN_REFILL, spanclass, span.base, span.alloc_count, span.nelems)


def _malloc_large(m: M, cache: MCache, size: int, ptrdata: int, zero: bool) -> int:
    """An object with a span of its own.

    Go: runtime/malloc.go mallocgcLarge.
    """
    heap = cache.heap
    if heap.assist is not None:
        m = heap.assist(m, size)
        cache = m.p.mcache
    try:
        span = cache.alloc_large(size, not ptrdata)
    except OutOfMemory as refused:
        out_of_memory(m, refused)
    m.clock += costs.MALLOC_LARGE + (span.npages * costs.MALLOC_LARGE_PAGE if zero else 0)
    if ptrdata:
        cache.scan_alloc += span.elemsize
    if m.watch is not None:
        m.emit(MALLOC_LARGE, span.base, span.npages)
    if heap.one_by_one or cache.next_sample < 0:
        _seen(m, cache, span, span.base)
    if heap.trigger is not None:
        heap.trigger(m)
    return span.base


def _seen(m: M, cache: MCache, span: Span, address: int) -> None:
    """Tell those who must see every allocation, and those who wait for the next sample."""
    heap = cache.heap
    if heap.mark_new is not None:
        heap.mark_new(span, span.object_index(address))
    if cache.next_sample < 0:
        cache.next_sample = heap.next_sample()
        if heap.on_sample is not None:
            heap.on_sample(address, span.elemsize)
    if m.watch is not None:
        m.emit(MALLOC, address, span.elemsize)


def out_of_memory(m: M, refused: OutOfMemory) -> NoReturn:
    """The kernel gives no more: end the run.

    Go: runtime/mheap.go mheap.grow.
    """
    heap = m.p.mcache.heap
    chunk = CHUNK_PAGES * PAGE_SIZE
    asked = (refused.size + chunk - 1) // chunk * chunk
    text = "out of memory"
    before = f"runtime: out of memory: cannot allocate {asked}-byte block ({heap.mheap.mapped_bytes()} in use)\n"
    if refused.is_mapping:  # there are addresses, and nothing behind them: runtime/mem_linux.go sysMapOS
        text, before = "runtime: out of memory", ""
    if m.curg is None:
        m.sched.fatal_on_g0(text, before=before)
    m.sched.fatal(m, m.curg, text, is_throw=True, before=before)
