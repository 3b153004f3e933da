"""goruntime.signal: the host's signals on channels."""

import copy
import os as host
import pickle
import signal as python
import threading
import time as host_time

import pytest

from goruntime import (
    Deadlock,
    GoPanic,
    Timeout,
    chan,
    context,
    errors,
    func,
    go,
    nilchan,
    os,
    run,
    runtime,
    select,
    signal,
    syscall,
    time,
)  # fmt: skip
from goruntime.check import explore

from .running import OUTSIDE, execute, raising

pytestmark = pytest.mark.skipif(not hasattr(python, "SIGUSR1"), reason="needs POSIX signals")
USR1, USR2, TERM, INT = signal.SIGUSR1, signal.SIGUSR2, signal.SIGTERM, signal.SIGINT


def send(number):
    host.kill(host.getpid(), number)


def later(number, seconds=0.05, count=1):
    """Send it from another thread of the host."""

    def wait_and_send():
        for _ in range(count):
            host_time.sleep(seconds)
            send(number)

    thread = threading.Thread(target=wait_and_send, daemon=True)
    thread.start()
    return thread


def arrived(ch):
    """What comes to ch, None if nothing does."""
    index, sig = select(ch.recv, time.after(1).recv)
    return sig if index == 0 else None


@pytest.fixture(autouse=True)
def nothing_is_left():
    """Every signal does after the test what it did before."""
    numbers = range(1, python.NSIG)
    before = [python.getsignal(number) for number in numbers]
    yield
    assert [python.getsignal(number) for number in numbers] == before


# Signals themselves.


def test_a_signal_is_pythons_number_with_gos_text():
    assert TERM == python.SIGTERM
    assert hash(TERM) == hash(python.SIGTERM)
    assert (str(TERM), repr(TERM), TERM.name) == ("terminated", "signal.SIGTERM", "SIGTERM")
    assert (str(signal.Signal(40)), repr(signal.Signal(40))) == ("signal 40", "signal.Signal(40)")
    assert f"{os.interrupt}, {os.kill}" == "interrupt, killed"
    assert copy.deepcopy(TERM) == TERM
    assert repr(pickle.loads(pickle.dumps(TERM))) == "signal.SIGTERM"


# Who gets what: tests/behavior/signal_rules.py compares that with Go.


@pytest.mark.parametrize("procs", [1, 4])
def test_a_signal_arrives_while_goroutines_run_and_while_all_wait(procs):
    def main():
        ch = chan(1)
        signal.notify(ch, USR1)
        thread = later(USR1)
        count = 0
        while not len(ch):
            runtime.gosched()
            count += 1
        first = ch.recv()
        thread.join()
        later(USR1)
        return first, ch.recv(), count > 100

    assert run(main, gomaxprocs=procs) == (USR1, USR1, True)


def test_signals_that_come_together_come_in_the_order_of_their_numbers_each_once():
    def main():
        ch = chan(8)
        signal.notify(ch, USR1, USR2, TERM)
        python.pthread_sigmask(python.SIG_BLOCK, {USR1, USR2, TERM})
        for number in (TERM, USR2, USR1, TERM, USR1):
            send(number)
        python.pthread_sigmask(python.SIG_UNBLOCK, {USR1, USR2, TERM})
        time.sleep(1)
        return [ch.recv() for _ in range(len(ch))]

    assert run(main) == [USR1, USR2, TERM]


def test_sends_do_not_wait():
    def main():
        full, unbuffered, roomy = chan(1), chan(), chan(3)
        for ch in (full, unbuffered, roomy):
            signal.notify(ch, USR1)
        for _ in range(3):
            send(USR1)
            time.sleep(1)
        return len(full), len(roomy), select(unbuffered.recv, time.after(1).recv)[0]

    assert run(main) == (1, 3, 1)


def test_a_directional_channel_and_a_typed_one_will_do():
    def main():
        typed = chan(1, int)
        signal.notify(typed.send_only(), USR1)
        send(USR1)
        got = typed.recv()
        signal.stop(typed)
        send_again_to_nobody = signal.ignore
        send_again_to_nobody(USR1)
        send(USR1)
        return got, arrived(typed)

    assert run(main) == (USR1, None)


