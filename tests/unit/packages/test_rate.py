"""Package rate: the token bucket at fixed instants, and waiting for it in virtual time."""

from __future__ import annotations

import math

import pytest

from goruntime import chan, context, errors, go, rate, run, sync, time
from goruntime.check import explore
from goruntime.testing import synctest

from .running import OUTSIDE, raising

BG = context.background()
T0 = 946_684_800
STEP_NS = 100_000_000  # the instants t0, t1, ... are a tenth of a second apart


def at(k):
    return time.Time(T0 * 10**9 + k * STEP_NS)


def play(limiter, script):
    """Play (instant, n, expected): a bool is for allow_n, else reserve_n: an instant, or None if refused."""
    for step in script:
        if callable(step):
            step()
            continue
        k, n, expected = step
        if isinstance(expected, bool):
            assert limiter.allow_n(at(k), n) is expected, step
            continue
        reservation = limiter.reserve_n(at(k), n)
        assert reservation.ok() == (expected is not None), step
        if expected is not None:
            assert round((k * STEP_NS + reservation.delay(at(k)) * 1e9) / STEP_NS, 6) == expected, step


# Each bucket gets ten tokens a second: one for each instant.

ALLOW = {
    "burst 1": (
        1,
        [(0, 1, True), (0, 1, False), (1, 1, True), (1, 1, False), (2, 2, False), (2, 1, True), (2, 1, False)],
    ),
    "burst 3": (
        3,
        [
            *((0, 2, True), (0, 2, False), (0, 1, True), (0, 1, False), (1, 4, False), (2, 1, True), (3, 1, True)),
            *((4, 1, True), (4, 1, True), (4, 1, False), (9, 3, True), (9, 0, True), (9, 1, False)),
        ],
    ),
    "the clock jumps back": (
        3,
        [
            (1, 1, True),
            (0, 1, True),
            (0, 1, True),
            (0, 1, False),
            (1, 1, True),
            (1, 1, False),
            (2, 1, True),
            (2, 1, False),
        ],
    ),
    "full again, not fuller": (3, [(0, 3, True), (100, 3, True), (100, 1, False)]),
}
RESERVE = {
    "in order": (2, [(0, 2, 0), (0, 2, 2), (3, 2, 4)]),
    "mixed": (2, [(0, 3, None), (0, 2, 0), (1, 2, False), (1, 2, 2), (1, 1, False), (3, 1, True)]),
    "the clock jumps back": (2, [(1, 2, 1), (0, 1, 1), (2, 2, 3)]),
}


@pytest.mark.parametrize(("burst", "script"), [*ALLOW.values(), *RESERVE.values()], ids=[*ALLOW, *RESERVE])
def test_the_bucket(burst, script):
    run(lambda: play(rate.Limiter(10, burst), script))


def test_cancel_gives_back_what_nobody_counts_on():
    def case(burst, before, n, act, between, cancel_at, after):
        limiter = rate.Limiter(10, burst)
        play(limiter, before)
        reservation = limiter.reserve_n(at(0), n)
        assert reservation.ok() == (act is not None)
        play(limiter, between)
        reservation.cancel(at(cancel_at))
        play(limiter, after)

    def main():
        case(2, [(0, 2, 0)], 3, None, [], 0, [(0, 2, 2)])  # was refused
        case(2, [(0, 2, 0)], 2, 2, [], 1, [(1, 2, 2)])  # the last one: all of it
        case(2, [(0, 2, 0)], 2, 2, [], 3, [(3, 2, 4)])  # too late
        case(2, [(0, 2, 0)], 1, 1, [(0, 1, 2)], 0, [(0, 1, 3)])  # all of it is counted on
        case(2, [(0, 2, 0)], 2, 2, [(0, 1, 3)], 2, [(2, 2, 4)])  # one of two is
        case(2, [(0, 2, 0)], 2, 2, [], 0, [(0, 2, 2)])

    run(main)


def test_cancel_of_several():
    def main():
        limiter = rate.Limiter(10, 4)
        play(limiter, [(0, 4, 0)])
        first = limiter.reserve_n(at(0), 3)
        play(limiter, [(0, 1, 4)])
        third = limiter.reserve_n(at(0), 1)
        third.cancel(at(1))
        first.cancel(at(1))
        play(limiter, [(1, 3, 5)])

    run(main)


