"""Parking and readying: how a goroutine leaves its M and how it comes back.

A goroutine that parks does the scheduler's work itself as long as that work is trivial: the next goroutine is in its
own P's queue, nothing is due, nobody asked for anything. Then it switches straight to it. Everything else goes through
g0, by `mcall`: store the function g0 shall run, switch there.

The fast path keeps find_runnable's order exactly, by refusing whenever one of the earlier steps might apply:
`m.horizon` covers stop-the-world, preemption, safepoint functions and controllers (step 0); `p.next_check_ns` covers
timers, GC workers, locked goroutines and step counting (1-3); `schedtick % 61` with a non-empty global queue is step 4;
what is left is the local queue (6).

An exception can strike in the middle of a primitive: RecursionError, since it runs at the bottom of the user's stack,
or whatever a signal handler of the user's raises. Where nothing was changed yet it is the user's own. Where something
may be half done, the primitive hands it to g0 (`struck_m`), which ends the run: a RecursionError is Go's stack
overflow. Nobody who catches one can go on with a queue that has lost a goroutine. The hot primitives do this in their
own frame, with one call into C, for which their first call (getcurrent) has proved that there is room; the others call
`struck`.

Go: runtime/proc.go gopark, park_m, ready, goready.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..base.errors import throw
from ..base.events import GO_PARK, GO_READY, GO_START, RING, RUNNEXT
from ..kernel import costs
from .p import RING as RING_SLOTS
from .runq import runqputslow
from .spin import wakep
from .status import DEBUG, DURABLE, RUNNABLE, RUNNING, WAITING, casgstatus
from .sudog import shed_sudog
from .waitreason import WAIT_REASONS

if TYPE_CHECKING:
    from .g import G
    from .m import M
    from .p import P

PARK_COST = costs.PARK  # with the switch to the next goroutine, which execute charges when it makes that
SCHEDULE_COST = costs.SCHEDULE
READY_COST = costs.READY
COLLECT_EVERY = 65_536  # rounds of the scheduler between two looks of CPython's cyclic collector


def park(m: M, g: G, reason: int, obj: Any) -> M:  # hot: unbuffered
    """Let the running goroutine wait for `ready`; returns the M it is on when it goes on.

    The caller has queued it where its waker will look; if that is no queue of sudogs, it has called shed_sudog. obj is
    what it waits for, for display.
    Go: runtime/proc.go gopark.
    Caller: is g, on m, which owns a P.
    """
    g.waitreason = reason
    g.wait_object = obj
    clock = m.clock + PARK_COST
    p = m.p
    if m.watch is not None:
        shown = reason if g.bubble is None else g.bubble.reason_of(reason, obj)
        m.emit(GO_PARK, WAIT_REASONS[shown], name_of(obj))
    # Unoptimised form: m.mcall = park_m; m.g0.switch().
    if clock < m.horizon and clock < p.next_check_ns and (p.schedtick % 61 or not m.sched.runq) and not DEBUG:
        gp = p.runnext
        why = RUNNEXT
        if gp is not None:
            p.runnext = None
        elif p.runq:
            gp = p.runq.popleft()
            p.schedtick += 1
            why = RING
        if gp is not None:
            if g.status != RUNNING:
                throw("gopark: bad g status")
            if gp.status != RUNNABLE:
                throw("execute: bad g status")
            g.status = WAITING
            g.ns = clock
            g.m = None  # type: ignore[assignment]
            if gp.ns > clock:
                clock = gp.ns
            m.clock = clock
            gp.status = RUNNING
            gp.m = m
            m.curg = gp
            if m.watch is not None:
                m.emit(GO_START, why, "park")
            gp.switch()
            g.wait_object = None
            return g.m or sent_back(g)
    if clock < m.horizon and 0 < p.next_check_ns <= clock - SCHEDULE_COST and _park_while_due(m, g, p, clock):
        g.wait_object = None
        return g.m or sent_back(g)
    m.clock = clock - SCHEDULE_COST
    m.mcall = park_m
    m.g0.switch()
    g.wait_object = None  # its user still holds it: a `__del__` may not run between here and who called park
    return g.m or sent_back(g)


def _park_while_due(m: M, g: G, p: P, clock: int) -> bool:  # hot: sleep
    """The rest of `park` when timers are due and nothing else is asked for; False, and nothing was done, if not.

    The first timer is that of a sleeping goroutine, so that there is one to switch to when all of them have fired. They
    fire on this stack, after g has left its M.
    """
    sched = m.sched
    if not p.timers:
        return False
    when_ns, entry, timer = p.timers[0]
    if (
        when_ns > clock - SCHEDULE_COST
        or timer.f is not goroutine_ready
        or timer.entry != entry
        or not p.schedtick % 61
        or not (sched.schedules + 1) % COLLECT_EVERY
        or DEBUG
    ):
        return False
    if g.status != RUNNING:
        throw("gopark: bad g status")
    # Unoptimised form: park_m(m); schedule(m).
    g.status = WAITING
    g.ns = clock
    g.m = m.curg = None  # type: ignore[assignment]
    m.clock = clock - SCHEDULE_COST
    sched.schedules += 1
    sched.check_timers(m, p)
    gp = p.runnext
    queue = RUNNEXT
    if gp is not None:
        p.runnext = None
    else:
        gp = p.runq.popleft()
        p.schedtick += 1
        queue = RING
    if gp.status != RUNNABLE:
        throw("execute: bad g status")
    clock = m.clock + SCHEDULE_COST
    m.clock = gp.ns if gp.ns > clock else clock
    gp.status = RUNNING
    gp.m = m
    m.curg = gp
    if m.watch is not None:
        m.emit(GO_START, queue, "local")
    if gp is not g:
        gp.switch()
    return True


def goroutine_ready(m: M, gp: Any, _seq: int, _delay: int) -> None:
    """The timer of a sleeping goroutine.

    Go: runtime/time.go goroutineReady.
    """
    ready(m, gp)


def sent_back(g: G) -> M:
    """A greenlet that is none of ours switched to g, which does not run: send it back, through the nursery."""
    assert g.parent is not None
    while g.m is None:
        g.parent.switch(None)
    return g.m


def struck_m(m: M) -> None:
    """On g0: an exception struck while a primitive of this M's goroutine was at work; end the run."""
    gp = m.curg
    error = gp.param
    gp.param = None
    if isinstance(error, RecursionError):
        m.sched.die_of_stack_overflow(gp, error)
    m.sched.end_with(error)


