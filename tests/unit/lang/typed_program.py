"""A program that is all right for type checkers, and one line of each kind that is not. See test_typing.py."""

from __future__ import annotations

from typing import ClassVar, Literal

from goruntime import Any, Array, Bool, Float32, Func, Int, Ptr, String, Struct, Uint8, addr, new, sizeof, var


class Node(Struct):
    key: Int
    name: String
    weight: Float32
    flag: Bool
    left: Ptr[Node]
    right: Ptr[Node]
    child: Child
    call: Func
    thing: Any
    limit: ClassVar[int] = 3

    def total(self) -> int:
        return self.key + (self.left.total() if self.left is not None else 0)


class Child(Struct):
    small: Uint8
    row: Array[Int, Literal[3]]


def main() -> None:
    node = Node(key=1, name="a", left=Node())
    key: int = node.key
    left: Node | None = node.left
    text: str = node.name + "b"
    weight: float = node.weight
    small: int = node.child.small
    other: Node = new(Node)
    place: int = addr(other) + sizeof(Node) + sizeof(Int)
    node.left = None
    node.key += 1
    hits = var(Int, 3)
    hits.value += 1
    print(key, left, text, weight, small, place, node.total(), node.call, node.thing, Node.limit)
    print(node.child.row[0] + 1, len(node.child.row))

    Node(1)  # E: Too many
    key = other.left.key  # E: Item "None" of "Node | None" has no attribute "key"
    key = node.child.row["x"]  # E: expected type "int"
    node.name = 3  # E: expression has type "int", variable has type "str"
    node.nothing = 3  # E: "Node" has no attribute "nothing"
