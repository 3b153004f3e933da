"""Names for goroutines and timers that are the same in every schedule: creation paths.

Goroutine ids are drawn in the order of creation, which differs from schedule to schedule. "The second goroutine that
main started" does not: main is 1, what it starts 1.1, 1.2, ..., what 1.2 starts 1.2.1. A timer is t1, t2, ... in the
order in which they were first armed, a goroutine it starts t1.1; the end of a sleep is called after who sleeps. A
synctest bubble is b1, b2, ...
"""

from __future__ import annotations


class Name:
    """One name. `id` numbers it within its table; both outlive the run."""

    __slots__ = ("_children", "_table", "id", "text")

    def __init__(self, table: Names, text: str) -> None:
        self._table = table
        self._children: list[Name] = []
        self.text = text
        self.id = len(table.all)
        table.all.append(self)

    def child(self, number: int) -> Name:
        """The number-th goroutine that this one starts, from 0."""
        children = self._children
        while number >= len(children):
            children.append(Name(self._table, f"{self.text}.{len(children) + 1}"))
        return children[number]


class Names:
    """All names of one exploration."""

    def __init__(self) -> None:
        self.all: list[Name] = []
        self.main = Name(self, "1")
        self._timers: dict[str, Name] = {}

    def timer(self, text: str) -> Name:
        """A timer's name: `t3`, or `1.2~` for the sleep of 1.2."""
        name = self._timers.get(text)
        if name is None:
            name = self._timers[text] = Name(self, text)
        return name
