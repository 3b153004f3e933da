"""Tiny allocator (16-byte blocks, pointer-free objects < 16 B): counts for N equal-size allocations, packing of mixes.

Which objects share a block is seen through their addresses.
"""

import fmt

from goruntime import Array, Int, Int8, Int16, Int32, Int64, Ptr, Struct, Uint8, addr, new, run, runtime

hold = [None] * 20000


class T3(Struct):
    a: Uint8
    b: Uint8
    c: Uint8


class T5(Struct):
    a: Array[Uint8, 5]


class T6(Struct):
    a: Int16
    b: Int16
    c: Int16


class T7(Struct):
    a: Array[Uint8, 7]


class T12(Struct):
    a: Int32
    b: Int32
    c: Int32


class Empty(Struct):
    pass


def measure(name, size, kind):
    n = 4800
    a = runtime.read_mem_stats()  # flushes mcaches, so the tiny block starts empty
    for i in range(n):
        p = new(kind)
        hold[i] = p
    b = runtime.read_mem_stats()
    blocks = b.by_size[2].mallocs - a.by_size[2].mallocs
    per_block = f"{n / blocks:.3f}" if blocks else "+Inf"
    fmt.println(
        f"{name:<10} size={size:2d}: Mallocs +{b.mallocs - a.mallocs} Frees +{b.frees - a.frees} HeapObjects"
        f" +{b.heap_objects - a.heap_objects} TotalAlloc +{b.total_alloc - a.total_alloc}  class16.Mallocs +{blocks}"
        f" (={per_block} objs/block) class8 +{b.by_size[1].mallocs - a.by_size[1].mallocs}"
        f" class24 +{b.by_size[3].mallocs - a.by_size[3].mallocs}"
    )


def seq(name, *kinds):
    """Packing order: offsets inside the 16-byte block."""
    runtime.read_mem_stats()  # flush: next tiny alloc opens a new block
    ps = []
    for kind in kinds:
        p = new(kind)
        hold[0] = p
        ps.append(p)
    text = f"{name}:"
    blocks = {}
    for i, p in enumerate(ps):
        base = addr(p) & ~15
        blocks.setdefault(base, len(blocks))
        hold[i] = p
        text += f" b{blocks[base]}+{addr(p) & 15}"
    fmt.println(text)


def main():
    measure("int8", 1, Int8)
    measure("int16", 2, Int16)
    measure("[3]byte", 3, T3)
    measure("int32", 4, Int32)
    measure("[5]byte", 5, T5)
    measure("3*int16", 6, T6)
    measure("[7]byte", 7, T7)
    measure("int64", 8, Int64)
    measure("[9]byte", 9, Array[Uint8, 9])
    measure("3*int32", 12, T12)
    measure("[15]byte", 15, Array[Uint8, 15])
    measure("[16]byte", 16, Array[Uint8, 16])
    measure("*int(ptr)", 8, Ptr[Int])
    measure("struct{}", 0, Empty)

    i8, i16, i32, i64 = Int8, Int16, Int32, Int64
    b3, b12, b15 = T3, T12, Array[Uint8, 15]
    seq("1,2,4,8", i8, i16, i32, i64)
    seq("1,8,1,2,4", i8, i64, i8, i16, i32)
    seq("3,3,3,3,3,3", b3, b3, b3, b3, b3, b3)
    seq("12,1,1,1,1,1", b12, i8, i8, i8, i8, i8)
    seq("12,8,1,1,1,1 (new block kept only if it has more room)", b12, i64, i8, i8, i8, i8)
    seq("8,12,1,1,1 (12 does not displace the 8-block)", i64, b12, i8, i8, i8)
    seq("15,1,1", b15, i8, i8)
    seq("1,15,15,1", i8, b15, b15, i8)
    a, b = new(Empty), new(Array[Int, 0])
    hold[0], hold[1] = addr(a), addr(b)
    fmt.println("escaping zero-size objects share one address:", hold[0] == hold[1])


if __name__ == "__main__":
    run(main)