def struck(m: M, g: G, error: BaseException) -> None:
    """The same from one call further down, for primitives in which the first two levels of calls change nothing."""
    m = g.m or m
    m.curg, m.mcall, g.param = g, struck_m, error
    m.g0.switch()


def park_m(m: M) -> None:  # hot: sleep
    """On g0: the goroutine of this M waits.

    Go: runtime/proc.go park_m.
    """
    gp = m.curg
    # Unoptimised form: casgstatus(gp, RUNNING, WAITING); dropg(m).
    if DEBUG:
        casgstatus(gp, RUNNING, WAITING)
    elif gp.status != RUNNING:
        throw("gopark: bad g status")
    gp.status = WAITING
    gp.ns = m.clock + SCHEDULE_COST  # as on the fast path
    gp.preempt = False
    gp.m = m.curg = None  # type: ignore[assignment]
    if gp.bubble is not None:
        gp.bubble.parked(m, gp)


def dropg(m: M) -> None:
    """Part the M from its goroutine, which takes the time with it.

    Go: runtime/proc.go dropg.
    """
    gp = m.curg
    if gp.sudog is not None:
        shed_sudog(m, gp)
    gp.ns = m.clock
    gp.preempt = False  # Go clears it in execute; whoever was asked always leaves through here, not by a fast path
    gp.m = None  # type: ignore[assignment]
    m.curg = None  # type: ignore[assignment]


def ready(m: M, gp: G, obj: Any = None) -> None:  # hot: unbuffered
    """Make a waiting goroutine runnable: into runnext of this P, then `wakep`.

    Go: runtime/proc.go ready.
    Caller: owns m's P. obj is through what, for display.
    """
    if gp.status != WAITING:
        if gp.status != DURABLE or gp.bubble is None:
            throw("bad g->status in ready")
        gp.bubble.woken(m, gp)
    if DEBUG:
        casgstatus(gp, WAITING, RUNNABLE)
    gp.status = RUNNABLE
    m.clock = clock = m.clock + READY_COST
    if gp.ns < clock:
        gp.ns = clock
    p = m.p
    kicked = p.runnext
    p.runnext = gp
    if kicked is not None:
        if len(p.runq) < RING_SLOTS:
            p.runq.append(kicked)
        else:
            runqputslow(m.sched, p, kicked)
    if m.watch is not None:
        m.emit(GO_READY, gp.goid, RUNNEXT, WAIT_REASONS[gp.waitreason], name_of(obj))
    sched = m.sched
    if not sched.nmspinning:
        # Unoptimised form: wakep(m). Its common outcome, no idle P, is this store.
        if sched.npidle:
            wakep(m)
        else:
            sched.needspinning = 1


def name_of(obj: Any) -> str:
    """A name for an object in an event, the same in every run: what it is and its number in the run."""
    namer = getattr(obj, "event_name", None)
    return namer() if namer is not None else ""
