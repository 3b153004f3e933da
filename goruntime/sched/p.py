"""P: what a thread needs to run Go code. Run queues, timers, caches.

Go: runtime/runtime2.go p.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from ..kernel.threads import FOREVER
from .status import PGCSTOP

if TYPE_CHECKING:
    from .g import G
    from .m import M
    from .sudog import Sudog
    from .timers import Timer

RING = 256  # slots of the local queue; runnext is not counted


class P:
    """One processor. Owned by the M in `m`; by sched while idle or stopped."""

    __slots__ = (
        "gfree", "goid_end", "goid_next", "id", "is_idle", "m", "mcache", "next_check_ns", "preempt",
        "run_safe_point_fn", "runnext", "runq", "schedtick", "status", "sudogcache", "syscalltick", "sysmon_schedtick",
        "sysmon_schedwhen_ns", "sysmon_syscalltick", "sysmon_syscallwhen_ns", "timer_seq", "timers", "zombies",
    )  # fmt: skip

    def __init__(self, ident: int) -> None:
        self.id = ident
        self.status = PGCSTOP
        self.m: M | None = None
        self.is_idle = False  # in sched.pidle; a P that was handed to a thread still asleep is PIDLE, but not in there
        # Owned by the running M.
        self.runnext: G | None = None  # runs next, inherits the time slice
        self.runq: deque[G] = deque()  # at most RING
        self.gfree: list[G] = []
        self.sudogcache: list[Sudog] = []  # free ones; see sudog.py
        self.goid_next = 0  # goids are drawn from the scheduler in batches of 16
        self.goid_end = 0
        self.schedtick = 0  # goroutines started with a slice of their own
        self.syscalltick = 0
        self.mcache: Any = None  # opaque here; the heap's
        # The park fast path's second compare: the earliest timer, 0 to force every park through g0.
        self.next_check_ns = FOREVER
        self.timers: list[tuple[int, int, Timer]] = []  # heap of (when, seq, timer); stale entries are zombies
        self.timer_seq = 0
        self.zombies = 0
        # Set by others, read by the owner.
        self.preempt = False
        self.run_safe_point_fn = False
        # Owned by sysmon.
        self.sysmon_schedtick = 0
        self.sysmon_schedwhen_ns = 0
        self.sysmon_syscalltick = 0
        self.sysmon_syscallwhen_ns = 0

    def is_runq_empty(self) -> bool:
        """No goroutine waits here, runnext included."""
        return self.runnext is None and not self.runq
