"""sched.netpoll: one idle thread sleeps until the next timer, or until a descriptor is ready."""

import pytest

from goruntime import chan, go, net, os, run
from goruntime.base.errors import Throw
from goruntime.base.events import GO_READY
from goruntime.kernel import costs
from goruntime.kernel.poller import BROKEN, READABLE, WRITABLE
from goruntime.runtime import gomaxprocs, work
from goruntime.sched.netpoll import (
    CLOSING,
    LONGEST_WAIT,
    NO_ERROR,
    NOT_POLLABLE,
    READ,
    READY,
    TIMED_OUT,
    WRITE,
    PollDesc,
    netpoll_break,
    netpollready,
    poll_close,
    poll_set_deadline,
    poll_timeout_ns,
    poll_unblock,
    poll_wait,
)
from goruntime.sched.sched import Sched
from goruntime.sched.status import IDLE, RUNNABLE, WAITING
from goruntime.sched.timers import check_timers
from goruntime.sched.waitreason import IO_WAIT
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


# ---- descriptors ----


class World(Still):
    """A scheduler that stands still, with descriptors that the host does not know."""

    def desc(self, fd):
        pd = PollDesc(fd, "socket", fd, lambda: None)
        self.sched.poll_descs[fd] = pd
        return pd

    def waiting(self, pd, mode):
        gp = self.g(IDLE)
        gp.status = WAITING
        gp.waitreason = IO_WAIT
        gp.wait_object = pd
        if mode == READ:
            pd.rg = gp
        else:
            pd.wg = gp
        self.sched.netpoll_waiters += 1
        return gp


def test_the_last_report_comes_first():
    w = World()
    descs = [w.desc(fd) for fd in range(4)]
    readers = [w.waiting(pd, READ) for pd in descs]
    writer = w.waiting(descs[2], WRITE)
    woken = netpollready(w.m, [(0, READABLE), (2, READABLE | WRITABLE), (1, WRITABLE), (77, READABLE), (3, READABLE)])
    assert woken == [readers[3], writer, readers[2], readers[0]]
    assert [pd.rg is READY for pd in descs] == [True, False, True, True]
    assert [pd.wg is READY for pd in descs] == [False, True, True, False]
    assert w.sched.netpoll_waiters == 1  # descs[1] is not readable


def test_who_is_woken_is_not_behind_who_polled():
    w = World()
    w.m.clock = 5_000
    gp = w.waiting(w.desc(1), READ)
    netpollready(w.m, [(1, READABLE)])
    assert gp.ns == 5_000


def test_an_error_alone_is_noted():
    w = World()
    pd = w.desc(1)
    netpollready(w.m, [(1, READABLE | WRITABLE | BROKEN)])
    assert pd.read_error == NOT_POLLABLE
    assert pd.write_error == NO_ERROR
    poll_set_deadline(w.m, pd, -1, WRITE)
    assert (pd.read_error, pd.write_error) == (NOT_POLLABLE, TIMED_OUT)
    poll_set_deadline(w.m, pd, 0, WRITE)
    netpollready(w.m, [(1, READABLE)])  # a report without the error takes it back
    assert pd.read_error == NO_ERROR


def test_injecting_spreads_over_idle_ps_and_the_ring():
    w = World(gomaxprocs=3)
    gps = [w.waiting(w.desc(fd), READ) for fd in range(5)]
    woken = netpollready(w.m, [(fd, READABLE) for fd in range(5)])
    w.sched.injectglist(w.m, woken)
    assert [gp.goid for gp in w.sched.runq] == [gps[4].goid, gps[3].goid]
    assert [gp.goid for gp in w.p.runq] == [gps[2].goid, gps[1].goid, gps[0].goid]
    ready = [(event[5], event[6]) for event in w.events if event[0] == GO_READY]
    assert ready == [
        (gps[4].goid, "global"), (gps[3].goid, "global"),
        *((gps[index].goid, "ring") for index in (2, 1, 0)),
    ]  # fmt: skip


def live(w):
    """When the timers of P 0 are due."""
    return sorted(when for when, entry, timer in w.p.timers if timer.entry == entry and timer.pp is w.p)


