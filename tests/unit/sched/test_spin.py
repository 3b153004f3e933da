"""sched.spin: waking, stopping and handing over. What handoffp starts a thread for, in its order."""

import pytest

from goruntime.base.errors import Throw
from goruntime.base.events import THREAD_NEW, THREAD_PARK, THREAD_WAKE
from goruntime.kernel import costs
from goruntime.sched import spin
from goruntime.sched.spin import (
    acquirep,
    become_spinning,
    handoffp,
    pidleget,
    pidleget_spinning,
    pidleput,
    releasep,
    resetspinning,
    startm,
    stop_spinning,
    wake_net_poller,
    wakep,
)
from goruntime.sched.status import PGCSTOP, PIDLE, PRUNNING

from .world import Still


def asleep(w):
    """A thread that sleeps on the stack of idle ones."""
    mp = w.thread()
    mp.parked = mp.blocked = True
    w.sched.midle.append(mp)
    return mp


def test_idle_ps_are_a_stack_and_the_last_made_is_on_top():
    """Go's procresize puts them there in order of their numbers."""
    w = Still(4)
    assert [pp.id for pp in w.sched.pidle] == [1, 2, 3]
    assert [pidleget(w.sched).id for _ in range(3)] == [3, 2, 1]
    assert pidleget(w.sched) is None
    assert w.sched.npidle == 0
    assert w.sched.needspinning == 0
    assert pidleget_spinning(w.sched) is None
    assert w.sched.needspinning == 1


def test_a_p_with_work_cannot_go_idle():
    w = Still()
    pp = w.p
    pp.runq.append(w.g())
    with pytest.raises(Throw, match="non-empty run queue"):
        pidleput(w.sched, releasep(w.m))


def test_acquirep_and_releasep_check_both_sides():
    w = Still(2)
    with pytest.raises(Throw, match="already in go"):
        acquirep(w.m, w.sched.pidle[-1])
    pp = releasep(w.m)
    assert (pp.status, pp.m, w.m.p) == (PIDLE, None, None)
    with pytest.raises(Throw, match="invalid p state"):
        releasep(w.m)
    acquirep(w.m, pp)
    assert (pp.status, pp.m, w.m.p) == (PRUNNING, w.m, pp)


def test_wakep_starts_one_spinning_thread_and_only_one():
    w = Still(3)
    wakep(w.m)
    assert w.sched.nmspinning == 1
    started = w.sched.allm[-1]
    assert started.spinning
    assert started.nextp.id == 2
    wakep(w.m)  # somebody spins already
    assert w.sched.npidle == 1
    assert w.kinds().count(THREAD_NEW) == 1


def test_wakep_without_an_idle_p_says_that_a_spinner_is_needed():
    w = Still(1)
    wakep(w.m)
    assert w.sched.needspinning == 1
    assert w.sched.nmspinning == 0


def test_becoming_a_spinner_answers_the_need():
    w = Still(1)
    w.sched.needspinning = 1
    become_spinning(w.m)
    assert (w.m.spinning, w.sched.nmspinning, w.sched.needspinning) == (True, 1, 0)
    stop_spinning(w.m)
    assert (w.m.spinning, w.sched.nmspinning) == (False, 0)
    with pytest.raises(Throw, match="negative nmspinning"):
        stop_spinning(w.m)


def test_the_last_spinner_that_finds_work_wakes_the_next():
    w = Still(2)
    become_spinning(w.m)
    resetspinning(w.m)
    assert w.sched.nmspinning == 1
    assert w.sched.allm[-1].spinning
    with pytest.raises(Throw, match="not a spinning m"):
        resetspinning(w.m)


def test_startm_wakes_the_thread_that_slept_last():
    w = Still(2)
    asleep(w)
    last = asleep(w)
    pp = pidleget(w.sched)
    before_ns = w.m.clock
    startm(w.m, pp)
    assert last.nextp is pp
    assert not last.parked
    assert not last.blocked
    assert w.m.clock == before_ns + costs.FUTEX_WAKE
    assert (last.due_ns, bool(last.due_seq)) == (w.m.clock + costs.THREAD_WAKE, True)
    assert w.kinds()[-1] == THREAD_WAKE


def test_startm_makes_a_thread_when_none_sleeps_and_the_creator_pays():
    w = Still(2)
    pp = pidleget(w.sched)
    startm(w.m, pp, is_spinning=False)
    made = w.sched.allm[-1]
    assert made is not w.m
    assert made.nextp is pp
    assert not made.spinning
    assert w.m.clock == costs.THREAD_CREATE
    assert made.due_ns == costs.THREAD_CREATE + costs.THREAD_START


