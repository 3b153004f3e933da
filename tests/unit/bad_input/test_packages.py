"""What Go's packages bring, used where and how it should not be: blocked when the run ends, pressed, shared, elsewhere."""

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
    go,
    net,
    os,
    run,
    runtime,
    select,
    signal,
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


WAYS = [
    mutex, mutex_by_with, reader, writer, wait_group, condition, once, canceled_context, listener, connection, left_open,
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
