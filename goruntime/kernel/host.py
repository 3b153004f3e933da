"""The only file that looks at the host: its clock, its threads, its signals, its CPUs.

Everything above asks here, so that what could differ from run to run has one address. Nothing here decides anything.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import Any

HAS_PREEMPT_SIGNAL = hasattr(signal, "SIGURG") and hasattr(signal, "pthread_kill")
PREEMPT_SIGNAL = getattr(signal, "SIGURG", None)
DEFAULT_INTERRUPT = signal.default_int_handler
QUIT_SIGNAL = getattr(signal, "SIGQUIT", None)
INTERRUPT_SIGNAL = signal.SIGINT
ABORT_SIGNAL = signal.SIGABRT
SIGNAL_COUNT = int(signal.NSIG)
IGNORE = signal.SIG_IGN
BROKEN_PIPE_SIGNAL = getattr(signal, "SIGPIPE", None)

Event = threading.Event
HostThread = threading.Thread
Handler = Callable[[int, FrameType | None], Any]


def monotonic_ns() -> int:
    """The host's monotonic clock, ns."""
    return time.monotonic_ns()


def wall_ns() -> int:
    """The host's wall clock: ns since 1970-01-01 UTC."""
    return time.time_ns()


def sleep_ns(duration_ns: int) -> None:
    """Let the host thread sleep, ns."""
    if duration_ns > 0:
        time.sleep(duration_ns / 1e9)


def cpu_count() -> int:
    """CPUs this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    import psutil  # only here, and only where the standard library cannot tell

    return psutil.cpu_count() or 1


def on_main_thread() -> bool:
    """True where Python delivers signals."""
    return threading.current_thread() is threading.main_thread()


def thread_ident() -> int:
    """The host's number for the calling thread."""
    return threading.get_ident()


def signal_thread(ident: int, number: int) -> None:
    """Send a signal to one thread of this process; a thread that is gone is not an error."""
    try:
        signal.pthread_kill(ident, number)
    except (ProcessLookupError, ValueError):
        return


def run_signals(interrupt: Handler, quit_: Handler, preempt: Handler) -> list[tuple[int, Handler, tuple[Any, ...]]]:
    """The signals a run handles: (number, handler, the dispositions it may replace)."""
    rows: list[tuple[int, Handler, tuple[Any, ...]]] = [(signal.SIGINT, interrupt, (signal.default_int_handler,))]
    rows += [(number, quit_, (signal.SIG_DFL,)) for number in (QUIT_SIGNAL, signal.SIGABRT) if number is not None]
    if PREEMPT_SIGNAL is not None:
        rows.append((PREEMPT_SIGNAL, preempt, (signal.SIG_DFL, signal.SIG_IGN)))
    return rows


def python_handlers() -> list[tuple[int, Handler]]:
    """Every signal that a Python function handles now, and that function."""
    getsignal = getattr(signal.getsignal, "__wrapped__", signal.getsignal)  # without making enumeration members
    handlers = [(number, getsignal(number)) for number in range(1, signal.NSIG)]
    return [(number, handler) for number, handler in handlers if callable(handler)]


def raise_signal(number: int) -> None:
    """Send a signal to the calling thread."""
    signal.raise_signal(number)


def thread_cpu_ns(ident: int) -> int:
    """CPU time that a thread of this process has used, ns; the wall clock where the host cannot tell."""
    try:
        return time.clock_gettime_ns(time.pthread_getcpuclockid(ident))
    except (AttributeError, OSError):
        return time.monotonic_ns()


def ignore_what_go_ignores() -> None:
    """Install handlers that do nothing where Go's do nothing and the default is death.

    Handlers, because a child process would inherit an ignored signal.
    Go: runtime/sigtab_linux_generic.go sigtable.
    """
    for name in ("SIGUSR1", "SIGUSR2", "SIGALRM", "SIGVTALRM", "SIGPROF", "SIGIO", "SIGXCPU", "SIGXFSZ", "SIGPWR"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _do_nothing)


def _do_nothing(_number: int, _frame: FrameType | None) -> None:
    return


def signal_number(name: str) -> int:
    """The number of a signal; 0 where the host has none of that name."""
    return int(getattr(signal, name, 0))


def is_ignored(number: int) -> bool:
    """The signal is ignored now, by this process."""
    return signal.getsignal(number) is signal.SIG_IGN


def set_handler(number: int, handler: Any) -> Any:
    """Install a signal handler, return the one before."""
    return signal.signal(number, handler)


def get_handler(number: int) -> Any:
    """The handler installed now."""
    return signal.getsignal(number)


def kill_self(number: int) -> None:
    """Die by a signal, with its default disposition, so that the parent sees the true cause."""
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)


def process_id() -> int:
    """The process's number."""
    return os.getpid()


def environ(name: str) -> str | None:
    """One environment variable."""
    return os.environ.get(name)


def write_stderr(text: str) -> None:
    """What the builtin print does: text to the process's standard error, at once."""
    stream = sys.stderr
    stream = getattr(stream, "untapped", stream)  # who watches a run (observe.output) is told by the caller
    if stream is not None:
        stream.write(text)
        stream.flush()


class ThreadLocal(threading.local):
    """Storage per host thread."""


def new_thread(target: Callable[[], None], name: str) -> threading.Thread:
    """Start a daemon thread of the host."""
    thread = threading.Thread(target=target, name=name, daemon=True)
    thread.start()
    return thread


def new_lock() -> threading.Lock:
    """A lock of the host, for state that host threads share."""
    return threading.Lock()


def new_event() -> threading.Event:
    """A flag of the host that threads can wait for."""
    return threading.Event()
