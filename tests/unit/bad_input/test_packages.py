"""What Go's packages bring, used where and how it should not be: blocked when the run ends, pressed, shared, elsewhere."""

import gc
import os as host
import signal as python
import threading

import pytest

from goruntime import (
    GoPanic,
    atomic,
    chan,
    context,
    coro,
    errgroup,
    go,
    net,
    os,
    rate,
    run,
    runtime,
    select,
    semaphore,
    signal,
    singleflight,
    sync,
    time,
)  # fmt: skip
from goruntime.testing import synctest

pytestmark = [
    pytest.mark.usefixtures("every_way"),
    pytest.mark.skipif(not hasattr(python, "pthread_kill"), reason="needs POSIX signals"),
]


def locked(mu):
    mu.lock()
    return mu


# Ways to block, each with a clean-up that goes on using what it blocked in.


def mutex():
    mu = locked(sync.Mutex())
    try:
        mu.lock()
    finally:
        mu.unlock()
        mu.lock()
        mu.unlock()


def mutex_by_with():
    with locked(sync.Mutex()):
        raise AssertionError("locked twice")


def reader():
    mu = locked(sync.RWMutex())
    try:
        with mu.rlocker():
            raise AssertionError("read while written")
    finally:
        mu.unlock()
        mu.rlock()
        mu.runlock()


def writer():
    mu = sync.RWMutex()
    mu.rlock()
    try:
        mu.lock()
    finally:
        mu.runlock()
        mu.lock()


def wait_group():
    wg = sync.WaitGroup()
    wg.add(1)
    try:
        wg.wait()
    finally:
        wg.done()
        wg.wait()
        wg.go(int)


def condition():
    mu = sync.Mutex()
    cond = sync.Cond(mu)
    with mu:
        try:
            cond.wait()
        finally:
            cond.broadcast()
            cond.signal()


def once():
    single = sync.Once()
    go(single.do, chan().recv)
    time.sleep(1e-6)
    try:
        single.do(int)
    finally:
        single.do(int)


def canceled_context():
    ctx, cancel = context.with_cancel(context.background())
    stop = context.after_func(ctx, int)
    try:
        ctx.done().recv()
    finally:
        stop()
        cancel()
        context.with_timeout(ctx, 1)
        ctx.err()


def listener():
    here = net.listen("tcp", "127.0.0.1:0")
    try:
        here.accept()
    finally:
        here.close()


def connection():
    here = net.listen("tcp", "127.0.0.1:0")
    there = net.dial("tcp", str(here.addr()))
    accepted = here.accept()
    try:
        there.read(1)
    finally:
        accepted.write(b"x")
        there.set_deadline(time.now() + 1)
        for each in (there, accepted, here):
            each.close()


def left_open():
    here = net.listen("tcp", "127.0.0.1:0")
    there = net.dial("tcp", str(here.addr()))
    accepted = here.accept()
    while accepted:
        there.write(b"x" * 100_000)


def pipe():
    reading, writing = os.pipe()
    try:
        reading.read(1)
    finally:
        writing.close()
        reading.close()


def pipe_of_net():
    one, other = net.pipe()
    try:
        one.read(1)
    finally:
        other.close()
        one.close()


def a_signal():
    ch = chan(1)
    signal.notify(ch, signal.SIGUSR1)
    try:
        ch.recv()
    finally:
        signal.stop(ch)


def a_signals_context():
    ctx, stop = signal.notify_context(context.background(), signal.SIGUSR1)
    try:
        ctx.done().recv()
    finally:
        stop()


def coroutine():
    following, stop = coro.pull(lambda _: chan().recv())
    try:
        following()
    finally:
        stop()


def bubble():
    def inside():
        ch = chan()
        go(ch.send, 1)
        locked(sync.Mutex()).lock()

    synctest.test(inside)


def error_group():
    group = errgroup.Group()
    group.go(chan().recv)
    try:
        group.wait()
    finally:
        group.go(int)
        group.wait()


def weighted():
    sema = semaphore.Weighted(1)
    sema.acquire(context.background(), 1)
    try:
        sema.acquire(context.background(), 1)
    finally:
        sema.release(1)
        sema.acquire(context.background(), 1)


