"""What a program made with Go's types looks like in memory: sizes, size classes, spans.

A Node has 40 bytes and holds pointers, so it lies in a slot of 48 bytes, 165 of them to a page. A Point holds none, and
lies in pages of its own. A table is larger than 32 KiB and gets pages for itself. Two goroutines on two Ps build a tree
each, and fill different pages, since every P allocates from spans of its own.
Try: `goruntime heap examples/19_heap.py` draws it all; add a field to Node, and see where it goes; gomaxprocs=1.
"""

from goruntime import Array, Int, Ptr, String, Struct, Uint8, alignof, new, run, runtime, sizeof, sync


class Node(Struct):
    key: Int
    name: String
    left: Ptr["Node"]
    right: Ptr["Node"]


class Point(Struct):
    x: Int
    y: Int
    z: Int


def insert(root, key):
    node = Node(key=key)
    while root is not None:
        side = "left" if key < root.key else "right"
        below = getattr(root, side)
        if below is None:
            setattr(root, side, node)
        root = below
    return node


def build(roots):
    root = insert(None, 500)
    for number in range(1, 1000):
        insert(root, number * 389 % 1000)
        runtime.gosched()
    roots.append(root)


def main():
    before = runtime.read_mem_stats()
    trees, group = [], sync.WaitGroup()
    for _ in range(2):
        group.go(lambda: build(trees))
    group.wait()
    points = [Point(x=number) for number in range(2000)]
    pages = [new(Array[Uint8, 4000]) for _ in range(40)]
    tables = [new(Array[Int, 10_000]) for _ in range(2)]
    after = runtime.read_mem_stats()

    print("a Node is", sizeof(Node), "bytes, aligned to", alignof(Node))
    print("a Point is", sizeof(Point), "bytes")
    print(len(trees), "trees,", len(points), "points and", len(pages), "pages were made:")
    for old, now in zip(before.by_size, after.by_size, strict=True):
        if now.mallocs - old.mallocs >= 40:
            print(f"{now.mallocs - old.mallocs:6,} objects in slots of {now.size:,} bytes")
    print(len(tables), "tables of", sizeof(Array[Int, 10_000]), "bytes have spans of their own")
    print(f"{(after.heap_sys - before.heap_sys) >> 20} MiB came from the kernel")


if __name__ == "__main__":
    run(main, gomaxprocs=2)