def test_what_has_arrived_before_stop_reaches_the_channel():
    def main():
        ch = chan(1)
        signal.notify(ch, USR1)
        send(USR1)
        signal.stop(ch)
        return len(ch)

    assert run(main) == 1


def test_handlers_of_the_users_own_come_back():
    seen = []
    before = python.signal(USR1, lambda number, _frame: seen.append(number))
    try:

        def main():
            ch = chan(1)
            send(USR1)
            signal.notify(ch, USR1)
            send(USR1)
            got = ch.recv()
            signal.stop(ch)
            send(USR1)
            signal.notify(ch, USR1)  # and left so
            return got

        assert run(main) == USR1
        send(USR1)
        assert seen == [USR1, USR1, USR1]
    finally:
        python.signal(USR1, before)


def test_a_handler_that_the_program_installs_meanwhile_stays():
    def mine(_number, _frame):
        return None

    def main():
        ch = chan(1)
        signal.notify(ch, USR1, USR2)
        python.signal(USR1, mine)
        signal.stop(ch)
        python.signal(USR2, mine)
        signal.reset()

    try:
        run(main)
        assert python.getsignal(USR1) is mine
        assert python.getsignal(USR2) is mine
    finally:
        python.signal(USR1, python.SIG_DFL)
        python.signal(USR2, python.SIG_DFL)


# Ctrl-C.


def test_an_interrupt_that_is_notified_does_not_end_the_run_and_afterwards_it_does():
    def main():
        ch = chan(1)
        signal.notify(ch, os.interrupt)
        send(INT)
        first = ch.recv()
        later(INT)
        second = ch.recv()
        signal.stop(ch)
        got.append((first, second))
        later(INT)
        chan().recv()

    got = []
    with pytest.raises(KeyboardInterrupt):
        run(main, max_time=10)
    assert got == [(INT, INT)]


@pytest.mark.parametrize("undo", [signal.reset, signal.stop])
def test_after_the_run_an_interrupt_is_pythons_again(undo):
    def main():
        ch = chan(1)
        signal.notify(ch, INT)
        if undo is signal.reset:
            signal.reset(INT)

    run(main)
    with pytest.raises(KeyboardInterrupt):
        send(INT)


def test_an_ignored_interrupt_does_nothing():
    def main():
        signal.ignore(INT)
        send(INT)
        time.sleep(1)
        return signal.ignored(INT), signal.ignored(TERM)

    assert run(main) == (True, False)


# Waiting.


def test_waiting_for_a_signal_is_no_deadlock_needs_no_cpu_and_takes_virtual_time(monkeypatch):
    def main():
        ch = chan(1)
        signal.notify(ch, TERM)
        go(chan().recv)
        start = time.now()
        cpu = host_time.process_time()
        later(TERM, 0.15)
        ch.recv()
        return time.since(start), host_time.process_time() - cpu

    finished = execute(monkeypatch, main)
    waited, cpu = finished.value
    assert 0.1 < waited < 5
    assert cpu < 0.05
    assert finished.open_reasons == ["signal for the program"]
    assert [event[5] for event in finished.named("signal")] == [int(TERM)]
    assert len(finished.named("run_open")) == 1


def test_a_run_without_signals_stays_closed_and_repeats(monkeypatch):
    def main():
        ch = chan(1)
        signal.notify(ch, TERM)
        done = chan()
        for _ in range(3):
            go(lambda: [time.sleep(1), done.send(1)])
        for _ in range(3):
            done.recv()
        return arrived(ch)

    first, second = (execute(monkeypatch, main, seed=3) for _ in range(2))
    assert first.value is None
    assert first.open_reasons == []
    assert first.events == second.events


def test_waiting_ends_at_max_time():
    def main():
        ch = chan(1)
        signal.notify(ch, TERM)
        ch.recv()

    with pytest.raises(Timeout, match="0.1 s of virtual time"):
        run(main, max_time=0.1)


