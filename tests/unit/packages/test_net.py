"""Package net: connections, listeners, deadlines, closing, and the words of their errors."""

from __future__ import annotations

import errno
import os as host_os
import pickle
import socket
import threading
import time as host_time

import pytest

from goruntime import chan, context, errors, go, net, os, run, runtime, syscall, time
from goruntime.testing import synctest

from .running import OUTSIDE, current_sched, execute
from .sockets import HERE, error_of, pair, play, raw, reset, serve_echo, started

ANY_PORT = r"127\.0\.0\.1:\d+"
ONE_WAY = rf"tcp {ANY_PORT}->{ANY_PORT}"


@pytest.mark.parametrize("gomaxprocs", [1, 2, 4])
@pytest.mark.parametrize("clock", ["virtual", "real"])
def test_echo(gomaxprocs, clock):
    def main():
        with net.listen("tcp", HERE) as listener:
            go(serve_echo, listener)
            done = chan()

            def talk(number):
                with net.dial("tcp", str(listener.addr())) as conn:
                    got = []
                    for i in range(20):
                        conn.write(b"%d.%d" % (number, i))
                        got.append(conn.read(100))
                    done.send(got == [b"%d.%d" % (number, i) for i in range(20)])

            for number in range(10):
                go(talk, number)
            return all(done.recv() for _ in range(10))

    assert play(main, gomaxprocs=gomaxprocs, clock=clock)


def test_unix(tmp_path):
    path = str(tmp_path / "s")

    def main():
        listener = net.listen("unix", path)
        go(serve_echo, listener)
        conn = net.dial("unix", path)
        conn.write(b"hello")
        found = [conn.read(10), str(conn.remote_addr()), str(conn.local_addr()), str(listener.addr()), type(conn)]
        again = error_of(net.listen, "unix", path)
        listener.close()
        gone = error_of(net.dial, "unix", path)
        return *found, str(again), str(gone), host_os.path.exists(path)

    assert play(main) == (
        b"hello", path, "@", path, net.UnixConn,
        f"listen unix {path}: bind: address already in use",
        f"dial unix {path}: connect: no such file or directory", False,
    )  # fmt: skip


@pytest.mark.skipif(not host_os.path.exists("/proc/net/unix"), reason="Linux only")
def test_abstract_unix_sockets():
    name = f"@goruntime-{host_os.getpid()}"

    def main():
        with net.listen("unix", name) as listener, net.dial("unix", name) as near, listener.accept() as far:
            near.write(b"x")
            return far.read(1), str(listener.addr()), str(near.remote_addr()), str(far.local_addr())

    assert play(main) == (b"x", name, name, name)


@pytest.mark.parametrize(
    ("network", "address", "shown"),
    [
        ("tcp", ":0", "[::]"),
        ("tcp4", ":0", "0.0.0.0"),
        ("tcp6", "[::1]:0", "[::1]"),
        ("tcp", "localhost:0", "127.0.0.1"),
    ],
)
def test_networks(network, address, shown):
    def main():
        try:
            listener = net.listen(network, address)
        except OSError as error:
            return error.errno
        near = net.dial("tcp" if network == "tcp" else network, f":{listener.addr().port}")
        far = listener.accept()
        near.write(b"x")
        assert far.read(1) == b"x"
        assert far.remote_addr() == near.local_addr()
        assert far.local_addr() == near.remote_addr()
        return str(listener.addr()).rpartition(":")[0]

    assert play(main) in (shown, errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)


def test_large_writes_arrive_whole():
    data = bytes(range(256)) * 20_000

    def main():
        near, far = pair()
        sent = started(near.write, memoryview(data).cast("H"))
        got = bytearray()
        while len(got) < len(data):
            got += far.read(1 << 16)
        assert sent.recv() == len(data)
        near.close_write()
        assert far.read(1) == b""
        assert far.read(1) == b""
        return bytes(got) == data

    assert play(main)


