"""sched.preempt: the horizon, the safepoint's slow path, and requests to give way."""

import pytest

from goruntime import chan, go, run
from goruntime.base.errors import AbandonUnwind
from goruntime.base.events import GO_YIELD, PROC_PREEMPT
from goruntime.kernel.threads import FOREVER, Thread
from goruntime.runtime import gosched, work
from goruntime.sched.ops import OP_SEND, OP_WORK
from goruntime.sched.park import dropg
from goruntime.sched.preempt import gosched_m, goyield_m, horizon_of, preemptall, preemptone, safepoint
from goruntime.sched.status import RUNNABLE, RUNNING, SYSCALL

from .world import MILLISECOND, Still, here, records, sched_here


class Shared:
    """Something that goroutines synchronize over."""

    def __init__(self, ns=0, is_ready=True):
        self.ns = ns
        self.is_ready = is_ready

    def ready(self, op, g):
        return self.is_ready


# The horizon.


def test_the_horizon_is_the_kernel_s_when_nobody_asks_for_anything():
    w = Still()
    w.running()
    assert horizon_of(w.m) == w.sched.kernel.natural_horizon(w.m) == FOREVER + 1
    w.sched.kernel.enqueue(Thread(9), 500)
    assert horizon_of(w.m) == 500 + w.sched.kernel.quantum + 1


@pytest.mark.parametrize("why", ["gcwaiting", "is_ending", "interrupted", "controller", "safe point", "preempt"])
def test_the_horizon_is_0_when_somebody_asks(why):
    w = Still()
    gp = w.running()
    match why:
        case "gcwaiting" | "is_ending":
            setattr(w.sched, why, True)
        case "interrupted":
            w.sched.kernel.interrupted = "interrupt"
        case "controller":
            w.sched.controller = object()
        case "safe point":
            w.p.run_safe_point_fn = True
        case "preempt":
            gp.preempt = True
    assert horizon_of(w.m) == 0


def test_a_thread_without_a_goroutine_or_p_has_a_horizon_too():
    w = Still()
    mp = w.thread()
    assert horizon_of(mp) == FOREVER + 1


# Requests.


def test_the_request_is_the_goroutine_s_and_pulls_the_horizon():
    w = Still(2)
    pp = w.sched.allp[1]
    mp = w.thread(pp)
    gp = w.g(RUNNING)
    mp.curg, gp.m = gp, mp
    mp.horizon = 777
    assert preemptone(w.m, pp)
    assert gp.preempt
    assert pp.preempt
    assert mp.horizon == 0
    assert w.kinds() == [PROC_PREEMPT]


def test_nobody_is_asked_who_could_not_answer():
    w = Still(2)
    w.running()
    pp = w.sched.allp[1]
    assert not preemptone(w.m, pp)  # no thread
    mp = w.thread(pp)
    assert not preemptone(w.m, pp)  # in the scheduler
    mp.curg = w.g(SYSCALL)
    assert not preemptone(w.m, pp)  # in a system call
    assert not preemptone(w.m, w.p)  # oneself
    assert not mp.curg.preempt
    assert w.kinds() == []


def test_all_running_ps_are_asked_but_the_asker_s():
    w = Still(4)
    own = w.running()
    gs = []
    for pp in list(w.sched.pidle)[:2]:
        mp = w.thread(pp)
        mp.curg = w.g(RUNNING)
        mp.curg.m = mp
        gs.append(mp.curg)
    preemptall(w.m)
    assert [gp.preempt for gp in gs] == [True, True]
    assert not own.preempt


def test_the_request_ends_with_the_goroutine_that_got_it():
    """Lost preemption: who runs next on the P knows nothing of it (golang/go#52934)."""
    w = Still()
    gp = w.running()
    gp.preempt = True
    dropg(w.m)
    assert not gp.preempt
    following = w.g(RUNNING)
    w.m.curg, following.m = following, w.m
    assert horizon_of(w.m) == FOREVER + 1


def test_a_goroutine_that_ended_before_it_could_give_way_leaves_no_request_to_its_successor():
    """The successor uses the same record."""

    def main():
        done = chan()

        def asked():
            m, g = here()
            g.preempt = True
            m.horizon = 0

        def successor():
            done.send((here()[1].preempt, id(here()[1])))

        records_seen = set()
        for _ in range(4):
            go(asked)
            gosched()
            go(successor)
            is_asked, record = done.recv()
            assert not is_asked
            records_seen.add(record)
        return len(records_seen)

    assert run(main, gomaxprocs=1) < 4
    events = records(main, "go_yield", gomaxprocs=1)
    assert {event["why"] for event in events} == {"gosched"}


