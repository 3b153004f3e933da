"""Structs of the emulated heap beside plain objects with the same slots.

Each item is one operation with its share of the loop, in the fastest batch of the round: an operation of 20 ns shows
nothing of itself in a second in which the machine does something else. The plain class has a constructor with the same
keywords: what is compared is what the heap adds. *Live nodes* is the growth of the resident set for each of a million
nodes that a list holds.
"""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import Any

from harness import Bound, Case, Measure, Variant

from .scale import resident

ALLOCATIONS = 20_000
ACCESSES = 200_000
BATCH = 2_000  # less than a time slice of the host
NODES = 1_000_000


class Plain:
    """The fields of a node, as Python keeps them."""

    __slots__ = ("key", "left", "name", "right")

    def __init__(self, *, key: int = 0, name: str = "", left: Any = None, right: Any = None) -> None:
        self.key = key
        self.name = name
        self.left = left
        self.right = right


def node_class() -> Any:
    """The same on the emulated heap."""
    from goruntime import Int, Ptr, String, Struct

    class Node(Struct):
        key: Int
        name: String
        left: Ptr[Node]
        right: Ptr[Node]

    return Node


def allocate(kind: Any, items: int) -> float:
    """Make objects and drop them."""

    def batch() -> None:
        for number in range(BATCH):
            kind(key=number)

    return fastest(batch, items)


def fastest(batch: Callable[[], None], items: int) -> float:
    """Do batches; return what one item of the fastest took."""
    best = float("inf")
    for _ in range(items // BATCH):
        start = perf_counter()
        batch()
        best = min(best, perf_counter() - start)
    return best / BATCH


def load_pointer(kind: Any, items: int) -> float:
    """Follow a pointer."""
    node = kind(left=kind())

    def batch() -> None:
        for _ in range(BATCH):
            node.left  # noqa: B018

    return fastest(batch, items)


def store_pointer(kind: Any, items: int) -> float:
    """Store a pointer."""
    node, other = kind(), kind()

    def batch() -> None:
        for _ in range(BATCH):
            node.left = other

    return fastest(batch, items)


def load_scalar(kind: Any, items: int) -> float:
    """Read a number."""
    node = kind()

    def batch() -> None:
        for _ in range(BATCH):
            node.key  # noqa: B018

    return fastest(batch, items)


def store_scalar(kind: Any, items: int) -> float:
    """Write a number."""
    node = kind()

    def batch() -> None:
        for _ in range(BATCH):
            node.key = 5

    return fastest(batch, items)


def live_nodes(kind: Any, items: int) -> float:
    """Make many, and keep them."""
    kind()
    before = resident()
    nodes = [kind(key=number) for number in range(items)]
    return (resident() - before) / len(nodes)


def plain(measure: Callable[[Any, int], float]) -> Measure:
    """Measure the plain class."""
    return lambda items: measure(Plain, items)


def on_the_heap(measure: Callable[[Any, int], float]) -> Measure:
    """Measure the struct, in a run."""

    def run_it(items: int) -> float:
        from goruntime import run

        kind = node_class()

        def main() -> float:
            kind()
            return measure(kind, items)

        return float(run(main, gomaxprocs=1))

    return run_it


def case(name: str, title: str, measure: Callable[[Any, int], float], items: int, limit: float) -> Case:
    """One operation, and what it may take at most, as a multiple of the plain class's."""
    return Case(
        name,
        title,
        "s",
        (Variant("goruntime", on_the_heap(measure), items), Variant("plain", plain(measure), items)),
        (Bound("goruntime", limit, "plain"),) if limit else (),
    )


CASES = (
    case("struct_alloc", "make a struct of four fields", allocate, ALLOCATIONS, 6),
    case("pointer_load", "follow a pointer", load_pointer, ACCESSES, 7),
    case("pointer_store", "store a pointer", store_pointer, ACCESSES, 7),
    case("scalar_load", "read a number", load_scalar, ACCESSES, 0),
    case("scalar_store", "write a number", store_scalar, ACCESSES, 0),
    Case(
        "live_nodes",
        "memory of one of 1,000,000 live nodes",
        "B",
        (Variant("goruntime", on_the_heap(live_nodes), NODES), Variant("plain", plain(live_nodes), NODES)),
        (Bound("goruntime", 600),),
        fresh=True,
    ),
)
