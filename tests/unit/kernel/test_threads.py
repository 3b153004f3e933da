"""kernel.threads: who runs next, how far, and who is woken when."""

import itertools
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goruntime.base.choose import TIE, SeededChooser
from goruntime.base.errors import Throw
from goruntime.kernel import costs
from goruntime.kernel.threads import FOREVER, Kernel, Thread

from .machine import Machine


def first(kind, n):
    return 0


def test_the_earliest_runs_first_and_its_clock_is_moved_there():
    machine = Machine()
    log = machine.log
    for at_ns in (30, 10, 20):
        machine.thread(lambda t: log.append((t.clock, t.id)), at_ns)
    machine.run()
    assert log == [(10, 1), (20, 2), (30, 0)]


def test_a_clock_that_is_ahead_is_not_moved_back():
    machine = Machine()
    worker = machine.thread(lambda t: machine.log.append(t.clock), 10)
    worker.clock = 25
    machine.run()
    assert machine.log == [25]


def test_at_quantum_0_the_order_is_exact():
    machine = Machine(choose=first)
    log = machine.log

    def body(costs_ns):
        def steps(t):
            for cost in costs_ns:
                t.step(cost)
                log.append((t.clock, t.id))

        return steps

    machine.thread(body([10, 10, 10, 10]))
    machine.thread(body([7, 7, 7, 19]), 1)
    machine.run()
    assert log == sorted(log)
    assert len(log) == 8


@given(
    quantum_ns=st.sampled_from([0, 1, 5, 50, 1_000]),
    programs=st.lists(st.lists(st.integers(0, 60), min_size=1, max_size=20), min_size=2, max_size=4),
    seed=st.integers(0, 100),
)
def test_nobody_begins_a_step_more_than_a_quantum_ahead_of_the_slowest(quantum_ns, programs, seed):
    machine = Machine(quantum_ns, SeededChooser(seed).choose)
    working = {}

    def body(program):
        def steps(t):
            for cost in program:
                assert t.clock <= min(other.clock for other in working.values()) + quantum_ns
                t.step(cost)
            del working[t.id]

        return steps

    for program in programs:
        worker = machine.thread(body(program))
        working[worker.id] = worker
    machine.run()
    assert not working


def test_the_horizon_is_the_next_due_time_and_the_quantum():
    kernel = Kernel(first, 50)
    running, other, third = Thread(0), Thread(1), Thread(2)
    kernel.running = running
    assert kernel.natural_horizon(running) == FOREVER + 1
    running.horizon = kernel.natural_horizon(running)
    kernel.enqueue(other, 1_000)
    assert running.horizon == kernel.natural_horizon(running) == 1_051
    kernel.enqueue(third, 2_000)
    assert running.horizon == 1_051  # it is not raised
    kernel.enqueue(third, 300)
    assert running.horizon == kernel.natural_horizon(running) == 351


def test_the_horizon_does_not_pass_the_deadline():
    kernel = Kernel(first, 50)
    kernel.deadline_ns = 400
    assert kernel.natural_horizon(Thread(0)) == 401
    kernel.enqueue(Thread(1), 100)
    assert kernel.natural_horizon(Thread(0)) == 151


def test_the_horizon_of_who_is_continued_comes_from_above():
    machine = Machine()
    machine.kernel.horizon_of = lambda thread: 77
    machine.thread(lambda t: machine.log.append(t.horizon))
    machine.run()
    assert machine.log == [77]


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_a_tie_is_a_choice_among_all_that_are_due(order):
    left = [0, 1, 2]
    asked = []

    def choose(kind, n):
        asked.append((kind, n))
        wanted = order[3 - n]
        position = left.index(wanted)
        left.remove(wanted)
        return position

    machine = Machine(choose=choose)
    for _ in range(3):
        machine.thread(lambda t: machine.log.append(t.id), 5)
    machine.thread(lambda t: machine.log.append(t.id), 6)
    machine.run()
    assert machine.log == [*order, 3]
    assert asked == [(TIE, 3), (TIE, 2)]


def test_every_thread_of_a_tie_comes_first_under_some_seed():
    firsts = Counter()
    for seed in range(60):
        machine = Machine(choose=SeededChooser(seed).choose)
        for _ in range(3):
            machine.thread(lambda t, machine=machine: machine.log.append(t.id), 5)
        machine.run()
        firsts[machine.log[0]] += 1
    assert min(firsts[ident] for ident in range(3)) > 8


def test_stale_entries_are_neither_run_nor_counted_in_a_tie():
    asked = []

    def choose(kind, n):
        asked.append(n)
        return 0

    machine = Machine(choose=choose)
    worker = machine.thread(lambda t: machine.log.append(t.clock), 5)
    machine.kernel.enqueue(worker, 3)  # woken by other means; the entry for 5 is stale
    machine.thread(lambda t: machine.log.append(("other", t.clock)), 5)
    machine.run()
    assert machine.log == [3, ("other", 5)]
    assert asked == []


