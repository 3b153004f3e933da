"""sched.schedule: in which order findRunnable looks, what inherits the time slice, and where goroutines land."""

import pytest

from goruntime import chan, go, run, select
from goruntime.base.errors import Throw
from goruntime.kernel import costs
from goruntime.kernel.threads import Kernel
from goruntime.lang.syscall import syscall
from goruntime.runtime import gomaxprocs, gosched, work
from goruntime.sched import timers
from goruntime.sched.park import goroutine_ready, park
from goruntime.sched.schedule import FAIRNESS, execute, find_runnable
from goruntime.sched.sema import Sema
from goruntime.sched.spin import become_spinning, stop_spinning
from goruntime.sched.status import RUNNABLE, WAITING
from goruntime.sched.waitreason import SEMACQUIRE
from goruntime.time import after_func, sleep

from .world import Still, goids, here, records, sched_here

# findRunnable, step by step: each step beats all that come after it.


def everything(w):
    """Work for every step that a P can do alone; the goroutines by step."""
    worker, shared, following, in_ring, sleeper = w.gs(5)
    sleeper.status = WAITING
    timer = timers.Timer(goroutine_ready, sleeper)
    timers.modify(w.m, timer, w.m.clock + 1, 0)
    w.m.clock += 10
    w.sched.work_sources.append(lambda m, pp: worker if worker.status == RUNNABLE else None)
    w.sched.runq.append(shared)
    w.p.runnext = following
    w.p.runq.append(in_ring)
    return worker, shared, following, in_ring, sleeper


def found(w):
    """The next goroutine, as `schedule` would take it."""
    gp, inherits, queue, why = find_runnable(w.m)
    gp.status = WAITING
    if not inherits:
        w.p.schedtick += 1
    return gp, inherits, queue, why


def test_the_order_within_a_p():
    """Timers run first and put whom they wake into runnext; the collector's workers come before everybody's queues."""
    w = Still()
    worker, shared, following, in_ring, sleeper = everything(w)
    w.p.schedtick = FAIRNESS - 1
    assert found(w) == (worker, False, "direct", "worker")
    assert found(w) == (shared, False, "global", "every 61st slice")
    assert found(w) == (sleeper, True, "runnext", "local")
    assert found(w) == (in_ring, False, "ring", "local")
    assert found(w) == (following, False, "ring", "local")  # the timer's goroutine kicked it there


def test_every_61st_slice_takes_exactly_one_from_the_global_queue():
    w = Still()
    gs = w.gs(5)
    w.sched.runq.extend(gs[:3])
    w.p.runq.extend(gs[3:])
    w.p.schedtick = 2 * FAIRNESS
    assert found(w)[0] is gs[0]
    assert list(w.sched.runq) == gs[1:3]
    assert found(w)[0] is gs[3]
    w.p.schedtick = FAIRNESS - 1
    assert found(w)[0] is gs[4]
    assert found(w)[2:] == ("global", "every 61st slice")


def test_an_empty_p_takes_a_batch_from_the_global_queue():
    w = Still()
    gs = w.gs(5)
    w.sched.runq.extend(gs)
    w.p.schedtick = 1
    assert found(w) == (gs[0], False, "global", "local queue is empty")
    assert list(w.p.runq) == gs[1:]


def test_stealing_comes_after_all_of_that():
    w = Still(2)
    victim = w.sched.allp[1]
    w.thread(victim)
    victim.runq.append(w.g())
    assert found(w)[2:] == ("direct", "stolen")
    assert w.m.spinning


def test_threads_do_not_spin_when_half_as_many_do_as_ps_are_busy():
    w = Still(4)
    for pp in list(w.sched.pidle):
        other = w.thread(pp)
        if pp.id < 3:
            become_spinning(other)
    victim = w.sched.allp[3]
    victim.runq.append(w.g())
    w.sched.lastpoll_ns = 0
    w.sched.needspinning = 0
    # Two of four busy Ps spin already: this thread gives its P up without stealing, and sleeps.
    with pytest.raises(Throw, match="no thread can ever run"):
        find_runnable(w.m)
    assert w.m.parked
    assert victim.runq
    assert w.sched.pidle[-1].id == 0


