"""The composition root: the only file that builds a runtime and wires its parts.

Everything a run owns hangs on its Sched; the slots of the layers below are filled here. `run` is the protocol around
it: make the configuration, build, switch to m0's g0, and when the program is over take every goroutine's stack down
and give the greenlets back.
"""

from __future__ import annotations

import gc
import sys
import warnings
from collections.abc import Callable
from contextvars import Context, copy_context
from typing import Any, NamedTuple

from greenlet import getcurrent

from .base.choose import SeededChooser
from .base.config import Config, make_config
from .base.errors import AbandonUnwind, FatalError, Throw
from .base.events import RUN_END
from .gc.memstats import MemStats
from .gc.pacer import Pacer
from .heap.heap import Heap
from .heap.mheap import MHeap
from .kernel import costs, host
from .kernel.threads import Kernel
from .lang import panic
from .observe import traceback
from .observe.death import Death
from .observe.observer import Readers, RunSummary
from .observe.output import OUTPUT_SLOT
from .observe.schedtrace import SchedTrace
from .runtime import stats_of
from .sched import signals
from .sched.g import NO_ORIGIN, G, SystemG
from .sched.m import M
from .sched.p import P
from .sched.pool import Pool, pool_of_this_thread
from .sched.preempt import UNWIND_PATIENCE, horizon_of
from .sched.proc import new_main
from .sched.sched import Outcome, Sched
from .sched.schedule import execute, mstart
from .sched.status import DEAD, DURABLE, RUNNABLE, RUNNING, WAITING
from .sched.stw import set_first_procs
from .sched.sysmon import sysmon
from .sched.system import start_system_goroutines

# Python frames. CPython 3.13 lets 10,000 calls through C nest, whatever its limit for Python frames: a recursion
# through sort keys needs 13 MB of C stack for that, of 8, and greenlet 3.5 frees objects twice where that limit is
# reached.
RECURSION_LIMIT = 1_400 if sys.version_info[:2] == (3, 13) else 3_000
IDLE_AT_START = 2  # threads that sleep already when main.main starts
FRAMES_OF_A_RUN = 100  # what booting and taking down need at most of the caller's stack
FIRST_SCHEDTICK = 4  # what a P's tick is when main.main starts: runtime.main and the helpers have run


