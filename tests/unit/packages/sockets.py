"""Servers and clients for the tests of net, and what they must not leave behind."""

from __future__ import annotations

import os as host_os
import socket
from collections.abc import Callable
from typing import Any

import pytest

from goruntime import chan, go, net, run, time

HERE = "127.0.0.1:0"
OPTIONS = {"max_time": 20}  # real seconds: a hang is a failure


def fd_count() -> int:
    """How many descriptors this process has open."""
    return len(host_os.listdir("/proc/self/fd"))


def play(main: Callable[[], Any], **options: Any) -> Any:
    """`run`, which leaves no descriptor behind and does not hang."""
    before = fd_count()
    value = run(main, **(OPTIONS | options))
    assert fd_count() == before
    return value


def pair(network: str = "tcp") -> tuple[net.TCPConn, net.TCPConn]:
    """Both ends of a connection: who dialled, who accepted."""
    with net.listen(network, HERE) as listener:
        near: Any = net.dial(network, str(listener.addr()))
        return near, listener.accept()  # type: ignore[return-value]


def error_of(call: Callable[..., Any], *args: Any) -> Any:
    """The error that call(*args) raises."""
    try:
        call(*args)
    except OSError as error:
        return error
    return pytest.fail("nothing was raised")


def raw(addr: Any) -> socket.socket:
    """A connection of the host's own, from the same thread: it does not block on the loopback."""
    return socket.create_connection((addr.ip, addr.port), timeout=5)


def reset(connection: socket.socket) -> None:
    """Close it with a reset."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    connection.close()


def started(fn: Callable[..., Any], *args: Any) -> chan[Any]:
    """Call fn(*args) in a goroutine that is parked when this returns (or done); its result or error comes."""
    done: chan[Any] = chan(1)

    def call() -> None:
        try:
            done.send(fn(*args))
        except OSError as error:
            done.send(error)

    go(call)
    time.sleep(0.005)
    return done


def serve_echo(listener: net.Listener) -> None:
    """Accept for ever, echo everything."""

    def echo(conn: Any) -> None:
        with conn:
            while data := conn.read(4096):
                conn.write(data)

    for conn in listener:
        go(echo, conn)