def test_a_spinner_that_is_needed_looks_once_more_before_it_gives_its_p_up():
    w = Still(1)
    w.sched.nmspinning = 1  # as if another did
    w.sched.needspinning = 1
    looked = []

    def choose(kind, n):
        looked.append(n)
        w.sched.runq.append(w.g())
        return 0

    w.m.choose = choose
    gp, *_ = find_runnable(w.m)
    assert gp.goid == 1
    assert looked == [1]
    assert w.m.spinning
    w.sched.nmspinning -= 1
    stop_spinning(w.m)


def test_work_that_came_behind_a_spinner_s_back_is_seen_by_its_last_look(monkeypatch):
    """Whoever brought it woke nobody, because somebody was spinning."""
    w = Still(3)
    for pp in list(w.sched.pidle):
        w.thread(pp)
    first, second = w.sched.allp[1:]
    first.runnext = w.g()
    late = w.g()
    w.m.choose = lambda kind, n: 2  # looks at P 2 before P 1

    def sleep(kernel, thread, duration_ns):
        """While the thief waits for P 1 to run its runnext, P 1 does, and P 2 gets work."""
        first.runnext = None
        second.runq.append(late)

    monkeypatch.setattr(Kernel, "sleep", sleep)
    assert find_runnable(w.m)[0] is late
    assert w.m.spinning  # so that it wakes the next one


def test_execute_clears_the_request_to_give_way_and_counts_the_slice():
    w = Still()
    for inherits, ticks in ((True, 7), (False, 8)):
        gp = w.g()
        gp.preempt = True
        gp.ns = w.m.clock + 500
        w.p.schedtick = 7
        gp.switch = None  # never runs
        with pytest.raises(TypeError):
            execute(w.m, gp, inherits, "ring", "test")
        assert not gp.preempt
        assert w.p.schedtick == ticks
        assert w.m.curg is gp
        assert gp.m is w.m
        assert w.m.clock == gp.ns


def test_only_runnable_goroutines_are_executed():
    w = Still()
    with pytest.raises(Throw, match="casgstatus: bad incoming values"):
        execute(w.m, w.g(WAITING), False, "ring", "test")


# Time slices.


def test_runnext_inherits_the_time_slice_and_the_ring_does_not():
    def main():
        gosched()
        gosched()  # the runtime's own goroutines have parked
        ch = chan()
        m, _ = here()

        def echo():
            for value in ch:
                ch.send(value)

        go(echo)
        before = m.p.schedtick
        for _ in range(20):
            ch.send(1)
            ch.recv()
        passed = m.p.schedtick - before
        before = m.p.schedtick
        for _ in range(10):
            gosched()
        return passed, m.p.schedtick - before

    assert run(main, gomaxprocs=1) == (0, 10)


# Where a goroutine lands.


def places():
    """What lies in this P's runnext and ring and in the global queue."""
    m, _ = here()
    following = m.p.runnext
    return (following.goid if following is not None else 0, goids(m.p.runq), goids(m.sched.runq))


def settled(main):
    """Run main on one P, after the runtime's own goroutines have parked."""

    def start():
        gosched()
        gosched()
        return main()

    return run(start, gomaxprocs=1)


def test_a_new_goroutine_lands_in_runnext():
    def main():
        go(gosched)
        go(gosched)
        return places()

    assert settled(main) == (8, [7], [])


@pytest.mark.parametrize("how", ["send", "recv", "close", "select"])
def test_a_goroutine_that_a_channel_wakes_lands_in_runnext(how):
    def main():
        ch, other = chan(), chan()
        if how == "select":
            go(select, ch.recv, other.recv)
        else:
            go(ch.send if how == "recv" else ch.recv, *([1] if how == "recv" else []))
        gosched()
        go(gosched)
        {"send": lambda: ch.send(1), "recv": ch.recv, "close": ch.close, "select": lambda: ch.send(1)}[how]()
        return places()

    assert settled(main) == (7, [8], [])


def test_sleepers_and_the_goroutines_of_after_func_land_in_runnext_when_their_timers_run():
    def main():
        order = []
        for number in range(3):
            go(lambda number=number: (sleep(1e-6), order.append(number)))
        gosched()
        for number in range(3, 6):
            after_func(1e-6, lambda number=number: order.append(number))
        work(1e-3)
        gosched()
        return order

    # They fire in the order in which they were armed: the last is next, each of the others was kicked to the ring.
    assert settled(main) == [5, 2, 0, 1, 3, 4]


def test_who_yields_lands_at_the_tail_of_the_global_queue():
    def main():
        seen = []
        go(lambda: seen.append(places()))
        gosched()
        return seen

    assert settled(main) == [(0, [], [1])]


