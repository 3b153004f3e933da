"""Bubbles: the goroutines of one `synctest.test`, and their clock.

Problem. A test of code that sleeps, polls or times out should take no time and see every instant exactly; and it must
know when the goroutines that it has started can do no more on their own. Both come from one question: is everybody in
the bubble *durably blocked*, so that nothing but the bubble itself could wake anybody?

Accounting. `total` counts the bubble's goroutines, `running` those that are not durably blocked: running, runnable, in
a system call, or waiting for something that can come from outside. Four places change them, and off they cost nothing:
 1. Starting. While there is a bubble the Ps keep no dead goroutines, so each `go` comes through gfget (proc.py).
 2. Parking. While there is a bubble every park passes g0, as under a locked thread. park_m calls `parked`, which makes
    the state DURABLE if the reason is one.
 3. Waking. `ready` finds a state that is not WAITING, and calls `woken`. This is why DURABLE is a state.
 4. Ending passes g0 as well: goexit0 calls `ended`.
When `running` falls to 0 somebody is woken: the root, if a timer is due; else who called `wait`; else the root.

Time. The root is the goroutine that called `test`. Woken, it moves the clock to the earliest timer of the bubble and
runs what is due; if there is none, or the bubble's first goroutine has ended, then this was the end of the bubble.
Timers of one instant run in random order, by a number that is drawn when a timer enters the heap.

Exactness. All changes happen while one simulated thread runs, so Go's count of other activity (`active`), which guards
the moments between two of its steps, has no counterpart here.

Mutexes. Waiting for one is not durable, in Go and by default: it may be held outside. With `durable_mutexes` it is
while those who hold it are goroutines of the bubble. That can change while somebody waits, so these waiters are counted
apart, by what they wait for, and who holds that is asked when nobody else is left. No event is missed: a mutex comes
into the hands of a goroutine of the bubble only while that one runs, and an RWMutex tells when a reader of the outside
leaves it. Who holds a mutex is not known to the shortest way through its operations, so as long as such a bubble exists
everything has a listener, a deaf one, and nobody takes it.

Time is passed on as everywhere: who is durably blocked, or ends, raises the bubble's `ns`; who goes on because of it
goes on no earlier.

Go: runtime/synctest.go synctestBubble, synctestRun, synctestWait.
"""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop
from types import FrameType
from typing import TYPE_CHECKING, Any

from ..base.choose import BUBBLE_TIMER
from ..base.errors import throw
from ..base.events import BUBBLE_BEGIN, BUBBLE_END, BUBBLE_TIME, GO_CREATE, RUNNEXT, Event
from ..base.names import function_name
from ..kernel import costs
from ..kernel.threads import FOREVER
from . import waitreason
from .ops import OP_BLOCK, OP_BUBBLE, OP_DRAIN, OP_LOCK, OP_ONCE, OP_RLOCK
from .park import goroutine_ready, park, ready
from .preempt import end_again, safepoint
from .proc import newproc1
from .runq import runqput
from .spin import wakep
from .status import DURABLE, WAITING, casgstatus
from .sudog import shed_sudog
from .timers import MAX_WHEN, Timer, clean, insert, modify, next_timers, run_timer, take_out

if TYPE_CHECKING:
    from .g import G, Origin
    from .m import M
    from .sched import Sched

START_NS = 946_684_800_000_000_000  # midnight UTC, 2000-01-01
ORDERS = 1 << 20  # of timers of one instant; two with the same number keep the order in which they were armed
MUTEX_WAITS = {  # the operation that waits for this reason
    waitreason.SYNC_MUTEX_LOCK: OP_LOCK,
    waitreason.SYNC_RWMUTEX_RLOCK: OP_RLOCK,
    waitreason.SYNC_RWMUTEX_LOCK: OP_DRAIN,
}
MUTEX_OPS = frozenset((OP_LOCK, OP_RLOCK, OP_DRAIN, OP_ONCE))


class BubbleDeadlock(Exception):
    """What `synctest.test` panics with when its goroutines can do no more. `bubble` is theirs.

    Go: runtime/synctest.go synctestDeadlockError.
    """

    def __init__(self, reason: str, bubble: Bubble) -> None:
        super().__init__(reason)
        self.bubble = bubble