class Runtime:
    """One run, from boot to the last stack taken down."""

    def __init__(self, config: Config, controller: Any = None) -> None:
        self.config = config
        self.chooser: Any = config.strategy if config.strategy is not None else SeededChooser(config.seed)
        self.readers = Readers(config)
        self.started_ns = host.monotonic_ns()
        self.mem_stats: MemStats | None = None  # at the end, for the summary
        self.kernel = Kernel(self.chooser.choose, config.quantum_ns, config.clock == "real")
        is_wall_time = self.kernel.is_real and "start" not in config.given
        self.start_ns = host.wall_ns() if is_wall_time else config.start_ns
        self.pool: Pool = pool_of_this_thread()
        self.sched = Sched(self.kernel, self.pool, self.chooser.choose, self.readers.watch)
        self._wire(controller)

    def _wire(self, controller: Any) -> None:
        """Fill the slots through which lower layers call upward."""
        sched, kernel, config = self.sched, self.kernel, self.config
        sched.run_config = config
        sched.start_ns = self.start_ns
        sched.controller = controller
        sched.entry_returned = panic.entry_returned
        sched.entry_raised = panic.entry_raised
        trace = SchedTrace(sched, config.debug_int("scheddetail") > 0)
        sched.schedtrace_ms = config.debug_int("schedtrace")
        sched.print_schedtrace = lambda m: host.write_stderr(trace.text(m))
        sched.user[OUTPUT_SLOT] = self.readers.note_output
        death = Death(sched, trace)
        sched.fatal_on_g0 = death.fatal_on_g0
        sched.fatal = death.fatal
        sched.die_of_panic = death.die_of_panic
        sched.die_of_stack_overflow = death.die_of_stack_overflow
        sched.quit_failure = death.quit_failure
        sched.save_ancestors = traceback.save_ancestors
        sched.stack_text = traceback.stack_text
        sched.collect = gc.collect
        sched.context = goroutine_context()
        self._wire_heap()
        sched.max_schedules = config.max_steps
        sched.pacer = Pacer(config.gogc, config.gomemlimit)
        kernel.horizon_of = horizon_of
        kernel.on_timeout = death.on_timeout
        kernel.on_wait = sched.check_interrupt
        kernel.could_run = sched.could_run
        if config.max_time_ns:
            kernel.deadline_ns = config.max_time_ns
        sched.tracks_ancestors = config.debug_int("tracebackancestors")
        sched.is_async_preempt_off = config.debug_value("asyncpreemptoff") == "1"

    def _wire_heap(self) -> None:
        """The run's heap, of which there is nothing yet, and the mcaches of its Ps, which are empty."""
        sched, kernel = self.sched, self.kernel

        def emit(kind: int, *fields: Any) -> None:
            m: Any = kernel.running
            if m.watch is not None:
                m.emit(kind, *fields)

        def p_starts(pp: P) -> None:
            pp.mcache = heap.new_cache()

        def p_ends(pp: P) -> None:
            heap.free_cache(pp.mcache)
            pp.mcache = None

        heap = Heap(MHeap, sched.choose)
        heap.emit = emit
        if sched.watch is not None:
            heap.watch(True)
        sched.heap = heap
        sched.p_starts, sched.p_ends = p_starts, p_ends

    # Running.

    def execute(self, main: Callable[..., Any], args: tuple[Any, ...]) -> Any:
        """Run main(*args) as goroutine 1; returns what it returned, raises how it died."""
        readers = self.readers
        summary = None
        try:
            readers.begin(main, self.config)
            outcome = self._run(main, args)
            if readers.wants_summary():
                summary = self._summary(outcome)
        finally:
            readers.end(summary)
        if outcome.error is not None:
            raise outcome.error
        return outcome.value

    def run_many(self, main: Callable[..., Any], args: tuple[Any, ...]) -> Outcome:
        """Boot, run, take down, as one of many runs within one `Session`, which has the signals."""
        self._boot(main, args)
        signals.attend(self.sched)
        try:
            self._until_the_end(self.sched.allm[0])
            self._take_down()
        finally:
            signals.attend(None)
        outcome = self.sched.outcome
        assert outcome is not None
        if self.kernel.interrupted and not isinstance(outcome.error, (KeyboardInterrupt, FatalError)):
            outcome = Outcome(error=KeyboardInterrupt())  # the signal came when the run was over already
        self._dispose()
        return outcome

    def _dispose(self) -> None:
        """Cut the cycles, so that a run is freed when it is dropped; CPython's collector costs three times as much."""
        sched, kernel = self.sched, self.kernel
        for pp in sched.all_p_ever:
            pp.m = pp.mcache = None
        sched.allm.clear()
        sched.user.clear()
        sched.pool_cleanup = sched.heap = sched.p_starts = sched.p_ends = None
        kernel.running = None
        del kernel.on_wait, kernel.could_run, kernel.on_timeout
        del sched.print_schedtrace, sched.fatal_on_g0, sched.fatal, sched.die_of_panic, sched.die_of_stack_overflow
        del sched.quit_failure, sched.main_goroutine

    def _boot(self, main: Callable[..., Any], args: tuple[Any, ...]) -> M:
        """Everything that is there before the first goroutine runs. Under a controller: one P and no sysmon."""
        sched = self.sched
        m0 = sched.add_m(mstart)
        set_first_procs(sched, m0, self.config.gomaxprocs if sched.controller is None else 1)
        m0.p.schedtick = FIRST_SCHEDTICK
        sched.refresh_all_checks()
        sched.boot = sched.reaper = getcurrent()
        sched.main_goroutine = new_main(sched, m0, main, args)
        if sched.controller is None:
            self._start_threads()
            m0.mcall = start_main
        else:
            sched.controller.attach(m0)
        self.kernel.running = m0
        return m0

    def _run(self, main: Callable[..., Any], args: tuple[Any, ...]) -> Outcome:
        """Boot, run, take down."""
        sched = self.sched
        m0 = self._boot(main, args)
        saved: signals.Saved = []
        try:
            signals.install(sched, saved, may_preempt=sched.controller is None)
            self._until_the_end(m0)
            assert self.kernel.running is not None
            self.end_ns = self.kernel.running.clock
            self._look()
            self._take_down()
        finally:
            try:
                if sched.sigqueue is not None:
                    sched.sigqueue.restore()
            finally:
                signals.restore(saved)
        outcome = sched.outcome
        assert outcome is not None
        if self.kernel.interrupted and outcome.error is None:  # the signal came when it was over
            outcome = sched.interrupt_outcome()
        if self.readers.watch is not None:
            self.readers.watch((RUN_END, self.end_ns, -1, -1, -1, ended_how(outcome.error)))
        return outcome

    def _look(self) -> None:
        """The program is over, and everything still as it left it: whoever wants to see it looks now."""
        if self.config.at_end is not None:
            self.config.at_end(self.sched)
        if self.readers.wants_summary():
            self.sched.heap.flush_all()
            self.mem_stats = stats_of(self.sched)

    def _until_the_end(self, m0: M) -> None:
        """Run; a greenlet of the user's whose parent is this one sends control here when it ends."""
        self.pool.sched = self.sched
        try:
            self.pool.take_g0(m0).switch()
            while self.sched.outcome is None:
                self.pool.send_back()
        except BaseException as exc:  # noqa: BLE001  a signal handler of the user's raised it on this greenlet
            if self.sched.outcome is None or self.sched.outcome.error is None:
                self.sched.outcome = Outcome(error=exc)

    def _summary(self, outcome: Outcome) -> RunSummary:
        """What observers are told at the end."""
        sched, events = self.sched, self.readers.checksum
        open_reasons = tuple(self.kernel.open_reasons)
        if self.kernel.interrupted:
            open_reasons += (f"signal: {self.kernel.interrupted}",)
        unused = sum(pp.goid_end - pp.goid_next for pp in sched.all_p_ever)
        return RunSummary(
            outcome=ended_how(outcome.error),
            text=str(outcome.error or "").partition("\n")[0],
            virtual_ns=self.end_ns,
            host_ns=host.monotonic_ns() - self.started_ns,
            goroutine_count=sched.goid_last - unused - len(sched.system_gs),
            schedule_count=sched.schedules,
            thread_count=sched.m_count,
            event_count=events.count if events is not None else 0,
            event_checksum=events.value() if events is not None else None,
            choice_checksum=self.chooser.checksum(),
            mem_stats=self.mem_stats,
            open_reasons=open_reasons,
        )

    def _start_threads(self) -> None:
        """sysmon is thread 1; threads 2 and 3 have been left idle by the start of the system goroutines, as in Go.

        They are records that get a greenlet when they first run.
        """
        sched = self.sched
        mp = sched.add_m(sysmon)
        mp.is_daemon = True
        sched.sysmon_m = mp
        sched.nmsys += 1
        self.kernel.enqueue(mp, costs.THREAD_START)
        for _ in range(IDLE_AT_START):
            idle = sched.add_m(mstart)
            idle.parked = idle.blocked = True
            sched.midle.append(idle)

    # Taking down.

    def _take_down(self) -> None:
        """Take every goroutine's stack down, in creation order, and give all greenlets back to the pool."""
        sched, pool = self.sched, self.pool
        sched.is_ending = True
        sched.disturb()
        sched.controller = None
        reaper_m = M(-1, sched, mstart)
        reaper_m.p = sched.all_p_ever[0]
        reaper_m.g0 = sched.reaper
        reaper_m.watch = None
        self.kernel.running = reaper_m  # so that signals and the watchdog see whose stack it is
        struck: BaseException | None = None
        for gp in sched.allgs:
            has_stack = gp.gr_frame is not None
            while gp.status != DEAD and has_stack and gp not in sched.lost:
                try:
                    self._unwind(gp, reaper_m)
                except BaseException as exc:  # noqa: BLE001  a signal handler of the user's raised it here; first all stacks
                    struck = exc
            if isinstance(gp, SystemG):
                gp.m = gp.lockedm = None  # type: ignore[assignment]
                (pool.free_system_runners if has_stack else pool.free_system).append(gp)
            elif gp.status == DEAD:
                self._recycle(gp)
        sched.close_polled()
        self.kernel.close()
        sched.heap.close()
        for mp in (*sched.allm, *sched.dead_ms):
            g0 = mp.g0
            if g0 is not None and mp.id >= 0:
                if g0.mp is mp and not g0.is_resting():
                    g0.throw(AbandonUnwind(sched))
                g0.mp = None
                pool.free_g0.append(g0)
                mp.g0 = None
        pool.trim()
        pool.sched = None
        if struck is not None:
            raise struck
        for gp in sched.lost:
            warnings.warn(
                f"goroutine {gp.goid} swallowed its end {UNWIND_PATIENCE} times and is left suspended",
                ResourceWarning,
                stacklevel=2,
            )

    def _unwind(self, gp: G, reaper_m: M) -> None:
        """Take one goroutine's stack down: its `finally` clauses run, its deferred calls do not."""
        sched = self.sched
        if gp.status in (WAITING, DURABLE):
            gp.sudog = None  # the old one may still be linked into a queue
        if gp.is_resting() or (gp.status in (RUNNABLE, WAITING, DURABLE) and not gp.was_started()):
            gp.status = DEAD
            gp.fn, gp.args, gp.kwargs = None, (), {}
            return
        gp.status = RUNNING
        gp.m = reaper_m
        reaper_m.curg = gp
        reaper_m.horizon = 0
        sched.unwind_attempts = sched.unwind_calls = 0
        while gp.status != DEAD:
            reaper_m.mcall = None
            sched.unwind_attempts += 1
            gp.throw(AbandonUnwind(sched))
            if reaper_m.mcall is sched.goexit0:
                gp.status = DEAD  # it swallowed its end and ran to its own
            elif sched.unwind_attempts >= UNWIND_PATIENCE:
                sched.lost.append(gp)
                _lost_goroutines.append(gp)
                break
        sched.unwind_seen = None

    def _recycle(self, gp: G) -> None:
        """Give a dead goroutine's greenlet back, without anything of this run."""
        gp.m = None  # type: ignore[assignment]
        gp.frames = gp.panicking = gp.unwinding = gp.deferring = None
        gp.waitreason = 0
        gp.lockedm = None
        gp.lock_count = 0
        gp.timer = gp.bubble = gp.sudog = None
        gp.param = gp.wait_object = gp.pending_obj = gp.coroarg = None
        gp.labels = gp.ancestors = None
        gp.origin = NO_ORIGIN
        gp.preempt = False
        gp.gr_context = None
        self.pool.free_g.append(gp)


