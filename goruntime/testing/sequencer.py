"""Sequencer: the steps of several goroutines in a prescribed order.

A test of concurrent code often needs one certain interleaving. A Sequencer makes it: each goroutine wraps its steps in
`with seq(label):`, and a step begins when the one before it, in whatever goroutine, has ended.

Each step has a gate, a channel that the end of the step before it closes. A goroutine that waits shows in a dump as

    goroutine 8 [chan receive] {after: write, step: read}:

so that a deadlock names the step that never came.
"""

from __future__ import annotations

from types import TracebackType

from ..lang.chan import chan
from ..lang.owner import current_m


class BrokenSequence(Exception):
    """A step before this one has failed; `__cause__` is what it raised."""


class Sequencer:
    """`Sequencer("write", "read", "close")`: steps in this order. Without labels they are 0, 1, 2, ...

    A label may stand in the order several times: each `seq(label)` is the next of them. A Sequencer is for goroutines
    of one synctest bubble, or for goroutines of none.
    Raises: TypeError if a label is no str or int.
    """

    def __init__(self, *labels: str | int) -> None:
        for label in labels:
            if not isinstance(label, (str, int)) or isinstance(label, bool):
                raise TypeError(f"Sequencer: a label must be a str or an int, not {type(label).__name__}")
        self._order = labels
        self._taken: set[int] = set()  # places in the order
        self._turn = 0  # the place of the step that runs, or may begin
        self._gates: dict[int, chan[None]] = {}  # of the steps that are waited for, by place
        self._failure: BaseException | None = None
        self._failed = ""

    def __call__(self, label: str | int) -> Step:
        """The step of that label, for `with`: it begins when the steps before it have ended.

        Raises: ValueError if there is no such step, or it is taken already.
        """
        place = self._place(label)
        self._taken.add(place)
        return Step(self, place, label)

    def remaining(self) -> list[str | int]:
        """The labels of the steps that have not ended, in order; of an endless sequence, those that somebody waits for.

        A test that is over can assert that there are none.
        """
        if self._order:
            return list(self._order[self._turn :])
        return sorted(place for place in self._taken if place >= self._turn)

    def _place(self, label: str | int) -> int:
        if not self._order:
            if not isinstance(label, int) or isinstance(label, bool) or label < 0:
                raise ValueError(f"Sequencer: steps without labels are 0, 1, 2, ..., not {label!r}")
            places = [label]
        else:
            places = [place for place, known in enumerate(self._order) if known == label]
            if not places:
                known = ", ".join(map(repr, self._order))
                raise ValueError(f"Sequencer: there is no step {label!r}, only {known}")
        for place in places:
            if place not in self._taken:
                return place
        raise ValueError(f"Sequencer: step {label!r} is taken already")

    def _label(self, place: int) -> str:
        return str(self._order[place] if self._order else place)

    def _begin(self, place: int) -> None:
        """Wait for the turn of a step."""
        _, g = current_m("Sequencer")
        if place > self._turn and self._failure is None:
            gate = self._gates[place] = chan()
            labels = g.labels
            g.labels = {**(labels or {}), "step": self._label(place), "after": self._label(place - 1)}
            gate.recv()
            g.labels = labels
        if self._failure is not None:
            raise BrokenSequence(
                f"step {self._label(place)!r} cannot begin: step {self._failed!r} has failed"
            ) from self._failure

    def _end(self, place: int, error: BaseException | None) -> None:
        """Let the next step begin, or all who wait know that it will not."""
        if error is not None:
            self._failure, self._failed = error, self._label(place)
            for waiting in sorted(self._gates):
                self._gates.pop(waiting).close()
            return
        self._turn = place + 1
        gate = self._gates.pop(place + 1, None)
        if gate is not None:
            gate.close()


class Step:
    """One step of a Sequencer."""

    __slots__ = ("_place", "_sequencer", "label")

    def __init__(self, sequencer: Sequencer, place: int, label: str | int) -> None:
        self._sequencer = sequencer
        self._place = place
        self.label = label

    def __enter__(self) -> Step:
        """Wait until the steps before it have ended.

        Raises: BrokenSequence if one of them has failed; RuntimeError outside a goroutine.
        """
        self._sequencer._begin(self._place)
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _trace: TracebackType | None) -> None:
        self._sequencer._end(self._place, error)

    def __repr__(self) -> str:
        return f"<step {self.label!r}>"


__all__ = ["BrokenSequence", "Sequencer"]
