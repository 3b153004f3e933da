"""sync.Mutex: its state word, who gets it, starvation mode, spinning, and what may not be done with it."""

from __future__ import annotations

import pytest

from goruntime import FatalError, defer, func, go, recover, run, runtime, sync, time
from goruntime.base.events import as_record
from goruntime.kernel import costs
from goruntime.sync import mutex
from goruntime.sync.mutex import LOCKED, ONE_WAITER, STARVATION_NS, STARVING, WAITER_SHIFT, WOKEN
from tests.unit.sched.world import Still, here

MILLISECOND = 1e-3


@pytest.fixture(params=[{}, {"checksum": True}, {"gomaxprocs": 4}], ids=["one P", "listening", "four Ps"])
def config(request):
    return {"gomaxprocs": 1, **request.param}


def waiters(mu, count, log=None, on_lock=None):
    """So many goroutines that wait for mu, in order; each logs its number when it has it."""

    def wait(number):
        mu.lock()
        if log is not None:
            log.append(number)
        if on_lock is not None:
            on_lock(number)
        mu.unlock()

    for number in range(count):
        go(wait, number)
        runtime.gosched()


# ---- the state word ----


def test_locking_and_unlocking(config):
    def main():
        mu = sync.Mutex()
        assert (mu.state, repr(mu)) == (0, "<sync.Mutex>")
        mu.lock()
        assert (mu.state, repr(mu)) == (LOCKED, "<sync.Mutex, locked>")
        mu.unlock()
        assert mu.state == 0
        with mu as nothing:
            assert nothing is None
            assert mu.state == LOCKED
        assert mu.state == 0
        assert mu.sema is None  # nobody had to wait
        mu.check()

    run(main, **config)


def test_try_lock(config):
    def main():
        mu = sync.Mutex()
        assert mu.try_lock() is True
        assert mu.try_lock() is False
        mu.unlock()
        assert mu.try_lock() is True
        mu.unlock()
        assert mu.state == 0

    run(main, **config)


def test_waiters_are_counted_and_one_is_woken(config):
    def main():
        mu, log = sync.Mutex(), []
        mu.lock()
        waiters(mu, 3, log)
        time.sleep(10 * costs.THREAD_START / 1e9)
        assert mu.state == LOCKED | 3 << WAITER_SHIFT
        assert repr(mu) == "<sync.Mutex, locked, 3 waiting>"
        assert [gp.goid for gp in mu.sema.waiting()] == sorted(gp.goid for gp in mu.sema.waiting())
        mu.check()
        mu.unlock()
        if config["gomaxprocs"] == 1:
            assert mu.state == WOKEN | 2 << WAITER_SHIFT
            mu.check()
            assert mu.try_lock() is True  # whoever runs may have it
            mu.unlock()  # somebody is woken already
            assert mu.state == WOKEN | 2 << WAITER_SHIFT
        time.sleep(MILLISECOND)
        assert sorted(log) == [0, 1, 2]
        assert mu.state == 0
        mu.check()

    run(main, **config)


def test_an_exception_in_a_with_block_unlocks():
    def main():
        mu = sync.Mutex()
        with pytest.raises(KeyError), mu:
            raise KeyError("x")
        return mu.state

    assert run(main) == 0


def test_another_goroutine_may_unlock():
    def main():
        mu = sync.Mutex()
        mu.lock()
        go(mu.unlock)
        mu.lock()
        return mu.state

    assert run(main) == LOCKED


def test_lock_and_unlock_cost_what_they_cost_in_go():
    def main():
        mu = sync.Mutex()
        m, _ = here()
        before = m.clock
        mu.lock()
        mu.unlock()
        return m.clock - before

    assert run(main, gomaxprocs=1) == run(main, gomaxprocs=1, events=[]) == 2 * costs.MUTEX


# ---- who gets it ----


def test_waiters_get_it_in_the_order_they_came():
    def main():
        mu, log = sync.Mutex(), []
        mu.lock()
        waiters(mu, 5, log, on_lock=lambda _: runtime.gosched())
        mu.unlock()
        time.sleep(MILLISECOND)
        return log

    assert run(main, gomaxprocs=1) == [0, 1, 2, 3, 4]


def test_one_that_was_woken_and_loses_queues_at_the_front():
    def main():
        mu, log = sync.Mutex(), []
        mu.lock()
        waiters(mu, 3, log)
        mu.unlock()
        mu.lock()  # before the one that was woken
        runtime.gosched()
        assert mu.state == LOCKED | 3 << WAITER_SHIFT
        first = mu.sema.waiting()[0]
        mu.unlock()
        time.sleep(MILLISECOND)
        return log, first.goid

    log, _ = run(main, gomaxprocs=1)
    assert log == [0, 1, 2]


def test_a_waiter_that_loses_within_a_millisecond_does_not_starve():
    def main():
        mu = sync.Mutex()
        mu.lock()
        waiters(mu, 1)
        for _ in range(3):
            mu.unlock()
            mu.lock()
            runtime.gosched()
            assert mu.state == LOCKED | ONE_WAITER

    run(main, gomaxprocs=1)


