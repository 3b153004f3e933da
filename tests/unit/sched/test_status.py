"""sched.status: the state machines of G and P. Every legal edge is walked here, every other one throws."""

import itertools

import pytest

from goruntime import chan, coro, go, run
from goruntime.base.errors import Throw
from goruntime.lang.syscall import syscall
from goruntime.runtime import gomaxprocs, gosched, work
from goruntime.sched import status
from goruntime.sched.status import (
    DEAD,
    G_EDGES,
    IDLE,
    P_EDGES,
    PIDLE,
    PSTATUS_NAMES,
    RUNNABLE,
    RUNNING,
    STATUS_NAMES,
    SYSCALL,
    WAITING,
    casgstatus,
    edges_seen,
    set_pstatus,
)
from goruntime.testing import synctest
from goruntime.time import sleep

from .world import Still

# Edges of Go's machine whose states nothing reaches yet: stacks that move, goroutines that are stopped for a scan or
# found leaked all come with the heap and its collector. When they come, they come into G_EDGES, and into a test here.
LATER = {
    (RUNNING, status.COPYSTACK),
    (status.COPYSTACK, RUNNING),
    (RUNNING, status.PREEMPTED),
    (status.PREEMPTED, WAITING),
    (WAITING, status.LEAKED),
    (status.LEAKED, WAITING),
}


def walk():
    """Programs that together take every edge."""

    def program():
        ch = chan()
        go(ch.send, 1)
        ch.recv()
        gosched()
        sleep(1e-6)
        go(work, 10e-3)
        sleep(1e-3)
        gomaxprocs(2)  # stops running, idle and in-call Ps; retires two
        go(syscall, abs, 1, takes=1e-3)
        gosched()
        sleep(100e-6)
        gomaxprocs(5)  # revives them
        syscall(abs, 1, takes=1e-6)
        work(30e-3)
        _, stop = coro.pull([1])
        stop()

    run(program, gomaxprocs=4)

    def crowded():
        for _ in range(4):
            go(syscall, abs, 1, takes=200e-6)
        work(2e-3)

    run(crowded, gomaxprocs=1)
    synctest.test(sleep, 1)


def test_the_doors_are_open_in_tests():
    assert status.DEBUG


def test_every_legal_edge_is_walked():
    before = dict(edges_seen)
    walk()
    seen = {edge for edge, count in edges_seen.items() if count > before.get(edge, 0)}
    Still().running()  # a record that was never pooled: IDLE to DEAD
    seen |= {("G", IDLE, DEAD)} & set(edges_seen)
    assert {(old, new) for machine, old, new in seen if machine == "G"} == set(G_EDGES)
    assert {(old, new) for machine, old, new in seen if machine == "P"} == set(P_EDGES)


def test_edges_that_come_later_are_not_there_yet():
    assert not LATER & set(G_EDGES)
    for edge in LATER:
        assert set(edge) <= set(STATUS_NAMES)


@pytest.mark.parametrize("old", STATUS_NAMES)
def test_every_other_edge_of_a_goroutine_throws(old):
    w = Still()
    for new in STATUS_NAMES:
        gp = w.g(old)
        if (old, new) in G_EDGES:
            casgstatus(gp, old, new)
            assert gp.status == new
        else:
            with pytest.raises(Throw, match="transition that is not in the table"):
                casgstatus(gp, old, new)
            assert gp.status == old


@pytest.mark.parametrize("old", PSTATUS_NAMES)
def test_every_other_edge_of_a_p_throws(old):
    w = Still()
    for new in PSTATUS_NAMES:
        w.p.status = old
        if (old, new) in P_EDGES:
            set_pstatus(w.p, old, new)
            assert w.p.status == new
        else:
            with pytest.raises(Throw, match="transition that is not in the table"):
                set_pstatus(w.p, old, new)


def test_a_transition_names_the_state_it_comes_from():
    w = Still()
    for old, new in itertools.product(STATUS_NAMES, repeat=2):
        gp = w.g(DEAD if old != DEAD else WAITING)
        with pytest.raises(Throw, match="casgstatus: bad incoming values"):
            casgstatus(gp, old, new)
    with pytest.raises(Throw, match="set_pstatus: bad incoming values"):
        set_pstatus(w.p, PIDLE, 1)


def test_in_production_only_the_incoming_state_is_checked(monkeypatch):
    monkeypatch.setattr(status, "DEBUG", False)
    w = Still()
    gp = w.g(SYSCALL)
    casgstatus(gp, SYSCALL, DEAD)
    assert gp.status == DEAD
    with pytest.raises(Throw):
        casgstatus(gp, RUNNABLE, RUNNING)


def test_numbers_and_names_are_go_s_but_for_durable():
    assert STATUS_NAMES == {
        0: "idle", 1: "runnable", 2: "running", 3: "syscall", 4: "waiting", 6: "dead", 8: "copystack", 9: "preempted",
        10: "leaked", 11: "durable",
    }  # fmt: skip
    assert PSTATUS_NAMES == {0: "idle", 1: "running", 3: "gcstop", 4: "dead"}
