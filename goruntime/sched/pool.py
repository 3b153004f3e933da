"""Greenlets that outlive runtimes: goroutines and g0s, pooled per host thread.

A greenlet inherits the recursion depth and the C stack of whoever starts it, and starting one costs an mmap. So each
host thread has a nursery, a greenlet that does nothing but start others from its own shallow stack; a new greenlet
runs up to the top of its loop there, hands control back and is from then on switched to from anywhere.
"""

from __future__ import annotations

import sys
from types import FrameType
from typing import TYPE_CHECKING, Any

from greenlet import GreenletExit, getcurrent, greenlet

from ..base.errors import AbandonUnwind
from ..kernel import host
from .g import G, SystemG
from .status import IDLE

if TYPE_CHECKING:
    from .m import M
    from .sched import Sched

MAX_POOLED_G = 1024  # goroutines kept per host thread between runs
MAX_POOLED_G0 = 32
DEEP = 200  # Python frames


class G0(greenlet):
    """The greenlet of a thread: runs `m.main(m)`, then rests until another M needs one. No goroutine: it has no `m`."""

    __slots__ = ("mp",)

    def __init__(self) -> None:
        self.mp: M | None = None

    def run(self) -> None:
        """Serve one M after another."""
        assert self.parent is not None
        self.parent.switch()
        while self.mp is not None:
            mp = self.mp
            error = None
            try:
                mp.main(mp)
            except AbandonUnwind:
                pass
            except BaseException as exc:
                error = exc
            reaper = mp.sched.thread_left(error)
            self.mp = None
            del mp, error
            reaper.switch()

    def is_resting(self) -> bool:
        """It serves no M, or has not begun to."""
        frame = self.gr_frame
        return frame is not None and frame.f_code is G0.run.__code__


class Pool:
    """One host thread's greenlets."""

    __slots__ = (
        "_customer", "_nursery", "_order", "depth", "free_g", "free_g0", "free_system", "free_system_runners",
        "is_running", "sched",
    )  # fmt: skip

    def __init__(self) -> None:
        self._nursery: greenlet | None = None
        self._customer: greenlet  # who waits for a new greenlet
        self._order: type[greenlet] = G
        self.free_g: list[G] = []
        self.free_g0: list[G0] = []
        self.free_system: list[SystemG] = []  # records without a stack
        self.free_system_runners: list[SystemG] = []
        self.is_running = False  # a runtime runs in this host thread
        self.sched: Sched | None = None  # whose goroutines run
        self.depth = 0  # of the nursery: what every goroutine's recursion starts from

    def _nurse(self, asked: Any) -> None:
        """The nursery's loop: start one greenlet each time somebody who is in `_start` switches here."""
        while True:
            try:
                while not isinstance(asked, greenlet):
                    asked = self.send_back()
                made = self._order()
                made.switch()
                asked = self._customer.switch(made)
            except GreenletExit:
                raise  # the pool is dropped
            except BaseException as exc:
                asked = self._customer.throw(exc)

    def _start(self, kind: type[greenlet]) -> greenlet:
        """A greenlet of that kind, resting at the top of its loop."""
        self._order = kind
        self._customer = here = getcurrent()
        nursery = self._nursery
        if nursery is None or nursery.dead:
            self.depth = stack_depth()
            nursery = self._nursery = greenlet(self._nurse)
        made: greenlet = nursery.switch(here)
        return made

    def send_back(self) -> Any:
        """A greenlet of the user's switched to one of ours, or ended with one as its parent: raise it where it runs."""
        text = "a greenlet switched to a goroutine, or ended with one as its parent: only the scheduler may resume it"
        running: Any = self.sched.kernel.running if self.sched is not None else None
        if running is not None and running.curg is not None and running.curg is not getcurrent():
            return running.curg.throw(RuntimeError(text))
        outside = self._nursery.parent if self._nursery is not None else None
        assert outside is not None
        return outside.throw(RuntimeError(text))

    def take_g(self) -> G:
        """A resting goroutine."""
        if self.free_g:
            return self.free_g.pop()
        made = self._start(G)
        assert isinstance(made, G)
        return made

    def take_g0(self, mp: M) -> G0:
        """A resting g0, bound to mp: switching to it begins `mp.main`."""
        made = self.free_g0.pop() if self.free_g0 else self._start(G0)
        assert isinstance(made, G0)
        made.mp = mp
        mp.g0 = made
        return made

    def take_system(self) -> SystemG:
        """A record for a system goroutine."""
        return self.free_system.pop() if self.free_system else SystemG()

    def take_system_runner(self) -> SystemG:
        """A resting system goroutine that can run."""
        if self.free_system_runners:
            return self.free_system_runners.pop()
        made = self._start(SystemG)
        assert isinstance(made, SystemG)
        return made

    def trim(self) -> None:
        """End the greenlets above the bound. Called from the greenlet that called `run`."""
        here = getcurrent()
        while len(self.free_g) > MAX_POOLED_G:
            surplus = self.free_g.pop()
            surplus.fn = None
            surplus.status = IDLE
            surplus.parent = here
            surplus.switch()
        while len(self.free_g0) > MAX_POOLED_G0:
            old = self.free_g0.pop()
            old.mp = None
            old.parent = here
            old.switch()


class _Local(host.ThreadLocal):
    """The pool of each host thread."""

    def __init__(self) -> None:
        self.pool = Pool()


_local = _Local()


def stack_depth() -> int:
    """Python frames below the caller."""
    frame: FrameType | None = sys._getframe()
    depth = 0
    while frame is not None:
        depth += 1
        frame = frame.f_back
    return depth


def pool_of_this_thread() -> Pool:
    """The calling host thread's pool; another one when it was made at the bottom of a recursion that is over."""
    pool = _local.pool
    if pool.depth > DEEP and not pool.is_running and stack_depth() < pool.depth - DEEP:
        pool = _local.pool = Pool()
    return pool
