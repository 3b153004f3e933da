"""What must hold of the whole scheduler whenever a thread looks for its next goroutine.

Every other thread is asleep in the kernel then, between two steps of its own: nothing is half-done. The checks that the
structures bring along are called here too.
"""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from typing import Any

from goruntime.heap.check import check_heap
from goruntime.heap.heap import Heap
from goruntime.sched import g as g_module
from goruntime.sched import park, preempt, proc, status
from goruntime.sched import sched as sched_module
from goruntime.sched import schedule as schedule_module
from goruntime.sched.m import M
from goruntime.sched.proc import check_goroutines
from goruntime.sched.runq import check_runq
from goruntime.sched.sched import Sched
from goruntime.sched.status import DEAD, DURABLE, PGCSTOP, PIDLE, PRUNNING, RUNNABLE, RUNNING, SYSCALL, WAITING
from goruntime.sched.timers import check_timer_heap


def check_sched(sched: Sched) -> None:
    """All of it."""
    check_runq(sched)
    check_goroutines(sched)
    for pp in sched.allp:
        check_timer_heap(pp)
    check_processors(sched)
    check_threads(sched)
    check_places(sched)
    check_conservation(sched)
    if is_touched(sched.heap):
        check_heap(sched.heap)


def is_touched(heap: Heap) -> bool:
    """Somebody has allocated: the heap has its tables."""
    try:
        return Heap.mheap.__get__(heap) is not None  # type: ignore[attr-defined]
    except AttributeError:
        return False


def check_processors(sched: Sched) -> None:
    """Every P is with one thread, in transit to one, idle or stopped; the counts and the lists agree."""
    assert sched.npidle == len(sched.pidle)
    assert len(sched.allp) == sched.gomaxprocs
    assert [pp.id for pp in sched.allp] == list(range(sched.gomaxprocs))
    in_transit = Counter(mp.nextp.id for mp in sched.allm if mp.nextp is not None)
    for pp in sched.allp:
        assert pp.is_idle == (pp in sched.pidle)
        owners = [mp for mp in sched.allm if mp.p is pp]
        if pp.status == PRUNNING:
            assert owners == [pp.m]
            assert not in_transit[pp.id]
        elif pp.status == PIDLE:
            assert pp.m is None
            assert not owners
            assert pp.is_idle + in_transit[pp.id] == 1
        else:
            assert pp.status == PGCSTOP
            assert sched.gcwaiting
        if pp.is_idle:
            assert pp.status == PIDLE
            assert pp.is_runq_empty()


def check_threads(sched: Sched) -> None:
    """Spinning and sleeping threads are counted right."""
    assert sched.nmspinning == sum(mp.spinning for mp in sched.allm)
    assert sched.midle == [mp for mp in sched.midle if mp.parked]
    assert sum(mp.parked for mp in sched.allm) == len(sched.midle)
    for mp in sched.midle:
        assert mp.p is None
        assert mp.nextp is None
        assert mp.curg is None
        assert not mp.spinning
    assert 0 <= sched.nmidlelocked <= sched.locked_count
    running = sched.m_count - sched.nmfreed - len(sched.midle) - sched.nmidlelocked - sched.nmsys
    assert running > 0  # this thread, at least


def check_places(sched: Sched) -> None:
    """Every goroutine is in exactly one place: a queue, a free list, a thread, or with whoever will ready it."""
    places: Counter[Any] = Counter()
    places.update(sched.runq)
    places.update(sched.gfree)
    for pp in sched.all_p_ever:
        places.update(pp.runq)
        places.update(pp.gfree)
        if pp.runnext is not None:
            places[pp.runnext] += 1
    for mp in sched.allm:
        if mp.curg is not None:
            places[mp.curg] += 1
        elif mp.lockedg is not None and mp.nextp is not None:
            places[mp.lockedg] += 1  # handed over together with the P
    for gp in sched.allgs:
        if gp.status in (WAITING, DURABLE):
            assert places[gp] == (gp.m is not None), gp.goid  # with its thread only while it stops the world
        elif gp.status in (RUNNABLE, RUNNING, SYSCALL) or (gp.status == DEAD and not gp.is_system):
            assert places[gp] == 1, gp.goid
    free = [*sched.gfree, *(gp for pp in sched.all_p_ever for gp in pp.gfree)]
    assert all(gp.status == DEAD for gp in free)
    for pp in sched.all_p_ever:
        assert len(pp.gfree) < g_module.GFREE_SPILL


def check_conservation(sched: Sched) -> None:
    """No work waits beside an idle P unless somebody is about to look for it.

    (A goroutine that yields to its own ring, as in a semaphore's hand-off, wakes nobody.)
    """
    has_work = bool(sched.runq) or any(pp.runq for pp in sched.allp if pp.m is not None)
    if has_work and sched.npidle and not sched.gcwaiting:
        coming = any(mp.nextp is not None for mp in sched.allm)
        searching = [mp for mp in sched.allm if mp.p is not None and mp.curg is None]
        assert sched.nmspinning or coming or sched.needspinning or searching


@contextmanager
def checked_at_every_step():
    """Check every scheduler of this process at each round of a g0. Yields the number of rounds so far, in a list."""
    one_round = schedule_module.schedule
    rounds = [0]

    def check_and_schedule(m: M) -> None:
        if m.sched.controller is None:
            rounds[0] += 1
            check_sched(m.sched)
        one_round(m)

    schedule_module.schedule = check_and_schedule
    try:
        yield rounds
    finally:
        schedule_module.schedule = one_round


@contextmanager
def doors(is_open: bool):
    """With open doors every transition passes g0 and is checked; closed, the fast paths run, as in production."""
    modules = (status, park, preempt, g_module, proc, sched_module, schedule_module)
    before = [module.DEBUG for module in modules]
    for module in modules:
        module.DEBUG = is_open
    try:
        yield
    finally:
        for module, value in zip(modules, before, strict=True):
            module.DEBUG = value
