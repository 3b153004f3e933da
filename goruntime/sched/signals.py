"""Signals: preempting Python code that has no safepoint, Ctrl-C, the goroutine dump of SIGQUIT.

Problem. `while True: pass` never reaches a safepoint, and a blocking call of the standard library stops the whole
simulated machine. One watchdog thread per process looks every 10 ms whether the run in the main thread has moved its
virtual clock; when the main thread has used 10 ms of CPU time without that, it sends SIGURG there.

The handler may switch greenlets only where nothing can be half-done below it:
1. every frame down to the goroutine's entry is the user's (a logging or import lock may be held in a library's);
2. the interrupted instruction is a loop's jump or a function's first, not a call: inside a C function (a write to a
   buffered file, say) a lock of the interpreter's may be held. At a call the handler asks to be run again at the next
   instruction that can be interrupted.
It then charges 10 ms of virtual time and takes a safepoint; the run is open from then on.

SIGINT and SIGQUIT end the run, at once under test 1, else at the next safepoint, for which they pull the horizon to 0.
Handlers are installed for the run only, on the main thread only, and only over the defaults.

A signal handler of the user's may come between any two bytecodes, also inside a primitive. For the run, each one
that is installed when it begins is called on a greenlet of its own (`_Aside`): that is no goroutine, so a primitive
raises there. What it raises is raised where it interrupted the user's code, as always in Python; where it
interrupted the runtime, the run ends with it at the next safepoint, so that nothing stays half done. A handler that
is installed later is called directly, on whatever runs: nothing sees a primitive that it calls, and what it raises
in a primitive ends the run.

CPU time rather than wall time decides, so that a busy machine does not make a closed run open.
Differs: Go's sysmon signals after 10 ms of wall time, and a blocking C call cannot be preempted here: it is reported.
Go: runtime/signal_unix.go doSigPreempt; runtime/preempt.go wantAsyncPreempt.
"""

from __future__ import annotations

import opcode
import os
import sys
from types import CodeType, FrameType
from typing import TYPE_CHECKING, Any

from greenlet import getcurrent, greenlet

from ..base.errors import throw
from ..kernel import host
from .g import G
from .preempt import python_preempted

if TYPE_CHECKING:
    from .sched import Sched

TICK = 0.01  # s between two looks
SLICE_NS = 10_000_000  # CPU time without a safepoint
BLOCKED_AFTER_NS = 2_000_000_000  # real time without a safepoint

PACKAGE_DIR = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
LIBRARY_DIR = os.path.dirname(os.__file__) + os.sep
HINTS = {
    "sleep": "time.sleep of goruntime",
    "acquire": "a channel or goruntime's sync",
    "wait": "a channel or goruntime's sync",
    "join": "a channel or goruntime's sync",
    "get": "a goruntime channel",
    "input": "goruntime.syscall(input)",
}


class _State:
    """The run that the main thread executes, as the watchdog and the handlers see it."""

    def __init__(self) -> None:
        self.sched: Sched | None = None
        self.run_count = 0
        self.main_ident = 0
        self.has_watchdog = False
        self.wake = host.new_event()


_state = _State()


Saved = list[tuple[int, Any, Any]]  # number, our handler, the one before


def install(sched: Sched | None, saved: Saved, may_preempt: bool) -> None:
    """Take over the signals for a run; fills what `restore` needs. Does nothing outside the main thread.

    A handler of the user's may raise in the middle of this: what was taken over by then is in `saved`.
    sched: None when many runs are to follow, each of which calls `attend`; none of them can be preempted.
    """
    if not host.on_main_thread():
        return
    for number, handler, over in host.run_signals(_on_interrupt, _on_quit, _on_preempt):
        current = host.get_handler(number)
        if current in over:
            saved.append((number, handler, current))
            host.set_handler(number, handler)
    ours = {number for number, _, _ in saved}
    for number, current in host.python_handlers():
        if number not in ours and current is not host.DEFAULT_INTERRUPT:
            aside = _Aside(current)
            saved.append((number, aside, current))
            host.set_handler(number, aside)
    attend(sched)
    _state.main_ident = host.thread_ident()
    if sched is not None and may_preempt and host.HAS_PREEMPT_SIGNAL and not sched.is_async_preempt_off:
        if not _state.has_watchdog:
            _state.has_watchdog = True
            host.new_thread(_watch, "goruntime-watchdog")
        _state.wake.set()


def attend(sched: Sched | None) -> None:
    """Among many runs for which the signals were taken over once: this one runs now; None between two."""
    if host.on_main_thread():
        _state.sched = sched
        _state.run_count += 1


def restore(saved: Saved) -> None:
    """Give the signals back, but for those for which the program has installed a handler of its own.

    The users' own come last. From then on what they raise arrives here, while others are still to be given back.
    """
    try:
        _give_back(saved)
    finally:
        _give_back(saved)
        attend(None)


def _give_back(saved: Saved) -> None:
    while saved:
        number, handler, before = saved[0]
        if host.get_handler(number) is handler:
            host.set_handler(number, before)
        if saved and saved[0][0] == number:
            del saved[0]


class _Aside:
    """A signal handler of the user's, for the time of a run."""

    def __init__(self, handler: Any) -> None:
        self.handler = handler

    def __call__(self, number: int, frame: FrameType | None) -> Any:
        aside = greenlet(self.handler)  # its parent is whoever was interrupted: there it returns to, or raises
        aside.gr_context = getcurrent().gr_context
        try:
            return aside.switch(number, frame)
        except BaseException as exc:
            sched = _state.sched
            while frame is not None and _is_library(frame.f_code):
                frame = frame.f_back
            if sched is None or frame is None or not _is_ours(frame.f_code):
                raise
            sched.interrupt_error = exc
            _ask_for_the_end(sched, "handler")


