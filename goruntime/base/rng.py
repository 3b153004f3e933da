"""The seeded source of 30-bit words behind every choice that nobody else decides.

Blocks of words are drawn from Mersenne Twister, whose output CPython has kept for every version: the same seed gives
the same words everywhere. A block is drawn when it is first needed, so a run that never chooses pays nothing.
"""

from __future__ import annotations

import random
import sys
from array import array

BLOCK = 256
MASK = int.from_bytes(b"\xff\xff\xff\x3f" * BLOCK, "little")  # 30 bits of each word


class Words:
    """An endless stream of 30-bit words (one digit of a CPython integer), fixed by its seed."""

    __slots__ = ("_random", "seed")

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._random: random.Random | None = None

    def block(self) -> list[int]:
        """The next 256 words."""
        if self._random is None:
            self._random = random.Random(self.seed)
        bits = self._random.getrandbits(32 * BLOCK) & MASK
        words = array("I")
        words.frombytes(bits.to_bytes(4 * BLOCK, "little"))
        if sys.byteorder != "little":
            words.byteswap()
        return words.tolist()
