"""M: a simulated OS thread and its g0, the greenlet that runs the scheduler.

Go: runtime/runtime2.go m.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

from greenlet import greenlet

from ..base.errors import throw
from ..base.events import HOST_CALL_LATE, RUN_OPEN, Watch
from ..kernel.threads import Thread

if TYPE_CHECKING:
    from .g import G
    from .p import P
    from .sched import Sched


StoreWatch: TypeAlias = "Callable[[M, G, int, int, int], None]"


class M(Thread):
    """One thread. `clock` and `horizon` (Thread) are what every safepoint compares."""

    __slots__ = (
        "blocked", "choose", "curg", "g0", "lockedg", "main", "mcall", "mem", "nextp", "oldp", "p", "parked", "sched",
        "spinning", "syscalltick", "watch", "watches_stores",
    )  # fmt: skip

    def __init__(self, ident: int, sched: Sched, main: Callable[[M], None]) -> None:
        Thread.__init__(self, ident)
        self.sched = sched
        self.p: P = None  # type: ignore[assignment]  # None without a P; nobody may run Go code then
        self.curg: G = None  # type: ignore[assignment]  # the goroutine on this thread; None on g0
        self.g0: Any = None  # a pool.G0, given when the thread first runs
        self.main = main  # what g0 runs
        self.mcall: Callable[[M], None] | None = None  # what a goroutine asks g0 to do for it
        self.watch: Watch | None = sched.watch  # the one compare for everything that listens
        self.mem: Any = sched.heap.mem if sched.heap is not None else None  # the run's table of handles
        self.watches_stores: StoreWatch | None = sched.store_watch
        self.choose: Callable[[int, int], int] = sched.choose
        self.nextp: P | None = None  # handed over by whoever wakes this thread
        self.oldp: P | None = None  # the P it entered a system call with
        self.syscalltick = 0
        self.lockedg: G | None = None
        self.spinning = False  # out of work and looking for some
        self.blocked = False  # in a note sleep
        self.parked = False  # in sched.midle

    @property
    def store_watch(self) -> StoreWatch | None:
        """Sees each store of a pointer before it is done: called with m, g, and the words of holder, old and new."""
        return self.watches_stores

    @store_watch.setter
    def store_watch(self, watch: StoreWatch | None) -> None:
        self.watches_stores = watch
        if self.mem is not None:
            self.mem.is_calm = False

    def first_run(self) -> greenlet:
        """Give the thread its g0; it begins in `main`."""
        if self.g0 is not None:
            throw("m: first_run of a thread that has run")
        return self.sched.pool.take_g0(self)

    def host_call_is_late(self) -> None:
        """Tell whoever listens that the run is open from here on."""
        if self.watch is not None and self.host_call is not None:
            self.emit(HOST_CALL_LATE, self.host_call.name)

    def run_is_open(self, why: str) -> None:
        """Tell whoever listens that the run is open from here on."""
        if self.watch is not None:
            self.emit(RUN_OPEN, why)

    def emit(self, kind: int, *fields: Any) -> None:
        """Send an event to whoever listens, with this thread's place and time. Ask `watch is not None` first."""
        watch = self.watch
        assert watch is not None
        pp, gp = self.p, self.curg
        watch((kind, self.clock, self.id, pp.id if pp is not None else -1, gp.goid if gp is not None else -1, *fields))
