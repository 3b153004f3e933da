"""Ctrl-C, SIGQUIT and the user's own signals, wherever the program is: each ends the run, or does what it does in Python."""

import asyncio
import json
import signal
import threading
import time as host_time

import pytest

from goruntime import FatalError, GoPanic, chan, defer, go, run, runtime, select, syscall, time
from goruntime.lang.error import GoPlainError
from goruntime.sched import signals

pytestmark = [
    pytest.mark.usefixtures("every_way"),
    pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="needs POSIX signals"),
]


class Presses:
    """Sends signals to the main thread, a moment after the program has said that it is ready."""

    def __init__(self, number, count=1, delay=0.02):
        self.number = number
        self.count = count
        self.delay = delay
        self.main = threading.main_thread().ident
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.press)

    def ready(self):
        self.thread.start()

    def press(self):
        for _ in range(self.count):
            if self.over.wait(self.delay):
                return
            signal.pthread_kill(self.main, self.number)

    def end(self):
        self.over.set()
        if self.thread.ident is not None:
            self.thread.join()


@pytest.fixture
def presses():
    made = []

    def make(number, count=1, delay=0.02):
        made.append(Presses(number, count, delay))
        return made[-1]

    yield make
    for each in made:
        each.end()


# Where a program can be.

host_call_may_end = threading.Event()


def python_loop(ready):
    ready()
    while True:
        pass


def python_loop_in_a_goroutine(ready):
    go(python_loop, ready)
    chan().recv()


def switching_goroutines(ready):
    there, back = chan(), chan()

    def echo():
        for value in there:
            back.send(value)

    go(echo)
    ready()
    while True:
        there.send(1)
        back.recv()


def operations_that_do_not_block(ready):
    ch = chan(1)
    ready()
    while True:
        ch.send(1)
        ch.recv()


def the_scheduler(ready):
    def spin():
        while True:
            runtime.gosched()

    for _ in range(5):
        go(spin)
    ready()
    spin()


def virtual_sleep(ready):
    ready()
    while True:
        time.sleep(1)


def real_sleep(ready):
    ready()
    time.sleep(100)


def real_work(ready):
    ready()
    while True:
        runtime.work(0.1)


def a_host_call(ready):
    ready()
    syscall(host_call_may_end.wait, 5)


def a_host_call_while_others_run(ready):
    go(virtual_sleep, int)
    a_host_call(ready)


def a_blocking_call(ready):
    ready()
    host_time.sleep(100)


def a_lock(ready):
    lock = threading.Lock()
    lock.acquire()
    ready()
    lock.acquire()


def a_library(ready):
    ready()
    while True:
        json.dumps([list(range(100))] * 5, indent=1)


def deep_down(ready):
    def dive(n):
        return dive(n - 1) if n else operations_that_do_not_block(ready)

    dive(1000)


def deep_down_in_python(ready):
    def dive(n):
        return dive(n - 1) if n else python_loop(ready)

    dive(1200)


def a_sort_key(ready):
    sorted([1, 2], key=lambda _: python_loop(ready))


def selecting(ready):
    a, b = chan(1), chan(1)
    ready()
    while True:
        select((a.send, 1), b.recv)
        select(a.recv, b.recv)


def spawning(ready):
    ready()
    while True:
        go(int)
        runtime.gosched()


PLACES = [
    python_loop,
    python_loop_in_a_goroutine,
    switching_goroutines,
    operations_that_do_not_block,
    the_scheduler,
    virtual_sleep,
    real_sleep,
    real_work,
    a_host_call,
    a_host_call_while_others_run,
    a_blocking_call,
    a_lock,
    a_library,
    deep_down,
    deep_down_in_python,
    a_sort_key,
    selecting,
    spawning,
]
every_place = pytest.mark.parametrize("place", PLACES, ids=lambda place: place.__name__)


def options(place):
    return {"clock": "real"} if place in (real_sleep, real_work) else {}


def finish_host_calls():
    """Let the calls that are still in flight end, and their threads."""
    host_call_may_end.set()
    for thread in threading.enumerate():
        if thread.name.startswith("goruntime-syscall"):
            thread.join(5)
    host_call_may_end.clear()


@every_place
def test_ctrl_c(place, presses):
    try:
        with pytest.raises(KeyboardInterrupt) as caught:
            run(place, presses(signal.SIGINT).ready, **options(place))
    finally:
        finish_host_calls()
    assert caught.value.__cause__ is None


@every_place
def test_sigquit(place, presses):
    try:
        with pytest.raises(FatalError) as caught:
            run(place, presses(signal.SIGQUIT).ready, **options(place))
    finally:
        finish_host_calls()
    text = str(caught.value)
    assert text.startswith("SIGQUIT: quit\n")
    assert "\ngoroutine 1 " in text
    assert caught.value.status == 2
    assert next(record.goid for record in caught.value.goroutines if not record.is_system) == 1
    finish_host_calls()


def test_at_one_p(presses):
    for place in (python_loop, switching_goroutines, the_scheduler):
        with pytest.raises(KeyboardInterrupt):
            run(place, presses(signal.SIGINT).ready, gomaxprocs=1)


# What runs then, and what does not.


def test_finally_runs_but_deferred_calls_do_not(presses):
    def main():
        defer(log.append, "deferred")
        try:
            python_loop(presses(signal.SIGINT).ready)
        finally:
            log.append("finally")

    log = []
    with pytest.raises(KeyboardInterrupt):
        run(main)
    assert log == ["finally"]


