"""sched.sysmon: how often it looks, what it takes from system calls, and whom it asks to give way."""

import pytest

from goruntime import chan, go, run, select
from goruntime.kernel import costs
from goruntime.kernel.threads import Kernel
from goruntime.lang.syscall import syscall
from goruntime.runtime import gosched, work
from goruntime.sched.sysmon import retake, time_sleep_until
from goruntime.sched.timers import MAX_WHEN, Timer, modify
from goruntime.time import after, sleep

from .world import MICROSECOND, MILLISECOND, Still, here, records, sched_here


def naps(main, monkeypatch, **config):
    """How long sysmon slept each time, without its oversleep, ns; None for a sleep without an end."""
    slept = []
    plain, futex = Kernel.sleep, Kernel.futex_sleep

    def sleep_(kernel, thread, duration_ns):
        if thread.is_daemon:
            slept.append(duration_ns - costs.USLEEP_OVERSLEEP)
        plain(kernel, thread, duration_ns)

    def futex_sleep(kernel, thread):
        if thread.is_daemon:
            slept.append(None)
        futex(kernel, thread)

    monkeypatch.setattr(Kernel, "sleep", sleep_)
    monkeypatch.setattr(Kernel, "futex_sleep", futex_sleep)
    run(main, **config)
    return slept


def test_it_sleeps_20_us_then_after_50_idle_rounds_twice_as_long_each_time_up_to_10_ms(monkeypatch):
    slept = naps(lambda: work(200e-3), monkeypatch, gomaxprocs=1)
    doubling = [20 * MICROSECOND << power for power in range(1, 9)]
    assert slept[:51] == [20 * MICROSECOND] * 51
    assert slept[51:59] == doubling
    assert set(slept[59:]) == {10 * MILLISECOND}
    assert len(slept) > 65


def test_preempting_is_not_productive_but_taking_a_p_is(monkeypatch):
    def main():
        go(work, 1)
        work(100e-3)
        syscall(abs, 1, takes=50e-3)  # its P is taken: the other one wants to run
        work(50e-3)

    slept = naps(main, monkeypatch, gomaxprocs=1)
    longest = slept.index(10 * MILLISECOND)
    assert 20 * MICROSECOND in slept[longest:]  # it began anew
    again = slept.index(20 * MICROSECOND, longest)
    assert again - longest > 5  # not at the preemptions before


def test_when_all_ps_are_idle_it_sleeps_until_the_next_timer(monkeypatch):
    slept = naps(lambda: sleep(3), monkeypatch, gomaxprocs=2)
    assert len(slept) < 80
    assert max(nap for nap in slept if nap is not None) > 2.9e9


def test_when_nothing_is_due_ever_it_sleeps_until_a_system_call_ends(monkeypatch):
    def main():
        go(syscall, abs, 1, takes=2)
        syscall(abs, 1, takes=1)
        work(1e-3)

    slept = naps(main, monkeypatch, gomaxprocs=1)
    assert None in slept
    assert slept[slept.index(None) + 1] == 20 * MICROSECOND  # and then it looks often again


def test_with_schedtrace_it_never_sleeps_deeply(monkeypatch, capsys):
    slept = naps(lambda: sleep(2), monkeypatch, gomaxprocs=2, godebug="schedtrace=500")
    assert max(slept) == 10 * MILLISECOND
    assert capsys.readouterr().err.count("SCHED ") >= 3


def test_the_next_timer_of_all_ps():
    w = Still(2)
    assert time_sleep_until(w.sched) == MAX_WHEN
    modify(w.m, Timer(lambda *_: None, None), 700, 0)
    w.m.p, other = w.sched.allp[1], w.m.p
    modify(w.m, Timer(lambda *_: None, None), 400, 0)
    w.m.p = other
    assert time_sleep_until(w.sched) == 400


# Preemption.


def test_a_slice_is_counted_from_when_sysmon_first_saw_it():
    """So that a goroutine that computes gets 10 to 20 ms at first, and about 20 ms from then on."""

    def main():
        done = chan()
        for _ in range(3):
            go(lambda: (work(100e-3), done.send(None)))
        for _ in range(3):
            done.recv()

    events = records(main, "go_start", "go_yield", gomaxprocs=1)
    slices = []
    began = 0
    for event in events:
        if event["event"] == "go_start":
            began = event["ns"]
        elif event["why"] == "preempted":
            slices.append((event["ns"] - began) / MILLISECOND)
    assert len(slices) >= 12
    assert 10 <= slices[0] <= 20
    assert all(9.9 < each < 20.5 for each in slices)
    assert sum(slices[3:]) / len(slices[3:]) > 18


