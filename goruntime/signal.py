"""Package os/signal: the signals of the host, on channels.

`notify(ch, SIGTERM)` takes the signal from what it does by default: SIGINT no longer ends the run, until `stop`, or
until the run is over. One goroutine, os/signal.loop, is started by the first `notify` and delivers; while it waits it
is in a system call, so that a program that only waits for a signal is no deadlock. It is a goroutine of the program's,
as in Go: it shows in dumps, and `num_goroutine` counts it.

Waiting for a signal takes no virtual time while anybody else can run: under the virtual clock an hour's sleep is over
before a signal can come. When nobody can, the run waits for the host, and what that takes counts as virtual time.

Differs: in exploration no signal arrives: the handlers are not installed.
Differs: a number that is no signal is an error; Go ignores it.
Go: os/signal/signal.go Notify, Stop, process; os/signal/signal_unix.go loop.
"""

from __future__ import annotations

from collections.abc import Callable
from types import CodeType, FunctionType
from typing import Any

from .base.events import GO_CREATE, RUNNEXT
from .base.names import function_name
from .context import Context, canceled, with_cancel_cause
from .context.base import Node
from .kernel import costs, host
from .lang.chan import RecvOnly, SendOnly, chan, nilchan
from .lang.owner import current_m, unbroken
from .lang.panic import panic
from .lang.select import default, select
from .lang.timerchan import TimerChan
from .runtime import gosched
from .sched.g import G
from .sched.m import M
from .sched.sched import Sched
from .sched.sigqueue import NOT_FOR_THE_PROGRAM, RECEIVING, SigQueue, signal_recv
from .sched.spin import wakep
from .sync import Mutex
from .time import Time

SLOT = "os/signal"  # in Sched.user
TEXTS = {
    "SIGHUP": "hangup",
    "SIGINT": "interrupt",
    "SIGQUIT": "quit",
    "SIGILL": "illegal instruction",
    "SIGTRAP": "trace/breakpoint trap",
    "SIGABRT": "aborted",
    "SIGBUS": "bus error",
    "SIGFPE": "floating point exception",
    "SIGKILL": "killed",
    "SIGUSR1": "user defined signal 1",
    "SIGSEGV": "segmentation fault",
    "SIGUSR2": "user defined signal 2",
    "SIGPIPE": "broken pipe",
    "SIGALRM": "alarm clock",
    "SIGTERM": "terminated",
    "SIGCHLD": "child exited",
    "SIGCONT": "continued",
    "SIGSTOP": "stopped (signal)",
    "SIGTSTP": "stopped",
    "SIGTTIN": "stopped (tty input)",
    "SIGTTOU": "stopped (tty output)",
    "SIGURG": "urgent I/O condition",
    "SIGXCPU": "CPU time limit exceeded",
    "SIGXFSZ": "file size limit exceeded",
    "SIGVTALRM": "virtual timer expired",
    "SIGPROF": "profiling timer expired",
    "SIGWINCH": "window changed",
    "SIGIO": "I/O possible",
    "SIGPWR": "power failure",
    "SIGSYS": "bad system call",
}


class Signal(int):
    """A signal: its number, equal to that of Python's own `signal.SIGTERM`; `str` is Go's text, "terminated".

    Go: syscall/syscall_unix.go Signal.
    """

    __slots__ = ()

    @property
    def name(self) -> str:
        """What C calls it: "SIGTERM"; "" for one without a name."""
        return NAMES.get(int(self), "")

    def __str__(self) -> str:
        return TEXTS.get(self.name) or f"signal {int(self)}"

    def __repr__(self) -> str:
        return f"signal.{self.name}" if self.name else f"signal.Signal({int(self)})"


def _signal(name: str) -> Signal:
    """The signal of that name; number 0, which no function takes, where the host has none."""
    return Signal(host.signal_number(name))


SIGHUP = _signal("SIGHUP")
SIGINT = _signal("SIGINT")
SIGQUIT = _signal("SIGQUIT")
SIGILL = _signal("SIGILL")
SIGTRAP = _signal("SIGTRAP")
SIGABRT = _signal("SIGABRT")
SIGBUS = _signal("SIGBUS")
SIGFPE = _signal("SIGFPE")
SIGKILL = _signal("SIGKILL")
SIGUSR1 = _signal("SIGUSR1")
SIGSEGV = _signal("SIGSEGV")
SIGUSR2 = _signal("SIGUSR2")
SIGPIPE = _signal("SIGPIPE")
SIGALRM = _signal("SIGALRM")
SIGTERM = _signal("SIGTERM")
SIGCHLD = _signal("SIGCHLD")
SIGCONT = _signal("SIGCONT")
SIGSTOP = _signal("SIGSTOP")
SIGTSTP = _signal("SIGTSTP")
SIGTTIN = _signal("SIGTTIN")
SIGTTOU = _signal("SIGTTOU")
SIGURG = _signal("SIGURG")
SIGXCPU = _signal("SIGXCPU")
SIGXFSZ = _signal("SIGXFSZ")
SIGVTALRM = _signal("SIGVTALRM")
SIGPROF = _signal("SIGPROF")
SIGWINCH = _signal("SIGWINCH")
SIGIO = _signal("SIGIO")
SIGPWR = _signal("SIGPWR")
SIGSYS = _signal("SIGSYS")

