"""Semaphores of the runtime, and the notification lists of conditions: what everything in package sync waits on.

A semaphore is a count and a FIFO of waiting goroutines. A release adds one and readies the first waiter, which then
has to compete for it with whoever comes by; if it loses it waits again. With *hand-off* it need not: it gets a ticket
for the one that was released, and runs at once, since the releaser yields to it. A waiter may ask to queue at the
front: it has waited before.

A notification list is a counter of waits that have begun (`wait`) and one of those that were notified (`notify`). Each
wait has a number, its ticket. Taking the ticket and going to sleep are two steps, with the caller's lock released in
between: a notification that falls there is not lost, because the sleeper sees that its ticket has been notified.

Differs: Go keeps all waiters in a table by the address of the semaphore; here each semaphore has its own.
Go: runtime/sema.go semacquire1, semrelease1, notifyList.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..base.errors import throw
from ..kernel import costs
from .park import park, ready, sent_back
from .preempt import goyield_m
from .sudog import WaitQ, acquire_sudog
from .waitreason import SEMACQUIRE, SYNC_COND_WAIT, is_mutex_wait

if TYPE_CHECKING:
    from .g import G
    from .m import M

SEMA_COST = costs.SEMA
QUEUE_COST = costs.SEMA_QUEUE
WAKE_COST = costs.SEMA_WAKE


class Sema(WaitQ):
    """One semaphore. `ns` joins the clocks of those who pass it on."""

    __slots__ = ("count", "ns")

    def __init__(self, count: int = 0) -> None:
        WaitQ.__init__(self)
        self.count = count
        self.ns = 0

    def acquire(self, m: M, g: G, reason: int = SEMACQUIRE, is_lifo: bool = False, obj: Any = None) -> M:
        """Take one, waiting for it in FIFO order (or at the front); returns the M that g is on.

        obj is what it is part of, for display; that joins the clocks then.
        Go: runtime/sema.go semacquire1.
        """
        m.clock += SEMA_COST
        if obj is None:
            self._join(m)
        if self.count > 0:
            self.count -= 1
            return m
        (g.sudog or acquire_sudog(m, g)).acquire_ns = m.clock
        return self.wait(m, g, reason, is_lifo, obj)

    def wait(self, m: M, g: G, reason: int, is_lifo: bool, obj: Any) -> M:
        """Queue, until there is one to take; returns the M that g is on."""
        sg = g.sudog or acquire_sudog(m, g)
        while True:
            sg.ticket = 0
            m.clock += QUEUE_COST
            if is_lifo:
                self.enqueue_first(sg)
            else:
                self.enqueue(sg)
            m = park(m, g, reason, self if obj is None else obj)
            if sg.ticket:
                break
            if self.count > 0:
                self.count -= 1
                break
        if obj is None:
            self._join(m)
        return m

    def release(self, m: M, g: G, is_handoff: bool = False, yields: bool = True, obj: Any = None) -> M:
        """Give one back, and ready the first waiter; with hand-off it gets that one and, if g yields, runs at once.

        Returns the M that g is on.
        Go: runtime/sema.go semrelease1.
        """
        m.clock += SEMA_COST
        if obj is None:
            self._join(m)
        self.count += 1
        sg = self.first
        if sg is None:
            return m
        self.dequeue()
        if sg.ticket:
            throw("corrupted semaphore ticket")
        if is_handoff:
            self.count -= 1
            sg.ticket = 1
        if is_mutex_wait(sg.g.waitreason):
            m.sched.mutex_wait_ns += m.clock - sg.g.ns
        sg.release_ns = m.clock = m.clock + WAKE_COST
        ready(m, sg.g, self if obj is None else obj)
        if is_handoff and yields:
            m.mcall = goyield_m
            m.g0.switch()
            return g.m or sent_back(g)
        return m

    def _join(self, m: M) -> None:
        """Set the clocks of the thread and of the semaphore to the later of the two."""
        if self.ns > m.clock:
            m.clock = self.ns
        else:
            self.ns = m.clock

    def waiting(self) -> list[G]:
        """Who waits, in order."""
        return _goroutines(self)

    def event_name(self) -> str:
        """For display in events."""
        return "semaphore"

    def check(self) -> None:
        """The count is one, and so is the queue."""
        WaitQ.check(self)
        if self.count < 0:
            throw("check: negative semaphore")


class NotifyList(WaitQ):
    """The waiters of one condition.

    Go: runtime/sema.go notifyList.
    """

    __slots__ = ("notify", "wait")

    def __init__(self) -> None:
        WaitQ.__init__(self)
        self.wait = 0  # the ticket of the next wait
        self.notify = 0  # the ticket that is notified next

    def add(self) -> int:
        """Begin a wait; returns its ticket.

        Go: runtime/sema.go notifyListAdd.
        """
        ticket = self.wait
        self.wait = ticket + 1
        return ticket

    def sleep(self, m: M, g: G, ticket: int, obj: Any, reason: int = SYNC_COND_WAIT) -> M:
        """Wait until the ticket is notified, which may have happened already; returns the M that g is on.

        Go: runtime/sema.go notifyListWait.
        """
        if ticket < self.notify:
            return m
        sg = g.sudog or acquire_sudog(m, g)
        sg.ticket = ticket
        self.enqueue(sg)
        return park(m, g, reason, obj)

    def notify_one(self, m: M, obj: Any) -> int:
        """Notify the wait that is first in line; returns how many there were, 0 or 1.

        Go: runtime/sema.go notifyListNotifyOne.
        """
        ticket = self.notify
        if ticket == self.wait:
            return 0
        self.notify = ticket + 1
        sg = self.first
        while sg is not None:
            if sg.ticket == ticket:
                self.remove(sg)
                ready(m, sg.g, obj)
                break
            sg = sg.next
        return 1

    def notify_all(self, m: M, obj: Any) -> int:
        """Notify every wait that has begun, first in first out; returns how many there were.

        Go: runtime/sema.go notifyListNotifyAll.
        """
        count = self.wait - self.notify
        sg = self.first
        self.first = self.last = None
        self.notify = self.wait
        while sg is not None:
            following = sg.next
            sg.next = sg.prev = None
            ready(m, sg.g, obj)
            sg = following
        return count

    def waiting(self) -> list[G]:
        """Who sleeps, in the order in which they went to sleep."""
        return _goroutines(self)

    def check(self) -> None:
        """Nobody sleeps whose ticket was notified, or was never given."""
        WaitQ.check(self)
        sg = self.first
        while sg is not None:
            if not self.notify <= sg.ticket < self.wait:
                throw("check: notified goroutine still sleeps")
            sg = sg.next


def _goroutines(queue: WaitQ) -> list[G]:
    found = []
    sg = queue.first
    while sg is not None:
        found.append(sg.g)
        sg = sg.next
    return found
