"""Coroutines: goroutines that run in turns, each switched to by name instead of by the scheduler.

A coro is like a channel on which one goroutine is always blocked. `coroswitch` trades places with that one: it runs on,
on the same M and P and in the same time slice, and the caller is the blocked one from there on. No queue is touched, no
tick counted, nobody woken. When the goroutine that the coro was made with ends, it releases whoever is blocked.

The rule about threads: a switch is legal only on the thread, and locked to it as deep, as when the coro was made; the
lock goes along with the switch.

Under a controller a switch is no point: the step goes on in the other goroutine.

Go: runtime/coro.go coro, newcoro, coroswitch.
"""

from __future__ import annotations

from collections.abc import Callable
from types import FrameType
from typing import TYPE_CHECKING

from greenlet import getcurrent

from ..base.errors import throw
from ..base.events import COROUTINE, GO_CREATE, GO_SWITCH
from ..kernel import costs
from .park import sent_back
from .status import DEBUG, DURABLE, RUNNABLE, RUNNING, WAITING, casgstatus
from .sudog import shed_sudog
from .waitreason import COROUTINE as WAIT_COROUTINE

if TYPE_CHECKING:
    from .g import G
    from .m import M

SWITCH_COST = costs.COROSWITCH
MISMATCH = "coro: OS thread locking must match locking at coroutine creation"


class Coro:
    """The ability to switch between two goroutines: `gp` is the one that is blocked, None once the other has ended."""

    __slots__ = ("gp", "lock_count", "mp")

    def __init__(self) -> None:
        self.gp: G | None = None
        self.mp: M | None = None  # the thread whoever made it was locked to
        self.lock_count = 0  # and how deep

    def event_name(self) -> str:
        """For display in events."""
        return "coroutine"


class CoroStart:
    """The entry function of a coroutine: runs f, then ends with a switch to whoever is blocked.

    Go: runtime/coro.go corostart.
    """

    def __init__(self, c: Coro, f: Callable[[], None], shown: tuple[str, str]) -> None:
        self.c = c
        self.f = f
        self.__module__, self.__qualname__ = shown

    def __call__(self) -> None:
        """Called by the goroutine's loop."""
        self.f()
        del self.f  # the user's objects in it end while the goroutine is still RUNNING
        g: G = getcurrent()  # type: ignore[assignment]
        g.coroarg = self.c
        # goexit0 makes the last switch. It runs on g0, so the goroutine may not take the short way out, which asks
        # only for the horizon; nothing but our own loop runs between here and there.
        g.m.horizon = 0


def newcoro(m: M, g: G, f: Callable[[], None], shown: tuple[str, str], frame: FrameType) -> Coro:
    """A coro with a goroutine that is blocked on it and will run f. shown: its module and name, in events; frame: whose
    it is.

    Go: runtime/coro.go newcoro.
    """
    c = Coro()
    m.clock += costs.NEWCORO
    gp = m.sched.newproc1(m, CoroStart(c, f, shown), (), {})
    m = g.m  # the last goroutine's context ended there; a `__del__` in it may have parked this one
    casgstatus(gp, RUNNABLE, WAITING)
    gp.waitreason = WAIT_COROUTINE
    gp.wait_object = None
    if gp.bubble is not None:
        gp.bubble.parked(m, gp)
    gp.origin = g.goid, PULL_CODE, 0, PULL_GLOBALS
    gp.labels = g.labels
    if m.sched.tracks_ancestors:
        m.sched.save_ancestors(g, gp, frame)
    if g.lock_count:
        c.mp = m
        c.lock_count = g.lock_count
    c.gp = gp
    if m.watch is not None:
        m.emit(GO_CREATE, gp.goid, ".".join(shown), COROUTINE)
    if m.sched.controller is not None:
        m.sched.controller.born_parked(gp)
    return c


