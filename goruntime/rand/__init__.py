"""Package rand: random numbers, as in Go's math/rand/v2.

The functions of this module draw from the run itself: from its seed, and so from whatever decides in its place. The
same program with the same seed gets the same numbers, another seed gives others; a replay gives them again. In
exploration every schedule draws the same ones, from the seed that `explore` was given.

`Rand(source)` is a generator of one's own, and `Rand(PCG(1, 2))` gives exactly the numbers of Go's
`rand.New(rand.NewPCG(1, 2))`. Such a one has nothing to do with runs.

Differs: the module's functions draw from the run's seed; Go's are seeded by the system.
Go: math/rand/v2/rand.go Rand.
"""

from __future__ import annotations

from collections.abc import Callable, MutableSequence
from math import exp, floor, log
from typing import Any

from ..base.choose import PROGRAM
from ..kernel import costs
from ..lang.error import GoRuntimeError
from ..lang.owner import current_m
from ..lang.panic import panic
from . import ziggurat
from .sources import MASK32, MASK64, PCG, ChaCha8, Source, check_uint64

SMALL = 1 << 12  # up to here a number in range(n) is one choice among n; odds equal to within 1 / 2**18
WORD = 22  # bits of one choice: three make a 64-bit number


class Rand:
    """`Rand(source)`: random numbers of all kinds from what source.uint64() gives: a `PCG`, a `ChaCha8`, your own.

    Raises: TypeError if source has no method uint64.
    Go: math/rand/v2/rand.go New.
    """

    def __init__(self, source: Source) -> None:
        if not callable(getattr(source, "uint64", None)):
            raise TypeError(f"rand.Rand: {source!r} is no source: it has no method uint64")
        self._source = source

    # Whole numbers.

    def uint64(self) -> int:
        """In range(2**64)."""
        return self._source.uint64()

    def uint32(self) -> int:
        """In range(2**32)."""
        return self.uint64() >> 32

    def uint(self) -> int:
        """In range(2**64)."""
        return self.uint64()

    def int64(self) -> int:
        """In range(2**63)."""
        return self.uint64() & (MASK64 >> 1)

    def int32(self) -> int:
        """In range(2**31)."""
        return self.uint64() >> 33

    def int_(self) -> int:
        """In range(2**63)."""
        return self.int64()

    def int_n(self, n: int) -> int:
        """In range(n).

        Raises: Panic "invalid argument to IntN" if n < 1; TypeError, ValueError if it is no 64-bit integer.
        Go: math/rand/v2/rand.go IntN.
        """
        return self._uint64n(_bound(n, "int_n", "IntN", 63))

    def int64_n(self, n: int) -> int:
        """In range(n); see `int_n`.

        Go: math/rand/v2/rand.go Int64N.
        """
        return self._uint64n(_bound(n, "int64_n", "Int64N", 63))

    def int32_n(self, n: int) -> int:
        """In range(n), where n is below 2**31; see `int_n`.

        Go: math/rand/v2/rand.go Int32N.
        """
        return self._uint64n(_bound(n, "int32_n", "Int32N", 31))

    def uint64_n(self, n: int) -> int:
        """In range(n), where n is below 2**64; see `int_n`.

        Go: math/rand/v2/rand.go Uint64N.
        """
        return self._uint64n(_bound(n, "uint64_n", "Uint64N", 64))

    def uint32_n(self, n: int) -> int:
        """In range(n), where n is below 2**32; see `int_n`.

        Go: math/rand/v2/rand.go Uint32N.
        """
        return self._uint64n(_bound(n, "uint32_n", "Uint32N", 32))

    def uint_n(self, n: int) -> int:
        """In range(n), where n is below 2**64; see `int_n`.

        Go: math/rand/v2/rand.go UintN.
        """
        return self._uint64n(_bound(n, "uint_n", "UintN", 64))

    def n(self, n: int) -> int:
        """In range(n); see `int_n`.

        Go: math/rand/v2/rand.go N.
        """
        return self._uint64n(_bound(n, "n", "N", 64))

    def _uint64n(self, n: int) -> int:
        """In range(n), all exactly as likely: the high half of a product, unless its low half shows that it is one too
        many.

        Go: math/rand/v2/rand.go uint64n.
        """
        if n & (n - 1) == 0:
            return self.uint64() & (n - 1)
        product = self.uint64() * n
        if product & MASK64 < n:
            least = (1 << 64) % n
            while product & MASK64 < least:
                product = self.uint64() * n
        return product >> 64

    # Fractions.

    def float64(self) -> float:
        """In [0, 1), a multiple of 2**-53."""
        return (self.uint64() & ((1 << 53) - 1)) / (1 << 53)

    def float32(self) -> float:
        """In [0, 1), a multiple of 2**-24."""
        return (self.uint32() & ((1 << 24) - 1)) / (1 << 24)

    def norm_float64(self) -> float:
        """Normally distributed, with mean 0 and standard deviation 1.

        Go: math/rand/v2/normal.go NormFloat64.
        """
        k, w, f = ziggurat.normal()
        tail, float32 = ziggurat.NORMAL_TAIL, ziggurat.float32
        while True:
            u = self.uint64()
            j = (u & MASK32) - ((u & 1 << 31) << 1)
            i = u >> 32 & 0x7F
            x = j * w[i]
            if abs(j) < k[i]:
                return x
            if i == 0:
                while True:
                    x = -log(self.float64()) * (1.0 / tail)
                    y = -log(self.float64())
                    if y + y >= x * x:
                        return tail + x if j > 0 else -tail - x
            if float32(f[i] + float32(float32(self.float64()) * float32(f[i - 1] - f[i]))) < float32(exp(-0.5 * x * x)):
                return x

    def exp_float64(self) -> float:
        """Exponentially distributed, with rate 1 and mean 1.

        Go: math/rand/v2/exp.go ExpFloat64.
        """
        k, w, f = ziggurat.exponential()
        float32 = ziggurat.float32
        while True:
            u = self.uint64()
            j, i = u & MASK32, u >> 32 & 0xFF
            x = j * w[i]
            if j < k[i]:
                return x
            if i == 0:
                return ziggurat.EXPONENTIAL_TAIL - log(self.float64())
            if float32(f[i] + float32(float32(self.float64()) * float32(f[i - 1] - f[i]))) < float32(exp(-x)):
                return x

    # Orders.

    def perm(self, n: int) -> list[int]:
        """The numbers of range(n) in random order.

        Raises: Panic if n is negative; TypeError if it is no integer.
        Go: math/rand/v2/rand.go Perm.
        """
        _check_integer(n, "rand.perm: n")
        if n < 0:
            raise GoRuntimeError("makeslice: len out of range")
        numbers = list(range(n))
        self.shuffle(numbers)
        return numbers

    def shuffle(self, n: int | MutableSequence[Any], swap: Callable[[int, int], Any] | None = None) -> None:
        """Put n things in random order: `swap(i, j)` exchanges two of them. `shuffle(items)` does it to a list.

        Raises: Panic "invalid argument to Shuffle" if n is negative; TypeError for anything else.
        Go: math/rand/v2/rand.go Shuffle.
        """
        if swap is None:
            if not isinstance(n, MutableSequence):
                raise TypeError("rand.shuffle: write shuffle(n, swap) or shuffle(items), with a list of items")
            items = n

            def swap(i: int, j: int) -> None:
                items[i], items[j] = items[j], items[i]

            n = len(items)
        count = _check_integer(n, "rand.shuffle: n")
        if not callable(swap):
            raise TypeError(f"rand.shuffle: swap must be a function of two indices, not {swap!r}")
        if count < 0:
            panic("invalid argument to Shuffle")
        for i in range(count - 1, 0, -1):
            swap(i, self._uint64n(i + 1))