NAMES = {number: name for name in reversed(TEXTS) if (number := host.signal_number(name))}


class _Handlers:
    """Which channels want which signals, in one run. Guarded by `mu`."""

    __slots__ = ("channels", "is_watched", "mu", "queue", "references", "stopping")

    def __init__(self, sched: Sched) -> None:
        self.mu = Mutex()
        self.channels: dict[chan[Any], set[int]] = {}  # in the order in which they were first given
        self.references = [0] * (host.SIGNAL_COUNT + 1)  # how many channels want it
        self.stopping: list[tuple[chan[Any], set[int]]] = []
        self.is_watched = False
        self.queue = sched.sigqueue = SigQueue(sched, is_deaf=sched.controller is not None)


def _handlers(m: M, what: str) -> _Handlers:
    """This run's; made on first use.

    Raises: RuntimeError where Python delivers no signals.
    """
    found: _Handlers | None = m.sched.user.get(SLOT)
    if found is None:
        if not host.on_main_thread():
            raise RuntimeError(f"signal.{what}: only the main thread of the host gets signals: call run there")
        found = m.sched.user[SLOT] = _Handlers(m.sched)
    return found


def notify(c: chan[Any] | SendOnly[Any], *sigs: int) -> None:
    """Send these signals to the channel when they arrive; without any, all that a program can catch.

    The send does not wait: give the channel a buffer for as many as may come at once, 1 for a single signal. It may
    be called again for the same channel, with more signals, and for other channels with the same: each gets its own.
    SIGKILL, SIGSTOP and what a fault of the program raises (SIGSEGV) never come.
    Raises: Panic "os/signal: Notify using nil channel"; TypeError if c cannot be sent to, or what is sent is no
    integer; ValueError for a number that is no signal; RuntimeError outside a goroutine, or if run was not called in
    the host's main thread.
    Go: os/signal/signal.go Notify.
    """
    m, g = current_m("signal.notify")
    target = _channel(c, "notify")
    if target is nilchan:
        panic("os/signal: Notify using nil channel")
    target.accept(Signal(host.INTERRUPT_SIGNAL))
    numbers = _numbers(sigs, "notify")
    if not m.sched.is_ending:
        unbroken(m, g, _notify, _handlers(m, "notify"), target, numbers)


def _notify(m: M, g: G, handlers: _Handlers, target: chan[Any], numbers: list[int]) -> None:
    with handlers.mu:
        for number in numbers:
            mask = handlers.channels.setdefault(target, set())
            if number in mask:
                continue
            mask.add(number)
            if not handlers.references[number]:
                handlers.queue.enable(g.m, number)
                if not handlers.is_watched:
                    handlers.is_watched = True
                    if not handlers.queue.is_deaf:
                        _start(g.m, g, _LOOP, _NOTIFY_CODE)
            handlers.references[number] += 1


def stop(c: chan[Any] | SendOnly[Any]) -> None:
    """Send nothing to the channel any more: when this returns, nothing will come. Undoes all its `notify`.

    Raises: TypeError if c is no channel to send to; RuntimeError outside a goroutine, or if run was not called in the
    host's main thread.
    Go: os/signal/signal.go Stop.
    """
    m, g = current_m("signal.stop")
    target = _channel(c, "stop")
    if not m.sched.is_ending:
        unbroken(m, g, _stop, _handlers(m, "stop"), target)


def _stop(m: M, g: G, handlers: _Handlers, target: chan[Any]) -> None:
    with handlers.mu:
        mask = handlers.channels.pop(target, None)
        if mask is None:
            return
        for number in sorted(mask):
            handlers.references[number] -= 1
            if not handlers.references[number]:
                handlers.queue.disable(g.m, number)
        # What has arrived still goes to the channel: it must not get lost between the program and the default.
        handlers.stopping.append((target, mask))
    _wait_until_idle(handlers)
    with handlers.mu:
        handlers.stopping.remove((target, mask))


