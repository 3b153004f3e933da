"""Several runs: objects that belong to another one, a run inside a run, runs in many threads at once, deep runs."""

import gc
import re
import sys
import threading
from pathlib import Path

import pytest
from greenlet import greenlet

from goruntime import Deadlock, GoPanic, chan, default, go, nilchan, run, select

THIS = re.escape(str(Path(__file__)))
OPERATIONS = {
    "send": lambda ch: ch.send(1),
    "recv": lambda ch: ch.recv(),
    "recv_": lambda ch: ch.recv_(),
    "close": lambda ch: ch.close(),
    "select recv": lambda ch: select(ch.recv, default),
    "select recv_": lambda ch: select(ch.recv_, default),
    "select send": lambda ch: select((ch.send, 1), default),
    "range": lambda ch: list(ch),
}
every_operation = pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)


@every_operation
def test_a_channel_made_outside_belongs_to_the_first_run(operation):
    ch = chan(3)
    line = sys._getframe().f_lineno - 1

    def main():
        ch.send(1)

    run(main)
    with pytest.raises(
        GoPanic, match=rf"panic: RuntimeError: <chan 1/3>, made at {THIS}:{line}, belongs to another run"
    ):
        run(operation, ch)
    assert ch.buf[0] == 1
    ch.check()


@every_operation
def test_a_channel_made_in_another_run(operation):
    ch = run(chan, 1)
    with pytest.raises(GoPanic, match=r"RuntimeError: <chan 0/1> belongs to another run: make it inside main, or make"):
        run(operation, ch)


@pytest.mark.parametrize("case", [nilchan.recv, nilchan.recv_, (nilchan.send, 1)], ids=["recv", "recv_", "send"])
def test_nilchan_belongs_to_no_run(case):
    for _ in range(2):
        assert run(select, case, default) == (1, None)
        with pytest.raises(Deadlock):
            run(select, case)
    assert nilchan.sched is None


@pytest.mark.parametrize("block", [nilchan.recv, nilchan.recv_, list], ids=["recv", "recv_", "range"])
def test_nilchan_blocks_in_every_run(block):
    for _ in range(2):
        with pytest.raises(Deadlock, match="chan receive \\(nil chan\\)"):
            run(lambda: block(nilchan) if block is list else block())


def test_two_runs_at_once_share_a_channel():
    ch = chan(1000)
    both = threading.Barrier(2)
    endings = []

    def main():
        both.wait()
        for _ in range(100):
            ch.send(1)

    def thread():
        try:
            run(main)
            endings.append("fine")
        except GoPanic as error:
            endings.append(str(error).partition(",")[0])

    threads = [threading.Thread(target=thread) for _ in range(2)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert "fine" in endings
    assert all(ending == "fine" or ending.startswith("panic: RuntimeError: <chan") for ending in endings)


def test_a_run_inside_a_run():
    def main():
        with pytest.raises(RuntimeError, match="^run inside a run: one program runs at a time in a thread"):
            run(print)
        with pytest.raises(RuntimeError, match="^run inside a run"):
            greenlet(lambda: run(print)).switch()
        ch = chan(1)
        ch.send("still runs")
        return ch.recv()

    assert run(main) == "still runs"


def test_a_run_in_another_thread_during_a_run():
    def main():
        values = []
        thread = threading.Thread(target=lambda: values.append(run(lambda: 7)))
        thread.start()
        thread.join()
        return values

    assert run(main) == [7]


def test_runs_in_eight_threads_at_once():
    def main(number):
        ch = chan()
        for value in range(50):
            go(ch.send, value)
        return sum(ch.recv() for _ in range(50)) + number

    before = sys.getrecursionlimit(), gc.isenabled()
    results = []
    threads = [threading.Thread(target=lambda n=n: results.append(run(main, n))) for n in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sorted(results) == [1225 + number for number in range(8)]
    assert (sys.getrecursionlimit(), gc.isenabled()) == before


def test_one_thread_ends_its_run_while_another_recurses():
    """What a run raises for the process, the recursion limit, stays until the last run ends."""
    started, finished = threading.Event(), threading.Event()
    depths = []

    def deep(n):
        return deep(n - 1) + 1 if n else 0

    def long():
        started.set()
        finished.wait(5)
        depths.append(deep(1200))
        assert not gc.isenabled()

    def short():
        assert started.wait(5)
        finished.set()

    limit = sys.getrecursionlimit()
    thread = threading.Thread(target=run, args=(short,))
    thread.start()
    run(long)
    thread.join()
    assert depths == [1200]
    assert sys.getrecursionlimit() == limit


def test_runs_in_greenlets_of_one_thread():
    def main(number):
        ch = chan(1)
        ch.send(number)
        return ch.recv()

    greenlets = [greenlet(lambda n=n: run(main, n)) for n in range(3)]
    assert [each.switch() for each in greenlets] == [0, 1, 2]


def dive(n, operation):
    return dive(n - 1, operation) if n else operation()


def deepest():
    low, high = 0, sys.getrecursionlimit()
    while high - low > 1:
        middle = (low + high) // 2
        try:
            dive(middle, int)
            low = middle
        except RecursionError:
            high = middle
    return low


def talk():
    ch = chan()
    go(ch.send, 1)
    return ch.recv()


@pytest.mark.parametrize("limit", [None, 3000], ids=["the usual limit", "no room to raise it"])
def test_run_at_the_bottom_of_a_recursion(limit):
    """It runs if there is room for it to begin and to end, else it raises RecursionError and has done nothing."""
    before = sys.getrecursionlimit()
    try:
        if limit:
            sys.setrecursionlimit(limit)
        bottom = deepest()
        endings = set()
        for room in [*range(12), *range(90, 115, 2), 200]:
            try:
                endings.add(dive(bottom - room, lambda: run(talk)))
            except RecursionError:
                endings.add("RecursionError")
            assert run(talk) == 1
            assert gc.isenabled()
        assert endings == {1, "RecursionError"}
    finally:
        sys.setrecursionlimit(before)


def test_the_first_run_of_a_thread_deep_down_leaves_room_for_later_ones():
    results = []

    def body():
        bottom = deepest()
        results.append(dive(bottom - 20, lambda: run(talk)))
        results.append(run(dive, 900, talk))

    thread = threading.Thread(target=body)
    thread.start()
    thread.join()
    assert results == [1, 1]
