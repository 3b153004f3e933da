"""Schedulers for tests: one that stands still, to be taken apart, and programs whose events tell what happened."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from greenlet import getcurrent

from goruntime.base.config import make_config
from goruntime.base.events import as_record
from goruntime.boot import Runtime, run
from goruntime.sched.g import G
from goruntime.sched.m import M
from goruntime.sched.sched import Sched
from goruntime.sched.schedule import mstart
from goruntime.sched.status import DEAD, IDLE, RUNNABLE, RUNNING, casgstatus
from goruntime.sched.stw import set_first_procs

MICROSECOND = 1_000
MILLISECOND = 1_000_000


class Still:
    """A booted scheduler in which nothing runs. `m` owns P 0; what is started lies in the kernel's queue."""

    def __init__(self, gomaxprocs: int = 1, **options: Any) -> None:
        self.runtime = Runtime(make_config({"gomaxprocs": gomaxprocs, **options}, 4))
        self.sched: Sched = self.runtime.sched
        self.m: M = self.sched.add_m(mstart)
        set_first_procs(self.sched, self.m, gomaxprocs)
        self.sched.kernel.running = self.m
        self.events: list[tuple[Any, ...]] = []
        self.m.watch = self.events.append

    @property
    def p(self) -> Any:
        return self.m.p

    def g(self, status: int = RUNNABLE) -> G:
        """A goroutine in a state, in no queue."""
        gp = G()
        gp.goid = self.sched.goid_last = self.sched.goid_last + 1
        gp.status = status
        self.sched.allgs.append(gp)
        return gp

    def gs(self, count: int) -> list[G]:
        """So many runnable goroutines."""
        return [self.g() for _ in range(count)]

    def running(self) -> G:
        """A goroutine that runs on m."""
        gp = self.g(IDLE)
        for old, new in ((IDLE, DEAD), (DEAD, RUNNABLE), (RUNNABLE, RUNNING)):
            casgstatus(gp, old, new)
        gp.m, self.m.curg = self.m, gp
        return gp

    def thread(self, pp: Any = None) -> M:
        """One more thread, with a P taken from the idle ones, or with none."""
        mp = self.sched.add_m(mstart)
        if pp is not None:
            self.sched.pidle.remove(pp)
            self.sched.npidle -= 1
            pp.is_idle = False
            mp.p, pp.m, pp.status = pp, mp, 1
        return mp

    def kinds(self) -> list[int]:
        """The kinds of the events so far."""
        return [event[0] for event in self.events]


def goids(queue: Any) -> list[int]:
    """The goroutines of a queue."""
    return [gp.goid for gp in queue]


def records(main: Callable[[], Any], *names: str, **config: Any) -> list[dict[str, Any]]:
    """Run a program; its events as dicts, those of these names (all, if none is given)."""
    events: list[tuple[Any, ...]] = []
    run(main, events=events, **config)
    found = [as_record(event) for event in events]
    return [record for record in found if not names or record["event"] in names]


def here() -> tuple[M, G]:
    """The running goroutine and its thread."""
    g: Any = getcurrent()
    return g.m, g


def sched_here() -> Sched:
    """The scheduler of the running goroutine."""
    return here()[0].sched
