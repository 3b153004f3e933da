"""A set of spans from which any of them may be taken. It gives the one that has been in it longest.

Any would do, but which it is decides the addresses of objects. Go's is a queue: a count of those put in and a count of
those taken out.

Go: runtime/mspanset.go spanSet (go1.27). Differs: its spine of blocks is a list here and takes no emulated memory.
"""

from __future__ import annotations

from collections.abc import Iterator

from .span import Span

LEAST = 64  # places before the first span: fewer are not worth the move of the others


class SpanSet:
    """Spans of one class that are alike: swept or not, with or without free slots."""

    __slots__ = ("_head", "_spans")

    def __init__(self) -> None:
        self._spans: list[Span] = []  # no deque: there are 544 sets, most of them empty
        self._head = 0  # the first that was not taken

    def push(self, span: Span) -> None:
        """Put a span in."""
        self._spans.append(span)

    def pop(self) -> Span | None:
        """Take the span out that was put in first; None when there is none."""
        spans, head = self._spans, self._head
        if head == len(spans):
            return None
        span = spans[head]
        self._head = head = head + 1
        if head == len(spans) or (head >= LEAST and head * 2 >= len(spans)):
            del spans[:head]
            self._head = 0
        return span

    def __len__(self) -> int:
        return len(self._spans) - self._head

    def __iter__(self) -> Iterator[Span]:
        """For display and proof, in the order in which they will be taken."""
        return iter(self._spans[self._head :])
