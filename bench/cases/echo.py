"""An echo server at 1,000 connections, each with one request on its way at any time; the load is another process."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from typing import Any

from harness import BENCH, Bound, Case, Measure, Reading, Variant

CONNECTIONS = 1_000
READ = 4_096


def start_load(port: int, requests: int) -> subprocess.Popen[str]:
    """Start the load; it ends by itself."""
    command = [sys.executable, str(BENCH / "echo_load.py"), str(port), str(CONNECTIONS), str(requests)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def finish_load(load: subprocess.Popen[str]) -> Reading:
    """Wait for the load; what it has measured."""
    out, _ = load.communicate()
    answer = json.loads(out)
    return Reading(answer["rate"], answer["p99"])


def goruntime(procs: int) -> Measure:
    """Return the goruntime variant with ``procs`` Ps."""

    def measure(items: int) -> Reading:
        from goruntime import go, net, run, syscall

        def serve(conn: net.Conn) -> None:
            while data := conn.read(READ):
                conn.write(data)
            conn.close()

        def accept(listener: net.Listener) -> None:
            for conn in listener:
                go(serve, conn)

        def main() -> Reading:
            with net.listen("tcp", "127.0.0.1:0") as listener:
                go(accept, listener)
                return syscall(finish_load, start_load(listener.addr().port, items))  # type: ignore[union-attr]

        return run(main, gomaxprocs=procs)  # type: ignore[no-any-return]

    return measure


def with_gevent(items: int) -> Reading:
    """gevent, with a greenlet for each connection."""
    import gevent
    from gevent import socket

    def serve(conn: Any) -> None:
        while data := conn.recv(READ):
            conn.sendall(data)
        conn.close()

    def accept(listener: Any) -> None:
        while True:
            conn, _ = listener.accept()
            conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            gevent.spawn(serve, conn)

    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(CONNECTIONS)
    accepting = gevent.spawn(accept, listener)
    load = start_load(listener.getsockname()[1], items)
    reading = gevent.get_hub().threadpool.apply(finish_load, (load,))
    accepting.kill()
    listener.close()
    return reading  # type: ignore[no-any-return]


def with_asyncio(items: int) -> Reading:
    """asyncio's streams."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(READ):
            writer.write(data)
            await writer.drain()
        writer.close()

    async def main() -> Reading:
        server = await asyncio.start_server(serve, "127.0.0.1", 0, backlog=CONNECTIONS)
        load = start_load(server.sockets[0].getsockname()[1], items)
        reading = await asyncio.to_thread(finish_load, load)
        server.close()
        return reading

    return asyncio.run(main())


CASES = (
    Case(
        name="echo",
        title="echo server, 1,000 conns",
        unit="/s",
        variants=(
            Variant("goruntime p=1", goruntime(1), 60_000),
            Variant("goruntime p=4", goruntime(4), 60_000),
            Variant("gevent", with_gevent, 60_000),
            Variant("asyncio", with_asyncio, 60_000),
        ),
        bounds=(
            Bound("goruntime p=1", 0.7, "gevent"),
            Bound("goruntime p=4", 0.7, "gevent"),
        ),
        note="requests a second, of 64 bytes; the same load for all, from a process of its own",
    ),
)
