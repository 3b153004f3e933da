"""Recursion without end, and primitives at the bottom of the stack.

A primitive runs on the stack of the user's code, so RecursionError can strike anywhere in it. Either nothing has happened
then, and the program may go on; or the run ends with Go's stack overflow. The sweep below calls every primitive at every
depth near the limit and looks whether anything was lost: a value, a goroutine, an invariant.
"""

import functools
import json

import pytest
from greenlet import getcurrent

from goruntime import (
    FatalError,
    chan,
    context,
    coro,
    default,
    defer,
    func,
    go,
    panic,
    println,
    recover,
    run,
    runtime,
    select,
    semaphore,
    time,
)
from goruntime.sched.proc import check_goroutines
from goruntime.sched.runq import check_runq
from tests.model.invariants import doors
from tests.unit.bad_input.conftest import hello

# Recursion without end.


def nothing():
    pass


class Shown:
    def __init__(self, step):
        self.step = step

    def __repr__(self):
        self.step()
        return f"<{self!r}>"


class Asked:
    def __init__(self, step):
        object.__setattr__(self, "step", step)

    def __getattr__(self, name):
        object.__getattribute__(self, "step")()
        return getattr(self, name + "_")


class Compared:
    def __init__(self, step):
        self.step = step

    def __eq__(self, other):
        self.step()
        return [self] == [Compared(self.step)]

    def __hash__(self):
        self.step()
        return hash((self, 1))


class Made:
    def __init__(self, step):
        step()
        self.inner = Made(step)


class Called:
    def __init__(self, step):
        self.step = step

    def __call__(self):
        self.step()
        return Called(self.step)()


class Computed:
    def __init__(self, step):
        self.step = step

    @property
    def value(self):
        self.step()
        return self.value


def calls(step):
    step()
    return calls(step)


def sort_keys(step):
    def key(_):
        step()
        return sorted([1], key=key)

    return key(1)


def generators(step):
    step()
    yield from generators(step)


def cached(step):
    @functools.cache
    def next_one(n):
        step()
        return next_one(n + 1)

    return next_one(0)


def encoded(step):
    class Encoder(json.JSONEncoder):
        def default(self, value):
            step()
            return json.dumps(value, cls=Encoder)

    return json.dumps(object(), cls=Encoder)


def mapped(step):
    def each(_):
        step()
        return list(map(each, [1]))

    return each(1)


def finallys(step):
    def inner():
        try:
            step()
            inner()
        finally:
            step()

    inner()


@func
def funcs(step):
    defer(nothing)
    step()
    funcs(step)


@func
def recovering_funcs(step):
    defer(lambda: recover())
    step()
    recovering_funcs(step)


KINDS = {
    "calls": calls,
    "repr": lambda step: repr(Shown(step)),
    "__getattr__": lambda step: Asked(step).name,
    "sort key": sort_keys,
    "__eq__": lambda step: Compared(step) == 1,
    "__hash__": lambda step: hash(Compared(step)),
    "__init__": Made,
    "__call__": lambda step: Called(step)(),
    "property": lambda step: Computed(step).value,
    "generator": lambda step: list(generators(step)),
    "lru_cache": cached,
    "json": encoded,
    "map": mapped,
    "finally": finallys,
    "func": funcs,
    "func that recovers": recovering_funcs,
}


def steps(name):
    ch, there, back = chan(10), chan(), chan(1)

    def answer():
        for value in there:
            back.send(value)

    go(answer)

    def buffered():
        ch.send(1)
        ch.recv()

    def ping_pong():
        there.send(1)
        back.recv()

    return {
        "nothing": nothing,
        "buffered": buffered,
        "select": lambda: select(ch.recv, default),
        "go": lambda: go(nothing),
        "gosched": runtime.gosched,
        "ping-pong": ping_pong,
    }[name]


def overflows(main, *args, **config):
    with pytest.raises(FatalError) as caught:
        run(main, *args, **config)
    lines = str(caught.value).splitlines()
    assert lines[0] == "runtime: goroutine stack exceeds 1000000000-byte limit"
    assert lines[2] == "fatal error: stack overflow"
    assert lines[4].startswith("goroutine ")
    assert lines[4].endswith(" [running]:")
    assert " frames elided..." in str(caught.value)
    assert "goruntime/" not in str(caught.value).replace("tests/unit/bad_input/test_recursion.py", "")
    assert caught.value.status == 2


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("step", ["nothing", "buffered", "select"])
def test_recursion_without_end(kind, step):
    def main():
        KINDS[kind](steps(step))

    with doors(False):
        overflows(main)


