"""A downloader that fetches many files at once over real sockets, four at a time, and gives up at the first error.

Look at `fetch`: the semaphore lets four in, whoever comes; `context.after_func` closes the connection when the group
is cancelled, which wakes a read that waits. `group.wait()` raises the first error, and that error is what cancels the
others. The server is Python's own http.server, in threads of its own: a peer that knows nothing of goroutines.
Try: LIMIT = 1 and 50, with `time` in front of the command (each answer takes the server 20 ms); --missing asks for a
file that is not there.
"""

import contextlib
import functools
import hashlib
import http.server
import sys
import threading
import time as host_time
from pathlib import Path

from goruntime import context, errgroup, net, run, semaphore

LIMIT = 4
DATA = Path(__file__).parent / "data"


class Handler(http.server.SimpleHTTPRequestHandler):
    """A slow server that counts how many it serves at once."""

    lock, now, most = threading.Lock(), 0, 0

    def do_GET(self):
        with Handler.lock:
            Handler.now += 1
            Handler.most = max(Handler.most, Handler.now)
        host_time.sleep(0.02)
        with contextlib.suppress(ConnectionError):  # who gave up does not listen any more
            super().do_GET()
        with Handler.lock:
            Handler.now -= 1

    def log_message(self, *_):
        pass


def get(ctx, address, path):
    """The body of one file."""
    with net.dial("tcp", address) as conn:
        stop = context.after_func(ctx, conn.close)
        conn.write(f"GET /{path} HTTP/1.0\r\n\r\n".encode())
        answer = b"".join(iter(functools.partial(conn.read, 65536), b""))
        stop()
    head, _, body = answer.partition(b"\r\n\r\n")
    status = head.split(b"\r\n")[0].decode()
    if " 200 " not in status:
        raise LookupError(f"GET /{path}: {status.split(' ', 1)[1]}")
    return body


def fetch(ctx, address, path, limit, bodies):
    limit.acquire(ctx, 1)
    try:
        bodies[path] = get(ctx, address, path)
    finally:
        limit.release(1)


def main(address, paths):
    group, ctx = errgroup.with_context(context.background())
    limit, bodies = semaphore.Weighted(LIMIT), {}
    for path in paths:
        group.go(fetch, ctx, address, path, limit, bodies)
    try:
        group.wait()
    except LookupError as error:
        print("gave up:", error)
        return
    for path, body in sorted(bodies.items()):
        print(f"{hashlib.sha256(body).hexdigest()[:8]} {len(body):5}  {path}")
    print(f"{len(bodies)} files, {sum(map(len, bodies.values()))} bytes, at most {Handler.most} at once")


if __name__ == "__main__":
    handler = functools.partial(Handler, directory=DATA)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=[0.01], daemon=True).start()
        wanted = sorted(path.relative_to(DATA).as_posix() for path in DATA.rglob("*.txt"))
        if "--missing" in sys.argv:
            wanted.insert(3, "memory/leaks.txt")
        run(main, "{}:{}".format(*server.server_address), wanted)
        server.shutdown()
