"""Programs on the emulated heap, and looking at it from inside."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from greenlet import getcurrent

from goruntime import run
from goruntime.heap.check import check_heap
from goruntime.heap.sweep import sweep_all_but


def heap() -> Any:
    """The heap of the run that is running."""
    return getcurrent().m.sched.heap  # type: ignore[attr-defined]


def mem() -> Any:
    """Its table of handles."""
    return heap().mem


def in_a_run(test: Callable[..., Any], **options: Any) -> Any:
    """Run test as main; the heap's invariants hold afterwards."""

    def main() -> Any:
        result = test()
        check_heap(heap())
        return result

    return run(main, **options)


def free(*handles: Any) -> None:
    """Free these objects, and no others, whoever holds them."""
    sweep_all_but(heap(), [handle._go_addr for handle in handles])


class Watch:
    """Remembers the stores of pointers."""

    def __init__(self) -> None:
        self.seen: list[tuple[int, int, int]] = []

    def __call__(self, m: Any, g: Any, holder: int, old: int, new: int) -> None:
        self.seen.append((holder, old, new))

    def __enter__(self) -> Watch:
        getcurrent().m.sched.watch_stores(self)  # type: ignore[attr-defined]
        return self

    def __exit__(self, *_: object) -> None:
        getcurrent().m.sched.watch_stores(None)  # type: ignore[attr-defined]