@pytest.mark.parametrize("kind", ["calls", "func", "finally"])
@pytest.mark.parametrize("step", ["go", "gosched", "ping-pong"])
@pytest.mark.parametrize("count", [1, 4])
def test_recursion_in_which_every_level_switches(kind, step, count, every_way):
    def main():
        KINDS[kind](steps(step))

    overflows(main, gomaxprocs=count)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("step", ["go", "gosched", "ping-pong"])
def test_recursion_through_c_in_which_every_level_switches(kind, step):
    """Every switch copies the C stack, megabytes at the end."""

    def main():
        KINDS[kind](steps(step))

    with doors(False):
        overflows(main)


@pytest.mark.parametrize("kind", ["calls", "repr", "sort key", "generator"])
def test_in_another_goroutine(kind):
    def main():
        go(KINDS[kind], nothing)
        chan().recv()

    overflows(main)


def test_a_recursion_error_that_is_caught_is_the_users_own(every_way):
    def main():
        ch = chan(10)

        def inner():
            ch.send(1)
            ch.recv()
            inner()

        for _ in range(3):
            with pytest.raises(RecursionError):
                calls(nothing)
        assert len(ch) == 0
        return hello()

    assert run(main) == "hello"


def test_nobody_recovers_a_stack_overflow():
    def main():
        def deferred():
            log.append(recover())

        @func
        def inner():
            defer(deferred)
            calls(nothing)

        try:
            inner()
        except RecursionError:
            log.append("caught above the func")

    log = []
    overflows(main)
    assert log == []


def test_in_a_finally_of_an_abandoned_goroutine(every_way):
    def main():
        def left(kind):
            try:
                chan().recv()
            finally:
                kind(nothing)

        for kind in (calls, funcs, recovering_funcs, lambda step: repr(Shown(step))):
            go(left, kind)
        time.sleep(0.001)
        return "done"

    assert run(main) == "done"


# Primitives near the limit.


def dive(n, operation):
    return dive(n - 1, operation) if n else operation()


@functools.cache
def deepest():
    """How many frames fit below `attempt`."""

    def main():
        low, high = 0, 4000
        while high - low > 1:
            middle = (low + high) // 2
            try:
                dive(middle, nothing)
                low = middle
            except RecursionError:
                high = middle
        return low

    return run(main)


class Case:
    """One primitive: `operation` is called near the limit; `finish` completes it if it raised, and looks at the outcome."""

    def __init__(self, *channels):
        self.channels = channels

    def operation(self):
        raise NotImplementedError

    def finish(self, done, result):
        raise NotImplementedError


def meet(peers):
    """Start the peers and let them wait."""
    out = chan(len(peers) + 1)

    def start(peer):
        out.send(peer())

    for peer in peers:
        go(start, peer)
    time.sleep(0.0001)
    return out


def settled(case, result_of):
    """A case in which operation() may be repeated when it raised; result_of checks what it returned."""

    def finish(done, result):
        if not done:
            result = case.operation()
        result_of(result)

    case.finish = finish
    return case


def equal(expected):
    def check(result):
        assert result == expected

    return check


def case_of(operation, check=lambda result: None, *channels):
    case = Case(*channels)
    case.operation = operation
    return settled(case, check)


def send_to_a_receiver(count=1, in_select=False):
    ch, other = chan(), chan()
    wait = (lambda: select(ch.recv, other.recv)[1]) if in_select else ch.recv
    out = meet([wait] * count)

    def check(_):
        for value in range(1, count):
            ch.send(value)
        assert sorted(out.recv() for _ in range(count)) == list(range(count))

    return case_of(lambda: ch.send(0), check, ch, other)


def send_with_room():
    ch = chan(2)
    return case_of(lambda: ch.send(1), lambda _: equal(1)(len(ch)), ch)


def send_that_blocks(delay=0.001):
    ch, out = chan(), chan(1)

    def receive():
        if delay:
            time.sleep(delay)
        out.send(ch.recv())

    go(receive)
    return case_of(lambda: ch.send(5), lambda _: equal(5)(out.recv()), ch)


def recv_from_a_sender(size=0):
    ch = chan(size)
    for value in range(size):
        ch.send(value)
    out = meet([lambda: ch.send(size)])

    def check(result):
        assert [result, *(ch.recv() for _ in range(size))] == list(range(size + 1))
        out.recv()

    return case_of(ch.recv, check, ch)