def reset(*sigs: int) -> None:
    """Undo every `notify` of these signals; without any, of all. A signal that is ignored stays so.

    Raises: TypeError, ValueError for what is no signal; RuntimeError as `notify`.
    Go: os/signal/signal.go Reset.
    """
    _cancel("reset", sigs, SigQueue.disable)


def ignore(*sigs: int) -> None:
    """Let nothing happen when these signals come; without any, whatever comes. Undoes every `notify` of them.

    Raises: TypeError, ValueError for what is no signal; RuntimeError as `notify`.
    Go: os/signal/signal.go Ignore.
    """
    _cancel("ignore", sigs, SigQueue.ignore)


def ignored(sig: int) -> bool:
    """Is the signal ignored now, by `ignore` or (SIGHUP and SIGINT) by who started the process?

    Raises: TypeError, ValueError for what is no signal; RuntimeError as `notify`.
    Go: os/signal/signal.go Ignored.
    """
    m, _ = current_m("signal.ignored")
    return _handlers(m, "ignored").queue.is_ignored(_numbers((sig,), "ignored")[0])


def _cancel(what: str, sigs: tuple[int, ...], action: Callable[[SigQueue, M, int], None]) -> None:
    """Send these signals to nobody, and do something with each.

    Go: os/signal/signal.go cancel.
    """
    m, g = current_m(f"signal.{what}")
    numbers = _numbers(sigs, what)
    if not m.sched.is_ending:
        unbroken(m, g, _cancel_each, _handlers(m, what), numbers, action)


def _cancel_each(
    m: M, g: G, handlers: _Handlers, numbers: list[int], action: Callable[[SigQueue, M, int], None]
) -> None:
    with handlers.mu:
        for number in numbers:
            for c, mask in list(handlers.channels.items()):
                if number in mask:
                    handlers.references[number] -= 1
                    mask.remove(number)
                    if not mask:
                        del handlers.channels[c]
            action(handlers.queue, g.m, number)


class _SignalContext(Node):
    """What `notify_context` makes: a context around one that its signals cancel.

    Go: os/signal/signal.go signalCtx.
    """

    __slots__ = ("cancel", "inner", "signals", "target")

    def __init__(self, inner: Context, cancel: Callable[[BaseException | None], None], signals: list[Signal]) -> None:
        self.inner = inner
        self.cancel = cancel
        self.signals = signals
        self.target: chan[Any] = chan(1)

    def done(self) -> Any:
        """See Context."""
        return self.inner.done()

    def err(self) -> BaseException | None:
        """See Context."""
        return self.inner.err()

    def deadline(self) -> Time | None:
        """See Context."""
        return self.inner.deadline()

    def answer(self, key: Any) -> tuple[Any, Any]:
        """Whatever the one inside has."""
        return None, self.inner

    def stop(self) -> None:
        """What `notify_context` returns as its second value."""
        self.cancel(None)
        stop(self.target)

    def wait(self) -> None:
        """In a goroutine: for the first signal, or the end."""
        index, sig = select(self.target.recv, self.done().recv)
        if index == 0:
            self.cancel(SignalError(f"{sig} signal received"))

    def __str__(self) -> str:
        name = str(self.inner).removesuffix(".WithCancel")
        listed = f", [{' '.join(map(str, self.signals))}]" if self.signals else ""
        return f"signal.NotifyContext({name}{listed})"


class SignalError(Exception):
    """The cause of a context that a signal has canceled: "interrupt signal received". It is `context.canceled`, too.

    Go: os/signal/signal.go signalError.
    """

    def is_(self, target: BaseException) -> bool:
        """For `errors.is_`."""
        return target is canceled


def notify_context(parent: Context, *sigs: int) -> tuple[Context, Callable[[], None]]:
    """A context that is canceled by the first of these signals (without any: by each that a program can catch).

    Returns the context and a function that cancels it and gives the signals back, to be called as soon as what runs
    under the context is done: until then a second Ctrl-C does nothing. `context.cause` says which signal it was.
    Raises: as `notify`; Panic for a parent that is None, TypeError for one that is no context.
    Go: os/signal/signal.go NotifyContext.
    """
    m, g = current_m("signal.notify_context")
    _handlers(m, "notify_context")
    signals = [Signal(number) for number in _numbers(sigs, "notify_context")] if sigs else []
    inner, cancel = with_cancel_cause(parent)
    ctx = _SignalContext(inner, cancel, signals)
    notify(ctx.target, *sigs)
    if inner.err() is None and not m.sched.is_ending:
        unbroken(g.m, g, _start, ctx.wait, _CONTEXT_CODE)
    return ctx, ctx.stop


