"""A call of the standard library that blocks every goroutine is reported after two seconds, once, with what to use."""

import threading
import time as host_time

import pytest

from goruntime import chan, go, run, time
from goruntime.sched import signals


def standard_sleep(lock):
    host_time.sleep(0.25)


def standard_lock(lock):
    lock.acquire(timeout=0.25)


def standard_event(lock):
    threading.Event().wait(0.25)


def python_loop(lock):
    end = host_time.monotonic() + 0.25
    while host_time.monotonic() < end:
        pass


CALLS = {
    standard_sleep: ("host_time.sleep(0.25)", "time.sleep of goruntime"),
    standard_lock: ("lock.acquire(timeout=0.25)", "a channel or goruntime's sync"),
    standard_event: ("threading.Event().wait(0.25)", "a channel or goruntime's sync"),
}


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.__name__)
@pytest.mark.parametrize("place", ["main", "a goroutine"])
def test_one_line_says_who_where_and_what_instead(call, place, capfd, monkeypatch):
    monkeypatch.setattr(signals, "BLOCKED_AFTER_NS", 50_000_000)
    line, hint = CALLS[call]
    lock = threading.Lock()
    goids = []

    def work():
        from goruntime import runtime

        goids.append(runtime.goid())
        call(lock)

    def main():
        lock.acquire()
        if place == "main":
            work()
        else:
            done = chan()
            go(lambda: (work(), done.send(1)))
            done.recv()

    run(main)
    number = call.__code__.co_firstlineno + 1
    assert capfd.readouterr().err == (
        f"goruntime: goroutine {goids[0]} has blocked every goroutine for 2 s at "
        f"{__file__}:{number}: {line} (use {hint} instead)\n"
    )


def test_python_code_is_preempted_and_not_reported(capfd, monkeypatch):
    monkeypatch.setattr(signals, "BLOCKED_AFTER_NS", 100_000_000)
    run(python_loop, None)
    assert capfd.readouterr().err == ""


def test_a_long_virtual_sleep_is_not_reported(capfd, monkeypatch):
    monkeypatch.setattr(signals, "BLOCKED_AFTER_NS", 20_000_000)
    run(time.sleep, 0.1, clock="real")
    assert capfd.readouterr().err == ""


def test_a_finally_that_blocks_names_its_goroutine(capfd, monkeypatch):
    monkeypatch.setattr(signals, "BLOCKED_AFTER_NS", 50_000_000)
    goids = []

    def left():
        from goruntime import runtime

        goids.append(runtime.goid())
        try:
            chan().recv()
        finally:
            standard_sleep(None)

    def main():
        go(left)
        time.sleep(0.001)

    run(main)
    assert capfd.readouterr().err.startswith(f"goruntime: goroutine {goids[0]} has blocked every goroutine for 2 s at ")


@pytest.mark.slow
def test_it_takes_two_seconds(capfd):
    def main():
        host_time.sleep(1.8)
        time.sleep(1)
        assert capfd.readouterr().err == ""
        host_time.sleep(2.3)

    run(main)
    assert "goroutine 1 has blocked every goroutine for 2 s" in capfd.readouterr().err
