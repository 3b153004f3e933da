"""What every kind of connection has to do: TCP, Unix, pipes in memory, and (where it applies) pipes of the host.

After golang.org/x/net/nettest's TestConn, in our words.
"""

from __future__ import annotations

import time as host_time

import pytest

from goruntime import go, net, os, run, runtime, sync, time

from .running import execute
from .sockets import error_of, pair, play, started


def tcp(_):
    return pair()


def unix(tmp_path):
    with net.listen("unix", str(tmp_path / "s")) as listener:
        return net.dial("unix", str(tmp_path / "s")), listener.accept()


def memory(_):
    return net.pipe()


@pytest.fixture(params=[tcp, unix, memory])
def make(request, tmp_path):
    """Makes two connected ends, and is False for those in memory, whose runs are closed."""

    def ends():
        return request.param(tmp_path)

    ends.is_real = request.param is not memory
    return ends


def copy(source, sink):
    """Everything that source has, until its end, to sink."""
    while data := source.read(1 << 14):
        sink.write(data)


def test_a_megabyte_there_and_back(make):
    def main():
        near, far = make()
        data = bytes(number * number % 251 for number in range(1 << 14)) * 64
        go(lambda: swallow(lambda: copy(far, far)))
        writing = started(near.write, data)
        got = bytearray()
        while len(got) < len(data):
            got += near.read(10_000)
        near.close()
        return writing.recv() == len(data), got == data

    assert play(main) == (True, True)


@pytest.mark.parametrize("gomaxprocs", [1, 4])
def test_ping_pong(make, gomaxprocs):
    """A number that each end adds one to, until one of them has had enough and closes."""

    def main():
        near, far = make()
        group = sync.WaitGroup()
        seen = []

        def play_ball(conn):
            while data := conn.read(8):
                number = int.from_bytes(data, "little")
                seen.append(number)
                if number == 200:
                    conn.close()
                    return
                conn.write((number + 1).to_bytes(8, "little"))
            conn.close()

        group.go(play_ball, near)
        group.go(play_ball, far)
        started(near.write, bytes(8))
        group.wait()
        return seen

    assert play(main, gomaxprocs=gomaxprocs) == list(range(201))


def test_racing_reads(make):
    """Ten readers with short deadlines on one end, a writer on the other."""

    def main():
        near, far = make()
        go(lambda: swallow(lambda: copy(far, far)))
        stop = started(lambda: swallow(lambda: [near.write(b"x" * 1024) for _ in range(200)]))
        group = sync.WaitGroup()

        def read():
            for _ in range(10):
                try:
                    near.read(1024)
                except TimeoutError:
                    near.set_read_deadline(time.now() + 1e-3)
                near.set_read_deadline(time.now() + 1e-3)

        for _ in range(10):
            group.go(read)
        group.wait()
        near.close()
        far.close()
        stop.recv()

    play(main)


def swallow(call):
    """Call it; that the connection is closed meanwhile is no error."""
    try:
        call()
    except OSError as error:
        return error
    return None


def test_racing_writes(make):
    def main():
        near, far = make()
        go(lambda: swallow(lambda: copy(far, far)))
        group = sync.WaitGroup()

        def write():
            for _ in range(10):
                try:
                    near.write(b"x" * 1024)
                except TimeoutError:
                    near.set_write_deadline(time.now() + 1e-3)
                near.set_write_deadline(time.now() + 1e-3)

        for _ in range(10):
            group.go(write)
        group.wait()
        near.close()
        far.close()

    play(main)


def is_timeout(error):
    """It is one, in every way in which that can be asked."""
    return isinstance(error, TimeoutError) and error.timeout() and str(error).endswith("i/o timeout")


def test_a_read_times_out(make):
    def main():
        near, far = make()
        go(lambda: swallow(lambda: [far.write(b"x") for _ in range(5)]))
        near.set_read_deadline(time.now() + 0.01)
        error = None
        while error is None:
            error = swallow(lambda: near.read(1))
        return error

    assert is_timeout(play(main))


