"""sched.netpoll: one idle thread sleeps until the next timer, with the granularity of epoll_wait."""

import pytest

from goruntime import chan, go, run
from goruntime.kernel import costs
from goruntime.runtime import work
from goruntime.sched.netpoll import LONGEST_WAIT, netpoll_break, poll_timeout_ns
from goruntime.time import after, sleep

from .world import MILLISECOND, Still, here, records


@pytest.mark.parametrize(
    ("delay_ns", "waits_ns"),
    [
        (1, MILLISECOND),
        (999_999, MILLISECOND),
        (MILLISECOND, MILLISECOND),
        (1_999_999, MILLISECOND),
        (2_500_000, 2 * MILLISECOND),
        (10**15 - 1, (10**15 - 1) // MILLISECOND * MILLISECOND),
        (10**15, LONGEST_WAIT),
        (1 << 62, LONGEST_WAIT),
    ],
)
def test_whole_milliseconds_and_at_least_one(delay_ns, waits_ns):
    assert poll_timeout_ns(delay_ns) == waits_ns


def test_breaking_wakes_the_poller_once():
    w = Still()
    poller = w.thread()
    netpoll_break(w.m)
    assert w.m.clock == 0
    w.sched.poller = poller
    netpoll_break(w.m)
    netpoll_break(w.m)
    assert poller.due_ns == costs.FUTEX_WAKE + costs.THREAD_WAKE
    assert w.m.clock == costs.FUTEX_WAKE


def test_only_one_thread_polls():
    def main():
        polling = []
        sched = here()[0].sched

        def look():
            sleep(2e-3)
            polling.append(sched.poller is not None)

        for _ in range(6):
            go(look)
        sleep(10e-3)
        return polling, sched.lastpoll_ns

    polling, lastpoll_ns = run(main, gomaxprocs=4)
    assert len(polling) == 6
    assert lastpoll_ns > 0


@pytest.mark.parametrize("gomaxprocs", [2, 4])
def test_an_earlier_timer_cuts_the_poller_s_sleep_short(gomaxprocs):
    def main():
        began = here()[0].clock
        woken = chan(1)
        go(lambda: (sleep(50e-3), None))
        work(2e-3)  # a thread sleeps in the poller for 50 ms by now
        go(lambda: (after(3e-3).recv(), woken.send(here()[0].clock - began)))
        return woken.recv()

    assert 5 * MILLISECOND <= run(main, gomaxprocs=gomaxprocs) <= 7 * MILLISECOND


def test_who_polls_takes_an_idle_p_afterwards_or_leaves_the_timer_to_those_who_run():
    def main():
        late = chan(1)
        began = here()[0].clock
        go(lambda: (sleep(5e-3), late.send(here()[0].clock - began)))
        sleep(100e-6)
        work(20e-3)
        return late.recv()

    assert 5 * MILLISECOND <= run(main, gomaxprocs=2) <= 6.2 * MILLISECOND
    assert run(main, gomaxprocs=1) >= 10 * MILLISECOND  # nobody but the computing goroutine's P could run it


def test_sleeping_threads_show_in_the_events():
    stops = records(lambda: sleep(1e-3), "proc_stop", "proc_start", gomaxprocs=1)
    assert [event["event"] for event in stops][-2:] == ["proc_stop", "proc_start"]
