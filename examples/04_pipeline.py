"""Three stages, one goroutine each, read an endless log; main stops them all once it has seen enough.

Look at `done`: nothing is ever sent on it. Closing it makes `done.recv` ready for everybody at once, and each
stage that waits to send sees it, ends, and closes its own output, which ends the next stage's `for` loop.
Try: forget `done.close()`. The stages then wait for ever, and the last line counts them.
"""

from itertools import cycle

from goruntime import chan, go, run, runtime, select, time

LOG = """
GET /index.html 200 12
GET /style.css 200 3
POST /login 302 48
GET /report 200 910
GET /missing 404 5
GET /search?q=go 200 350
POST /upload 500 1204
GET /favicon.ico 200 2
"""


def send(out, value, done):
    """True when somebody took the value, False when the pipeline was told to stop."""
    chosen, _ = select((out.send, value), done.recv)
    return chosen == 0


def read_lines(done):
    out = chan()

    @go
    def stage():
        for line in cycle(LOG.split("\n")):
            if not send(out, line, done):
                break
        out.close()

    return out.recv_only()


def parse(lines, done):
    out = chan()

    @go
    def stage():
        for line in lines:
            fields = line.split()
            if fields and not send(out, (fields[1], int(fields[2]), int(fields[3])), done):
                break
        out.close()

    return out.recv_only()


def slower_than(limit, requests, done):
    out = chan()

    @go
    def stage():
        for request in requests:
            if request[2] > limit and not send(out, request, done):
                break
        out.close()

    return out.recv_only()


def main():
    done = chan()
    slow = slower_than(300, parse(read_lines(done), done), done)
    print("goroutines at work:", runtime.num_goroutine())
    for _ in range(5):
        path, status, milliseconds = slow.recv()
        print(f"{milliseconds:5} ms  {status}  {path}")
    done.close()
    time.sleep(time.millisecond)
    print("goroutines left:", runtime.num_goroutine())


if __name__ == "__main__":
    run(main)
