"""What a panic prints for values of different types, each in a process of its own.

The first column is the name of Go's type. An `error` of Go is an exception here, a Stringer a class with `__str__`.
"""

import sys

import fmt
import osexec

from goruntime import panic, run

OMITTED = [
    "*main.P",  # pointers to structs are types of the emulated heap
    "[]int",  # so are slices
]
OMITTED_TEXT = [
    r"   \.\.\.\n",  # the program's mark for what it cut off: the runtime's own frames
]


class S(str):
    pass


class I(int):  # noqa: E742  Go's name
    pass


class P:
    def __init__(self, a, b):
        self.a = a
        self.b = b


class St:
    def __str__(self):
        return "stringer text"


class E(Exception):
    def __str__(self):
        return "custom error"


class Bad(Exception):
    def __str__(self):  # noqa: PLE0307  it never returns
        panic("panic in Error")


CASES = [
    ("string", "text"),
    ("string", "two\nlines"),
    ("int", 42),
    ("float64", 3.5),
    ("bool", True),
    ("<nil>", None),
    ("*errors.errorString", Exception("an error")),
    ("main.S", S("named")),
    ("main.I", I(7)),
    ("main.P", P(1, 2)),
    ("main.St", St()),
    ("main.E", E()),
    ("*fmt.wrapError", Exception(f"wrap: {E()}")),
    ("main.Bad", Bad()),
    ("int32", ord("x")),
    ("complex128", complex(1, 2)),
    ("uintptr", 9),
]


def main():
    if len(sys.argv) > 1:
        _, value = CASES[int(sys.argv[1])]
        panic(value)
    for i, (name, _) in enumerate(CASES):
        err, b = osexec.combined_output(__file__, i, GOTRACEBACK="none")
        fmt.print_(f"{name} -> {fmt.text(err)}\n{osexec.head(b)}")


if __name__ == "__main__":
    run(main)
