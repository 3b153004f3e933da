"""Value: a value of any one type.

Go: sync/atomic/value.go Value.
"""

from __future__ import annotations

from typing import Any

from ..kernel import costs
from ..lang.owner import Owned
from ..lang.panic import panic
from ..sched.ops import OP_ATOMIC, OP_LOAD
from .word import COST, Word

STORE_COST = costs.VALUE_STORE


class Value(Word):
    """A value of any one type: the first that is stored fixes the type.

    Go: sync/atomic/value.go Value.
    """

    __slots__ = ()
    NAME = "Value"
    value: Any

    def __init__(self) -> None:
        Owned.__init__(self)
        self.value = None

    def load(self) -> Any:
        """The value; None if none was stored.

        Raises: RuntimeError outside a goroutine.
        Go: sync/atomic/value.go Value.Load.
        """
        if self.quick(COST):
            return self.value
        return self.slow(OP_LOAD, "load", self._load)

    def store(self, val: Any) -> None:
        """Set the value.

        Raises: Panic "sync/atomic: store of nil value into Value" and "sync/atomic: store of inconsistently typed value
        into Value"; RuntimeError outside a goroutine.
        Go: sync/atomic/value.go Value.Store.
        """
        if val is None:
            panic("sync/atomic: store of nil value into Value")
        if self.quick(STORE_COST):
            self._put(val, "store")
        else:
            self.slow(OP_ATOMIC, "store", self._put, val, "store")

    def swap(self, new: Any) -> Any:
        """Set the value and return what it was.

        Raises: Panic as `store`, of a swap; RuntimeError outside a goroutine.
        Go: sync/atomic/value.go Value.Swap.
        """
        if new is None:
            panic("sync/atomic: swap of nil value into Value")
        if self.quick(STORE_COST):
            return self._put(new, "swap")
        return self.slow(OP_ATOMIC, "swap", self._put, new, "swap")

    def compare_and_swap(self, old: Any, new: Any) -> bool:
        """Set the value to new if it is equal to old; says whether it did.

        Raises: Panic as `store`, of a compare and swap, also when old and new are of different types; what `==`
        raises; RuntimeError outside a goroutine.
        Go: sync/atomic/value.go Value.CompareAndSwap.
        """
        if new is None:
            panic("sync/atomic: compare and swap of nil value into Value")
        if old is not None and type(old) is not type(new):
            panic("sync/atomic: compare and swap of inconsistently typed values")
        while True:
            seen = self.load()
            if seen is not None and type(seen) is not type(new):
                panic("sync/atomic: compare and swap of inconsistently typed value into Value")
            if seen is not old and (seen is None or seen != old):
                return False
            # `==` may be the user's code, in which others may have come by.
            if self._exchange(seen, new):
                return True
            if self._is_ending():
                return False

    def _exchange(self, seen: Any, new: Any) -> bool:
        if self.quick(STORE_COST):
            return self._replace(seen, new)
        return self.slow(OP_ATOMIC, "compare_and_swap", self._replace, seen, new) is True and not self._is_ending()

    def _put(self, val: Any, what: str) -> Any:
        old = self.value
        if old is not None and type(old) is not type(val):
            panic(f"sync/atomic: {what} of inconsistently typed value into Value")
        self.value = val
        return old