def _channel(c: Any, what: str) -> chan[Any]:
    if isinstance(c, SendOnly):
        c = c._ch
    if isinstance(c, (RecvOnly, TimerChan)):
        raise TypeError("invalid operation: cannot send to receive-only channel")
    if not isinstance(c, chan):
        raise TypeError(f"signal.{what}: c must be a channel, not {type(c).__name__}")
    return c


def _numbers(sigs: tuple[Any, ...], what: str) -> list[int]:
    """The numbers of signals; all that a program can catch for none."""
    if not sigs:
        return [number for number in range(1, host.SIGNAL_COUNT) if number not in NOT_FOR_THE_PROGRAM]
    for sig in sigs:
        if isinstance(sig, bool) or not isinstance(sig, int):
            raise TypeError(f"signal.{what}: a signal is an integer, not {type(sig).__name__}")
        if not 0 < sig < host.SIGNAL_COUNT:
            raise ValueError(f"signal.{what}: no such signal: {int(sig)}")
    return [int(sig) for sig in sigs]


def _wait_until_idle(handlers: _Handlers) -> None:
    """Until everything that has arrived was sent to the channels.

    Go: runtime/sigqueue.go signalWaitUntilIdle.
    """
    queue = handlers.queue
    while not queue.is_deaf and (queue.arrived or queue.state != RECEIVING):
        if current_m("signal.stop")[0].sched.is_ending:
            return
        gosched()


def _process(number: int) -> None:
    """Send a signal to whoever wants it, without waiting.

    Go: os/signal/signal.go process.
    """
    m, _ = current_m("signal")
    handlers = _handlers(m, "notify")
    with handlers.mu:
        for c, mask in (*handlers.channels.items(), *handlers.stopping):
            if number in mask:
                select((c.send, Signal(number)), default)


# The goroutine that delivers. Its frames, and who created it, show in dumps as Go's do.


def _loop() -> None:
    while True:
        _process(_receive())


def _receive() -> int:
    return signal_recv(*current_m("os/signal.signal_recv"))


def _shown(fn: Callable[[], Any], name: str, file: str, **names: Any) -> Callable[[], Any]:
    """The function under the name and file that Go has for it."""
    code = fn.__code__.replace(co_name=name, co_qualname=name, co_filename=file)
    return FunctionType(code, {"__name__": "os/signal", **names})


_SIGNAL_RECV = _shown(_receive, "signal_recv", "runtime/sigqueue.go", signal_recv=signal_recv, current_m=current_m)
_LOOP = _shown(_loop, "loop", "os/signal/signal_unix.go", _process=_process, _receive=_SIGNAL_RECV)


def _start(m: M, g: G, f: Callable[[], Any], code: CodeType) -> None:
    """Start a goroutine, as by a `go` statement in the function that code is named after."""
    m.clock += costs.NEWPROC
    gp = m.sched.newproc1(m, f, (), {})
    m = g.m
    gp.origin = g.goid, code, 0, {"__name__": "os/signal"}
    gp.labels = g.labels
    if m.watch is not None:
        m.emit(GO_CREATE, gp.goid, function_name(f), RUNNEXT)
    m.sched.runqput_new(m, gp)
    wakep(m)


def _named(name: str) -> CodeType:
    return notify.__code__.replace(co_name=name, co_qualname=name, co_filename="os/signal/signal.go")


_NOTIFY_CODE = _named("Notify.func2.1")
_CONTEXT_CODE = _named("NotifyContext")

__all__ = [
    "SIGABRT",
    "SIGALRM",
    "SIGBUS",
    "SIGCHLD",
    "SIGCONT",
    "SIGFPE",
    "SIGHUP",
    "SIGILL",
    "SIGINT",
    "SIGIO",
    "SIGKILL",
    "SIGPIPE",
    "SIGPROF",
    "SIGPWR",
    "SIGQUIT",
    "SIGSEGV",
    "SIGSTOP",
    "SIGSYS",
    "SIGTERM",
    "SIGTRAP",
    "SIGTSTP",
    "SIGTTIN",
    "SIGTTOU",
    "SIGURG",
    "SIGUSR1",
    "SIGUSR2",
    "SIGVTALRM",
    "SIGWINCH",
    "SIGXCPU",
    "SIGXFSZ",
    "Signal",
    "SignalError",
    "ignore",
    "ignored",
    "notify",
    "notify_context",
    "reset",
    "stop",
]
