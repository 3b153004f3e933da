"""Package rate: a token bucket, which limits how often something happens.

    limiter = rate.Limiter(rate.every(0.1), 5)      # ten a second, five at once
    for request in requests:
        limiter.wait(ctx)
        go(serve, request)

Time is that of the run: under the virtual clock a limiter costs no real time. Durations are seconds, instants what
`time.now()` gives; inside they are integer nanoseconds, as in Go, and tokens are floats.

As golang.org/x/time/rate. What that does with its mutex held is one operation here.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf as _INFINITY
from typing import TYPE_CHECKING, Any

from . import errors
from .base.config import seconds_to_ns
from .base.events import CRITICAL
from .context import Context
from .context.base import canceled_error, channel_of, check_parent
from .kernel import costs
from .lang.owner import Owned, current_m
from .lang.select import default, select
from .sched.inner import own_step
from .sched.ops import OP_CRITICAL
from .sync import Mutex
from .time import Time, Timer, now

if TYPE_CHECKING:
    from .sched.g import G
    from .sched.m import M

NS = 1_000_000_000
INF_NS = (1 << 63) - 1  # Go's InfDuration

inf = _INFINITY  # the limit that allows everything, whatever the burst
inf_duration = _INFINITY  # seconds: the delay of a reservation that was refused


def every(interval: float) -> float:
    """The limit that allows one event every `interval` seconds; `inf` if that is not positive.

    Raises: TypeError if interval is no number, ValueError for NaN.
    """
    interval_ns = seconds_to_ns(interval, "rate.every: interval")
    return inf if interval_ns <= 0 else 1 / _seconds(interval_ns)


class Limiter(Owned):
    """`Limiter(limit, burst)`: a bucket that holds `burst` tokens, full at first, and gets `limit` a second.

    An event takes a token. When there is none, `allow` refuses, `reserve` says how long to wait, and `wait` waits.
    limit: a number, `every(seconds)`, or `inf`; 0 adds none.
    Raises: TypeError if limit is no number or burst no integer; ValueError for NaN.
    """

    __slots__ = ("_burst", "_last_event_ns", "_last_ns", "_limit", "_tokens")
    KIND = "limiter"

    def __init__(self, limit: float, burst: int) -> None:
        Owned.__init__(self)
        self._limit = _limit(limit, "rate.Limiter")
        self._burst = _count(burst, "rate.Limiter: burst")
        self._tokens = float(burst)
        self._last_ns = 0  # when tokens was true; ns since 1970
        self._last_event_ns = 0  # when the latest event is to happen

    # Asking.

    def limit(self) -> float:
        """Tokens a second.

        Raises: RuntimeError outside a goroutine.
        """
        return float(self._do("limit", self._read)[0])

    def burst(self) -> int:
        """How many tokens it holds: the most that one call can get, unless the limit is `inf`.

        Raises: RuntimeError outside a goroutine.
        """
        return int(self._do("burst", self._read)[1])

    def tokens(self, t: float | None = None) -> float:
        """Tokens that are there now, or at the instant t; negative while reservations wait for theirs.

        Raises: TypeError if t is no number; RuntimeError outside a goroutine.
        """
        return float(self._do("tokens", self._tokens_at, _instant(t, "rate.Limiter.tokens")))

    # Taking.

    def allow(self) -> bool:
        """May an event happen now? Then it takes a token.

        Raises: RuntimeError outside a goroutine.
        """
        return self.allow_n(None, 1)

    def allow_n(self, t: float | None, n: int) -> bool:
        """May n events happen at the instant t (None: now)? Then they take n tokens.

        Raises: TypeError if t is no number or n no integer; RuntimeError outside a goroutine.
        """
        n = _count(n, "rate.Limiter.allow_n: n")
        return self._reservation("allow", _instant(t, "rate.Limiter.allow_n"), n, 0).ok()

    def reserve(self) -> Reservation:
        """Take a token, which may be there only later: `.delay()` says when the event may happen.

        Raises: RuntimeError outside a goroutine.
        """
        return self.reserve_n(None, 1)

    def reserve_n(self, t: float | None, n: int) -> Reservation:
        """Take n tokens at the instant t (None: now). The reservation's `.ok()` is False if n is above the burst.

        Raises: TypeError if t is no number or n no integer; RuntimeError outside a goroutine.
        """
        n = _count(n, "rate.Limiter.reserve_n: n")
        return self._reservation("reserve", _instant(t, "rate.Limiter.reserve_n"), n, INF_NS)

    def wait(self, ctx: Context) -> None:
        """Wait for a token; see `wait_n`."""
        self.wait_n(ctx, 1)

    def wait_n(self, ctx: Context, n: int) -> None:
        """Wait until n events may happen.

        Raises: ctx.err() if ctx is canceled first, and its tokens go back; an error "rate: Wait(n=N) exceeds limiter's
        burst B", or "rate: Wait(n=N) would exceed context deadline", at once; TypeError if n is no integer or ctx no
        context; RuntimeError outside a goroutine.
        """
        check_parent(ctx, "rate.Limiter.wait", "ctx")
        n = _count(n, "rate.Limiter.wait_n: n")
        start_ns = now().ns
        limit, burst = self._do("wait", self._read)
        if n > burst and limit != inf:
            raise _refusal(f"rate: Wait(n={n}) exceeds limiter's burst {burst}")
        done = channel_of(ctx.done())
        if select(done.recv, default)[0] == 0:
            raise canceled_error(ctx)
        limit_ns = INF_NS
        deadline = ctx.deadline()
        if deadline is not None:
            limit_ns = seconds_to_ns(deadline, "rate.Limiter.wait: deadline()") - start_ns
        reservation = self._reservation("wait", start_ns, n, limit_ns)
        if not reservation.ok():
            raise _refusal(f"rate: Wait(n={n}) would exceed context deadline")
        delay_ns = reservation._delay_from(start_ns)
        if not delay_ns:
            return
        timer = Timer(Time(delay_ns))
        try:
            if select(timer.c.recv, done.recv)[0] == 1:
                reservation.cancel()
                raise canceled_error(ctx)
        finally:
            timer.stop()

    # Setting.

    def set_limit(self, limit: float, t: float | None = None) -> None:
        """Another limit, from now or the instant t on. What was reserved before stays as it was.

        Raises: TypeError if limit or t is no number; ValueError for NaN; RuntimeError outside a goroutine.
        """
        limit = _limit(limit, "rate.Limiter.set_limit")
        self._do("set_limit", self._set, "_limit", limit, _instant(t, "rate.Limiter.set_limit"))

    def set_burst(self, burst: int, t: float | None = None) -> None:
        """Another burst, from now or the instant t on.

        Raises: TypeError if burst is no integer or t no number; RuntimeError outside a goroutine.
        """
        burst = _count(burst, "rate.Limiter.set_burst: burst")
        self._do("set_burst", self._set, "_burst", burst, _instant(t, "rate.Limiter.set_burst"))

    # The bucket: what the operations do. In the `finally` of an abandoned goroutine they do nothing.

    def _do(self, operation: str, do: Callable[..., Any], *args: Any) -> Any:
        found = self.step(f"rate.Limiter.{operation}", costs.CRITICAL, OP_CRITICAL, self._noted, operation, do, args)
        return _NOTHING.get(operation) if found is None else found

    def _noted(self, m: M, g: G, operation: str, do: Callable[..., Any], args: tuple[Any, ...]) -> Any:
        if m.watch is not None:
            m.emit(CRITICAL, self.event_name(), operation)
        return do(*args)

    def _reservation(self, operation: str, at_ns: int, n: int, longest_ns: int) -> Reservation:
        """Take n tokens at an instant, if they are there no later than longest_ns after it."""
        made = self._do(operation, self._reserve, at_ns, n, longest_ns)
        return made if isinstance(made, Reservation) else Reservation(self, False, 0, 0, 0.0)

    def _read(self) -> tuple[float, int]:
        return self._limit, self._burst

    def _tokens_at(self, at_ns: int) -> float:
        """The tokens at an instant; nothing is changed."""
        elapsed_ns = max(at_ns - self._last_ns, 0)
        return min(self._tokens + _tokens(elapsed_ns, self._limit), float(self._burst))

    def _reserve(self, at_ns: int, n: int, longest_ns: int) -> Reservation:
        if self._limit == inf:
            return Reservation(self, True, n, at_ns, self._limit)
        tokens = self._tokens_at(at_ns) - n
        wait_ns = _duration_ns(-tokens, self._limit) if tokens < 0 else 0
        if n > self._burst or wait_ns > longest_ns:
            return Reservation(self, False, 0, 0, self._limit)
        self._last_ns = at_ns
        self._tokens = tokens
        self._last_event_ns = at_ns + wait_ns
        return Reservation(self, True, n, at_ns + wait_ns, self._limit)

    def _give_back(self, reservation: Reservation, at_ns: int) -> None:
        act_ns = reservation._time_to_act_ns
        if self._limit == inf or not reservation._tokens or act_ns < at_ns:
            return
        # What was reserved after this one is counted on: it is not given back.
        restored = reservation._tokens - _tokens(self._last_event_ns - act_ns, reservation._limit)
        if restored <= 0:
            return
        self._tokens = min(self._tokens_at(at_ns) + restored, float(self._burst))
        self._last_ns = at_ns
        if act_ns == self._last_event_ns:
            before_ns = act_ns + _duration_ns(float(-reservation._tokens), reservation._limit)
            if before_ns >= at_ns:
                self._last_event_ns = before_ns

    def _set(self, what: str, value: float, at_ns: int) -> None:
        self._tokens = self._tokens_at(at_ns)
        self._last_ns = at_ns
        setattr(self, what, value)

    def __repr__(self) -> str:
        return f"<rate.Limiter {self._limit:g}/s, burst {self._burst}>"


class Reservation:
    """Tokens that were taken, perhaps before they are there. Made by `Limiter.reserve`."""

    __slots__ = ("_limit", "_limiter", "_ok", "_time_to_act_ns", "_tokens")

    def __init__(self, limiter: Limiter, ok: bool, tokens: int, time_to_act_ns: int, limit: float) -> None:
        self._limiter = limiter
        self._ok = ok
        self._tokens = tokens
        self._time_to_act_ns = time_to_act_ns
        self._limit = limit  # when it was made

    def ok(self) -> bool:
        """The limiter could grant it. If not, `delay` is `inf_duration` and `cancel` does nothing."""
        return self._ok

    def delay(self, t: float | None = None) -> float:
        """Seconds from now, or from the instant t, until what it was made for may happen; 0: at once.

        Raises: TypeError if t is no number.
        """
        at_ns = _instant(t, "rate.Reservation.delay")
        return _seconds(self._delay_from(at_ns)) if self._ok else inf_duration

    def _delay_from(self, at_ns: int) -> int:
        return max(self._time_to_act_ns - at_ns, 0)

    def cancel(self, t: float | None = None) -> None:
        """It is not needed: give back, now or at the instant t, what nobody who came later counts on already.

        Raises: TypeError if t is no number.
        """
        at_ns = _instant(t, "rate.Reservation.cancel")
        if not self._ok:
            return
        self._limiter._do("cancel", self._limiter._give_back, self, at_ns)

    def __repr__(self) -> str:
        return f"<rate.Reservation of {self._tokens}{'' if self._ok else ', refused'}>"


class Sometimes:
    """`Sometimes(first=..., every=..., interval=...)`: `do(f)` calls f only now and then.

    The first `first` times, every `every`-th time, and when `interval` seconds have passed since the last call; the
    very first time in any case.
    Raises: TypeError if first or every is no integer, or interval no number.
    """

    __slots__ = ("__weakref__", "_count", "_every", "_first", "_interval_ns", "_last_ns", "_mu")

    def __init__(self, first: int = 0, every: int = 0, interval: float = 0) -> None:
        self._first = _count(first, "rate.Sometimes: first")
        self._every = _count(every, "rate.Sometimes: every")
        self._interval_ns = seconds_to_ns(interval, "rate.Sometimes: interval")
        self._count = 0
        self._last_ns = 0
        self._mu = Mutex()

    def do(self, f: Callable[[], Any]) -> None:
        """Call f, if it is time to. Others who come meanwhile wait; f must not come here again.

        Raises: what f raises; TypeError if f is not callable; RuntimeError outside a goroutine.
        """
        if not callable(f):
            raise TypeError(f"rate.Sometimes.do: {f!r} is not callable; write do(f), not do(f())")
        with self._mu:
            count = self._count
            if (
                count == 0
                or count < self._first
                or (self._every > 0 and count % self._every == 0)
                or (self._interval_ns > 0 and now().ns - self._last_ns >= self._interval_ns)
            ):
                f()
                if self._interval_ns > 0:
                    self._last_ns = now().ns
            self._count += 1


def _refusal(text: str) -> Exception:
    own_step(*current_m("rate.Limiter.wait"))
    return errors.new(text)


# What the operations are in a goroutine whose run is over.
_NOTHING: dict[str, Any] = {"limit": (0.0, 0), "burst": (0.0, 0), "wait": (inf, 0), "tokens": 0.0}


def _seconds(ns: int) -> float:
    """Nanoseconds as seconds, rounded as Go does it."""
    whole, rest = divmod(ns, NS)
    return whole + rest / 1e9


def _duration_ns(tokens: float, limit: float) -> int:
    """How long it takes until so many tokens have come, ns."""
    if limit <= 0:
        return INF_NS
    duration = tokens / limit * 1e9
    return INF_NS if duration > INF_NS else int(duration)


def _tokens(ns: int, limit: float) -> float:
    """How many tokens come in so many nanoseconds."""
    return 0.0 if limit <= 0 else _seconds(ns) * limit


def _instant(t: float | None, what: str) -> int:
    """The instant t, ns since 1970; now for None."""
    if t is None:
        current_m(what)
        return now().ns
    return seconds_to_ns(t, f"{what}: t")


def _limit(limit: Any, what: str) -> float:
    if isinstance(limit, bool) or not isinstance(limit, (int, float)):
        raise TypeError(f"{what}: limit must be a number of events a second, not {type(limit).__name__}")
    if limit != limit:
        raise ValueError(f"{what}: limit must be a number of events a second, not nan")
    return float(limit)


def _count(n: Any, what: str) -> int:
    if isinstance(n, bool) or not isinstance(n, int):
        raise TypeError(f"{what} must be an integer, not {type(n).__name__}")
    return n


__all__ = ["Limiter", "Reservation", "Sometimes", "every", "inf", "inf_duration"]
