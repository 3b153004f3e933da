"""A goroutine in a wait queue.

A goroutine can wait on several objects (select) and an object has many waiters, so the pair is an object of its own.
Each G embeds one, enough for everything but select.

Go: runtime/runtime2.go sudog.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..base.errors import throw

if TYPE_CHECKING:
    from .g import G


class Sudog:
    """Owned by the queue it is in; fields are valid while its goroutine waits."""

    __slots__ = (
        "acquire_ns", "case", "elem", "g", "is_select", "next", "prev", "queue", "release_ns", "success", "ticket",
    )  # fmt: skip

    def __init__(self, g: G) -> None:
        self.g = g
        self.elem: Any = None  # the value to send, or the value received
        self.next: Sudog | None = None
        self.prev: Sudog | None = None
        self.queue: Any = None  # what it waits on: for the dump, and for select's clean-up
        self.case = -1  # select: the index of the case
        self.is_select = False
        self.success = False  # woken by a value (True) or by a close (False)
        self.ticket = 0  # semaphore: 1 when it was handed over; condition: the number of the wait
        self.acquire_ns = 0  # semaphore: since when it waits
        self.release_ns = 0  # semaphore: when its waker let it go


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
