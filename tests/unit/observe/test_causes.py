"""Every start of a goroutine has its cause in the events: a reader that knows only them rebuilds all run queues."""

import re
from pathlib import Path

import pytest

from goruntime import chan, coro, default, go, run, runtime, select, syscall, time
from goruntime.base.errors import Deadlock
from goruntime.base.events import as_record

from .queues import Queues

LEGEND = Path(__file__).resolve().parents[3] / "docs" / "tracing.md"


def ping_pong():
    there, back = chan(), chan()

    def answer():
        for v in there:
            back.send(v + 1)

    go(answer)
    for v in range(50):
        there.send(v)
        assert back.recv() == v + 1
    there.close()


def overflowing_ring():
    out = chan()
    for v in range(400):
        go(out.send, v)
    assert sorted(out.recv() for _ in range(400)) == list(range(400))


def workers():
    jobs, results = chan(4), chan()

    def worker():
        total = 0
        for v in jobs:
            total += v
        results.send(total)

    for _ in range(6):
        go(worker)
    for v in range(200):
        jobs.send(v)
    jobs.close()
    assert sum(results.recv() for _ in range(6)) == sum(range(200))


def selects():
    left, right, stop = chan(), chan(2), chan()

    def feed(ch):
        while select((ch.send, 1), stop.recv)[0] == 0:
            pass

    go(feed, left)
    go(feed, right)
    for _ in range(100):
        select(left.recv, right.recv, default)
        select(left.recv_, right.recv_)
    stop.close()


def coroutines():
    done = chan()

    def puller(n):
        next_, stop = coro.pull(range(n))
        while next_()[1] and n % 3:
            runtime.gosched()
        stop()
        done.send(None)

    for n in range(20):
        go(puller, n)
    for _ in range(20):
        done.recv()


def tree():
    out = chan()

    def node(depth):
        if depth:
            go(node, depth - 1)
            go(node, depth - 1)
        else:
            out.send(depth)

    go(node, 6)
    for _ in range(64):
        out.recv()


def deadlock():
    ch = chan()
    for _ in range(3):
        go(ch.recv)
    ch.recv()


def sleepers():
    done = chan()

    def sleep(milliseconds):
        time.sleep(milliseconds * time.millisecond)
        runtime.work(300 * time.microsecond)
        done.send(milliseconds)

    for milliseconds in (3, 1, 2, 1, 3, 1, 1):
        go(sleep, milliseconds)
    time.after_func(2 * time.millisecond, lambda: go(done.send, 0))
    for _ in range(8):
        done.recv()


def yielders():
    done = chan()

    def work():
        for _ in range(10):
            runtime.gosched()
        runtime.work(25 * time.millisecond)
        done.send(None)

    for _ in range(5):
        go(work)
    for _ in range(5):
        done.recv()


def locked():
    there, back = chan(), chan()

    def answer():
        runtime.lock_os_thread()
        for v in there:
            back.send(v)

    go(answer)
    for v in range(5):
        there.send(v)
        back.recv()
        runtime.gosched()


def callers():
    done = chan()

    def call():
        for _ in range(3):
            syscall(abs, -1)
            runtime.work(40 * time.microsecond)
        done.send(None)

    for _ in range(6):
        go(call)
    for _ in range(6):
        done.recv()


def resizing():
    done = chan()
    for v in range(300):
        go(done.send, v)
    for count in (2, 6, 1, 3):
        runtime.gomaxprocs(count)
        runtime.gosched()
    for _ in range(300):
        done.recv()


PROGRAMS = (
    ping_pong,
    overflowing_ring,
    workers,
    selects,
    coroutines,
    tree,
    deadlock,
    sleepers,
    yielders,
    locked,
    callers,
    resizing,
)


def events_of(program, **config):
    events = []
    try:
        run(program, events=events, **config)
    except Deadlock:
        assert program is deadlock
    return [as_record(event) for event in events]


def explain(records, gomaxprocs=4):
    queues = Queues(gomaxprocs)
    queues.read(records)
    queues.check_is_over()
    return queues


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("gomaxprocs", [1, 4])
@pytest.mark.parametrize("program", PROGRAMS)
def test_the_events_explain_every_start(program, gomaxprocs, seed):
    records = events_of(program, gomaxprocs=gomaxprocs, seed=seed, quantum=0 if seed else 5e-6)
    assert explain(records, gomaxprocs).started >= 4


def test_the_programs_show_every_cause():
    seen = set()
    for program in PROGRAMS:
        for gomaxprocs in (1, 4):
            seen |= explain(events_of(program, gomaxprocs=gomaxprocs), gomaxprocs).seen
    documented = LEGEND.read_text(encoding="utf-8")
    for queue, why in seen:
        assert re.search(rf"^\| `.*{queue}.*` \| .*`{why}`.* \|", documented, re.MULTILINE), (queue, why)
    assert {queue for queue, _ in seen} == {"runnext", "ring", "global", "direct"}
    assert {"every 61st slice", "local queue is empty", "stolen", "timer of another P", "locked to this thread"} <= {
        why for _, why in seen
    }


@pytest.mark.parametrize("gomaxprocs", [1, 4])
def test_time_never_runs_backwards_on_a_thread_or_in_a_goroutine(gomaxprocs):
    for program in PROGRAMS:
        clocks = {}
        for record in events_of(program, gomaxprocs=gomaxprocs):
            for who in (("m", record["m"]), ("g", record["g"])):
                if who[1] >= 0:
                    assert record["ns"] >= clocks.get(who, 0), record
                    clocks[who] = record["ns"]


def test_a_reader_of_lies_notices():
    """The model is no rubber stamp: events that leave something out, or say it wrong, are not explained."""
    records = events_of(overflowing_ring, gomaxprocs=4)
    for kind in ("go_create", "go_ready", "go_park", "go_start", "proc_steal"):
        without = [record for record in records if record["event"] != kind]
        with pytest.raises((AssertionError, KeyError, IndexError)):
            explain(without)
    wrong = [{**record, "queue": "ring"} if record["event"] == "go_start" else record for record in records]
    with pytest.raises((AssertionError, IndexError)):
        explain(wrong)
