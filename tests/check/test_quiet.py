"""Which segments of plain Python are taken without asking: those that can be seen to touch nothing shared."""

from __future__ import annotations

import pytest

from goruntime import atomic, chan, default, go, run, runtime, select, sync, time
from goruntime.check import explore
from goruntime.check.quiet import Quiet

# The statements between two operations, `ch.send(1)` and `ch.recv()`, in a goroutine whose parameters are ch, other
# (channels), n (an integer), shared (an object with attributes) and items (a list).
QUIET = [
    "pass",
    "x = 1",
    "x = n",
    "x = n; y = x",
    "x = (n, ch)",
    "x = [n, 1]",
    "while True: break",
    "x = lambda: n",
]
LOUD = [
    "shared.cell = 1",
    "x = shared.cell",
    "x = items[0]",
    "items.append(1)",
    "x = n + n",
    "x = -n",
    "x = len(items)",
    "x = str(n)",
    "x = {n}",
    "x = {n: n}",
    "x, y = items",
    "del shared.cell",
    "if n: pass",
    "assert n",
    "for x in items: pass",
    "x = f'{n}'",
    "x = unknown",
    "x = GLOBAL",
    "global GLOBAL; GLOBAL = 1",
    "import os",
    "print(n)",
    "plain()",
    "x = ch.size",
    "try:\n        x = n\n    finally:\n        shared.cell = 1",
]
HEADER = """
GLOBAL = [0]
def plain(): pass
"""


def held_at(body: str, ends: str = "ch.recv()") -> bool:
    """Is the segment after a send quiet?"""
    names: dict = {"__name__": "made_for_this_test", "go": go, "select": select, "default": default, "time": time}
    names["runtime"] = runtime
    text = f"{HEADER}\ndef work(ch, other, n, shared, items):\n    ch.send(1)\n    {body}\n    {ends}\n"
    exec(text, names)
    return asked(names["work"])


class Shared:
    cell = 0


def asked(work) -> bool:
    answers = []

    class Asking(Quiet):
        def is_quiet(self, gp, frame):
            answer = Quiet.is_quiet(self, gp, frame)
            if gp.goid != 1 and not answers:
                answers.append(answer)
            return answer

    def main():
        ch, other = chan(5), chan(5)
        other.send(1)
        go(work, ch, other, 3, Shared(), [1, 2])
        runtime.gosched()

    from goruntime.base.config import make_config
    from goruntime.check.report import Report
    from goruntime.check.runner import Exploration
    from goruntime.check.strategy import make_strategy

    exploration = Exploration(
        main, (), make_config({}, 4), make_strategy("dfs", 0, None), Report("dfs", 0), max_steps=1_000, leaks=True
    )
    exploration.controller.quiet = Asking()
    exploration.run(50, stop_on_failure=False, output=False)
    assert answers, "the segment was never run"
    return answers[0]


@pytest.mark.parametrize("body", QUIET)
def test_quiet(body):
    assert held_at(body)


@pytest.mark.parametrize("body", LOUD)
def test_loud(body):
    assert not held_at(body)


@pytest.mark.parametrize(
    "ends",
    [
        "ch.recv()",
        "ch.recv_()",
        "x = ch.recv()",
        "ch.send(n)",
        "ch.send((n, 1))",
        "ch.close()",
        "other.recv()",
        "select(ch.recv, other.recv)",
        "select((ch.send, n), other.recv_, default)",
        "runtime.gosched()",
        "time.sleep(1)",
        "time.sleep(n)",
        "go(plain)",
        "go(plain, n, ch)",
        "for i in range(3): ch.recv()",
        "for i in range(n): ch.send(i)",
        "for x in other: ch.send(x)",
        "while True: ch.recv()",
        "return",
        "return n",
        "pass",
    ],
)
def test_what_a_quiet_segment_may_end_in(ends):
    assert held_at("pass", ends)


@pytest.mark.parametrize(
    "ends",
    [
        "ch.send(shared.cell)",
        "ch.send(n + 1)",
        "ch.send(items[0])",
        "shared.ch.recv()",
        "items[0].recv()",
        "select(shared.ch.recv)",
        "plain()",
        "return shared.cell",
        "raise ValueError",
        "for i in range(items[0]): ch.recv()",
        "for x in items: ch.recv()",
        "while n: ch.recv()",
        "time.now()",
        "time.after(1)",
        "go(shared.method)",
        "with shared: ch.recv()",
        "yield_from = [ch.recv() for _ in items]",
    ],
)
def test_what_it_may_not_end_in(ends):
    assert not held_at("pass", ends)


@pytest.mark.parametrize(
    "first",
    [
        "items.extend(other)",  # receives once more, and then changes what is shared
        "items.extend(map(other.send, [1]))",
        "x = sorted([1], key=lambda i: other.recv())",
        "x = [other.recv() for _ in items]",
        "items.append(other.recv())",
        "shared.cell = other.recv()",
        "x = other.recv() + shared.cell",
        "for a, b in zip(other, items): break",
    ],
)
def test_what_is_done_with_the_result(first):
    names: dict = {"__name__": "made_for_this_test"}
    text = f"def work(ch, other, n, shared, items):\n    {first}\n    ch.recv()\n"
    exec(text, names)
    assert not asked(names["work"])