def goroutine_context() -> Context:
    """What every goroutine's context starts as: the caller's, without its decimal context.

    That one is an object that copies of the context would share, so each goroutine gets its own, as each thread does.
    """
    context = copy_context()
    if "decimal" in sys.modules and any(variable.name == "decimal_context" for variable in context):
        kept = [item for item in context.items() if item[0].name != "decimal_context"]
        context = Context()
        for variable, value in kept:
            context.run(variable.set, value)
    return context


def ended_how(error: BaseException | None) -> str:
    """How a run ended, for its records."""
    return "main returned" if error is None else type(error).__name__


_lost_goroutines: list[G] = []  # kept alive: a greenlet that is dropped while suspended is resumed once more


def start_main(m: M) -> None:
    """On m0's g0: queue the system goroutines that have not run, then run the main goroutine.

    Go: runtime/proc.go main.
    """
    main = m.p.runnext
    assert main is not None
    m.p.runnext = None
    start_system_goroutines(m)
    execute(m, main, True, "direct", "main goroutine")


def run(main: Callable[..., Any], *args: Any, **config: Any) -> Any:
    """Boot a runtime, run main(*args) as goroutine 1, return what it returned. See API: Running a program.

    Raises: RuntimeFailure (GoPanic, Deadlock, FatalError, Timeout) when the program dies; SystemExit for os.exit;
    TypeError and ValueError for a bad configuration; RuntimeError inside another run.
    """
    panic.refuse_generators(main, "run")
    launch = _launches.pop() if _launches else NO_LAUNCH
    checked = make_config(config, host.cpu_count(), launch.options)
    checked.observers += launch.observers
    checked.at_end = launch.at_end
    if launch.take is not None:
        return launch.take(main, args, config)
    return run_with(main, args, checked)