def test_a_write_times_out(make):
    def main():
        near, _far = make()
        near.set_write_deadline(time.now() + 0.01)
        error = None
        while error is None:
            error = swallow(lambda: near.write(b"x" * 100_000))
        return error

    assert is_timeout(play(main))


@pytest.mark.parametrize("instant", [1, -1, 0, "now", "ago"])
def test_deadlines_that_have_passed(make, instant):
    def main():
        near, far = make()
        go(lambda: swallow(lambda: copy(far, far)))
        near.write(b"x" * 8)
        assert len(near.read(8)) > 0
        t = {"now": time.now(), "ago": time.now() - 1}.get(instant, instant)
        near.set_deadline(t)
        errors = [error_of(near.read, 1), error_of(near.write, b"x")]
        near.set_deadline(None)
        near.write(b"y")
        return [is_timeout(error) for error in errors]

    assert play(main) == [True, True]


def test_a_deadline_in_the_past_ends_both_directions(make):
    def main():
        near, _far = make()
        reading = started(swallow, lambda: near.read(1))
        writing = started(swallow, lambda: [near.write(bytes(100_000)) for _ in range(1_000)])
        near.set_deadline(time.now() - 1)
        return is_timeout(reading.recv()), is_timeout(writing.recv())

    assert play(main) == (True, True)


def test_a_deadline_in_the_future_and_then_on(make):
    def main():
        near, far = make()
        near.set_deadline(time.now() + 0.02)
        reading = started(swallow, lambda: near.read(1))
        writing = started(swallow, lambda: [near.write(bytes(100_000)) for _ in range(1_000)])
        timeouts = is_timeout(reading.recv()), is_timeout(writing.recv())
        near.set_deadline(None)
        go(lambda: swallow(lambda: copy(far, far)))
        sending = started(near.write, b"x")
        return timeouts, len(near.read(1)), sending.recv()

    assert play(main) == ((True, True), 1, 1)


def test_closing_ends_a_wait(make):
    def main():
        near, _far = make()
        near.set_deadline(time.now() + 100)
        reading = started(swallow, lambda: near.read(1))
        writing = started(swallow, lambda: [near.write(bytes(100_000)) for _ in range(1_000)])
        near.close()
        return [str(each.recv()).split(": ")[-1] for each in (reading, writing)]

    closed = "use of closed network connection" if make.is_real else "read/write on closed pipe"
    assert play(main) == [closed, closed]


@pytest.mark.parametrize("gomaxprocs", [1, 4])
def test_everything_at_once(make, gomaxprocs):
    """All methods from many goroutines; nothing hangs and nothing is half done."""

    def main():
        near, far = make()
        group = sync.WaitGroup()
        go(lambda: swallow(lambda: copy(far, far)))

        def each(call):
            swallow(call)
            runtime.gosched()

        for _ in range(20):
            soon = time.now() + 0.01
            for call in (
                lambda: near.read(1024), lambda: near.write(b"x" * 1024),
                lambda soon=soon: near.set_deadline(soon), lambda soon=soon: near.set_read_deadline(soon),
                lambda soon=soon: near.set_write_deadline(soon), near.local_addr, near.remote_addr,
            ):  # fmt: skip
                group.go(lambda call=call: each(call))
        group.wait()
        near.close()
        far.close()

    play(main, gomaxprocs=gomaxprocs)


# ---- pipes in memory ----


def test_a_pipe_in_memory_takes_no_real_time_and_keeps_the_run_closed(monkeypatch):
    def main():
        near, far = net.pipe()

        @go
        def _():
            with far:
                time.sleep(1000)
                far.write(b"late")

        near.set_deadline(time.now() + 500)
        assert is_timeout(error_of(near.read, 9))
        near.set_deadline(time.now() + 1000)
        return near.read(9), near.read(9), time.now().ns

    began = host_time.monotonic()
    first, second = (execute(monkeypatch, main, seed=3) for _ in range(2))
    assert host_time.monotonic() - began < 1
    assert first.value[:2] == (b"late", b"")
    assert first.events == second.events
    assert not first.open_reasons


