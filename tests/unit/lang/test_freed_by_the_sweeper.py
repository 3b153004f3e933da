"""Objects of the emulated heap are freed by its sweeper, and by nothing that CPython does.

The heap holds each handle, once; handles hold words. So there is no way in Python from one object to another: the only
one is the run's table, through an address.
"""

from __future__ import annotations

import array
import gc
import sys
from collections import Counter

import pytest
from greenlet import getcurrent

from goruntime import Any, Array, Int, Int8, Ptr, String, Struct, addr, go, new, run, runtime, var
from goruntime.base.errors import FatalError
from goruntime.heap.check import check_heap
from goruntime.heap.handles import Handles
from goruntime.heap.sweep import sweep_all_but
from goruntime.lang.handle import Handle
from goruntime.lang.types import Type


class Point(Struct):
    x: Int
    y: Int


class Node(Struct):
    key: Int
    name: String
    left: Ptr[Node]
    right: Ptr[Node]
    at: Point
    corners: Array[Point, 2]
    links: Array[Ptr[Node], 3]
    numbers: Array[Int, 4]
    anything: Any


class Edge(Struct):
    ends: Array[Ptr[Node], 2]
    label: Any


root = var(Ptr[Node], None)
WORDS = (int, float, str, bytes, bytearray, bool, type(None))


def heap_now():
    return getcurrent().m.sched.heap


def graph(count=12):
    """Structs that point to each other in every way there is; returns them."""
    nodes = [Node(key=i, name=f"node {i}") for i in range(count)]
    for i, node in enumerate(nodes):
        node.left = nodes[i - 1]
        node.right = nodes[(i * 7 + 3) % count]
        node.links[0] = node
        node.links[2] = nodes[(i * 5) % count]
        node.at.x = i
        node.corners[1].y = i
        node.numbers[3] = i
        node.anything = (nodes[i - 1], 1000 + i, "text", None)[i % 4]
    edges = [Edge() for _ in range(count)]
    for i, edge in enumerate(edges):
        edge.ends[0], edge.ends[1] = nodes[i], nodes[i - 2]
        edge.label = edges[i - 1]
    cells = [new(Int), new(Int8), new(String), new(Ptr[Node]), new(Array[Ptr[Node], 2]), new(Any)]
    cells[3].value = nodes[0]
    cells[4][1] = nodes[1]
    cells[5].value = nodes[2]
    root.value = nodes[3]
    return [*nodes, *edges, *cells]


def reached(handle):
    """All that a handle leads to in Python, but through the run's table, and but for types, which belong to no run."""
    seen = {id(handle): handle}
    pending = [handle]
    while pending:
        for one in gc.get_referents(pending.pop()):
            if id(one) not in seen and not isinstance(one, Handles | Type | type):
                seen[id(one)] = one
                pending.append(one)
    del seen[id(handle)]
    return list(seen.values())


def test_no_handle_leads_to_another():
    def main():
        things = graph()
        heap = heap_now()
        assert len(heap.mem) > 40 + len(things)  # interior handles among them
        for thing in list(heap.mem.values()):
            if thing is not None:
                found = reached(thing)
                assert not [one for one in found if isinstance(one, Handle)], thing
                assert {type(one) for one in found} <= {*WORDS, list, array.array}, thing

    run(main)


def test_the_heap_holds_each_handle_once():
    def main():
        graph()
        root.value = None
        gc.collect()
        mem = heap_now().mem
        alone = {1: Point.__new__(Point)}
        [once] = [sys.getrefcount(thing) for thing in alone.values()]
        assert {sys.getrefcount(thing) for thing in mem.values() if thing is not None} == {once}
        held = [thing for thing in mem.values() if isinstance(thing, Edge)]
        assert {sys.getrefcount(thing) for thing in held} == {once + 1}

    run(main)


def test_dropping_and_collecting_in_python_frees_no_slot():
    def main():
        things = graph()
        before = runtime.read_mem_stats()
        addresses = [addr(thing) for thing in things]
        mem = heap_now().mem
        words = set(mem)
        del things
        root.value = None
        gc.collect()
        after = runtime.read_mem_stats()
        assert (after.frees, after.heap_objects, after.heap_alloc) == (
            before.frees,
            before.heap_objects,
            before.heap_alloc,
        )
        assert set(mem) == words
        assert [addr(mem[address]) for address in addresses if address in mem]
        check_heap(heap_now())

    run(main)


def test_the_hook_frees_and_the_next_allocation_takes_the_same_address():
    def main():
        things = [Edge() for _ in range(20)]
        addresses = [addr(thing) for thing in things]
        dead = [addresses[3], addresses[4], addresses[17]]
        stats = runtime.read_mem_stats()
        sweep_all_but(heap_now(), dead)
        check_heap(heap_now())
        assert runtime.read_mem_stats().frees == stats.frees + 3
        assert [addr(Edge()) for _ in range(3)] == dead
        assert [addr(thing) for i, thing in enumerate(things) if i not in (3, 4, 17)] == [
            address for address in addresses if address not in dead
        ]

    run(main)


def test_a_slot_that_is_used_again_is_zero_and_has_a_handle_of_its_own():
    def main():
        old = Node(key=1, name="old")
        old.left = old
        address = addr(old)
        sweep_all_but(heap_now(), [address])
        again = Node()
        assert addr(again) == address
        assert again is not old
        assert (again.key, again.name, again.left, again.at.x) == (0, "", None, 0)
        assert heap_now().mem[address] is again

    run(main)


def test_a_handle_that_is_freed_too_early_says_so_at_every_use():
    def main():
        node = Node(key=1)
        inner = node.at
        cell = new(Int)
        sweep_all_but(heap_now(), [addr(node), addr(cell)])
        uses = [
            lambda: node.key,
            lambda: node.left,
            lambda: setattr(node, "left", None),
            lambda: setattr(node, "key", 2),
            lambda: node.at,
            lambda: inner.x,
            lambda: cell.value,
            lambda: setattr(cell, "value", 2),
        ]
        for use in uses:
            with pytest.raises(FatalError, match="use of freed object"):
                use()

    run(main)


def test_identity_lasts_as_long_as_the_object():
    def main():
        node = Node()
        node.left = Node(key=2)
        node.left.left = node
        seen = Counter()
        for _ in range(3):
            gc.collect()
            seen[id(node.left)] += 1
            assert node.left is node.left
            assert node.left.left is node
            assert node.at is node.at
        assert len(seen) == 1

    run(main)


def test_a_goroutine_that_ends_frees_nothing():
    def main():
        addresses = []

        def worker():
            thing = Edge()
            addresses.append(addr(thing))

        for _ in range(5):
            go(worker)
        while len(addresses) < 5:
            runtime.gosched()
        gc.collect()
        assert all(address in heap_now().mem for address in addresses)
        assert not {addr(Edge()) for _ in range(5)} & set(addresses)

    run(main)