def test_writes_at_once_are_not_mixed():
    def main():
        near, far = pair()
        near.set_write_buffer(4096)
        size = 300_000
        done = [started(near.write, bytes([65 + i]) * size) for i in range(4)]
        got = bytearray()
        while len(got) < 4 * size:
            got += far.read(1 << 16)
        assert [d.recv() for d in done] == [size] * 4
        return [chr(got[i * size]) for i in range(4)], len({bytes(got[i * size : (i + 1) * size]) for i in range(4)})

    assert play(main) == (["A", "B", "C", "D"], 4)


def test_reads_queue_in_order():
    def main():
        near, far = pair()
        readers = [started(far.read, 1) for _ in range(5)]
        near.write(b"abcde")
        return [r.recv() for r in readers]

    assert play(main, gomaxprocs=1) == [b"a", b"b", b"c", b"d", b"e"]


def test_readinto():
    def main():
        near, far = pair()
        near.write(b"hello")
        buffer = bytearray(8)
        assert far.readinto(buffer) == 5
        assert far.readinto(bytearray()) == 0
        with pytest.raises(TypeError, match="read-only"):
            far.readinto(b"abc")
        with pytest.raises(TypeError):
            far.readinto(3)
        near.close()
        return bytes(buffer), far.readinto(buffer)

    assert play(main) == (b"hello\0\0\0", 0)


def test_half_close():
    def main():
        near, far = pair()
        near.write(b"question")
        near.close_write()
        assert far.read(100) == b"question"
        assert far.read(100) == b""
        far.write(b"answer")
        assert near.read(100) == b"answer"
        far.close_read()
        assert far.read(1) == b""
        near.close(), far.close()
        return str(error_of(near.close_write)).partition(": ")[2]

    assert play(main) == "use of closed network connection"


# ---- waiting ----


def test_io_wait_is_shown_and_no_deadlock():
    def main():
        near, _far = pair()
        started(near.read, 1)
        return "[IO wait]:" in runtime.stack(all=True)

    assert play(main)


def test_virtual_time_follows_the_wall_clock_while_a_socket_is_open():
    def main():
        began, virtual = host_time.monotonic(), time.now()
        time.sleep(1000)
        jumped = time.since(virtual), host_time.monotonic() - began
        listener = net.listen("tcp", HERE)
        began, virtual = host_time.monotonic(), time.now()
        time.sleep(0.05)
        paced = time.since(virtual), host_time.monotonic() - began
        listener.close()
        began, virtual = host_time.monotonic(), time.now()
        time.sleep(1000)
        return jumped, paced, (time.since(virtual), host_time.monotonic() - began)

    jumped, paced, again = run(main)
    assert jumped[0] >= 1000
    assert jumped[1] < 1
    assert all(0.05 <= seconds < 1 for seconds in paced)
    assert again[0] >= 1000
    assert again[1] < 1


def test_a_run_with_sockets_is_open(monkeypatch):
    def main():
        net.listen("tcp", HERE).close()
        net.listen("tcp", HERE).close()

    finished = execute(monkeypatch, main)
    assert finished.open_reasons == ["network"]
    assert [event[-1] for event in finished.named("run_open")] == ["network"]
    assert len(finished.named("fd_open")) == len(finished.named("fd_close")) == 2


def test_what_happens_shows_in_the_events(monkeypatch):
    def main():
        near, far = pair()
        started(lambda: (time.sleep(0.01), near.write(b"abc")))
        far.read(100)

    finished = execute(monkeypatch, main, gomaxprocs=1)
    assert [event[-2:] for event in finished.named("fd_read")] == [("socket 1", 1), ("socket 3", 3)]
    assert [event[-2:] for event in finished.named("fd_write")] == [("socket 2", 3)]
    parks = [event for event in finished.named("go_park") if event[-2] == "IO wait"]
    assert parks[-1][-1] == "socket 3"
    readied = [event for event in finished.named("go_ready") if event[-1] == "socket 3"]
    assert [event[-2] for event in readied] == ["IO wait"]


