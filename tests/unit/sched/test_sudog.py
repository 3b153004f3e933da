"""sched.sudog: wait queues that goroutines can leave from the middle."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goruntime import chan, default, go, os, run, runtime, select, sync, time
from goruntime.base.errors import Throw
from goruntime.lang.owner import current_m
from goruntime.sched.g import G
from goruntime.sched.sudog import Sudog, WaitQ, take_sudog


def sudogs(count, is_select=False):
    made = []
    for _ in range(count):
        sg = Sudog(G())
        sg.is_select = is_select
        made.append(sg)
    return made


def members(queue):
    found = []
    sg = queue.first
    while sg is not None:
        found.append(sg)
        sg = sg.next
    return found


def test_first_in_first_out():
    queue, waiting = WaitQ(), sudogs(3)
    for sg in waiting:
        queue.enqueue(sg)
        queue.check()
    assert [queue.dequeue() for _ in range(3)] == waiting
    assert queue.dequeue() is None
    assert (queue.first, queue.last) == (None, None)


def test_a_select_that_was_won_elsewhere_is_skipped_and_one_that_was_not_is_won_now():
    queue, waiting = WaitQ(), sudogs(3, is_select=True)
    for sg in waiting:
        queue.enqueue(sg)
    waiting[0].g.select_done = True
    assert queue.is_waiting()
    assert queue.dequeue() is waiting[1]
    assert waiting[1].g.select_done
    assert waiting[1].g.param is waiting[1]
    waiting[2].g.select_done = True
    assert not queue.is_waiting()
    assert queue.dequeue() is None


def test_leaving_twice_or_after_being_taken_changes_nothing():
    queue, waiting = WaitQ(), sudogs(3)
    for sg in waiting:
        queue.enqueue(sg)
    taken = queue.dequeue()
    queue.remove(taken)
    queue.check()
    assert members(queue) == waiting[1:]
    queue.remove(waiting[2])
    queue.remove(waiting[2])
    queue.check()
    assert members(queue) == [waiting[1]]
    queue.remove(waiting[1])
    queue.remove(waiting[1])
    assert (queue.first, queue.last) == (None, None)


@given(st.lists(st.tuples(st.sampled_from(["enqueue", "dequeue", "remove"]), st.integers(0, 9)), max_size=60))
def test_a_queue_does_what_a_list_does(steps):
    queue, pool, model = WaitQ(), sudogs(10), []
    for step, number in steps:
        sg = pool[number]
        if step == "enqueue" and sg not in model:
            queue.enqueue(sg)
            model.append(sg)
        elif step == "dequeue":
            assert queue.dequeue() is (model.pop(0) if model else None)
        elif step == "remove":
            queue.remove(sg)
            if sg in model:
                model.remove(sg)
        queue.check()
        assert members(queue) == model
        assert queue.is_waiting() == bool(model)


def test_the_check_finds_what_is_broken():
    queue, waiting = WaitQ(), sudogs(2)
    for sg in waiting:
        queue.enqueue(sg)
    waiting[1].prev = None
    with pytest.raises(Throw, match="links disagree"):
        queue.check()
    waiting[1].prev = waiting[0]
    queue.last = waiting[0]
    with pytest.raises(Throw, match="tail is wrong"):
        queue.check()


# Who has the free ones.


def counted(main, **config):
    """Run main, which gets a list of all sudogs that were made."""
    made = []

    def with_list():
        sched = current_m("test")[0].sched
        sched.new_sudog = lambda m, sg: made.append(sg)
        main(made)

    run(with_list, **({"gomaxprocs": 1} | config))
    return len(made)


def check_sudogs(sched, made):
    """Each one is free, once, or with a goroutine that runs or waits."""
    free = [sg for pp in sched.allp for sg in pp.sudogcache] + sched.sudogcache
    for sg in free:
        sg.check_free()
    kept = [gp.sudog for gp in sched.allgs if gp.sudog is not None]
    assert len({*free, *kept}) == len(free) + len(kept)
    assert {*free, *kept} <= {*made}
    for gp in sched.allgs:
        assert gp.sudog is None or gp.sudog.g is gp


def test_two_that_hand_over_use_two():
    def main(made):
        ch = chan()

        @go
        def _():
            for i in range(100):
                ch.send(i)
            ch.close()

        assert sum(ch) == 4950
        check_sudogs(current_m("test")[0].sched, made)

    assert counted(main) == 2


def test_as_many_are_made_as_wait_at_the_same_time():
    def main(made):
        for count in (5, 3, 9, 2):
            ch = chan()
            for _ in range(count):
                go(ch.recv)
            runtime.gosched()
            ch.close()
            runtime.gosched()
            check_sudogs(current_m("test")[0].sched, made)

    assert counted(main) == 9


@pytest.mark.parametrize("leave", [lambda: time.sleep(1e-6), runtime.gosched, lambda: os.stdout.write(b""), None])
def test_who_leaves_the_cpu_otherwise_gives_its_sudog_to_the_next(leave):
    """One after the other waits, and then sleeps, yields, makes a system call or ends: one sudog is enough."""

    def main(made):
        ch, done = chan(1), chan(10)

        def wait_once():
            ch.recv()
            if leave is not None:
                leave()
            done.send(None)

        for _ in range(10):
            go(wait_once)
            runtime.gosched()
            ch.send(None)
            runtime.gosched()
        while len(done) < 10:
            time.sleep(1e-3)
        check_sudogs(current_m("test")[0].sched, made)

    assert counted(main) == 1


def test_a_select_takes_one_for_each_channel():
    def main(made):
        a, b, c = chan(), chan(), chan()

        @go
        def _():
            b.send(1)

        assert select(a.recv, b.recv, c.recv, (a.send, 2)) == (1, 1)
        assert len(made) == 4
        check_sudogs(current_m("test")[0].sched, made)
        go(c.recv)
        runtime.gosched()
        c.send(1)
        assert len(made) == 4

    assert counted(main) == 4


def test_a_p_keeps_128_and_the_others_get_the_rest():
    def main(made):
        sched = current_m("test")[0].sched
        ch = chan()
        for _ in range(300):
            go(ch.recv)
        runtime.gosched()
        ch.close()
        time.sleep(1e-3)
        assert len(made) == 300
        assert len(sched.allp[0].sudogcache) + len(sched.sudogcache) == 300
        assert len(sched.sudogcache) in (128, 192)
        check_sudogs(sched, made)
        runtime.gomaxprocs(2)
        sched.allp[1].sudogcache.clear()
        assert take_sudog(FakeM(sched.allp[1], sched), None) in made
        assert len(sched.allp[1].sudogcache) == 63

    assert counted(main) == 300


class FakeM:
    def __init__(self, p, sched):
        self.p = p
        self.sched = sched


@pytest.mark.parametrize("seed", range(8))
def test_random_use_by_several_ps_loses_none(seed):
    def main(made):
        sched = current_m("test")[0].sched
        mu, wg, chans = sync.Mutex(), sync.WaitGroup(), [chan(i % 3) for i in range(5)]

        def work(number):
            for step in range(20):
                kind = (number * 7 + step * 3 + seed) % 5
                ch = chans[(number + step) % 5]
                if kind == 0:
                    with mu:
                        runtime.gosched()
                elif kind == 1:
                    select((ch.send, step), chans[(number + step + 1) % 5].recv, default)
                elif kind == 2:
                    select((ch.send, step), ch.recv, time.after(1e-5).recv)
                elif kind == 3:
                    time.sleep(1e-6)
                else:
                    os.stdout.write(b"")
            wg.done()

        wg.add(12)
        for number in range(12):
            go(work, number)
        wg.wait()
        check_sudogs(sched, made)
        free = sum(len(pp.sudogcache) for pp in sched.allp) + len(sched.sudogcache)
        assert free + sum(gp.sudog is not None for gp in sched.allgs) == len(made)

    assert 0 < counted(main, gomaxprocs=4, seed=seed) < 60
