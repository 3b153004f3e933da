"""kernel.host: the only file that looks at the host."""

import io
import signal
import sys
import threading

from goruntime.kernel import host


def test_clocks_run_forward():
    assert host.monotonic_ns() <= host.monotonic_ns()
    assert host.wall_ns() > 1_600_000_000 * 10**9
    before = host.thread_cpu_ns(host.thread_ident())
    sum(range(10_000))
    assert host.thread_cpu_ns(host.thread_ident()) >= before


def test_sleeping_for_nothing_returns():
    host.sleep_ns(0)
    host.sleep_ns(-5)


def test_cpus():
    assert host.cpu_count() >= 1


def test_the_main_thread_is_known():
    answers = []
    thread = threading.Thread(target=lambda: answers.append(host.on_main_thread()))
    thread.start()
    thread.join()
    assert host.on_main_thread()
    assert answers == [False]


def test_signalling_a_thread_that_is_gone_is_no_error():
    thread = threading.Thread(target=lambda: None)
    thread.start()
    ident = thread.ident
    thread.join()
    host.signal_thread(ident, 0)


def test_handlers_are_set_and_given_back():
    before = host.get_handler(signal.SIGUSR1)
    assert host.set_handler(signal.SIGUSR1, signal.SIG_IGN) == before
    assert host.get_handler(signal.SIGUSR1) == signal.SIG_IGN
    host.set_handler(signal.SIGUSR1, before)


def test_stderr_is_written_at_once(monkeypatch):
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    host.write_stderr("text")
    assert stream.getvalue() == "text"
    monkeypatch.setattr(sys, "stderr", None)
    host.write_stderr("nobody hears")


def test_environment(monkeypatch):
    monkeypatch.setenv("GORUNTIME_TEST", "x")
    assert host.environ("GORUNTIME_TEST") == "x"
    assert host.environ("GORUNTIME_TEST_ABSENT") is None
