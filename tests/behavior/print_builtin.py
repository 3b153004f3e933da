"""The builtin print and println: stderr, no scheduling point, and the formats that panic messages use."""

import math

from goruntime import nilchan, print_, println, run

OMITTED = [
    "[0/0]0xX",  # slices are types of the emulated heap
    "true",  # the comparison of a slice with nil
]


def main():
    println(1, -2, 255, ord("x"), True, "s")
    println(3.5, 1e21, 1e20, 0.1, 100000.0, 0.1, 0.0, math.inf, -math.inf, math.nan)
    println(complex(1, -2.5), 17, 1 << 62)
    print_("no", "space", 1, 2, "\n")
    m = None
    f = None
    c = nilchan
    p = None
    s = []
    println(m, f, c, p, len(s))


if __name__ == "__main__":
    run(main)