def _watch() -> None:
    """The watchdog thread: sends the signal, and says when something blocks the whole program."""
    seen: tuple[int, int, int, int] | None = None
    since_cpu = since_wall = 0
    is_reported = False
    while True:
        if _state.sched is None:
            seen = None
            _state.wake.clear()
            if _state.sched is None:
                _state.wake.wait()
            continue
        host.sleep_ns(int(TICK * 1e9))
        sched = _state.sched
        if sched is None:
            continue
        running = sched.kernel.running
        # Each of these moves while the run does; the last one when it is over and its goroutines are taken down.
        now = (_state.run_count, running.clock if running else 0, sched.schedules, len(sched.pool.free_g))
        wall = host.monotonic_ns()
        cpu = host.thread_cpu_ns(_state.main_ident)
        if seen != now or sched.kernel.is_waiting:
            seen, since_cpu, since_wall, is_reported = now, cpu, wall, False
        elif _state.sched is sched:
            if cpu - since_cpu >= SLICE_NS and host.PREEMPT_SIGNAL is not None:
                host.signal_thread(_state.main_ident, host.PREEMPT_SIGNAL)
            if wall - since_wall >= BLOCKED_AFTER_NS and not is_reported:
                is_reported = True
                _report_blocked(sched)
        del sched, running  # between two looks it holds nothing of a run that may end meanwhile


def _report_blocked(sched: Sched) -> None:
    """One line: which goroutine blocks the program, where, and what to use instead."""
    frame = sys._current_frames().get(_state.main_ident)
    while frame is not None and _is_ours(frame.f_code):
        frame = frame.f_back
    running: Any = sched.kernel.running
    gp = running.curg if running is not None else None
    if frame is None or gp is None:
        return
    called = frame.f_code.co_name if _is_library(frame.f_code) else ""
    while frame.f_back is not None and _is_library(frame.f_code):
        frame = frame.f_back
    import linecache  # only here: it brings the tokenizer

    line = linecache.getline(frame.f_code.co_filename, frame.f_lineno).strip()
    hint = next((text for name, text in HINTS.items() if name in called or f"{name}(" in line), "goruntime.syscall")
    host.write_stderr(
        f"goruntime: goroutine {gp.goid} has blocked every goroutine for 2 s at "
        f"{frame.f_code.co_filename}:{frame.f_lineno}: {line} (use {hint} instead)\n"
    )


def _is_ours(code: CodeType) -> bool:
    return code.co_filename.startswith(PACKAGE_DIR)


def _is_library(code: CodeType) -> bool:
    """Code that is not the user's own: the standard library, installed packages, frozen modules."""
    name = code.co_filename
    return (
        name.startswith((LIBRARY_DIR, "<frozen")) or "site-packages" in name or "dist-packages" in name
    ) and not _is_ours(code)


def is_interruptible(frame: FrameType | None) -> bool:
    """Every frame from here down to the goroutine's entry is the user's."""
    entry = G.live.__code__
    while frame is not None:
        code = frame.f_code
        if code is entry:
            return True
        if _is_ours(code):
            if not code.co_name.startswith(("call_with_defers", "invoke", "unwind", "_run_deferred", "entry_")):
                return False
        elif _is_library(code):
            return False
        frame = frame.f_back
    return False


def _is_between_instructions(frame: FrameType) -> bool:
    """The interrupted instruction is a jump back or a function's start: no C function is below."""
    name = opcode.opname[frame.f_code.co_code[frame.f_lasti]]
    return "JUMP_BACKWARD" in name or name == "RESUME"


def _on_preempt(number: int, frame: FrameType | None) -> None:
    """SIGURG: let others run, if this place allows it."""
    sched = _state.sched
    g = getcurrent()
    if sched is None or not isinstance(g, G) or g.m is None or frame is None or not is_interruptible(frame):
        return
    if not _is_between_instructions(frame):
        host.raise_signal(number)  # look again at the next instruction that can be interrupted
        return
    if not sched.kernel.open_reasons:
        sched.kernel.open_reasons.append("preemption signal")
    python_preempted(g)


def _on_interrupt(_number: int, frame: FrameType | None) -> None:
    """SIGINT: end the run. The second press does not wait for a safepoint, wherever the user's code is."""
    _end_by_signal(frame, "interrupt")


def _on_quit(number: int, frame: FrameType | None) -> None:
    """SIGQUIT and SIGABRT: dump all goroutines, end the run with status 2."""
    _end_by_signal(frame, "quit" if number == host.QUIT_SIGNAL else "abort")


def _end_by_signal(frame: FrameType | None, what: str) -> None:
    sched = _state.sched
    if sched is None:
        raise KeyboardInterrupt
    is_second = bool(sched.kernel.interrupted)
    _ask_for_the_end(sched, what)
    g = getcurrent()
    if isinstance(g, G) and g.m is not None and frame is not None:
        if is_interruptible(frame) or (is_second and not _is_ours(frame.f_code)):
            sched.interrupt_run()


def _ask_for_the_end(sched: Sched, what: str) -> None:
    """The run shall end at its next safepoint."""
    kernel = sched.kernel
    kernel.interrupted = what
    sched.disturb()
    if kernel.running is None:
        throw("signal: no thread runs")
    kernel.running.horizon = 0
