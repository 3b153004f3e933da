"""The load client of 17_chat_server: a thousand guests in a hundred rooms, each of whom hears everybody in the room.

It starts the server in a process of its own, unless it is given an address. Look at `all_here`: a WaitGroup as a
barrier, so that nobody speaks before everybody listens, and at the deadline, which turns a lost message into an error
instead of a hang. Real sockets make a run open: the clock follows the wall, and a seed no longer repeats it.
Try: --times; --guests 5000 (each is a file descriptor: `ulimit -n`); kill the server meanwhile.
"""

import argparse
import subprocess
import sys
from pathlib import Path

from goruntime import atomic, net, run, sync, time

ROOM = 10  # guests in each
PATIENCE = 60  # s for all of it


class Guest:
    def __init__(self, number, address):
        self.name, self.room = f"guest{number}", f"room{number // ROOM}"
        self.conn, self.rest = net.dial("tcp", address), b""
        self.conn.set_deadline(time.now() + PATIENCE)
        self.say(f"{self.name} {self.room}")

    def say(self, text):
        self.conn.write(f"{text}\n".encode())

    def hear(self):
        """What is said next, without the server's own remarks."""
        while True:
            while b"\n" not in self.rest:
                data = self.conn.read(4096)
                if not data:
                    raise EOFError(f"{self.name}: the server has hung up")
                self.rest += data
            line, _, self.rest = self.rest.partition(b"\n")
            if not line.startswith(b"* "):
                return line.decode()
            if line == f"* {self.name} is here".encode():
                return None


def visit(number, address, messages, all_here, all_done, heard, latencies):
    guest = Guest(number, address)
    assert guest.hear() is None
    all_here.done()
    all_here.wait()
    first = number - number % ROOM
    awaited = {f"guest{first + other}: message {turn}" for other in range(ROOM) for turn in range(messages)}
    for turn in range(messages):
        mine, start = f"{guest.name}: message {turn}", time.now()
        guest.say(f"message {turn}")
        while mine in awaited:
            awaited.remove(guest.hear())
        latencies.append(time.since(start))
    while awaited:
        awaited.remove(guest.hear())
    heard.add(ROOM * messages)
    all_done.done()
    all_done.wait()
    guest.conn.close()


def main(address, guests, messages, times):
    all_here, all_done, ended = sync.WaitGroup(), sync.WaitGroup(), sync.WaitGroup()
    heard, latencies = atomic.Int64(), []
    all_here.add(guests)
    all_done.add(guests)
    start = time.now()
    for number in range(guests):
        ended.go(visit, number, address, messages, all_here, all_done, heard, latencies)
    all_here.wait()
    print(f"{guests} guests in {guests // ROOM} rooms")
    talked = time.now()
    ended.wait()
    print(f"{guests * messages} messages, heard {heard.load()} times, {guests * messages * ROOM - heard.load()} lost")
    if times:
        print(f"connected in {talked - start:.2f} s; heard {heard.load() / time.since(talked):.0f} messages/s")
        median, p99 = (sorted(latencies)[len(latencies) * part // 100] for part in (50, 99))
        print(f"until one's own message is back: median {median * 1000:.0f} ms, p99 {p99 * 1000:.0f} ms")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("address", nargs="?", help="of a server that runs already")
    parser.add_argument("--guests", type=int, default=1000, help="a multiple of ten (1000)")
    parser.add_argument("--messages", type=int, default=2, help="from each guest (2)")
    parser.add_argument("--times", action="store_true", help="print how long it took")
    options = parser.parse_args()
    server = None
    if options.address is None:
        program = Path(__file__).with_name("17_chat_server.py")
        command = [sys.executable, "-m", "goruntime", "run", str(program), "127.0.0.1:0"]
        server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        options.address = server.stdout.readline().split()[-1]
    try:
        run(main, options.address, options.guests - options.guests % ROOM, options.messages, options.times)
    finally:
        if server is not None:
            server.terminate()
            server.communicate()