@pytest.mark.slow
def test_an_idle_server_uses_hardly_any_cpu():
    def main():
        listener = net.listen("tcp", HERE)
        go(lambda: [stalled.append(conn) for conn in listener])
        idle = [net.dial("tcp", str(listener.addr())) for _ in range(50)]
        for conn in idle[:10]:  # peers that read nothing, and ones that wait with a deadline
            conn.set_deadline(time.now() + 100)
            go(swallow, conn.write, bytes(20_000_000))
            go(swallow, idle[-1].read, 1)
        time.sleep(0.3)
        began = host_time.process_time()
        time.sleep(1)
        return host_time.process_time() - began, len(idle)

    stalled = []
    for gomaxprocs in (1, 4):
        assert play(main, gomaxprocs=gomaxprocs)[0] < 0.05


def swallow(call, *args):
    try:
        call(*args)
    except OSError:
        return


def test_computing_goroutines_do_not_keep_io_from_being_noticed():
    """With two Ps one is taken by a goroutine that computes; with one, sysmon preempts it."""

    def main():
        near, far = pair()
        stop = []

        @go
        def _():
            while not stop:
                runtime.work(1e-3)

        answered = started(lambda: far.write(far.read(10)))
        began = host_time.monotonic()
        near.write(b"ping")
        assert near.read(10) == b"ping"
        stop.append(True)
        return answered.recv(), host_time.monotonic() - began

    for gomaxprocs in (1, 2):
        count, took = play(main, gomaxprocs=gomaxprocs)
        assert count == 4
        assert took < 0.5


# ---- deadlines ----


@pytest.mark.parametrize("wait", [0.02, 0, -5])
def test_a_read_deadline(wait):
    def main():
        near, far = pair()
        near.set_read_deadline(time.now() + wait)
        began = time.now()
        error = error_of(near.read, 1)
        took = time.since(began)
        far.write(b"x")
        assert error_of(near.read, 1).timeout()  # it has passed for good
        near.set_read_deadline(None)
        return error, took, near.read(1)

    error, took, then = play(main)
    assert max(wait, 0) <= took < max(wait, 0) + 0.5
    assert then == b"x"
    assert str(error).endswith(": i/o timeout")
    assert isinstance(error, TimeoutError)
    assert isinstance(error, net.OpError)
    assert error.timeout()
    assert error.temporary()
    assert errors.is_(error, os.err_deadline_exceeded)
    assert not errors.is_(error, net.err_closed)


def test_a_deadline_in_the_past_ends_what_waits():
    def main():
        near, far = pair()
        waiting = started(near.read, 1), started(far.read, 1)
        near.set_deadline(1.0)
        far.set_deadline(time.now() - 1)
        return [isinstance(w.recv(), TimeoutError) for w in waiting]

    assert play(main) == [True, True]


def test_a_write_deadline_says_how_much_was_written():
    def main():
        near, far = pair()
        near.set_write_deadline(time.now() + 0.02)
        error = error_of(near.write, bytes(50_000_000))
        near.close()
        got = 0
        while data := far.read(1 << 20):
            got += len(data)
        return error, got

    error, got = play(main)
    assert isinstance(error, TimeoutError)
    assert 0 < error.written == got < 50_000_000


def test_a_moved_deadline():
    def main():
        near, _far = pair()
        near.set_deadline(time.now() + 0.01)
        waiting = started(near.read, 1)
        near.set_deadline(time.now() + 0.05)
        began = time.now()
        assert isinstance(waiting.recv(), TimeoutError)
        near.set_read_deadline(time.now() + 0.01)  # both had one timer: now each has its own
        near.set_write_deadline(time.now() + 100)
        took = time.since(began)
        assert error_of(near.read, 1).timeout()
        near.write(b"x")
        return took

    assert 0.04 <= play(main) < 0.5


def test_the_deadline_of_accept():
    def main():
        listener = net.listen("tcp", HERE)
        listener.set_deadline(time.now() + 0.01)
        error = error_of(listener.accept)
        listener.set_deadline(None)
        near = net.dial("tcp", str(listener.addr()))
        return str(error), str(listener.addr()), error.timeout(), listener.accept().remote_addr() == near.local_addr()

    text, address, is_timeout, is_accepted = play(main)
    assert text == f"accept tcp {address}: i/o timeout"
    assert is_timeout
    assert is_accepted


