"""Sockets under faults: whatever the peer or the host does, no goroutine, descriptor or timer is left behind."""

from __future__ import annotations

import errno
import gc
import os as host_os
import resource
import signal
import socket
import threading
import time as host_time
import warnings

import pytest

from goruntime import chan, go, net, os, run, runtime, sync, syscall, time
from goruntime.base.errors import GoPanic, Timeout

from .running import current_sched
from .sockets import HERE, OPTIONS, error_of, fd_count, pair, play, raw, reset, serve_echo, started


def left() -> tuple[int, int, int, int]:
    """Goroutines, descriptors, timers, and waits for I/O there are."""
    sched = current_sched()
    timers = sum(len(pp.timers) - pp.zombies for pp in sched.allp)
    return runtime.num_goroutine(), len(sched.poll_descs), timers, sched.netpoll_waiters


def settles_at(expected: tuple[int, int, int, int]) -> bool:
    """What is left becomes what is expected, within a second."""
    for _ in range(200):
        if left() == expected:
            return True
        time.sleep(0.005)
    assert left() == expected
    return False


def serving(fault, serve=serve_echo, **options):
    """Run fault(listener) against a server that accepts for ever; afterwards nothing but main is left."""

    def main():
        listener = net.listen("tcp", HERE)
        go(serve, listener)
        value = fault(listener)
        assert settles_at((2, 1, 0, 1))  # main, who accepts, and the listener
        listener.close()
        assert settles_at((1, 0, 0, 0))
        return value

    return play(main, **options)


def careless(listener: net.Listener) -> None:
    """A server that reads messages of 100 bytes and gives up on a peer that is slow or breaks off."""

    def serve(conn):
        with conn:
            got = b""
            conn.set_deadline(time.now() + 0.2)
            try:
                while len(got) < 100:
                    data = conn.read(100 - len(got))
                    if not data:
                        return
                    got += data
                conn.write(got)
            except OSError as error:
                assert isinstance(error, (net.OpError, TimeoutError, ConnectionResetError))

    for conn in listener:
        go(serve, conn)


@pytest.mark.parametrize("gomaxprocs", [1, 4])
def test_peers_that_reset(gomaxprocs):
    def fault(listener):
        for sends in (b"", b"half", b"x" * 100, b"x" * 100_000):
            for _ in range(25):
                client = raw(listener.addr())
                client.setblocking(False)
                if sends:
                    client.send(sends)
                reset(client)

    serving(fault, careless, gomaxprocs=gomaxprocs)


def test_a_reset_before_the_first_read():

    def main():
        listener = net.listen("tcp", HERE)
        go(lambda: reset(raw(listener.addr())))
        conn = listener.accept()
        return error_of(conn.read, 1)

    assert isinstance(play(main), ConnectionResetError)


def test_peers_that_send_half_a_message():
    def fault(listener):
        answers = []
        for _ in range(50):
            with raw(listener.addr()) as client:
                client.send(b"half a message")
                client.shutdown(socket.SHUT_WR)
                answers.append(syscall(client.recv, 100))
        return answers

    assert serving(fault, careless) == [b""] * 50


def test_peers_that_stall():
    def fault(listener):
        clients = [raw(listener.addr()) for _ in range(100)]
        for client in clients:
            client.send(b"x" * 99)
        time.sleep(0.05)
        waiting = left()
        began = time.now()
        assert settles_at((2, 1, 0, 1))  # the deadlines
        took = time.since(began)
        for client in clients:
            client.close()
        return waiting, took

    waiting, took = serving(fault, careless)
    assert waiting == (102, 101, 100, 101)
    assert took < 1


def test_peers_that_do_not_read():
    def main():
        near, far = pair()
        far.set_write_deadline(time.now() + 0.05)
        writers = [started(far.write, bytes(10_000_000)) for _ in range(5)]
        errors = [writer.recv() for writer in writers]
        far.close(), near.close()
        assert settles_at((1, 0, 0, 0))
        return errors

    errors = play(main)
    assert all(isinstance(error, TimeoutError) for error in errors)


def test_peers_that_flood():
    """The server reads a little at a time: what the peer cannot send waits on the peer's side."""

    def fault(listener):
        client = raw(listener.addr())
        total = 20_000_000
        sent = started(syscall, client.sendall, bytes(total))
        got = 0
        while got < total:
            got += len(syscall(client.recv, 1 << 20))
        sent.recv()
        client.close()
        return got

    assert serving(fault) == 20_000_000


def open_and_drop(address, count):
    """On a thread of the host's: connections that end at once, half of them with a reset."""
    for number in range(count):
        connection = socket.create_connection(address)
        if number % 2:
            reset(connection)
        else:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            connection.send(b"x")
            connection.close()


