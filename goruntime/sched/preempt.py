"""Safepoints: the one compare by which everything interrupts a goroutine.

Every operation adds its cost to `m.clock` and compares it with `m.horizon`. The horizon is the due time of the next
thread plus the quantum, and 0 when somebody wants this M to stop at its next safepoint: it plays the role of Go's
poisoned stackguard0. It is derived here, in one function, from the conditions themselves.

Go: runtime/proc.go preemptone, gopreempt_m; runtime/stack.go newstack.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, NoReturn

from ..base.errors import AbandonUnwind, throw
from ..base.events import GO_START, GO_YIELD, PROC_PREEMPT
from ..kernel import costs
from .ops import OP_PYTHON
from .park import COLLECT_EVERY, dropg, sent_back
from .runq import globrunqgetbatch
from .spin import wakep
from .status import DEBUG, PRUNNING, RUNNABLE, RUNNING, SYSCALL, casgstatus

if TYPE_CHECKING:
    from .g import G
    from .m import M
    from .p import P
    from .sched import Sched

GOSCHED_COST = costs.GOSCHED
SCHEDULE_COST = costs.SCHEDULE
GLOBAL_QUEUE_COST = costs.GLOBAL_QUEUE
FAIRNESS = 61  # every so many slices the global queue comes first
UNWIND_PATIENCE = 100  # how often an abandoned goroutine may swallow its end
UNWIND_CALLS = 10_000  # how many primitives may do nothing in its `finally` clauses before each one ends it


def horizon_of(m: M) -> int:
    """How far m may run before its next look around. The one place where the horizon comes from."""
    sched = m.sched
    if sched.gcwaiting or sched.controller is not None or sched.is_ending or sched.kernel.interrupted:
        return 0
    pp = m.p
    if pp is not None and pp.run_safe_point_fn:
        return 0
    gp = m.curg
    if gp is not None and gp.preempt:
        return 0
    return sched.kernel.natural_horizon(m)


def safepoint(m: M, g: G, op: int, obj: Any) -> M | None:
    """The slow path of every operation: let whoever is due, or asks, have the CPU; returns the M g is on now.

    None: the run is over and g is being unwound; the operation must do nothing. On return g's clock and the object's
    are joined, as Lamport's are.
    Caller: g is RUNNING on m, nothing of the operation was done yet.
    """
    sched = m.sched
    while True:
        if sched.is_ending:
            _ending(sched, g, op, obj)
            return None
        if sched.kernel.interrupted:
            sched.interrupt_run()
        if sched.controller is not None:
            sched.controller.point(m, g, op, obj)
            m = g.m
            break
        if g.preempt or sched.gcwaiting or m.p.run_safe_point_fn:
            m.mcall = preempt_m
            m.g0.switch()
            m = g.m or sent_back(g)
        else:
            horizon = horizon_of(m)
            if m.clock >= horizon:
                sched.kernel.yield_cpu(m)
            else:
                m.horizon = horizon
        if obj is not None and obj.ns > m.clock:
            m.clock = obj.ns
        if m.clock < m.horizon:
            break
    if obj is not None:
        if obj.ns > m.clock:
            m.clock = obj.ns
        obj.ns = m.clock
    return m


def _ending(sched: Sched, g: G, op: int, obj: Any) -> None:
    """A primitive in a `finally` of an abandoned goroutine: nothing, or the end again if it would block.

    One that swallows its end for ever, or that waits in a loop for what "nothing" does not bring, stays here.
    """
    sched.unwind_calls += 1
    if sched.unwind_attempts >= UNWIND_PATIENCE:
        sched.reaper.switch()  # left suspended: nobody switches here again
    if (obj is not None and not obj.ready(op, g)) or sched.unwind_calls > UNWIND_CALLS:
        end_again(sched)


def end_again(sched: Sched) -> NoReturn:
    """An abandoned goroutine calls a primitive that would block: its end goes on.

    It has swallowed the end it was told before unless that is still on its way up, through ever new `finally` clauses.
    """
    on_its_way = sys.exception()
    if on_its_way is None or on_its_way is sched.unwind_seen or sched.unwind_calls > UNWIND_CALLS:
        sched.unwind_attempts += 1
    sched.unwind_seen = on_its_way
    raise AbandonUnwind(sched)


def preempt_m(m: M) -> None:
    """On g0: the running goroutine gives way: next on its P for a stop of the world, else to the global queue.

    Go: runtime/proc.go gopreempt_m, goschedImpl.
    """
    gp = m.curg
    if m.p.run_safe_point_fn:
        m.sched.run_safe_point_for(m, m.p)
        if not (gp.preempt or m.sched.gcwaiting):
            m.horizon = horizon_of(m)
            gp.switch()
            return
    gosched_impl(m, gp, "stop the world" if m.sched.gcwaiting else "preempted")


def yield_to_others(m: M, g: G) -> None:  # hot: yield
    """The running goroutine goes to the tail of the global queue; returns when it runs again.

    Like park it does the scheduler's work itself as long as that is trivial, in find_runnable's order: the 61st slice,
    runnext, the ring, and without any of them a batch of the global queue, with which it may come back to itself.
    Go: runtime/proc.go Gosched.
    """
    clock = m.clock + GOSCHED_COST
    sched = m.sched
    p = m.p
    runq = sched.runq
    # Unoptimised form: m.mcall = gosched_m; m.g0.switch().
    if (
        clock + GLOBAL_QUEUE_COST < m.horizon
        and clock + GLOBAL_QUEUE_COST < p.next_check_ns
        and (sched.nmspinning or not sched.npidle)
        and (sched.schedules + 1) % COLLECT_EVERY
        and not (p.zombies or DEBUG)
    ):
        sched.schedules += 1
        if g.status != RUNNING:
            throw("gosched: bad g status")
        if m.watch is not None:
            m.emit(GO_YIELD, "global", "gosched")
        if not sched.nmspinning:
            sched.needspinning = 1  # unoptimised form: wakep(m), which found no idle P
        g.status = RUNNABLE
        g.ns = clock
        runq.append(g)
        inherits = False
        if p.schedtick % FAIRNESS == 0:
            clock += GLOBAL_QUEUE_COST
            gp = runq.popleft()
            queue, why = "global", "every 61st slice"
        elif p.runnext is not None:
            gp = p.runnext
            p.runnext = None
            inherits = True
            queue, why = "runnext", "local"
        elif p.runq:
            gp = p.runq.popleft()
            queue, why = "ring", "local"
        else:
            clock += GLOBAL_QUEUE_COST
            gp = globrunqgetbatch(sched, p) if len(runq) > 1 else runq.popleft()
            queue, why = "global", "local queue is empty"
        if gp.status != RUNNABLE:
            throw("execute: bad g status")
        clock += SCHEDULE_COST
        m.clock = gp.ns if gp.ns > clock else clock
        if not inherits:
            p.schedtick += 1
        gp.status = RUNNING
        if gp is not g:
            g.m = None  # type: ignore[assignment]
            gp.m = m
            m.curg = gp
        if m.watch is not None:
            m.emit(GO_START, queue, why)
        if gp is not g:
            gp.switch()
            if g.m is None:
                sent_back(g)
        return
    m.mcall = gosched_m
    m.g0.switch()
    if g.m is None:
        sent_back(g)


def gosched_m(m: M) -> None:
    """On g0: the running goroutine yields, to the tail of the global queue.

    Go: runtime/proc.go gosched_m.
    """
    gosched_impl(m, m.curg, "gosched")


def gosched_impl(m: M, gp: G, why: str) -> None:
    """Queue the running goroutine again and wake somebody for it.

    Go: runtime/proc.go goschedImpl.
    """
    sched = m.sched
    casgstatus(gp, RUNNING, RUNNABLE)
    stays = why == "stop the world"
    if m.watch is not None:
        m.emit(GO_YIELD, "runnext" if stays else "global", why)
    m.clock += costs.GOSCHED
    dropg(m)
    if stays:
        sched.runqput(m.p, gp)
    else:
        sched.runq.append(gp)
    wakep(m)


def goyield_m(m: M) -> None:
    """On g0: the running goroutine yields, to the tail of its P's ring, waking nobody.

    Go: runtime/proc.go goyield_m.
    """
    gp = m.curg
    casgstatus(gp, RUNNING, RUNNABLE)
    if m.watch is not None:
        m.emit(GO_YIELD, "ring", "goyield")
    m.clock += costs.GOSCHED
    dropg(m)
    m.sched.runqput(m.p, gp, to_next=False)


def preemptone(asker: M, pp: P) -> bool:
    """Ask the goroutine on pp to give way at its next safepoint. The request is the goroutine's: it ends with it.

    Go: runtime/proc.go preemptone.
    """
    mp = pp.m
    if mp is None or mp is asker:
        return False
    gp = mp.curg
    if gp is None or gp.status == SYSCALL:
        return False
    asker.sched.disturb()
    gp.preempt = True
    pp.preempt = True
    mp.horizon = 0
    if not asker.sched.is_async_preempt_off:
        asker.sched.kernel.cut_short(mp, asker.clock)
    if asker.watch is not None:
        asker.emit(PROC_PREEMPT, pp.id)
    return True


def preemptall(asker: M) -> None:
    """Ask every running P.

    Go: runtime/proc.go preemptall.
    """
    for pp in asker.sched.allp:
        if pp.status == PRUNNING:
            preemptone(asker, pp)


def python_preempted(g: G) -> None:
    """In the preemption signal's handler, on g's own stack: charge the slice, let others run.

    Go: runtime/preempt.go asyncPreempt2.
    """
    m = g.m
    m.clock += costs.SIGNAL_SLICE
    if m.sched.is_ending:
        m.sched.unwind_calls += UNWIND_CALLS // 1_000  # a `finally` may compute for 10 s, as the host counts them
    if m.clock >= m.horizon:
        safepoint(m, g, OP_PYTHON, None)
