"""An mcache for each P: which slots goroutines get that run on two Ps, that migrate, and when a P goes away.

Objects of 352 bytes without pointers: nobody else allocates in that size class here. procPin says on which P an
allocation is made, and keeps the goroutine there meanwhile. Only facts are printed that hold in any schedule.
"""

import fmt
from pinned import pinned

from goruntime import Array, Uint8, addr, atomic, chan, defer, go, new, run, runtime

SIZE = 352
SLOTS = 22  # in a span, which is one page
Object = Array[Uint8, SIZE]

hold = []
last = [0, 0]  # the last slot that each P handed out


def alloc():
    with pinned() as at:
        p = new(Object)
        hold.append(p)
        last[at] = addr(p)
    return addr(p), at


def span(address):
    return address & -8192


def index(address):
    return address % 8192 // SIZE


def alloc_on(wanted):
    """Allocate on P `wanted`: yielding takes the goroutine from one P to the other, sooner or later."""
    while True:
        with pinned() as at:
            if at == wanted:
                return alloc()
        runtime.gosched()


def together(n):
    """Two goroutines, each locked to a thread, allocate at the same time."""
    ready = atomic.Int32()
    out = chan(2)
    for _ in range(2):

        @go
        def func1():
            runtime.lock_os_thread()
            defer(runtime.unlock_os_thread)
            mine = []
            ready.add(1)
            while ready.load() < 2:  # both run: each has a P, and they are two
                pass
            while len(mine) < n:
                mine.append(alloc())
            ready.add(1)
            while ready.load() < 4:
                pass
            out.send(mine)

    return [*out.recv(), *out.recv()]


def main():
    for pid in range(2):
        alloc_on(pid)  # each P has a span of its own
    fmt.println("each P has a span of its own:", span(last[0]) != span(last[1]))

    everything = together(1000)
    owners = {}
    counts = {}
    pids = {}
    shared = most = 0
    for address, pid in everything:
        if owners.get(span(address), pid) != pid:
            shared += 1
        owners[span(address)] = pid
        counts[span(address)] = counts.get(span(address), 0) + 1
        most = max(most, counts[span(address)])
        pids[pid] = True
    fmt.println("allocated together:", len(everything), "on Ps:", len(pids))
    fmt.println("spans with slots of both Ps:", shared, "most slots in a span:", most)
    distinct = {address for address, _ in everything}
    fmt.println("slots given twice:", len(everything) - len(distinct))

    # A goroutine that migrates takes its next slot from the other P's span.
    for pid in range(2):  # room for what follows: eight slots in the span of each
        while index(last[pid]) > SLOTS - 8:
            alloc_on(pid)
    mine, _ = alloc_on(0)
    for pid in (1, 0, 1, 0):
        before = list(last)
        s, _ = alloc_on(pid)
        fmt.println(
            f"migrated to P{pid}: in the span of its own last slot: {fmt.text(span(s) == span(mine))};"
            f" the slot after P{pid}'s last one: {fmt.text(s == before[pid] + SIZE)}"
        )
        mine = s

    # P1 goes away: P0 fills its own span, then goes on where P1 was.
    left = list(last)
    runtime.gomaxprocs(1)
    own = theirs = fresh = 0
    in_order = True
    for i in range(index(left[0]) + 1, SLOTS):
        s, _ = alloc()
        in_order = in_order and s == span(left[0]) + i * SIZE
        own += 1
    for i in range(index(left[1]) + 1, SLOTS):
        s, _ = alloc()
        in_order = in_order and s == span(left[1]) + i * SIZE
        theirs += 1
    for i in range(SLOTS):
        s, _ = alloc()
        in_order = in_order and index(s) == i and span(s) != span(left[0]) and span(s) != span(left[1])
        fresh += 1
    fmt.println(
        "one P: its own span to the end, then P1's from where it was, then a fresh one:",
        in_order, own > 0, theirs > 0, fresh,
    )  # fmt: skip

    # P1 comes back, with an mcache that holds nothing.
    alloc()  # P0 has another fresh span
    runtime.gomaxprocs(2)
    s, _ = alloc_on(1)
    fmt.println("P1 again: in P0's span:", span(s) == span(last[0]), "the first slot of a span:", index(s) == 0)

    # read_mem_stats takes the spans of all Ps, and P0's first. Whoever needs one takes them in that order.
    for _ in range(3):
        alloc_on(0)
        alloc_on(1)
    for first in (0, 1, 1):
        before = list(last)
        runtime.read_mem_stats()
        one, _ = alloc_on(first)
        two, _ = alloc_on(1 - first)
        fmt.println(
            f"after ReadMemStats P{first} goes on in P0's span: {fmt.text(one == before[0] + SIZE)},"
            f" then P{1 - first} in P1's: {fmt.text(two == before[1] + SIZE)}"
        )


if __name__ == "__main__":
    run(main)
