"""Package sync: locks, conditions, and waiting for one another.

All of it is Go's own algorithms over the semaphores of the runtime (sched/sema.py). What Go does not let a program
recover from, unlocking what is not locked, is a FatalError here; other misuse panics with Go's texts.

Go: sync/mutex.go Mutex; sync/rwmutex.go RWMutex; sync/waitgroup.go WaitGroup; sync/once.go Once; sync/cond.go Cond;
sync/pool.go Pool; sync/map.go Map.
"""

from .cond import Cond, Locker
from .map import Map
from .mutex import Mutex
from .once import Once, once_func, once_value, once_values
from .pool import Pool
from .rwmutex import RWMutex
from .waitgroup import WaitGroup

__all__ = [
    "Cond",
    "Locker",
    "Map",
    "Mutex",
    "Once",
    "Pool",
    "RWMutex",
    "WaitGroup",
    "once_func",
    "once_value",
    "once_values",
]