def test_startm_without_a_p_takes_an_idle_one_or_does_nothing():
    w = Still(2)
    startm(w.m, None)
    assert w.sched.allm[-1].nextp.id == 1
    count = len(w.sched.allm)
    startm(w.m, None)
    assert len(w.sched.allm) == count


@pytest.mark.parametrize(
    ("what", "text"),
    [("spinning", "m is spinning"), ("nextp", "m has p"), ("work", "p has runnable gs")],
)
def test_startm_checks_whom_it_wakes(what, text):
    w = Still(2)
    mp = asleep(w)
    pp = pidleget(w.sched)
    if what == "spinning":
        mp.spinning = True
    elif what == "nextp":
        mp.nextp = pp
    else:
        pp.runq.append(w.g())
    with pytest.raises(Throw, match=text):
        startm(w.m, pp, is_spinning=True)


def handed_off(w, pp=None):
    """What handoffp does with a P: ("started", spinning), "idle" or "stopped"."""
    pp = pp or releasep(w.m)
    before = len(w.sched.allm)
    handoffp(w.m, pp)
    if len(w.sched.allm) > before:
        return "started", w.sched.allm[-1].spinning
    return {PIDLE: "idle", PGCSTOP: "stopped"}[pp.status]


def test_handoff_with_local_work_starts_a_thread():
    for where in ("runnext", "ring"):
        w = Still(2)
        if where == "ring":
            w.p.runq.append(w.g())
        else:
            w.p.runnext = w.g()
        assert handed_off(w) == ("started", False)


def test_handoff_with_global_work_starts_a_thread():
    w = Still(2)
    w.sched.runq.append(w.g())
    assert handed_off(w) == ("started", False)


def test_handoff_while_nobody_spins_nor_idles_starts_a_spinner():
    w = Still(1)
    w.sched.needspinning = 1
    assert handed_off(w) == ("started", True)
    assert w.sched.nmspinning == 1
    assert w.sched.needspinning == 0


def test_handoff_while_the_world_stops_stops_the_p():
    w = Still(2)
    w.sched.gcwaiting = True
    w.sched.stopwait = 2
    assert handed_off(w) == "stopped"
    assert w.sched.stopwait == 1


def test_handoff_of_the_last_running_p_starts_a_thread_for_the_poller():
    w = Still(2)
    assert handed_off(w) == ("started", False)


def test_handoff_of_the_last_running_p_while_somebody_polls_leaves_it_idle():
    w = Still(2)
    w.sched.lastpoll_ns = 0
    assert handed_off(w) == "idle"
    assert w.sched.npidle == 2


def test_handoff_otherwise_leaves_the_p_idle():
    w = Still(4)
    w.thread(w.sched.pidle[-1])
    assert handed_off(w) == "idle"
    assert w.sched.pidle[-1].id == 0


def test_handoff_runs_the_safe_point_function():
    w = Still(4)
    w.thread(w.sched.pidle[-1])
    ran = []
    w.sched.safe_point_fn = ran.append
    w.sched.safe_point_wait = 1
    pp = w.p
    pp.run_safe_point_fn = True
    assert handed_off(w) == "idle"
    assert ran == [pp]
    assert w.sched.safe_point_wait == 0


def test_a_timer_of_an_idle_p_cuts_the_poller_s_sleep_or_wakes_a_spinner():
    w = Still(2)
    poller = w.thread()
    w.sched.lastpoll_ns = 0
    w.sched.poller = poller
    w.sched.poll_until_ns = 5_000
    wake_net_poller(w.m, 9_000)  # it wakes early enough
    assert not poller.due_seq
    wake_net_poller(w.m, 4_000)
    assert poller.due_seq
    assert w.sched.nmspinning == 0
    w.sched.lastpoll_ns = 1
    wake_net_poller(w.m, 4_000)
    assert w.sched.nmspinning == 1


def test_stopm_refuses_a_thread_with_a_p_or_one_that_spins():
    w = Still()
    with pytest.raises(Throw, match="holding p"):
        spin.stopm(w.m)
    releasep(w.m)
    become_spinning(w.m)
    with pytest.raises(Throw, match="stopm spinning"):
        spin.stopm(w.m)
    assert THREAD_PARK not in w.kinds()