def test_sleep_takes_exactly_so_long():
    machine = Machine(5_000)
    log = machine.log

    def body(t):
        t.clock += 7
        machine.kernel.sleep(t, 1_000)
        log.append(t.clock)

    machine.thread(body, 10)
    machine.thread(lambda t: log.append("between"), 500)
    machine.run()
    assert log == ["between", 1_017]


def test_a_futex_wake_charges_the_waker_and_takes_a_latency():
    machine = Machine(1_000_000)
    log = machine.log

    def sleeps(t):
        machine.kernel.futex_sleep(t)
        log.append(t.clock)

    sleeper = machine.thread(sleeps)

    def wakes(t):
        t.clock += 99
        machine.kernel.futex_wake(t, sleeper)
        assert t.clock == 100 + costs.FUTEX_WAKE
        assert t.horizon == t.clock + costs.THREAD_WAKE + 1_000_000 + 1

    machine.thread(wakes, 1)
    machine.run()
    assert log == [100 + costs.FUTEX_WAKE + costs.THREAD_WAKE]


def test_who_sleeps_with_a_timeout_is_woken_before_it_or_by_it_but_never_later():
    for sleeps_ns, expected in ((10_000_000, 100 + costs.FUTEX_WAKE + costs.THREAD_WAKE), (5_000, 5_000)):
        machine = Machine()

        def body(t, machine=machine, sleeps_ns=sleeps_ns):
            machine.kernel.sleep(t, sleeps_ns)
            machine.log.append(t.clock)

        sleeper = machine.thread(body)

        def wakes(t, machine=machine, sleeper=sleeper):
            machine.kernel.futex_wake(t, sleeper)

        machine.thread(wakes, 100)
        machine.run()
        assert machine.log == [expected]


def test_computing_is_a_sleep_that_can_be_cut_short():
    machine = Machine()
    log = machine.log

    def computes(t):
        machine.kernel.compute(t, 1_000)
        log.append(t.clock)
        machine.kernel.compute(t, 1_000)
        log.append(t.clock)

    worker = machine.thread(computes)

    def interrupts(t):
        machine.kernel.cut_short(worker, t.clock)
        machine.kernel.cut_short(t, 1)  # does not compute: nothing happens

    machine.thread(interrupts, 400)
    machine.run()
    assert log == [400, 1_400]
    assert not worker.is_computing


def test_cutting_short_does_not_lengthen():
    machine = Machine(1_000)

    def computes(t):
        machine.kernel.compute(t, 500)
        machine.log.append(t.clock)

    worker = machine.thread(computes)

    def interrupts(t):
        t.clock += 900  # it is ahead, within the quantum
        machine.kernel.cut_short(worker, t.clock)

    machine.thread(interrupts, 1)
    machine.run()
    assert machine.log == [500]


def test_past_the_deadline_somebody_is_told():
    class Late(Exception):
        pass

    def late():
        raise Late

    machine = Machine()
    machine.kernel.deadline_ns = 100
    machine.kernel.on_timeout = late
    machine.thread(lambda t: machine.log.append(t.clock), 100)
    machine.thread(lambda t: machine.log.append(t.clock), 101)
    with pytest.raises(Late):
        machine.run()
    assert machine.log == [100]


def test_a_kernel_without_a_thread_that_can_run_is_broken():
    machine = Machine()
    test = Thread(-1)
    machine.kernel.running = test
    with pytest.raises(Throw, match="no thread can ever run"):
        machine.kernel.futex_sleep(test)


def test_the_same_seed_gives_the_same_interleaving():
    def interleaving(seed):
        machine = Machine(20, SeededChooser(seed).choose)

        def body(t):
            for step in range(10):
                machine.log.append((t.id, t.clock))
                t.step(step * t.id % 5 + 1)

        for _ in range(4):
            machine.thread(body)
        machine.run()
        return machine.log

    assert interleaving(1) == interleaving(1)
    assert len({tuple(interleaving(seed)) for seed in range(5)}) > 1


def test_the_time_of_day_is_never_before_one_that_was_read():
    kernel = Kernel(first, 1_000)
    ahead, behind = Thread(0), Thread(1)
    ahead.clock = 700
    behind.clock = 20
    assert kernel.read_clock(ahead) == 700
    assert kernel.read_clock(behind) == 700
    assert behind.clock == 700  # it goes on from there
    behind.clock = 900
    assert kernel.read_clock(behind) == 900


def test_under_the_virtual_clock_nobody_catches_up_with_the_wall():
    kernel = Kernel(first, 0)
    thread = Thread(0)
    assert kernel.catch_up(thread) == 0
