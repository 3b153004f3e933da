"""Integers of fixed width: Int32, Int64, Uint32, Uint64, Uintptr.

Go: sync/atomic/type.go Int32, Int64, Uint32, Uint64, Uintptr.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from greenlet import getcurrent

from ..lang.owner import Owned, outside
from ..sched.ops import OP_ATOMIC, OP_LOAD
from .word import COST, Word

if TYPE_CHECKING:
    from ..sched.g import G


class Integer(Word):
    """An integer of a fixed width. What is stored must fit; what `add` gives wraps around."""

    __slots__ = ()
    SPAN: ClassVar[int]  # how many values it has
    LOW: ClassVar[int]
    HIGH: ClassVar[int]
    value: int

    def __init__(self, value: int = 0) -> None:
        Owned.__init__(self)
        self.value = self._fit(value, "value")

    def load(self) -> int:  # hot: atomic
        """The value.

        Raises: RuntimeError outside a goroutine.
        Go: sync/atomic/type.go Int64.Load.
        """
        g: G = getcurrent()  # type: ignore[assignment]
        try:
            m = g.m
            clock = m.clock + COST
        except AttributeError:
            raise outside(f"atomic.{self.NAME}.load") from None
        if self.ns > clock:
            clock = self.ns
        # Unoptimised form: the call below, always; so in the others.
        if clock < m.horizon and self.sched is m.sched and m.watch is None:
            m.clock = self.ns = clock
            return self.value
        return int(self.slow(OP_LOAD, "load", self._load))

    def store(self, value: int) -> None:
        """Set the value.

        Raises: TypeError, ValueError for what is no integer or does not fit; RuntimeError outside a goroutine.
        Go: sync/atomic/type.go Int64.Store.
        """
        if type(value) is not int or not self.LOW <= value <= self.HIGH:
            value = self._fit(value, "store")
        if self.quick(COST):
            self.value = value
        else:
            self.slow(OP_ATOMIC, "store", self._set, value)

    def add(self, delta: int) -> int:  # hot: atomic
        """Add delta, which may be negative, and return the sum; it wraps around.

        Raises: TypeError if delta is no integer; RuntimeError outside a goroutine.
        Go: sync/atomic/type.go Int64.Add.
        """
        if type(delta) is not int:
            delta = self._integer(delta, "add")
        g: G = getcurrent()  # type: ignore[assignment]
        try:
            m = g.m
            clock = m.clock + COST
        except AttributeError:
            raise outside(f"atomic.{self.NAME}.add") from None
        if self.ns > clock:
            clock = self.ns
        if clock < m.horizon and self.sched is m.sched and m.watch is None:
            m.clock = self.ns = clock
            value = self.value + delta
            if not self.LOW <= value <= self.HIGH:
                value = self._wrap(value)
            self.value = value
            return value
        return int(self.slow(OP_ATOMIC, "add", self._add, delta))

    def swap(self, new: int) -> int:
        """Set the value and return what it was.

        Raises: as `store`.
        Go: sync/atomic/type.go Int64.Swap.
        """
        if type(new) is not int or not self.LOW <= new <= self.HIGH:
            new = self._fit(new, "swap")
        if self.quick(COST):
            return int(self._swap(new))
        return int(self.slow(OP_ATOMIC, "swap", self._swap, new))

    def compare_and_swap(self, old: int, new: int) -> bool:  # hot: atomic
        """Set the value to new if it is old; says whether it did.

        Raises: as `store`.
        Go: sync/atomic/type.go Int64.CompareAndSwap.
        """
        if type(old) is not int or not self.LOW <= old <= self.HIGH:
            old = self._fit(old, "compare_and_swap")
        if type(new) is not int or not self.LOW <= new <= self.HIGH:
            new = self._fit(new, "compare_and_swap")
        g: G = getcurrent()  # type: ignore[assignment]
        try:
            m = g.m
            clock = m.clock + COST
        except AttributeError:
            raise outside(f"atomic.{self.NAME}.compare_and_swap") from None
        if self.ns > clock:
            clock = self.ns
        if clock < m.horizon and self.sched is m.sched and m.watch is None:
            m.clock = self.ns = clock
            if self.value != old:
                return False
            self.value = new
            return True
        return self.slow(OP_ATOMIC, "compare_and_swap", self._compare_and_swap, old, new) is True

    def and_(self, mask: int) -> int:
        """Keep the bits that are in mask, and return what the value was. A mask may be negative: `and_(~bits)`.

        Raises: TypeError if mask is no integer; RuntimeError outside a goroutine.
        Go: sync/atomic/type.go Int64.And.
        """
        mask = self._integer(mask, "and_")
        if self.quick(COST):
            return self._and(mask)
        return int(self.slow(OP_ATOMIC, "and_", self._and, mask))

    def or_(self, mask: int) -> int:
        """Set the bits that are in mask, and return what the value was.

        Raises: as `and_`.
        Go: sync/atomic/type.go Int64.Or.
        """
        mask = self._integer(mask, "or_")
        if self.quick(COST):
            return self._or(mask)
        return int(self.slow(OP_ATOMIC, "or_", self._or, mask))

    # Changes.

    def _add(self, delta: int) -> int:
        self.value = self._wrap(self.value + delta)
        return self.value

    def _compare_and_swap(self, old: int, new: int) -> bool:
        if self.value != old:
            return False
        self.value = new
        return True

    def _and(self, mask: int) -> int:
        return int(self._swap(self._wrap(self.value & mask)))

    def _or(self, mask: int) -> int:
        return int(self._swap(self._wrap(self.value | mask)))

    def _wrap(self, value: int) -> int:
        return (value - self.LOW) % self.SPAN + self.LOW

    def _integer(self, value: Any, what: str) -> int:
        """What the user gave, as an int."""
        if isinstance(value, bool) or not hasattr(value, "__index__"):
            raise TypeError(f"atomic.{self.NAME}.{what}: an integer is needed, not {type(value).__name__}")
        return int(value.__index__())

    def _fit(self, value: Any, what: str) -> int:
        """The same, which must be one of the values that the word can have."""
        value = self._integer(value, what)
        if not self.LOW <= value <= self.HIGH:
            raise ValueError(f"atomic.{self.NAME}.{what}: {value} overflows {self.NAME.lower()}")
        return int(value)

    def __init_subclass__(cls, bits: int = 0, is_signed: bool = False) -> None:
        cls.NAME = cls.__name__
        cls.SPAN = 1 << bits
        cls.LOW = -(1 << bits - 1) if is_signed else 0
        cls.HIGH = cls.LOW + cls.SPAN - 1


class Int32(Integer, bits=32, is_signed=True):
    """An int32.

    Go: sync/atomic/type.go Int32.
    """

    __slots__ = ()


class Int64(Integer, bits=64, is_signed=True):
    """An int64.

    Go: sync/atomic/type.go Int64.
    """

    __slots__ = ()


class Uint32(Integer, bits=32):
    """A uint32. `add(-1)` subtracts.

    Go: sync/atomic/type.go Uint32.
    """

    __slots__ = ()


class Uint64(Integer, bits=64):
    """A uint64. `add(-1)` subtracts.

    Go: sync/atomic/type.go Uint64.
    """

    __slots__ = ()


class Uintptr(Integer, bits=64):
    """A uintptr: 64 bits.

    Go: sync/atomic/type.go Uintptr.
    """

    __slots__ = ()
