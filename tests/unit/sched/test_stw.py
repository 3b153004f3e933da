"""sched.stw: stopping the world, and changing the number of Ps meanwhile."""

import pytest

from goruntime import chan, go, run, select
from goruntime.base.errors import Throw
from goruntime.base.events import STW_STOPPED
from goruntime.kernel import costs
from goruntime.lang.syscall import syscall
from goruntime.runtime import gomaxprocs, gosched, lock_os_thread, work
from goruntime.sched import timers
from goruntime.sched.spin import releasep
from goruntime.sched.status import PDEAD, PGCSTOP, PIDLE, PRUNNING
from goruntime.sched.stw import gcstopm, one_stopped, procresize, with_world_stopped
from goruntime.time import after, sleep

from .world import Still, here, records, sched_here

QUANTA = [0, 1e-6, 5e-6, 50e-6]
# No goroutine is asked in the middle of these: a thief that waits for a victim's runnext, a thread that wakes up.
LONGEST_STEP = max(costs.STEAL_RUNNEXT_SLEEP, costs.THREAD_START, costs.THREAD_WAKE) + costs.FUTEX_WAKE


def load():
    """Keep four Ps busy in every way, and change their number again and again."""
    channels = [chan(2) for _ in range(4)]
    stop = chan()

    def busy(number):
        ch = channels[number % 4]
        for turn in range(1_000_000):
            if turn % 3 == 0:
                work(3e-6 * (number + 1))
            if turn % 11 == number:
                syscall(abs, 1, takes=20e-6)
            index, _ = select((ch.send, turn), stop.recv, ch.recv)
            if index == 1:
                return
            if turn % 5 == 0:
                gosched()
            if turn % 7 == 0:
                go(work, 1e-6)

    for number in range(10):
        go(busy, number)
    for turn in range(30):
        sleep(50e-6 * (turn % 3))
        gomaxprocs(4 - turn % 2)
    stop.close()


@pytest.mark.slow
@pytest.mark.parametrize("quantum", QUANTA)
def test_a_stop_ends_within_a_quantum_and_the_longest_step_under_load(quantum):
    stops = []
    for seed in range(3):
        events = []
        run(load, gomaxprocs=4, quantum=quantum, seed=seed, events=events)
        stops += [event[5] for event in events if event[0] == STW_STOPPED]
    assert len(stops) > 50
    assert max(stops) <= quantum * 1e9 + LONGEST_STEP
    assert max(stops) > costs.STOP_THE_WORLD  # some had to be waited for


def test_a_goroutine_that_computes_is_stopped_at_once():
    def main():
        for _ in range(3):
            go(work, 1)
        sleep(1e-3)
        gomaxprocs(3)

    (stopped,) = records(main, "stw_stopped", gomaxprocs=4)
    assert stopped["stopping_ns"] <= 5_000 + costs.STOP_THE_WORLD


def test_nobody_runs_while_the_world_stands():
    def main():
        running = []
        for _ in range(6):
            go(work, 10e-3)
        sleep(2e-3)

        def look(m):
            sched = m.sched
            running.append([pp.status for pp in sched.allp])
            before = [mp.clock for mp in sched.allm]
            sched.kernel.sleep(m, 1_000_000)
            after_it = [mp.clock for mp in sched.allm]
            running.append([mp.id for mp, a, b in zip(sched.allm, before, after_it, strict=True) if a != b])

        m, g = here()
        with_world_stopped(m, g, "test", look)
        return running, m.id

    (statuses, moved), own = run(main, gomaxprocs=4)
    assert statuses == [PGCSTOP] * 4
    assert set(moved) <= {own, 1}  # and sysmon


def test_system_calls_lose_their_p_and_get_one_afterwards():
    def main():
        done = chan()
        go(lambda: (syscall(abs, 1, takes=3e-3), done.send(None)))
        sleep(1e-3)
        gomaxprocs(2)
        done.recv()

    events = records(main, "go_sysexit", "stw_stopped", "proc_retake", gomaxprocs=3)
    assert [event["event"] for event in events] == ["stw_stopped", "go_sysexit"]
    assert events[1]["how"] == "took an idle P"


