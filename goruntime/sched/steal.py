"""Work stealing: an M without work looks at the other Ps.

Go: runtime/proc.go stealWork, runqsteal, runqgrab.
"""

from __future__ import annotations

from math import gcd
from typing import TYPE_CHECKING

from ..base.choose import STEAL
from ..base.events import PROC_STEAL
from ..kernel import costs
from .status import PRUNNING, SYSCALL
from .timers import check_timers

if TYPE_CHECKING:
    from .g import G
    from .m import M
    from .p import P

PASSES = 4


def steal_order(count: int) -> tuple[int, ...]:
    """The steps that visit all of `count` Ps: the numbers coprime with it.

    Go: runtime/proc.go randomOrder.
    """
    return tuple(step for step in range(1, count + 1) if gcd(step, count) == 1)


def steal_work(m: M) -> tuple[G | None, bool, bool, int]:  # hot: sleep_row
    """Look for work on other Ps: (goroutine, inherits the time slice, look again from the top, earliest timer or 0).

    Go: runtime/proc.go stealWork.
    Caller: m spins and owns a P with an empty queue.
    """
    sched = m.sched
    pp = m.p
    count = sched.gomaxprocs
    m.clock += costs.STEAL_PASS
    if count == 1:
        m.choose(STEAL, 1)  # unoptimised form: what follows, which finds no other P
        return None, False, False, 0
    ran_timer = False
    poll_until = 0
    # Unoptimised form: first_pass = 0. Passes that could find nothing, because no ring has anything, draw no order.
    first_pass = PASSES - 1
    for victim in sched.allp:
        if victim.runq:
            first_pass = 0
            break
    for attempt in range(first_pass, PASSES):
        take_timers_or_runnext = attempt == PASSES - 1
        steps = sched.steal_steps
        drawn = m.choose(STEAL, count * len(steps))
        position, step = drawn % count, steps[drawn // count]
        for _ in range(count):
            if sched.gcwaiting:
                return None, False, True, poll_until
            victim = sched.allp[position]
            position = (position + step) % count
            if victim is pp:
                continue
            if take_timers_or_runnext and victim.timers:
                if check_timers(m, victim):
                    ran_timer = True
                    if pp.runnext is not None or pp.runq:
                        gp, inherit = runqget(pp)
                        return gp, inherit, ran_timer, poll_until
                when = victim.timers[0][0] if victim.timers else 0
                if when and (poll_until == 0 or when < poll_until):
                    poll_until = when
            if not victim.is_idle:
                gp = runqsteal(m, pp, victim, take_timers_or_runnext)
                if gp is not None:
                    return gp, False, ran_timer, poll_until
    return None, False, ran_timer, poll_until


def runqget(pp: P) -> tuple[G | None, bool]:
    """Take from the local queue: runnext (inheriting the time slice), else the ring's head.

    Go: runtime/proc.go runqget.
    """
    gp = pp.runnext
    if gp is not None:
        pp.runnext = None
        return gp, True
    if pp.runq:
        return pp.runq.popleft(), False
    return None, False


def runqsteal(m: M, pp: P, victim: P, take_runnext: bool) -> G | None:
    """Move half of the victim's ring to pp's; the last of the batch is returned, to run now.

    runnext is taken only when asked for and the ring is empty, and not before its owner, which may be about to run it,
    got 3 us to do so.
    Go: runtime/proc.go runqsteal, runqgrab.
    """
    while True:
        count = len(victim.runq) - len(victim.runq) // 2
        if count:
            batch = [victim.runq.popleft() for _ in range(count)]
            return _loot(m, pp, victim, batch, "ring")
        following = victim.runnext
        if not take_runnext or following is None:
            return None
        owner = victim.m
        if victim.status == PRUNNING and owner is not None and (owner.curg is None or owner.curg.status != SYSCALL):
            m.sched.kernel.sleep(m, costs.STEAL_RUNNEXT_SLEEP)
        if victim.runnext is following:
            victim.runnext = None
            return _loot(m, pp, victim, [following], "runnext")


def _loot(m: M, pp: P, victim: P, batch: list[G], what: str) -> G:
    """Run the last of the batch now and keep the others in order; the thief is not behind what it took."""
    for gp in batch:
        if gp.ns > m.clock:
            m.clock = gp.ns
    if m.watch is not None:
        m.emit(PROC_STEAL, victim.id, len(batch), what)
    gp = batch.pop()
    pp.runq.extend(batch)
    return gp
