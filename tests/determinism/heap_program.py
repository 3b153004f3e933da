"""A program on the emulated heap; run as a script of one line, it prints where its objects were and its checksums."""

from __future__ import annotations

from goruntime import Any, Array, Int, Int8, Ptr, String, Struct, addr, chan, go, new, run, var
from goruntime.base.choose import SeededChooser
from goruntime.runtime import gomaxprocs, gosched, read_mem_stats, work
from goruntime.time import sleep

from .program import Sums

WORKERS = 5
OBJECTS = 60


class Node(Struct):
    key: Int
    name: String
    next: Ptr[Node]
    payload: Any


class Wide(Struct):
    head: Ptr[Node]
    numbers: Array[Int, 90]


last = var(Ptr[Node], None)


def main() -> int:
    """Goroutines that allocate, compute, migrate; the number of Ps changes; the world stops. A sum over addresses."""
    out: chan[int] = chan(WORKERS)

    def worker(number: int) -> None:
        total = 0
        for i in range(OBJECTS):
            node = Node(key=i, name=str(i))
            node.next = last.value
            node.payload = 1000 + i if i % 3 else None
            last.value = node
            tiny, cell = new(Int8), new(Int)
            wide = Wide(head=node) if i % 9 == number else None
            for pointer in (node, tiny, cell, wide):
                total = (total * 31 + addr(pointer)) % (1 << 61)
            if i % 7 == number:
                sleep(i * 1e-6)
            elif i % 5 == number:
                gosched()
            else:
                work(i % 4 * 1e-6)
        out.send(total)

    for number in range(WORKERS):
        go(worker, number)
    work(40e-6)
    gomaxprocs(gomaxprocs() % 4 + 1)
    read_mem_stats()
    total = 0
    for _ in range(WORKERS):
        total = (total * 31 + out.recv()) % (1 << 61)
    stats = read_mem_stats()
    return total + stats.mallocs + stats.heap_alloc


def fingerprint(procs: int, seed: int, quantum_ns: int = 5_000) -> tuple[int, int, int, int, int]:
    """(what main returned, events, their checksum, that of the choices, what main returns where nobody listens)."""
    chooser = SeededChooser(seed)
    sums = Sums()
    result = run(main, gomaxprocs=procs, strategy=chooser, quantum=quantum_ns / 1e9, events=sums)
    alone = run(main, gomaxprocs=procs, seed=seed, quantum=quantum_ns / 1e9)
    return result, sums.sum.count, sums.sum.value(), chooser.checksum(), alone