def test_one_timer_serves_two_equal_deadlines():
    w = World()
    pd = w.desc(1)
    poll_set_deadline(w.m, pd, 1_000, READ)
    assert live(w) == [1_000]
    poll_set_deadline(w.m, pd, 1_000, WRITE)
    assert live(w) == [1_000]
    poll_set_deadline(w.m, pd, 2_000, WRITE)
    assert live(w) == [1_000, 2_000]
    poll_set_deadline(w.m, pd, 3_000, READ | WRITE)
    assert live(w) == [3_000]
    poll_set_deadline(w.m, pd, 0, READ)
    assert live(w) == [3_000]
    poll_set_deadline(w.m, pd, -1, WRITE)
    assert live(w) == []
    assert (pd.read_error, pd.write_error) == (NO_ERROR, TIMED_OUT)


@pytest.mark.parametrize(("mode", "read_error", "write_error"), [(READ, 2, 0), (WRITE, 0, 2), (READ | WRITE, 2, 2)])
def test_a_deadline_wakes_whom_it_is_for(mode, read_error, write_error):
    w = World()
    pd = w.desc(1)
    reader, writer = w.waiting(pd, READ), w.waiting(pd, WRITE)
    poll_set_deadline(w.m, pd, 1_000, mode)
    w.m.clock = 2_000
    check_timers(w.m, w.p)
    assert (pd.read_error, pd.write_error) == (read_error, write_error)
    assert (reader.status == RUNNABLE, writer.status == RUNNABLE) == (bool(read_error), bool(write_error))
    assert w.sched.netpoll_waiters == 2 - bool(read_error) - bool(write_error)
    assert pd.rg is (None if read_error else reader)
    assert live(w) == []


def test_a_timer_of_an_earlier_setting_does_nothing():
    w = World()
    pd = w.desc(1)
    reader = w.waiting(pd, READ)
    poll_set_deadline(w.m, pd, 1_000, READ)
    pd.rseq += 1
    w.m.clock = 2_000
    check_timers(w.m, w.p)
    assert reader.status == WAITING
    assert pd.rd_ns == 1_000


def test_closing_wakes_both_and_stops_the_timers():
    w = World()
    pd = w.desc(1)
    reader, writer = w.waiting(pd, READ), w.waiting(pd, WRITE)
    poll_set_deadline(w.m, pd, 1_000, READ)
    poll_set_deadline(w.m, pd, 2_000, WRITE)
    poll_unblock(w.m, pd)
    assert (pd.read_error, pd.write_error) == (CLOSING, CLOSING)
    assert reader.status == writer.status == RUNNABLE
    assert (pd.rg, pd.wg, w.sched.netpoll_waiters, live(w)) == (None, None, 0, [])
    poll_set_deadline(w.m, pd, 5_000, READ)  # too late
    assert live(w) == []
    with pytest.raises(Throw, match="unblock on closing polldesc"):
        poll_unblock(w.m, pd)


def test_broken_invariants_are_thrown():
    w = World()
    pd = w.desc(1)
    with pytest.raises(Throw, match="w/o unblock"):
        poll_close(w.sched, pd)
    pd.closing = True
    w.waiting(pd, READ)
    with pytest.raises(Throw, match="blocked read on closing polldesc"):
        poll_close(w.sched, pd)
    pd.rg, pd.closing = None, False
    w.waiting(pd, WRITE)
    with pytest.raises(Throw, match="double wait"):
        poll_wait(w.m, w.running(), pd, WRITE)


def test_sysmon_polls_when_nobody_has_for_10_ms(monkeypatch):
    """One P that computes, with a socket that becomes readable: nobody else would look."""
    found = []
    poll = Sched.poll_for_all

    def look(self, m):
        found.append(m is self.sysmon_m)
        poll(self, m)

    monkeypatch.setattr(Sched, "poll_for_all", look)

    def main():
        listener = net.listen("tcp", "127.0.0.1:0")
        go(listener.accept)
        work(50e-3)

    run(main, gomaxprocs=1)
    assert any(found)


def test_io_is_noticed_when_the_world_starts_again():
    def main():
        reader, writer = os.pipe()
        got = chan(1)
        go(lambda: got.send(reader.read(1)))
        sleep(1e-3)
        writer.write(b"x")
        waiters = here()[0].sched.netpoll_waiters
        gomaxprocs(2)
        return waiters, here()[0].sched.netpoll_waiters, got.recv()

    assert run(main, gomaxprocs=1) == (1, 0, b"x")