class Launch(NamedTuple):
    """What the command line adds to the first `run` that a program reaches."""

    options: dict[str, Any]  # fill in what the program leaves at its default
    observers: tuple[Any, ...] = ()  # beside the program's own
    take: Callable[[Callable[..., Any], tuple[Any, ...], dict[str, Any]], Any] | None = None  # gets main instead
    at_end: Callable[[Sched], None] | None = None  # looks at the run when the program is over


NO_LAUNCH = Launch({})
_launches: list[Launch] = []  # one, until the first `run` takes it


def launch_next(launch: Launch) -> None:
    """The next `run` in this process is the program that the command line was given."""
    _launches[:] = [launch]


def is_launched() -> bool:
    """A `run` has taken what `launch_next` left for it."""
    return not _launches


def run_with(main: Callable[..., Any], args: tuple[Any, ...], config: Config, controller: Any = None) -> Any:
    """`run` with a checked configuration."""
    with Session():
        try:
            return Runtime(config, controller).execute(main, args)
        except Throw as broken:
            raise FatalError(f"fatal error: {broken}\n") from broken


class _Process:
    """What the runs of all host threads share: during one CPython's collector is off, its recursion limit high.

    A handler of the user's may raise between any two steps: so each can be taken twice.
    """

    def __init__(self) -> None:
        self._lock = host.new_lock()
        self._sessions: dict[Session, None] = {}
        self._limit = 0
        self._was_collecting = False

    def enter(self, session: Session) -> None:
        """One more session; the first keeps what the last one gives back."""
        with self._lock:
            if not self._sessions:
                self._limit = sys.getrecursionlimit()
                self._was_collecting = gc.isenabled()
            self._sessions[session] = None
            gc.disable()
            if sys.getrecursionlimit() < RECURSION_LIMIT:
                sys.setrecursionlimit(RECURSION_LIMIT)

    def leave(self, session: Session) -> None:
        """One less."""
        with self._lock:
            if session in self._sessions and len(self._sessions) == 1:
                if self._was_collecting:
                    gc.enable()
                try:
                    sys.setrecursionlimit(self._limit)
                except RecursionError:  # this run was called from deeper than that, while another one had raised it
                    pass
            self._sessions.pop(session, None)


_process = _Process()


def _need_room(frames: int) -> None:
    """Raises: RecursionError if there are not so many Python frames left, before a run has begun that could not end."""
    if frames:
        _need_room(frames - 1)


class Session:
    """What the runs of one host thread need around them: nobody else runs there, CPython's collector is off.

    Raises: RuntimeError inside another one; RecursionError at the bottom of a recursion.
    """

    __slots__ = ("_pool",)

    def __enter__(self) -> Session:
        self._pool = pool_of_this_thread()
        if self._pool.is_running:
            raise RuntimeError("run inside a run: one program runs at a time in a thread; start goroutines with go")
        try:
            _process.enter(self)
            _need_room(FRAMES_OF_A_RUN)
            self._pool.is_running = True
            return self
        except BaseException:
            self.__exit__()
            raise

    def __exit__(self, *_: object) -> None:
        try:
            self._pool.is_running = False
            _process.leave(self)
        finally:
            _process.leave(self)
