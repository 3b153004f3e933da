"""Package time: sleeping, timers, tickers, the clock.

Durations are seconds, as Python counts them; inside, everything is an integer number of nanoseconds. The clock is the
running M's: `config.start` plus virtual time, or the wall clock with clock="real"; in a synctest bubble the bubble's.

Timers behave as since Go 1.23 (lang/timerchan.py): a channel looks unbuffered, stop and reset leave no stale value.

Differs: with GODEBUG=asynctimerchan=1 they behave as before Go 1.23; Go 1.27 refuses to start with that setting.
Differs: equal times fire in the order in which they were armed; Go leaves it open.
Go: time/sleep.go Timer; time/tick.go Ticker; runtime/time.go timeTimer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

from greenlet import getcurrent

from .base.config import seconds_to_ns
from .base.events import GO_CREATE, RUNNEXT
from .base.names import function_name
from .kernel import costs
from .lang.chan import chan, nilchan
from .lang.error import SURVIVABLE
from .lang.owner import belong, current_m, outside, unbroken
from .lang.panic import panic, refuse_generators
from .lang.timerchan import TimerChan, offer
from .sched import timers
from .sched.g import G
from .sched.m import M
from .sched.ops import OP_SLEEP, OP_TIME, OP_TIMER
from .sched.park import struck
from .sched.preempt import end_again, safepoint
from .sched.sched import Sched
from .sched.spin import wakep

LONG = 1e9  # s; sleeps that are shorter than this fit wherever nanoseconds are kept

nanosecond = 1e-9
microsecond = 1e-6
millisecond = 1e-3
second = 1
minute = 60
hour = 3600


class Time(float):
    """An instant: seconds since 1970 UTC as a float, and exactly as integer nanoseconds in `.ns`.

    The difference of two is computed exactly; adding or subtracting a number of seconds gives an instant again.
    """

    __slots__ = ("ns",)
    ns: int

    def __new__(cls, ns: int) -> Time:
        """The instant ns nanoseconds after 1970."""
        made = float.__new__(cls, ns / 1e9)
        made.ns = ns
        return made

    def __getnewargs__(self) -> tuple[int]:
        return (self.ns,)

    def __add__(self, seconds: float) -> Time:
        if isinstance(seconds, Time) or not isinstance(seconds, (int, float)):
            return NotImplemented
        return Time(self.ns + seconds_to_ns(seconds, "seconds"))

    __radd__ = __add__

    def __sub__(self, other: float) -> float:
        if isinstance(other, Time):
            return (self.ns - other.ns) / 1e9
        if not isinstance(other, (int, float)):
            return NotImplemented
        return Time(self.ns - seconds_to_ns(other, "seconds"))


def now() -> Time:
    """The time of day. Under the virtual clock: `start` plus the virtual time that has passed. Never runs backwards.

    In a synctest bubble: the bubble's.
    Raises: RuntimeError outside a goroutine.
    Go: time/time.go Now.
    """
    return Time(unbroken(*current_m("time.now"), _now))


def _now(m: M, g: G) -> int:
    bubble = g.bubble
    m.clock += costs.TIME_NOW if bubble is None else costs.SYNCTEST_NOW
    if m.clock >= m.horizon:
        m = safepoint(m, g, OP_TIME, None) or m
    if bubble is not None:
        return bubble.now_ns
    return m.sched.start_ns + m.sched.kernel.read_clock(m)


def since(t: float) -> float:
    """Seconds from t until now.

    Go: time/time.go Since.
    """
    start_ns = seconds_to_ns(t, "time.since: t")
    return (now().ns - start_ns) / 1e9


def until(t: float) -> float:
    """Seconds from now until t.

    Go: time/time.go Until.
    """
    return -since(t)


def sleep(d: float) -> None:  # hot: sleep
    """Let this goroutine wait for d seconds; nothing happens if d is not positive.

    Raises: TypeError if d is no number, ValueError for NaN; RuntimeError outside a goroutine.
    Go: runtime/time.go timeSleep.
    """
    g: G = getcurrent()  # type: ignore[assignment]
    try:
        m = g.m
        clock = m.clock
    except AttributeError:
        raise outside("time.sleep") from None
    if type(d) is float and 0.0 < d < LONG:
        delay_ns = round(d * 1e9)  # unoptimised form: the other branch
    else:
        delay_ns = seconds_to_ns(d, "time.sleep: d")
    if delay_ns <= 0:
        return
    try:
        if clock >= m.horizon:
            sched = m.sched
            if safepoint(m, g, OP_SLEEP, None) is None:
                end_again(sched)
            if sched.controller is not None:
                sched.controller.perform(g, timers.time_sleep, g, delay_ns)
                return
        timers.time_sleep(g, delay_ns)
    except SURVIVABLE:
        raise
    except BaseException as exc:
        struck(m, g, exc)
        raise


class _Armed:
    """What timers and tickers have in common: one of the runtime's timers, and the run it belongs to."""

    __slots__ = ("_timer", "c", "made_at", "sched")

    _timer: timers.Timer | None
    c: chan[Time]
    sched: Sched | None
    made_at: str

    def __new__(cls, *_: Any, **__: Any) -> Self:
        """Uninitialised, as Go's zero value."""
        self = object.__new__(cls)
        self._timer = None
        self.c = nilchan
        self.sched = None
        self.made_at = ""
        return self

    def _begin(self, m: M, g: G, c: Any, timer: timers.Timer, delay_ns: int, period_ns: int) -> None:
        """Arm it for the first time."""
        self._timer = timer
        self.c = c
        self.sched = m.sched
        timer.bubble = g.bubble
        unbroken(m, g, _operate, timer, _arm, delay_ns, period_ns)

    def _again(self, m: M, g: G, operation: Callable[..., bool], *args: int) -> bool:
        """Stop or reset it; True when something was still to come."""
        if self.sched is not m.sched:
            belong(self, m.sched)
        assert self._timer is not None
        if self._timer.bubble is not None and self._timer.bubble is not g.bubble:
            doing = "stop" if operation is _disarm else "reset"
            m.sched.fatal(m, g, f"{doing} of synctest timer from outside bubble")
        return unbroken(m, g, _operate, self._timer, operation, *args)

    def __repr__(self) -> str:
        return f"<time.{type(self).__name__} {'uninitialized' if self._timer is None else self._timer.event_name()}>"


