"""Timers: one heap per P, run by the scheduler, never by a thread of their own. Those of a synctest bubble are in its
own heap, which its root runs (bubble.py).

Protocol.
1. A timer is in the heap of at most one P, the one that armed it (or took it over when its P died).
2. It runs at the top of find_runnable on that P, or when another P steals it in the fourth pass; its function runs on
   g0, with an M that owns a P and no goroutine.
3. Stopping and resetting leave the old heap entry behind, as a zombie, which is dropped when it comes up, or when more
   than a quarter of the heap is zombies.
4. A channel timer is in a heap only while somebody is blocked on its channel; otherwise whoever looks at the channel
   runs it (`maybe_run_chan`). So a timer nobody waits for costs nothing and can be dropped.

Differs: equal times fire in the order in which they were armed (Go leaves it open).
Go: runtime/time.go timer.
"""

from __future__ import annotations

from collections.abc import Callable
from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING, Any

from ..base.errors import throw
from ..base.events import TIMER_FIRE, TIMER_SET, TIMER_STOP
from ..kernel import costs
from ..kernel.threads import FOREVER
from .p import RING
from .park import goroutine_ready, park, ready
from .runq import runqputslow
from .spin import wake_net_poller, wakep
from .status import DEBUG, RUNNABLE, WAITING
from .sudog import shed_sudog
from .waitreason import SLEEP

if TYPE_CHECKING:
    from .bubble import Bubble
    from .g import G
    from .m import M
    from .p import P

TimerFunc = Callable[["M", Any, int, int], None]  # (m, arg, seq, delay_ns), on g0
MAX_WHEN = (1 << 63) - 1
OP_COST = costs.TIMER_OP
FIRE_COST = costs.TIMER_FIRE
READY_COST = costs.READY
MAX_ZOMBIES = 64  # so many may lie in a heap until the scheduler looks at it


class Timer:
    """One timer. Owned by the P in whose heap it is, by its user otherwise."""

    __slots__ = ("arg", "blocked", "bubble", "chan", "entry", "f", "ident", "ns", "period_ns", "pp", "seq", "when_ns")

    def __init__(self, f: TimerFunc, arg: Any, chan: Any = None) -> None:
        self.f = f
        self.arg = arg
        self.when_ns = 0  # 0: not pending
        self.period_ns = 0
        self.pp: P | Bubble | None = None  # in whose heap it is
        self.bubble: Bubble | None = None  # by whose clock it goes, and in whose heap it can be, instead of a P's
        self.entry = 0  # the heap entry that is valid; 0 for none
        self.seq = 0  # channel timers: bumped by stop and reset, so that no stale value is sent
        self.chan = chan
        self.blocked = 0  # goroutines blocked on the channel
        self.ident = 0
        self.ns = 0  # its Lamport clock

    def ready(self, _op: int, _g: G) -> bool:
        """Would the operation complete now? Arming and stopping never block."""
        return True

    def event_name(self) -> str:
        """For display in events."""
        return f"timer {self.ident}"


def set_next_check(pp: P, is_forced: bool = False) -> None:
    """Derive the park fast path's second compare. The only place that does."""
    pp.next_check_ns = 0 if is_forced else (pp.timers[0][0] if pp.timers else FOREVER)


def wake_time(pp: P) -> int:
    """When the P's next timer is due, ns; 0 for never.

    Go: runtime/time.go wakeTime.
    """
    return pp.timers[0][0] if pp.timers else 0


def _push(m: M, timer: Timer, pp: P) -> None:
    """Put a pending timer into a P's heap; wake the poller if it is the earliest there.

    Go: runtime/time.go maybeAdd.
    """
    earliest = wake_time(pp)
    insert(pp, timer)
    if earliest == 0 or timer.when_ns < earliest:
        wake_net_poller(m, timer.when_ns)


def insert(pp: P | Bubble, timer: Timer) -> None:
    """Put a pending timer into a heap.

    Go: runtime/time.go addHeap.
    """
    when_ns = timer.when_ns
    pp.timer_seq += 1
    timer.entry = pp.timer_seq
    timer.pp = pp
    heappush(pp.timers, (when_ns, timer.entry, timer))
    if when_ns < pp.next_check_ns:
        pp.next_check_ns = when_ns


def _forget(timer: Timer) -> None:
    """Turn the timer's heap entry into a zombie."""
    pp = timer.pp
    if pp is None:
        return
    timer.pp = None
    timer.entry = 0
    pp.zombies += 1
    if pp.zombies > MAX_ZOMBIES and pp.zombies > len(pp.timers) // 2:
        _drop_zombies(pp)


def abandon(timer: Timer) -> None:
    """Disarm from where there is no M: what Python's finalizers do.

    Unlike `_forget` it never makes the heap anew: somebody may be at work on it right now.
    """
    pp = timer.pp
    timer.when_ns = 0
    if pp is not None:
        timer.pp = None
        timer.entry = 0
        pp.zombies += 1


def _drop_zombies(pp: P | Bubble) -> None:
    """Make the heap anew without its zombies."""
    pp.timers = [entry for entry in pp.timers if entry[2].entry == entry[1] and entry[2].pp is pp]
    heapify(pp.timers)
    pp.zombies = 0