# ---- starvation mode ----


def starving(count, log, hold=2 * MILLISECOND):
    """A mutex that main holds, in starvation mode, with so many waiters."""
    mu = sync.Mutex()
    mu.lock()
    waiters(mu, count, log)
    runtime.work(hold)
    mu.unlock()
    mu.lock()
    runtime.gosched()  # the first one loses, after more than a millisecond
    return mu


def test_a_waiter_that_loses_after_a_millisecond_starves(config):
    if config["gomaxprocs"] > 1:
        pytest.skip("others barge in")

    def main():
        log = []
        mu = starving(3, log)
        assert mu.state == LOCKED | STARVING | 3 << WAITER_SHIFT
        assert repr(mu) == "<sync.Mutex, locked, starving, 3 waiting>"
        mu.check()
        mu.unlock()
        # It was handed over to 0 and to 1, which had waited for as long; 2 was the last: the mode is over.
        assert log == [0, 1, 2]
        time.sleep(MILLISECOND)
        assert mu.state == 0

    run(main, **config)


def test_the_one_it_is_handed_to_runs_before_unlock_returns():
    def main():
        log = []
        mu = starving(1, log)
        mu.unlock()
        log.append("unlocked")
        return log, mu.state

    assert run(main, gomaxprocs=1) == ([0, "unlocked"], 0)


def test_nobody_barges_into_a_starving_mutex():
    def main():
        log = []
        mu = starving(2, log)

        def late():
            mu.lock()
            log.append("late")
            mu.unlock()

        go(late)
        runtime.gosched()
        assert mu.state == LOCKED | STARVING | 3 << WAITER_SHIFT
        assert mu.try_lock() is False
        mu.unlock()
        time.sleep(MILLISECOND)
        return log, mu.state

    assert run(main, gomaxprocs=1) == ([0, 1, "late"], 0)


def test_between_unlock_and_the_new_owner_a_starving_mutex_is_not_free():
    """On four Ps the one it is handed to may run later, elsewhere; nobody gets in before it does."""

    def main():
        log, mu = [], sync.Mutex()
        mu.lock()
        waiters(mu, 4, log, on_lock=lambda _: runtime.work(3 * MILLISECOND))
        time.sleep(2 * MILLISECOND)
        for _ in range(3):
            mu.unlock()
            mu.lock()
            log.append("main")
            runtime.work(2 * MILLISECOND)
        mu.unlock()
        time.sleep(30 * MILLISECOND)
        mu.check()
        return log, mu.state

    for seed in range(5):
        log, state = run(main, gomaxprocs=4, seed=seed)
        assert sorted(map(str, log)) == ["0", "1", "2", "3", "main", "main", "main"]
        assert state == 0


def test_the_mode_ends_with_one_that_has_waited_less_than_a_millisecond():
    def main():
        log = []
        mu = starving(1, log)

        def late(number):
            mu.lock()
            log.append((number, mu.state & STARVING))
            mu.unlock()

        go(late, "a")
        runtime.gosched()
        go(late, "b")
        runtime.gosched()
        mu.unlock()
        time.sleep(MILLISECOND)
        return log, mu.state

    assert run(main, gomaxprocs=1) == ([0, ("a", 0), ("b", 0)], 0)


def test_it_takes_more_than_a_millisecond():
    def starves_after(hold):
        def main():
            mu = starving(1, [], hold)
            return bool(mu.state & STARVING)

        return run(main, gomaxprocs=1)

    assert not starves_after(0.99 * STARVATION_NS / 1e9)
    assert starves_after(1.01 * STARVATION_NS / 1e9)


def test_whoever_hogs_it_cannot_keep_others_out():
    """In Go's words: two goroutines, one of which holds the mutex nearly all the time; the other gets it soon."""

    def main():
        mu, stop = sync.Mutex(), [False]

        def hog():
            while not stop[0]:
                mu.lock()
                time.sleep(0.0001)
                mu.unlock()

        go(hog)
        for _ in range(10):
            time.sleep(0.0001)
            mu.lock()
            mu.unlock()
        stop[0] = True
        return time.now()

    for procs in (1, 2, 4):
        run(main, gomaxprocs=procs, max_time=1)


@pytest.mark.parametrize("procs", [1, 2, 4])
@pytest.mark.parametrize("seed", range(4))
def test_hammer(procs, seed):
    def main():
        mu, wg, inside, got = sync.Mutex(), sync.WaitGroup(), [0], [0]

        def hammer(number):
            for turn in range(60):
                if turn % 3 == 0 and mu.try_lock():
                    mu.unlock()
                with mu:
                    inside[0] += 1
                    assert inside[0] == 1
                    runtime.work((number + turn) % 4 * 1e-6)
                    assert inside[0] == 1
                    inside[0] -= 1
                    got[0] += 1
                mu.check()

        for number in range(10):
            wg.go(hammer, number)
        wg.wait()
        assert mu.state == 0
        assert mu.sema is None or not (mu.sema.count or mu.sema.waiting())
        return got[0]

    assert run(main, gomaxprocs=procs, seed=seed) == 600


