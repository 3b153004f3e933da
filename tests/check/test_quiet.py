"""Which segments of plain Python are taken without asking: those that can be seen to touch nothing shared."""

from __future__ import annotations

import pytest

from goruntime import chan, default, go, run, runtime, select, time
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
