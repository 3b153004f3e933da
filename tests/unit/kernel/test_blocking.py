"""kernel.blocking and the kernel's side of it: calls on threads of the host, at instants of virtual time."""

import threading
import time

import pytest

from goruntime.kernel import host
from goruntime.kernel.blocking import MAX_IDLE_WORKERS, HostCall, Workers, is_worker_thread
from goruntime.kernel.threads import LATE_AFTER_NS, Kernel, Thread

from .machine import Machine


def call_of(fn, *args):
    return HostCall(fn, args, {})


def finish(kernel, call):
    """Wait for the host, for real."""
    while not call.done:
        kernel.doorbell.wait(10)
        kernel.doorbell.clear()


@pytest.fixture
def kernel():
    kernel = Kernel(lambda kind, n: 0, 0)
    yield kernel
    kernel.close()


def test_a_call_has_a_result_or_an_error_and_drops_what_it_was_given(kernel):
    good, bad = call_of(pow, 2, 10), call_of(int, "x")
    for call in (good, bad):
        kernel.start_call(Thread(0), call)
        finish(kernel, call)
        assert (call.fn, call.args, call.kwargs) == (None, (), {})
    assert (good.result, good.error) == (1024, None)
    assert isinstance(bad.error, ValueError)
    assert good.name == "pow"


def test_calls_run_on_threads_that_know_it(kernel):
    call = call_of(lambda: (is_worker_thread(), threading.current_thread().daemon))
    kernel.start_call(Thread(0), call)
    finish(kernel, call)
    assert call.result == (True, True)
    assert not is_worker_thread()


def test_threads_are_reused(kernel):
    idents = set()
    for _ in range(20):
        call = call_of(threading.get_ident)
        kernel.start_call(Thread(0), call)
        finish(kernel, call)
        idents.add(call.result)
        while not kernel.workers._idle:
            time.sleep(0.001)
    assert len(idents) == 1


def test_closing_ends_the_threads():
    before = threading.active_count()
    workers = Workers(host.new_event())
    gate = threading.Event()
    calls = [call_of(gate.wait, 10) for _ in range(MAX_IDLE_WORKERS + 3)]
    for call in calls:
        workers.start(call)
    assert threading.active_count() == before + len(calls)
    gate.set()
    for _ in range(1_000):
        if all(call.done for call in calls):
            break
        time.sleep(0.005)
    workers.close()
    for _ in range(1_000):
        if threading.active_count() == before:
            break
        time.sleep(0.005)
    assert threading.active_count() == before


def test_a_call_completes_at_its_virtual_instant_however_long_it_takes():
    machine = Machine()
    kernel, log = machine.kernel, machine.log
    kernel.could_run = lambda waiting: False  # or else a busy host would make the call late

    def calls(t):
        kernel.start_call(t, call_of(time.sleep, 0.02))
        kernel.await_call(t, 50_000)
        log.append(("back", t.clock))
        assert t.host_call is None

    machine.thread(calls)
    machine.thread(lambda t: log.append(("other", t.clock)), 10_000)
    machine.thread(lambda t: log.append(("later", t.clock)), 60_000)
    machine.run()
    assert log == [("other", 10_000), ("back", 50_000), ("later", 60_000)]
    assert kernel.open_reasons == []
    kernel.close()


@pytest.mark.slow
def test_a_call_that_is_late_while_others_could_run_opens_the_run():
    machine = Machine()
    kernel, log = machine.kernel, machine.log

    def calls(t):
        kernel.start_call(t, call_of(time.sleep, 3 * LATE_AFTER_NS / 1e9))
        kernel.await_call(t, 50_000)
        log.append("back")

    machine.thread(calls)
    machine.thread(lambda t: log.append("other"), 60_000)
    machine.run()
    assert log == ["other", "back"]
    assert kernel.open_reasons == ["late host call: sleep"]
    assert kernel.awaited == []
    kernel.close()


def test_a_late_call_is_waited_for_while_nobody_else_could_run():
    machine = Machine()
    kernel, log = machine.kernel, machine.log
    kernel.could_run = lambda waiting: False

    def calls(t):
        kernel.start_call(t, call_of(time.sleep, 0.15))
        kernel.await_call(t, 50_000)
        log.append(t.clock)

    machine.thread(calls)
    machine.run()
    assert log == [50_000]
    assert kernel.open_reasons == []
    kernel.close()
