"""Where random numbers come from: Go's generators, which give Go's numbers from the same seed.

Go: math/rand/v2/pcg.go PCG; math/rand/v2/chacha8.go ChaCha8.
"""

from __future__ import annotations

import struct
from typing import Any, Protocol

MASK64 = (1 << 64) - 1
MASK32 = (1 << 32) - 1


class Source(Protocol):
    """What a `Rand` draws from.

    Go: math/rand/v2/rand.go Source.
    """

    def uint64(self) -> int:
        """Any 64-bit number, each as likely as the others."""
        ...


def check_uint64(value: Any, what: str) -> int:
    """value, which must be an unsigned 64-bit integer.

    Raises: TypeError if it is no integer, ValueError if it does not fit.
    """
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{what} must be an integer, not {type(value).__name__}")
    if not 0 <= value <= MASK64:
        raise ValueError(f"{what} must be in range(2**64): {value}")
    return value


class PCG:
    """`PCG(seed1, seed2)`: the PCG-DXSM generator with 128 bits of state. Without seeds it is PCG(0, 0).

    Raises: TypeError and ValueError if a seed is no unsigned 64-bit integer.
    Go: math/rand/v2/pcg.go NewPCG, Seed, next.
    """

    __slots__ = ("_state",)

    MULTIPLIER = 2549297995355413924 << 64 | 4865540595714422341
    INCREMENT = 6364136223846793005 << 64 | 1442695040888963407
    CHEAP_MULTIPLIER = 0xDA942042E4DD58B5
    MASK128 = (1 << 128) - 1

    def __init__(self, seed1: int = 0, seed2: int = 0) -> None:
        self.seed(seed1, seed2)

    def seed(self, seed1: int, seed2: int) -> None:
        """Begin anew, as PCG(seed1, seed2)."""
        self._state = check_uint64(seed1, "rand.PCG: seed1") << 64 | check_uint64(seed2, "rand.PCG: seed2")

    def uint64(self) -> int:
        """The next number, in range(2**64)."""
        self._state = state = (self._state * self.MULTIPLIER + self.INCREMENT) & self.MASK128
        hi, lo = state >> 64, state & MASK64
        hi ^= hi >> 32
        hi = hi * self.CHEAP_MULTIPLIER & MASK64
        hi ^= hi >> 48
        return hi * (lo | 1) & MASK64


class ChaCha8:
    """`ChaCha8(seed)`: the generator that Go's own global functions use. seed: 32 bytes.

    Raises: TypeError if seed is no bytes, ValueError if there are not 32 of them.
    Go: math/rand/v2/chacha8.go NewChaCha8; internal/chacha8rand/chacha8.go State, Refill.
    """

    __slots__ = ("_at", "_buffer", "_counter", "_end", "_key")

    COUNTER_STEP = 4  # blocks made at a time
    COUNTER_END = 16  # then the generator gives itself a new key
    KEY_NUMBERS = 4  # of 64 bits, the last of the buffer

    def __init__(self, seed: bytes) -> None:
        self.seed(seed)

    def seed(self, seed: bytes) -> None:
        """Begin anew, as ChaCha8(seed)."""
        if not isinstance(seed, (bytes, bytearray)):
            raise TypeError(f"rand.ChaCha8: seed must be bytes, not {type(seed).__name__}")
        if len(seed) != 32:
            raise ValueError(f"rand.ChaCha8: seed must have 32 bytes, not {len(seed)}")
        self._key = struct.unpack("<8I", seed)
        self._counter = 0
        self._fill()

    def uint64(self) -> int:
        """The next number, in range(2**64)."""
        if self._at == self._end:
            self._refill()
        number = self._buffer[self._at]
        self._at += 1
        return number

    def _refill(self) -> None:
        self._counter += self.COUNTER_STEP
        if self._counter == self.COUNTER_END:
            self._key = struct.unpack("<8I", struct.pack("<4Q", *self._buffer[-self.KEY_NUMBERS :]))
            self._counter = 0
        self._fill()

    def _fill(self) -> None:
        """32 numbers; the last four of the last group are the next key instead."""
        blocks = [_chacha8_block(self._key, self._counter + index) for index in range(self.COUNTER_STEP)]
        words = [block[row] for row in range(16) for block in blocks]  # interlaced, as four blocks in SIMD registers
        self._buffer = [words[at] | words[at + 1] << 32 for at in range(0, len(words), 2)]
        self._at = 0
        is_last = self._counter == self.COUNTER_END - self.COUNTER_STEP
        self._end = len(self._buffer) - (self.KEY_NUMBERS if is_last else 0)


CHACHA_CONSTANTS = (0x61707865, 0x3320646E, 0x79622D32, 0x6B206574)
ROUNDS = (
    *((0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15)),
    *((0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14)),
)


def _chacha8_block(key: tuple[int, ...], counter: int) -> list[int]:
    """Sixteen 32-bit words.

    Go: internal/chacha8rand/chacha8_generic.go block_generic.
    """
    words = [*CHACHA_CONSTANTS, *key, counter, 0, 0, 0]
    for _ in range(4):
        for a, b, c, d in ROUNDS:
            _quarter_round(words, a, b, c, d)
    for index, word in enumerate(key, 4):
        words[index] = (words[index] + word) & MASK32
    return words


def _quarter_round(words: list[int], a: int, b: int, c: int, d: int) -> None:
    """Go: internal/chacha8rand/chacha8_generic.go qr."""
    wa, wb, wc, wd = words[a], words[b], words[c], words[d]
    for left, right in ((16, 12), (8, 7)):
        wa = (wa + wb) & MASK32
        wd ^= wa
        wd = (wd << left | wd >> (32 - left)) & MASK32
        wc = (wc + wd) & MASK32
        wb ^= wc
        wb = (wb << right | wb >> (32 - right)) & MASK32
    words[a], words[b], words[c], words[d] = wa, wb, wc, wd
