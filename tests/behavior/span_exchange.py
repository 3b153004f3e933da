"""Spans with holes: which of them a P takes after a collection, in which order, and which holes.

Objects of 352 bytes without pointers: nobody else allocates in that size class here. Five spans are filled on P0,
and all objects of some slots are dropped; the collector runs while there is one P, and then P1 allocates. What
runtime.GC would find unreachable is freed by name.
"""

import fmt
from collect import collect
from pinned import pinned

from goruntime import Array, Uint8, addr, new, run, runtime

SIZE = 352
SLOTS = 22  # in a span, which is one page
Object = Array[Uint8, SIZE]

hold = []
known = []  # the spans, in the order in which they were seen first


def alloc():
    p = new(Object)
    hold.append(p)
    return addr(p)


def place(address):
    base = address & -8192
    if base not in known:
        known.append(base)
    return f"{chr(ord('A') + known.index(base))}{address % 8192 // SIZE}"


def show(tag, n, alloc):
    fmt.println(f"{tag:<12}", *(place(alloc()) for _ in range(n)))


def on1():
    """Allocate on P1."""
    while True:
        with pinned() as at:
            if at == 1:
                return alloc()
        runtime.gosched()


def main():
    for _ in range(5 * SLOTS + 3):
        place(alloc())
    fmt.println("spans filled:", len(known))

    # A: two holes 3 and 7. B: full. C: all free. D: only the last one free. E: free but the first. F: cached, 3 slots.
    dead = []
    for i in range(5 * SLOTS + 3):
        s, j = divmod(i, SLOTS)
        if (s == 0 and j in (3, 7)) or s == 2 or (s == 3 and j == SLOTS - 1) or (s == 4 and j > 0):
            dead.append(hold[i])
            hold[i] = None
    collect(dead)
    known[2] = 0  # its page is free: it may become any span

    runtime.gomaxprocs(2)
    show("P1", SLOTS - 3, on1)
    show("P1", 3, on1)
    show("P1", SLOTS - 1, on1)
    show("P1", 5, on1)

    # P1 goes away in the middle of a span.
    runtime.gomaxprocs(1)
    show("P0", SLOTS - 5, alloc)
    show("P0", 2, alloc)

    # Everything is dropped.
    dead = [p for p in hold if p is not None]
    hold.clear()
    collect(dead)
    collect([])
    known.clear()
    show("all free, P0", 3, alloc)


if __name__ == "__main__":
    run(main)
