"""sched.timers: heaps, zombies, who fires what when, channel timers that are in a heap only while somebody waits."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goruntime import chan, go, run, select
from goruntime.base.errors import Throw
from goruntime.kernel.threads import FOREVER
from goruntime.runtime import gosched, work
from goruntime.sched import timers
from goruntime.sched.park import goroutine_ready
from goruntime.sched.spin import become_spinning
from goruntime.sched.status import WAITING
from goruntime.sched.steal import steal_work
from goruntime.sched.timers import (
    MAX_WHEN,
    MAX_ZOMBIES,
    Timer,
    check_timer_heap,
    check_timers,
    has_timers,
    modify,
    set_next_check,
    stop,
    wake_time,
)
from goruntime.time import Ticker, after, after_func, sleep
from goruntime.time import Timer as TimeTimer

from .world import MICROSECOND, MILLISECOND, Still, here, records, sched_here


class Bench:
    """Timers on one or more Ps that write down when they fired."""

    def __init__(self, gomaxprocs=1):
        self.w = Still(gomaxprocs)
        self.m = self.w.m
        self.fired = []

    def timer(self, name="t"):
        return Timer(lambda m, arg, seq, delay: self.fired.append((arg, delay)), name)

    def arm(self, when_ns, period_ns=0, name="t"):
        timer = self.timer(name)
        modify(self.m, timer, when_ns, period_ns)
        return timer

    def run(self, now_ns, pp=None):
        self.m.clock = now_ns
        self.fired.clear()
        ran = check_timers(self.m, pp or self.m.p)
        check_timer_heap(self.m.p)
        assert ran == bool(self.fired)
        return list(self.fired)


def test_timers_fire_when_they_are_due_in_order_and_say_how_late_they_are():
    b = Bench()
    for name, when_ns in (("c", 3_000), ("a", 1_000), ("b", 2_000)):
        b.arm(when_ns, name=name)
    assert b.run(999) == []
    assert b.run(2_500) == [("a", 1_500), ("b", 500)]
    assert b.run(2_600) == []
    assert b.run(3_000) == [("c", 0)]
    assert not has_timers(b.m.p)


def test_equal_times_fire_in_the_order_in_which_they_were_armed():
    b = Bench()
    for name in "abc":
        b.arm(1_000, name=name)
    assert [name for name, _ in b.run(1_000)] == ["a", "b", "c"]


def test_a_timer_must_be_due_some_time():
    b = Bench()
    with pytest.raises(Throw, match="timer when must be positive"):
        b.arm(0)


def test_stop_and_reset_say_whether_it_was_still_to_come():
    b = Bench()
    timer = b.arm(1_000)
    assert stop(b.m, timer)
    assert not stop(b.m, timer)
    assert not modify(b.m, timer, 2_000, 0)
    assert modify(b.m, timer, 3_000, 0)
    assert b.run(2_000) == []
    assert b.run(3_000) == [("t", 0)]
    assert not stop(b.m, timer)


def test_a_periodic_timer_keeps_its_grid_and_drops_what_is_late():
    b = Bench()
    timer = b.arm(1_000, period_ns=100)
    assert b.run(1_050) == [("t", 50)]
    assert timer.when_ns == 1_100
    assert b.run(1_399) == [("t", 299)]
    assert timer.when_ns == 1_400
    assert b.run(1_400) == [("t", 0)]
    assert stop(b.m, timer)
    assert b.run(9_000) == []


def test_a_periodic_timer_does_not_pass_the_end_of_time():
    b = Bench()
    timer = b.arm(1_000, period_ns=MAX_WHEN)
    b.run(1_000)
    assert timer.when_ns == MAX_WHEN


# Zombies.


def test_stopping_leaves_a_zombie_behind_which_counts_as_due_until_it_is_dropped():
    b = Bench()
    first = b.arm(1_000)
    for _ in range(7):
        b.arm(5_000)
    stop(b.m, first)
    assert b.m.p.zombies == 1
    assert wake_time(b.m.p) == 1_000
    assert b.run(1_000) == []
    assert b.m.p.zombies == 0
    assert wake_time(b.m.p) == 5_000


def test_more_than_a_quarter_of_zombies_is_cleaned_out_by_the_owner():
    b = Bench()
    held = [b.arm(5_000 + number) for number in range(8)]
    for timer in held[5:]:
        stop(b.m, timer)
    assert b.m.p.zombies == 3
    assert b.run(10) == []
    assert (b.m.p.zombies, len(b.m.p.timers)) == (0, 5)
    stop(b.m, held[0])  # one of five is no more than a quarter
    b.run(20)
    assert (b.m.p.zombies, len(b.m.p.timers)) == (1, 5)


def test_who_looks_at_another_p_s_timers_does_not_clean_them():
    b = Bench(2)
    for _ in range(3):
        stop(b.m, b.arm(5 * MILLISECOND))
    b.arm(6 * MILLISECOND)
    own = b.m.p
    b.m.p = b.w.sched.allp[1]
    assert not check_timers(b.m, own)
    assert own.zombies == 3


def test_resetting_again_and_again_does_not_grow_the_heap():
    b = Bench()
    others = [b.arm(8_000 + number) for number in range(10)]
    timer = b.arm(5_000)
    for number in range(10_000):
        modify(b.m, timer, 5_000 + number, 0)
        assert len(b.m.p.timers) <= 2 * MAX_ZOMBIES + 12
    check_timer_heap(b.m.p)
    assert len([1 for other in others if other.pp is b.m.p]) == 10


def test_zombies_do_not_hide_a_deadlock():
    b = Bench()
    timer = b.arm(5_000)
    assert has_timers(b.m.p)
    stop(b.m, timer)
    assert not has_timers(b.m.p)
    assert b.m.p.timers


# The park fast path's compare.


def test_the_next_check_is_the_earliest_timer():
    b = Bench()
    pp = b.m.p
    set_next_check(pp)
    assert pp.next_check_ns == FOREVER
    b.arm(5_000)
    assert pp.next_check_ns == 5_000
    b.arm(3_000)
    b.arm(9_000)
    assert pp.next_check_ns == 3_000
    set_next_check(pp, is_forced=True)
    assert pp.next_check_ns == 0
    b.arm(100)
    assert pp.next_check_ns == 0


# Several Ps.


def test_a_pending_timer_that_is_reset_stays_in_its_heap():
    b = Bench(2)
    timer = b.arm(5_000)
    first = b.m.p
    b.m.p = second = b.w.sched.allp[1]
    modify(b.m, timer, 4_000, 0)
    assert timer.pp is first
    stop(b.m, timer)
    modify(b.m, timer, 4_000, 0)
    assert timer.pp is second
    check_timer_heap(first)
    check_timer_heap(second)


def test_a_periodic_timer_that_another_p_ran_stays_where_it_was_and_wakes_nobody():
    b = Bench(3)
    victim = b.w.sched.allp[1]
    b.w.thread(victim)
    b.m.p, own = victim, b.m.p
    timer = b.arm(1_000, period_ns=500)
    b.m.p = own
    b.w.sched.nmspinning = 0
    started = len(b.w.sched.allm)
    assert b.run(1_200, victim) == [("t", 200)]
    assert timer.pp is victim
    assert timer.when_ns == 1_500
    assert len(b.w.sched.allm) == started


def test_timers_are_stolen_in_the_last_pass_and_whom_they_wake_runs_here():
    w = Still(2)
    victim = w.sched.allp[1]
    w.thread(victim)
    sleeper = w.g(WAITING)
    w.m.p, own = victim, w.m.p
    modify(w.m, Timer(goroutine_ready, sleeper), 1_000, 0)
    w.m.p = own
    w.sched.nmspinning = 0
    become_spinning(w.m)
    w.m.clock = 500
    assert steal_work(w.m) == (None, False, False, 1_000)
    w.m.clock = 1_500
    assert steal_work(w.m)[:2] == (sleeper, True)


def test_timers_of_others_come_before_their_runnext():
    w = Still(2)
    victim = w.sched.allp[1]
    w.thread(victim)
    victim.runnext = w.g()
    sleeper = w.g(WAITING)
    w.m.p, own = victim, w.m.p
    modify(w.m, Timer(goroutine_ready, sleeper), 1_000, 0)
    w.m.p = own
    become_spinning(w.m)
    w.m.clock = 2_000
    assert steal_work(w.m)[0] is sleeper


# Against a list.

WHENS = st.integers(1, 40)
STEPS = st.one_of(
    st.tuples(st.just("modify"), st.integers(0, 5), WHENS, st.sampled_from([0, 0, 3, 7]), st.integers(0, 2)),
    st.tuples(st.just("stop"), st.integers(0, 5), st.integers(0, 2)),
    st.tuples(st.just("check"), st.integers(0, 2), st.integers(0, 15)),
    st.tuples(st.just("take over"), st.integers(0, 2)),
)


@given(st.lists(STEPS, max_size=60))
@settings(max_examples=150)
def test_heaps_do_what_a_list_does(steps):
    """Times are in units of 10 us: what the operations themselves take is less."""
    unit = 10 * MICROSECOND
    w = Still(3)
    fired, expected = [], []
    held = [Timer(lambda m, arg, seq, delay: fired.append(arg), number) for number in range(6)]
    armed = {}  # number -> [when, order, period, p]
    order = now = 0
    for kind, *values in steps:
        w.m.clock = max(w.m.clock, now * unit)
        if kind == "modify":
            number, delay, period, p = values
            w.m.p = w.sched.allp[p]
            was_armed = modify(w.m, held[number], (now + delay) * unit, period * unit)
            assert was_armed == (number in armed)
            order += 1
            armed[number] = [now + delay, order, period, armed[number][3] if was_armed else p]
        elif kind == "stop":
            number, p = values
            w.m.p = w.sched.allp[p]
            assert stop(w.m, held[number]) == (number in armed)
            armed.pop(number, None)
        elif kind == "take over":
            (p,) = values
            w.m.p = w.sched.allp[0]
            if p:
                timers.take_over(w.m, w.sched.allp[p])
                for entry in sorted(armed.values()):
                    if entry[3] == p:
                        order += 1
                        entry[1], entry[3] = order, 0
        else:
            p, passed = values
            now += passed
            w.m.p = w.sched.allp[p]
            w.m.clock = now * unit
            check_timers(w.m, w.m.p)
            for entry in sorted((*entry, number) for number, entry in armed.items() if entry[3] == p):
                if entry[0] <= now:
                    expected.append(entry[4])
                    if entry[2]:
                        order += 1
                        late = now - entry[0]
                        armed[entry[4]][:2] = [entry[0] + entry[2] * (1 + late // entry[2]), order]
                    else:
                        del armed[entry[4]]
        for pp in w.sched.allp:
            check_timer_heap(pp)
        assert fired == expected
        assert {number for number, timer in enumerate(held) if timer.when_ns} == set(armed)
        assert all(held[number].pp.id == entry[3] for number, entry in armed.items())


def test_the_check_finds_what_is_broken():
    b = Bench()
    timer = b.arm(1_000)
    b.arm(500)
    b.m.p.timers.reverse()
    with pytest.raises(Throw, match="not a heap"):
        check_timer_heap(b.m.p)
    b.m.p.timers.reverse()
    b.m.p.zombies = 1
    with pytest.raises(Throw, match="zombies miscounted"):
        check_timer_heap(b.m.p)
    b.m.p.zombies = 0
    timer.when_ns = 2_000
    with pytest.raises(Throw, match="disagree"):
        check_timer_heap(b.m.p)


# Channel timers.


def heaped():
    """How many timers lie in heaps."""
    return sum(len(pp.timers) - pp.zombies for pp in sched_here().allp)


def test_a_channel_timer_is_in_a_heap_only_while_somebody_waits():
    def main():
        timer = TimeTimer(1)
        counts = [heaped()]
        go(timer.c.recv)
        gosched()
        counts.append(heaped())
        go(select, timer.c.recv, chan().recv)
        gosched()
        counts.append(heaped())
        timer.reset(10e-3)
        sleep(20e-3)
        counts.append(heaped())
        return counts

    assert run(main, gomaxprocs=1) == [0, 1, 1, 0]


def test_a_channel_timer_that_nobody_waits_for_is_run_by_who_looks():
    def main():
        timer = TimeTimer(1e-3)
        work(5e-3)
        assert heaped() == 0
        fires = timer.c.recv()
        return fires.ns

    fired = records(main, "timer_fire", gomaxprocs=1)
    assert len(fired) == 1
    assert fired[0]["ns"] >= 5 * MILLISECOND
    assert MILLISECOND <= fired[0]["when_ns"] < 2 * MILLISECOND


def test_no_stale_value_after_stop_or_reset():
    def main():
        timer = TimeTimer(1e-3)
        work(5e-3)
        assert timer.stop()  # it is due, but nobody has received: it was still to come
        assert select(timer.c.recv, after(10e-3).recv)[0] == 1
        assert not timer.reset(1e-3)
        work(5e-3)
        assert timer.reset(20e-3)
        began = here()[0].clock
        timer.c.recv()
        return here()[0].clock - began

    assert 20 * MILLISECOND <= run(main, gomaxprocs=1) <= 22 * MILLISECOND


def test_a_ticker_keeps_one_tick_and_drops_the_others():
    def main():
        ticker = Ticker(1e-3)
        work(5.5e-3)
        first = ticker.c.recv().ns
        second = ticker.c.recv().ns
        ticker.stop()
        return (second - first) / MILLISECOND

    assert run(main, gomaxprocs=1) in (4, 5)


def test_many_timers_can_be_pending_and_stopped():
    b = Bench()
    held = [b.arm(1_000 + number) for number in range(20_000)]
    for timer in held[::2]:
        stop(b.m, timer)
    check_timer_heap(b.m.p)
    b.m.clock = 1 << 40
    check_timers(b.m, b.m.p)
    assert len(b.fired) == 10_000


# Sleeping.


def test_sleeping_for_nothing_does_not_yield():
    def main():
        ran = []
        go(ran.append, 1)
        sleep(0)
        sleep(-1)
        return ran

    assert run(main, gomaxprocs=1) == []


def test_an_idle_p_sleeps_in_the_poller_for_whole_milliseconds():
    def main():
        spans = []
        for duration in (100e-6, 1.5e-3, 5e-3):
            began = here()[0].clock
            sleep(duration)
            spans.append((here()[0].clock - began) / MILLISECOND)
        return spans

    short, middle, long = run(main, gomaxprocs=1)
    assert 1.0 <= short <= 1.2
    assert 2.0 <= middle <= 2.3
    assert 5.0 <= long <= 6.2


def test_an_hour_passes_at_once():
    def main():
        sleep(3_600)
        return here()[0].clock

    assert 3_600 * 10**9 <= run(main) < 3_601 * 10**9


def test_functions_run_on_goroutines_of_their_own():
    def main():
        ran = chan()
        after_func(1e-3, lambda: ran.send(here()[1].goid))
        return ran.recv()

    goid = run(main, gomaxprocs=1)
    created = records(main, "go_create", gomaxprocs=1)[-1]
    assert (created["target"], created["queue"], created["g"]) == (goid, "runnext", -1)