def test_another_limit_or_burst():
    def main():
        limiter = rate.Limiter(5, 2)
        play(limiter, [(0, 2, 0), (0, 2, 4), lambda: limiter.set_limit(10, at(2)), (2, 1, 4)])
        limiter = rate.Limiter(5, 2)
        play(limiter, [(0, 2, 0), (0, 2, 4), lambda: limiter.set_burst(4, at(3)), (0, 4, 9)])
        limiter = rate.Limiter(5, 2)
        play(limiter, [(0, 2, 0)])
        reservation = limiter.reserve_n(at(0), 2)
        limiter.set_limit(10, at(2))
        reservation.cancel(at(2))
        play(limiter, [(2, 2, 3)])
        assert (limiter.limit(), limiter.burst()) == (10, 2)

    run(main)


def test_tokens():
    def main():
        limiter = rate.Limiter(10, 3)
        play(limiter, [(0, 2, True)])
        found = [limiter.tokens(at(k)) for k in range(4)]
        limiter.reserve_n(at(3), 3)
        limiter.reserve_n(at(3), 2)
        return [*found, limiter.tokens(at(3))]

    assert run(main) == pytest.approx([1, 2, 3, 3, -2])


@pytest.mark.parametrize("limit", [rate.inf, math.inf, rate.every(0), rate.every(-1)])
def test_no_limit(limit):
    def main():
        limiter = rate.Limiter(limit, 0)
        assert limiter.allow_n(None, 10**9)
        assert limiter.reserve_n(None, 5).delay() == 0
        start = time.now()
        for _ in range(100):
            limiter.wait(BG)
        return time.now() - start

    assert run(main) < 1e-3


@pytest.mark.parametrize("limit", [0, -1])
def test_a_limit_of_none_gives_the_burst_and_no_more(limit):
    def main():
        limiter = rate.Limiter(limit, 2)
        taken = [limiter.allow() for _ in range(3)]
        reservation = limiter.reserve()
        time.sleep(1e6)
        return taken, reservation.ok(), reservation.delay() > 1e9, limiter.allow()

    assert run(main) == ([True, True, False], True, True, False)


def test_every():
    assert rate.every(0.1) == 10
    assert rate.every(2) == 0.5
    with pytest.raises(TypeError, match="rate.every: interval must be a number of seconds"):
        rate.every("1")


def test_a_refused_reservation():
    def main():
        reservation = rate.Limiter(1, 1).reserve_n(None, 2)
        reservation.cancel()
        return reservation.ok(), reservation.delay(), repr(reservation)

    assert run(main) == (False, rate.inf_duration, "<rate.Reservation of 0, refused>")


# Waiting, in virtual time.


def test_wait_keeps_to_the_limit():
    def main():
        limiter = rate.Limiter(10, 3)
        start = time.now()
        times = []
        for _ in range(6):
            limiter.wait(BG)
            times.append(round(time.now() - start, 2))
        return times

    assert run(main) == [0, 0, 0, 0.1, 0.2, 0.3]


@pytest.mark.parametrize("count", [1, 4])
def test_many_who_wait_get_their_turns(count):
    def main():
        limiter = rate.Limiter(100, 10)
        wg = sync.WaitGroup()
        start = time.now()
        for _ in range(200):
            wg.go(limiter.wait, BG)
        wg.wait()
        return time.now() - start

    assert run(main, gomaxprocs=count) == pytest.approx(1.9, abs=0.01)


def test_exactly_in_a_bubble():
    def inside():
        limiter = rate.Limiter(rate.every(0.25), 1)
        start = time.now()
        for _ in range(5):
            limiter.wait(BG)
        return time.now() - start

    assert run(lambda: synctest.test(inside)) == 1.0


def test_wait_says_why_not():
    def main():
        limiter = rate.Limiter(1, 2)
        with pytest.raises(errors.ErrorString, match=r"^rate: Wait\(n=3\) exceeds limiter's burst 2$"):
            limiter.wait_n(BG, 3)
        limiter.wait_n(BG, 2)
        soon, cancel = context.with_timeout(BG, 0.5)
        with pytest.raises(errors.ErrorString, match=r"^rate: Wait\(n=1\) would exceed context deadline$"):
            limiter.wait(soon)
        cancel()
        with pytest.raises(errors.ErrorString, match="^context canceled$"):
            limiter.wait(soon)
        return limiter.tokens()  # nothing was taken for those

    assert 0 <= run(main) < 1e-3