def test_under_the_wall_clock_and_beside_a_host_call():
    def main():
        ch = chan(1)
        signal.notify(ch, TERM)
        later(TERM)
        first = ch.recv()
        done = chan()
        go(lambda: done.send(syscall(host_time.sleep, 0.2)))
        later(TERM)
        index, second = select(ch.recv, done.recv)
        done.recv()
        return first, index, second

    assert run(main, clock="real") == (TERM, 0, TERM)


def test_a_late_host_call_does_not_keep_a_signal_waiting():
    def main():
        ch = chan(1)
        signal.notify(ch, TERM)
        done = chan()
        go(lambda: done.send(syscall(host_time.sleep, 0.2)))
        later(TERM)
        first = select(ch.recv, done.recv)
        done.recv()
        return first

    assert run(main) == (0, TERM)


def test_a_signal_interrupts_python_code_without_safepoints():
    def main():
        ch = chan(1)
        signal.notify(ch, TERM)
        seen = []

        def wait():
            seen.append(ch.recv())

        go(wait)
        runtime.gosched()
        later(TERM)
        deadline = host_time.monotonic() + 5
        while not seen and host_time.monotonic() < deadline:
            pass
        return seen

    assert run(main) == [TERM]


# The goroutine behind it.


def test_its_goroutine_is_the_programs_own():
    def main():
        before = runtime.num_goroutine()
        for _ in range(3):
            signal.notify(chan(1), USR1)
        runtime.gosched()
        return runtime.num_goroutine() - before, runtime.stack(all=True)

    count, text = run(main, gomaxprocs=1)
    assert count == 1
    assert "[syscall]:\nos/signal.signal_recv(...)\n" in text
    assert "\nos/signal.loop(...)\n" in text
    assert "created by os/signal.Notify.func2.1 in goroutine 1\n" in text


def test_a_closed_channel_breaks_the_program_as_in_go():
    def main():
        ch = chan(1)
        signal.notify(ch, USR1)
        ch.close()
        send(USR1)
        time.sleep(1)

    with pytest.raises(GoPanic, match="send on closed channel"):
        run(main)


def test_runs_follow_one_another():
    def main():
        ch = chan(1)
        signal.notify(ch, USR1)
        send(USR1)
        return ch.recv()

    assert [run(main, gomaxprocs=procs) for procs in (1, 2, 1)] == [USR1] * 3


def test_a_clean_up_of_an_abandoned_goroutine_may_call_it():
    left = []

    def main():
        ch = chan(1)
        signal.notify(ch, USR1)

        def wait():
            try:
                ch.recv()
            finally:
                signal.stop(ch)
                signal.notify(ch, USR2)
                signal.ignore(USR1)
                signal.reset()
                left.append(True)

        go(wait)
        runtime.gosched()

    run(main)
    assert left == [True]


def test_in_exploration_nothing_is_installed():
    before = python.getsignal(USR1)

    def main():
        ch = chan(1)
        signal.notify(ch, USR1)
        assert python.getsignal(USR1) is before
        signal.stop(ch)
        signal.ignore(USR1)
        assert signal.ignored(USR1)
        assert select(ch.recv, time.after(1).recv)[0] == 1

    assert explore(main, schedules=20).failures == []


# Contexts.


def test_a_signal_cancels_a_context_and_is_its_cause():
    def main():
        ctx, stop = signal.notify_context(context.background(), TERM, INT)
        child, _ = context.with_cancel(ctx)
        text = str(ctx)
        send(TERM)
        child.done().recv()
        cause = context.cause(ctx)
        result = text, ctx.err(), str(cause), errors.is_(cause, context.canceled), errors.as_(cause, signal.SignalError)
        stop()
        return *result, ctx.deadline(), ctx.value("key"), python.getsignal(TERM)

    text, error, cause, is_canceled, found, *rest = run(main)
    assert text == "signal.NotifyContext(context.Background, [terminated interrupt])"
    assert (error, cause, is_canceled, rest) == (
        context.canceled, "terminated signal received", True, [None, None, python.SIG_DFL],
    )  # fmt: skip
    assert found is not None