def recv_from_the_buffer():
    ch = chan(1)
    ch.send(6)
    return case_of(ch.recv, equal(6), ch)


def recv_that_blocks(delay=0.001):
    ch = chan()

    def send():
        if delay:
            time.sleep(delay)
        ch.send(7)

    go(send)
    return case_of(ch.recv, equal(7), ch)


def recv_ok_from_a_closed_channel():
    ch = chan()
    ch.close()
    return case_of(ch.recv_, equal((None, False)), ch)


def range_over_a_buffer():
    ch = chan(2)
    ch.send(1)
    ch.close()
    case = Case(ch)
    case.operation = lambda: list(ch)
    case.finish = lambda done, result: equal([1])(result) if done else list(ch)
    return case


def close_with_waiters():
    ch = chan()
    out = meet([ch.recv_] * 3)

    def check(_):
        for _ in range(3):
            assert out.recv() == (None, False)

    return case_of(ch.close, check, ch)


def select_of_two_ready():
    a, b = chan(1), chan(1)
    a.send("a")
    b.send("b")

    def check(result):
        assert result in ((0, "a"), (1, "b"))
        assert len(a) + len(b) == 1

    return case_of(lambda: select(a.recv, b.recv), check, a, b)


def select_that_sends():
    a, b = chan(), chan()
    out = meet([a.recv])

    def check(result):
        assert result == (0, None)
        assert out.recv() == 1

    return case_of(lambda: select((a.send, 1), b.recv), check, a, b)


def select_from_a_sender():
    a, b = chan(), chan()
    out = meet([lambda: b.send(3)])

    def check(result):
        assert result == (1, 3)
        out.recv()

    return case_of(lambda: select(a.recv, b.recv), check, a, b)


def select_that_blocks():
    a, b = chan(), chan()

    def send():
        time.sleep(0.001)
        b.send(4)

    go(send)
    return case_of(lambda: select(a.recv, b.recv, (a.send, 1)), equal((1, 4)), a, b)


def select_of_one_that_blocks():
    a = chan()

    def send():
        time.sleep(0.001)
        a.send(4)

    go(send)
    return case_of(lambda: select(a.recv), equal((0, 4)), a)


def select_default():
    a = chan()
    return case_of(lambda: select(a.recv, default), equal((1, None)), a)


def go_with_others_queued(count=0):
    out = chan(count + 1)
    for _ in range(count):
        go(out.send, 1)

    def check(_):
        for _ in range(count + 1):
            out.recv()

    return case_of(lambda: go(out.send, 1), check, out)


def length():
    ch = chan(2)
    ch.send(1)
    return case_of(lambda: len(ch), equal(1), ch)


def timer_channel():
    ch = time.after(0.001)
    return case_of(ch.recv)


def func_with_defers(body, log, expected):
    def check(_):
        assert log[-len(expected) :] == expected

    return case_of(func(body), check)


def func_that_defers():
    log = []

    def body():
        defer(log.append, 1)
        defer(log.append, 2)

    return func_with_defers(body, log, [2, 1])


def func_that_recovers():
    log = []

    def deferred():
        log.append(recover())

    def body():
        defer(deferred)
        panic(3)

    return func_with_defers(body, log, [3])


def defer_after_a_func_was_struck():
    """A func that RecursionError left does not get the deferred calls of the one around it."""
    log = []

    @func
    def inner():
        pass

    def body():
        try:
            dive(DEPTH[0] - 6, inner)
        except RecursionError:
            log.append("struck")
        defer(log.append, "deferred")

    case = Case()
    case.operation = nothing
    case.finish = lambda done, result: (func(body)(), equal("deferred")(log[-1]))
    return case


def pull():
    """Twice, since a value that nobody took must not be lost."""
    next_, stop = coro.pull(["first", "second"])

    def check(result):
        assert result == ("first", True)
        assert next_() == ("second", True)
        stop()
        assert next_() == (None, False)

    return case_of(next_, check)


def stop_pulling():
    log = []

    def seq(yield_):
        yield_(1)
        log.append("ended")

    next_, stop = coro.pull(seq)
    next_()

    def check(_):
        assert log == ["ended"]
        assert next_() == (None, False)

    return case_of(stop, check)