# The slow path.


def test_a_safepoint_within_the_horizon_joins_the_clocks():
    def main():
        m, g = here()
        past, future = Shared(0), Shared(m.clock + 5_000)
        assert safepoint(m, g, OP_SEND, past) is m
        assert past.ns == m.clock
        assert safepoint(m, g, OP_SEND, future) is g.m
        assert g.m.clock == future.ns
        assert g.m.clock >= past.ns + 4_000

    run(main, gomaxprocs=1)


def test_a_safepoint_past_the_horizon_lets_others_run_first():
    def main():
        m, g = here()
        m.clock += 10 * MILLISECOND
        sysmon = sched_here().sysmon_m
        assert sysmon.clock < m.clock
        safepoint(m, g, OP_WORK, None)
        assert g.m.clock <= sysmon.due_ns + sched_here().kernel.quantum

    run(main, gomaxprocs=1)


def test_a_safepoint_gives_way_when_asked():
    def main():
        order = []
        go(order.append, "other")
        m, g = here()
        g.preempt = True
        m.horizon = 0
        safepoint(m, g, OP_WORK, None)
        order.append("asked")
        assert not g.preempt
        return order

    assert run(main, gomaxprocs=1) == ["other", "asked"]
    assert [(e["queue"], e["why"]) for e in records(main, "go_yield", gomaxprocs=1)] == [("global", "preempted")]


def test_a_safe_point_function_runs_once_and_the_goroutine_goes_on():
    def main():
        m, g = here()
        ran = []
        sched = m.sched
        sched.safe_point_fn, sched.safe_point_wait = ran.append, 1
        m.p.run_safe_point_fn = True
        m.horizon = 0
        assert safepoint(m, g, OP_WORK, None) is m
        safepoint(m, g, OP_WORK, None)
        assert ran == [m.p]
        assert sched.safe_point_wait == 0

    run(main, gomaxprocs=1)
    assert records(main, "go_yield", gomaxprocs=1) == []


def test_a_primitive_in_an_abandoned_goroutine_does_nothing_or_ends_it():
    w = Still()
    gp = w.running()
    w.sched.is_ending = True
    assert safepoint(w.m, gp, OP_SEND, None) is None
    assert safepoint(w.m, gp, OP_SEND, Shared()) is None
    with pytest.raises(AbandonUnwind):
        safepoint(w.m, gp, OP_SEND, Shared(is_ready=False))


# Yielding.


def test_gosched_goes_global_and_wakes_a_spinner():
    w = Still(2)
    gp = w.running()
    gosched_m(w.m)
    assert list(w.sched.runq) == [gp]
    assert (gp.status, gp.m, w.m.curg) == (RUNNABLE, None, None)
    assert gp.ns == w.m.clock - (w.m.clock - gp.ns)
    assert w.sched.nmspinning == 1
    assert [event[5:] for event in w.events if event[0] == GO_YIELD] == [("global", "gosched")]


def test_goyield_goes_to_the_ring_and_wakes_nobody():
    w = Still(2)
    gp = w.running()
    goyield_m(w.m)
    assert list(w.p.runq) == [gp]
    assert w.sched.nmspinning == 0
    assert [event[5:] for event in w.events if event[0] == GO_YIELD] == [("ring", "goyield")]


def test_a_goroutine_that_computes_is_interrupted_in_the_middle():
    def main():
        ran = []
        go(lambda: ran.append(here()[0].clock))
        work(1)
        return ran

    (ran_ns,) = run(main, gomaxprocs=1)
    assert 10 * MILLISECOND <= ran_ns <= 21 * MILLISECOND


def test_without_asynchronous_preemption_it_is_not():
    def main():
        ran = []
        go(lambda: ran.append(here()[0].clock))
        work(1)
        ran.append(here()[0].clock)
        gosched()
        return ran

    mine_ns, other_ns = run(main, gomaxprocs=1, godebug="asyncpreemptoff=1")
    assert 1_000 * MILLISECOND <= mine_ns <= other_ns or other_ns >= 1_000 * MILLISECOND
