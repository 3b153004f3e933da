"""The one source of choices.

Wherever Go leaves something open, the code asks `choose(kind, n)` and gets an integer in range(n). A run is a program,
its configuration and the sequence of these answers: a seed, a replay file, a random walk and an exhaustive search are
all just choosers.

Protocol of a chooser: one callable, `choose(kind, n) -> int` with 0 <= answer < n; and `checksum() -> int` over
everything that was asked and answered. It must not raise, and must not call back into the runtime.
"""

from __future__ import annotations

import sys
import zlib
from array import array
from collections.abc import Callable, Iterator
from itertools import chain
from typing import Protocol

from .rng import Words

# What can be asked. The number is part of the checksum and of recorded files: append, never renumber. It is a multiple
# of KIND, so that one word takes both the kind and n.
KIND = 1 << 24
SELECT, STEAL, TIE, SCHEDULE, MAP_ITERATION, POOL, PROGRAM, BUBBLE_TIMER, SAMPLE, MAP_SEED = range(0, 10 * KIND, KIND)
# Their names, by kind // KIND.
KIND_NAMES = (
    "select", "steal", "tie", "schedule", "map iteration", "pool", "program", "bubble timer", "sample", "map seed",
)  # fmt: skip


class Chooser(Protocol):
    """Answers for what Go leaves open."""

    def choose(self, kind: int, n: int) -> int:
        """An integer in range(n), n >= 1."""
        ...

    def checksum(self) -> int:
        """CRC-32 over all questions and answers so far."""
        ...


class SeededChooser:
    """The default: every answer is drawn from the run's seed.

    The log keeps what was asked, one word per choice; with the seed that fixes the answers too. It is folded into the
    checksum a block at a time, so that keeping it costs one append a choice. `choose(kind, n)` is a closure, not a
    method, and draws through iterators that refill themselves: it is called inside select.
    """

    __slots__ = ("_crc", "_log", "_words", "choose")

    def __init__(self, seed: int) -> None:
        self._words = Words(seed)
        self._crc = seed & 0xFFFFFFFF
        self._log: array[int] = array("I")
        draw = chain.from_iterable(self._blocks()).__next__
        note = self._log.append

        def choose(kind: int, n: int) -> int:  # hot: select
            """An integer in range(n), equally likely to within n / 2**30."""
            nonlocal draw
            note(kind | n)
            try:
                return draw() % n
            except StopIteration:  # RecursionError had struck while a block was drawn, which ends such an iterator
                draw = chain.from_iterable(self._blocks()).__next__
                return draw() % n

        self.choose: Callable[[int, int], int] = choose

    def _blocks(self) -> Iterator[list[int]]:
        """Blocks of words, for ever; drawing one folds the log of the one before."""
        while True:
            self._fold()
            yield self._words.block()

    def _fold(self) -> None:
        log = self._log
        if sys.byteorder != "little":
            log.byteswap()
        self._crc = zlib.crc32(log.tobytes(), self._crc)
        del log[:]

    def checksum(self) -> int:
        """CRC-32 over all questions so far, and the seed that answers them."""
        self._fold()
        return self._crc