# ---- spinning ----


def test_one_spins_only_while_others_run_and_nobody_waits_for_its_p():
    w = Still(4)
    sched, m = w.sched, w.m
    assert (sched.npidle, sched.nmspinning) == (3, 0)
    assert not mutex.can_spin(m, 0)  # all others are idle
    sched.npidle = 1
    assert [mutex.can_spin(m, spins) for spins in range(6)] == [True] * 4 + [False] * 2
    sched.nmspinning = 2
    assert not mutex.can_spin(m, 0)
    sched.nmspinning = 0
    m.p.runnext = w.g()
    assert not mutex.can_spin(m, 0)
    m.p.runnext = None
    m.p.runq.append(w.g())
    assert not mutex.can_spin(m, 0)
    m.p.runq.clear()
    sched.run_config.cpus = 1
    assert not mutex.can_spin(m, 0)


def listened(main, **config):
    events = []
    run(main, events=events, **config)
    return [as_record(event) for event in events]


def test_a_short_wait_is_spent_spinning():
    def main():
        mu, wg = sync.Mutex(), sync.WaitGroup()

        def work():
            for _ in range(100):
                with mu:
                    runtime.work(1e-6)
                runtime.work(1e-6)

        wg.go(work)
        wg.go(work)
        wg.wait()

    ways = [record["how"] for record in listened(main, gomaxprocs=2) if record["event"] == "sync_lock"]
    assert ways.count("after spinning") > 20
    assert ways.count("after waiting") < 10


def test_a_spinner_tells_unlock_to_wake_nobody():
    """A waiter sleeps, another one spins: the unlock leaves the sleeper alone, and the spinner gets it."""

    def main():
        mu, log = sync.Mutex(), []
        mu.lock()

        def late():
            mu.lock()
            log.append(mu.state & WOKEN)
            mu.unlock()

        for _ in range(2):
            go(late)
        runtime.work(100e-6)
        mu.unlock()
        time.sleep(MILLISECOND)
        mu.check()
        return mu.state

    assert [run(main, gomaxprocs=3, seed=seed) for seed in range(10)] == [0] * 10


def test_four_rounds_and_then_it_sleeps():
    came = []

    def main():
        mu = sync.Mutex()
        mu.lock()

        def late():
            came.append(here()[0].clock)
            mu.lock()
            mu.unlock()

        go(late)
        runtime.work(200e-6)
        mu.unlock()
        time.sleep(MILLISECOND)

    (slept,) = [
        record["ns"]
        for record in listened(main, gomaxprocs=2)
        if record["event"] == "go_park" and record["reason"] == "sync.Mutex.Lock"
    ]
    assert 4 * costs.MUTEX_SPIN < slept - came[0] < 4 * costs.MUTEX_SPIN + 200


# ---- misuse ----


@pytest.mark.parametrize(
    "prepare", [lambda mu: None, lambda mu: (mu.lock(), mu.unlock())], ids=["never locked", "unlocked"]
)
def test_unlock_of_unlocked_is_fatal(prepare, config):
    log = []

    def main():
        mu = sync.Mutex()
        prepare(mu)

        @func
        def inner():
            defer(lambda: log.append(recover()))
            mu.unlock()

        try:
            inner()
        except BaseException as exc:
            log.append(exc)
            raise

    with pytest.raises(FatalError, match=r"^fatal error: sync: unlock of unlocked mutex\n\ngoroutine 1 \[running\]"):
        run(main, **config)
    assert log == [] or "Unwind" in type(log[0]).__name__


def test_leaving_a_with_block_that_was_unlocked_is_fatal():
    def main():
        mu = sync.Mutex()
        with mu:
            mu.unlock()

    with pytest.raises(FatalError, match="unlock of unlocked mutex"):
        run(main)


def test_unlock_of_one_that_has_waiters_but_is_not_locked():
    def main():
        mu = sync.Mutex()
        mu.lock()
        waiters(mu, 2)
        mu.unlock()
        mu.unlock()

    with pytest.raises(FatalError, match="unlock of unlocked mutex"):
        run(main, gomaxprocs=1)


def test_locking_twice_is_a_deadlock():
    def main():
        mu = sync.Mutex()
        mu.lock()
        mu.lock()

    with pytest.raises(FatalError, match=r"deadlock!\n\ngoroutine 1 \[sync\.Mutex\.Lock\]"):
        run(main)


def test_check_finds_a_broken_state():
    from goruntime.base.errors import Throw

    def main(break_it):
        mu = sync.Mutex()
        mu.lock()
        waiters(mu, 1)
        break_it(mu)
        with pytest.raises(Throw, match="mutex|semaphore"):
            mu.check()

    run(main, lambda mu: setattr(mu, "state", LOCKED), gomaxprocs=1)
    run(main, lambda mu: setattr(mu.sema, "count", -1), gomaxprocs=1)

    def starving_alone():
        mu = sync.Mutex()
        mu.state = STARVING
        with pytest.raises(Throw, match="starving mutex without waiters"):
            mu.check()

    run(starving_alone)
