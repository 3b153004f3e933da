"""Operations of sync and atomic at the bottom of the stack: done, not done, or the run ends; never half."""

import pytest

from goruntime import FatalError, atomic, chan, go, run, runtime, sync, time
from tests.model.invariants import doors

from . import test_recursion
from .test_recursion import attempt, case_of, deepest, equal


def waits(operation):
    """A goroutine that does this, and has come to wait when this returns; the channel says when it is done."""
    done = chan(1)

    def wait():
        operation()
        done.send(None)

    go(wait)
    time.sleep(0.0001)
    return done


def lock(count=0):
    """Lock a free one; then whoever waits gets it."""
    mu = sync.Mutex()

    def check(_):
        assert mu.state & 1
        mu.check()
        mu.unlock()

    return case_of(mu.lock, check)


def lock_that_waits():
    mu = sync.Mutex()
    mu.lock()

    def unlock():
        time.sleep(0.001)
        mu.unlock()

    go(unlock)

    def check(_):
        mu.check()
        mu.unlock()
        assert mu.state == 0

    return case_of(mu.lock, check)


def unlock_with_waiters(count):
    mu = sync.Mutex()
    mu.lock()
    done = [waits(lambda: (mu.lock(), mu.unlock())) for _ in range(count)]

    def check(_):
        for each in done:
            each.recv()
        mu.check()
        assert mu.state == 0

    return case_of(mu.unlock, check)


def unlock_in_starvation_mode():
    mu = sync.Mutex()
    mu.lock()
    done = waits(lambda: (mu.lock(), mu.unlock()))
    runtime.work(0.002)
    mu.unlock()
    mu.lock()
    runtime.gosched()

    def check(_):
        done.recv()
        assert mu.state == 0

    return case_of(mu.unlock, check)


def try_lock():
    mu = sync.Mutex()
    return case_of(mu.try_lock, equal(True))


def with_block():
    mu = sync.Mutex()

    def block():
        with mu:
            pass

    def check(_):
        mu.check()
        if mu.state:  # it struck between the lock and the block, or before the unlock: as every `with` of Python's
            mu.unlock()

    case = test_recursion.Case()
    case.operation = block
    case.finish = lambda done, result: check(result)
    return case


def rlock_that_waits():
    rw = sync.RWMutex()
    rw.lock()

    def unlock():
        time.sleep(0.001)
        rw.unlock()

    go(unlock)
    return case_of(rw.rlock, lambda _: (rw.check(), rw.runlock()))


def write_lock_that_waits():
    rw = sync.RWMutex()
    rw.rlock()

    def unlock():
        time.sleep(0.001)
        rw.runlock()

    go(unlock)
    return case_of(rw.lock, lambda _: (rw.check(), rw.unlock()))


def runlock_with_a_writer():
    rw = sync.RWMutex()
    rw.rlock()
    done = waits(lambda: (rw.lock(), rw.unlock()))
    return case_of(rw.runlock, lambda _: (done.recv(), rw.check()))


def write_unlock_with_readers():
    rw = sync.RWMutex()
    rw.lock()
    done = [waits(lambda: (rw.rlock(), rw.runlock())) for _ in range(2)]

    def check(_):
        for each in done:
            each.recv()
        rw.check()

    return case_of(rw.unlock, check)


def write_lock_and_unlock():
    rw = sync.RWMutex()

    def check(_):
        rw.unlock()
        rw.check()

    return case_of(rw.lock, check)


def wait_for_a_group():
    wg = sync.WaitGroup()
    wg.add(1)

    def done():
        time.sleep(0.001)
        wg.done()

    go(done)
    return case_of(wg.wait, lambda _: wg.check())


def last_done():
    wg = sync.WaitGroup()
    wg.add(1)
    done = waits(wg.wait)
    return case_of(wg.done, lambda _: (done.recv(), wg.check()))


def first_add():
    wg = sync.WaitGroup()
    return case_of(lambda: wg.add(1), lambda _: equal(1)(wg.counter))


def signal(is_broadcast=False):
    cond = sync.Cond(sync.Mutex())

    def wait():
        with cond.l:
            cond.wait()

    done = waits(wait)
    return case_of(cond.broadcast if is_broadcast else cond.signal, lambda _: (done.recv(), cond.check()))


def once():
    calls, it = [], sync.Once()

    def check(_):
        it.do(lambda: calls.append(1))
        assert len(calls) <= 1
        assert it.m.state == 0
        it.check()

    case = test_recursion.Case()
    case.operation = lambda: it.do(lambda: calls.append(1))
    case.finish = lambda done, result: check(result)
    return case


def once_done():
    it = sync.Once()
    it.do(lambda: None)
    return case_of(lambda: it.do(lambda: None))


def word(kind, operation, expected):
    made = kind()
    return case_of(lambda: operation(made), lambda _: equal(expected)(made.load()))


def pool():
    it = sync.Pool()
    it.put(1)
    return case_of(it.get, lambda got: (equal(1)(got), it.check()))


def pool_put():
    it = sync.Pool()
    return case_of(lambda: it.put(1), lambda _: (equal(1)(it.get()), it.check()))


def stored(operation):
    m = sync.Map()
    m.store("k", 0)
    return case_of(lambda: operation(m))


CASES = {
    "lock": lock,
    "lock that waits": lock_that_waits,
    "unlock with a waiter": lambda: unlock_with_waiters(1),
    "unlock with two waiters": lambda: unlock_with_waiters(2),
    "unlock, starving": unlock_in_starvation_mode,
    "unlock": lambda: unlock_with_waiters(0),
    "try_lock": try_lock,
    "with": with_block,
    "rlock that waits": rlock_that_waits,
    "write lock": write_lock_and_unlock,
    "write lock that waits": write_lock_that_waits,
    "runlock with a writer": runlock_with_a_writer,
    "write unlock with readers": write_unlock_with_readers,
    "wait": wait_for_a_group,
    "done": last_done,
    "add": first_add,
    "signal": signal,
    "broadcast": lambda: signal(True),
    "once": once,
    "once, done": once_done,
    "add to a word": lambda: word(atomic.Int64, lambda w: w.add(1), 1),
    "store": lambda: word(atomic.Int64, lambda w: w.store(1), 1),
    "compare and swap": lambda: word(atomic.Int64, lambda w: w.load() or w.compare_and_swap(0, 1), 1),
    "pointer": lambda: word(atomic.Pointer, lambda w: w.store(1), 1),
    "value": lambda: word(atomic.Value, lambda w: w.store(1), 1),
    "pool get": pool,
    "pool put": pool_put,
    "map load": lambda: stored(lambda m: m.load("k")),
    "map store": lambda: stored(lambda m: m.store("k", 1)),
}
test_recursion.CASES.update({f"sync: {name}": case for name, case in CASES.items()})


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize(
    ("is_checked", "is_late", "config"),
    [
        (False, False, {"gomaxprocs": 1}),
        (True, False, {"gomaxprocs": 1}),
        (False, True, {"gomaxprocs": 4}),
        (False, True, {"gomaxprocs": 2, "checksum": True}),
    ],
    ids=["one P", "one P checked", "four Ps", "two Ps with events"],
)
def test_sweep(name, is_checked, is_late, config, capfd):
    deepest()
    with doors(is_checked):
        outcomes = []
        for room in range(30):
            try:
                outcomes.append(run(attempt, f"sync: {name}", room, is_late, **config))
            except FatalError as failure:
                assert "fatal error: stack overflow\n" in str(failure)
                outcomes.append("overflow")
    assert outcomes[-1] == "done"
