"""Bool, and Pointer: a reference to any object.

Go: sync/atomic/type.go Bool, Pointer.
"""

from __future__ import annotations

from typing import Any, Generic, TypeVar

from ..lang.owner import Owned
from ..sched.ops import OP_ATOMIC, OP_LOAD
from .word import COST, Word

T = TypeVar("T")


class Cell(Word):
    """A word that is compared by identity."""

    __slots__ = ()

    def _get(self) -> Any:
        if self.quick(COST):
            return self.value
        return self.slow(OP_LOAD, "load", self._load)

    def _store(self, value: Any) -> None:
        if self.quick(COST):
            self.value = value
        else:
            self.slow(OP_ATOMIC, "store", self._set, value)

    def _exchange(self, new: Any) -> Any:
        if self.quick(COST):
            return self._swap(new)
        return self.slow(OP_ATOMIC, "swap", self._swap, new)

    def _compare(self, old: Any, new: Any) -> bool:
        if self.quick(COST):
            return self._replace(old, new)
        done = self.slow(OP_ATOMIC, "compare_and_swap", self._replace, old, new)
        return done is True and not self._is_ending()


class Bool(Cell):
    """A bool.

    Go: sync/atomic/type.go Bool.
    """

    __slots__ = ()
    NAME = "Bool"
    value: bool

    def __init__(self, value: bool = False) -> None:
        Owned.__init__(self)
        self.value = _bool(value, "value")

    def load(self) -> bool:
        """The value.

        Raises: RuntimeError outside a goroutine.
        Go: sync/atomic/type.go Bool.Load.
        """
        return bool(self._get())

    def store(self, value: bool) -> None:
        """Set the value.

        Raises: TypeError if value is no bool; RuntimeError outside a goroutine.
        Go: sync/atomic/type.go Bool.Store.
        """
        self._store(_bool(value, "store"))

    def swap(self, new: bool) -> bool:
        """Set the value and return what it was.

        Raises: as `store`.
        Go: sync/atomic/type.go Bool.Swap.
        """
        return bool(self._exchange(_bool(new, "swap")))

    def compare_and_swap(self, old: bool, new: bool) -> bool:
        """Set the value to new if it is old; says whether it did.

        Raises: as `store`.
        Go: sync/atomic/type.go Bool.CompareAndSwap.
        """
        return self._compare(_bool(old, "compare_and_swap"), _bool(new, "compare_and_swap"))


def _bool(value: Any, what: str) -> bool:
    if not isinstance(value, bool):
        raise TypeError(f"atomic.Bool.{what}: a bool is needed, not {type(value).__name__}")
    return value


class Pointer(Cell, Generic[T]):
    """A reference to any object, or None. `Pointer[T]()` tells type checkers to what.

    Go: sync/atomic/type.go Pointer.
    """

    __slots__ = ()
    NAME = "Pointer"
    value: T | None

    def __init__(self, value: T | None = None) -> None:
        Owned.__init__(self)
        self.value = value

    def load(self) -> T | None:
        """What it refers to.

        Raises: RuntimeError outside a goroutine.
        Go: sync/atomic/type.go Pointer.Load.
        """
        return self._get()  # type: ignore[no-any-return]

    def store(self, value: T | None) -> None:
        """Let it refer to value.

        Raises: RuntimeError outside a goroutine.
        Go: sync/atomic/type.go Pointer.Store.
        """
        self._store(value)

    def swap(self, new: T | None) -> T | None:
        """Let it refer to new; returns what it referred to.

        Raises: RuntimeError outside a goroutine.
        Go: sync/atomic/type.go Pointer.Swap.
        """
        return self._exchange(new)  # type: ignore[no-any-return]

    def compare_and_swap(self, old: T | None, new: T | None) -> bool:
        """Let it refer to new if it refers to old, the very object; says whether it did.

        Raises: RuntimeError outside a goroutine.
        Go: sync/atomic/type.go Pointer.CompareAndSwap.
        """
        return self._compare(old, new)

    def __repr__(self) -> str:  # what it refers to may refer back
        return "<atomic.Pointer None>" if self.value is None else f"<atomic.Pointer to {type(self.value).__name__}>"
