"""The controller: the scheduler of a run in which every choice is somebody's to make.

Problem. A bug that depends on who runs first shows only in the schedules that have it. So a run is put under a
controller, which asks a strategy at every point who goes on; the same program is run again and again with other
answers. What a run may do must be exactly what Go permits: a schedule that cannot happen is a false alarm, one that
can happen and is never offered makes `proved` a lie.

Steps. A goroutine is a sequence of *operations* (of the runtime: send, receive, select, close, sleep, ...) and, between
them, *segments* of plain Python. Each of these is one step: nobody else runs inside it. So a goroutine stops before
each operation (`point`), after it (`after`, `perform`), and where it has started another one. Plain Python objects are
shared, so the order of two segments matters as much as that of two operations; in particular
 1. a goroutine's first segment is a step, and so is the one after a `go` statement (decision 2);
 2. so is the segment after an operation: between a send and what its goroutine does next, the receiver may run;
 3. `gosched` does nothing, so it is one step with the segment that follows it.
`time.now`, `work`, a goroutine's end and `go` itself belong to the segment they stand in. A segment whose bytecode
shows that it touches nothing shared is taken at once and is no choice (quiet.py).

Who can take a step:
 1. a goroutine with a segment to run: new, woken, or done with its operation;
 2. a goroutine before an operation that would complete now (`obj.ready(op, g)`);
 3. the earliest timer, or several that are due at the same instant; firing one moves the clock. The clock stands still
    otherwise, but for `work`, so sleeps of the same length that begin in between tie. A ticker does not fire again
    before its last tick was taken;
 4. a goroutine whose host call is in flight: its step waits for the host.
An operation that would block is not offered: offering it multiplies the schedules and shows nothing new, because
nobody can tell a goroutine that waits in a queue from one that has not come there yet. There is one exception.

Meeting on an unbuffered channel. Neither of two partners is ready before the other waits. So a blocked operation is
offered when a partner has come whom it would complete (`must_park`); its step is to park, and then only partners may
go on, so that the two steps are one rendezvous. Which of the two parks cannot be told afterwards, since what follows
are separate steps; so of two plain operations it is the receiver. A partner that can go on in another way (a select
with a ready case or a default) needs the other one to be parked; two selects may each be it. In the same way every
longer wait in a queue can be delayed until just before it ends, which is why nothing else need ever park.

The same holds for WaitGroup.wait: that it waits already when the last `done` comes can be told from its coming later,
by those who misuse the group. There any number of waits may begin before the `done`. Where Go does in several steps
what is one operation here, the steps that others could come between are inner points (sched/inner.py).

Synctest bubbles. A bubble whose goroutines are all durably blocked can take a step, though others may still run: those
of them that are held park, the last one wakes the bubble's root or who called `wait` (sched/bubble.py), and the root
runs the timers that are due, one a step, in an order that is a choice. The timers of its clock are no actors.

Stuck. When nobody can take a step, every goroutine that is still held before an operation does it after all and parks,
so that the dump shows Go's wait reasons; then it is a deadlock. When main has returned the others run on, under the
same choices, until nobody can: who is blocked then has leaked. What happens to them in other ways after main's return
(a panic, an endless loop) would not have happened in Go, and is ignored.

The mechanism. One M, one P, the horizon always 0. A goroutine at a point is RUNNABLE, in no queue; the next one is
switched to directly. One that parks goes through its g0, where `pick` stands in for find_runnable. `ready` and `go` put
goroutines into the P's queues as always; they are taken out before the next question.

Rejected: one step for an operation and the segment after it, as in most tools. It halves the steps and loses the
orders in which somebody runs between the two, so a buffered send followed by a write to a shared object is never seen
as the race it is. Quiet segments and sleep sets (strategy/dfs.py) get back more than that.
Limits: a segment is atomic, so a race within one needs a `gosched` where the preemption would be. A loop that waits
for `time.now()` to advance waits for ever. What only asks or sets something in `runtime` or `debug` is no point. A
reader that waits for an RWMutex is counted there, so a runlock too many can go unnoticed; it is found where none waits.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NoReturn

from ..base.errors import throw
from ..kernel.threads import FOREVER
from ..lang.chan import chan
from ..lang.select import SEND, CaseList
from ..sched.netpoll import IOWait
from ..sched.ops import (
    OP_BITS,
    OP_BUBBLE,
    OP_GOSCHED,
    OP_RECV,
    OP_SELECT,
    OP_SEND,
    OP_START,
    OP_TIME,
    OP_WAIT,
    OP_WAKE,
    OP_WORK,
    OPERATIONS,
)
from ..sched.park import goroutine_ready, park, ready
from ..sched.sched import Outcome
from ..sched.status import DURABLE, RUNNABLE, RUNNING, WAITING, casgstatus
from ..sched.sudog import shed_sudog
from ..sched.timers import Timer, fire, next_timers
from ..sched.waitreason import IO_WAIT
from .actor import (
    CLOCK_READ,
    CLOCK_WRITE,
    ENDED,
    EVERYTHING,
    IN_HOST_CALL,
    OPERATION,
    PARKED,
    READ,
    SEGMENT,
    STEPPING,
    WRITE,
    Actor,
    bit_of_chan,
    timer_actor,
)
from .failure import Leak, no_io, out_of_steps
from .names import Names
from .quiet import Quiet
from .strategy.protocol import StopRun, Strategy

if TYPE_CHECKING:
    from ..kernel.blocking import HostCall
    from ..sched.bubble import Bubble
    from ..sched.g import G
    from ..sched.m import M
    from ..sched.sched import Sched
    from .record import Recorder

LOCAL = tuple(operation.is_local for operation in OPERATIONS)
DRAIN_STEPS = 1_000  # how long the goroutines that main left behind are watched for leaks
LOOK_EVERY_S = 0.005  # real time between two looks at the host
IO_PATIENCE_S = 0.25  # real time to wait for I/O when nothing else can happen
LATE_S = 0.02  # real time that a host call may take while others could go on


class Pruned(StopRun):
    """The strategy has seen the rest of this run before."""


class Controller:
    """One run's scheduler, and the next run's after `begin`."""

    def __init__(
        self,
        strategy: Strategy,
        names: Names,
        max_steps: int,
        finds_leaks: bool = True,
        quiet: Quiet | None = None,
        recorder: Recorder | None = None,
    ) -> None:
        self.strategy = strategy
        self.names = names
        self.max_steps = max_steps
        self.finds_leaks = finds_leaks
        self.quiet = quiet
        self.recorder = recorder
        self.sees_all = strategy.sees_all
        self.sched: Sched
        self.begin()

    def begin(self) -> None:
        """Forget the last run."""
        self.live: list[Actor] = []
        self.current: Actor | None = None  # who takes the step
        self.now = 0  # ns; moved by timers and work only
        self.steps = 0
        self.choices = 0  # those of them that were chosen among several
        self.log = array("q")  # every step, as a token; which case of a select, as -1 - index
        self.meeting: Actor | None = None  # has parked for a partner, who is next
        self.timers: dict[Timer, Actor] = {}
        self.settling: Bubble | None = None  # whose goroutines are about to park
        self.met: Actor | None = None  # whom the running operation is to meet
        self.has_returned = False
        self.returned = ""  # what main returned
        self.last_step = 0  # the end of the time in which others are watched for leaks
        self.was_cut = False  # and that time was over before they were
        self.open_reason = ""

    # What the runtime calls.

    def attach(self, m: M) -> None:
        """The run is about to begin on m."""
        self.sched = m.sched
        m.sched.nmspinning = 1  # as if somebody were looking for work: nobody is ever woken for it

    def point(self, m: M, g: G, op: int, obj: Any) -> None:
        """g is about to do (op, obj): return when it may."""
        if LOCAL[op]:
            self.local_point(m, g, op)
            return
        m.clock = self.now
        me: Actor = g.pending_obj
        me.was_woken = me.meets = False
        me.op = op
        me.obj = obj
        me.state = SEGMENT if op == OP_GOSCHED else OPERATION
        chosen = self.choose(m, me)
        if chosen is not me:
            self.give_way(m, g, chosen)

    def local_point(self, m: M, g: G, op: int) -> None:
        """An operation that is no choice: it belongs to the segment it stands in."""
        if op == OP_TIME:
            g.pending_obj.touched |= CLOCK_READ
        elif op == OP_WORK:
            g.pending_obj.touched |= CLOCK_WRITE
            if m.clock > self.now:
                self.now = m.clock
        m.clock = self.now

    def perform(self, g: G, operation: Callable[..., Any], *args: Any) -> Any:
        """g may: do the operation, without another safepoint; return its result when g may go on."""
        m = g.m
        m.horizon = FOREVER
        m.clock = self.now
        try:
            result = operation(*args)
        except Exception:
            self.after(g.m, g, is_quiet=False)
            raise
        self.after(g.m, g)
        return result

    def after(self, m: M, g: G, is_quiet: bool = True) -> None:
        """g has done an operation that others can see: return when it may go on."""
        m.horizon = 0
        m.clock = self.now
        me: Actor = g.pending_obj
        me.meets = False
        if me.was_woken:
            me.was_woken = False
            return
        me.op = OP_WAKE
        if is_quiet and self.quiet is not None and self.quiet.is_quiet(g, sys._getframe(1)):
            self.log.append(me.name.id << OP_BITS | OP_WAKE)
            self.steps += 1
            return
        me.state = SEGMENT
        chosen = self.choose(m, me)
        if chosen is not me:
            self.give_way(m, g, chosen)

    def born_parked(self, gp: G) -> None:
        """A coroutine: nobody readies it, its partner switches to it."""
        self.add(gp)
        me: Actor = gp.pending_obj
        me.state = PARKED
        me.is_quiet = False

    def switched(self, g: G, gnext: G, is_exit: bool) -> None:
        """The step goes on in gnext. Where it leads is not known to whoever took it, so it counts as touching all."""
        me: Actor = g.pending_obj
        other: Actor = gnext.pending_obj
        me.touched = EVERYTHING
        other.state = STEPPING
        self.current = other
        if is_exit:
            me.state = ENDED
            g.pending_obj = None
            self.live.remove(me)
        else:
            me.state = PARKED

    def choose_case(self, cases: CaseList, ready_indices: list[int]) -> int:
        """Which of the ready cases of a select is taken: when somebody parked for it, one that meets that one."""
        if self.met is not None:
            wanted = [(ch, not sends) for ch, sends in self.met.ends()]
            meeting = [
                index for index, (kind, ch, _) in cases if (ch, kind == SEND) in wanted and index in ready_indices
            ]
            ready_indices = meeting or ready_indices
        index = ready_indices[0]
        if len(ready_indices) > 1:
            try:
                index = self.strategy.pick_case(ready_indices)
            except StopRun as stop:
                self.stop(stop)
            self.choices += 1
            self.log.append(-1 - index)
        if self.recorder is not None:
            self.recorder.took_case(index)
        return index

    def touches(self, g: G, ch: chan[Any], is_write: bool) -> None:
        """Its order beside what others do to the channel matters too."""
        g.pending_obj.touched |= bit_of_chan(ch, WRITE if is_write else READ)

    def choose_one(self, count: int) -> int:
        """Any of them; noted as the case that the step takes."""
        try:
            index = self.strategy.pick_case(list(range(count)))
        except StopRun as stop:
            self.stop(stop)
        self.choices += 1
        self.log.append(-1 - index)
        if self.recorder is not None:
            self.recorder.took_case(index)
        return index

    def pick(self, m: M) -> tuple[G, bool, str, str]:
        """On g0: the goroutine to run next."""
        me = self.current
        if me is not None and me.state == STEPPING:
            if me.g.status not in (WAITING, DURABLE):
                me.state = ENDED
                me.g.pending_obj = None
                self.live.remove(me)
            elif me.host_call is not None:
                me.state = IN_HOST_CALL
                me.op = OP_WAKE
            else:
                me.state = PARKED
                if me.meets:
                    me.meets = False
                    self.meeting = me
        m.clock = self.now
        return self.choose(m, None).g, False, "direct", "controller"

    def main_returned(self, m: M, result: Any) -> None:
        """Goroutine 1 has returned: the program is over. The others are watched on, for leaks."""
        self.has_returned = True
        self.returned = repr(result)
        self.last_step = self.steps + DRAIN_STEPS
        self.sched.outcome = Outcome(value=result)
        if not self.finds_leaks:
            self.sched.end(self.sched.outcome)

    def host_call(self, m: M, g: G, call: HostCall) -> None:
        """g's blocking call begins; returns when it is done and g may go on."""
        self.sched.kernel.start_call(m, call)
        m.host_call = None
        g.pending_obj.host_call = call
        shed_sudog(m, g)
        park(m, g, IO_WAIT, None)

    def opened(self, what: str) -> None:
        """A descriptor of the host was opened: what comes through it is not the controller's to decide."""
        self.open_reason = f"a real {what} was used: the same schedule need not happen again"

    def wait_io(self, m: M, g: G, wait: IOWait) -> None:
        """g waits for a descriptor; returns when the wait is over and g may go on. It is offered only then."""
        me: Actor = g.pending_obj
        me.host_call = wait
        me.is_late = True
        shed_sudog(m, g)
        park(m, g, IO_WAIT, wait)
        me.host_call = None
        me.is_late = False

    # One step.

    def give_way(self, m: M, g: G, chosen: Actor) -> None:
        """Hold g at its point and run the chosen one; returns when g is chosen."""
        casgstatus(g, RUNNING, RUNNABLE)
        shed_sudog(m, g)
        g.m = None  # type: ignore[assignment]
        gp = chosen.g
        if gp is None:  # a bubble, which settles on g0; then the next question is asked there
            m.curg = None
            m.mcall = self.settle
            m.g0.switch()
            return
        casgstatus(gp, RUNNABLE, RUNNING)
        gp.m = m
        m.curg = gp
        m.clock = self.now
        m.horizon = 0
        gp.switch()

    def choose(self, m: M, me: Actor | None) -> Actor:
        """Who takes the next step. On a goroutine's stack me is at a point; on g0 it is None."""
        while True:
            p = m.p
            if p.runnext is not None or p.runq or self.sched.runq:
                self.take_arrivals(m)
            options = self.enabled(m, me)
            if not options:
                if me is not None:
                    me.state = STEPPING
                    self.current = me
                    return me  # it parks, and the question is asked again on g0
                self.stuck(m)
                continue
            chosen = self.ask(options) if len(options) > 1 or self.sees_all else options[0]
            if chosen.state == IN_HOST_CALL and not self.finish_call(m, chosen, len(options)):
                continue
            self.log.append(chosen.name.id << OP_BITS | chosen.op)
            self.steps += 1
            if self.steps > (self.last_step or self.max_steps):
                self.out_of_steps()
            if self.recorder is not None:
                self.recorder.step(chosen, len(options))
            if chosen.timer is not None:
                self.fire(m, chosen)
                continue
            if chosen.g is None:
                self.settling = chosen.obj
                if me is not None:
                    return chosen
                self.settle(m)
                continue
            self.met = self.meeting
            self.meeting = None
            chosen.state = STEPPING
            chosen.is_quiet = False
            self.current = chosen
            return chosen

    def ask(self, options: list[Actor]) -> Actor:
        """The strategy's answer."""
        try:
            index = self.strategy.pick(options)
        except StopRun as stop:
            self.stop(stop)
        if index < 0:
            self.stop(Pruned())
        if len(options) > 1:
            self.choices += 1
        return options[index]

    def stop(self, why: Exception) -> NoReturn:
        """End the run, whatever it has come to so far."""
        self.sched.outcome = None
        self.sched.end(Outcome(error=why))

    def enabled(self, m: M, me: Actor | None) -> list[Actor]:
        """Everybody who can take a step, oldest first, but for who ran last: first, or last of all if it yields."""
        if self.meeting is not None:
            return self.partners(self.meeting)
        options = []
        pending = []  # before an operation
        blocked = []  # of these: cannot do it now
        for actor in self.live:
            state = actor.state
            if state == SEGMENT:
                if actor.is_quiet:
                    return [actor]
                options.append(actor)
            elif state == OPERATION:
                pending.append(actor)
                actor.meets = False
                obj = actor.obj
                if obj is None or obj.ready(actor.op, actor.g):
                    options.append(actor)
                else:
                    blocked.append(actor)
            elif state == IN_HOST_CALL and (not actor.is_late or actor.host_call.done):
                options.append(actor)
        if blocked and len(pending) > 1:
            for actor in blocked:
                if must_park(actor, pending, blocked):
                    actor.meets = True
                    options.append(actor)
        if m.p.timers:
            options += [self.actor_of(timer) for timer in next_timers(m.p, is_worth_firing)]
        for bubble in self.sched.bubbles:
            if self.can_settle(bubble):
                options.append(self.actor_of_bubble(bubble))
        if me is not None and len(options) > 1 and options[0] is not me and me in options:
            options.remove(me)
            options.insert(0, me)
        if me is not None and me.op == OP_GOSCHED and options and options[0] is me:
            options.append(options.pop(0))
        return options

    # Meeting on an unbuffered channel.

    def partners(self, parked: Actor) -> list[Actor]:
        """Those who have come and whose operation the parked one completes."""
        wanted = [(ch, not sends) for ch, sends in parked.ends()]
        found = []
        for actor in self.live:
            actor.meets = False
            if actor.state != OPERATION:
                continue
            if any(end in wanted for end in actor.ends()):
                found.append(actor)
            elif actor.op == OP_WAIT and actor.obj is parked.obj:  # of several that wait, any number may have begun to
                actor.meets = True
                found.append(actor)
        return found

    # Synctest bubbles.

    def can_settle(self, bubble: Bubble) -> bool:
        """All its goroutines are parked or held where they would be durably blocked, and one at least is held."""
        is_held = False
        for actor in self.live:
            if actor.g.bubble is not bubble:
                continue
            if actor.state == OPERATION:
                if actor.meets or not bubble.would_block(actor.g, actor.op, actor.obj):
                    return False
                is_held = True
            elif actor.state != PARKED or not bubble.is_durably_blocked(actor.g):
                return False
        return is_held

    def actor_of_bubble(self, bubble: Bubble) -> Actor:
        """Who takes the step in which a bubble's goroutines park."""
        name = self.names.timer(f"b{bubble.id}")
        actor = Actor(name, None, 0, OP_BUBBLE)
        actor.state = OPERATION
        actor.obj = bubble
        return actor

    def settle(self, m: M) -> None:
        """On g0: those goroutines of a bubble park that are held; the last one wakes somebody."""
        for actor in [actor for actor in self.live if actor.g.bubble is self.settling and actor.state == OPERATION]:
            self.park_one(m, actor)
        self.settling = None

    # Goroutines that come, and timers.

    def take_arrivals(self, m: M) -> None:
        """Goroutines that are new or were readied leave the queues, oldest first."""
        sched, p = self.sched, m.p
        arrived = [*sched.runq, *p.runq]
        sched.runq.clear()
        p.runq.clear()
        if p.runnext is not None:
            arrived.append(p.runnext)
            p.runnext = None
        for gp in arrived:
            actor = gp.pending_obj
            if actor is None or actor.goid != gp.goid:
                self.add(gp)
            else:
                actor.was_woken = True
                actor.state = SEGMENT
                actor.op = OP_WAKE
                actor.is_quiet = self.quiet is not None and self.quiet.is_quiet(gp, gp.gr_frame)

    def add(self, gp: G) -> None:
        """A new goroutine, started by whoever takes the step: a goroutine, or a timer."""
        parent = self.current
        if parent is None:
            name = self.names.main
        else:
            name = parent.name.child(parent.child_count)
            parent.child_count += 1
        gp.pending_obj = actor = Actor(name, gp, gp.goid, OP_START)
        actor.is_quiet = self.quiet is not None and self.quiet.is_start_quiet(gp)
        self.live.append(actor)
        if self.recorder is not None:
            self.recorder.started(parent, actor)

    def fire(self, m: M, actor: Actor) -> None:
        """Let a timer fire. Its function runs here as it would on g0: without a goroutine."""
        timer = actor.timer
        assert timer is not None
        if timer.when_ns > self.now:
            self.now = timer.when_ns
            if self.now > self.sched.kernel.deadline_ns:
                self.sched.kernel.on_timeout()
        m.clock = self.now
        gp, current = m.curg, self.current
        m.curg = None  # type: ignore[assignment]
        self.current = actor
        fire(m, timer)
        self.take_arrivals(m)
        self.current = current
        m.curg = gp
        m.clock = self.now

    def actor_of(self, timer: Timer) -> Actor:
        """A timer that may fire next. A sleep is called after who sleeps."""
        if timer.f is goroutine_ready:
            return timer_actor(self.names.timer(timer.arg.pending_obj.name.text + "~"), timer)
        actor = self.timers.get(timer)
        if actor is None:
            actor = self.timers[timer] = timer_actor(self.names.timer(f"t{timer.ident}"), timer)
        return actor

    # Host calls.

    def finish_call(self, m: M, actor: Actor, option_count: int) -> bool:
        """Wait for the host; False when it is late and others can go on meanwhile: then the run is not reproducible."""
        kernel = self.sched.kernel
        waited = 0.0
        while not actor.host_call.done:
            kernel.doorbell.clear()
            if waited >= LATE_S and option_count > 1:
                actor.is_late = True
                self.open_reason = f"host call {actor.host_call.name} took longer than {LATE_S} s"
                return False
            kernel.is_waiting = True
            kernel.on_wait()
            if not actor.host_call.done:
                kernel.doorbell.wait(0.005)
            kernel.is_waiting = False
            waited += 0.005
        actor.host_call = None
        actor.is_late = False
        ready(m, actor.g)
        self.take_arrivals(m)
        return True

    # When nothing can happen any more.

    def stuck(self, m: M) -> None:
        """On g0, and nobody can take a step: the end."""
        if self.wait_for_late_call(m) or self.park_held(m):
            return
        sched = self.sched
        if self.recorder is not None:
            self.recorder.left(self.live)
        if self.has_returned:
            if self.live:
                self.stop(Leak([actor.g for actor in self.live]))
            assert sched.outcome is not None
            sched.end(sched.outcome)
        if self.live:
            sched.fatal_on_g0("all goroutines are asleep - deadlock!", is_deadlock=True)
        sched.fatal_on_g0("no goroutines (main called runtime.Goexit) - deadlock!", is_deadlock=True)

    def wait_for_late_call(self, m: M) -> bool:
        """Only host calls that are late, and waits for I/O, are left: wait for one of them. False if there is none.

        I/O may never come; a host call always ends.
        """
        late = [actor for actor in self.live if actor.state == IN_HOST_CALL]
        only_io = all(isinstance(actor.host_call, IOWait) for actor in late)
        waited = 0.0
        while late and not any(actor.host_call.done for actor in late):
            if only_io and waited >= IO_PATIENCE_S:
                if self.has_returned:
                    return False  # they have leaked
                self.stop(no_io(self.sched, IO_PATIENCE_S))
            self.sched.kernel.doorbell.clear()
            self.sched.kernel.on_wait()
            if not any(actor.host_call.done for actor in late):
                self.sched.kernel.doorbell.wait(LOOK_EVERY_S)
                waited += LOOK_EVERY_S
        return bool(late)

    def park_held(self, m: M) -> bool:
        """Every goroutine that is held before a blocking operation does it after all; False if there is none."""
        held = [actor for actor in self.live if actor.state == OPERATION]
        for actor in held:
            if actor.obj is not None and actor.obj.ready(actor.op, actor.g):
                return True  # one that has just parked has made it so
            self.park_one(m, actor)
        return bool(held)

    def park_one(self, m: M, actor: Actor) -> None:
        """On g0: a goroutine that is held before an operation that blocks does it, and parks."""
        gp = actor.g
        casgstatus(gp, RUNNABLE, RUNNING)
        gp.m = m
        m.curg = gp
        m.horizon = 0
        actor.state = STEPPING
        self.current = actor
        gp.switch()
        call = m.mcall
        if call is None or gp.status != RUNNING:
            throw("controller: a blocked operation did not park")
        m.mcall = None
        call(m)
        actor.state = PARKED

    def out_of_steps(self) -> NoReturn:
        """Too many: of the program, or of those whom main left behind."""
        if self.has_returned:
            self.was_cut = True
            assert self.sched.outcome is not None
            self.sched.end(self.sched.outcome)
        self.stop(out_of_steps(self.sched, self.max_steps))


def is_worth_firing(timer: Timer) -> bool:
    """A ticker whose last tick nobody has taken would drop the next: time passes it by, else it could fire for ever."""
    return not (timer.period_ns and timer.chan is not None and timer.chan.buf)


def must_park(actor: Actor, pending: list[Actor], blocked: list[Actor]) -> bool:
    """A partner has come who could complete this blocked operation if it were parked, and who will not park himself.

    Of two blocked plain operations the receiver parks; a select parks for a sender; two selects may each. A partner
    who is not blocked can go on in another way, and never parks.
    """
    obj, op = actor.obj, actor.op
    if op == OP_RECV and not obj.size:
        # Unoptimised form: the loop below, of which this is the most frequent outcome.
        for other in pending:
            if other.obj is obj and other.op == OP_SEND:
                return True
    is_select = op == OP_SELECT
    for ch, sends in actor.ends():
        for other in pending:
            if other is actor or (ch, not sends) not in other.ends():
                continue
            if not sends or other not in blocked or (is_select and other.op == OP_SELECT):
                return True
    return False
