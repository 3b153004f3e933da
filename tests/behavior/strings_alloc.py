"""Allocations per operation and bytes for interfaces, structs, channels, slices, goroutines."""

import fmt

from goruntime import Any, Int, Struct, new, run, runtime, var

OMITTED = [
    # The bytes of strings live in Python.
    "s+s (5+5, escapes)",
    "s+s (40+40, escapes)",
    's+"" (escapes)',
    "a+b+c+d (5 each)",
    "len(s+s) non-escaping <=32",
    "string(b) 42 bytes",
    "string(b[:1])",
    "string(b[:0])",
    "map/compare string(b) no copy",
    "[]byte(s) 40 escapes",
    "string(rune) 'é'",
    "strconv.Itoa(7)",
    "strconv.Itoa(1234567)",
    "strings.Repeat(x,100)",
    'fmt.Sprintf("%d", 256)',
    "fmt.Sprint(7)",
    "strings.Builder 40 bytes in 4 writes",
    "strings.Split(5 fields)",
    # Functions and their variables are Python's.
    "closure capturing 1 int by value",
    "closure capturing 3 vars",
    "closure mutating captured var",
    "method value t1.M",
    # A struct in an interface is a pointer to it here.
    "any(struct{int})",
    "any(struct 3 ints)",
    "iface(struct{int})",
    # Slices.
    "any([]byte)",
    "make([]int,0)",
    "make([]int,10) escapes to any (slice header too)",
    # What channels and goroutines take.
    "make(chan int)",
    "make(chan int,10)",
    "make(chan struct{},100)",
    "make(chan *int)",
    "make(chan *int,10)",
    "make(chan string,4)",
    "go func(){} (reused g)",
]


class T3(Struct):
    a: Int
    b: Int
    c: Int


class Empty(Struct):
    pass


sink = var(Any, None)
si = var(Any, None)
n7, n255, n256 = 7, 255, 256
s5 = "x" * 5
f1 = 1.5


def per(name, f):
    n = 100
    f()
    a = runtime.read_mem_stats()
    for _ in range(n):
        f()
    b = runtime.read_mem_stats()
    fmt.println(
        f"{name:<52} mallocs/op={(b.mallocs - a.mallocs) / n:.2f} bytes/op={(b.total_alloc - a.total_alloc) / n:.2f}"
    )


def assign(variable, make):
    """A function that assigns what `make` gives."""

    def f():
        variable.value = make()

    return f


def main():
    t3 = new(T3)
    t3.a, t3.b, t3.c = 1, 2, 3
    per("any(int 7)", assign(si, lambda: n7))
    per("any(int 255)", assign(si, lambda: n255))
    per("any(int 256)", assign(si, lambda: n256))
    per("any(uint8)", assign(si, lambda: n256 & 0xFF))
    per("any(float64 1.5)", assign(si, lambda: f1))
    per("any(float64 0)", assign(si, lambda: 0.0))
    per("any(string non-empty)", assign(si, lambda: s5))
    per('any("")', assign(si, lambda: ""))
    per("any(pointer)", assign(si, lambda: t3))
    per("any(bool)", assign(si, lambda: n7 > 3))
    per("&struct{}{}", assign(sink, lambda: new(Empty)))
    per("new(T3)", assign(sink, lambda: new(T3)))


if __name__ == "__main__":
    run(main)
