"""sched.runq: the ring of 256, runnext, the spill of 129, batches from the global queue."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goruntime.base.errors import Throw
from goruntime.sched.p import RING
from goruntime.sched.runq import check_runq, globrunqgetbatch, runqput, runqputbatch, runqputslow
from goruntime.sched.status import WAITING

from .world import Still, goids


def test_runnext_takes_the_newest_and_kicks_the_one_before_to_the_ring_s_tail():
    w = Still()
    first, second, third = w.gs(3)
    assert runqput(w.sched, w.p, first, True) == "runnext"
    assert runqput(w.sched, w.p, second, True) == "runnext"
    assert runqput(w.sched, w.p, third, False) == "ring"
    assert w.p.runnext is second
    assert list(w.p.runq) == [first, third]


def test_a_full_ring_gives_its_older_half_and_the_newcomer_to_the_global_queue():
    w = Still()
    gs = w.gs(RING + 1)
    for gp in gs[:RING]:
        assert runqput(w.sched, w.p, gp, False) == "ring"
    assert runqput(w.sched, w.p, gs[RING], False) == "global"
    assert list(w.sched.runq) == [*gs[:128], gs[256]]
    assert len(w.sched.runq) == 129
    assert list(w.p.runq) == gs[128:256]
    check_runq(w.sched)


def test_whom_runnext_kicks_out_of_a_full_ring_goes_global_but_the_newcomer_is_next():
    w = Still()
    gs = w.gs(RING + 2)
    for gp in gs:
        assert runqput(w.sched, w.p, gp, True) == "runnext"
    assert w.p.runnext is gs[-1]
    assert list(w.sched.runq) == [*gs[:128], gs[256]]
    assert list(w.p.runq) == gs[128:256]


def test_300_new_goroutines_are_129_global_170_in_the_ring_and_one_next():
    w = Still()
    for gp in w.gs(300):
        runqput(w.sched, w.p, gp, True)
    assert (len(w.sched.runq), len(w.p.runq), w.p.runnext.goid) == (129, 170, 300)


def test_only_a_full_ring_spills():
    w = Still()
    with pytest.raises(Throw, match="queue is not full"):
        runqputslow(w.sched, w.p, w.g())


def test_a_batch_that_does_not_fit_goes_global_as_far_as_it_does_not():
    w = Still()
    gs = w.gs(260)
    for gp in gs[:250]:
        w.p.runq.append(gp)
    runqputbatch(w.sched, w.p, gs[250:])
    assert list(w.p.runq) == gs[:256]
    assert list(w.sched.runq) == gs[256:]


@pytest.mark.parametrize(
    ("size", "gomaxprocs", "expected"),
    [
        (1, 1, 1),
        (2, 1, 2),
        (100, 1, 100),
        (500, 1, 128),
        (1, 4, 1),
        (3, 4, 1),
        (4, 4, 2),
        (100, 4, 26),
        (1000, 4, 128),
        (508, 4, 128),
        (504, 4, 127),
    ],
)
def test_a_batch_is_min_of_128_the_queue_and_a_share_of_it(size, gomaxprocs, expected):
    w = Still(gomaxprocs)
    gs = w.gs(size)
    w.sched.runq.extend(gs)
    assert globrunqgetbatch(w.sched, w.p) is gs[0]
    assert list(w.p.runq) == gs[1:expected]
    assert list(w.sched.runq) == gs[expected:]


def test_a_batch_from_an_empty_queue_is_our_bug():
    w = Still()
    with pytest.raises(Throw, match="global runq empty"):
        globrunqgetbatch(w.sched, w.p)


@given(st.lists(st.tuples(st.sampled_from(["next", "tail", "get", "batch"]), st.integers(1, 150)), max_size=10))
@settings(max_examples=40)
def test_the_queues_do_what_plain_lists_do(steps):
    w = Still()
    following, ring, shared = [], [], []

    def put(goid):
        if len(ring) == RING:
            shared.extend([*ring[:128], goid])
            del ring[:128]
        else:
            ring.append(goid)

    for step, count in steps:
        for _ in range(count):
            if step in ("next", "tail"):
                gp = w.g()
                runqput(w.sched, w.p, gp, step == "next")
                if step == "tail":
                    put(gp.goid)
                else:
                    if following:
                        put(following.pop())
                    following.append(gp.goid)
            elif step == "get" and w.p.runq:
                assert w.p.runq.popleft().goid == ring.pop(0)
            elif step == "batch" and shared and not ring:
                assert globrunqgetbatch(w.sched, w.p).goid == shared[0]
                ring.extend(shared[1:128])
                del shared[:128]
        assert goids(w.p.runq) == ring
        assert goids(w.sched.runq) == shared
        assert ([] if w.p.runnext is None else [w.p.runnext.goid]) == following
        check_runq(w.sched)


def test_the_check_finds_what_is_broken():
    w = Still(2)
    gp = w.g()
    w.sched.runq.append(gp)
    check_runq(w.sched)
    w.p.runq.append(gp)
    with pytest.raises(Throw, match="in two queues"):
        check_runq(w.sched)
    w.p.runq.clear()
    gp.status = WAITING
    with pytest.raises(Throw, match="not runnable"):
        check_runq(w.sched)
    w.sched.runq.clear()
    w.p.runq.extend(w.gs(RING + 1))
    with pytest.raises(Throw, match="ring too long"):
        check_runq(w.sched)