class Zipf:
    """`Zipf(r, s, v, imax)`: draws k in range(imax + 1) with odds proportional to (v + k) ** -s.

    Raises: ValueError unless s > 1 and v >= 1; TypeError if r is no Rand.
    Differs: Go's NewZipf returns nil for such an s or v.
    Go: math/rand/v2/zipf.go NewZipf, Uint64.
    """

    def __init__(self, r: Rand, s: float, v: float, imax: int) -> None:
        if not isinstance(r, Rand):
            raise TypeError(f"rand.Zipf: r must be a Rand, not {type(r).__name__}")
        if not (s > 1 and v >= 1):
            raise ValueError(f"rand.Zipf: s must be above 1 and v at least 1: s={s!r}, v={v!r}")
        self._r = r
        self._v, self._q = float(v), float(s)
        self._one_minus_q = 1.0 - self._q
        self._inverse = 1.0 / self._one_minus_q
        self._hxm = self._h(float(check_uint64(imax, "rand.Zipf: imax")) + 0.5)
        self._range = self._h(0.5) - exp(log(self._v) * -self._q) - self._hxm
        self._s = 1 - self._hinv(self._h(1.5) - exp(-self._q * log(self._v + 1.0)))

    def _h(self, x: float) -> float:
        return exp(self._one_minus_q * log(self._v + x)) * self._inverse

    def _hinv(self, x: float) -> float:
        return exp(self._inverse * log(self._one_minus_q * x)) - self._v

    def uint64(self) -> int:
        """The next number."""
        while True:
            ur = self._hxm + self._r.float64() * self._range
            x = self._hinv(ur)
            k = floor(x + 0.5)
            if k - x <= self._s or ur >= self._h(k + 0.5) - exp(-log(k + self._v) * self._q):
                return k