def test_stopping_a_context_gives_the_signals_back_and_ends_its_goroutine():
    def main():
        ctx, stop = signal.notify_context(context.background(), TERM)
        stop()
        stop()
        time.sleep(1)
        return ctx.err(), context.cause(ctx), runtime.num_goroutine()

    assert run(main) == (context.canceled, context.canceled, 2)  # main and os/signal.loop


def test_a_canceled_parent_cancels_it():
    def main():
        parent, cancel = context.with_cancel(context.background())
        ctx, stop = signal.notify_context(parent, TERM)
        cancel()
        time.sleep(1)
        first = ctx.err(), runtime.num_goroutine()
        again, stop_again = signal.notify_context(parent, TERM)
        stop()
        stop_again()
        return (*first, again.err(), runtime.num_goroutine())

    assert run(main) == (context.canceled, 2, context.canceled, 2)


# Wrong calls.

CALLS = {
    "notify": lambda: signal.notify(chan(1), TERM),
    "stop": lambda: signal.stop(chan(1)),
    "ignore": lambda: signal.ignore(TERM),
    "ignored": lambda: signal.ignored(TERM),
    "reset": lambda: signal.reset(TERM),
    "notify_context": lambda: signal.notify_context(context.background(), TERM),
}


@pytest.mark.parametrize("name", CALLS)
def test_they_are_for_goroutines(name):
    with pytest.raises(RuntimeError, match=f"signal.{name} {OUTSIDE}"):
        CALLS[name]()


@pytest.mark.parametrize("name", CALLS)
def test_they_are_for_the_main_thread_of_the_host(name):
    caught = []

    def thread():
        try:
            run(raising, CALLS[name])
        except RuntimeError as error:
            caught.append(str(error))

    here = threading.Thread(target=thread)
    here.start()
    here.join()
    assert caught == [f"signal.{name}: only the main thread of the host gets signals: call run there"]


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: signal.notify(None, TERM), TypeError, "signal.notify: c must be a channel, not NoneType"),
        (lambda: signal.notify(TERM), TypeError, "signal.notify: c must be a channel, not Signal"),
        (lambda: signal.notify(chan(1).recv_only(), TERM), TypeError, "cannot send to receive-only channel"),
        (lambda: signal.notify(time.Timer(1).c, TERM), TypeError, "cannot send to receive-only channel"),
        (lambda: signal.notify(chan(1, str), TERM), TypeError, "cannot"),
        (lambda: signal.notify(chan(1), "SIGTERM"), TypeError, "signal.notify: a signal is an integer, not str"),
        (lambda: signal.notify(chan(1), True), TypeError, "signal.notify: a signal is an integer, not bool"),
        (lambda: signal.notify(chan(1), TERM, 0), ValueError, "signal.notify: no such signal: 0"),
        (lambda: signal.ignore(1000), ValueError, "signal.ignore: no such signal: 1000"),
        (lambda: signal.ignored(-1), ValueError, "signal.ignored: no such signal: -1"),
        (lambda: signal.stop(3), TypeError, "signal.stop: c must be a channel, not int"),
        (lambda: signal.notify_context(7, TERM), TypeError, "must be a context, not int"),
        (lambda: signal.notify_context(context.background(), "x"), TypeError, "a signal is an integer, not str"),
    ],
)
def test_wrong_arguments(call, error, text):
    with pytest.raises(error, match=text):
        run(raising, call)


def test_a_nil_channel_panics_and_changes_nothing():
    def main():
        @func
        def body():
            signal.notify(nilchan, TERM)

        body()

    with pytest.raises(GoPanic, match="panic: os/signal: Notify using nil channel"):
        run(main)


def test_a_program_that_waits_for_something_else_is_still_a_deadlock_before_the_first_notify():
    def main():
        signal.ignore(USR1)
        chan().recv()

    with pytest.raises(Deadlock):
        run(main)
