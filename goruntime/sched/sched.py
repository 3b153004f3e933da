"""Sched: what all Ms of one run share, and the slots through which the scheduler calls upward.

Go: runtime/runtime2.go schedt.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from contextvars import Context
from typing import TYPE_CHECKING, Any, NoReturn, Protocol

from greenlet import greenlet

from ..base.errors import AbandonUnwind, RuntimeFailure, Throw
from ..base.events import DIRECT, GLOBAL, RING, THREAD_WAKE, Watch, fan_out
from ..kernel import costs
from ..kernel.threads import Kernel, Thread
from .g import NO_KWARGS
from .m import M, StoreWatch
from .netpoll import PollDesc, emit_ready, netpoll_break, netpoll_check
from .p import P
from .park import COLLECT_EVERY
from .preempt import gosched_m
from .proc import checkdead, goexit0, newproc1
from .runq import runqput, runqputbatch
from .schedule import mstart
from .sema import Sema
from .spin import pidleget_spinning, startm, wakep
from .status import DEAD, DEBUG, RUNNABLE, WAITING, casgstatus
from .stw import one_stopped
from .timers import check_timers, has_timers, set_next_check

if TYPE_CHECKING:
    from ..kernel.blocking import HostCall
    from .bubble import Bubble
    from .g import G
    from .histogram import TimeHistogram
    from .netpoll import IOWait
    from .pool import Pool
    from .sigqueue import SigQueue
    from .sudog import Sudog

MAX_THREADS = 10_000
PANIC_PATIENCE = 1_000  # yields of a main that returned, for panics that still run deferred calls


def no_heap(*_: Any) -> None:
    """What the slots of the heap hold before there is one."""


class Controller(Protocol):
    """Who decides every step in exploration: one thread runs, and the controller is its scheduler."""

    def attach(self, m: M) -> None:
        """The run is about to begin on m."""
        ...

    def point(self, m: M, g: G, op: int, obj: Any) -> None:
        """g is about to do (op, obj): return when it may."""
        ...

    def perform(self, g: G, operation: Callable[..., Any], *args: Any) -> Any:
        """g may: do the operation, without another safepoint; return its result when g may go on."""
        ...

    def born_parked(self, gp: G) -> None:
        """A coroutine was made: a goroutine in no queue."""
        ...

    def switched(self, g: G, gnext: G, is_exit: bool) -> None:
        """g gives its place to gnext, a coroutine, in the middle of a step; is_exit: and ends."""
        ...

    def after(self, m: M, g: G, is_quiet: bool = True) -> None:
        """g has done an operation that others can see: return when it may go on."""
        ...

    def choose_case(self, cases: Any, ready_indices: list[int]) -> int:
        """Which of the ready cases of a select is taken."""
        ...

    def touches(self, g: G, ch: Any, is_write: bool) -> None:
        """g's operation is on something else, and reads or closes this channel as well."""
        ...

    def choose_one(self, count: int) -> int:
        """Which of several things, of equal right, the running operation begins with: an index."""
        ...

    def pick(self, m: M) -> tuple[G, bool, str, str]:
        """On g0: the goroutine to run next."""
        ...

    def main_returned(self, m: M, result: Any) -> None:
        """Goroutine 1 has returned: the run ends when the controller says so."""
        ...

    def host_call(self, m: M, g: G, call: HostCall) -> None:
        """g may begin its blocking call: return when it is done and g may go on."""
        ...

    def opened(self, what: str) -> None:
        """The program has opened a descriptor of the host."""
        ...

    def wait_io(self, m: M, g: G, wait: IOWait) -> None:
        """g waits for a descriptor: return when the wait is over and g may go on."""
        ...


class Outcome:
    """How a run ended: a value, or an exception to raise from `run`."""

    __slots__ = ("error", "value")

    def __init__(self, value: Any = None, error: BaseException | None = None) -> None:
        self.value = value
        self.error = error