def test_dialing_with_a_timeout():
    def main():
        with Unanswered() as address:
            began = time.now()
            error = error_of(net.dial_timeout, "tcp", address, 0.03)
            return error, time.since(began), address

    error, took, address = play(main)
    assert str(error) == f"dial tcp {address}: i/o timeout"
    assert isinstance(error, TimeoutError)
    assert 0.03 <= took < 1


class Unanswered:
    """The address of a listener whose queue is full: who dials it waits."""

    def __enter__(self):
        self.sockets = [socket.socket()]
        self.sockets[0].bind(("127.0.0.1", 0))
        self.sockets[0].listen(0)
        address = self.sockets[0].getsockname()
        for _ in range(4):
            client = socket.socket()
            client.setblocking(False)
            client.connect_ex(address)
            self.sockets.append(client)
        return f"127.0.0.1:{address[1]}"

    def __exit__(self, *_):
        for each in self.sockets:
            each.close()


def test_dialing_until_a_context_is_canceled():
    def main():
        with Unanswered() as address:
            ctx, cancel = context.with_cancel(context.background())
            dialing = started(net.Dialer().dial_context, ctx, "tcp", address)
            time.sleep(0.02)
            cancel()
            error = dialing.recv()
            again = error_of(net.Dialer().dial_context, ctx, "tcp", address)
            ctx, cancel = context.with_timeout(context.background(), 0.02)
            late = error_of(net.Dialer().dial_context, ctx, "tcp", address)
            cancel()
            time.sleep(0.005)
            return address, error, again, late, runtime.num_goroutine()

    address, error, again, late, goroutines = play(main)
    for canceled in (error, again):
        assert str(canceled) == f"dial tcp {address}: operation was canceled"
        assert errors.is_(canceled, context.canceled)
    assert str(late) == f"dial tcp {address}: i/o timeout"
    assert isinstance(late, TimeoutError)
    assert errors.is_(late, context.deadline_exceeded)
    assert goroutines == 1


def test_a_context_does_nothing_to_a_connection_that_is_made():
    def main():
        ctx, cancel = context.with_cancel(context.background())
        with net.listen("tcp", HERE) as listener:
            near = net.Dialer().dial_context(ctx, "tcp", str(listener.addr()))
            far = listener.accept()
            cancel()
            time.sleep(0.005)
            near.write(b"x")
            return far.read(1)

    assert play(main) == b"x"


def test_dialing_from_an_address():
    def main():
        with net.listen("tcp", HERE) as listener:
            conn = net.Dialer(local_addr="127.0.0.1:0").dial("tcp", str(listener.addr()))
            return str(listener.accept().remote_addr()) == str(conn.local_addr())

    assert play(main)


# ---- closing ----


def test_closing_sends_readers_writers_and_acceptors_away():
    def main():
        listener = net.listen("tcp", HERE)
        near, _far = pair()
        writer, _reader = pair()
        waiting = [
            *(started(listener.accept) for _ in range(3)),
            *(started(near.read, 1) for _ in range(3)),
            *(started(writer.write, bytes(20_000_000)) for _ in range(2)),
        ]
        for thing in (listener, near, writer):
            thing.close()
        return [str(w.recv()) for w in waiting], [str(error_of(thing.close)) for thing in (listener, near)]

    texts, again = play(main)
    for text, op in zip(texts, ["accept"] * 3 + ["read"] * 3 + ["write"] * 2, strict=True):
        assert text.startswith(op)
        assert text.endswith(": use of closed network connection")
    assert all(text.endswith(": use of closed network connection") for text in again)
    assert [text.split()[0] for text in again] == ["close", "close"]


def test_close_comes_back_when_the_descriptor_is_free():
    def main():
        near, _far = pair()
        number = near._fd.sysfd
        started(near.read, 1)
        near.close()
        return host_os.path.exists(f"/proc/self/fd/{number}")

    assert play(main) is False