@pytest.mark.slow
@pytest.mark.parametrize("gomaxprocs", [1, 4])
def test_ten_thousand_connections_opened_and_dropped(gomaxprocs):
    def fault(listener):
        address = listener.addr().ip, listener.addr().port
        done = [started(syscall, open_and_drop, address, 2_500) for _ in range(4)]
        for each in done:
            each.recv()

    serving(fault, careless, gomaxprocs=gomaxprocs, max_time=60)


@pytest.mark.slow
def test_two_thousand_connections_at_once():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 5_000:
        pytest.skip("too few descriptors")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 5_000), hard))

    def fault(listener):
        done = chan()

        def talk(number):
            with net.dial("tcp", str(listener.addr())) as conn:
                for i in range(5):
                    conn.write(b"%d %d" % (number, i))
                    assert conn.read(100) == b"%d %d" % (number, i)
                done.send(True)

        for number in range(2_000):
            go(talk, number)
        return sum(done.recv() for _ in range(2_000))

    try:
        assert serving(fault, max_time=60) == 2_000
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.parametrize("gomaxprocs", [1, 4])
def test_a_listener_closed_under_accept(gomaxprocs):
    def main():
        texts = []
        for _ in range(8):
            listener = net.listen("tcp", HERE)
            waiting = [started(listener.accept) for _ in range(3)]
            go(listener.close)
            texts += [str(each.recv()) for each in waiting]
        assert settles_at((1, 0, 0, 0))
        return texts

    texts = play(main, gomaxprocs=gomaxprocs)
    assert len(texts) == 24
    assert all(text.endswith(": use of closed network connection") for text in texts)


@pytest.mark.parametrize("gomaxprocs", [1, 4])
def test_a_deadline_storm(gomaxprocs):
    """Deadlines that are set, moved, cleared and expire while others read, write and close."""

    def main():
        def read(conn, done):
            outcomes = 0
            while True:
                try:
                    if not conn.read(10):
                        break
                except TimeoutError:
                    outcomes += 1
                    conn.set_read_deadline(None)
                except OSError:
                    break
            done.send(outcomes)

        def storm(conn, done):
            for round_ in range(100):
                conn.set_deadline(time.now() + (round_ % 7 - 1) * 100e-6)
                if round_ % 3 == 0:
                    runtime.gosched()
                if round_ % 5 == 0:
                    conn.set_write_deadline(None)
            done.send(0)

        done = chan()
        ends = []
        for _ in range(20):
            near, far = pair()
            ends += near, far
            for conn in (near, far):
                go(read, conn, done)
                go(storm, conn, done)
        for _ in range(40):
            done.recv()  # the storms (and readers, if their peer has ended)
        for conn in ends:
            conn.close()
        expired = sum(done.recv() for _ in range(40))
        del near, far, conn, ends
        assert settles_at((1, 0, 0, 0))
        return expired

    play(main, gomaxprocs=gomaxprocs)


def test_thousands_of_deadlines_expire():
    def main():
        near, _far = pair()
        timeouts = 0
        for _ in range(2_000):
            near.set_read_deadline(time.now() + 1e-6)
            try:
                near.read(1)
            except TimeoutError:
                timeouts += 1
        return timeouts, left()[2:]

    assert play(main) == (2_000, (0, 0))


def test_too_many_open_files():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)

    def main():
        listener = net.listen("tcp", HERE)
        clients = [raw(listener.addr()) for _ in range(3)]
        resource.setrlimit(resource.RLIMIT_NOFILE, (host_os.dup(0) + 1, hard))
        highest = resource.getrlimit(resource.RLIMIT_NOFILE)[0] - 1
        try:
            refused = error_of(listener.accept)
            failed = error_of(net.dial, "tcp", "127.0.0.1:1"), error_of(net.listen, "tcp", HERE), error_of(os.pipe)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
            host_os.close(highest)
        accepted = [listener.accept() for _ in range(3)]
        for client in clients:
            client.close()
        ends = [conn.read(1) for conn in accepted]
        return str(listener.addr()), refused, failed, ends

    address, refused, failed, ends = play(main)
    assert str(refused) == f"accept tcp {address}: accept4: too many open files"
    assert refused.errno == errno.EMFILE
    assert refused.temporary()
    assert [str(error) for error in failed] == [
        "dial tcp 127.0.0.1:1: socket: too many open files",
        "listen tcp 127.0.0.1:0: socket: too many open files",
        "pipe2: too many open files",
    ]
    assert ends == [b"", b"", b""]


def test_writing_to_a_peer_that_is_gone():
    def main():
        with net.listen("tcp", HERE) as listener:
            raw(listener.addr()).close()
            conn = listener.accept()
            assert conn.read(1) == b""
            errors = []
            while len(errors) < 2:
                try:
                    conn.write(b"x" * 1000)
                    time.sleep(0.001)
                except OSError as error:
                    errors.append(error)
            return errors

    for error in play(main):
        assert isinstance(error, (BrokenPipeError, ConnectionResetError))
        assert error.op == "write"