def coroswitch(m: M, g: G, c: Coro) -> M:  # hot: coroutine
    """Run the goroutine that is blocked on c, and be blocked on it; returns the M that g is on when it goes on.

    Go: runtime/coro.go coroswitch, coroswitch_m.
    """
    clock = m.clock = m.clock + SWITCH_COST
    gnext = c.gp
    # Unoptimised form: the second branch.
    if (
        gnext is not None
        and gnext.status == WAITING
        and c.mp is None
        and g.lockedm is None
        and m.watch is None
        and g.bubble is None
        and m.sched.controller is None
        and not DEBUG
    ):
        if g.status != RUNNING:
            throw("coroswitch: bad g status")
        if g.sudog is not None:
            shed_sudog(m, g)
        c.gp = g
        g.waitreason = WAIT_COROUTINE
        g.wait_object = c
        g.status = WAITING
        g.ns = clock
        g.m = None  # type: ignore[assignment]
        if gnext.ns > clock:
            m.clock = gnext.ns
        m.curg = gnext
        gnext.m = m
        gnext.status = RUNNING
        gnext.switch()
        g.wait_object = None
        return g.m or sent_back(g)
    gnext = take_blocked(m, g, c)
    shed_sudog(m, g)
    c.gp = g
    g.waitreason = WAIT_COROUTINE
    g.wait_object = c
    casgstatus(g, RUNNING, WAITING)
    g.ns = m.clock
    g.m = None  # type: ignore[assignment]
    run_instead(m, gnext)
    if g.bubble is not None:
        g.bubble.parked(m, g)
    gnext.switch()
    g.wait_object = None
    return g.m or sent_back(g)


def take_blocked(m: M, g: G, c: Coro, is_exit: bool = False) -> G:
    """Who is blocked on c: is about to run in g's place, and gets its thread lock.

    Go: runtime/coro.go coroswitch_m.
    """
    is_locked = g.lockedm is not None
    if (c.mp is not None or is_locked) and (m is not c.mp or g.lock_count != c.lock_count):
        _refuse(m, g, c)
    gnext = c.gp
    if gnext is None:
        throw("coroswitch on exited coro")
    if gnext is g:
        throw("coroswitch of a goroutine to itself")
    if gnext.status == DURABLE and gnext.bubble is not None:
        gnext.bubble.rouse(gnext)
    if gnext.status != WAITING:
        throw("coroswitch: goroutine is not blocked")
    if is_locked:
        gnext.lockedm, gnext.lock_count = m, g.lock_count
        m.lockedg = gnext
        g.lockedm, g.lock_count = None, 0
    if m.watch is not None:
        m.emit(GO_SWITCH, gnext.goid, "ends" if is_exit else "is blocked")
    if m.sched.controller is not None:
        m.sched.controller.switched(g, gnext, is_exit)
    return gnext


def run_instead(m: M, gnext: G) -> None:
    """gnext is m's goroutine from here on; the caller switches to it."""
    if gnext.ns > m.clock:
        m.clock = gnext.ns
    m.curg = gnext
    gnext.m = m
    casgstatus(gnext, WAITING, RUNNING)


def coroexit(m: M, gp: G) -> G:
    """On g0: gp, a coroutine, has ended; returns who runs instead.

    Go: runtime/coro.go coroexit.
    """
    c = gp.coroarg
    gp.coroarg = None
    m.clock += SWITCH_COST
    gnext = take_blocked(m, gp, c, is_exit=True)
    c.gp = None
    return gnext


def _refuse(m: M, g: G, c: Coro) -> None:
    def thread(mp: M | None) -> str:
        return "0x0" if mp is None else f"0x{0x500000 + mp.id * 0x700:x}"

    before = (
        f"coro: got thread {thread(m)}, want {thread(c.mp)}\n"
        "coro: got lock internal 0, want 0\n"
        f"coro: got lock external {g.lock_count}, want {c.lock_count}\n"
    )
    m.sched.fatal(m, g, MISMATCH, is_throw=True, before=before)


# Dumps say `created by iter.Pull[...]`, as Go's do.
PULL_CODE = newcoro.__code__.replace(co_name="Pull[...]", co_qualname="Pull[...]")
PULL_GLOBALS = {"__name__": "iter"}
