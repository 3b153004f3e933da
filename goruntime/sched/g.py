"""G: a goroutine, which is a greenlet.

`getcurrent()` *is* the running G, so `g.m.p` costs two attribute loads. A G outlives the function it runs: its greenlet
loops over one function after another, resting in a free list in between, because a fresh greenlet costs twenty times a
pooled one.

The life of one pass through the loop, for a goroutine that ends well:

1. newproc fills `fn`, `args`, `kwargs`, gives a goid and makes it RUNNABLE.
2. Somebody executes it: its greenlet continues at the top of the loop and calls fn.
3. fn returned: user references are dropped while it is still RUNNING (a `__del__` may run here, and may use channels).
4. It turns DEAD, goes to its P's free list, picks the next goroutine and switches straight to it.

A switch between greenlets costs as much as the rest of a short goroutine's life. So when the next goroutine has not
begun yet, 4 is done without one: the two trade places (`become`). The greenlet that is there takes over the function,
the id and the place in allgs of the one that has not begun, whose own greenlet goes to the free list instead. Nobody
can tell: until a goroutine begins, only the run queue it was taken from and allgs refer to it.

Go: runtime/runtime2.go g; runtime/proc.go goexit0.
"""

from __future__ import annotations

from collections.abc import Callable
from types import CodeType
from typing import TYPE_CHECKING, Any

from greenlet import greenlet

from ..base.errors import AbandonUnwind, throw
from ..base.events import GO_END, GO_START, RING, RUNNEXT
from ..kernel import costs
from .status import DEAD, DEBUG, IDLE, RUNNABLE, RUNNING
from .sudog import shed_sudog

if TYPE_CHECKING:
    from .bubble import Bubble
    from .m import M
    from .sudog import Sudog
    from .timers import Timer

NO_KWARGS: dict[str, Any] = {}  # of all goroutines that are started without
# Which `go` statement made it: the goroutine it ran on (0: none), its code, instruction and globals. The line is looked
# up only when it is shown.
Origin = tuple[int, CodeType | None, int, dict[str, Any]]
NO_ORIGIN: Origin = (0, None, 0, {})
GFREE_SPILL = 64  # a P's free list spills down to half of this into the scheduler's
SCHEDULE_COST = costs.SCHEDULE
GOEXIT_COST = costs.GOEXIT + SCHEDULE_COST  # with the switch to the next goroutine


