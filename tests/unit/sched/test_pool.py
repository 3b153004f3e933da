"""sched.pool: greenlets that outlive runtimes, never more than a bound."""

import gc
import sys
import threading

import pytest
from greenlet import getcurrent, greenlet

from goruntime import chan, go, nilchan, run
from goruntime.base.errors import Deadlock
from goruntime.lang.syscall import syscall
from goruntime.sched.g import G
from goruntime.sched.pool import G0, MAX_POOLED_G, MAX_POOLED_G0, pool_of_this_thread

from .world import here


def crowd(count, **config):
    def main():
        ch = chan()
        for _ in range(count):
            go(ch.recv)
        nilchan.recv()

    with pytest.raises(Deadlock):
        run(main, gomaxprocs=1, **config)


def alive(kind):
    """Greenlets of a kind that have a stack."""
    gc.collect()
    return [g for g in gc.get_objects() if type(g) is kind and not g.dead and g.gr_frame is not None]


def test_goroutines_are_reused_by_the_next_run():
    def main():
        return id(here()[1])

    assert run(main) == run(main)


@pytest.mark.slow
def test_the_pool_is_bounded_and_nothing_else_stays():
    crowd(3)
    others = len(alive(G)) - len(pool_of_this_thread().free_g)  # of other threads
    crowd(MAX_POOLED_G + 500)
    pool = pool_of_this_thread()
    assert len(pool.free_g) <= MAX_POOLED_G
    assert len(pool.free_g0) <= MAX_POOLED_G0
    assert len(alive(G)) - len(pool.free_g) == others


def test_many_threads_at_once_are_bounded_too():
    def main():
        done = chan()
        for _ in range(MAX_POOLED_G0 + 10):
            go(lambda: done.send(syscall(abs, 1, takes=10e-3)))
        for _ in range(MAX_POOLED_G0 + 10):
            done.recv()

    run(main, gomaxprocs=1)
    assert len(pool_of_this_thread().free_g0) <= MAX_POOLED_G0
    assert all(g0.mp is None for g0 in pool_of_this_thread().free_g0)


def test_a_resting_goroutine_holds_nothing_of_the_run_that_is_over():
    crowd(20)
    for gp in pool_of_this_thread().free_g:
        assert gp.m is None
        assert (gp.fn, gp.args, gp.kwargs, gp.timer, gp.param, gp.wait_object) == (None, (), {}, None, None, None)
        assert not gp.preempt
        assert gp.lockedm is None


def test_each_host_thread_has_its_own():
    pools = []

    def main():
        return type(getcurrent())

    def thread():
        pools.append((pool_of_this_thread(), run(main)))

    other = threading.Thread(target=thread)
    other.start()
    other.join()
    assert pools[0][0] is not pool_of_this_thread()
    assert pools[0][1] is G


def test_new_goroutines_do_not_stand_on_the_stack_of_who_started_them():
    """A greenlet started from another inherits its depth; the nursery starts all of them from its own."""

    def main():
        depths = chan(1)

        def deep(levels):
            if levels:
                deep(levels - 1)
            else:
                go(lambda: depths.send(len(frames())))

        found = []
        for levels in (0, 500):
            deep(levels)
            found.append(depths.recv())
        return found

    def frames():
        frame, found = sys._getframe(), []
        while frame is not None:
            found.append(frame)
            frame = frame.f_back
        return found

    shallow, deep = run(main, gomaxprocs=1)
    assert deep == shallow


def test_a_g0_is_no_goroutine():
    assert not issubclass(G0, G)
    assert issubclass(G0, greenlet)
    assert not hasattr(G0(), "m")