def test_a_closed_connection():
    def main():
        near, _far = pair()
        near.close()
        found = [error_of(near.read, 1), error_of(near.write, b"x"), error_of(near.set_deadline, 1.0)]
        found += [error_of(near.set_no_delay, False), error_of(near.close)]
        return [str(error).split()[0] for error in found], [errors.is_(error, net.err_closed) for error in found]

    assert play(main) == (["read", "write", "set", "set", "close"], [True] * 5)


def test_iteration_ends_with_the_listener():
    def main():
        listener = net.listen("tcp", HERE)
        net.dial("tcp", str(listener.addr()))
        seen = 0
        for _ in listener:
            seen += 1
            listener.close()
        return seen

    assert play(main) == 1


def test_what_nobody_refers_to_is_closed():
    def main():
        listener = net.listen("tcp", HERE)
        near = net.dial("tcp", str(listener.addr()))
        far = listener.accept()
        far.set_deadline(time.now() + 1000)
        del far
        assert near.read(1) == b""
        return len(current_sched().poll_descs)

    assert play(main) == 2


def test_a_dropped_number_is_used_again():
    def main():
        numbers = set()
        with net.listen("tcp", HERE) as listener:
            for _ in range(20):
                near = net.dial("tcp", str(listener.addr()))
                far = listener.accept()
                numbers.add(near._fd.sysfd)
                near.write(b"x")
                assert far.read(9) == b"x"
                near.close(), far.close()
        return len(numbers)

    assert play(main) == 1


# ---- errors ----


def test_connection_refused():
    error = play(lambda: error_of(net.dial, "tcp", "127.0.0.1:1"))
    assert str(error) == "dial tcp 127.0.0.1:1: connect: connection refused"
    assert isinstance(error, ConnectionRefusedError)
    assert (error.errno, error.op, error.net, error.source, str(error.addr)) == (
        errno.ECONNREFUSED, "dial", "tcp", None, "127.0.0.1:1",
    )  # fmt: skip
    assert isinstance(error.err, os.SyscallError)
    assert error.unwrap().unwrap().errno == errno.ECONNREFUSED
    assert errors.as_(error, os.SyscallError).syscall == "connect"
    assert not error.timeout()
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), type(again)) == (str(error), type(error))


def test_reset_by_peer():
    def main():
        with net.listen("tcp", HERE) as listener:
            client = raw(listener.addr())
            conn = listener.accept()
            waiting = started(conn.read, 1)
            reset(client)
            return waiting.recv(), error_of(conn.write, b"x")

    read, write = play(main)
    assert isinstance(read, ConnectionResetError)
    assert str(read).startswith("read tcp 127.0.0.1:")
    assert str(read).endswith(": read: connection reset by peer")
    assert isinstance(write, BrokenPipeError)
    assert str(write).endswith(": write: broken pipe")


def test_address_in_use():
    def main():
        with net.listen("tcp", HERE) as listener:
            return str(listener.addr()), error_of(net.listen, "tcp", str(listener.addr()))

    address, error = play(main)
    assert str(error) == f"listen tcp {address}: bind: address already in use"
    assert error.errno == errno.EADDRINUSE


