"""The shortcuts of gosched and sleep: what they do is event for event what the way through g0 does."""

import random

import pytest

from goruntime import chan, go, run
from goruntime.base.events import GO_START
from goruntime.runtime import gosched, work
from goruntime.sched.status import RUNNABLE, WAITING
from goruntime.time import after_func, sleep
from tests.model.invariants import checked_at_every_step, doors

from .world import here


def program(seed, count, rounds):
    """Goroutines that yield, sleep and compute, and timers that are armed and stopped."""
    rng = random.Random(seed)
    plans = [[rng.choice("yyys1s2wt") for _ in range(rounds)] for _ in range(count)]
    naps = {"1": 3e-7, "2": 1e-3, "s": 1e-5}

    def main():
        done = chan()

        def follow(plan):
            for step in plan:
                if step == "y":
                    gosched()
                elif step == "w":
                    work(2e-6)
                elif step == "t":
                    after_func(1e-5, int).stop()
                else:
                    sleep(naps[step])
            done.send(1)

        for plan in plans:
            go(follow, plan)
        for _ in plans:
            done.recv()

    return main


def told(main, is_open, **config):
    """The events of a run. Why a goroutine starts is the only thing in which the two ways may differ."""
    events = []
    with doors(is_open):
        run(main, events=events, **config)
    return [
        (*event[:6], "local" if event[6] in ("park", "goexit") else event[6]) if event[0] == GO_START else event
        for event in events
    ]


@pytest.mark.parametrize("procs", [1, 3])
@pytest.mark.parametrize(("count", "rounds"), [(1, 40), (5, 30), (90, 4), (300, 2)])
def test_both_ways_tell_the_same(procs, count, rounds):
    for seed in range(3):
        main = program(seed, count, rounds)
        long_way = told(main, True, gomaxprocs=procs, seed=seed)
        assert told(main, False, gomaxprocs=procs, seed=seed) == long_way


def test_the_shortcuts_count_as_rounds_of_the_scheduler():
    def main():
        m, _ = here()
        gosched()
        gosched()
        before = m.sched.schedules
        for _ in range(50):
            gosched()
        return m.sched.schedules - before

    with doors(is_open=False):
        assert run(main, gomaxprocs=1) == 50


def test_nothing_is_lost_on_the_shortcuts():
    with doors(is_open=False), checked_at_every_step() as rounds:
        run(program(5, 40, 20), gomaxprocs=2)
    assert rounds[0] > 10


def test_the_shortcut_of_gosched_checks_what_execute_would():
    def main():
        m, _ = here()
        gp = m.sched.newproc1(m, int, (), {})
        gp.status = WAITING
        m.p.runnext = gp
        gosched()

    with doors(is_open=False), pytest.raises(Exception, match="execute: bad g status"):
        run(main, gomaxprocs=1)


def test_a_sleep_that_is_over_at_once_wakes_itself():
    def main():
        m, g = here()
        sleep(1e-9)
        return g.status != RUNNABLE, g.timer.when_ns, m.p.timers

    with doors(is_open=False):
        assert run(main, gomaxprocs=1) == (True, 0, [])
