"""A chat server on real sockets: the first line is "NAME ROOM", every line after it goes to everybody in the room.

Look at `serve_guest`: two goroutines for each connection, one that reads and one that writes, and a channel between the
room and the writer. A guest who reads too slowly fills that channel and is sent away: `default` in the select sees it,
so that one stalled reader never makes a room wait. Without an argument three guests come by, by themselves.
Try: `17_chat_server.py 127.0.0.1:7000` and some `nc 127.0.0.1 7000` in other terminals; Ctrl-C ends it, politely.
"""

import contextlib
import sys

from goruntime import chan, context, default, errors, go, net, run, select, signal, sync, time

BACKLOG = 64  # messages that a guest may be behind
PATIENCE = 10  # s a new guest has to say who they are


class Lines:
    """The lines that arrive on a connection."""

    def __init__(self, conn):
        self.conn, self.rest = conn, b""

    def read(self):
        """The next line; None when the other side has hung up."""
        while b"\n" not in self.rest:
            data = self.conn.read(4096)
            if not data:
                return None
            self.rest += data
        line, _, self.rest = self.rest.partition(b"\n")
        return line.decode(errors="replace").strip()


class Guest:
    """Somebody in a room; what the room says goes to the inbox, from which one goroutine writes it out."""

    def __init__(self, name, conn):
        self.name, self.conn, self.inbox = name, conn, chan(BACKLOG)

    def write_all(self):
        with contextlib.suppress(OSError):  # who reads from the connection notices too
            for text in self.inbox:
                self.conn.write(f"{text}\n".encode())


class Rooms:
    """Who is where. One lock for all: nothing below it ever blocks."""

    def __init__(self):
        self.lock, self.guests = sync.Mutex(), {}

    def enter(self, room, guest):
        with self.lock:
            self.guests.setdefault(room, []).append(guest)
        self.tell(room, f"* {guest.name} is here")

    def leave(self, room, guest):
        with self.lock:
            self.guests[room].remove(guest)
            if not self.guests[room]:
                del self.guests[room]
        guest.inbox.close()
        self.tell(room, f"* {guest.name} has left")

    def tell(self, room, text):
        with self.lock:
            for guest in self.guests.get(room, ()):
                if select((guest.inbox.send, text), default)[0] == 1:
                    with contextlib.suppress(OSError):
                        guest.conn.close_read()  # too slow: nothing more is heard from it, and so it leaves


def serve_guest(rooms, conn):
    with conn, contextlib.suppress(OSError, ValueError):
        lines = Lines(conn)
        conn.set_read_deadline(time.now() + PATIENCE)
        name, room = (lines.read() or "").split()
        conn.set_read_deadline(None)
        guest = Guest(name, conn)
        go(guest.write_all)
        rooms.enter(room, guest)
        try:
            while (line := lines.read()) is not None:
                rooms.tell(room, f"{name}: {line}")
        finally:
            rooms.leave(room, guest)


def serve(listener):
    """Until the listener is closed."""
    rooms = Rooms()
    try:
        for conn in listener:
            go(serve_guest, rooms, conn)
    except OSError as error:
        if not errors.is_(error, net.err_closed):
            raise


def demonstrate(address):
    guests = {}
    for name in "ann", "bob", "eve":
        conn = net.dial("tcp", address)
        guests[name] = Lines(conn)
        conn.write(f"{name} {'lobby' if name != 'eve' else 'attic'}\n".encode())
        print(f"{name} reads", guests[name].read())
    print("ann reads", guests["ann"].read())
    guests["bob"].conn.write(b"hello, ann\n")
    print("ann reads", guests["ann"].read())
    print("bob reads", guests["bob"].read())
    guests["bob"].conn.close()
    print("ann reads", guests["ann"].read())


def main(address=None):
    listener = net.listen("tcp", address or "127.0.0.1:0")
    if address is None:
        go(serve, listener)
        demonstrate(str(listener.addr()))
        return
    print("listening on", listener.addr(), flush=True)
    ctx, stop = signal.notify_context(context.background(), signal.SIGINT, signal.SIGTERM)
    context.after_func(ctx, listener.close)
    serve(listener)
    stop()
    print("goodbye")


if __name__ == "__main__":
    run(main, *sys.argv[1:])
