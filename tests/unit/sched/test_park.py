"""sched.park: leaving a thread and coming back; the fast path and its refusals."""

import pytest

from goruntime import chan, go, run
from goruntime.base.errors import Throw
from goruntime.base.events import GO_START
from goruntime.kernel import costs
from goruntime.kernel.threads import FOREVER
from goruntime.runtime import gosched, lock_os_thread
from goruntime.sched import park as park_module
from goruntime.sched.p import RING
from goruntime.sched.park import dropg, name_of, park, ready
from goruntime.sched.status import RUNNABLE, RUNNING, WAITING
from goruntime.sched.waitreason import CHAN_RECEIVE, SEMACQUIRE
from tests.model.invariants import doors

from .world import Still, here


class Named:
    def event_name(self):
        return "thing 1"


def test_a_readied_goroutine_is_next_and_whom_it_kicked_is_last_in_the_ring():
    w = Still()
    first, second = w.g(WAITING), w.g(WAITING)
    before_ns = w.m.clock
    ready(w.m, first)
    assert w.m.clock == before_ns + costs.READY
    ready(w.m, second)
    assert w.p.runnext is second
    assert list(w.p.runq) == [first]
    assert (first.status, second.status) == (RUNNABLE, RUNNABLE)


def test_a_full_ring_spills_when_runnext_is_kicked():
    w = Still()
    w.p.runq.extend(w.gs(RING))
    for gp in (w.g(WAITING), w.g(WAITING)):
        ready(w.m, gp)
    assert (len(w.p.runq), len(w.sched.runq)) == (128, 129)


def test_readying_raises_the_clock_of_the_readied_and_never_lowers_it():
    w = Still()
    behind, ahead = w.g(WAITING), w.g(WAITING)
    ahead.ns = 1 << 40
    ready(w.m, behind)
    ready(w.m, ahead)
    assert behind.ns == costs.READY
    assert ahead.ns == 1 << 40


@pytest.mark.parametrize("status", [RUNNABLE, RUNNING])
def test_only_who_waits_is_readied(status):
    w = Still()
    with pytest.raises(Throw, match="bad g->status in ready"):
        ready(w.m, w.g(status))


def test_readying_wakes_a_spinner_if_a_p_is_idle_else_says_that_one_is_needed():
    w = Still(1)
    ready(w.m, w.g(WAITING))
    assert w.sched.needspinning == 1
    w = Still(2)
    ready(w.m, w.g(WAITING))
    assert (w.sched.nmspinning, w.sched.npidle) == (1, 0)


def test_dropping_leaves_the_time_with_the_goroutine():
    w = Still()
    gp = w.running()
    w.m.clock = 4_711
    dropg(w.m)
    assert (gp.ns, gp.m, w.m.curg) == (4_711, None, None)


def test_names_of_objects():
    assert name_of(Named()) == "thing 1"
    assert name_of(None) == ""
    assert name_of(3) == ""


# The fast path.


def switches(main, prepare=None):
    """How often the fast path of park was taken while main ran."""
    events = []

    def start():
        gosched()
        gosched()
        if prepare is not None:
            prepare()
        events.clear()
        main()

    with doors(is_open=False):
        run(start, gomaxprocs=1, events=events)
    return sum(event[0] == GO_START and event[6] == "park" for event in events)


def ping_pong():
    """Forty hand-offs."""
    ch = chan()

    def echo():
        for value in ch:
            ch.send(value)

    go(echo)
    for number in range(10):
        ch.send(number)
        assert ch.recv() == number


def test_the_fast_path_is_taken_when_the_next_goroutine_is_at_hand():
    count = switches(ping_pong)
    assert count >= 19


def test_a_locked_goroutine_keeps_it_shut():
    count = switches(ping_pong, lock_os_thread)
    assert count == 0


def test_a_request_keeps_it_shut():
    def main():
        ch = chan()
        go(ch.send, 1)
        m, _ = here()
        ch.ns = 0
        m.p.next_check_ns = 0  # as if something had to be looked at
        ch.recv()
        m.p.next_check_ns = FOREVER

    count = switches(main)
    assert count == 0


def test_every_61st_slice_keeps_it_shut_while_the_global_queue_has_somebody():
    def receive(is_61st, has_global):
        ch = chan()
        m, _ = here()
        if has_global:
            go(gosched)
            m.sched.runq.append(m.p.runnext)
            m.p.runnext = None
        go(ch.send, 1)
        m.p.schedtick = 61 if is_61st else 62
        ch.recv()

    assert switches(lambda: receive(True, False)) == 1
    assert switches(lambda: receive(False, True)) == 1
    assert switches(lambda: receive(True, True)) == 0


def test_nobody_runs_twice():
    """The fast path checks what `execute` and `casgstatus` would."""

    def main():
        m, g = here()
        gp = m.sched.newproc1(m, int, (), {})
        gp.status = WAITING
        m.p.runnext = gp
        park(m, g, SEMACQUIRE, None)

    with doors(is_open=False), pytest.raises(Exception, match="execute: bad g status"):
        run(main, gomaxprocs=1)


def test_who_waits_says_why_and_for_what():
    def main():
        ch = chan()
        waiting = []

        def wait():
            waiting.append(here()[1])
            ch.recv()

        go(wait)
        gosched()
        gp = waiting[0]
        assert (gp.status, gp.waitreason, gp.wait_object, gp.m) == (WAITING, CHAN_RECEIVE, ch, None)
        ch.send(1)
        gosched()
        return gp.wait_object

    assert run(main, gomaxprocs=1) is None


def test_parking_costs_the_same_on_both_paths():
    assert park_module.PARK_COST == costs.PARK
    assert costs.PARK > costs.SCHEDULE

    def main():
        ping_pong()
        return here()[0].clock

    clocks = set()
    for is_open in (True, False):
        with doors(is_open):
            clocks.add(run(main, gomaxprocs=1))
    assert len(clocks) == 1
