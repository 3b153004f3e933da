"""Programs that declare types and allocate objects of them.

A program prints one line for each of its types (size and alignment) and one that says what its allocations have changed
in MemStats, by size class, and where in their blocks the tiny ones lie. Each text is made twice: in Go, and in Python.
"""

from __future__ import annotations

import random
from typing import NamedTuple

BASIC = (
    ("bool", "Bool"), ("int8", "Int8"), ("int16", "Int16"), ("int32", "Int32"), ("int64", "Int64"), ("int", "Int"),
    ("uint8", "Uint8"), ("uint16", "Uint16"), ("uint32", "Uint32"), ("uint64", "Uint64"), ("uint", "Uint"),
    ("uintptr", "Uintptr"), ("float32", "Float32"), ("float64", "Float64"),
)  # fmt: skip
LENGTHS = (0, 1, 2, 3, 5, 7, 8, 13, 20, 33, 64)
LONG = (100, 400, 1000, 4000)  # of an array, at the outermost level: large objects among them
COUNTS = (1, 1, 1, 2, 3, 5, 17, 70, 200)


class Kind(NamedTuple):
    """A type in both languages."""

    go: str
    python: str
    has_pointers: bool


class Declaration(NamedTuple):
    """A struct."""

    name: str
    fields: list[Kind]


class Program(NamedTuple):
    """Types, and so many objects of each in turn."""

    number: int
    structs: list[Declaration]
    steps: list[tuple[Kind, int]]


def program_for(number: int) -> Program:
    """The program of this number."""
    draw = random.Random(f"heap {number}")
    structs: list[Declaration] = []
    kinds: list[Kind] = []
    for k in range(draw.randint(1, 4)):
        name = f"T{number}_{k}"
        fields = [_field(draw, kinds, name, 0) for _ in range(draw.choice((0, 1, 1, 2, 2, 3, 4, 6, 9)))]
        structs.append(Declaration(name, fields))
        kinds.append(Kind(name, name, any(field.has_pointers for field in fields)))
    steps = []
    for _ in range(draw.randint(1, 12)):
        kind = draw.choice(kinds) if draw.random() < 0.6 else _field(draw, kinds, kinds[0].go, 0)
        if draw.random() < 0.1:
            kind = _array(kind, draw.choice(LONG))
        steps.append((kind, draw.choice(COUNTS)))
    return Program(number, structs, steps)


def _field(draw: random.Random, structs: list[Kind], own: str, depth: int) -> Kind:
    """A type for a field; `own` is the struct around it, which it may point to."""
    match draw.randrange(12):
        case 0:
            return Kind("string", "String", has_pointers=True)
        case 1:
            return Kind("any", "Any", has_pointers=True)
        case 2:
            return Kind(f"*{own}", f'Ptr["{own}"]', has_pointers=True)
        case 3:
            target = _field(draw, structs, own, depth + 1) if depth < 2 else Kind(own, f'"{own}"', has_pointers=False)
            return Kind(f"*{target.go}", f"Ptr[{target.python}]", has_pointers=True)
        case 4 | 5 if depth < 2:
            return _array(_field(draw, structs, own, depth + 1), draw.choice(LENGTHS[: -3 * depth or None]))
        case 6 | 7 if structs:
            return draw.choice(structs)
    go, python = draw.choice(BASIC)
    return Kind(go, python, has_pointers=False)


def _array(kind: Kind, length: int) -> Kind:
    return Kind(f"[{length}]{kind.go}", f"Array[{kind.python}, {length}]", kind.has_pointers and length > 0)


