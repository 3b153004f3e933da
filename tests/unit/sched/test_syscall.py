"""sched.syscall: leaving Go and coming back, with the P, without it, and with another."""

import pytest

from goruntime import chan, go, run
from goruntime.kernel import costs
from goruntime.lang.syscall import syscall
from goruntime.runtime import gomaxprocs, gosched, lock_os_thread, work
from goruntime.sched.status import PGCSTOP, PIDLE, PRUNNING, RUNNING, SYSCALL
from goruntime.sched.syscall import entersyscall, exitsyscall, short_syscall, take_syscall_p
from goruntime.time import sleep

from .world import MICROSECOND, Still, here, records, sched_here


def hows(main, **config):
    return [event["how"] for event in records(main, "go_sysexit", **config)]


def test_entering_leaves_the_p_attached():
    w = Still()
    gp = w.running()
    pp = w.p
    pp.syscalltick = 7
    entersyscall(w.m, gp, "read")
    assert (gp.status, pp.status, pp.m, w.m.p, w.m.oldp, w.m.syscalltick) == (SYSCALL, PRUNNING, w.m, pp, pp, 7)
    assert w.m.clock == costs.ENTERSYSCALL
    exitsyscall(w.m, gp)
    assert (gp.status, pp.syscalltick, w.m.oldp) == (RUNNING, 8, None)


def test_only_the_p_of_a_system_call_can_be_taken():
    w = Still(2)
    gp = w.running()
    assert not take_syscall_p(w.p)
    assert not take_syscall_p(w.sched.allp[1])
    entersyscall(w.m, gp, "read")
    pp = w.p
    assert take_syscall_p(pp)
    assert (pp.status, pp.m, w.m.p, pp.syscalltick) == (PIDLE, None, None, 1)
    assert not pp.is_idle  # whoever took it decides what becomes of it


def test_the_old_p_is_taken_back_from_another_system_call_first():
    w = Still(3)
    gp = w.running()
    entersyscall(w.m, gp, "read")
    pp = w.p
    take_syscall_p(pp)
    other = w.thread()
    other.p, pp.m, pp.status = pp, other, PRUNNING
    other.curg = w.g(SYSCALL)
    other.curg.m = other
    exitsyscall(w.m, gp)
    assert w.m.p is pp
    assert other.p is None
    assert w.events[-1][5] == "took its P back"


def test_else_any_idle_p_will_do():
    w = Still(3)
    gp = w.running()
    entersyscall(w.m, gp, "read")
    pp = w.p
    take_syscall_p(pp)
    pp.status = PGCSTOP  # somebody has it
    exitsyscall(w.m, gp)
    assert w.m.p.id == 2
    assert w.sched.npidle == 1


def test_entering_while_the_world_stops_gives_the_p_up():
    w = Still(2)
    gp = w.running()
    pp = w.p
    w.sched.gcwaiting, w.sched.stopwait = True, 1
    entersyscall(w.m, gp, "read")
    assert (pp.status, w.m.p, w.sched.stopwait) == (PGCSTOP, None, 0)


def test_entering_and_leaving_wake_sysmon():
    w = Still()
    gp = w.running()
    w.sched.sysmon_m = w.thread()
    w.sched.sysmonwait = True
    entersyscall(w.m, gp, "read")
    assert not w.sched.sysmonwait
    assert w.sched.sysmon_m.due_seq


# In programs.


def test_a_short_call_keeps_its_p():
    assert hows(lambda: syscall(abs, 1, takes=5e-6), gomaxprocs=1) == ["kept its P"]


def test_a_long_call_alone_takes_an_idle_p_afterwards():
    def main():
        sleep(1e-3)
        syscall(abs, 1, takes=50e-3)

    assert hows(main, gomaxprocs=2) == ["took an idle P"]


def test_a_call_that_comes_back_to_no_p_queues_globally():
    def main():
        go(work, 5e-3)
        syscall(abs, 1, takes=1e-3)

    assert hows(main, gomaxprocs=1) == ["no P: to the global queue"]
    starts = records(main, "go_start", gomaxprocs=1)
    assert (starts[-1]["g"], starts[-1]["queue"]) == (1, "global")


def test_a_locked_goroutine_that_comes_back_to_no_p_waits_on_its_thread():
    def main():
        lock_os_thread()
        thread = here()[0].id
        go(work, 5e-3)
        syscall(abs, 1, takes=1e-3)
        assert here()[0].id == thread

    events = records(main, "go_sysexit", "go_hand_over", gomaxprocs=1)
    assert [event["event"] for event in events] == ["go_sysexit", "go_hand_over"]


def test_results_errors_and_times():
    def main():
        began = here()[0].clock
        assert syscall(pow, 2, 5, takes=1e-3) == 32
        took = here()[0].clock - began
        with pytest.raises(ValueError, match="invalid literal"):
            syscall(int, "x")
        return took

    took = run(main, gomaxprocs=1)
    assert 1_000 * MICROSECOND <= took <= 1_050 * MICROSECOND


def test_a_write_takes_its_time_inside_the_call():
    def main():
        statuses = []
        m, g = here()
        began = m.clock
        short_syscall(m, g, "write", costs.WRITE, lambda: statuses.append(g.status))
        return statuses, here()[0].clock - began

    statuses, took = run(main, gomaxprocs=1)
    assert statuses == [SYSCALL]
    assert costs.WRITE <= took < costs.WRITE + 100


@pytest.mark.parametrize("seed", range(4))
def test_many_calls_at_once_all_come_back(seed):
    def main():
        done = chan(40)
        for number in range(40):
            go(lambda number=number: (work(number * 1e-6), done.send(syscall(abs, -number, takes=number * 7e-6))))
        for count in (2, 5, 1):
            sleep(50e-6)
            gomaxprocs(count)
        total = sum(done.recv() for _ in range(40))
        sched = sched_here()
        assert all(mp.oldp is None for mp in sched.allm if mp.curg is None)
        return total

    assert run(main, gomaxprocs=3, seed=seed) == sum(range(40))


def test_other_goroutines_run_meanwhile_on_one_p():
    def main():
        order = []
        go(lambda: (order.append("other"), gosched(), order.append("other again")))
        syscall(abs, 1, takes=3e-3)
        order.append("back")
        return order

    assert run(main, gomaxprocs=1) == ["other", "other again", "back"]
