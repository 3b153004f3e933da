"""Random programs with locks, groups and conditions: the naive rules hold on every number of Ps."""

from __future__ import annotations

import pytest

from goruntime import FatalError, GoPanic, Timeout
from goruntime.base.errors import Throw
from goruntime.sched.sema import NotifyList, Sema
from goruntime.sync import mutex, once, rwmutex
from tests.model.invariants import checked_at_every_step, doors
from tests.model.sync_programs import execute

SEEDS = 40


@pytest.mark.parametrize("gomaxprocs", [1, 2, 3, 4])
@pytest.mark.parametrize("seed", range(4))
def test_the_rules_hold(gomaxprocs, seed):
    tasks, entered, _ = execute(seed, gomaxprocs=gomaxprocs)
    assert tasks > 0
    assert entered > 0


def test_one_program_does_the_same_work_however_it_is_scheduled():
    """But for try_lock: how often a critical section was entered may differ by those that were refused."""
    assert len({execute(7, gomaxprocs=procs)[0] for procs in (1, 2, 3, 4)}) == 1


@pytest.mark.parametrize("gomaxprocs", [1, 2, 4])
@pytest.mark.parametrize("seed", range(20))
def test_whether_somebody_listens_changes_nothing(gomaxprocs, seed):
    """The flat paths, the ways through `step` and the checked ones take the same virtual time and the same choices."""
    with doors(is_open=False):
        flat = execute(seed, gomaxprocs=gomaxprocs)
        assert execute(seed, gomaxprocs=gomaxprocs, events=[]) == flat
    with doors(is_open=True):
        assert execute(seed, gomaxprocs=gomaxprocs) == flat


@pytest.mark.sim
@pytest.mark.slow
@pytest.mark.parametrize("gomaxprocs", [1, 2, 3, 4])
@pytest.mark.parametrize("quantum", [0, 5e-6, 50e-6])
def test_sweep(sim_seed, gomaxprocs, quantum):
    for seed in range(sim_seed, sim_seed + SEEDS):
        print(f"seed {seed}")
        with doors(is_open=bool(seed % 2)):
            execute(seed, gomaxprocs=gomaxprocs, quantum=quantum)


@pytest.mark.sim
@pytest.mark.slow
@pytest.mark.parametrize("gomaxprocs", [2, 4])
def test_every_structure_is_sound_at_every_step(sim_seed, gomaxprocs):
    for seed in range(sim_seed, sim_seed + 10):
        print(f"seed {seed}")
        with checked_at_every_step():
            execute(seed, gomaxprocs=gomaxprocs)


# ---- faults put in on purpose are found ----


def forgets_the_waiter(monkeypatch):
    """A release that counts, but readies nobody."""

    def release(self, m, g, is_handoff=False, yields=True, obj=None):
        self.count += 1
        return m

    monkeypatch.setattr(Sema, "release", release)


def drops_a_signal(monkeypatch):
    monkeypatch.setattr(NotifyList, "notify_one", lambda self, m, obj: 0)


def takes_what_is_taken(monkeypatch):
    """try_lock does not look."""

    def try_lock_now(self, m, g):
        self.state |= 1
        return True

    monkeypatch.setattr(mutex.Mutex, "try_lock_now", try_lock_now)


def lets_readers_in(monkeypatch):
    """A writer does not wait for the readers that are there."""
    monkeypatch.setattr(rwmutex.RWMutex, "_acquire", lambda self, m, g: _no_drain(self, m, g))


def _no_drain(rw, m, g):
    rw.w.lock_now(m, g)
    rw.reader_count -= rwmutex.MAX_READERS


def leaves_the_woken_bit(monkeypatch):
    """Unlock wakes nobody because somebody seems to be on the way."""
    unlock_now = mutex.Mutex.unlock_now

    def forgetful(self, m, g):
        self.state |= mutex.WOKEN
        return unlock_now(self, m, g)

    monkeypatch.setattr(mutex.Mutex, "unlock_now", forgetful)


FAULTS = [forgets_the_waiter, drops_a_signal, takes_what_is_taken, lets_readers_in, leaves_the_woken_bit]


@pytest.mark.parametrize("fault", FAULTS, ids=[fault.__name__ for fault in FAULTS])
def test_a_fault_is_found(fault, monkeypatch):
    fault(monkeypatch)
    found = 0
    for seed in range(10):
        try:
            execute(seed, gomaxprocs=4)
        except (GoPanic, FatalError, Throw, Timeout):
            found += 1
    assert found >= 3


# A program in which somebody spins at the Once while the first, whose thread is ahead, comes to its end.
AHEAD = {"seed": 1023, "gomaxprocs": 3, "quantum": 5e-6}


def test_who_waits_for_a_once_goes_on_after_its_end():
    execute(**AHEAD)


def test_that_it_went_on_before_would_be_found(monkeypatch):
    monkeypatch.setattr(once.Once, "join", lambda self, m: None)
    with pytest.raises(GoPanic, match="got before it was given"):
        execute(**AHEAD)