def clean(pp: P | Bubble) -> None:
    """Drop the zombies if there are too many, or at the head.

    Go: runtime/time.go adjust.
    Caller: derives the P's compare again.
    """
    if pp.zombies > len(pp.timers) // 4:
        _drop_zombies(pp)
    heap = pp.timers
    while heap and (heap[0][2].entry != heap[0][1] or heap[0][2].pp is not pp):
        heappop(heap)
        pp.zombies -= 1


def modify(m: M, timer: Timer, when_ns: int, period_ns: int) -> bool:
    """Arm or re-arm; True when a value or call was still to come from the old setting.

    Go: runtime/time.go modify.
    """
    if when_ns <= 0:
        throw("timer when must be positive")
    m.clock += costs.TIMER_OP
    was_pending = timer.when_ns > 0
    home = timer.pp  # one that is in a heap stays in that heap
    if home is not None or timer.bubble is not None:
        _forget(timer)
    timer.when_ns = when_ns
    timer.period_ns = period_ns
    is_new = timer.ident == 0
    if is_new:
        timer.ident = m.sched.next_timer_id()
    if m.watch is not None:
        m.emit(TIMER_SET, timer.event_name(), when_ns, period_ns)
    if timer.chan is not None:
        timer.seq += 1
        if not is_new and timer.chan.drain_timer():
            was_pending = True
    if timer.chan is None or timer.blocked > 0:
        if timer.bubble is None:
            _push(m, timer, home or m.p)  # type: ignore[arg-type]  # home is a P then
        else:
            timer.bubble.arm(m, timer, home is not None)
    return was_pending


def time_sleep(g: G, delay_ns: int) -> None:  # hot: sleep
    """Arm the timer of the running goroutine, and park it.

    Unlike Go, the timer is armed first: nothing can happen between the two, since no other thread runs meanwhile.
    Go: runtime/time.go timeSleep.
    """
    m = g.m
    sched = m.sched
    kernel = sched.kernel
    if kernel.is_paced:
        kernel.catch_up(m)
    timer = g.timer
    if timer is None:
        if g.bubble is not None:
            g.bubble.sleep(g, delay_ns)
            return
        timer = g.timer = Timer(goroutine_ready, g)
        timer.ident = sched.next_timer_id()
    if timer.pp is not None or timer.when_ns > 0:
        throw("timeSleep: timer is armed")
    when_ns = m.clock + delay_ns
    if when_ns > MAX_WHEN:
        when_ns = MAX_WHEN
    # Unoptimised form: modify(m, timer, when_ns, 0). Below is what is left of it for a timer in no heap.
    timer.when_ns = when_ns
    m.clock += OP_COST
    if m.watch is not None:
        m.emit(TIMER_SET, timer.event_name(), when_ns, 0)
    pp = m.p
    timer.pp = pp
    pp.timer_seq = timer.entry = entry = pp.timer_seq + 1
    heap = pp.timers
    is_earliest = not heap or when_ns < heap[0][0]
    heappush(heap, (when_ns, entry, timer))
    if is_earliest:
        if when_ns < pp.next_check_ns:
            pp.next_check_ns = when_ns
        wake_net_poller(m, when_ns)
    if g.sudog is not None:
        shed_sudog(m, g)
    park(m, g, SLEEP, timer)


def stop(m: M, timer: Timer) -> bool:
    """Disarm; True when a value or call was still to come.

    Go: runtime/time.go stop.
    """
    m.clock += costs.TIMER_OP
    was_pending = timer.when_ns > 0
    _forget(timer)
    timer.when_ns = 0
    if timer.chan is not None:
        timer.seq += 1
        if timer.chan.drain_timer():
            was_pending = True
    if m.watch is not None:
        m.emit(TIMER_STOP, timer.event_name(), was_pending)
    return was_pending


def block_timer_chan(m: M, timer: Timer) -> None:
    """Somebody blocks on the timer's channel: the timer has to be in a heap.

    Go: runtime/time.go blockTimerChan.
    """
    timer.blocked += 1
    if timer.when_ns > 0 and timer.pp is None:
        if timer.bubble is None:
            _push(m, timer, m.p)
        else:
            timer.bubble.arm(m, timer)


def unblock_timer_chan(timer: Timer) -> None:
    """The last one to block on the channel is gone: the timer leaves its heap.

    Go: runtime/time.go unblockTimerChan.
    """
    if timer.blocked == 0:
        throw("unblockTimerChan: nobody blocked")
    timer.blocked -= 1
    if timer.blocked == 0:
        _forget(timer)


def maybe_run_chan(m: M, timer: Timer) -> None:
    """Somebody looks at the channel of a timer that is in no heap: run it if it is due.

    Go: runtime/time.go maybeRunChan.
    """
    if timer.pp is None and 0 < timer.when_ns <= m.clock:
        run_timer(m, timer, m.clock, None)


