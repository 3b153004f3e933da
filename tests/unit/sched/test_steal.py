"""sched.steal: in which order a thread without work looks at the others, and what it takes."""

from math import gcd

import pytest

from goruntime import chan, go, run
from goruntime.base.choose import STEAL
from goruntime.base.events import PROC_STEAL
from goruntime.kernel import costs
from goruntime.runtime import lock_os_thread, work
from goruntime.sched.spin import become_spinning
from goruntime.sched.status import PIDLE, SYSCALL
from goruntime.sched.steal import runqget, runqsteal, steal_order, steal_work
from goruntime.time import sleep

from .world import Still, goids, here, records


@pytest.mark.parametrize("count", range(1, 40))
def test_every_order_visits_every_p_once(count):
    steps = steal_order(count)
    assert steps == tuple(step for step in range(1, count + 1) if gcd(step, count) == 1)
    for step in steps:
        for start in range(count):
            assert sorted((start + step * i) % count for i in range(count)) == list(range(count))


def thief(gomaxprocs=2, **options):
    """A spinning thread on P 0; every other P runs on a thread of its own."""
    w = Still(gomaxprocs, **options)
    for pp in list(w.sched.pidle):
        w.thread(pp)
    become_spinning(w.m)
    w.events.clear()
    return w


@pytest.mark.parametrize("count", [1, 2, 3, 7, 8, 255, 256])
def test_half_is_stolen_rounded_up_from_the_head_and_the_last_of_it_runs_now(count):
    w = thief()
    victim = w.sched.allp[1]
    gs = w.gs(count)
    victim.runq.extend(gs)
    gp, inherits, again, when_ns = steal_work(w.m)
    taken = (count + 1) // 2
    assert gp is gs[taken - 1]
    assert goids(w.p.runq) == [g.goid for g in gs[: taken - 1]]
    assert goids(victim.runq) == [g.goid for g in gs[taken:]]
    assert (inherits, again, when_ns) == (False, False, 0)
    assert [event[5:] for event in w.events if event[0] == PROC_STEAL] == [(1, taken, "ring")]


def test_nothing_to_steal():
    w = thief(4)
    assert steal_work(w.m) == (None, False, False, 0)


def test_the_ring_comes_before_runnext():
    w = thief()
    victim = w.sched.allp[1]
    victim.runnext, in_ring = w.gs(2)
    victim.runq.append(in_ring)
    gp, *_ = steal_work(w.m)
    assert gp is in_ring
    assert victim.runnext is not None


def test_runnext_is_stolen_only_in_the_fourth_pass():
    w = thief()
    victim = w.sched.allp[1]
    victim.runnext = w.g()
    assert runqsteal(w.m, w.p, victim, False) is None
    victim.m.curg = w.g(SYSCALL)
    victim.m.curg.m = victim.m
    taken = victim.runnext
    before_ns = w.m.clock
    assert runqsteal(w.m, w.p, victim, True) is taken
    assert w.m.clock == before_ns  # its owner is in a system call: there is nothing to wait for
    assert victim.runnext is None


def test_runnext_of_a_p_in_transit_to_a_sleeping_thread_is_taken_at_once():
    w = thief()
    victim = w.sched.allp[1]
    victim.m.p, victim.m, victim.status = None, None, PIDLE
    victim.runnext = w.g()
    before_ns = w.m.clock
    gp, *_ = steal_work(w.m)
    assert gp.goid == 1
    assert w.m.clock == before_ns + costs.STEAL_PASS


def test_the_ring_of_a_p_in_transit_is_stolen_from_too():
    w = thief()
    victim = w.sched.allp[1]
    victim.m.p, victim.m, victim.status = None, None, PIDLE
    gs = w.gs(4)
    victim.runq.extend(gs)
    assert steal_work(w.m)[0] is gs[1]


def test_idle_ps_are_skipped():
    w = Still(3)
    become_spinning(w.m)
    busy = w.sched.allp[1]
    w.thread(busy)
    idle = w.sched.allp[2]
    assert idle.is_idle
    idle.runq.append(w.g())  # cannot be; it shows who is looked at
    assert steal_work(w.m)[0] is None


def test_stopping_the_world_ends_the_search():
    w = thief()
    w.sched.allp[1].runq.extend(w.gs(2))
    w.sched.gcwaiting = True
    assert steal_work(w.m) == (None, False, True, 0)


def test_four_passes_each_draw_a_start_and_a_step():
    asked = []

    w = thief(4)
    w.m.choose = lambda kind, n: asked.append((kind, n)) or 0
    w.sched.allp[3].runq.append(w.g())
    w.sched.allp[3].is_idle = True  # so that it is never found
    assert steal_work(w.m)[0] is None
    assert asked == [(STEAL, 4 * 2)] * 4


def test_the_thief_is_not_behind_what_it_took():
    w = thief()
    gs = w.gs(3)
    gs[0].ns = 9_000
    w.sched.allp[1].runq.extend(gs)
    steal_work(w.m)
    assert w.m.clock == 9_000


def test_a_stolen_batch_that_comes_later_is_looked_at_first():
    w = thief()
    first, second, third = w.gs(3)
    w.p.runnext = first
    w.p.runq.extend([second, third])
    assert runqget(w.p) == (first, True)
    assert runqget(w.p) == (second, False)
    assert runqget(w.p) == (third, False)
    assert runqget(w.p) == (None, False)


def test_in_a_program_runnext_is_left_to_its_owner_for_3_us_and_then_taken():
    """The main goroutine computes on; what it started sits in runnext and is stolen in the end."""

    def main():
        sleep(1e-3)  # until the runtime's own goroutines have parked
        done = chan()
        go(done.send, 1)
        work(1e-3)
        done.recv()

    events = records(main, "proc_steal", "go_create", gomaxprocs=2)
    created, stolen = events[-2:]
    assert (created["event"], stolen["event"], stolen["what"]) == ("go_create", "proc_steal", "runnext")
    assert stolen["ns"] - created["ns"] >= costs.STEAL_RUNNEXT_SLEEP


def test_in_a_program_whoever_parks_soon_keeps_its_runnext():
    def main():
        sleep(1e-3)
        done = chan()
        for _ in range(50):
            go(done.send, 1)
            done.recv()

    assert [event for event in records(main, "proc_steal", gomaxprocs=2) if event["ns"] > 1e6] == []


def test_everything_a_busy_p_has_gets_stolen():
    def main():
        ran = chan(200)

        def record():
            ran.send(here()[0].p.id)

        for _ in range(200):
            go(record)
        work(5e-3)
        return [ran.recv() for _ in range(200)]

    places = run(main, gomaxprocs=4)
    assert len(places) == 200
    assert 0 not in places  # P 0 computes


def test_a_thread_that_is_locked_to_another_goroutine_hands_what_it_stole_over():
    def main():
        lock_os_thread()
        done = chan()

        def locked():
            lock_os_thread()
            done.send(here()[0].id)

        go(locked)
        go(locked)
        threads = {done.recv(), done.recv()}
        assert here()[0].id not in threads
        assert len(threads) == 2

    records(main, gomaxprocs=2)
