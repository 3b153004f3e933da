"""MemStats deltas for N live objects of given sizes, then after dropping half and runtime.GC()."""

import fmt
from collect import collect

from goruntime import Array, Uint8, new, run, runtime

OMITTED_TEXT = [
    # Spans in which a Go program's own objects have left room: how many there are depends on its environment.
    r" HeapInuse \+\d+(?= HeapObjects \+1000 BySize\[[259]\])",
    # Five objects that fmt has made die with the 500; there is no collector that could count.
    r"Frees \+50[05] HeapAlloc \+\d+ HeapInuse \+\d+ NumGC \+[01] NumForcedGC \+[01]",
]

hold = []


def main():
    global hold
    for sz in (16, 48, 100, 1000, 5000, 32768, 40000):
        n = 1000
        hold = [
            None
        ] * n  # Go collects here what the last round has left: other size classes, and nothing that is counted
        a = runtime.read_mem_stats()
        for i in range(n):
            hold[i] = new(Array[Uint8, sz])  # make([]byte, sz) without its header, which is in hold
        b = runtime.read_mem_stats()
        dead = hold[::2]
        for i in range(0, n, 2):
            hold[i] = None
        collect(dead)
        c = runtime.read_mem_stats()
        idx = -1
        for i in range(len(b.by_size)):
            if b.by_size[i].mallocs - a.by_size[i].mallocs >= n // 2:
                idx = i
        fmt.print_(
            f"size {sz:5} x{n}: Mallocs +{b.mallocs - a.mallocs} HeapAlloc +{b.heap_alloc - a.heap_alloc}"
            f" HeapInuse +{b.heap_inuse - a.heap_inuse} HeapObjects +{b.heap_objects - a.heap_objects}"
        )
        if idx >= 0:
            fmt.print_(
                f" BySize[{idx}]({b.by_size[idx].size}) +{b.by_size[idx].mallocs - a.by_size[idx].mallocs}",
            )
        fmt.print_(
            f" | after nil half + GC: Frees +{c.frees - b.frees} HeapAlloc +{c.heap_alloc - a.heap_alloc}"
            f" HeapInuse {c.heap_inuse - a.heap_inuse:+} NumGC +{c.num_gc - b.num_gc}"
            f" NumForcedGC +{c.num_forced_gc - b.num_forced_gc}\n"
        )
        hold = None
    m = runtime.read_mem_stats()
    fmt.println(
        *("identities: HeapSys==HeapInuse+HeapIdle", m.heap_sys == m.heap_inuse + m.heap_idle),
        *("; HeapObjects==Mallocs-Frees", m.heap_objects == m.mallocs - m.frees),
        *("; Alloc==HeapAlloc", m.alloc == m.heap_alloc, "; Sys==sum"),
        m.sys == m.heap_sys + m.stack_sys + m.mspan_sys + m.mcache_sys + m.buck_hash_sys + m.gc_sys + m.other_sys,
    )
    fmt.println("len(BySize) =", len(m.by_size), "last BySize size =", m.by_size[60].size)


if __name__ == "__main__":
    run(main)