def run_timer(m: M, timer: Timer, now_ns: int, pp: P | Bubble | None) -> None:
    """Fire: set the next time first, then call the function. A periodic timer stays in the heap of pp it came from.

    Go: runtime/time.go unlockAndRun.
    """
    m.clock += costs.TIMER_FIRE
    if timer.ns > m.clock:
        m.clock = timer.ns
    timer.ns = m.clock
    delay = now_ns - timer.when_ns
    seq = timer.seq
    when_ns = timer.when_ns
    if timer.period_ns > 0:
        timer.when_ns = min(when_ns + timer.period_ns * (1 + delay // timer.period_ns), MAX_WHEN)
        if pp is not None:
            if timer.bubble is None:
                insert(pp, timer)
            else:
                timer.bubble.insert(timer)
    else:
        timer.when_ns = 0
    if m.watch is not None:
        m.emit(TIMER_FIRE, timer.event_name(), when_ns)
    timer.f(m, timer.arg, seq, delay)


def check_timers(m: M, pp: P) -> bool:  # hot: sleep
    """Run what is due on pp (m's own P, or one whose timers m steals); True if anything ran.

    Go: runtime/time.go check.
    """
    heap = pp.timers
    if not heap:
        return False
    now_ns = m.clock
    if heap[0][0] > now_ns and (pp is not m.p or pp.zombies <= len(heap) // 4):
        return False
    if pp.zombies:
        clean(pp)
        heap = pp.timers
    ran = False
    sched, p = m.sched, m.p
    while heap and heap[0][0] <= now_ns:
        _, entry, timer = heappop(heap)
        if timer.entry != entry or timer.pp is not pp:
            pp.zombies -= 1
            continue
        timer.pp = None
        timer.entry = 0
        ran = True
        if timer.f is goroutine_ready:
            # Unoptimised form: the other branch. Nearly every timer is that of a sleeping goroutine.
            clock = m.clock + FIRE_COST
            if timer.ns > clock:
                clock = timer.ns
            m.clock = timer.ns = clock
            if m.watch is not None:
                m.emit(TIMER_FIRE, timer.event_name(), timer.when_ns)
            timer.when_ns = 0
            gp = timer.arg
            if m.watch is not None or DEBUG or gp.status != WAITING:
                ready(m, gp)
                continue
            # Unoptimised form: the branch above.
            gp.status = RUNNABLE
            m.clock = clock = clock + READY_COST
            if gp.ns < clock:
                gp.ns = clock
            kicked = p.runnext
            p.runnext = gp
            if kicked is not None:
                if len(p.runq) < RING:
                    p.runq.append(kicked)
                else:
                    runqputslow(sched, p, kicked)
            if not sched.nmspinning:
                if sched.npidle:
                    wakep(m)
                else:
                    sched.needspinning = 1
        else:
            run_timer(m, timer, now_ns, pp)
            heap = pp.timers
    sched.refresh_check(pp)
    return ran


def fire(m: M, timer: Timer) -> None:
    """Run one timer of m's P now, out of turn: a controller decides which of several that are due comes first."""
    pp = m.p
    take_out(timer, pp)
    m.sched.refresh_check(pp)
    run_timer(m, timer, max(m.clock, timer.when_ns), pp)


def take_out(timer: Timer, pp: P | Bubble) -> None:
    """Take one timer out of a heap; it is to run out of turn.

    Caller: derives the P's compare again.
    """
    if timer.pp is not pp:
        throw("fire: timer is not in this heap")
    _forget(timer)
    clean(pp)


def next_timers(pp: P | Bubble, is_wanted: Callable[[Timer], bool]) -> list[Timer]:
    """Of the timers that are wanted those that are due first, all at one instant, in the order they were armed in."""
    live = [(when, entry, timer) for when, entry, timer in pp.timers if timer.entry == entry and timer.pp is pp]
    live = sorted((item for item in live if is_wanted(item[2])), key=lambda item: item[:2])
    return [timer for when, _, timer in live if when == live[0][0]]


def take_over(m: M, dying: P) -> None:
    """Move the timers of a P that is being destroyed to m's P.

    Go: runtime/time.go take.
    """
    for when_ns, entry, timer in sorted(dying.timers, key=lambda item: item[:2]):
        if timer.entry == entry and timer.pp is dying:
            assert timer.when_ns == when_ns
            insert(m.p, timer)
    dying.timers = []
    dying.zombies = 0
    set_next_check(dying)


def has_timers(pp: P) -> bool:
    """A timer that will fire waits in this heap."""
    return len(pp.timers) > pp.zombies


def check_timer_heap(pp: P) -> None:
    """The heap is one, its live entries belong to this P, and the zombies are counted right."""
    heap = pp.timers
    live = 0
    for index, (when_ns, entry, timer) in enumerate(heap):
        if index and heap[(index - 1) // 2][:2] > (when_ns, entry):
            throw("check_timer_heap: not a heap")
        if timer.entry == entry and timer.pp is pp:
            live += 1
            if timer.when_ns != when_ns:
                throw("check_timer_heap: entry and timer disagree")
    if len(heap) - live != pp.zombies:
        throw("check_timer_heap: zombies miscounted")