def _check_integer(value: Any, what: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{what} must be an integer, not {type(value).__name__}")
    return value


def _bound(n: Any, what: str, go_name: str, bits: int) -> int:
    """n, which must be positive and fit."""
    _check_integer(n, f"rand.{what}: n")
    if n <= 0:
        panic(f"invalid argument to {go_name}")
    if n >> bits:
        raise ValueError(f"rand.{what}: n must be below 2**{bits}: {n}")
    return int(n)


class _OfTheRun:
    """The source of the module's functions: the choices of the run.

    Go: math/rand/v2/rand.go runtimeSource.
    """

    def uint64(self) -> int:
        m, _ = current_m("rand")
        m.clock += costs.RAND
        choose = m.choose
        word = 1 << WORD
        high = choose(PROGRAM, word) << 2 * WORD | choose(PROGRAM, word) << WORD
        return (high | choose(PROGRAM, word)) & MASK64


class _Program(Rand):
    """The module's functions. A small range is one choice, which a strategy and a reader of replays can make sense of.

    Go: math/rand/v2/rand.go globalRand.
    """

    def _uint64n(self, n: int) -> int:
        if n > SMALL:
            return Rand._uint64n(self, n)
        m, _ = current_m("rand")
        m.clock += costs.RAND
        return m.choose(PROGRAM, n)


_program = _Program(_OfTheRun())

uint64 = _program.uint64
uint32 = _program.uint32
uint = _program.uint
int64 = _program.int64
int32 = _program.int32
int_ = _program.int_
int_n = _program.int_n
int64_n = _program.int64_n
int32_n = _program.int32_n
uint64_n = _program.uint64_n
uint32_n = _program.uint32_n
uint_n = _program.uint_n
n = _program.n
float64 = _program.float64
float32 = _program.float32
norm_float64 = _program.norm_float64
exp_float64 = _program.exp_float64
perm = _program.perm
shuffle = _program.shuffle

__all__ = ["PCG", "ChaCha8", "Rand", "Source", "Zipf", "exp_float64", "float32", "float64"]
__all__ += ["int32", "int32_n", "int64", "int64_n", "int_", "int_n", "n", "norm_float64", "perm"]
__all__ += ["shuffle", "uint", "uint32", "uint32_n", "uint64", "uint64_n", "uint_n"]
