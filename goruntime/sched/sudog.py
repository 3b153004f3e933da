"""A goroutine in a wait queue.

A goroutine can wait on several objects (select) and an object has many waiters, so the pair is an object of its own.

A goroutine takes a sudog for each queue it joins, and gives it back when it goes on. A P keeps up to 128 free ones;
from there half goes to a list that all share, and back in batches of up to 64. Sudogs are objects on the heap, so how
many are ever made shows in the statistics.

Unoptimised form: `take_sudog` before each wait, `release_sudog` after it. But a goroutine that was woken in a queue may
well be about to wait again, so it keeps its sudog, in `G.sudog`, as long as it runs: nobody else can run on its P and
miss it. What gives it back is whatever takes the CPU from a goroutine without a queue: it sleeps, yields, is preempted,
ends, makes a system call, switches to a coroutine (`shed_sudog`). So as many are made as in Go, and the most frequent
wait costs one test for None.

Differs: a P may keep one more than 128, that of its running goroutine, before it gives half away.
Go: runtime/runtime2.go sudog; runtime/proc.go acquireSudog, releaseSudog.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..base.errors import throw

if TYPE_CHECKING:
    from .g import G
    from .m import M

SUDOG_CACHE = 128  # free ones that a P keeps


class Sudog:
    """Owned by the queue it is in; fields are valid while its goroutine waits."""

    __slots__ = (
        "acquire_ns", "address", "case", "elem", "g", "is_select", "next", "prev", "release_ns", "success", "ticket",
    )  # fmt: skip

    def __init__(self, g: G) -> None:
        self.g = g
        self.elem: Any = None  # the value to send, or the value received
        self.next: Sudog | None = None
        self.prev: Sudog | None = None
        self.case = -1  # select: the index of the case
        self.is_select = False
        self.success = False  # woken by a value (True) or by a close (False)
        self.ticket = 0  # semaphore: 1 when it was handed over; condition: the number of the wait
        self.acquire_ns = 0  # semaphore: since when it waits
        self.release_ns = 0  # semaphore: when its waker let it go
        self.address = 0  # on the heap

    def check_free(self) -> None:
        """Nobody uses it."""
        if self.elem is not None or self.is_select or self.next is not None or self.prev is not None:
            throw("check: free sudog is in use")


def acquire_sudog(m: M, g: G) -> Sudog:
    """For g, which runs on m and keeps none: one to wait with."""
    sg = g.sudog = take_sudog(m, g)
    return sg


def take_sudog(m: M, g: G) -> Sudog:
    """A free sudog, now g's: from m's P, from those that all share, or a new one.

    Go: runtime/proc.go acquireSudog.
    """
    cache = m.p.sudogcache
    if not cache:
        shared = m.sched.sudogcache
        if not shared:
            sg = Sudog(g)
            m.sched.new_sudog(m, sg)
            return sg
        batch = min(len(shared), SUDOG_CACHE // 2)
        cache += shared[: -batch - 1 : -1]
        del shared[-batch:]
    sg = cache.pop()
    sg.g = g
    return sg


def release_sudog(m: M, sg: Sudog) -> None:
    """Give it back to m's P.

    Go: runtime/proc.go releaseSudog.
    """
    cache = m.p.sudogcache
    if len(cache) == SUDOG_CACHE:
        m.sched.sudogcache += reversed(cache[SUDOG_CACHE // 2 :])
        del cache[SUDOG_CACHE // 2 :]
    cache.append(sg)


def shed_sudog(m: M, g: G) -> None:
    """g, on m, is about to leave the CPU without waiting in a queue: the sudog that it kept is the P's again."""
    sg = g.sudog
    if sg is not None:
        g.sudog = None
        release_sudog(m, sg)


class WaitQ:
    """A FIFO of sudogs, linked through them, so that select can leave from the middle.

    Go: runtime/chan.go waitq.
    """

    __slots__ = ("first", "last")

    def __init__(self) -> None:
        self.first: Sudog | None = None
        self.last: Sudog | None = None

    def enqueue(self, sg: Sudog) -> None:
        """Join at the tail."""
        last = self.last
        sg.next = None
        sg.prev = last
        if last is None:
            self.first = sg
        else:
            last.next = sg
        self.last = sg

    def enqueue_first(self, sg: Sudog) -> None:
        """Join at the head."""
        first = self.first
        sg.prev = None
        sg.next = first
        if first is None:
            self.last = sg
        else:
            first.prev = sg
        self.first = sg

    def dequeue(self) -> Sudog | None:
        """Take the first waiter that still waits: one whose select another case has won is skipped.

        Go: runtime/chan.go dequeue.
        """
        while True:
            sg = self.first
            if sg is None:
                return None
            following = sg.next
            self.first = following
            if following is None:
                self.last = None
            else:
                following.prev = None
                sg.next = None
            if not sg.is_select:
                return sg
            gp = sg.g
            if not gp.select_done:
                gp.select_done = True
                gp.param = sg
                return sg

    def remove(self, sg: Sudog) -> None:
        """Leave from wherever it is; one that was dequeued already is left alone.

        Go: runtime/select.go dequeueSudoG.
        """
        before, after = sg.prev, sg.next
        if before is not None:
            before.next = after
        elif self.first is sg:
            self.first = after
        else:
            return
        if after is not None:
            after.prev = before
        else:
            self.last = before
        sg.next = sg.prev = None

    def is_waiting(self) -> bool:
        """Somebody waits who would take part."""
        sg = self.first
        while sg is not None:
            if not sg.is_select or not sg.g.select_done:
                return True
            sg = sg.next
        return False

    def check(self) -> None:
        """The links agree in both directions."""
        before = None
        sg = self.first
        while sg is not None:
            if sg.prev is not before:
                throw("check: wait queue links disagree")
            before, sg = sg, sg.next
        if self.last is not before:
            throw("check: wait queue tail is wrong")
