"""Package sync/atomic: single words that goroutines share without a lock.

An operation is one step: nobody comes in between. They are sequentially consistent, as Go's memory model says: the
clocks of the word and of whoever touches it are joined, so that what was written before a store is there after the load
that saw it.

Differs: the functions on plain variables (AddInt32 and so on) are missing: Python has no address of a variable.
Go: sync/atomic/type.go Int32, Int64, Uint32, Uint64, Uintptr, Bool, Pointer; sync/atomic/value.go Value.
"""

from .cell import Bool, Pointer
from .integer import Int32, Int64, Uint32, Uint64, Uintptr
from .value import Value

__all__ = ["Bool", "Int32", "Int64", "Pointer", "Uint32", "Uint64", "Uintptr", "Value"]