def test_who_wants_to_stop_the_world_waits_in_line_and_does_not_run_at_once():
    """Go hands the semaphore over without giving way."""

    def main():
        order = []
        done = chan()

        def stop(name):
            m, g = here()
            with_world_stopped(m, g, name, lambda m: (order.append(name), m.sched.kernel.sleep(m, 50_000)))
            order.append(f"{name} goes on")
            done.send(None)

        for name in "abc":
            go(stop, name)
        for _ in "abc":
            done.recv()
        return order

    order = run(main, gomaxprocs=1)
    assert order == ["c", "c goes on", "a", "a goes on", "b", "b goes on"]
    assert sorted(order) == sorted(run(main, gomaxprocs=4))


def test_events_tell_the_reason_and_the_times():
    def main():
        gomaxprocs(1)

    begin, stopped, end = records(main, "stw_begin", "stw_stopped", "stw_end", gomaxprocs=2)
    assert begin["reason"] == "GOMAXPROCS"
    assert stopped["stopping_ns"] == stopped["ns"] - begin["ns"]
    assert end["total_ns"] == end["ns"] - begin["ns"]


# procresize.


def stopped(gomaxprocs):
    """A world that stands; m's P is stopped as well."""
    w = Still(gomaxprocs)
    for pp in w.sched.allp:
        pp.status = PGCSTOP
        pp.is_idle = False
    w.sched.pidle.clear()
    w.sched.npidle = 0
    w.sched.gcwaiting = True
    return w


def test_the_goroutines_of_a_dying_p_go_to_the_head_of_the_global_queue_in_order():
    w = stopped(3)
    old, one, two, three, four, five, six = w.gs(7)
    w.sched.runq.append(old)
    w.sched.allp[1].runnext = one
    w.sched.allp[1].runq.extend([two, three])
    w.sched.allp[2].runnext = four
    w.sched.allp[2].runq.extend([five, six])
    assert procresize(w.m, 1) == []
    # P 1 is destroyed first, so what P 2 had is before it; runnext is before its ring.
    assert list(w.sched.runq) == [four, five, six, one, two, three, old]
    assert [pp.status for pp in w.sched.all_p_ever] == [PRUNNING, PDEAD, PDEAD]
    assert w.sched.allp == [w.p]


def test_the_current_p_is_kept_if_it_survives_else_p_0_is_taken():
    w = stopped(4)
    keep = w.p
    procresize(w.m, 2)
    assert w.p is keep
    w = stopped(4)
    w.p.m = None
    last = w.sched.allp[3]
    w.m.p, last.m = last, w.m
    gp = w.g()
    last.runq.append(gp)
    procresize(w.m, 3)
    assert w.p.id == 0
    assert (last.m, last.status) == (None, PDEAD)
    assert list(w.sched.runq) == [gp]


def test_timers_of_a_dying_p_move_to_the_current_one():
    w = stopped(2)
    fired = []
    due = [timers.Timer(lambda m, arg, seq, delay: fired.append(arg), name) for name in "abc"]
    dying = w.sched.allp[1]
    w.m.p, own = dying, w.p
    for timer, when_ns in zip(due, (300, 100, 200), strict=True):
        timers.modify(w.m, timer, when_ns, 0)
    timers.stop(w.m, due[2])
    w.m.p = own
    w.sched.needspinning = 0
    procresize(w.m, 1)
    assert dying.timers == []
    assert dying.zombies == 0
    assert [entry[0] for entry in sorted(w.p.timers, key=lambda entry: entry[:2])] == [100, 300]
    assert w.sched.needspinning == 0  # nobody was woken for them
    w.m.clock = 400
    timers.check_timers(w.m, w.p)
    assert fired == ["b", "a"]


