"""The emulated heap under exploration: stores of pointers are steps, and lost updates are found."""

from __future__ import annotations

import pytest

from goruntime import Array, GoPanic, Int, Ptr, Struct, go, new, sync
from goruntime.check import explore, replay


class Item(Struct):
    number: Int
    next: Ptr[Item]


class Stack(Struct):
    top: Ptr[Item]


def push(stack, number, wg, mu=None):
    item = Item(number=number)
    if mu is not None:
        mu.lock()
    item.next = stack.top
    stack.top = item
    if mu is not None:
        mu.unlock()
    wg.done()


def pushes(with_lock):
    stack = Stack()
    mu = sync.Mutex() if with_lock else None
    wg = sync.WaitGroup()
    wg.add(2)
    for number in range(2):
        go(push, stack, number, wg, mu)
    wg.wait()
    found = []
    item = stack.top
    while item is not None:
        found.append(item.number)
        item = item.next
    assert sorted(found) == [0, 1], "a push was lost"


def test_a_lost_update_through_fields_is_found():
    report = explore(pushes, "dfs", 2_000, args=(False,))
    assert report.verdict == "failed"
    failure = report.failures[0]
    assert "a push was lost" in failure.explain()
    with pytest.raises(GoPanic, match="a push was lost"):
        replay(pushes, failure.schedule, args=(False,))


def test_with_a_lock_there_is_none():
    report = explore(pushes, "dfs", 20_000, args=(True,))
    assert report.verdict == "proved", report


def stores_to_two_places():
    pair = new(Array[Ptr[Item], 2])
    items = [Item(number=number) for number in range(2)]
    wg = sync.WaitGroup()
    wg.add(2)

    def fill(index):
        pair[index] = items[index]
        wg.done()

    for index in range(2):
        go(fill, index)
    wg.wait()
    return [item.number for item in pair]


def test_every_order_gives_the_same_when_places_differ():
    report = explore(stores_to_two_places, "dfs", 5_000)
    assert report.verdict == "proved", report
