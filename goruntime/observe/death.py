"""How a program dies: the texts of panics, fatal errors, deadlocks and time-outs, with their goroutine dumps.

Each of these ends the run from whatever greenlet it is called in: the text is made while every stack still stands,
then the run goes back to who called it.

Go: runtime/panic.go fatalpanic, fatalthrow, dopanic_m.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn, cast

from greenlet import getcurrent

from ..base.errors import Deadlock, FatalError, GoPanic, RuntimeFailure, Timeout
from ..lang import panic
from ..sched.bubble import BubbleDeadlock
from . import traceback
from .schedtrace import SchedTrace
from .traceback import FrameRecord, GoroutineRecord, Level

if TYPE_CHECKING:
    from ..lang.panic import PanicRecord
    from ..sched.bubble import Bubble
    from ..sched.g import G
    from ..sched.m import M
    from ..sched.sched import Sched

MAX_STACK_BYTES = 1_000_000_000  # Go: maxstacksize


class Death:
    """The ends of one run."""

    def __init__(self, sched: Sched, trace: SchedTrace) -> None:
        self.sched = sched
        self._trace = trace

    def _schedtrace(self, m: M, throwing: int) -> str:
        """With GODEBUG=schedtrace or scheddetail a death begins with the state of the scheduler.

        Go: runtime/panic.go startpanic_m.
        """
        config = self.sched.run_config
        if config.debug_int("schedtrace") <= 0 and config.debug_int("scheddetail") <= 0:
            return ""
        return self._trace.death_text(m, throwing)

    def _fail(self, failure: RuntimeFailure, level: Level) -> NoReturn:
        """End the run; with GOTRACEBACK=crash the process is to end by SIGABRT."""
        failure.is_crash = level.is_crash
        self.sched.fail(failure)

    def _level(self) -> Level:
        config = self.sched.run_config
        return traceback.traceback_level(config.gotraceback, self.sched.user.get("traceback", ""))

    def _records(
        self, level: Level, g: G | None, frames: tuple[FrameRecord, ...] | None, bubble: Bubble | None = None
    ) -> tuple[GoroutineRecord, ...]:
        """The goroutines that are shown: the one it happened on first."""
        if not level.level:
            return ()
        first = None
        if g is not None:
            first = traceback.record_of(g, level.level, frames, "running")
        return traceback.dump(self.sched, level, first, bubble)

    def die_of_panic(self, g: G, record: PanicRecord) -> NoReturn:
        """Nobody recovered: the text of the chain, then the goroutine.

        Go: runtime/panic.go fatalpanic.
        """
        value = record.value
        try:
            text = panic.panic_lines(record)
        except Exception as again:
            g.panicking = None
            self.fatal(g.m, g, f"panic while printing panic value: {_said(panic.value_of(again))}", is_throw=True)
        if isinstance(value, panic.NilDereference):
            text += "[signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0x0]\n"
        frames = traceback.frames_of_panic(record) or traceback.entry_of(g)
        level = self._level()
        bubble = value.bubble if isinstance(value, BubbleDeadlock) else None
        records = self._records(level, g, frames, bubble)
        whole = self._schedtrace(g.m, 0) + text + traceback.dump_text(records)
        failure = GoPanic(whole, value, g.goid, records)
        failure.__cause__ = record.exc
        self._fail(failure, level)

    def fatal(
        self,
        m: M,
        g: G,
        text: str,
        is_throw: bool = False,
        before: str = "",
        frames: tuple[FrameRecord, ...] | None = None,
    ) -> NoReturn:
        """A fatal error on a goroutine; the others are shown if GOTRACEBACK asks, or if the runtime itself threw.

        Go: runtime/panic.go fatal, throw.
        """
        level = self._level()
        if is_throw:
            level = Level(level.level, True, level.is_crash)
        in_flight = ""
        if g.panicking is not None and not g.panicking.is_goexit:
            # Go prints the panic whose deferred calls run before the fatal error that happened in them.
            in_flight = panic.panic_lines(g.panicking) + "\t"
        records = self._records(level, g, frames)
        trace = self._schedtrace(m, 2 if is_throw else 1)
        whole = f"{before}{in_flight}fatal error: {text}\n{trace}" + traceback.dump_text(records)
        self._fail(FatalError(whole, records), level)

    def fatal_on_g0(self, text: str, is_deadlock: bool = False, before: str = "") -> NoReturn:
        """A fatal error that no goroutine made: all are shown.

        Go: runtime/proc.go checkdead.
        """
        level = self._level()
        records = self._records(level, None, None)
        kind = Deadlock if is_deadlock else FatalError
        trace = self._schedtrace(cast("M", self.sched.kernel.running), 1)
        whole = f"{before}fatal error: {text}\n{trace}" + traceback.dump_text(records)
        self._fail(kind(whole, records), level)

    def die_of_stack_overflow(self, g: G, error: BaseException) -> NoReturn:
        """Python's recursion limit was reached: Go's stack overflow, which nobody can recover.

        Go: runtime/stack.go newstack.
        """
        limit = self.sched.user.get("max_stack", MAX_STACK_BYTES)
        frames = traceback.frames_of_traceback(error.__traceback__)
        if g is not getcurrent():  # it stands where a primitive or a `func` caught the error: the rest is below
            frames += tuple(traceback.frames_of(g.gr_frame))
        error.__traceback__ = None
        before = (
            f"runtime: goroutine stack exceeds {limit}-byte limit\n"
            "runtime: sp=0xc020160390 stack=[0xc020160000, 0xc040160000]\n"
        )
        self.fatal(g.m, g, "stack overflow", is_throw=True, before=before, frames=frames)

    def on_timeout(self) -> NoReturn:
        """`max_time` or `max_steps` was reached."""
        sched = self.sched
        config = sched.run_config
        if config.max_steps and sched.schedules > config.max_steps:
            text = f"timeout: {config.max_steps} scheduling steps are over (max_steps)\n"
        else:
            text = f"timeout: {config.max_time_ns / 1e9:g} s of virtual time are over (max_time)\n"
        level = self._level()
        records = self._records(Level(level.level, True, level.is_crash), None, None)
        sched.fail(Timeout(text + traceback.dump_text(records), records))

    def quit_failure(self) -> RuntimeFailure:
        """SIGQUIT and SIGABRT: the thread's own stack, then all goroutines.

        Go: runtime/signal_unix.go sighandler.
        """
        level = self._level()
        text = self._schedtrace(cast("M", self.sched.kernel.running), 2)
        signal = "SIGABRT: abort" if self.sched.kernel.interrupted == "abort" else "SIGQUIT: quit"
        text += f"{signal}\nPC=0x0 m=0 sigcode=0\n\ngoroutine 0 gp=0x0 m=0 mp=0x0 [idle]:\n"
        records = self._records(Level(2, True, level.is_crash), None, None)  # a runtime throw
        failure = FatalError(text + traceback.dump_text(records), records)
        failure.is_crash = level.is_crash
        return failure


def _said(value: Any) -> str:
    """What a panic in a value's own text said.

    Go: runtime/panic.go preprintpanics.
    """
    return value if isinstance(value, str) else f"type {panic.type_name(value)}"
