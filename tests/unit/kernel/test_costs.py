"""kernel.costs: the table."""

from goruntime.kernel import costs


def table():
    return {name: value for name, value in vars(costs).items() if name.isupper()}


def test_every_cost_is_a_whole_number_of_nanoseconds():
    assert len(table()) > 30
    for name, value in table().items():
        assert type(value) is int, name
        assert value >= 0, name


def test_the_ratios_that_decide_who_is_ahead():
    """Threads are dear, goroutines are cheap, a switch costs a few channel operations."""
    assert costs.PARK > costs.SCHEDULE > costs.CHAN_OP
    assert costs.FUTEX_WAKE > 100 * costs.READY
    assert costs.THREAD_CREATE + costs.THREAD_START > costs.FUTEX_WAKE + costs.THREAD_WAKE
    assert costs.STEAL_RUNNEXT_SLEEP > 3_000
    assert costs.ENTERSYSCALL + costs.EXITSYSCALL < costs.EXITSYSCALL_SLOW
    assert costs.SIGNAL_SLICE == 10_000_000
