"""Random programs over connections and pipes: every byte arrives once and in order, whatever else happens to them.

A program is drawn: pairs of ends, and goroutines that write numbered bytes, read, move deadlines and close. The model
of a connection is a string. The invariants of the poller and of every descriptor are checked while it runs.
"""

from __future__ import annotations

import random

import pytest

from goruntime import os, run, runtime, sync, time
from goruntime.internal.poll import FD
from goruntime.sched.netpoll import check_netpoll
from goruntime.sched.proc import check_goroutines
from goruntime.sched.runq import check_runq
from goruntime.sched.timers import check_timer_heap
from tests.unit.packages.sockets import fd_count, pair
from tests.unit.sched.world import sched_here

SEEDS = 30


class Stream:
    """One direction of a connection: who writes, who reads, and what was written and read so far."""

    def __init__(self, writer, reader):
        self.writer = writer
        self.reader = reader
        self.written = bytearray()
        self.read = bytearray()

    def check(self):
        assert bytes(self.written).startswith(bytes(self.read)), (len(self.written), len(self.read))


class World:
    """What one program has open."""

    def __init__(self, draw):
        self.draw = draw
        self.streams = []
        for _ in range(draw.randint(1, 3)):
            if draw.random() < 0.5:
                reader, writer = os.pipe()
                self.streams.append(Stream(writer, reader))
            else:
                near, far = pair()
                self.streams += Stream(near, far), Stream(far, near)

    def fds(self):
        """Every descriptor that is open."""
        ends = {id(end): end for stream in self.streams for end in (stream.writer, stream.reader)}
        return [end._fd for end in ends.values() if isinstance(getattr(end, "_fd", None), FD)]

    def check(self):
        sched = sched_here()
        check_netpoll(sched)
        check_runq(sched)
        check_goroutines(sched)
        for pp in sched.allp:
            check_timer_heap(pp)
        for fd in self.fds():
            fd.check()
        for stream in self.streams:
            stream.check()

    def write(self, stream, count, size):
        """Writers of one stream take turns, so that the model knows the order."""
        for _ in range(count):
            data = bytes((len(stream.written) + i) % 251 for i in range(size))
            stream.written += data  # first: it may have arrived before write comes back
            try:
                stream.writer.write(data)
            except OSError as error:
                kept = len(stream.written) - len(data) + error.written
                del stream.written[max(kept, len(stream.read)) :]
                if not isinstance(error, TimeoutError):
                    return
                swallow(stream.writer.set_write_deadline, None)
            self.check()

    def read_all(self, stream, size):
        while True:
            try:
                data = stream.reader.read(size)
            except TimeoutError:
                swallow(stream.reader.set_read_deadline, None)  # it may be closed by now
                continue
            except OSError:
                return
            if not data:
                return
            stream.read += data
            self.check()

    def disturb(self, stream, steps):
        for step in steps:
            try:
                if step < 0.3:
                    stream.reader.set_read_deadline(time.now() + step * 1e-3)
                elif step < 0.5:
                    stream.writer.set_write_deadline(time.now() + (step - 0.3) * 1e-3)
                elif step < 0.7:
                    stream.reader.set_read_deadline(time.now() - 1)
                elif step < 0.85:
                    time.sleep(step * 1e-3)
                else:
                    runtime.gosched()
            except OSError:
                return
            self.check()


def program(seed, closes_early):
    draw = random.Random(seed)
    world = World(draw)
    group = sync.WaitGroup()
    writers = sync.WaitGroup()
    for stream in world.streams:
        writers.go(world.write, stream, draw.randint(1, 10), draw.choice([1, 10, 1_000, 100_000]))
        group.go(world.read_all, stream, draw.choice([1_000, 4_096, 1 << 17]))
        group.go(world.disturb, stream, [draw.random() for _ in range(draw.randint(0, 20))])
    if closes_early:
        time.sleep(draw.random() * 2e-3)
    else:
        writers.wait()
    ends = {id(end): end for stream in world.streams for end in (stream.writer, stream.reader)}
    for end in ends.values() if closes_early else [stream.writer for stream in world.streams]:
        try:
            (end.close if closes_early or not hasattr(end, "close_write") else end.close_write)()
        except OSError as error:
            assert "closed" in str(error) or "not connected" in str(error)
        world.check()
    writers.wait()
    group.wait()
    world.check()
    for end in ends.values():
        group.go(swallow, end.close)
    group.wait()
    world.check()
    sched = sched_here()
    assert (sched.netpoll_waiters, len(sched.poll_descs)) == (0, 0)
    assert not any(len(pp.timers) - pp.zombies for pp in sched.allp)
    while runtime.num_goroutine() > 1:  # who has called done is about to end
        runtime.gosched()
    return [(len(stream.written), len(stream.read)) for stream in world.streams]


def swallow(call, *args):
    try:
        call(*args)
    except OSError:
        return


@pytest.mark.sim
@pytest.mark.slow
@pytest.mark.parametrize("gomaxprocs", [1, 2, 4])
@pytest.mark.parametrize("closes_early", [False, True])
def test_every_byte_arrives_once_and_in_order(gomaxprocs, closes_early, sim_seed):
    before = fd_count()
    for seed in range(sim_seed, sim_seed + SEEDS):
        counts = run(program, seed, closes_early, gomaxprocs=gomaxprocs, seed=seed, max_time=20)
        if not closes_early:
            assert all(written == read for written, read in counts), (seed, counts)
        assert fd_count() == before
