"""A schedule: who took which step, in order. What a failure is replayed from.

Every step is in it, not only those at which there was a choice: a replay then compares each step, names the first that
differs, and depends on nothing but the program. The text form can be pasted anywhere:

    x1;s0;m10000;1Sg,1.1Ss,1e1;6e0a

is format 1, seed 0, at most 10,000 steps; main starts and yields; 1.1 starts and sends; main does a select and takes
case 1; a checksum, so that a piece of it is not taken for the whole. Long schedules are packed: `x1z` and base 85.
"""

from __future__ import annotations

import base64
import re
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from ..base.errors import RuntimeFailure
from ..sched.ops import OP_NAMES

FORMAT = "x1"
PACKED = "x1z"
LONGEST_PLAIN = 1_000  # characters
LETTERS = {
    "start": "S", "exit": "X", "go": "G", "send": "s", "recv": "r", "close": "c", "len": "l", "select": "e",
    "gosched": "g", "sleep": "z", "timer": "f", "work": "k", "syscall": "y", "write": "o", "time": "t", "thread": "h",
    "world": "W", "block": "b", "python": "p", "wake": "w", "lock": "L", "unlock": "U", "try_lock": "T", "rlock": "R",
    "runlock": "N", "announce": "A", "drain": "D", "add": "a", "release": "E", "wait": "J", "waited": "H",
    "coroutine": "Y", "bubble": "u", "io": "i",
    "cond_wait": "C", "notify": "n", "once": "O", "load": "d", "atomic": "x", "pool": "P", "map_load": "M",
    "map_store": "Q", "derive": "q", "cancel": "K", "context_err": "v", "critical": "B", "malloc": "m", "store": "V",
}  # fmt: skip
NAMES_BY_LETTER = {letter: name for name, letter in LETTERS.items()}
GROUP = re.compile(r"([tb]?\d+(?:\.\d+)*~?)((?:[A-Za-z]\d*)+)")
STEP = re.compile(r"([A-Za-z])(\d*)")


class Step(NamedTuple):
    """One step: who, what, and for a select that could take several cases which one it took."""

    who: str
    op: str
    case: int | None = None

    def __str__(self) -> str:
        return f"{self.who} {self.op}" + (f" (case {self.case})" if self.case is not None else "")


@dataclass(frozen=True, slots=True)
class Schedule:
    """The steps of one run, with what else decided it: the seed, and the limit on steps."""

    steps: tuple[Step, ...]
    seed: int = 0
    max_steps: int = 0  # 0: the default

    def __len__(self) -> int:
        return len(self.steps)

    def __iter__(self) -> Iterator[Step]:
        return iter(self.steps)

    def __str__(self) -> str:
        groups: list[str] = []
        who = ""
        for step in self.steps:
            if step.who != who:
                groups.append(who := step.who)
            groups[-1] += LETTERS[step.op] + ("" if step.case is None else str(step.case))
        body = f"s{self.seed};m{self.max_steps};{','.join(groups)}"
        if len(body) > LONGEST_PLAIN:
            body = base64.b85encode(zlib.compress(body.encode(), 9)).decode()
            return f"{PACKED};{body};{_checksum(body)}"
        return f"{FORMAT};{body};{_checksum(body)}"

    @classmethod
    def parse(cls, text: str) -> Schedule:
        """The schedule that a text stands for.

        Raises: ValueError if the text is none, or was damaged.
        """
        if not isinstance(text, str):
            raise TypeError(f"a schedule is a Schedule or its text, not {type(text).__name__}")
        version, _, rest = "".join(text.split()).partition(";")
        if version not in (FORMAT, PACKED):
            raise ValueError(f"not a schedule: it begins with {text[:12]!r}, not with {FORMAT};")
        body, _, checksum = rest.rpartition(";")
        if checksum != _checksum(body):
            raise ValueError("the schedule is damaged: its checksum is wrong (was all of it pasted?)")
        if version == PACKED:
            body = zlib.decompress(base64.b85decode(body)).decode()
        seed, max_steps, groups = body.split(";")
        return cls(tuple(_steps(groups)), int(seed[1:]), int(max_steps[1:]))


def _steps(groups: str) -> Iterable[Step]:
    for group in groups.split(",") if groups else ():
        match = GROUP.fullmatch(group)
        if match is None:
            raise ValueError(f"not a schedule: {group!r}")
        for letter, case in STEP.findall(match[2]):
            if letter not in NAMES_BY_LETTER:
                raise ValueError(f"not a schedule: {group!r}")
            yield Step(match[1], NAMES_BY_LETTER[letter], int(case) if case else None)


def _checksum(body: str) -> str:
    return f"{zlib.crc32(body.encode()) & 0xFFFF:04x}"


class ReplayDiverged(RuntimeFailure):
    """The program did not do what the schedule says; the text names the first step that differs."""

    status = 1


assert set(LETTERS) == set(OP_NAMES), "an operation has no letter"
assert len(NAMES_BY_LETTER) == len(LETTERS), "two operations have the same letter"
