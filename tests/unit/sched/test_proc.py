"""sched.proc: goroutines begin and end, records are reused as Go reuses them, and deadlocks are seen."""

import contextvars
import weakref

import pytest

from goruntime import chan, defer, func, go, nilchan, run, select
from goruntime.base.errors import Deadlock, Throw, Timeout
from goruntime.lang.syscall import syscall
from goruntime.runtime import goexit, gosched, lock_os_thread
from goruntime.sched.g import GFREE_SPILL
from goruntime.sched.proc import GFREE_REFILL, GOID_BATCH, check_goroutines, checkdead, gfget, gfput, newproc1
from goruntime.sched.status import DEAD, RUNNABLE, RUNNING, WAITING
from goruntime.time import Timer, sleep
from tests.model.invariants import doors

from .world import Still, here, sched_here


def test_a_new_goroutine_is_runnable_and_in_no_queue():
    w = Still()
    w.m.clock = 77
    gp = newproc1(w.m, print, (1, 2), {"sep": "-"})
    assert (gp.status, gp.goid, gp.fn, gp.args, gp.kwargs) == (RUNNABLE, 1, print, (1, 2), {"sep": "-"})
    assert gp.ns == 77
    assert w.p.is_runq_empty()
    assert w.sched.allgs == [gp]


def test_ids_come_in_batches_of_16_per_p():
    w = Still(2)
    first = [newproc1(w.m, print, (), {}).goid for _ in range(3)]
    w.m.p, own = w.sched.allp[1], w.p
    other = [newproc1(w.m, print, (), {}).goid for _ in range(17)]
    w.m.p = own
    again = [newproc1(w.m, print, (), {}).goid for _ in range(14)]
    assert first == [1, 2, 3]
    assert other == [*range(17, 33), 33]
    assert again == [*range(4, 17), 49]
    assert w.sched.goid_last == 4 * GOID_BATCH


def test_64_dead_ones_spill_33_so_that_the_oldest_of_them_is_reused_first():
    w = Still()
    gs = [w.g(DEAD) for _ in range(GFREE_SPILL)]
    for gp in gs[:-1]:
        gfput(w.sched, w.p, gp)
    assert len(w.p.gfree) == 63
    assert w.sched.gfree == []
    gfput(w.sched, w.p, gs[-1])
    assert w.p.gfree == gs[:31]
    assert w.sched.gfree[::-1] == gs[31:]  # the end is what is taken next


def test_a_refill_takes_32_and_turns_their_order_round():
    w = Still()
    gs = [w.g(DEAD) for _ in range(40)]
    w.sched.gfree = list(gs)
    assert gfget(w.sched, w.p) is gs[40 - GFREE_REFILL]
    assert w.p.gfree == gs[:8:-1]
    assert w.sched.gfree == gs[:8]


def test_only_the_dead_are_kept():
    w = Still()
    with pytest.raises(Throw, match="bad status"):
        gfput(w.sched, w.p, w.g(RUNNABLE))
    w.p.gfree.append(w.g(WAITING))
    with pytest.raises(Throw, match="new g is not Gdead"):
        newproc1(w.m, print, (), {})


@pytest.mark.parametrize("is_open", [True, False])
def test_records_are_reused_and_goids_are_not(is_open):
    def main():
        seen = set()
        done = chan()

        def one():
            seen.add((here()[1].goid, id(here()[1])))
            done.send(None)

        for _ in range(50):
            go(one)
            done.recv()
        return len({goid for goid, _ in seen}), len({record for _, record in seen}), len(sched_here().allgs)

    with doors(is_open):
        goids, records, all_records = run(main, gomaxprocs=1)
    assert goids == 50
    assert records <= 2
    assert all_records <= 10


@pytest.mark.parametrize("is_open", [True, False])
def test_a_thousand_at_once_leave_at_most_31_to_63_at_a_p_and_the_rest_to_all(is_open):
    def main():
        done = chan(1000)
        for _ in range(3):
            for _ in range(1000):
                go(done.send, None)
            for _ in range(1000):
                done.recv()
            sched = sched_here()
            assert all(len(pp.gfree) < GFREE_SPILL for pp in sched.allp)
        return len(sched.allgs), len(sched.gfree) + sum(len(pp.gfree) for pp in sched.allp)

    with doors(is_open):
        count, free = run(main, gomaxprocs=1)
    assert 1000 <= count <= 1010
    assert count - free <= 6 + 1


@pytest.mark.parametrize("is_open", [True, False])
def test_both_ways_of_ending_spill_at_64(is_open):
    def main():
        lengths, done = [], chan(80)

        def short():
            lengths.append(len(here()[0].p.gfree))
            done.send(None)

        for _ in range(80):
            go(short)
        for _ in range(80):
            done.recv()
        return lengths

    with doors(is_open):
        lengths = run(main, gomaxprocs=1)
    assert lengths == [*range(64), *range(31, 47)]