class Timer(_Armed):
    """`Timer(d)` sends the time on its channel `c`, once, d seconds from now. `after_func` makes one without channel.

    Raises: TypeError if d is no number, ValueError for NaN; RuntimeError outside a goroutine.
    Go: time/sleep.go NewTimer.
    """

    __slots__ = ()

    def __init__(self, d: float) -> None:
        m, g = current_m("time.Timer")
        delay_ns = seconds_to_ns(d, "time.Timer: d")
        self._begin(m, g, *_channel(m), delay_ns, 0)

    def stop(self) -> bool:
        """Disarm the timer; True when its value was not received yet, or its function not started.

        Raises: Panic if the timer was never initialised; FatalError "stop of synctest timer from outside bubble";
        RuntimeError outside a goroutine.
        Differs: that error comes also in another bubble than the timer's; in Go only outside any.
        Go: time/sleep.go Timer.Stop.
        """
        m, g = current_m("time.Timer.stop")
        if self._timer is None:
            panic("time: Stop called on uninitialized Timer")
        return self._again(m, g, _disarm)

    def reset(self, d: float) -> bool:
        """Let the timer fire d seconds from now; True when it had been armed, or its value was not received yet.

        Raises: TypeError if d is no number; Panic if the timer was never initialised; FatalError "reset of synctest
        timer from outside bubble"; RuntimeError outside a goroutine.
        Differs: that error comes also in another bubble than the timer's; in Go only outside any.
        Go: time/sleep.go Timer.Reset.
        """
        m, g = current_m("time.Timer.reset")
        delay_ns = seconds_to_ns(d, "time.Timer.reset: d")
        if self._timer is None:
            panic("time: Reset called on uninitialized Timer")
        return self._again(m, g, _arm, delay_ns, 0)


class Ticker(_Armed):
    """`Ticker(d)` sends the time on its channel `c` every d seconds; what nobody receives in time is dropped.

    Raises: Panic "non-positive interval for NewTicker"; TypeError if d is no number; RuntimeError outside a goroutine.
    Go: time/tick.go NewTicker.
    """

    __slots__ = ()

    def __init__(self, d: float) -> None:
        m, g = current_m("time.Ticker")
        period_ns = seconds_to_ns(d, "time.Ticker: d")
        if period_ns <= 0:
            panic("non-positive interval for NewTicker")
        self._begin(m, g, *_channel(m), period_ns, period_ns)

    def stop(self) -> None:
        """No more ticks; the channel stays open. Does nothing to a ticker that was never initialised.

        Go: time/tick.go Ticker.Stop.
        """
        m, g = current_m("time.Ticker.stop")
        if self._timer is not None:
            self._again(m, g, _disarm)

    def reset(self, d: float) -> None:
        """Tick every d seconds from now on.

        Raises: TypeError if d is no number; Panic "non-positive interval for Ticker.Reset", or if the ticker was never
        initialised; RuntimeError outside a goroutine.
        Go: time/tick.go Ticker.Reset.
        """
        m, g = current_m("time.Ticker.reset")
        period_ns = seconds_to_ns(d, "time.Ticker.reset: d")
        if period_ns <= 0:
            panic("non-positive interval for Ticker.Reset")
        if self._timer is None:
            panic("time: Reset called on uninitialized Ticker")
        self._again(m, g, _arm, period_ns, period_ns)


