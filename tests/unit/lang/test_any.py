"""Any: what is boxed and what is not, and that the value comes out again."""

from __future__ import annotations

import gc
import sys
from typing import Any as Object

import pytest
from greenlet import getcurrent

from goruntime import Any, Int, Ptr, Struct, addr, go, new, nilchan, run, runtime
from goruntime.heap.check import check_heap
from goruntime.lang.any import Box, Immediate

from .heapworld import Watch, heap, in_a_run, mem


class Holder(Struct):
    x: Any
    next: Ptr[Holder]


@pytest.mark.parametrize("value", [None, True, False, 0, 1, 255, 0.0, "", b"bytes", [1], 10**30, len, nilchan])
def test_what_takes_no_box(value: Object) -> None:
    def main() -> None:
        holder = Holder()
        before = len(mem())
        holder.x = value
        assert len(mem()) == before
        assert holder.x is value or holder.x == value
        assert type(holder.x) is type(value)
        assert type(holder)._go_pointers(holder) == (0, 0)  # type: ignore[arg-type]

    in_a_run(main)


@pytest.mark.parametrize(("value", "size"), [(256, 8), (-1, 8), (1.5, 8), (-0.0, 8), ("a", 16), (-(1 << 63), 8)])
def test_what_takes_a_box(value: Object, size: int) -> None:
    def main() -> None:
        holder = Holder()
        holder.x = value
        word = holder._f_x  # type: ignore[attr-defined]
        box = mem()[word]
        assert type(box) is Box
        assert box.kind.size == size
        assert repr(holder.x) == repr(value)
        span = heap().mheap.span_of(word)
        assert span.spanclass == (5 if size == 8 else 4)  # a tiny block; a slot of 16 bytes with a pointer
        assert list(type(box)._go_pointers(box)) == []

    in_a_run(main)


def test_a_pointer_is_its_own_word() -> None:
    def main() -> None:
        holder = Holder()
        with Watch() as watch:
            holder.x = holder
            holder.x = 5
            holder.x = number = new(Int)
        a, b = addr(holder), addr(number)
        assert watch.seen == [(a, 0, a), (a, a, 0), (a, 0, b)]
        assert holder.x is number
        assert repr(holder) == f"&test_any.Holder{{x:{b:#x} next:<nil>}}"

    in_a_run(main)


def test_a_box_is_held_until_it_is_stored() -> None:
    """Making the object around is a safepoint: by then only the constructor knows the box."""

    def main() -> None:
        seen: list[int] = []

        def watch(m: Object, g: Object, holder: int, old: int, new_word: int) -> None:
            box = mem()[new_word]
            seen.append(sys.getrefcount(box) - 2 - sum(box is other for other in mem().values()))
            gc.collect()

        runtime.gosched()
        m: Object = heap_m()
        m.sched.watch_stores(watch)
        Holder(x=1000)
        m.sched.watch_stores(None)
        assert seen == [1]

    run(main)


def heap_m() -> Object:
    return getcurrent().m  # type: ignore[attr-defined]


def test_boxes_are_made_on_the_p_that_runs() -> None:
    def main() -> None:
        holders = [Holder() for _ in range(8)]

        def fill(holder: Holder, value: int) -> None:
            for step in range(20):
                holder.x = value + step
                runtime.gosched()

        for number, holder in enumerate(holders):
            go(fill, holder, 1000 * (number + 1))
        runtime.work(0.01)
        for _ in range(100):
            runtime.gosched()
        assert [holder.x for holder in holders] == [1000 * (number + 1) + 19 for number in range(8)]
        check_heap(heap())

    run(main, gomaxprocs=4)


def test_outside() -> None:
    holder = run(lambda: Holder(x=[1]))
    assert holder.x == [1]
    with pytest.raises(RuntimeError, match="boxing a value in an interface must be called from a goroutine"):
        holder.x = 1000
    assert type(holder._f_x) is Immediate
