"""sched.sudog: wait queues that goroutines can leave from the middle."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goruntime.base.errors import Throw
from goruntime.sched.g import G
from goruntime.sched.sudog import Sudog, WaitQ


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