class Sched:
    """The scheduler of one run. World-wide state; owned by whoever runs, since all Ms share a host thread."""

    __slots__ = (
        "all_p_ever", "allgs", "allm", "allp", "boot", "bubbles", "check_timers", "choose", "collect", "context",
        "controller", "dead_ms", "die_of_panic", "die_of_stack_overflow", "entry_raised", "entry_returned", "fatal",
        "fatal_on_g0", "gcwaiting", "gfree", "goexit0", "goid_last", "gomaxprocs", "has_template_thread", "heap",
        "interrupt_error", "io_ns", "is_async_preempt_off", "is_ending", "kernel", "lastpoll_ns", "listeners",
        "locked_count", "lost", "m_count", "main_goroutine", "max_schedules", "max_threads", "midle", "mutex_wait_ns",
        "needspinning", "netpoll_waiters", "new_sudog", "newprocs", "nmfreed", "nmidlelocked", "nmspinning", "nmsys",
        "npidle", "object_count", "old_m", "outcome", "p_ends", "p_starts", "pacer", "pauses", "pidle", "poll_descs",
        "poll_until_ns", "poller", "pool", "pool_cleanup", "print_schedtrace", "quit_failure", "reaper", "run_config",
        "running_panic_defers", "runq", "safe_point_fn", "safe_point_wait", "save_ancestors", "schedtrace_ms",
        "schedules", "sigqueue", "stack_text", "start_ns", "steal_steps", "stopper", "stopwait", "store_watch",
        "stw_reason", "stw_started_ns", "sudogcache", "sysmon_m", "sysmonwait", "system_gs", "ticks", "timer_bubble",
        "timer_count", "tracks_ancestors", "unwind_attempts", "unwind_calls", "unwind_seen", "user", "watch",
        "work_sources", "worldsema",
    )  # fmt: skip

    def __init__(self, kernel: Kernel, pool: Pool, choose: Callable[[int, int], int], watch: Watch | None) -> None:
        self.kernel = kernel
        self.pool = pool
        self.choose = choose
        self.watch = watch  # what the Ms emit to; None when nobody listens
        self.listeners: list[Watch] = [] if watch is None else [watch]
        # Goroutines.
        self.allgs: list[G] = []
        self.system_gs: list[Any] = []
        self.bubbles: list[Bubble] = []  # of testing.synctest, oldest first; while there is one, parks and ends pass g0
        self.timer_bubble: Bubble | None = None  # whose timer runs right now
        self.gfree: list[G] = []
        self.sudogcache: list[Sudog] = []  # free ones that no P keeps; see sudog.py
        self.goid_last = 0
        self.runq: deque[G] = deque()  # the global queue
        self.context: Context  # what every goroutine's context starts as
        # Processors.
        self.gomaxprocs = 0
        self.allp: list[P] = []
        self.all_p_ever: list[P] = []
        self.pidle: list[P] = []  # a stack
        self.npidle = 0
        self.steal_steps: tuple[int, ...] = ()
        # Threads.
        self.allm: list[M] = []
        self.m_count = 0  # ids are never reused
        self.midle: list[M] = []  # a stack
        self.nmspinning = 0
        self.needspinning = 0
        self.nmidlelocked = 0
        self.nmsys = 0
        self.nmfreed = 0
        self.max_threads = MAX_THREADS
        self.locked_count = 0
        self.sysmon_m: M | None = None
        self.sysmonwait = False
        self.has_template_thread = False
        self.dead_ms: list[M] = []  # threads that ended with their locked goroutine
        self._init_world()
        self._declare_slots()

    def _init_world(self) -> None:
        """The poller, stop-the-world, counters, and the end."""
        # The poller.
        self.lastpoll_ns = 1  # 0 while a thread sleeps in it
        self.poll_until_ns = 0
        self.poller: M | None = None
        self.netpoll_waiters = 0
        self.poll_descs: dict[int, PollDesc] = {}  # by the host's number
        self.io_ns = 0  # the Lamport clock of everything that goes through the host
        # Stop-the-world.
        self.worldsema = Sema(1)
        self.gcwaiting = False
        self.stopwait = 0
        self.stopper: M | None = None
        self.stw_started_ns = 0
        self.stw_reason = ""
        self.pauses: dict[str, TimeHistogram] = {}  # how long stops took, by "stopping/gc", "total/other"...
        self.newprocs = 0
        self.old_m: dict[int, M] = {}
        self.safe_point_fn: Callable[[P], None] | None = None
        self.safe_point_wait = 0
        # Counting and display.
        self.schedules = 0
        self.max_schedules = 0
        self.object_count: dict[str, int] = {}
        self.timer_count = 0
        self.mutex_wait_ns = 0  # what goroutines have waited for mutexes, those of package sync
        self.schedtrace_ms = 0
        self.check_timers: Callable[[M, P], bool] = check_timers  # for sched.park, which is imported by sched.timers
        self.goexit0: Callable[[M], None] = goexit0  # for sched.g, which is imported by sched.proc
        # The end.
        self.boot: greenlet  # the greenlet that called run
        self.reaper: greenlet
        self.outcome: Outcome | None = None
        self.is_ending = False
        self.interrupt_error: BaseException | None = None  # what a signal handler of the user's raised
        self.unwind_attempts = 0  # how often the goroutine that is taken down was told to end
        self.unwind_seen: BaseException | None = None  # the end that was on its way when it called the last one
        self.unwind_calls = 0  # the primitives it called since
        self.running_panic_defers = 0  # panics that have started and were not recovered
        self.lost: list[G] = []
        self.main_goroutine: G | None = None

    def _declare_slots(self) -> None:
        """What the composition root fills: the calls upward."""
        self.work_sources: list[Callable[[M, P], G | None]] = []
        self.ticks: list[Callable[[M], None]] = []
        self.new_sudog: Callable[[M, Sudog], None] = no_heap  # one was made: the heap's part of it
        self.heap: Any = None  # opaque here
        self.store_watch: StoreWatch | None = None  # of every M: `watch_stores`
        self.p_starts: Callable[[P], None] | None = None  # a P is there, or there again
        self.p_ends: Callable[[P], None] | None = None  # a P is no more; the world is stopped
        self.pool_cleanup: Callable[[], None] | None = None  # when a collection begins, with the world stopped
        self.controller: Controller | None = None
        self.entry_returned: Callable[[G, Any], Any]
        self.entry_raised: Callable[[G, BaseException], None]
        self.fatal: Callable[..., NoReturn]
        self.fatal_on_g0: Callable[..., NoReturn]
        self.quit_failure: Callable[[], RuntimeFailure]
        self.save_ancestors: Callable[..., None]
        self.tracks_ancestors = 0
        self.is_async_preempt_off = False  # GODEBUG=asyncpreemptoff=1
        self.die_of_panic: Callable[[G, Any], NoReturn]
        self.die_of_stack_overflow: Callable[[G, BaseException], NoReturn]
        self.print_schedtrace: Callable[[M], None]
        self.collect: Callable[[], Any]
        self.stack_text: Callable[[Sched, G, bool], str]
        self.run_config: Any = None
        self.pacer: Any = None  # opaque here: what GOGC and GOMEMLIMIT say
        self.sigqueue: SigQueue | None = None  # made by the first use of os/signal
        self.start_ns = 0  # what the clock on the wall showed at virtual 0: ns since 1970
        self.user: dict[str, Any] = {}  # state of packages above, by name

    # Threads.

    def new_m(self, asker: M) -> M:
        """A new thread that will run mstart; the caller sets nextp and makes it due.

        Go: runtime/proc.go newm.
        """
        mp = self.add_m(mstart)
        if self.m_count - self.nmfreed > self.max_threads:
            self.fatal_on_g0("thread exhaustion", before=f"runtime: program exceeds {self.max_threads}-thread limit\n")
        mp.clock = asker.clock
        return mp

    def add_m(self, main: Callable[[M], None]) -> M:
        """Register a thread."""
        mp = M(self.m_count, self, main)
        self.m_count += 1
        self.allm.append(mp)
        return mp

    def start_template_thread(self, m: M) -> None:
        """The thread from which new ones are cloned once a goroutine is locked to a thread: here only a record.

        Go: runtime/proc.go startTemplateThread.
        """
        if self.has_template_thread:
            return
        self.has_template_thread = True
        template = self.add_m(mstart)
        template.is_daemon = True
        template.blocked = True
        self.nmsys += 1
        m.clock += costs.THREAD_CREATE

    def take_idle_m(self, wanted: M | None) -> M | None:
        """Take an idle thread: the wanted one if it is idle, else the last that went to sleep."""
        if wanted is not None and wanted.parked:
            self.midle.remove(wanted)
            wanted.parked = False
            return wanted
        if not self.midle:
            return None
        mp = self.midle.pop()
        mp.parked = False
        return mp

    def wake_sysmon(self, m: M) -> None:
        """End sysmon's deep sleep."""
        self.sysmonwait = False
        if self.sysmon_m is not None:
            if m.watch is not None:
                m.emit(THREAD_WAKE, self.sysmon_m.id, "sysmon")
            self.kernel.futex_wake(m, self.sysmon_m)

    # Queues.

    def runqput(self, pp: P, gp: G, to_next: bool = True) -> None:
        """Queue a runnable goroutine on pp."""
        runqput(self, pp, gp, to_next)

    def runqput_new(self, m: M, gp: G) -> None:
        """Queue a new goroutine in runnext of m's P."""
        runqput(self, m.p, gp, True)

    def newproc1(self, m: M, fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> G:
        """See proc.newproc1; a method for layers that must not know it."""
        return newproc1(m, fn, args, kwargs)

    def injectglist(self, m: M, ready_list: list[G]) -> None:
        """Make a list of waiting goroutines runnable: spread over idle Ps, the rest on m's ring.

        Go: runtime/proc.go injectglist.
        """
        if not ready_list:
            return
        shared = len(ready_list) if m.p is None else min(self.npidle, len(ready_list))
        for index, gp in enumerate(ready_list):
            casgstatus(gp, WAITING, RUNNABLE)
            if m.watch is not None:
                emit_ready(m, gp, GLOBAL if index < shared else RING)
        self.runq.extend(ready_list[:shared])
        for _ in range(shared):
            pp = pidleget_spinning(self)
            if pp is None:
                break
            startm(m, pp)
        if m.p is not None:
            runqputbatch(self, m.p, ready_list[shared:])
            wakep(m)

    def has_work_for(self, pp: P) -> bool:
        """A GC worker or the trace reader would run on pp. (Their slot: nothing yet.)"""
        return False

    def netpoll_now(self, m: M) -> G | None:
        """Poll, unless a thread is in the poller; the first goroutine that is ready, runnable, the others injected.

        Go: runtime/proc.go findRunnable, "Poll network".
        """
        if not self.netpoll_waiters or not self.lastpoll_ns:
            return None
        ready_list = netpoll_check(m)
        if not ready_list:
            return None
        gp = ready_list[0]
        self.injectglist(m, ready_list[1:])
        casgstatus(gp, WAITING, RUNNABLE)
        if m.watch is not None:
            emit_ready(m, gp, DIRECT)
        return gp

    def poll_for_all(self, m: M) -> None:
        """Poll without blocking and inject what is ready, on a thread that will not run it itself."""
        if self.netpoll_waiters:
            self.injectglist(m, netpoll_check(m))

    def close_polled(self) -> None:
        """The run is over: give the host its descriptors back."""
        while self.poll_descs:
            _, pd = self.poll_descs.popitem()
            pd.shut()

    def netpoll_break(self, m: M) -> None:
        """Wake the thread that sleeps in the poller."""
        netpoll_break(m)

    def could_run(self, waiting: Thread) -> bool:
        """Is there anything to do while one thread's host call is late? A goroutine, a timer, another call's end."""
        kernel = self.kernel
        if self.gcwaiting or self.runq or (kernel.has_arrived and kernel.outside is not None):
            return True
        for pp in self.allp:
            if has_timers(pp) or not pp.is_runq_empty():
                return True
        for mp in self.allm:
            if mp.host_call is not None:
                if mp is not waiting and mp.host_call.done:
                    return True
            elif (mp.curg is not None and mp is not kernel.outside) or (
                mp.lockedg is not None and mp.nextp is not None
            ):
                return True
        return False

    # Checks and counters.

    def refresh_check(self, pp: P) -> None:
        """Derive pp's park compare again."""
        is_forced = self.locked_count > 0 or self.max_schedules > 0 or self.controller is not None or DEBUG
        set_next_check(pp, is_forced or bool(self.bubbles))

    def refresh_all_checks(self) -> None:
        """Derive every P's park compare again."""
        for pp in self.allp:
            self.refresh_check(pp)

    def schedule_counted(self) -> None:
        """One more round, which may matter: CPython's collector looks at a fixed pace, `max_steps` ends the run."""
        if self.schedules % COLLECT_EVERY == 0:
            self.collect()
        if self.max_schedules and self.schedules > self.max_schedules:
            self.kernel.on_timeout()

    def listen(self, listener: Watch) -> None:
        """From here on listener gets every event as well."""
        self.listeners.append(listener)
        self._tell_threads()

    def unlisten(self, listener: Watch) -> None:
        """It gets no more."""
        self.listeners.remove(listener)
        self._tell_threads()

    def disturb(self) -> None:
        """Somebody waits for the next safepoint of a goroutine: stores of pointers look around again.

        Without this they are safepoints that nobody has asked for, and do not even look at the clock.
        """
        if self.heap is not None:
            self.heap.mem.is_calm = False

    def is_calm(self) -> bool:
        """Nobody waits for a safepoint, nobody watches stores."""
        return not (
            self.gcwaiting
            or self.is_ending
            or self.controller is not None
            or self.store_watch is not None
            or self.kernel.interrupted
            or any(pp.run_safe_point_fn for pp in self.allp)
            or any(mp.curg is not None and mp.curg.preempt for mp in self.allm)
        )

    def watch_stores(self, watch: StoreWatch | None) -> None:
        """Call watch(m, g, holder, old, new), words all, before each store of a pointer; None: no more.

        Caller: has stopped the world, or nothing else runs.
        """
        self.store_watch = watch
        for mp in self.allm:
            mp.store_watch = watch

    def _tell_threads(self) -> None:
        self.watch = fan_out(tuple(self.listeners))
        if self.heap is not None:
            self.heap.watch(self.watch is not None)
        for mp in self.allm:
            mp.watch = self.watch

    def next_object_id(self, kind: str) -> int:
        """The number of the next object of a kind, counted per run."""
        number = self.object_count.get(kind, 0) + 1
        self.object_count[kind] = number
        return number

    def next_timer_id(self) -> int:
        """The number of the next timer."""
        self.timer_count += 1
        return self.timer_count

    def checkdead(self) -> None:
        """End the run if nothing can ever happen again."""
        checkdead(self)

    def one_stopped(self, m: M) -> None:
        """One more P has stopped for a stop of the world."""
        one_stopped(m)

    def run_safe_point_for(self, m: M, pp: P) -> None:
        """Run the safe-point function for pp once, if it has not been.

        Go: runtime/proc.go runSafePointFn.
        """
        if not pp.run_safe_point_fn:
            return
        pp.run_safe_point_fn = False
        assert self.safe_point_fn is not None
        self.safe_point_fn(pp)
        self.safe_point_wait -= 1
        if self.safe_point_wait == 0 and self.stopper is not None:
            self.kernel.hasten(self.stopper, m.clock)

    # The end of a run.

    def end(self, outcome: Outcome) -> NoReturn:
        """Record how the run ended and go back to the greenlet that called `run`; from any greenlet of the run."""
        if self.outcome is None:
            self.outcome = outcome
        if not self.is_ending:
            self.boot.switch()
        raise AbandonUnwind(self)

    def main_returned(self, result: Any) -> None:
        """Goroutine 1 has returned: the program is over, unless a panic that still runs deferred calls ends it first.

        Go: runtime/proc.go main.
        """
        gp = self.main_goroutine
        assert gp is not None
        if self.controller is not None:
            self.controller.main_returned(gp.m, result)
            return
        for _ in range(PANIC_PATIENCE):
            if not self.running_panic_defers:
                break
            gp.m.mcall = gosched_m
            gp.m.g0.switch()
        self.end(Outcome(value=result))

    def fail(self, failure: RuntimeFailure) -> NoReturn:
        """The program died."""
        self.end(Outcome(error=failure))

    def end_with(self, error: BaseException) -> NoReturn:
        """An exception that is no panic left a goroutine: `run` raises it as it is."""
        self.end(Outcome(error=error))

    def crashed(self, error: BaseException) -> None:
        """An exception left the runtime's own code."""
        if self.is_ending:
            return
        if self.outcome is None:
            self.outcome = Outcome(error=error)
        self.boot.switch()

    def thread_left(self, error: BaseException | None) -> greenlet:
        """A g0 is left for good. Returns the reaper, which is to go on. error: what left the runtime's own code."""
        if self.outcome is None:
            self.outcome = Outcome(error=error or Throw("a thread ended"))
        return self.reaper

    def interrupt_run(self) -> None:
        """Ctrl-C or SIGQUIT was received, or the run ends: take it down from here."""
        if self.is_ending:
            raise AbandonUnwind(self)
        self.end(self.interrupt_outcome())

    def interrupt_outcome(self) -> Outcome:
        """How a run ends that a signal ended."""
        if self.interrupt_error is not None:
            return Outcome(error=self.interrupt_error)
        if self.kernel.interrupted != "interrupt":
            return Outcome(error=self.quit_failure())
        return Outcome(error=KeyboardInterrupt())

    def check_interrupt(self) -> None:
        """While the kernel waits for the host: end the run if a signal asked for it."""
        if self.kernel.interrupted:
            self.interrupt_run()

    def abandoned(self, gp: G, error: BaseException | None) -> greenlet:
        """gp's stack is down: forget what it held. Returns the reaper, which is to go on.

        error: what left the runtime's own code. Before the run's end there is no other way to get here, but a program
        that raises what it caught when an earlier run was taken down.
        """
        if self.outcome is None:
            self.outcome = Outcome(error=error or Throw("the program raised an AbandonUnwind"))
        gp.fn = None
        gp.args = ()
        gp.kwargs = NO_KWARGS
        gp.status = DEAD
        return self.reaper
