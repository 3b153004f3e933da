"""The tables of Marsaglia and Tsang's ziggurat method, by which Go draws normal and exponential numbers.

Go has them as literals, made by the program in their paper; this is that program, and gives the same numbers.

Go: math/rand/v2/normal.go kn, wn, fn; math/rand/v2/exp.go ke, we, fe.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from functools import cache
from math import exp, log, sqrt
from typing import NamedTuple

NORMAL_TAIL = 3.442619855899  # Go: rn
EXPONENTIAL_TAIL = 7.69711747013104972  # Go: re


class Tables(NamedTuple):
    """For each strip: k, below which a number is taken at once; w, the scale; f, the density at its edge."""

    k: tuple[int, ...]
    w: tuple[float, ...]
    f: tuple[float, ...]


def float32(value: float) -> float:
    """value, rounded to what a float32 holds."""
    rounded: float = struct.unpack("f", struct.pack("f", value))[0]
    return rounded


def _tables(
    strips: int,
    scale: float,
    tail: float,
    area: float,
    density: Callable[[float], float],
    edge: Callable[[float], float],
) -> Tables:
    """Strips of equal area under a density; edge is its inverse."""
    k, w, f = [0] * strips, [0.0] * strips, [0.0] * strips
    base = area / density(tail)
    k[0] = int(tail / base * scale)
    w[0], w[-1] = base / scale, tail / scale
    f[0], f[-1] = 1.0, density(tail)
    x = before = tail
    for i in range(strips - 2, 0, -1):
        x = edge(area / x + density(x))
        k[i + 1] = int(x / before * scale)
        before = x
        f[i], w[i] = density(x), x / scale
    return Tables(tuple(k), tuple(map(float32, w)), tuple(map(float32, f)))


@cache
def normal() -> Tables:
    """128 strips for the normal distribution."""
    return _tables(
        128, 2.0**31, NORMAL_TAIL, 9.91256303526217e-3, lambda x: exp(-0.5 * x * x), lambda y: sqrt(-2.0 * log(y))
    )


@cache
def exponential() -> Tables:
    """256 strips for the exponential distribution."""
    return _tables(256, 2.0**32, EXPONENTIAL_TAIL, 3.949659822581572e-3, lambda x: exp(-x), lambda y: -log(y))