class Bubble:
    """The goroutines of one `synctest.test`. Where timers ask for a heap it stands for a P."""

    __slots__ = (
        "first", "has_durable_mutexes", "id", "is_done", "is_waiting", "mutex_waits", "next_check_ns", "now_ns", "ns",
        "root", "running", "sched", "serial", "sleepers", "timer_seq", "timers", "total", "waiter", "zombies",
    )  # fmt: skip

    def __init__(self, sched: Sched, root: G, has_durable_mutexes: bool = False) -> None:
        self.sched = sched
        self.id = sched.next_object_id("synctest bubble")
        self.root = root  # who called `test`
        self.first: G | None = None  # whom it started
        self.is_done = False  # and that one has ended
        self.total = 1
        self.running = 1
        self.is_waiting = False  # somebody called `wait`
        self.waiter: G | None = None  # and has parked
        self.has_durable_mutexes = has_durable_mutexes
        self.mutex_waits: dict[tuple[Any, int], int] = {}  # how many wait for a mutex in an operation
        self.now_ns = START_NS  # since 1970
        self.ns = 0  # its Lamport clock
        # A heap of timers, as a P's.
        self.timers: list[tuple[int, int, Timer]] = []
        self.timer_seq = 0
        self.zombies = 0
        self.next_check_ns = FOREVER
        self.serial = 0
        self.sleepers: dict[G, Timer] = {}  # the timer of each goroutine that has slept

    # Accounting.

    def reason_of(self, reason: int, obj: Any) -> int:
        """The reason for which one of the goroutines waits: its durable form, when obj is the bubble's own.

        Go: runtime/select.go selectgo and runtime/chan.go chansend, where they choose the reason.
        """
        durable = waitreason.DURABLE_FORM.get(reason)
        if durable is None:
            return reason
        is_own = getattr(obj, "bubble", None) is self or obj is None  # a select on nil channels alone waits for nothing
        return durable if is_own else reason

    def is_durably_blocked(self, gp: G) -> bool:
        """Can only the bubble wake this goroutine of it?"""
        if gp.status != DURABLE:
            return False
        op = MUTEX_WAITS.get(gp.waitreason)
        return op is None or bool(gp.wait_object.is_held_in(self, op))

    def would_block(self, gp: G, op: int, obj: Any) -> bool:
        """Would gp be durably blocked if it did the operation now? For a controller, which holds it before that."""
        if op == OP_BLOCK:
            return True
        if obj is None or obj.ready(op, gp):
            return False
        if op in MUTEX_OPS:
            return self.has_durable_mutexes and bool(obj.is_held_in(self, op))
        return getattr(obj, "bubble", None) is self

    def started(self, gp: G) -> None:
        """gp is about to be one of the goroutines."""
        gp.bubble = self
        gp.timer = None  # of P's, from an earlier life
        self.total += 1
        self.running += 1

    def parked(self, m: M, gp: G) -> None:
        """gp has parked, or is blocked in a coroutine.

        Go: runtime/synctest.go changegstatus.
        """
        gp.waitreason = reason = self.reason_of(gp.waitreason, gp.wait_object)
        if reason == waitreason.SYNCTEST_WAIT:
            self.waiter = gp
        elif self.has_durable_mutexes and reason in MUTEX_WAITS:
            wanted = gp.wait_object, MUTEX_WAITS[reason]
            self.mutex_waits[wanted] = self.mutex_waits.get(wanted, 0) + 1
        elif not waitreason.IS_IDLE_IN_SYNCTEST[reason]:
            return
        casgstatus(gp, WAITING, DURABLE)
        self._one_less(m, gp.ns)

    def woken(self, m: M, gp: G) -> None:
        """Somebody is about to ready gp, which is durably blocked, or waits for a mutex."""
        if m.curg is not None and m.curg.bubble is not self and gp.waitreason not in MUTEX_WAITS:
            text = f"semaphore wake of synctest goroutine {gp.goid} from outside bubble\n"
            self.sched.fatal(m, m.curg, "semaphore wake of synctest goroutine from outside bubble", before=text)
        self.rouse(gp)

    def rouse(self, gp: G) -> None:
        """gp is about to go on."""
        casgstatus(gp, DURABLE, WAITING)
        self.running += 1
        if gp.waitreason in MUTEX_WAITS:
            wanted = gp.wait_object, MUTEX_WAITS[gp.waitreason]
            self.mutex_waits[wanted] -= 1
            if not self.mutex_waits[wanted]:
                del self.mutex_waits[wanted]

    def ended(self, m: M, gp: G) -> None:
        """On g0: gp has ended."""
        gp.bubble = None
        self.sleepers.pop(gp, None)
        self.total -= 1
        if gp is self.first:
            self.is_done = True
        self._one_less(m, gp.ns)

    def _one_less(self, m: M, now_ns: int) -> None:
        """One goroutine less that goes on by itself."""
        self.running -= 1
        if self.running < 0:
            throw("synctest: running < 0")
        if self.ns < now_ns:
            self.ns = now_ns
        self.look_again(m)

    def look_again(self, m: M) -> None:
        """If nobody in it can go on by itself, somebody does now."""
        if self.running == 0 and all(obj.is_held_in(self, op) for obj, op in self.mutex_waits):
            self._wake(m)

    def _wake(self, m: M) -> None:
        """Everybody is durably blocked: let the root run a timer that is due, or `wait` return, or the root look.

        Go: runtime/synctest.go maybeWakeLocked.
        """
        gp = self.root
        if self.waiter is not None and not 0 < self.wake_ns() <= self.now_ns:
            gp = self.waiter
        if gp.ns < self.ns:
            gp.ns = self.ns
        self.rouse(gp)
        ready(m, gp, self)

    # Timers.

    def sleep(self, g: G, delay_ns: int) -> None:
        """Arm the timer of the running goroutine, and park it.

        Go: runtime/time.go timeSleep.
        """
        timer = self.sleepers.get(g)
        if timer is None:
            timer = self.sleepers[g] = Timer(goroutine_ready, g)
            timer.bubble = self
        modify(g.m, timer, min(self.now_ns + delay_ns, MAX_WHEN), 0)
        shed_sudog(g.m, g)
        park(g.m, g, waitreason.SLEEP, timer)

    def arm(self, m: M, timer: Timer, was_heaped: bool = False) -> None:
        """Put a pending timer into the heap. One that is due, and was in no heap, runs at once, as in Go.

        Go: runtime/time.go modify, maybeAdd.
        """
        if timer.when_ns <= self.now_ns and not was_heaped:
            self.run(m, timer)
        else:
            self.insert(timer)

    def insert(self, timer: Timer) -> None:
        """Put a pending timer into the heap, at a random place among those of its instant."""
        self.serial += 1
        drawn = self.sched.choose(BUBBLE_TIMER, ORDERS) if self.sched.controller is None else 0
        self.timer_seq = (drawn << 40) + self.serial
        insert(self, timer)

    def wake_ns(self) -> int:
        """When the next timer is due; 0 for never."""
        clean(self)
        return self.timers[0][0] if self.timers else 0

    def run(self, m: M, timer: Timer, is_heaped: bool = False) -> None:
        """Run a timer that is due, as if on g0: without a goroutine.

        Go: runtime/time.go unlockAndRun.
        """
        gp, m.curg = m.curg, None  # type: ignore[assignment]
        before, self.sched.timer_bubble = self.sched.timer_bubble, self
        run_timer(m, timer, self.now_ns, self if is_heaped else None)
        self.sched.timer_bubble = before
        m.curg = gp

    def look(self, m: M, timer: Timer) -> None:
        """Somebody looks at the channel of a timer that is in no heap: run it if it is due.

        Go: runtime/time.go maybeRunChan.
        """
        if timer.pp is None and 0 < timer.when_ns <= self.now_ns:
            self.run(m, timer)

    # The root.

    def begin(self, m: M, fn: Callable[[], None], origin: Origin, frame: FrameType) -> None:
        """Start the first goroutine. frame: whose stack it comes from.

        Go: runtime/synctest.go synctestRun.
        Caller: is the root.
        """
        sched, g = self.sched, self.root
        if not sched.bubbles:
            for pp in sched.allp:
                sched.gfree.extend(pp.gfree)
                pp.gfree.clear()
        sched.bubbles.append(self)
        if self.has_durable_mutexes:
            sched.listen(_deaf)
        sched.refresh_all_checks()
        g.bubble = self
        m.clock += costs.SYNCTEST_RUN + costs.NEWPROC
        gp = newproc1(m, fn, (), {})
        m = g.m  # see `go`
        gp.origin = origin
        gp.labels = g.labels
        if sched.tracks_ancestors:
            sched.save_ancestors(g, gp, frame)
        self.first = gp
        if m.watch is not None:
            m.emit(BUBBLE_BEGIN, self.event_name(), gp.goid)
            m.emit(GO_CREATE, gp.goid, function_name(fn), RUNNEXT)
        runqput(sched, m.p, gp, True)
        wakep(m)

    def run_to_its_end(self) -> None:
        """Be the root: wait until everybody is durably blocked, move the clock, run what is due, again and again.

        Go: runtime/synctest.go synctestRun.
        """
        g = self.root
        while True:
            self._run_due(g)
            shed_sudog(g.m, g)
            park(g.m, g, waitreason.SYNCTEST_RUN, self)  # if it is the last, it or who called `wait` goes on at once
            next_ns = self.wake_ns()
            if next_ns == 0 or self.is_done:
                return
            if next_ns < self.now_ns:
                throw("synctest: time went backwards")
            self.now_ns = next_ns
            m = g.m
            if m.watch is not None:
                m.emit(BUBBLE_TIME, self.event_name(), next_ns)

    def end(self) -> str:
        """The root belongs to it no longer. Returns why the bubble is deadlocked, or nothing.

        Go: runtime/synctest.go synctestRun.
        """
        g = self.root
        g.bubble = None
        self.sched.bubbles.remove(self)
        if self.has_durable_mutexes:
            self.sched.unlisten(_deaf)
        self.sched.refresh_all_checks()
        why = ""
        if self.total > 1 and self.is_done:
            why = "deadlock: main bubble goroutine has exited but blocked goroutines remain"
        elif self.total > 1:
            why = "deadlock: all goroutines in bubble are blocked"
        m = g.m
        if m.watch is not None:
            m.emit(BUBBLE_END, self.event_name(), why)
        return why

    def _run_due(self, g: G) -> None:
        """Run every timer that is due."""
        sched = self.sched
        m = g.m
        while 0 < self.wake_ns() <= self.now_ns:
            if m.clock >= m.horizon:
                following = safepoint(m, g, OP_BUBBLE, self)
                if following is None:
                    end_again(sched)
                m = following
                if sched.controller is not None:
                    sched.controller.perform(g, self._run_chosen, g)
                    m = g.m
                    continue
            if 0 < self.wake_ns() <= self.now_ns:  # still: others may have had the CPU
                timer = heappop(self.timers)[2]
                timer.pp = None
                timer.entry = 0
                self.run(m, timer, is_heaped=True)

    def _run_chosen(self, g: G) -> None:
        """Under a controller: run one of those that are due; which is its to say."""
        m, controller = g.m, self.sched.controller
        assert controller is not None
        due = next_timers(self, lambda timer: timer.when_ns <= self.now_ns)
        if due:
            index = controller.choose_case((), list(range(len(due)))) if len(due) > 1 else 0
            take_out(due[index], self)
            self.run(m, due[index], is_heaped=True)

    # wait.

    def wait(self, g: G) -> None:
        """Park until everybody else is durably blocked.

        Go: runtime/synctest.go synctestWait.
        """
        self.is_waiting = True
        shed_sudog(g.m, g)
        park(g.m, g, waitreason.SYNCTEST_WAIT, self)
        self.waiter = None
        self.is_waiting = False

    # For safepoints and displays.

    def ready(self, _op: int, _g: G) -> bool:
        """Would the operation complete now? Waiting begins at once, and is no operation of its own when it ends."""
        return True

    def event_name(self) -> str:
        """For display in events and dumps."""
        return f"synctest bubble {self.id}"

    def check(self) -> None:
        """The counts agree with the goroutines."""
        members = [gp for gp in self.sched.allgs if gp.bubble is self]
        if self.total != len(members):
            throw("check: bubble's goroutines miscounted")
        if self.running != sum(gp.status != DURABLE for gp in members):
            throw("check: bubble's running goroutines miscounted")


def _deaf(event: Event) -> None:
    return
