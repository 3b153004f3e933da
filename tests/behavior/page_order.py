"""Address order of page allocations: first-fit, lowest address, with a 64-page per-P cache for requests under 16 pages.

Go's runtime and the packages that the program imports have taken pages before main begins. How many, for what and in
which order, and what package fmt and the collector take later, was recorded (`page_order.pages`, see record_pages.py);
at which addresses follows here from the rules, as in Go. Arrays stand for slices: mallocgc is asked for the same.
"""

from pathlib import Path

import fmt
from greenlet import getcurrent

from goruntime import Array, Uint8, addr, new, run, runtime
from goruntime.gc.malloc import next_free
from goruntime.heap.mheap import STACK, WORK_BUF
from goruntime.heap.sweep import sweep_all_but

BASE = 0xC000000000
SCAN_32, SCAN_64, SCAN_208, SCAN_480 = 8, 21, 36, 52  # span classes: the four of Go's objects that die first
hold = {}
n = 0
objects = {}  # of the runtime's and of fmt, by span class: an address in each span


def mheap():
    return getcurrent().m.sched.heap.mheap


def take(spanclass):
    """One object of this span class, in a span of its own."""
    m = getcurrent().m
    cache = m.p.mcache
    while cache.alloc[spanclass].alloc_count < cache.alloc[spanclass].nelems:
        slot(m, spanclass)
    objects.setdefault(spanclass, []).append(slot(m, spanclass))


def slot(m, spanclass):
    window = m.p.mcache.alloc[spanclass].window
    return window.pop() if window else next_free(m, spanclass)


def before_main():
    for line in Path(__file__).with_suffix(".pages").read_text().splitlines():
        if line == "main":
            return
        if line.startswith("alloc"):
            _, _, count, use, spanclass, _ = line.split()
            if use == "stack":
                mheap().alloc_manual(int(count), STACK, getcurrent().m.p.mcache.pagecache)
            else:
                take(int(spanclass))


def alloc(pages):
    global n
    p = new(Array[Uint8, pages * 8192])
    hold[n] = p
    n += 1
    return addr(p)


def collect(dead):
    """runtime.GC: its worker has a buffer meanwhile."""
    m = getcurrent().m
    work = mheap().alloc_manual(4, WORK_BUF, m.p.mcache.pagecache)
    sweep_all_but(m.sched.heap, dead)
    mheap().free_manual(work, WORK_BUF, m.p.mcache.pagecache)


def printf_with_an_empty_pool():
    """fmt.Printf makes a printer, and sync.Pool a place for it on this P."""
    take(20)
    take(26)


def seq(tag, *sizes):
    out = [alloc(s) for s in sizes]
    if not objects.get(26):
        printf_with_an_empty_pool()
    fmt.println(f"{tag:<34} pages: {' '.join(str((p - BASE) // 8192) for p in out)}")


def main():
    before_main()
    first = alloc(1)
    printf_with_an_empty_pool()
    fmt.println(f"first heap object page index: {(first - BASE) // 8192} (address {first:#x})")
    seq("12 x 1 page", *[1] * 12)
    seq("6 x 4 pages", *[4] * 6)
    seq("1,16,1,17,1,15 pages", 1, 16, 1, 17, 1, 15)
    seq("40 x 1 page", *[1] * 40)
    seq("4 x 100 pages", *[100] * 4)
    seq("1 x 600 pages (> 4 MiB chunk)", 600)
    seq("4 x 1 page after", *[1] * 4)
    # free every other of 20 single pages, GC, reallocate
    start = n
    seq("20 x 1 page", *[1] * 20)
    dead = [addr(hold.pop(i)) for i in range(start, start + 20, 2)]
    for spanclass in (SCAN_32, SCAN_64, SCAN_208, SCAN_480):
        dead += objects.pop(spanclass)
    take(53)  # the worker that is started for the first collection
    collect(dead)
    collect(objects.pop(20) + objects.pop(26))  # a pool is emptied by the second
    seq("after freeing even ones + 2 GCs", *[1] * 14)
    seq("3 x 2 pages (do not fit 1-page holes)", *[2] * 3)
    m = runtime.read_mem_stats()
    fmt.println("HeapSys", m.heap_sys, "HeapInuse", m.heap_inuse, "HeapReleased", m.heap_released)
    for p in (2000, 9000, 20000):  # 16 MiB, 70 MiB, 156 MiB: heap growth granularity
        a = alloc(p)
        m = runtime.read_mem_stats()
        if p == 2000:
            take(23)  # the printer's buffer grows
        fmt.println(
            f"{p} pages at page {(a - BASE) // 8192}: HeapSys {m.heap_sys} (={m.heap_sys >> 22} x 4 MiB chunks)"
            f" HeapReleased {m.heap_released}"
        )


if __name__ == "__main__":
    run(main)