def test_who_is_preempted_lands_at_the_tail_of_the_global_queue():
    def main():
        go(lambda: work(1e-6))
        work(100e-3)

    yields = records(main, "go_yield", gomaxprocs=1)
    assert {(event["queue"], event["why"]) for event in yields} == {("global", "preempted")}


def test_who_is_preempted_because_the_world_stops_stays_in_runnext():
    def main():
        done = chan()
        go(lambda: (work(5e-3), done.send(None)))
        sleep(500e-6)
        gomaxprocs(2)
        done.recv()

    yields = records(main, "go_yield", gomaxprocs=3)
    assert [(event["queue"], event["why"]) for event in yields] == [("runnext", "stop the world")]


def test_who_comes_back_from_a_system_call_to_no_p_lands_in_the_global_queue():
    def main():
        seen = []
        go(lambda: (syscall(abs, 1, takes=500e-6), seen.append(None)))
        gosched()
        work(1e-3)  # its P has been taken by now
        return places()

    assert settled(main)[2] == [7]


def test_a_semaphore_s_hand_off_lands_the_releaser_at_its_ring_s_tail_and_wakes_nobody():
    def main():
        sema, seen = Sema(1), []
        m, g = here()

        def wait():
            m, g = here()
            sema.acquire(m, g)
            seen.append((places(), sched_here().nmspinning))

        sema.acquire(m, g)
        go(wait)
        gosched()
        go(gosched)
        sema.release(*here(), is_handoff=True)
        return seen

    # The waiter was in runnext; the new goroutine, kicked out of it, is before the releaser.
    assert settled(main) == [((0, [8, 1], []), 0)]


def test_goroutines_that_the_poller_readies_are_spread_over_idle_ps_and_the_rest_kept():
    w = Still(3)
    gs = w.gs(5)
    for gp in gs:
        gp.status = WAITING
    w.sched.injectglist(w.m, gs)
    assert list(w.sched.runq) == gs[:2]
    assert list(w.p.runq) == gs[2:]
    assert [mp.nextp.id for mp in w.sched.allm if mp.nextp is not None] == [2, 1]
    assert w.sched.nmspinning == 0
    assert all(gp.status == RUNNABLE for gp in gs)


def test_a_thread_without_a_p_readies_into_the_global_queue():
    w = Still(2)
    gs = w.gs(3)
    for gp in gs:
        gp.status = WAITING
    w.sched.injectglist(w.thread(), gs)
    assert list(w.sched.runq) == gs
    assert sum(mp.nextp is not None for mp in w.sched.allm) == 1
    w.sched.injectglist(w.m, [])


def test_readying_and_starting_wake_a_spinner_and_yielding_to_the_ring_does_not():
    def main():
        sema = Sema(0)
        woken = []

        def wait():
            m, g = here()
            park(m, g, SEMACQUIRE, sema)

        for _ in range(2):
            go(wait)
        sleep(1e-3)
        work(1e-3)  # whoever woke with this goroutine has stopped spinning
        sched = sched_here()
        woken.append((sched.nmspinning, sched.npidle))
        go(gosched)
        woken.append((sched.nmspinning, sched.npidle))
        return woken

    assert run(main, gomaxprocs=3) == [(0, 2), (1, 1)]


# A program's own view.


def test_idle_ps_are_used_when_there_is_work():
    def main():
        begin = here()[0].clock
        done = chan()
        for _ in range(4):
            go(lambda: (work(10e-3), done.send(None)))
        for _ in range(4):
            done.recv()
        return here()[0].clock - begin

    took = [run(main, gomaxprocs=count) for count in (1, 2, 4)]
    assert 40e6 < took[0] < 41e6
    assert 20e6 < took[1] < 21e6
    assert 10e6 < took[2] < 11e6


def test_eight_seconds_of_computing_take_8_4_2_and_1_seconds():
    def main():
        done = chan()
        for _ in range(8):
            go(lambda: (work(1), done.send(None)))
        for _ in range(8):
            done.recv()
        return here()[0].clock / 1e9

    for gomaxprocs_, expected in ((1, 8), (2, 4), (4, 2), (8, 1)):
        assert expected <= run(main, gomaxprocs=gomaxprocs_) < expected * 1.01


def test_the_schedule_is_charged():
    def main():
        before = here()[0].clock
        gosched()
        return here()[0].clock - before

    assert run(main, gomaxprocs=1) >= costs.GOSCHED + costs.SCHEDULE