def test_a_wait_that_is_canceled_gives_its_token_back():
    def main():
        limiter = rate.Limiter(1, 1)
        limiter.wait(BG)
        ctx, cancel = context.with_cancel(BG)
        out = chan(1)

        def waits():
            try:
                limiter.wait(ctx)
            except errors.ErrorString as error:
                out.send(error)

        go(waits)
        time.sleep(0.5)
        before = limiter.tokens()
        cancel()
        assert out.recv() is context.canceled
        after = limiter.tokens()
        time.sleep(0.6)
        return before, after, limiter.allow()

    before, after, allowed = run(main)
    assert (before, after, allowed) == (pytest.approx(-0.5, abs=0.01), pytest.approx(0.5, abs=0.01), True)


def test_no_timer_is_left():
    def main():
        limiter = rate.Limiter(1, 1)
        limiter.wait(BG)
        ctx, cancel = context.with_cancel(BG)
        go(cancel)
        with pytest.raises(errors.ErrorString):
            limiter.wait(ctx)
        time.sleep(100)
        return time.now() - T0

    assert run(main) < 101


def test_sometimes():
    def main():
        log = []
        often = rate.Sometimes(first=2, every=3, interval=10)
        for k in range(10):
            often.do(lambda k=k: log.append(k))
            time.sleep(1)
        time.sleep(10)
        often.do(lambda: log.append("later"))
        once = rate.Sometimes()
        once.do(lambda: log.append("once"))
        once.do(lambda: log.append("twice"))
        return log

    assert run(main) == [0, 1, 3, 6, 9, "later", "once"]


# Every order.


def test_a_limiter_gives_each_token_once():
    def main():
        limiter = rate.Limiter(0, 1)
        out = chan(2)
        go(lambda: out.send(limiter.allow()))
        go(lambda: out.send(limiter.allow()))
        return out.recv() + out.recv()

    report = explore(main, "dfs", 50_000)
    assert (report.verdict, list(report.results)) == ("proved", ["1"])


# What is refused.


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: rate.Limiter("1", 1), TypeError, "^rate.Limiter: limit must be a number of events a second, not str"),
        (lambda: rate.Limiter(True, 1), TypeError, "^rate.Limiter: limit must be"),
        (lambda: rate.Limiter(math.nan, 1), ValueError, "^rate.Limiter: limit must be"),
        (lambda: rate.Limiter(1, 1.5), TypeError, "^rate.Limiter: burst must be an integer, not float"),
        (
            lambda: rate.Limiter(1, 1).allow_n("now", 1),
            TypeError,
            "^rate.Limiter.allow_n: t must be a number of seconds",
        ),
        (lambda: rate.Limiter(1, 1).allow_n(None, "1"), TypeError, "^rate.Limiter.allow_n: n must be an integer"),
        (lambda: rate.Limiter(1, 1).reserve_n(None, 1.0), TypeError, "^rate.Limiter.reserve_n: n must be an integer"),
        (lambda: rate.Limiter(1, 1).wait_n(BG, None), TypeError, "^rate.Limiter.wait_n: n must be an integer"),
        (lambda: rate.Limiter(1, 1).wait("ctx"), TypeError, "^rate.Limiter.wait: ctx must be a context, not str"),
        (lambda: rate.Limiter(1, 1).set_limit(None), TypeError, "^rate.Limiter.set_limit: limit must be"),
        (lambda: rate.Limiter(1, 1).set_burst(None), TypeError, "^rate.Limiter.set_burst: burst must be an integer"),
        (lambda: rate.Sometimes(first="x"), TypeError, "^rate.Sometimes: first must be an integer"),
        (lambda: rate.Sometimes(interval="x"), TypeError, "^rate.Sometimes: interval must be a number of seconds"),
        (lambda: rate.Sometimes().do(None), TypeError, "^rate.Sometimes.do: None is not callable"),
    ],
)
def test_bad_arguments(call, error, text):
    with pytest.raises(error, match=text):
        run(raising, call)


def test_which_run_it_belongs_to():
    limiter = rate.Limiter(1, 1)
    with pytest.raises(RuntimeError, match=OUTSIDE):
        limiter.allow()
    assert run(limiter.allow)
    with pytest.raises(RuntimeError, match=r"^<rate.Limiter 1/s, burst 1>, made at .*test_rate.py:\d+, belongs"):
        run(raising, limiter.allow)