def test_growing_makes_idle_ps_and_revives_dead_ones():
    w = stopped(4)
    procresize(w.m, 1)
    dead = w.sched.all_p_ever[1:]
    w.p.status = PGCSTOP
    procresize(w.m, 6)
    assert w.sched.allp[1:4] == dead
    assert [pp.status for pp in w.sched.allp] == [PRUNNING] + [PIDLE] * 5
    assert [pp.id for pp in w.sched.pidle] == [1, 2, 3, 4, 5]  # the highest on top
    assert len(w.sched.steal_steps) == 2


def test_ps_with_work_are_returned_in_order_and_not_idle():
    w = stopped(4)
    for ident in (1, 3):
        w.sched.allp[ident].runq.append(w.g())
    assert [pp.id for pp in procresize(w.m, 4)] == [1, 3]
    assert [pp.id for pp in w.sched.pidle] == [2]


def test_new_ps_know_that_goroutines_are_locked():
    """Else the fast path of parking would run a locked goroutine on the wrong thread."""

    def main():
        lock_os_thread()
        gomaxprocs(5)
        return [pp.next_check_ns for pp in sched_here().allp]

    assert run(main, gomaxprocs=1) == [0] * 5


def test_free_goroutine_records_of_a_dying_p_are_kept():
    w = stopped(2)
    gs = w.gs(3)
    w.sched.allp[1].gfree = list(gs)
    procresize(w.m, 1)
    assert w.sched.gfree == gs[::-1]
    assert w.sched.all_p_ever[1].gfree == []


def test_no_ps_at_all_is_our_bug():
    w = stopped(1)
    with pytest.raises(Throw, match="procresize: invalid arg"):
        procresize(w.m, 0)


def test_who_stops_without_being_asked_is_our_bug():
    w = Still(2)
    with pytest.raises(Throw, match="not waiting for gc"):
        gcstopm(w.m)
    releasep(w.m)
    with pytest.raises(Throw, match="stopwait < 0"):
        one_stopped(w.m)


# GOMAXPROCS as programs see it.


def test_gomaxprocs_returns_the_number_before():
    def main():
        return [gomaxprocs(), gomaxprocs(2), gomaxprocs(0), gomaxprocs(7), gomaxprocs(-1), gomaxprocs(1), gomaxprocs()]

    assert run(main, gomaxprocs=3) == [3, 3, 2, 2, 7, 7, 1]
    assert len(records(main, "stw_begin", gomaxprocs=3)) == 3
    changes = [(event["old"], event["new"]) for event in records(main, "maxprocs", gomaxprocs=3)]
    assert changes == [(3, 2), (2, 7), (7, 1)]


def test_nothing_is_lost_when_ps_come_and_go():
    def main():
        total = chan(64)
        for number in range(64):
            go(lambda number=number: (work(number * 1e-6), after(number * 10e-6).recv(), total.send(number)))
        for count in (1, 4, 2, 8, 3, 1):
            sleep(20e-6)
            gomaxprocs(count)
        return sum(total.recv() for _ in range(64))

    assert run(main, gomaxprocs=4) == sum(range(64))


def test_threads_come_back_to_the_p_they_had():
    def main():
        for _ in range(3):
            go(work, 50e-3)
        sleep(2e-3)
        sched = sched_here()
        own = here()[0].p
        before = {pp.id: pp.m.id for pp in sched.allp if pp is not own}
        with_world_stopped(*here(), "test", lambda m: None)
        work(100e-6)
        return before, {pp.id: pp.m.id for pp in sched.allp if pp is not own}

    before, after_it = run(main, gomaxprocs=4)
    assert before == after_it


def test_stops_are_timed_the_collectors_apart():
    def main():
        for reason in ("GOMAXPROCS", "GC sweep termination", "read mem stats", "GC mark termination"):
            with_world_stopped(*here(), reason, lambda _: None)
        return {name: sum(histogram.all_counts()) for name, histogram in sched_here().pauses.items()}

    assert run(main) == {"stopping/other": 2, "total/other": 2, "stopping/gc": 2, "total/gc": 2}
