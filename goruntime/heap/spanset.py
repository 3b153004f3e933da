"""A set of spans from which any of them may be taken: the last that was put in.

Go: runtime/mspanset.go spanSet (go1.27). Differs: its spine of blocks is a list here and takes no emulated memory.
"""

from __future__ import annotations

from collections.abc import Iterator

from .span import Span


class SpanSet:
    """Spans of one class that are alike: swept or not, with or without free slots."""

    __slots__ = ("_spans",)

    def __init__(self) -> None:
        self._spans: list[Span] = []

    def push(self, span: Span) -> None:
        """Put a span in."""
        self._spans.append(span)

    def pop(self) -> Span | None:
        """Take a span out; None when there is none."""
        return self._spans.pop() if self._spans else None

    def __len__(self) -> int:
        return len(self._spans)

    def __iter__(self) -> Iterator[Span]:
        """For display and proof."""
        return iter(self._spans)