def test_a_write_to_a_pipe_waits_until_all_was_read():
    def main():
        near, far = net.pipe()
        writing = started(near.write, b"hello")
        got = [far.read(2)]
        before = len(writing)
        got += far.read(2), far.read(2)
        return got, before, writing.recv(), str(near.local_addr()), near.remote_addr() == far.local_addr()

    assert run(main) == ([b"he", b"ll", b"o"], 0, 5, "pipe", True)


def test_the_ends_of_a_pipe_are_closed_apart():
    def main():
        near, far = net.pipe()
        reading, writing = started(swallow, lambda: near.read(1)), started(swallow, lambda: near.write(b"xy"))
        assert far.read(1) == b"x"
        far.close()
        errors = [reading.recv(), writing.recv(), error_of(far.read, 1), error_of(near.write, b"x")]
        errors += [error_of(near.set_deadline, 1.0)]
        near.close()
        near.close()
        return [str(error) for error in errors], errors[1].written, near.read

    texts, written, _ = run(main)
    assert texts == ["None"] + ["io: read/write on closed pipe"] * 4
    assert written == 1


def test_writes_to_a_pipe_are_not_mixed():
    def main():
        near, far = net.pipe()
        done = [started(near.write, letter * 10) for letter in (b"a", b"b", b"c")]
        got = b""
        while len(got) < 30:
            got += far.read(4)
        return got, [each.recv() for each in done]

    assert run(main, gomaxprocs=1) == (b"a" * 10 + b"b" * 10 + b"c" * 10, [10, 10, 10])


# ---- pipes of the host ----


def test_a_pipe_of_the_host(monkeypatch):
    def main():
        reader, writer = os.pipe()
        with reader, writer:
            got = []

            @go
            def _():
                for number in range(3):
                    writer.write(b"%d" % number)
                    time.sleep(1e-3)
                writer.close()

            while data := reader.read(10):
                got.append(data)
            return got, reader.name(), writer.name(), reader.fd() >= 0, repr(reader)

    finished = execute(monkeypatch, main)
    assert finished.value == ([b"0", b"1", b"2"], "|0", "|1", True, "<os.File |0>")
    assert finished.open_reasons == ["pipe"]


def test_errors_of_a_pipe_of_the_host():
    def main():
        reader, writer = os.pipe()
        reader.set_deadline(time.now() + 0.01)
        timeout = error_of(reader.read, 1)
        writer.set_write_deadline(time.now() + 0.01)
        full = error_of(writer.write, bytes(1 << 20))
        waiting = started(swallow, lambda: writer.write(b"x"))
        reader.close()
        gone = error_of(writer.write, b"x")
        calls = (lambda: reader.read(1), reader.close, lambda: reader.write(b"x"), lambda: reader.set_deadline(None))
        return timeout, full, waiting.recv(), gone, [error_of(call) for call in calls], error_of(reader.fd)

    timeout, full, _, gone, closed, number = play(main)
    assert str(timeout) == "read |0: i/o timeout"
    assert is_timeout(timeout)
    assert str(full) == "write |1: i/o timeout"
    assert 0 < full.written < 1 << 20
    assert str(gone) == "write |1: i/o timeout" or isinstance(gone, BrokenPipeError)
    assert [str(error) for error in closed] == [
        "read |0: file already closed", "close |0: file already closed", "write |0: file already closed",
        "use of closed file",
    ]  # fmt: skip
    assert str(number) == "fd |0: file already closed"


def test_writing_to_a_pipe_that_nobody_reads():
    def main():
        reader, writer = os.pipe()
        reader.close()
        return error_of(writer.write, b"x")

    error = play(main)
    assert str(error) == "write |1: broken pipe"
    assert isinstance(error, BrokenPipeError)
    assert isinstance(error, os.PathError)


def test_a_reader_is_woken_when_the_last_writer_is_gone():
    def main():
        reader, writer = os.pipe()
        reading = started(reader.read, 1)
        writer.close()
        return reading.recv()

    assert play(main) == b""


def test_closing_a_pipe_of_the_host_under_a_read():
    def main():
        reader, _writer = os.pipe()
        reading = [started(swallow, lambda: reader.read(1)) for _ in range(3)]
        reader.close()
        return {str(each.recv()) for each in reading}

    assert play(main) == {"read |0: file already closed"}