GO_HEAD = """package main

import (
	"fmt"
	"runtime"
	"unsafe"
)

var hold [256]unsafe.Pointer
var tiny [4096]uintptr
var tinies int
var before, after runtime.MemStats

func keep(i int, p unsafe.Pointer, size uintptr, hasPointers bool) {
	hold[i] = p
	if size > 0 && size < 16 && !hasPointers {
		tiny[tinies] = uintptr(p) & 15
		tinies++
	}
}

func begin() {
	tinies = 0
	runtime.ReadMemStats(&before)
}

func report(number int) {
	runtime.ReadMemStats(&after)
	fmt.Print(number, " mallocs ", after.Mallocs-before.Mallocs, " frees ", after.Frees-before.Frees,
		" bytes ", after.TotalAlloc-before.TotalAlloc, " live ", after.HeapAlloc-before.HeapAlloc, " by size")
	for i, size := range after.BySize {
		if n := size.Mallocs - before.BySize[i].Mallocs; n != 0 {
			fmt.Printf(" %d:%d", size.Size, n)
		}
	}
	fmt.Println(" tiny at", tiny[:tinies])
}

func main() {
	runtime.MemProfileRate = 0
"""
PYTHON_HEAD = """from goruntime import (
    Any, Array, Bool, Float32, Float64, Int, Int8, Int16, Int32, Int64, Ptr, String, Struct, Uint, Uint8, Uint16,
    Uint32, Uint64, Uintptr, addr, alignof, new, run, runtime, sizeof,
)

printed = []
tiny = []


def keep(p, kind, has_pointers):
    if 0 < sizeof(kind) < 16 and not has_pointers:
        tiny.append(addr(p) & 15)


def begin():
    tiny.clear()
    return runtime.read_mem_stats()


def report(number, before):
    after = runtime.read_mem_stats()
    rows = [(a.size, a.mallocs - b.mallocs) for a, b in zip(after.by_size, before.by_size, strict=True)]
    by_size = "".join(f" {size}:{n}" for size, n in rows if n)
    printed.append(
        f"{number} mallocs {after.mallocs - before.mallocs} frees {after.frees - before.frees}"
        f" bytes {after.total_alloc - before.total_alloc} live {after.heap_alloc - before.heap_alloc}"
        f" by size{by_size} tiny at [{' '.join(map(str, tiny))}]"
    )

"""


def go_text(programs: list[Program]) -> str:
    """One program in Go that runs all of these."""
    lines = []
    calls = []
    for program in programs:
        for struct in program.structs:
            lines.append(f"type {struct.name} struct {{")
            lines += [f"\tf{i} {field.go}" for i, field in enumerate(struct.fields)]
            lines.append("}\n")
            name = struct.name
            calls.append(f'\tfmt.Println("{name}", unsafe.Sizeof({name}{{}}), unsafe.Alignof({name}{{}}))')
        lines += [f"func program{program.number}() {{", "\tbegin()"]
        for kind, count in program.steps:
            has_pointers = str(kind.has_pointers).lower()
            lines.append(f"\tfor i := range {count} {{")
            lines.append(f"\t\tp := new({kind.go})")
            lines += [f"\t\tkeep(i, unsafe.Pointer(p), unsafe.Sizeof(*p), {has_pointers})", "\t}"]
        lines += [f"\treport({program.number})", "}\n"]
        calls.append(f"\tprogram{program.number}()")
    return "\n".join([GO_HEAD + "\n".join(calls), "}\n", *lines])


def python_text(programs: list[Program]) -> str:
    """The same in Python: `main` leaves the lines in `printed`."""
    lines = []
    calls = []
    for program in programs:
        for struct in program.structs:
            lines.append(f"\nclass {struct.name}(Struct):")
            lines += [f"    f{i}: {field.python}" for i, field in enumerate(struct.fields)] or ["    pass"]
            lines.append("")
            calls.append(f'    printed.append(f"{struct.name} {{sizeof({struct.name})}} {{alignof({struct.name})}}")')
        lines += [f"\ndef program{program.number}():", "    before = begin()"]
        for kind, count in program.steps:
            lines += [f"    kind = {kind.python}", f"    for _ in range({count}):"]
            lines.append(f"        keep(new(kind), kind, {kind.has_pointers})")
        lines += [f"    report({program.number}, before)", ""]
        calls.append(f"    program{program.number}()")
    return "\n".join([PYTHON_HEAD, *lines, "\ndef main():", *calls, ""])
