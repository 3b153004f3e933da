"""The emulated heap, used where and how it should not be."""

import gc

import pytest
from greenlet import greenlet

from goruntime import Any, FatalError, Int, Ptr, Struct, chan, go, new, run, runtime, syscall
from goruntime.heap.check import check_heap
from tests.unit.lang.heapworld import heap


class Node(Struct):
    key: Int
    left: Ptr["Node"]
    thing: Any


def test_in_a_finally_of_an_abandoned_goroutine_nothing_is_stored(every_way):
    seen = []

    def main():
        node, other, never = Node(), Node(), chan()

        def waits():
            try:
                never.recv()
            finally:
                node.left = other
                made = Node(key=5, left=other)
                node.thing = 1000
                seen.append((node.left, node.thing, made.key, made.left is other))

        go(waits)
        runtime.gosched()

    run(main)
    assert seen == [(None, None, 5, True)]


def test_at_the_bottom_of_a_recursion():
    def deeper(node):
        node.left = Node(thing=1000)
        node.left.thing = 1.5
        deeper(node.left)

    with pytest.raises(FatalError, match="stack overflow"):
        run(lambda: deeper(Node()))
    assert run(lambda: Node(key=1).key) == 1


def test_a_recursion_that_is_caught_leaves_the_heap_sound():
    def main():
        depths = []

        def deeper(node, depth):
            depths.append(depth)
            node.left = Node()
            deeper(node.left, depth + 1)

        first = Node()
        try:
            deeper(first, 0)
        except RecursionError:
            pass
        check_heap(heap())
        node, count = first, 0
        while node is not None:
            node, count = node.left, count + 1
        return count, len(depths)

    try:
        count, depth = run(main)
    except FatalError as overflow:  # it struck inside an operation
        assert "stack overflow" in str(overflow)
    else:
        assert count in (depth, depth + 1)


@pytest.mark.parametrize(
    ("use", "text"),
    [
        (lambda node: Node(), "main.Node|test_heap.Node"),
        (lambda node: new(Int), "new"),
        (lambda node: node.value, "value"),
    ],
)
def test_on_a_thread_of_a_system_call(use, text):
    def main():
        node = Node()
        with pytest.raises(
            RuntimeError, match=f"({text}) must be called from a goroutine: a function given to syscall"
        ):
            syscall(use, node)

    run(main)


def test_on_a_foreign_greenlet():
    def main():
        def foreign():
            with pytest.raises(RuntimeError, match="must be called from a goroutine"):
                Node()
            return "done"

        return greenlet(foreign).switch()

    assert run(main) == "done"


def test_a_destructor_of_pythons_may_use_the_heap():
    class Plain:
        def __init__(self, node):
            self.node = node

        def __del__(self):
            self.node.left = Node(key=7)

    def main():
        node = Node()
        plain = Plain(node)
        del plain
        assert node.left.key == 7
        node.thing = Plain(node)
        node.thing = None
        gc.collect()
        check_heap(heap())

    run(main)


def test_two_runs_with_the_same_class():
    class Local(Struct):
        next: Ptr["Local"]

    def main():
        first = Local()
        first.next = Local()
        return first._go_addr, first.next._go_addr

    assert run(main) == run(main)