def cancel_a_tree():
    root, cancel_root = context.with_cancel(context.background())
    ctx, cancel = context.with_cancel(root)
    child, _ = context.with_timeout(ctx, 5)
    context.after_func(child, nothing)
    out = meet([ctx.done().recv, child.done().recv])

    def check(_):
        assert (ctx.err(), child.err(), root.err()) == (context.canceled, context.canceled, None)
        assert [out.recv(), out.recv()] == [None, None]
        cancel_root()

    return case_of(cancel, check, root, ctx, child)


def derive_from_a_context():
    root, cancel = context.with_cancel(context.background())

    def check(made):
        ctx, _ = made
        cancel()
        assert ctx.err() is context.canceled

    return case_of(lambda: context.with_timeout(root, 5), check, root)


def semaphore_with_waiters():
    s = semaphore.Weighted(2)
    s.acquire(context.background(), 2)
    out = meet([lambda: s.acquire(context.background())] * 2)

    def release():
        s.release(2)

    def check(_):
        assert [out.recv(), out.recv()] == [None, None]
        assert not s.try_acquire()

    return case_of(release, check, s)


DEPTH = [0]

CASES = {
    "send": send_to_a_receiver,
    "send to two": lambda: send_to_a_receiver(2),
    "send to a select": lambda: send_to_a_receiver(in_select=True),
    "send with room": send_with_room,
    "send that blocks": send_that_blocks,
    "send that gives way": lambda: send_that_blocks(0),
    "recv": recv_from_a_sender,
    "recv, buffer full": lambda: recv_from_a_sender(2),
    "recv from the buffer": recv_from_the_buffer,
    "recv that blocks": recv_that_blocks,
    "recv that gives way": lambda: recv_that_blocks(0),
    "recv_, closed": recv_ok_from_a_closed_channel,
    "range": range_over_a_buffer,
    "close": close_with_waiters,
    "select of two": select_of_two_ready,
    "select that sends": select_that_sends,
    "select from a sender": select_from_a_sender,
    "select that blocks": select_that_blocks,
    "select of one": select_of_one_that_blocks,
    "select default": select_default,
    "go": go_with_others_queued,
    "go, somebody is next": lambda: go_with_others_queued(1),
    "go, ring full": lambda: go_with_others_queued(257),
    "len": length,
    "sleep": lambda: case_of(lambda: time.sleep(0.001)),
    "after": lambda: case_of(lambda: time.after(0.001), lambda ch: ch.recv()),
    "recv from a timer": timer_channel,
    "gosched": lambda: case_of(runtime.gosched),
    "println": lambda: case_of(lambda: println("deep")),
    "func": lambda: case_of(func(nothing)),
    "defer": func_that_defers,
    "recover": func_that_recovers,
    "defer around": defer_after_a_func_was_struck,
    "coro next": pull,
    "coro stop": stop_pulling,
    "cancel": cancel_a_tree,
    "with_timeout": derive_from_a_context,
    "semaphore": semaphore_with_waiters,
}


def consistent(case):
    for ch in case.channels:
        ch.check()
    sched = getcurrent().m.sched
    check_runq(sched)
    check_goroutines(sched)


def attempt(name, room, is_late):
    case = CASES[name]()

    def operation():
        if is_late:  # everybody else is due first, so that the primitive gives way at its safepoint
            m = getcurrent().m
            m.clock += 200_000
            m.horizon = 0
        return case.operation()

    DEPTH[0] = deepest() - room
    try:
        result = dive(DEPTH[0], operation)
        outcome = "done"
    except RecursionError:
        result = None
        outcome = "raised"
    consistent(case)
    case.finish(outcome == "done", result)
    time.sleep(0.01)
    consistent(case)
    return outcome


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize(
    ("is_checked", "is_late", "config"),
    [
        (False, False, {"gomaxprocs": 1}),
        (True, False, {"gomaxprocs": 1}),
        (False, True, {"gomaxprocs": 4}),
        (False, True, {"gomaxprocs": 2, "checksum": True}),
    ],
    ids=["one P", "one P checked", "four Ps", "two Ps with events"],
)
def test_sweep(name, is_checked, is_late, config, capfd):
    deepest()
    with doors(is_checked):
        outcomes = []
        for room in range(24):
            try:
                outcomes.append(run(attempt, name, room, is_late, **config))
            except FatalError as failure:
                assert "fatal error: stack overflow\n" in str(failure)
                outcomes.append("overflow")
    assert outcomes[-1] == "done"
    if "done" in outcomes:  # with more room it works, and goes on to work
        first = outcomes.index("done")
        assert "overflow" not in outcomes[first + 3 :] or name.startswith(("after", "select of two"))