def after(d: float) -> chan[Time]:
    """A channel that gets the time d seconds from now.

    Go: time/sleep.go After.
    """
    return Timer(d).c


def after_func(d: float, f: Callable[..., Any], *args: Any) -> Timer:
    """Call f(*args) in a goroutine of its own d seconds from now; the Timer's `stop` prevents it.

    Raises: TypeError if d is no number or f is not callable; RuntimeError outside a goroutine.
    Go: time/sleep.go AfterFunc.
    """
    m, g = current_m("time.after_func")
    refuse_generators(f, "time.after_func", "d, ")
    delay_ns = seconds_to_ns(d, "time.after_func: d")
    made = Timer.__new__(Timer)
    made._begin(m, g, nilchan, timers.Timer(_go_func, (f, args)), delay_ns, 0)
    return made


def tick(d: float) -> chan[Time]:
    """The channel of a new ticker; nilchan if d is not positive.

    Go: time/tick.go Tick.
    """
    current_m("time.tick")
    return nilchan if seconds_to_ns(d, "time.tick: d") <= 0 else Ticker(d).c


# How a timer is armed.


def _when(m: M, timer: timers.Timer, delay_ns: int) -> int:
    """The instant delay_ns from now, by the timer's clock: virtual time, or its synctest bubble's.

    Go: time/sleep.go when.
    """
    bubble = timer.bubble
    now_ns = m.sched.kernel.catch_up(m) if bubble is None else bubble.now_ns
    when_ns = now_ns + delay_ns if delay_ns > 0 else now_ns
    return (when_ns if when_ns < timers.MAX_WHEN else timers.MAX_WHEN) or 1


def _operate(m: M, g: G, timer: timers.Timer, operation: Callable[..., bool], *args: int) -> bool:
    """Take the timer's safepoint, then operate on it; nothing happens when the run is over."""
    if timer.ns > m.clock:
        m.clock = timer.ns
    if m.clock >= m.horizon:
        following = safepoint(m, g, OP_TIMER, timer)
        if following is None:
            return False
        m = following
        if m.sched.controller is not None:
            return bool(m.sched.controller.perform(g, operation, g, timer, *args))
    timer.ns = m.clock
    return operation(g, timer, *args)


def _arm(g: G, timer: timers.Timer, delay_ns: int, period_ns: int) -> bool:
    return timers.modify(g.m, timer, _when(g.m, timer, delay_ns), period_ns)


def _disarm(g: G, timer: timers.Timer) -> bool:
    return timers.stop(g.m, timer)


def _channel(m: M) -> tuple[Any, timers.Timer]:
    """A timer's channel, and the timer."""
    godebug = m.sched.run_config.godebug
    if godebug and godebug.get("asynctimerchan") in ("1", "2"):
        buffered: chan[Time] = chan(1)
        return buffered.recv_only(), timers.Timer(_send_time, buffered)
    synchronous = TimerChan(_send_time)
    return synchronous, synchronous.timer


# What timers do, on g0.


def _send_time(m: M, c: chan[Time], _seq: int, delay_ns: int) -> None:
    """Send the instant at which the timer was due, unless a value is still there.

    Go: time/sleep.go sendTime.
    """
    now_ns = m.sched.start_ns + m.clock if c.bubble is None else c.bubble.now_ns
    offer(m, c, Time(now_ns - delay_ns))


def _go_func(m: M, call: tuple[Callable[..., Any], tuple[Any, ...]], _seq: int, _delay_ns: int) -> None:
    """Start the function of `after_func`: a goroutine that no goroutine created.

    Go: time/sleep.go goFunc.
    """
    fn, args = call
    gp = m.sched.newproc1(m, fn, args, {})
    gp.origin = 0, _GO_FUNC_CODE, 0, _GO_FUNC_GLOBALS
    gp.labels = gp.ancestors = None
    if m.watch is not None:
        m.emit(GO_CREATE, gp.goid, function_name(fn), RUNNEXT)
    m.sched.runqput_new(m, gp)
    wakep(m)


# Dumps say `created by time.goFunc`, as Go's do.
_GO_FUNC_CODE = _go_func.__code__.replace(co_name="goFunc", co_qualname="goFunc")
_GO_FUNC_GLOBALS = {"__name__": "time"}

__all__ = [
    "Ticker",
    "Time",
    "Timer",
    "after",
    "after_func",
    "hour",
    "microsecond",
    "millisecond",
    "minute",
    "nanosecond",
    "now",
    "second",
    "since",
    "sleep",
    "tick",
    "until",
]