def test_a_variable_of_an_enclosing_function():
    def once(ch, other, n, shared, items):
        inner = other

        def nested(ch):
            ch.send(1)
            inner.recv()

        nested(ch)

    def twice(ch, other, n, shared, items):
        inner = other

        def nested(ch):
            ch.send(1)
            inner.recv()

        nested(ch)
        inner = ch

    def in_a_loop(ch, other, n, shared, items):
        while n:
            inner = other

            def nested(ch):
                ch.send(1)
                inner.recv()  # noqa: B023  that is the point

            nested(ch)
            n = 0

    def rebound_inside(ch, other, n, shared, items):
        inner = other

        def nested(ch):
            nonlocal inner
            ch.send(1)
            inner.recv()
            inner = ch

        nested(ch)

    assert [asked(work) for work in (once, twice, in_a_loop, rebound_inside)] == [True, False, False, False]


class Wrapped:
    """Looks like a channel, is none."""

    def __init__(self, ch):
        self.ch = ch

    def recv(self):
        seen.append(1)
        return self.ch.recv()


seen: list[int] = []


def test_what_only_looks_like_a_channel():
    def work(ch, other, n, shared, items):
        wrapped = Wrapped(ch)
        other.recv()
        wrapped.recv()

    assert not asked(work)

    def given(ch, other, n, shared, items):
        uses(other, Wrapped(ch))

    def uses(other, wrapped):
        other.recv()
        wrapped.recv()

    assert not asked(given)


def test_a_builtin_of_ours_that_was_rebound():
    names: dict = {"__name__": "made_for_this_test", "go": print}
    exec("def work(ch, other, n, shared, items):\n    ch.send(1)\n    go(n)\n", names)
    assert not asked(names["work"])


def test_it_is_worth_it():
    def worker(ch, done):
        for _ in range(3):
            ch.send(1)
            ch.recv()
        done.send(None)

    def main():
        ch, done = chan(1), chan()
        go(worker, ch, done)
        go(worker, ch, done)
        done.recv()
        done.recv()

    report = explore(main, "dfs", 20_000)
    assert report.verdict == "proved"
    assert report.schedules < 1_000
    assert run(main) is None


# ---- package sync and package atomic ----

MAKE = "mu, rw, wg = sync.Mutex(), sync.RWMutex(), sync.WaitGroup(); n = atomic.Int64(); cond = sync.Cond(mu)"


def sync_asked(text: str) -> bool:
    """Is the first segment after the first operation in text quiet?"""
    names: dict = {"__name__": "made_for_this_test", "sync": sync, "atomic": atomic, "GLOBAL": [0]}
    lines = "".join(f"    {line}\n" for line in (MAKE, *text.split("\n")))
    exec(f"def work(ch, other, _, shared, items):\n{lines}", names)
    return asked(names["work"])


@pytest.mark.parametrize(
    "text",
    [
        "mu.lock()\nmu.unlock()",
        "mu.try_lock()\nn.add(1)",
        "rw.rlock()\nrw.runlock()",
        "x = n.load()\nn.store(x)",
        "n.compare_and_swap(0, 1)\nn.swap(2)",
        "wg.add(1)\nwg.done()",
        "wg.add(1)\nwg.go(print)",
        "mu.lock()\ncond.signal()",
        "mu.lock()\ncond.wait()",
        "with mu:\n        n.add(1)",
        "with mu:\n        pass",
        "with rw:\n        wg.wait()",
        "n.load()\nwith mu: pass",
        "n.load()\nwith rw: n.load()",
    ],
)
def test_quiet_between_operations_of_sync(text):
    assert sync_asked(text)


@pytest.mark.parametrize(
    "text",
    [
        "mu.lock()\nshared.cell = 1",
        "with mu:\n        shared.cell = 1",
        "with mu: GLOBAL[0] = 1",
        "n.load()\nwith shared: pass",
        "n.load()\nshared.mu.lock()",
        "x = n.load()\nn.store(x + 1)",
        "n.load()\nitems.append(1)",
        "n.load()\nsync.Once().do(print)",
        "sync.Once().do(lambda: shared.method())",  # the function comes after the operation
        "m = sync.Map()\nm.store(1, 1)\nm.range(lambda k, v: None)",
        "m = sync.Map()\nm.range(lambda k, v: None)\nn.load()",
        "p = sync.Pool(dict)\np.get()\nn.load()",
        "items = {mu}\nn.load()\nitems.add(n)",
    ],
)
def test_not_quiet_between_operations_of_sync(text):
    assert not sync_asked(text)


class Locker:
    """A lock of the user's, whose code touches what it likes."""

    def __init__(self, shared):
        self.shared = shared

    def lock(self):
        self.shared.cell += 1

    def unlock(self):
        self.shared.cell += 1


def test_a_condition_on_a_lock_of_the_users():
    """After the operations that `wait` consists of comes the lock's code, not what follows the call."""

    def main():
        cond = sync.Cond(Locker(Shared()))
        go(cond.signal)
        cond.wait()

    answers = []
    quiet = Quiet.is_quiet

    def note(self, gp, frame):
        answer = quiet(self, gp, frame)
        while frame is not None:
            if frame.f_code is sync.Cond.wait.__code__:
                answers.append(answer)
            frame = frame.f_back
        return answer

    Quiet.is_quiet = note
    try:
        explore(main, strategy="dfs", schedules=20)
    finally:
        Quiet.is_quiet = quiet
    assert answers
    assert not any(answers)


def test_a_task_of_a_group_begins_and_ends_quietly():
    def task(mu):
        with mu:
            pass

    def main():
        mu, wg = sync.Mutex(), sync.WaitGroup()
        wg.go(task, mu)
        wg.go(task, mu)
        wg.wait()

    report = explore(main, strategy="dfs")
    assert report.verdict == "proved"
    assert report.schedules < 30