def test_each_goroutine_has_a_context_of_its_own():
    variable = contextvars.ContextVar("variable", default=0)

    def main():
        done = chan()
        seen = []

        def one(number):
            seen.append(variable.get())
            variable.set(number)
            gosched()
            assert variable.get() == number
            done.send(None)

        for number in range(1, 4):
            go(one, number)
        for _ in range(3):
            done.recv()
        go(one, 9)  # on a record that was used before
        done.recv()
        return seen

    assert run(main, gomaxprocs=1) == [0, 0, 0, 0]
    variable.set(5)
    assert run(main, gomaxprocs=1) == [5, 5, 5, 5]
    assert variable.get() == 5


def test_arguments_of_every_shape_arrive():
    def main():
        got = chan(1)

        def take(*args, **kwargs):
            got.send((args, kwargs))

        for args, kwargs in (((), {}), ((1,), {}), ((1, 2), {}), ((), {"k": 3}), ((1,), {"k": 3})):
            go(take, *args, **kwargs)
            assert got.recv() == (args, kwargs)

    run(main, gomaxprocs=1)


def test_an_ended_goroutine_holds_nothing_of_the_user_s():
    class Held:
        pass

    def main():
        done = chan()
        held = Held()
        gone = weakref.ref(held)

        def take(first, second=None):
            done.send(None)

        for args, kwargs in (((held,), {}), ((held, held), {}), ((held,), {"second": held})):
            go(take, *args, **kwargs)
            done.recv()
            gosched()
        del held, args, kwargs
        return gone() is None

    for is_open in (True, False):
        with doors(is_open):
            assert run(main, gomaxprocs=1)


# The deadlock check.


def deadlock(main, **config):
    with pytest.raises(Deadlock) as caught:
        run(main, **config)
    return str(caught.value).split("\n")[0]


ASLEEP = "fatal error: all goroutines are asleep - deadlock!"


@pytest.mark.parametrize("gomaxprocs", [1, 2, 4])
@pytest.mark.parametrize("is_open", [True, False])
def test_nobody_can_ever_run_again(gomaxprocs, is_open):
    def main():
        ch = chan()
        for _ in range(5):
            go(ch.recv)
        select()

    with doors(is_open):
        assert deadlock(main, gomaxprocs=gomaxprocs) == ASLEEP


def test_main_left_and_the_others_finished():
    @func
    def main():
        defer(lambda: None)
        go(sleep, 1e-3)
        goexit()

    expected = "fatal error: no goroutines (main called runtime.Goexit) - deadlock!"
    for gomaxprocs in (1, 4):
        assert deadlock(main, gomaxprocs=gomaxprocs) == expected


def test_main_left_and_the_others_are_stuck():
    def main():
        go(nilchan.recv)
        goexit()

    assert deadlock(main) == ASLEEP


def test_a_sleeper_hides_it_until_its_time_comes():
    def main():
        go(sleep, 2)
        nilchan.recv()

    with pytest.raises(Deadlock):
        run(main)
    with pytest.raises(Timeout):
        run(main, max_time=1)


def test_a_stopped_timer_does_not_hide_it_for_ever():
    def main():
        Timer(3_600).stop()
        nilchan.recv()

    assert deadlock(main, gomaxprocs=1) == ASLEEP


def test_a_system_call_in_flight_is_no_deadlock():
    def main():
        done = chan()
        go(lambda: done.send(syscall(abs, -3, takes=2)))
        return done.recv()

    assert run(main, gomaxprocs=1) == 3


@pytest.mark.parametrize("gomaxprocs", [1, 2])
def test_threads_that_are_locked_or_gone_are_counted_right(gomaxprocs):
    def main():
        lock_os_thread()
        done = chan()

        def locked(is_last):
            lock_os_thread()
            done.send(None)
            if is_last:
                nilchan.recv()

        for number in range(3):
            go(locked, number == 2)  # two of their threads end with them
            done.recv()
        nilchan.recv()

    assert deadlock(main, gomaxprocs=gomaxprocs) == ASLEEP


def test_thread_0_that_was_left_by_its_goroutine_is_no_running_thread():
    def main():
        lock_os_thread()
        go(nilchan.recv)
        goexit()

    assert deadlock(main, gomaxprocs=2) == ASLEEP


def test_the_check_counts_threads():
    w = Still()
    checkdead(w.sched)  # this thread runs
    w.sched.nmsys = 2
    with pytest.raises(Throw, match="inconsistent counts"):
        checkdead(w.sched)
    w.sched.nmsys = 1
    w.g(RUNNABLE)
    with pytest.raises(Throw, match="runnable g"):
        checkdead(w.sched)


def test_goroutines_are_where_their_state_says():
    w = Still()
    gp = w.running()
    check_goroutines(w.sched)
    gp.m = None
    with pytest.raises(Throw, match="on no thread"):
        check_goroutines(w.sched)
    w.m.curg = None
    gp.status, gp.m = RUNNABLE, w.m
    with pytest.raises(Throw, match="does not run is on a thread"):
        check_goroutines(w.sched)
    assert RUNNING != RUNNABLE