def test_no_signal_of_a_broken_pipe():
    before = signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    try:
        test_writing_to_a_peer_that_is_gone()
    finally:
        signal.signal(signal.SIGPIPE, before)


@pytest.mark.parametrize("gomaxprocs", [1, 2, 4])
def test_closing_while_others_use_it(gomaxprocs):
    def main():
        for round_ in range(10):
            near, far = pair()

            def use(near=near, far=far):
                try:
                    while near.read(10):
                        near.write(b"x")
                except OSError as error:
                    assert isinstance(error, net.OpError)

            done = [started(use) for _ in range(3)]
            far.write(b"yy")
            if round_ % 2:
                runtime.gosched()
            near.close()
            for each in done:
                each.recv()
        del near, far, use
        assert settles_at((1, 0, 0, 0))

    play(main, gomaxprocs=gomaxprocs)


# ---- the end of a run ----


def sockets_everywhere():
    """Open sockets, with goroutines that read, write, accept and hold them."""
    listener = net.listen("tcp", HERE)
    near, far = pair()
    started(listener.accept)
    started(near.read, 1)
    started(far.write, bytes(50_000_000))
    os.pipe()
    started(os.pipe()[0].read, 1)

    @go
    def _():
        with net.dial("tcp", str(listener.addr())) as conn:
            try:
                conn.read(1)
            finally:
                conn.write(b"bye")

    time.sleep(0.005)


def ends_by_panic():
    sockets_everywhere()
    raise ValueError("end")


def ends_by_exit():
    sockets_everywhere()
    os.exit(3)


def ends_by_timeout():
    sockets_everywhere()
    time.sleep(100)


@pytest.mark.parametrize(
    ("main", "error", "options"),
    [
        (sockets_everywhere, None, {}),
        (ends_by_panic, GoPanic, {}),
        (ends_by_exit, SystemExit, {}),
        (ends_by_timeout, Timeout, {"max_time": 0.05}),
    ],
)
@pytest.mark.parametrize("gomaxprocs", [1, 4])
def test_the_run_closes_what_is_open(main, error, options, gomaxprocs):
    before = fd_count()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(2):
            if error is None:
                run(main, gomaxprocs=gomaxprocs, **OPTIONS | options)
            else:
                with pytest.raises(error):
                    run(main, gomaxprocs=gomaxprocs, **OPTIONS | options)
            gc.collect()
            assert fd_count() == before


@pytest.mark.parametrize("gomaxprocs", [1, 4])
def test_ctrl_c_ends_a_run_that_waits_for_sockets(gomaxprocs):
    before = fd_count()
    pressed = []

    def press():
        host_time.sleep(0.1)
        pressed.append(host_time.monotonic())
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

    def main():
        sockets_everywhere()
        net.listen("tcp", HERE).accept()

    presser = threading.Thread(target=press)
    presser.start()
    with pytest.raises(KeyboardInterrupt):
        run(main, gomaxprocs=gomaxprocs, **OPTIONS)
    assert host_time.monotonic() - pressed[0] < 0.5
    presser.join()
    assert fd_count() == before


def test_what_a_signal_handler_raises_in_a_wait_ends_it():
    before = fd_count()

    class Alarm(Exception):
        pass

    def ring(*_):
        raise Alarm

    def main():
        near, _far = pair()
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        near.read(1)

    saved = signal.signal(signal.SIGALRM, ring)
    try:
        with pytest.raises(Alarm):
            run(main, **OPTIONS)
    finally:
        signal.signal(signal.SIGALRM, saved)
    assert fd_count() == before


def test_finally_clauses_of_abandoned_goroutines():
    """Closing and writing do nothing there, reading ends the goroutine again."""
    steps = []

    def main():
        near, far = pair()

        @go
        def _():
            try:
                near.read(1)
            finally:
                steps.append("finally")
                far.set_deadline(None)
                near.close()
                steps.append("closed")
                far.read(1)
                steps.append("not reached")

        time.sleep(0.005)

    play(main)
    assert steps == ["finally", "closed"]


def test_leaving_a_context_that_somebody_else_closes_at_the_same_time():
    def use(thing):
        with thing:
            runtime.work(0)

    def main():
        for _ in range(50):
            ours, theirs = pair()
            reader, writer = os.pipe()
            group = sync.WaitGroup()
            for thing in (ours, theirs, reader, writer):
                for _ in range(3):
                    group.go(use, thing)
            group.wait()

    run(main, gomaxprocs=4, quantum=0)


def test_dropped_connections_leave_no_deadlines():
    def main():
        for _ in range(5):
            ends = pair()
            for end in ends:
                end.set_deadline(time.now() + 3600)
                end.set_read_deadline(time.now() + 7200)
            del end, ends
        assert left()[1:] == (0, 0, 0)

    play(main)
