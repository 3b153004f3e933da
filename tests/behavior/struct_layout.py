"""Sizes, alignments, offsets, PtrBytes and pointer bitmaps of types, as the allocator and the collector know them."""

import fmt

from goruntime import (
    Any,
    Array,
    Bool,
    Float32,
    Func,
    Int,
    Int8,
    Int16,
    Int32,
    Int64,
    Ptr,
    String,
    Struct,
    Uint8,
    Uintptr,
    chan,
    run,
    sizeof,
)
from goruntime.lang.types import STRUCT, go_type

OMITTED = [
    # Slices and maps.
    "[]int",
    "map[int]int",
    "main.E",
    # Complex numbers have no type here.
    "complex64",
    "complex128",
    "main.H",
    # Structs of Go's packages: ours are Python's objects.
    "sync.Mutex",
    "sync.RWMutex",
    "sync.WaitGroup",
    "sync.Once",
    "sync.Cond",
    "sync.Pool",
    "sync.Map",
    "time.Time",
    "time.Timer",
    "reflect.Value",
    # A struct without fields has a name here, and so has one that is made when the program runs.
    "struct {}",
    "struct { A int32; B *int; C uint8 }",
]
OMITTED_TEXT = [
    r"(?<=string 16) slice 24 map 8",
    r" error 16",  # an error is any value
]
ON_DEMAND = 128  # words: a longer mask is left to the runtime


def show(t):
    r = go_type(t)
    bits = ""
    if 0 < r.ptrdata <= ON_DEMAND * 8:
        for i in range(min(r.ptrdata // 8, 48)):
            bits += str(r.ptrmask >> i & 1)
    elif r.ptrdata > 0:
        bits = "(mask built on demand)"
    line = f"{r.name:<46} size={r.size:<5} align={r.align} ptrbytes={r.ptrdata:<4} mask={bits}"
    if r.kind == STRUCT and len(r.fields) <= 8:
        line += " offs="
        for field in r.fields:
            line += f"{field.name}@{field.offset} "
    fmt.println(line)


class A(Struct):
    a: Bool
    b: Int64
    c: Bool


class B(Struct):
    b: Int64
    a: Bool
    c: Bool


class C(Struct):
    a: Int32
    p: Ptr[Int]
    s: String
    e: Any


class D(Struct):
    p: Ptr[Int]
    x: Array[Int, 100]


class Empty(Struct):
    pass


class F(Struct):
    a: Int8
    z: Empty


class G(Struct):
    z: Empty
    a: Int8


class Node(Struct):
    l: Ptr["Node"]  # noqa: E741  # Go's name
    r: Ptr["Node"]


class Big(Struct):
    arr: Array[Ptr[Int], 200]


def main():
    for t in (
        *(Bool, Int8, Int16, Int32, Int64, Int, Uintptr, Float32, String),
        *(Ptr[Int], Func, chan[Int], Array[Int, 0], Array[Uint8, 3], Array[Any, 2]),
        *(A, B, C, D, F, G, Node, Big, Array[Ptr[Int], 64], Array[C, 3]),
    ):
        show(t)
    fmt.println("any", sizeof(Any), "string", sizeof(String), "chan", sizeof(chan[Int]), "func", sizeof(Func))


if __name__ == "__main__":
    run(main)
