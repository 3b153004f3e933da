"""Thirteen oracles as programs of model_chan: generators, one yield for each operation of the Go program."""

from .model_chan import Chan, WaitGroup, add, after_func, close, go, gosched, recv, send, show, sleep, spin, wait


def receive_all(c, name, done=None):
    """`for v := range c { print(name, v, " ") }`, then one send on done."""
    while True:
        v, ok = yield recv(c)
        if not ok:
            break
        yield show(f"{name}{v} ")
    if done is not None:
        yield send(done, True)


def drain(done, count):
    for _ in range(count):
        yield recv(done)


def unbuffered_pingpong():
    c, done = Chan(), Chan()
    yield go(lambda: receive_all(c, "r", done))
    for i in range(8):
        yield show(f"s{i} ")
        yield send(c, i)
    yield close(c)
    yield recv(done)


def buffered_interleave():
    c, done = Chan(3), Chan()
    yield go(lambda: receive_all(c, "r", done))
    for i in range(12):
        yield send(c, i)
        yield show(f"s{i} ")
    yield close(c)
    yield recv(done)


def gosched_rr():
    done = Chan()

    def worker(name):
        for i in range(4):
            yield show(f"{name}{i} ")
            yield gosched()
        yield send(done, True)

    for name in "abc":
        yield go(lambda name=name: worker(name))
    yield from drain(done, 3)


def close_wake_order():
    c, done = Chan(), Chan(16)

    def worker(i):
        yield recv(c)
        yield show(f"{i} ")
        yield send(done, True)

    for i in range(5):
        yield go(lambda i=i: worker(i))
        yield gosched()
    yield sleep(1)
    yield close(c)
    yield from drain(done, 5)


def recv_fifo():
    c, done = Chan(), Chan(16)

    def worker(i):
        v, _ = yield recv(c)
        yield show(f"g{i}={v} ")
        yield send(done, True)

    for i in range(5):
        yield go(lambda i=i: worker(i))
        yield gosched()
    yield sleep(1)
    for v in range(10, 15):
        yield send(c, v)
    yield from drain(done, 5)


def fan_in():
    c = Chan()

    def producer(name):
        for i in range(4):
            yield send(c, f"{name}{i}")

    for name in "abc":
        yield go(lambda name=name: producer(name))
    for _ in range(12):
        v, _ = yield recv(c)
        yield show(f"{v} ")


def pipeline():
    a, b = Chan(), Chan()

    def generate():
        for i in range(1, 5):
            yield show(f"g{i} ")
            yield send(a, i)
        yield close(a)

    def square():
        while True:
            v, ok = yield recv(a)
            if not ok:
                break
            yield show(f"s{v} ")
            yield send(b, v * v)
        yield close(b)

    yield go(generate)
    yield go(square)
    yield from receive_all(b, "m")


def worker_pool():
    for jobs in (Chan(), Chan(9)):
        group = WaitGroup()

        def worker(w, jobs=jobs, group=group):
            yield from receive_all(jobs, f"w{w}:j")
            yield add(group, -1)

        for w in range(3):
            yield add(group, 1)
            yield go(lambda w=w, worker=worker: worker(w))
        for j in range(9):
            yield send(jobs, j)
        yield close(jobs)
        yield wait(group)


def spawn_tree():
    group = WaitGroup()

    def node(name, depth):
        if depth > 0:
            yield add(group, 2)
            yield go(lambda: node(name + "L", depth - 1))
            yield go(lambda: node(name + "R", depth - 1))
        yield show(f"{name} ")
        yield add(group, -1)

    yield add(group, 1)
    yield go(lambda: node("*", 3))
    yield wait(group)


def wg_main_wakes():
    group = WaitGroup()
    yield add(group, 3)

    def worker(i):
        yield show(f"a{i} ")
        yield add(group, -1)
        yield gosched()
        yield show(f"b{i} ")

    for i in range(3):
        yield go(lambda i=i: worker(i))
    yield wait(group)
    yield show("main ")
    yield gosched()
    yield show("end")


def wg_waiters_order():
    group, done = WaitGroup(), Chan(16)
    yield add(group, 1)

    def worker(i):
        yield wait(group)
        yield show(f"{i} ")
        yield send(done, True)

    for i in range(5):
        yield go(lambda i=i: worker(i))
        yield gosched()
    yield sleep(1)
    yield add(group, -1)
    yield from drain(done, 5)


def timers_expired_together():
    done = Chan(16)

    def worker(name, i, delay=0):
        if delay:
            yield sleep(delay)
        yield show(f"{name}{i} ")
        yield send(done, True)

    for i in range(5):
        yield after_func((i + 1) * 100, lambda i=i: worker("f", i))
    yield spin(3000)
    yield from drain(done, 5)
    for i in range(5):
        yield go(lambda i=i: worker("s", i, delay=(i + 1) * 200))
    yield sleep(10)
    yield spin(4000)
    yield from drain(done, 5)


def gosched_vs_goyield():
    c = Chan(1)

    def woken():
        yield recv(c)
        yield show("woken-by-send ")

    def new(i):
        yield show(f"new{i} ")

    yield go(woken)
    yield gosched()
    for i in range(3):
        yield go(lambda i=i: new(i))
    yield send(c, 1)
    yield show("main-before ")
    yield gosched()
    yield show("main-after")


PROGRAMS = [
    buffered_interleave,
    close_wake_order,
    fan_in,
    gosched_rr,
    gosched_vs_goyield,
    pipeline,
    recv_fifo,
    spawn_tree,
    timers_expired_together,
    unbuffered_pingpong,
    wg_main_wakes,
    wg_waiters_order,
    worker_pool,
]