class G(greenlet):
    """One goroutine. Owned by the M that runs it; by its queue or its waker otherwise."""

    __slots__ = (
        "ancestors", "args", "bubble", "coroarg", "deferring", "fn", "frames", "goid", "index", "is_fresh",
        "is_system", "kwargs", "labels", "lock_count", "lockedm", "m", "ns", "origin", "panicking", "param",
        "pending_obj", "pending_op", "preempt", "recv_ok", "select_done", "status", "sudog", "timer", "unwinding",
        "wait_object", "waitreason",
    )  # fmt: skip

    def __init__(self) -> None:
        self.m: M = None  # type: ignore[assignment]  # None while it does not run
        self.status = IDLE
        self.goid = 0
        self.ns = 0  # its Lamport clock while it does not run: set when it leaves an M, raised by its waker
        self.fn: Callable[..., Any] | None = None
        self.args: tuple[Any, ...] = ()
        self.kwargs = NO_KWARGS
        self.sudog: Sudog | None = None  # what it waits with, or has waited with since it last left the CPU otherwise
        self.recv_ok = True  # the last recv_ got a value, not a close
        self.select_done = False  # a select of this goroutine was won
        self.coroarg: Any = None  # the coro whose goroutine this is, once it is about to end
        self.param: Any = None  # what a waker that is no channel leaves for it
        self.waitreason = 0
        self.wait_object: Any = None  # what it waits for, for display
        self.preempt = False  # asked to give way; cleared when it is executed
        self.frames: Any = None  # innermost running `func` frame with its deferred calls (lang.panic)
        self.deferring: Any = None  # the frame whose deferred calls run
        self.panicking: Any = None  # innermost panic whose deferred calls run
        self.unwinding: Any = None  # the panic that is on its way up through plain frames
        self.bubble: Bubble | None = None  # of testing.synctest
        self.lockedm: M | None = None
        self.lock_count = 0
        self.timer: Timer | None = None  # for sleep
        self.pending_op = 0  # under a controller: what it is about to do
        self.pending_obj: Any = None
        self.origin = NO_ORIGIN
        self.ancestors: Any = None  # only with GODEBUG=tracebackancestors
        self.labels: dict[str, str] | None = None
        self.is_system = False
        self.index = 0  # where it stands in allgs
        self.is_fresh = False  # has its function, but has not begun

    def run(self) -> None:
        """Run one goroutine after another until the pool retires this greenlet."""
        assert self.parent is not None
        self.parent.switch()  # born: back to the nursery; from here on whoever executes it switches here
        while self.fn is not None or self.status != IDLE:
            error = None
            try:
                self.live()
                self.parent.switch(None)  # nobody of ours switched to a resting goroutine: the nursery sends it back
                continue
            except AbandonUnwind as unwind:
                unwind.__traceback__ = None  # who threw it holds it: what its frames hold shall end here, not there
            except BaseException as exc:
                if self.m is None:
                    raise  # GreenletExit: it is dropped while it rests
                error = exc
            reaper = self.m.sched.abandoned(self, error)
            error = None
            reaper.switch()  # rests here, holding nothing of the run that is over, until it is reused

    def live(self) -> None:  # hot: spawn
        """The loop; leaves it only when its run is over, or when the runtime is broken."""
        while self.fn is not None:
            self.is_fresh = False
            try:
                # Unoptimised form: the first branch. The others need no C stack, which a parked goroutine would keep.
                if self.kwargs or len(self.args) > 1:
                    result = self.fn(*self.args, **self.kwargs)
                elif self.args:
                    result = self.fn(self.args[0])
                else:
                    result = self.fn()
                if self.frames is not None or self.unwinding is not None:
                    result = self.m.sched.entry_returned(self, result)
                if self.goid == 1:
                    self.m.sched.main_returned(result)
                result = None
            except BaseException as exc:
                self.m.sched.entry_raised(self, exc)
            self.fn, self.args, self.kwargs = None, (), NO_KWARGS  # the user's objects end while it is still RUNNING
            m = self.m
            p = m.p
            if self.status != RUNNING:
                throw("goexit: bad g status")
            clock = m.clock + GOEXIT_COST
            gfree = p.gfree
            # Unoptimised form: goexit0(m) on g0, always. Below is the same with the next goroutine picked here.
            if (
                clock < m.horizon
                and clock < p.next_check_ns
                and len(gfree) < GFREE_SPILL - 1
                and (p.schedtick % 61 or not m.sched.runq)
                and not DEBUG
            ):
                gp, why = p.runnext, RUNNEXT
                if gp is not None:
                    p.runnext = None
                elif p.runq:
                    gp = p.runq.popleft()
                    p.schedtick += 1
                    why = RING
                if gp is not None:
                    if gp.status != RUNNABLE:
                        throw("execute: bad g status")
                    if m.watch is not None:
                        m.clock = clock - SCHEDULE_COST
                        m.emit(GO_END)
                    m.clock = gp.ns if gp.ns > clock else clock
                    if gp.is_fresh:  # unoptimised form: the other branch; see the essay
                        self.become(gp, m.sched.allgs)
                        gfree.append(gp)
                    else:
                        if self.sudog is not None:
                            shed_sudog(m, self)
                        self.status = DEAD
                        self.m = None  # type: ignore[assignment]
                        gfree.append(self)
                        gp.status = RUNNING
                        gp.m = m
                        m.curg = gp
                    if m.watch is not None:
                        m.emit(GO_START, why, "goexit")
                    del m, p, gfree  # a goroutine that rests holds nothing of its run
                    if gp.status != DEAD:
                        gp.switch()
                    continue
            m.clock = clock - SCHEDULE_COST
            m.mcall, g0 = m.sched.goexit0, m.g0
            del m, p, gfree
            g0.switch()

    def become(self, gp: G, allgs: list[G]) -> None:
        """Trade places: this greenlet, whose goroutine has ended, is gp from here on, and gp's is the dead one."""
        self.goid = gp.goid
        self.fn = gp.fn
        self.args = gp.args
        self.kwargs = gp.kwargs
        gp.fn = None
        gp.args = ()
        gp.kwargs = NO_KWARGS
        gp.status = DEAD
        self.gr_context = gp.gr_context
        self.origin = gp.origin
        self.ancestors = gp.ancestors
        self.labels = gp.labels
        mine, its = self.index, gp.index
        self.index, gp.index = its, mine
        allgs[mine], allgs[its] = gp, self

    def is_resting(self) -> bool:
        """It runs no goroutine, or has not begun to."""
        frame = self.gr_frame
        return frame is None or frame.f_code is G.run.__code__

    def was_started(self) -> bool:
        """The function it was given has begun: its innermost frame is not that of a resting greenlet."""
        frame = self.gr_frame
        if frame is not None and frame.f_code is G.live.__code__:
            return False
        while frame is not None and frame.f_code is not G.live.__code__:
            frame = frame.f_back
        return frame is not None


class SystemG(G):
    """A goroutine of the runtime's own: a record that is born parked and shows in dumps of level 2."""

    __slots__ = ("created_by", "function")

    def __init__(self) -> None:
        G.__init__(self)
        self.is_system = True
        self.function = ""
        self.created_by = ""