def test_goroutines_that_share_a_slice_through_runnext_are_one_to_it():
    """A pair that plays ping-pong is asked after 10 ms although none of the two ran long."""

    def main():
        ping, pong = chan(), chan()

        def play():
            for value in ping:
                work(100e-6)
                pong.send(value)

        waited = []
        go(play)
        go(lambda: waited.append(here()[0].clock))
        gosched()
        began = here()[0].clock
        go(lambda: waited.append(here()[0].clock - began))
        ping.send(0)
        pong.recv()
        while len(waited) < 2:
            work(100e-6)
            ping.send(0)
            pong.recv()
        return waited[1]

    assert run(main, gomaxprocs=1) < 25 * MILLISECOND


def test_a_schedtick_that_moves_is_left_alone():
    def main():
        for _ in range(300):
            work(100e-6)
            gosched()

    assert records(main, "proc_preempt", gomaxprocs=1) == []


def test_the_rule_is_10_ms_on_one_schedtick():
    w = Still(2)
    pp = w.sched.allp[1]
    mp = w.thread(pp)
    gp = w.g(2)
    mp.curg, gp.m = gp, mp
    pp.schedtick = 5
    retake(w.m)
    assert (pp.sysmon_schedtick, pp.sysmon_schedwhen_ns) == (5, 0)
    w.m.clock = 10 * MILLISECOND - 1
    retake(w.m)
    assert not gp.preempt
    w.m.clock = 10 * MILLISECOND
    assert retake(w.m) == 0  # not productive
    assert gp.preempt
    gp.preempt = False
    pp.schedtick = 6
    w.m.clock += 1
    retake(w.m)
    assert not gp.preempt
    assert pp.sysmon_schedwhen_ns == 10 * MILLISECOND + 1


# System calls.


def retaken(main, **config):
    """When Ps were taken, counted from the last system call, ns."""
    began = 0
    found = []
    for event in records(main, "go_syscall", "proc_retake", **config):
        if event["event"] == "go_syscall":
            began = event["ns"]
        else:
            found.append(event["ns"] - began)
    return found


def test_a_p_is_taken_on_the_second_look_at_the_same_system_call():
    def main():
        go(work, 1e-3)
        syscall(abs, 1, takes=5e-3)

    (after_ns,) = retaken(main, gomaxprocs=1)
    nap = 20 * MICROSECOND + costs.USLEEP_OVERSLEEP
    assert nap <= after_ns <= 2 * nap + 5 * MICROSECOND


@pytest.mark.parametrize(("takes", "count"), [(9e-3, 0), (30e-3, 1)])
def test_a_p_without_work_is_left_for_10_ms_while_others_are_idle(takes, count):
    def main():
        sleep(1e-3)
        syscall(abs, 1, takes=takes)

    times = retaken(main, gomaxprocs=3)
    assert len(times) == count
    assert all(each >= 10 * MILLISECOND for each in times)


def test_short_system_calls_keep_their_p():
    def main():
        for _ in range(20):
            go(gosched)
            syscall(abs, 1, takes=10e-6)

    assert retaken(main, gomaxprocs=1) == []


def test_other_goroutines_run_while_one_is_in_a_system_call():
    def main():
        ran = []

        def tick():
            while True:
                ran.append(here()[0].clock)
                work(1e-3)
                gosched()

        go(tick)
        syscall(abs, 1, takes=50e-3)
        return len(ran)

    assert run(main, gomaxprocs=1) >= 45


def test_ten_system_calls_at_once_on_one_p_need_more_than_ten_threads():
    def main():
        done = chan()
        for _ in range(10):
            go(lambda: (syscall(abs, 1, takes=100e-3), done.send(None)))
        for _ in range(10):
            done.recv()
        return sched_here().m_count

    assert run(main, gomaxprocs=1) >= 12


def test_the_result_of_a_system_call_beats_a_later_timer_every_time():
    def main():
        result = chan()
        go(lambda: result.send(syscall(abs, -7, takes=1e-3)))
        return select(result.recv, after(1).recv)

    assert {run(main, gomaxprocs=1, seed=seed) for seed in range(20)} == {(0, 7)}
