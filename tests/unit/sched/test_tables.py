"""sched.ops, waitreason, system, m and p: tables and records."""

import pytest

from goruntime import go, run
from goruntime.base.errors import Throw
from goruntime.runtime import gosched
from goruntime.sched import ops, waitreason
from goruntime.sched.p import RING, P
from goruntime.sched.status import PGCSTOP, WAITING
from goruntime.sched.system import SYSTEM_GOROUTINES
from goruntime.sched.waitreason import WAIT_REASONS

from .world import Still, sched_here


def test_operations_are_numbered_named_and_classed():
    assert len(ops.OPERATIONS) == len(set(ops.OP_NAMES)) == len(ops.OP_NAMES)
    for number, operation in enumerate(ops.OPERATIONS):
        assert getattr(ops, f"OP_{operation.name.upper()}") == number
        assert operation.dependency
    chan_ops = {"send", "recv", "close", "len", "select"}
    assert {operation.name for operation in ops.OPERATIONS if operation.dependency == "chan"} >= chan_ops
    assert not any(operation.is_local for operation in ops.OPERATIONS if operation.dependency == "chan")


def test_wait_reasons_are_go_s():
    assert len(WAIT_REASONS) == 47
    assert len(set(WAIT_REASONS)) == 47
    for name, number in vars(waitreason).items():
        if name.isupper() and isinstance(number, int) and number:
            assert WAIT_REASONS[number].upper().startswith(name.split("_")[0][:4]), name


def test_the_runtime_s_own_goroutines_have_the_first_ids():
    def main():
        gosched()
        gosched()
        found = []
        go(found.append, 1)
        sched = sched_here()
        own = [(gp.goid, gp.function, gp.status) for gp in sched.system_gs]
        return own, sched.allgs[-1].goid

    own, first_user_goid = run(main, gomaxprocs=1)
    assert [goid for goid, _, _ in own] == list(range(2, 2 + len(SYSTEM_GOROUTINES)))
    assert [function for _, function, _ in own] == [row.function for row in SYSTEM_GOROUTINES]
    assert {status for _, _, status in own} == {WAITING}
    assert first_user_goid == 2 + len(SYSTEM_GOROUTINES)


def test_a_p_is_born_stopped_and_empty():
    pp = P(3)
    assert (pp.id, pp.status, pp.m, pp.is_runq_empty(), pp.timers, pp.gfree) == (3, PGCSTOP, None, True, [], [])
    assert RING == 256


def test_a_p_is_empty_only_without_runnext():
    w = Still()
    assert w.p.is_runq_empty()
    w.p.runnext = w.g()
    assert not w.p.is_runq_empty()


def test_a_thread_has_one_g0():
    w = Still()
    mp = w.thread()
    mp.g0 = object()
    with pytest.raises(Throw, match="first_run of a thread that has run"):
        mp.first_run()


def test_events_name_thread_p_and_goroutine():
    w = Still()
    w.m.clock = 7
    w.m.emit(0, "x")
    gp = w.running()
    w.m.emit(1)
    lone = w.thread()
    lone.watch = w.events.append
    lone.emit(2)
    assert w.events == [(0, 7, 0, 0, -1, "x"), (1, 7, 0, 0, gp.goid), (2, 0, lone.id, -1, -1)]