def test_a_program_that_catches_everything(presses):
    def main():
        ch = chan(1)
        presses(signal.SIGINT).ready()
        while True:
            try:
                ch.send(1)
                ch.recv()
                time.sleep(1e-6)
            except Exception:
                raise AssertionError from None

    with pytest.raises(KeyboardInterrupt):
        run(main)


@pytest.mark.parametrize("number", [signal.SIGINT, getattr(signal, "SIGQUIT", 0)])
def test_when_main_has_returned(number, presses):
    """The stacks of those left behind are taken down, and one of them computes for long."""

    def left():
        try:
            chan().recv()
        finally:
            python_loop(presses(number).ready)

    def main():
        go(left)
        time.sleep(0.001)
        return "lost"

    with pytest.raises((KeyboardInterrupt, FatalError)) as caught:
        run(main)
    assert isinstance(caught.value, KeyboardInterrupt) == (number == signal.SIGINT)


def test_a_library_that_does_not_come_back_is_left_at_the_second_press(presses):
    """An import lock may be held below, so the first one only asks for the end."""
    pressed = presses(signal.SIGINT, count=100)

    async def for_ever():
        pressed.ready()
        while True:
            await asyncio.sleep(0.001)

    with pytest.raises(KeyboardInterrupt):
        run(lambda: asyncio.run(for_ever()))


# The user's own handlers.


@pytest.fixture
def alarm():
    before = signal.getsignal(signal.SIGALRM)
    yield lambda handler: signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


def keep_switching(seconds, every=0.0007):
    there, back = chan(), chan()

    def echo():
        for value in there:
            back.send(value)

    go(echo)
    end = host_time.monotonic() + seconds
    signal.setitimer(signal.ITIMER_REAL, every, every)
    number = 0
    while host_time.monotonic() < end:
        there.send(number)
        assert back.recv() == number
        number += 1
    signal.setitimer(signal.ITIMER_REAL, 0)
    return number


def test_a_handler_that_calls_primitives(alarm):
    refused = []
    ch = chan(10_000)
    ch.sched = None

    def handler(number, frame):
        for primitive in (lambda: ch.send(1), lambda: go(int), lambda: select(ch.recv), runtime.gosched):
            try:
                primitive()
            except RuntimeError as error:
                refused.append(str(error).partition(" must be called from a goroutine")[0])

    alarm(handler)
    assert run(keep_switching, 0.1) > 10
    assert signal.getsignal(signal.SIGALRM) is handler
    assert set(refused) == {"chan.send", "go", "select", "runtime.gosched"}
    assert len(ch) == 0


class Late(Exception):
    """Raised by a handler."""


@pytest.mark.parametrize("kind", [Late, pytest.fail.Exception], ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("count", [1, 4])
def test_a_handler_that_raises(alarm, kind, count):
    """In the user's code it raises there; in the runtime's it ends the run. Nothing is left half done."""

    def handler(number, frame):
        signal.setitimer(signal.ITIMER_REAL, 0)
        raise kind("too late")

    alarm(handler)
    endings = []
    for number in range(25):
        try:
            run(keep_switching, 5, 0.0003 + number * 0.00003, gomaxprocs=count)
        except GoPanic as panic:
            assert str(panic).startswith(f"panic: {__name__}.Late: too late\n")
            endings.append("panic")
        except kind as error:
            assert str(error) == "too late"
            endings.append("itself")
    assert len(endings) == 25
    if kind is not Late:
        assert set(endings) == {"itself"}


def test_a_handler_that_raises_while_the_clock_idles(alarm):
    def handler(number, frame):
        raise Late("too late")

    def main():
        signal.setitimer(signal.ITIMER_REAL, 0.01)
        time.sleep(100)

    alarm(handler)
    with pytest.raises(Late, match="too late"):
        run(main, clock="real")


def test_a_handler_that_the_program_installs_stays(alarm):
    def handler(number, frame):
        raise AssertionError

    def main():
        signal.signal(signal.SIGALRM, handler)

    alarm(signal.SIG_IGN)
    run(main)
    assert signal.getsignal(signal.SIGALRM) is handler


def test_a_ctrl_c_handler_of_the_users_is_kept(presses):
    pressed = []
    before = signal.signal(signal.SIGINT, lambda number, frame: pressed.append(1))
    try:

        def main():
            presses(signal.SIGINT).ready()
            while not pressed:
                pass
            return "on"

        assert run(main) == "on"
        assert signal.getsignal(signal.SIGINT) is not signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)


def test_signals_in_another_thread_are_left_alone(presses):
    """A run elsewhere does not touch the handlers, and its end does not end the attention of the main thread's."""
    started, finish = threading.Event(), threading.Event()

    def short():
        started.set()
        finish.wait(5)

    thread = threading.Thread(target=run, args=(short,))
    thread.start()
    started.wait(5)

    def main():
        finish.set()
        thread.join()
        assert signals._state.sched is not None
        python_loop(presses(signal.SIGINT).ready)

    with pytest.raises(KeyboardInterrupt):
        run(main)


def test_closing_in_a_handler_is_refused(alarm):
    """What programs do on SIGTERM: tell the others by a channel."""
    caught = []

    def main():
        done = chan()

        def handler(number, frame):
            try:
                done.close()
            except (RuntimeError, GoPlainError) as error:
                caught.append(type(error))

        before = signal.getsignal(signal.SIGALRM)
        signal.signal(signal.SIGALRM, signals._Aside(handler))
        signal.raise_signal(signal.SIGALRM)
        signal.signal(signal.SIGALRM, before)
        return done.closed

    alarm(signal.SIG_IGN)
    assert run(main) is False
    assert caught == [RuntimeError]