@pytest.mark.parametrize(
    ("call", "args", "text"),
    [
        (net.dial, ("tcp", "127.0.0.1"), "dial tcp: address 127.0.0.1: missing port in address"),
        (net.dial, ("tcp", "1.2.3.4:99999"), "dial tcp: address 99999: invalid port"),
        (net.dial, ("tcp", "127.0.0.1:nosuch"), "dial tcp: lookup tcp/nosuch: unknown port"),
        (net.dial, ("tcp4", "[::1]:1"), "dial tcp4: address ::1: no suitable address found"),
        (net.dial, ("tcp", ""), "dial tcp: missing address"),
        (net.dial, ("udp9", "x:1"), "dial udp9: unknown network udp9"),
        (net.dial, ("tcp", "nowhere.invalid:1"), "dial tcp: lookup nowhere.invalid: no such host"),
        (net.listen, ("tcp", "[::1:0"), "listen tcp: address [::1:0: missing ']' in address"),
        (net.listen, ("sctp", ":0"), "listen sctp: unknown network sctp"),
        (net.listen, ("tcp", "192.0.2.1:0"), "listen tcp 192.0.2.1:0: bind: cannot assign requested address"),
    ],
)
def test_addresses_that_are_none(call, args, text):
    error = play(lambda: error_of(call, *args))
    assert str(error) == text
    assert isinstance(error, net.OpError)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("host:80", ("host", "80")), ("[::1]:http", ("::1", "http")), (":0", ("", "0")), ("a%b:1", ("a%b", "1")),
        ("[fe80::1%lo]:1", ("fe80::1%lo", "1")), ("host:", ("host", "")),
    ],
)  # fmt: skip
def test_split_host_port(text, parts):
    assert net.split_host_port(text) == parts
    assert net.join_host_port(*parts) == text or parts[0] == "::1"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("host", "missing port in address"), ("[::1]", "missing port in address"),
        ("::1:80", "too many colons in address"),
        ("[::1]x:80", "missing port in address"), ("[::1]::80", "too many colons in address"),
        ("[::1:80", "missing ']' in address"), ("a[b:80", "unexpected '[' in address"),
        ("a]b:80", "unexpected ']' in address"),
    ],
)  # fmt: skip
def test_split_host_port_refuses(text, why):
    with pytest.raises(net.AddrError) as found:
        net.split_host_port(text)
    assert str(found.value) == f"address {text}: {why}"


# ---- misuse ----


def test_bad_arguments():
    def main():
        near, _far = pair()
        for call, args, kind in [
            (near.read, ("1",), TypeError), (near.read, (True,), TypeError), (near.read, (-1,), ValueError),
            (near.write, ("text",), TypeError), (near.write, (None,), TypeError), (near.set_deadline, ("",), TypeError),
            (near.set_deadline, (float("nan"),), ValueError), (near.set_linger, (1.5,), TypeError),
            (net.listen, ("tcp", 80), TypeError), (net.dial, (None, "x"), TypeError), (net.Dialer, ("1",), TypeError),
            (net.split_host_port, (3,), TypeError), (near.set_read_buffer, ("x",), TypeError),
        ]:  # fmt: skip
            with pytest.raises(kind):
                call(*args)
        assert near.read(0) == b""
        assert near.write(b"") == 0

    play(main)


def test_outside_a_goroutine():
    for call in (lambda: net.listen("tcp", HERE), lambda: net.dial("tcp", "127.0.0.1:1"), os.pipe):
        with pytest.raises(RuntimeError, match=OUTSIDE):
            call()


def test_a_connection_belongs_to_its_run():
    kept = run(lambda: pair()[0])
    for call in (lambda: kept.read(1), lambda: kept.write(b"x"), kept.close, lambda: kept.set_deadline(None)):
        with pytest.raises(RuntimeError, match="belongs to another run"):
            run(lambda call=call: _as_failure(call))
        with pytest.raises(RuntimeError, match=OUTSIDE):
            call()


def _as_failure(call):
    try:
        call()
    except RuntimeError as error:
        current_sched().end_with(error)


def test_options():
    def main():
        near, _far = pair()
        near.set_no_delay(False)
        near.set_keep_alive(True)
        near.set_keep_alive_period(30)
        near.set_linger(-1)
        near.set_read_buffer(8192)
        return repr(near)[:9]

    assert play(main) == "<TCPConn "


# ---- beside other parts of the runtime ----


def test_a_host_call_that_began_before_the_first_socket():
    """It is awaited like one of a run that keeps pace: nobody waits for it but who called it."""

    def main():
        called = started(lambda: syscall(host_time.sleep, 0.08, takes=0.03))
        began = host_time.monotonic()
        near, far = pair()
        for _ in range(5):
            near.write(b"x")
            far.read(1)
        took = host_time.monotonic() - began
        called.recv()
        return took, host_time.monotonic() - began

    quick, all_of_it = play(main)
    assert quick < 0.07 < all_of_it


