"""What all atomics are: one value, and operations that are one step each.

Go: sync/atomic/type.go noCopy.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

from ..base.events import ATOMIC
from ..kernel import costs
from ..lang.owner import Owned

if TYPE_CHECKING:
    from ..sched.g import G
    from ..sched.m import M

COST = costs.ATOMIC


class Word(Owned):
    """A word in memory."""

    __slots__ = ("value",)
    KIND = "atomic"
    NAME: ClassVar[str]  # Go's
    value: Any

    def slow(self, op: int, name: str, change: Callable[..., Any], *args: Any) -> Any:
        """An operation that somebody listens to, or that has to stop first. change does it, on args.

        In the `finally` of an abandoned goroutine it gives the value, and changes nothing.
        """
        done = self.step(f"atomic.{self.NAME}.{name}", COST, op, self._perform, name, change, args)
        return self.value if done is None else done[0]

    def _perform(self, m: M, g: G, name: str, change: Callable[..., Any], args: tuple[Any, ...]) -> tuple[Any]:
        if m.watch is not None:
            m.emit(ATOMIC, self.event_name(), name)
        return (change(*args),)

    def _is_ending(self) -> bool:
        """The run is over, and this goroutine taken down."""
        return self.sched is not None and self.sched.is_ending

    # Changes.

    def _load(self) -> Any:
        return self.value

    def _set(self, value: Any) -> None:
        self.value = value

    def _swap(self, value: Any) -> Any:
        old, self.value = self.value, value
        return old

    def _replace(self, old: Any, new: Any) -> bool:
        if self.value is not old:
            return False
        self.value = new
        return True

    def __repr__(self) -> str:
        return f"<atomic.{self.NAME} {self.value!r}>"
