"""The goroutines of the runtime's own that exist before main.main: ids, dumps and slice counts are Go's with them.

Three have run and wait by then; they are records, parked from birth, that get a greenlet when something first wakes
them. Two have just been started by the main goroutine and run when it first gives way: they take a place in the run
queue and, once another goroutine has kicked them out of runnext, a time slice.

Go: runtime/proc.go main, forcegchelper; runtime/mgc.go gcenable; runtime/mfinal.go createfing (a program that
links package os has a finalizer goroutine from the start, and so has this one).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from greenlet import getcurrent

from ..base.events import DIRECT, GO_CREATE
from .g import SystemG
from .park import park
from .runq import runqput
from .spin import wakep
from .status import DEAD, RUNNABLE, WAITING, casgstatus
from .sudog import shed_sudog
from .waitreason import FINALIZER_WAIT, FORCE_GC_IDLE, GC_SCAVENGE_WAIT, GC_SWEEP_WAIT, GOMAXPROCS_UPDATER_IDLE

if TYPE_CHECKING:
    from .m import M
    from .sched import Sched


GOID_BATCH = 16  # Go: _GoidCacheBatch


class Row(NamedTuple):
    """One system goroutine."""

    function: str
    wait_reason: int
    created_by: str
    has_run: bool  # before main.main


SYSTEM_GOROUTINES = (
    Row("runtime.forcegchelper", FORCE_GC_IDLE, "runtime.init.7", True),
    Row("runtime.bgsweep", GC_SWEEP_WAIT, "runtime.gcenable", True),
    Row("runtime.bgscavenge", GC_SCAVENGE_WAIT, "runtime.gcenable", True),
    Row("runtime.updateMaxProcsGoroutine", GOMAXPROCS_UPDATER_IDLE, "runtime.defaultGOMAXPROCSUpdateEnable", False),
    Row("runtime.runFinalizers", FINALIZER_WAIT, "runtime.createfing", False),
)


def register_system_goroutines(sched: Sched, m: M) -> None:
    """Give the system goroutines their ids and places in allgs. No event: they are older than the program."""
    for row in SYSTEM_GOROUTINES:
        runs = not row.has_run and sched.controller is None
        gp = sched.pool.take_system_runner() if runs else sched.pool.take_system()
        _register(m, gp, row.function, row.wait_reason, row.created_by)
        if not runs:
            casgstatus(gp, DEAD, WAITING)


def _register(m: M, gp: SystemG, function: str, wait_reason: int, created_by: str) -> None:
    sched, pp = m.sched, m.p
    if pp.goid_next == pp.goid_end:  # as newproc1 does it
        pp.goid_next = sched.goid_last + 1
        sched.goid_last += GOID_BATCH
        pp.goid_end = pp.goid_next + GOID_BATCH
    gp.goid = pp.goid_next
    pp.goid_next += 1
    gp.status = DEAD
    gp.waitreason = wait_reason
    gp.function = function
    gp.created_by = created_by
    gp.origin = 1, None, 0, {}
    gp.index = len(sched.allgs)
    sched.allgs.append(gp)
    sched.system_gs.append(gp)


def add_record(m: M, function: str, wait_reason: int, created_by: str) -> SystemG:
    """One more system goroutine, while the program runs: a record that waits for good. Returns it."""
    gp = m.sched.pool.take_system()
    _register(m, gp, function, wait_reason, created_by)
    casgstatus(gp, DEAD, WAITING)
    if m.watch is not None:
        m.emit(GO_CREATE, gp.goid, function, DIRECT)
    return gp


def start_system_goroutines(m: M) -> None:
    """Queue those that have not run yet, as the main goroutine does before it calls main.main."""
    for gp in m.sched.system_gs:
        if gp.status == DEAD:
            gp.fn = wait_for_ever
            gp.args = (gp.waitreason,)
            gp.ns = m.clock
            casgstatus(gp, DEAD, RUNNABLE)
            landed = runqput(m.sched, m.p, gp, True)
            if m.watch is not None:
                m.emit(GO_CREATE, gp.goid, gp.function, landed)
    wakep(m)


def wait_for_ever(reason: int) -> None:
    """What a system goroutine does while the parts that would wake it do not exist yet."""
    g = getcurrent()
    assert isinstance(g, SystemG)
    while True:
        shed_sudog(g.m, g)
        park(g.m, g, reason, None)
