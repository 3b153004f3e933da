"""A server that survives its handlers: defer, panic, recover, returns, and goexit.

Look at `handle`: a deferred function runs however its function ends, sees the panic with recover(), and sets
with returns() what the caller gets instead. An exception of Python is a panic like any other.
The last handler does not fail, it leaves: goexit ends the goroutine after running its defers, and recover()
has nothing to say about it.
Try: remove `defer(rescue)`. The first panic then ends the whole program, with Go's report and exit status 2.
"""

from goruntime import chan, defer, func, go, panic, recover, returns, run, runtime

PAGES = {"/": "welcome", "/about": "a glass box"}


def render(path):
    if path == "/admin":
        panic("somebody tried the back door")
    if path == "/bye":
        runtime.goexit()
    return PAGES[path]


@func
def handle(path):
    def rescue():
        problem = recover()
        if problem is not None:
            returns(f"500 {problem!r}")

    defer(print, "  closed:", path)
    defer(rescue)
    print("  opened:", path)
    return "200 " + render(path)


def serve(path, replies):
    defer(replies.close)
    replies.send(handle(path))


def main():
    defer(print, "main's deferred call comes last")
    for path in "/", "/about", "/missing", "/admin", "/bye":
        print("GET", path)
        replies = chan()
        go(serve, path, replies)
        reply, ok = replies.recv_()
        print("  reply:", reply if ok else "none, the goroutine is gone")


if __name__ == "__main__":
    run(main)
