"""sched.sigqueue: what lies between a handler and the goroutine of os/signal."""

import signal

import pytest

from goruntime.base.errors import Throw
from goruntime.kernel import host
from goruntime.kernel.threads import FOREVER
from goruntime.sched.sigqueue import NOT_FOR_THE_PROGRAM, SigQueue
from goruntime.sched.status import WAITING
from goruntime.sched.waitreason import SELECT

from .world import Still

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGUSR1"), reason="needs POSIX signals")
USR1 = int(getattr(signal, "SIGUSR1", 0))


@pytest.fixture
def w():
    still = Still()
    still.queue = SigQueue(still.sched, is_deaf=False)
    yield still
    still.queue.restore()
    assert signal.getsignal(USR1) is signal.SIG_DFL


def test_the_handler_leaves_each_number_once_and_pulls_the_horizon(w):
    w.m.horizon = FOREVER
    for number in (15, 10, 15):
        w.queue.sigsend(number, None)
    assert list(w.queue.arrived) == [15, 10]
    assert w.m.horizon == 0
    assert w.sched.kernel.has_arrived


def test_without_a_running_thread_it_still_notes_the_signal(w):
    w.sched.kernel.running = None
    w.queue.sigsend(10, None)
    assert list(w.queue.arrived) == [10]


def test_a_signal_goes_back_to_what_it_did_first(w):
    w.queue.ignore(w.m, USR1)
    assert signal.getsignal(USR1) is signal.SIG_IGN
    w.queue.enable(w.m, USR1)
    assert signal.getsignal(USR1) == w.queue.sigsend
    assert not w.queue.is_ignored(USR1)
    w.queue.disable(w.m, USR1)
    assert signal.getsignal(USR1) is signal.SIG_DFL


def test_disabling_what_is_ignored_changes_nothing(w):
    w.queue.ignore(w.m, USR1)
    w.queue.disable(w.m, USR1)
    assert signal.getsignal(USR1) is signal.SIG_IGN
    assert w.queue.is_ignored(USR1)


def test_what_cannot_be_caught_is_left_alone(w):
    for number in NOT_FOR_THE_PROGRAM:
        w.queue.enable(w.m, number)
        w.queue.ignore(w.m, number)
    assert w.queue.before == {}


def test_the_preemption_signal_does_both(w):
    seen = []
    if host.PREEMPT_SIGNAL is None:
        pytest.skip("no preemption signal")
    before = signal.signal(host.PREEMPT_SIGNAL, lambda number, frame: seen.append((number, frame)))
    try:
        w.queue.enable(w.m, host.PREEMPT_SIGNAL)
        signal.raise_signal(host.PREEMPT_SIGNAL)
        assert [number for number, _ in seen] == [host.PREEMPT_SIGNAL]
        assert list(w.queue.arrived) == [host.PREEMPT_SIGNAL]
        w.queue.restore()
    finally:
        signal.signal(host.PREEMPT_SIGNAL, before)


def test_gos_goroutine_for_signal_masks_is_a_record_with_a_thread(w):
    count = w.sched.m_count
    w.queue.enable(w.m, USR1)
    w.queue.enable(w.m, USR1)
    (gp,) = [gp for gp in w.sched.system_gs if gp.function == "runtime.ensureSigM.func1"]
    assert (gp.status, gp.waitreason, gp.lockedm.lockedg) == (WAITING, SELECT, gp)
    assert w.sched.m_count == count + 2  # with the template thread
    assert (w.sched.nmidlelocked, w.sched.nmsys) == (1, 1)


def test_only_one_thread_waits_for_the_outside(w):
    w.sched.kernel.outside = w.m
    with pytest.raises(Throw, match="two threads wait"):
        w.sched.kernel.await_outside(w.m)


def test_a_deaf_queue_touches_nothing():
    w = Still()
    queue = SigQueue(w.sched, is_deaf=True)
    queue.enable(w.m, USR1)
    queue.ignore(w.m, USR1)
    assert signal.getsignal(USR1) is signal.SIG_DFL
    assert queue.is_ignored(USR1)
    assert w.sched.system_gs == []
