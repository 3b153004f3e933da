"""Exploring programs with connections: in memory they are like any other; real ones are marked."""

from __future__ import annotations

import time as host_time

import pytest

from goruntime import go, net, os, time
from goruntime.check import explore, replay
from tests.unit.packages.sockets import HERE, fd_count


@pytest.fixture(autouse=True)
def nothing_stays_open():
    before = fd_count()
    yield
    assert fd_count() == before


def echo_in_memory():
    near, far = net.pipe()
    go(lambda: (far.write(far.read(2)), far.close()))
    near.write(b"hi")
    assert near.read(2) == b"hi"
    assert near.read(2) == b""


def test_a_connection_in_memory_can_be_explored():
    report = explore(echo_in_memory, strategy="dfs", schedules=300)
    assert not report.failures
    assert not any("real" in note for note in report.notes)


def test_a_race_over_a_connection_in_memory_is_found():
    def main():
        near, far = net.pipe()
        go(near.write, b"a")
        go(near.write, b"b")
        first = far.read(1)
        far.read(1)
        assert first == b"a"

    report = explore(main, strategy="random", schedules=300)
    assert report.failures[0].kind == "assertion"
    with pytest.raises(type(report.failures[0].exception)):
        replay(main, report.failures[0].schedule)


def real_echo():
    listener = net.listen("tcp", HERE)

    @go
    def _():
        with listener.accept() as conn:
            conn.write(conn.read(9))

    with net.dial("tcp", str(listener.addr())) as conn:
        conn.write(b"hello")
        assert conn.read(9) == b"hello"
    listener.close()


@pytest.mark.parametrize("strategy", ["random", "dfs"])
def test_real_sockets(strategy):
    report = explore(real_echo, strategy=strategy, schedules=100)
    assert not report.failures
    assert report.verdict == "inconclusive"
    assert "a real socket was used: the same schedule need not happen again" in report.notes


def test_who_waits_is_offered_only_when_it_can_go_on():
    """Every schedule of this one is run, in no time: nobody waits for the host in vain."""

    def main():
        reader, writer = os.pipe()
        go(lambda: (writer.write(b"x"), writer.close()))
        assert reader.read(9) == b"x"
        assert reader.read(9) == b""

    began = host_time.monotonic()
    report = explore(main, strategy="dfs", schedules=1_000)
    assert host_time.monotonic() - began < 2
    assert report.why_stopped == "every schedule was run"
    assert not report.failures


def test_an_order_that_the_program_did_not_think_of():
    def main():
        reader, writer = os.pipe()
        go(writer.write, b"a")
        go(writer.write, b"b")
        assert reader.read(1) == b"a"

    report = explore(main, strategy="dfs", schedules=1_000)
    assert [failure.kind for failure in report.failures] == ["assertion"]
    assert report.failures[0].is_reproducible


def test_a_deadline_or_the_data():
    """Both can come first: the deadline is a timer, and timers fire when the controller wants."""
    seen = set()

    def main():
        reader, writer = os.pipe()
        go(writer.write, b"x")
        reader.set_deadline(time.now() + 1)
        try:
            seen.add(reader.read(1))
        except TimeoutError:
            seen.add("timeout")

    explore(main, strategy="dfs", schedules=1_000)
    assert seen == {b"x", "timeout"}


def test_closing_under_a_read():
    seen = set()

    def main():
        reader, writer = os.pipe()
        go(reader.close)
        try:
            writer.write(b"x")
            seen.add(reader.read(1))
        except OSError as error:
            seen.add(str(error))

    report = explore(main, strategy="dfs", schedules=1_000)
    assert not report.failures
    assert seen == {b"x", "read |0: file already closed", "write |1: broken pipe"}


def test_reads_exclude_one_another():
    def main():
        reader, writer = os.pipe()
        got = []

        def read():
            got.append(reader.read(1))
            if len(got) == 2:
                assert sorted(got) == [b"a", b"b"]

        go(read)
        go(read)
        writer.write(b"a")
        writer.write(b"b")

    report = explore(main, strategy="random", schedules=200)
    assert not report.failures


@pytest.mark.slow
def test_a_goroutine_left_in_accept_has_leaked():
    def main():
        listener = net.listen("tcp", HERE)
        go(listener.accept)

    report = explore(main, strategy="random", schedules=1)
    assert report.failures[0].kind == "leak"


@pytest.mark.slow
def test_waiting_for_what_never_comes_is_a_suspicion():
    def main():
        net.listen("tcp", HERE).accept()

    report = explore(main, strategy="random", schedules=1)
    assert report.verdict == "inconclusive"
    assert "the I/O that is waited for did not come" in report.suspects[0].message
