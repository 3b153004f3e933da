"""The load on an echo server: ``echo_load.py PORT CONNECTIONS REQUESTS``, one epoll loop without a library.

Each connection sends a message, waits for its echo, and sends the next. What was measured is printed as JSON:
requests a second, and the 99th percentile of the time from a send to its echo, in seconds. The connections are made,
and each has had its first echo, before the clock starts.
"""

from __future__ import annotations

import json
import select
import socket
import sys
from time import perf_counter

MESSAGE = b"x" * 64
AT_ONCE = 100  # connections that may wait to be accepted


def connect(port: int, count: int) -> dict[int, socket.socket]:
    """Return connections that have had an echo, by descriptor."""
    connections: dict[int, socket.socket] = {}
    while len(connections) < count:
        fresh = [socket.create_connection(("127.0.0.1", port)) for _ in range(min(AT_ONCE, count - len(connections)))]
        for connection in fresh:
            connection.sendall(MESSAGE)
        for connection in fresh:
            assert connection.recv(len(MESSAGE), socket.MSG_WAITALL) == MESSAGE
            connection.setblocking(False)
            connections[connection.fileno()] = connection
    return connections


def main() -> None:
    """Load the server, print what came of it."""
    port, count, requests = map(int, sys.argv[1:])
    connections = connect(port, count)
    poll = select.epoll()
    calls = {}
    for descriptor, connection in connections.items():
        poll.register(descriptor, select.EPOLLIN)
        calls[descriptor] = connection.recv, connection.send
    sent_at = dict.fromkeys(connections, 0.0)
    took: list[float] = []
    start = perf_counter()
    for descriptor in connections:
        sent_at[descriptor] = perf_counter()
        calls[descriptor][1](MESSAGE)
    while len(took) < requests:
        for descriptor, _ in poll.poll(10):
            receive, send = calls[descriptor]
            assert receive(4096) == MESSAGE
            now = perf_counter()
            took.append(now - sent_at[descriptor])
            sent_at[descriptor] = now
            send(MESSAGE)
    seconds = perf_counter() - start
    for connection in connections.values():
        connection.setblocking(True)
        connection.recv(len(MESSAGE), socket.MSG_WAITALL)  # closing with an echo unread would reset the connection
        connection.close()
    took.sort()
    print(json.dumps({"rate": len(took) / seconds, "p99": took[int(len(took) * 0.99)]}))


if __name__ == "__main__":
    main()