def test_a_host_call_ends_while_the_run_waits_for_sockets():
    def main():
        near, _far = pair()
        started(near.read, 1)
        began = host_time.monotonic()
        syscall(host_time.sleep, 0.02)
        return host_time.monotonic() - began

    for gomaxprocs in (1, 2):
        assert 0.02 <= play(main, gomaxprocs=gomaxprocs) < 0.3


@pytest.mark.parametrize("gomaxprocs", [1, 2])
def test_a_goroutine_that_is_locked_to_its_thread(gomaxprocs):
    def main():
        near, far = pair()
        got = chan()

        @go
        def _():
            runtime.lock_os_thread()
            for _ in range(3):
                got.send(near.read(1))

        for letter in (b"a", b"b", b"c"):
            far.write(letter)
            assert got.recv() == letter

    play(main, gomaxprocs=gomaxprocs)


def test_runs_in_other_threads_at_the_same_time():
    """Each has a poller of its own."""
    found = []

    def main():
        with net.listen("tcp", HERE) as listener:
            go(serve_echo, listener)
            with net.dial("tcp", str(listener.addr())) as conn:
                for number in range(50):
                    conn.write(b"%d" % number)
                    assert conn.read(9) == b"%d" % number
        return True

    threads = [threading.Thread(target=lambda: found.append(run(main, max_time=20))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [True] * 4


def test_io_is_not_durable_in_a_bubble():
    """Nobody outside could be waited for otherwise: the bubble's clock stands still until the bytes have come."""

    def main():
        near, far = pair()
        began = host_time.monotonic()

        def bubble():
            start = time.now()
            go(lambda: time.sleep(3600))
            got = near.read(1)
            took = time.since(start)
            time.sleep(3600)
            return got, took

        seen = []
        go(lambda: (time.sleep(0.03), far.write(b"x")))
        synctest.test(lambda *_: seen.append(bubble()))
        return seen, host_time.monotonic() - began

    seen, took = play(main)
    assert seen == [(b"x", 0)]
    assert 0.03 <= took < 1


def test_a_deadline_in_a_bubble_goes_by_the_bubble_s_clock():
    def main():
        near, _far = pair()

        def bubble():
            near.set_read_deadline(time.now() + 0.02)
            return error_of(near.read, 1)

        seen = []
        began = host_time.monotonic()
        synctest.test(lambda *_: seen.append(bubble()))
        return seen[0], host_time.monotonic() - began

    error, took = play(main)
    assert isinstance(error, TimeoutError)
    assert 0.02 <= took < 1


def test_paths_that_are_none():
    for path in ("x" * 300, "cut\0off"):
        assert str(play(lambda path=path: error_of(net.listen, "unix", path))).endswith(": bind: invalid argument")
        assert str(play(lambda path=path: error_of(net.dial, "unix", path))).endswith(": connect: invalid argument")


def test_readinto_shows_in_the_events(monkeypatch):
    def main():
        near, far = pair()
        near.write(b"abc")
        far.readinto(bytearray(9))

    finished = execute(monkeypatch, main)
    assert [event[-1] for event in finished.named("fd_read")] == [1, 3]


def test_dialing_a_full_unix_listener_is_an_error(tmp_path):
    """The host says EAGAIN and means it: it will never come to be connected."""
    path = str(tmp_path / "s")

    def main():
        with socket.socket(socket.AF_UNIX) as full:
            full.bind(path)
            full.listen(0)
            kept = []
            while True:
                try:
                    kept.append(net.dial("unix", path))
                except OSError as error:
                    return error

    assert str(play(main)) == f"dial unix {path}: connect: resource temporarily unavailable"


def test_reading_nothing_does_not_wait_and_knows_no_deadline():
    def main():
        ours, theirs = pair()
        assert ours.read(0) == b""
        ours.set_deadline(time.now() - 1)
        assert ours.read(0) == b""
        ours.close()
        theirs.close()
        return error_of(ours.read, 0)

    assert "use of closed network connection" in str(play(main))
