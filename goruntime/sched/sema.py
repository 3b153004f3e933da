"""Semaphores of the runtime: a count, a FIFO of waiting goroutines, and hand-off.

With hand-off the released count goes straight to the first waiter, which runs at once on the releaser's P.

Go: runtime/sema.go semacquire1, semrelease1.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from .park import park, ready, sent_back
from .preempt import goyield_m
from .waitreason import SEMACQUIRE

if TYPE_CHECKING:
    from .g import G
    from .m import M


class Sema:
    """One semaphore. `ns` joins the clocks of those who pass it on."""

    __slots__ = ("count", "ns", "waiters")

    def __init__(self, count: int = 0) -> None:
        self.count = count
        self.ns = 0
        self.waiters: deque[G] = deque()

    def acquire(self, m: M, g: G, reason: int = SEMACQUIRE, is_lifo: bool = False) -> M:
        """Take one, waiting for it in FIFO order (or at the front); returns the M that g is on.

        Go: runtime/sema.go semacquire1.
        """
        while True:
            if self.ns > m.clock:
                m.clock = self.ns
            if self.count > 0:
                self.count -= 1
                self.ns = m.clock
                return m
            g.param = None
            if is_lifo:
                self.waiters.appendleft(g)
            else:
                self.waiters.append(g)
            m = park(m, g, reason, self)
            if g.param == "handoff":
                g.param = None
                return m

    def release(self, m: M, g: G, is_handoff: bool = True, yields: bool = True) -> M:
        """Give one back; the first waiter is readied, and with hand-off gets it and, if g yields, runs at once.

        Go: runtime/sema.go semrelease1.
        """
        if self.ns < m.clock:
            self.ns = m.clock
        if not self.waiters:
            self.count += 1
            return m
        waiter = self.waiters.popleft()
        if is_handoff:
            waiter.param = "handoff"
            ready(m, waiter, self)
            if not yields:
                return m
            m.mcall = goyield_m
            m.g0.switch()
            return g.m or sent_back(g)
        self.count += 1
        ready(m, waiter, self)
        return m

    def event_name(self) -> str:
        """For display in events."""
        return "semaphore"