def single_flight():
    group = singleflight.Group()
    go(group.do, "key", chan().recv)
    time.sleep(1e-6)
    try:
        group.do("key", int)
    finally:
        group.forget("key")
        group.do("another", int)


WAYS = [
    error_group, weighted, single_flight, mutex, mutex_by_with, reader, writer, wait_group, condition, once, canceled_context, listener, connection, left_open,
    pipe, pipe_of_net, a_signal, a_signals_context, coroutine, bubble,
]  # fmt: skip
every_way_to_block = pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)


def open_descriptors():
    folder = "/proc/self/fd"
    return len(host.listdir(folder)) if host.path.isdir(folder) else 0


@every_way_to_block
@pytest.mark.parametrize("procs", [1, 4])
def test_left_behind_when_main_returns(way, procs):
    log = []

    def left():
        try:
            way()
        finally:
            log.append("left")

    def main():
        go(left)
        time.sleep(0.005)
        return "main returned"

    before = open_descriptors()
    assert run(main, gomaxprocs=procs) == "main returned"
    assert log == ["left"]
    assert open_descriptors() == before


@every_way_to_block
def test_ctrl_c_while_it_blocks(way):
    """The press comes from another thread; until then the kernel waits for a signal, or for a socket."""
    log = []

    def main():
        signal.notify(chan(1), signal.SIGUSR2)  # so that it is no deadlock
        press = threading.Timer(0.02, python.pthread_kill, (threading.main_thread().ident, python.SIGINT))
        press.start()
        try:
            way()
        finally:
            log.append("left")

    with pytest.raises(KeyboardInterrupt):
        run(main, max_time=10)
    assert log == ["left"]


# A handler of the user's that raises, at any moment.


def mutexes(mu):
    def work():
        while True:
            with mu:
                time.sleep(1e-9)

    for _ in range(3):
        go(work)
    work()


def conditions():
    mu = sync.Mutex()
    cond = sync.Cond(mu)

    def wait():
        while True:
            with mu:
                cond.wait()

    for _ in range(3):
        go(wait)
    while True:
        cond.broadcast()
        time.sleep(1e-9)


def contexts():
    while True:
        ctx, cancel = context.with_cancel(context.background())
        child, _ = context.with_timeout(ctx, 1e-6)
        context.after_func(child, int)
        go(child.done().recv)
        cancel()
        child.done().recv()


def timers():
    while True:
        timer = time.Timer(1e-6)
        select(chan().recv, timer.c.recv)
        timer.reset(1)
        timer.stop()
        time.after_func(1e-6, int)
        time.sleep(1e-6)


def echoes():
    here = net.listen("tcp", "127.0.0.1:0")

    def serve():
        conn = here.accept()
        while True:
            conn.write(conn.read(10))

    go(serve)
    conn = net.dial("tcp", str(here.addr()))
    while True:
        conn.write(b"x")
        conn.read(1)


def groups():
    while True:
        group, _ = errgroup.with_context(context.background())
        group.set_limit(2)
        for _ in range(4):
            group.go(time.sleep, 1e-9)
        group.wait()


def limits():
    sema = semaphore.Weighted(3)
    limiter = rate.Limiter(1e6, 3)

    def work():
        while True:
            sema.acquire(context.background(), 2)
            limiter.wait(context.background())
            sema.release(2)

    for _ in range(3):
        go(work)
    work()


def signals():
    ch = chan(1)
    while True:
        signal.notify(ch, signal.SIGUSR1)
        host.kill(host.getpid(), signal.SIGUSR1)
        ch.recv()
        signal.stop(ch)


def bubbles():
    def inside():
        done = chan()
        go(lambda: [time.sleep(1), done.send(1)])
        synctest.wait()
        done.recv()

    while True:
        synctest.test(inside)


BUSY = [
    lambda: mutexes(sync.Mutex()),
    lambda: mutexes(sync.RWMutex()),
    conditions,
    contexts,
    timers,
    echoes,
    groups,
    limits,
    signals,
    bubbles,
]


class Raised(Exception):
    pass


class RaisedBase(BaseException):
    pass


