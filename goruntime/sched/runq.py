"""Run queues: where a goroutine lands, and in which order it comes out.

runnext is one slot per P; what it held is kicked to the tail of the ring of 256. A full ring gives its older half plus
the newcomer to the global queue. The global queue is taken in batches of at most half a ring.

Go: runtime/proc.go runqput, runqputslow, globrunqgetbatch.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..base.errors import throw
from .p import RING, P
from .status import RUNNABLE

if TYPE_CHECKING:
    from .g import G
    from .sched import Sched


def runqput(sched: Sched, pp: P, gp: G, to_next: bool) -> str:
    """Queue gp on pp: in runnext (kicking out what was there) or at the ring's tail. Returns where gp itself landed.

    Go: runtime/proc.go runqput.
    """
    landed = "ring"
    if to_next:
        landed = "runnext"
        kicked = pp.runnext
        pp.runnext = gp
        if kicked is None:
            return landed
        gp = kicked
    if len(pp.runq) < RING:
        pp.runq.append(gp)
    else:
        runqputslow(sched, pp, gp)
        landed = landed if to_next else "global"
    return landed


def runqputslow(sched: Sched, pp: P, gp: G) -> None:
    """The ring is full: its older half and gp go to the tail of the global queue.

    Go: runtime/proc.go runqputslow.
    """
    if len(pp.runq) != RING:
        throw("runqputslow: queue is not full")
    take = pp.runq.popleft
    sched.runq.extend([take() for _ in range(RING // 2)])
    sched.runq.append(gp)


def runqputbatch(sched: Sched, pp: P, batch: Sequence[G]) -> None:
    """Queue goroutines at the ring's tail; what does not fit goes to the global queue.

    Go: runtime/proc.go runqputbatch.
    """
    room = RING - len(pp.runq)
    if len(batch) <= room:
        pp.runq.extend(batch)
    else:
        pp.runq.extend(batch[:room])
        sched.runq.extend(batch[room:])


def globrunqgetbatch(sched: Sched, pp: P, limit: int = RING // 2) -> G:  # hot: yield
    """Take a batch from the global queue: the first is returned, the rest goes to pp's ring.

    Go: runtime/proc.go globrunqgetbatch.
    """
    queue = sched.runq
    if not queue:
        throw("global runq empty with non-zero runqsize")
    length = len(queue)
    count = length // sched.gomaxprocs + 1
    if count > length:
        count = length
    if count > limit:
        count = limit
    take = queue.popleft
    gp = take()
    if count == 2 and len(pp.runq) < RING:
        pp.runq.append(take())  # unoptimised form: the other branch
    elif count > 1:
        runqputbatch(sched, pp, [take() for _ in range(count - 1)])
    return gp


def check_runq(sched: Sched) -> None:
    """Every queued goroutine is RUNNABLE and in exactly one queue."""
    seen: dict[int, int] = {}
    queued: list[G] = list(sched.runq)
    for pp in sched.allp:
        if len(pp.runq) > RING:
            throw("check_runq: ring too long")
        queued.extend(pp.runq)
        if pp.runnext is not None:
            queued.append(pp.runnext)
    for gp in queued:
        if gp.status != RUNNABLE:
            throw("check_runq: queued goroutine is not runnable")
        if gp.goid in seen:
            throw("check_runq: goroutine is in two queues")
        seen[gp.goid] = 1