@pytest.fixture
def alarm():
    """`alarm(error, seconds)`: a handler raises error after so long.

    CPython's collector is off: what a handler raises while a callback of its runs (Hypothesis has one) is lost.
    """
    gc.collect()
    gc.disable()
    before = python.getsignal(python.SIGALRM)

    def arm(error, seconds):
        def handler(_number, _frame):
            raise error

        python.signal(python.SIGALRM, handler)
        python.setitimer(python.ITIMER_REAL, seconds)

    yield arm
    python.setitimer(python.ITIMER_REAL, 0)
    python.signal(python.SIGALRM, before)
    gc.enable()


@pytest.mark.parametrize("busy", BUSY, ids=lambda busy: busy.__name__)
@pytest.mark.parametrize("kind", [Raised, RaisedBase])
def test_what_a_handler_raises_ends_the_run_and_nothing_worse(busy, kind, alarm):
    """Wherever it strikes: as a panic in the program's own code, as the end of the run in a primitive."""

    def struck(attempt):
        alarm(kind(), 0.001 + attempt * 0.0007)
        run(busy, gomaxprocs=attempt % 4 + 1, max_time=60)

    for attempt in range(8):
        with pytest.raises((kind, GoPanic)) as caught:
            struck(attempt)
        assert isinstance(caught.value, kind) or "Raised" in str(caught.value)


# Objects that belong to another run.

OPERATIONS = {
    "Mutex": (sync.Mutex, sync.Mutex.lock),
    "RWMutex": (sync.RWMutex, sync.RWMutex.rlock),
    "WaitGroup": (sync.WaitGroup, lambda wg: wg.add(1)),
    "Once": (sync.Once, lambda once: once.do(int)),
    "Cond": (lambda: sync.Cond(sync.Mutex()), sync.Cond.broadcast),
    "Map": (sync.Map, lambda m: m.store(1, 1)),
    "Pool": (lambda: sync.Pool(), lambda pool: pool.put(1)),
    "Int64": (atomic.Int64, lambda v: v.add(1)),
}
every_operation = pytest.mark.parametrize("name", OPERATIONS)


@every_operation
def test_made_outside_it_belongs_to_the_first_run(name):
    make, operate = OPERATIONS[name]
    made = make()
    run(operate, made)
    with pytest.raises(GoPanic, match=r"panic: RuntimeError: .*made at .*test_packages.py:\d+, belongs to another run"):
        run(operate, made)


@every_operation
def test_made_in_another_run(name):
    make, operate = OPERATIONS[name]
    with pytest.raises(GoPanic, match=r"panic: RuntimeError: .* belongs to another run: make it inside main"):
        run(operate, run(make))


# Where no goroutine runs.


@every_operation
def test_where_no_goroutine_runs(name):
    make, operate = OPERATIONS[name]
    made = make()
    errors = []

    def attempt(*_):
        try:
            operate(made)
        except RuntimeError as error:
            errors.append(str(error))

    attempt()

    def main():
        thread = threading.Thread(target=attempt)
        thread.start()
        thread.join()
        host.kill(host.getpid(), python.SIGUSR1)

    before = python.signal(python.SIGUSR1, attempt)
    try:
        run(main)
    finally:
        python.signal(python.SIGUSR1, before)
    assert len(errors) == 3
    assert all("must be called from a goroutine" in error for error in errors)
    run(operate, made)  # it belongs to no run yet


@every_operation
def test_a_finaliser_between_goroutines(name):
    """A `__del__` runs on whatever runs: on a goroutine it may use what it holds."""
    make, operate = OPERATIONS[name]
    done = []

    def main():
        made = make()

        class Dies:
            def __del__(self):
                operate(made)
                done.append(True)

        def carry(dies):
            runtime.gosched()
            del dies

        go(carry, Dies())
        for _ in range(5):
            runtime.gosched()

    run(main, gomaxprocs=1)
    assert done == [True]


def test_wrong_things_for_the_smaller_functions():
    def main():
        for call in (
            lambda: net.join_host_port(chan(), 1),
            lambda: net.join_host_port("localhost", None),
            lambda: os.File("name", 0, "x"),
        ):
            with pytest.raises(TypeError):
                call()
        return select(chan(1).recv, time.after(1).recv)[0]

    assert run(main) == 1
