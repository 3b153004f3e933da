"""kernel.poller and the part of the kernel that waits in it."""

from __future__ import annotations

import os
import select
import socket
import threading
import time as host_time
from types import SimpleNamespace

import pytest

from goruntime.kernel import poller as module
from goruntime.kernel.blocking import Doorbell
from goruntime.kernel.poller import BROKEN, READABLE, WRITABLE, EpollPoller, KqueuePoller, make_poller

from .machine import Machine

BOTH = READABLE | WRITABLE


class FakeKqueue:
    """A kqueue made of epoll: enough to drive KqueuePoller on Linux."""

    KQ_FILTER_READ, KQ_FILTER_WRITE = -1, -2
    KQ_EV_ADD, KQ_EV_CLEAR, KQ_EV_EOF, KQ_EV_ERROR = 1, 0x20, 0x8000, 0x4000

    def __init__(self):
        self.epoll = select.epoll()
        self.masks = {}

    @classmethod
    def kqueue(cls):
        return cls()

    @staticmethod
    def kevent(ident, filter, flags):
        return SimpleNamespace(ident=ident, filter=filter, flags=flags)

    def control(self, changes, _count, timeout=None):
        for change in changes or ():
            bit = select.EPOLLIN | select.EPOLLRDHUP if change.filter == self.KQ_FILTER_READ else select.EPOLLOUT
            edge = select.EPOLLET if change.flags & self.KQ_EV_CLEAR else 0
            known = self.masks.get(change.ident)
            self.masks[change.ident] = (known or 0) | bit | edge
            (self.epoll.register if known is None else self.epoll.modify)(change.ident, self.masks[change.ident])
        if changes:
            return []
        found = []
        for fd, mask in self.epoll.poll(timeout):
            eof = self.KQ_EV_EOF if mask & (select.EPOLLRDHUP | select.EPOLLHUP) else 0
            if mask & (select.EPOLLIN | select.EPOLLHUP):
                found.append(self.kevent(fd, self.KQ_FILTER_READ, eof))
            if mask & select.EPOLLOUT:
                found.append(self.kevent(fd, self.KQ_FILTER_WRITE, 0))
        return found

    def close(self):
        self.epoll.close()


@pytest.fixture(params=[EpollPoller, lambda: KqueuePoller(FakeKqueue)], ids=["epoll", "kqueue"])
def poller(request):
    made = request.param()
    yield made
    made.shut()


@pytest.fixture
def ends():
    near, far = socket.socketpair()
    near.setblocking(False)
    yield near, far
    near.close()
    far.close()


def bits_of(ready):
    """Descriptor -> all bits that were reported for it."""
    found = {}
    for fd, bits in ready:
        found[fd] = found.get(fd, 0) | bits
    return found


def test_a_change_is_reported_once(poller, ends):
    near, far = ends
    poller.open(near.fileno())
    assert bits_of(poller.wait(0)) == {near.fileno(): WRITABLE}
    assert poller.wait(0) == []
    far.send(b"x")
    assert bits_of(poller.wait(1))[near.fileno()] & READABLE
    assert poller.wait(0) == []  # though it can still be read
    far.send(b"x")
    assert bits_of(poller.wait(1))[near.fileno()] & READABLE


def test_hanging_up(poller, ends):
    near, far = ends
    poller.open(near.fileno())
    poller.wait(0)
    far.shutdown(socket.SHUT_WR)
    assert bits_of(poller.wait(1))[near.fileno()] & READABLE


def test_closing(poller, ends):
    near, far = ends
    poller.open(near.fileno())
    poller.close(near.fileno())
    near.close()
    far.close()
    assert poller.wait(0) == []
    poller.close(9_999)  # whatever it is: no error


@pytest.mark.parametrize("timeout", [0.0002, 0.003])
def test_a_wait_is_neither_too_short_nor_much_too_long(poller, timeout):
    poller.wait(timeout)
    began = host_time.monotonic()
    for _ in range(5):
        assert poller.wait(timeout) == []
    assert 5 * timeout <= host_time.monotonic() - began < 5 * timeout + 0.2


def test_waking(poller):
    poller.wake()
    poller.wake()
    began = host_time.monotonic()
    assert poller.wait(10) == []
    assert poller.wait(0.001) == []  # two calls are one wake-up
    waker = threading.Timer(0.02, poller.wake)
    waker.start()
    assert poller.wait(10) == []
    waker.join()
    assert host_time.monotonic() - began < 5


def test_a_wake_up_is_never_lost(poller):
    """Wakers and a waiter race; the waiter is told at least once after the last of them."""
    stop = []

    def waken():
        for _ in range(2_000):
            poller.wake()
        stop.append(True)

    threads = [threading.Thread(target=waken) for _ in range(2)]
    for thread in threads:
        thread.start()
    while len(stop) < 2:
        poller.wait(0.01)
    for thread in threads:
        thread.join()
    poller.wait(0)
    began = host_time.monotonic()
    poller.wake()
    assert poller.wait(10) == []
    assert host_time.monotonic() - began < 5


def test_what_the_host_cannot_poll(tmp_path):
    poller = EpollPoller()
    with open(tmp_path / "file", "w") as file, pytest.raises(OSError, match="not permitted"):
        poller.open(file.fileno())
    poller.shut()


@pytest.mark.parametrize(
    ("mask", "bits"),
    [
        (select.EPOLLIN, READABLE), (select.EPOLLOUT, WRITABLE), (select.EPOLLIN | select.EPOLLOUT, BOTH),
        (select.EPOLLRDHUP, READABLE), (select.EPOLLHUP, BOTH), (select.EPOLLERR, BOTH | BROKEN),
        (select.EPOLLERR | select.EPOLLOUT, BOTH),
    ],
)  # fmt: skip
def test_what_a_mask_says(mask, bits):
    assert module.epoll_bits(mask) == module.EPOLL_BITS[mask] == bits


def test_a_host_without_a_poller(monkeypatch):
    monkeypatch.setattr(module, "HAS_EPOLL", False)
    with pytest.raises(OSError, match="neither epoll nor kqueue"):
        make_poller()
    monkeypatch.setattr(module.select, "kqueue", FakeKqueue.kqueue, raising=False)
    monkeypatch.setattr(module, "KqueuePoller", lambda: "kqueue")
    assert make_poller() == "kqueue"


def test_no_descriptor_for_the_poller(monkeypatch):
    def fail(*_):
        raise OSError(24, "")

    before = len(os.listdir("/proc/self/fd"))
    monkeypatch.setattr(os, "eventfd", fail)
    with pytest.raises(OSError, match="24"):
        EpollPoller()
    assert len(os.listdir("/proc/self/fd")) == before


def test_the_doorbell_rings_in_the_poller():
    doorbell, poller = Doorbell(), EpollPoller()
    doorbell.ring_in(poller)
    doorbell.set()
    assert doorbell.is_set()
    assert doorbell.wait(0)
    began = host_time.monotonic()
    poller.wait(10)
    assert host_time.monotonic() - began < 5
    doorbell.ring_in(None)
    poller.shut()
    doorbell.set()
    doorbell.clear()
    assert not doorbell.is_set()


# ---- the kernel ----


def polling(ends, *bodies, until_ns=10**9):
    """Run a machine in which thread 0 has opened ends[0] and then does bodies[0], and the others theirs."""
    machine = Machine()
    kernel = machine.kernel
    near = ends[0].fileno()

    def first(worker):
        kernel.open_polled(worker, near, "network")
        bodies[0](worker)
        kernel.close_polled(near)

    threads = [machine.thread(body) for body in (first, *bodies[1:])]
    machine.run(until_ns)
    kernel.close()
    return machine, threads


def test_a_thread_that_polls_is_due_when_the_host_reports(ends):
    near, far = ends

    found = []

    def keep(worker):
        kernel = worker.kernel
        ready = kernel.await_poll(worker, None)
        far.send(b"x")
        ready += kernel.await_poll(worker, None)
        began = host_time.monotonic_ns(), worker.clock
        assert kernel.await_poll(worker, 20_000_000) == []
        found.append((ready, host_time.monotonic_ns() - began[0], worker.clock - began[1]))

    machine, _ = polling(ends, keep, until_ns=50_000_000)
    ((ready, real_ns, virtual_ns),) = found
    assert bits_of(ready) == {near.fileno(): BOTH}
    assert real_ns >= 20_000_000
    assert virtual_ns >= 20_000_000
    assert machine.kernel.open_reasons == ["network"]


def test_time_is_paced_until_the_last_one_is_closed(ends):
    took = []

    def sleep(worker):
        for _ in range(2):
            began = host_time.monotonic()
            worker.kernel.sleep(worker, 10_000_000)
            took.append(host_time.monotonic() - began)
            if worker.kernel.polled_count:
                worker.kernel.close_polled(ends[0].fileno())
        worker.kernel.open_polled(worker, ends[0].fileno(), "network")

    polling(ends, sleep, until_ns=60_000_000)
    assert took[0] >= 0.01
    assert took[1] < 0.01


def test_the_host_is_asked_while_others_run(ends):
    """A thread that polls is due soon after the report, though another one never blocks."""
    _, far = ends
    woken = []

    def poll(worker):
        worker.kernel.await_poll(worker, None)
        worker.kernel.await_poll(worker, None)
        woken.append(worker.clock)

    def compute(worker):
        sent = 0
        while not woken:
            worker.step(10_000)
            if not sent and worker.clock > 5_000_000:
                sent = worker.clock
                far.send(b"x")
        woken.append(sent)

    polling(ends, poll, compute)
    assert 0 <= woken[0] - woken[1] < 50_000_000


def test_what_was_reported_for_a_closed_descriptor_is_forgotten(ends):
    def poll(worker):
        kernel = worker.kernel
        kernel.polled = [(ends[0].fileno(), READABLE), (12345, READABLE)]
        kernel.close_polled(ends[0].fileno())
        assert kernel.poll() == [(12345, READABLE)]
        kernel.open_polled(worker, ends[0].fileno(), "network")

    polling(ends, poll)


def test_opening_what_cannot_be_polled_changes_nothing(tmp_path):
    machine = Machine()

    def body(worker):
        with open(tmp_path / "file", "w") as file, pytest.raises(PermissionError):
            machine.kernel.open_polled(worker, file.fileno(), "pipe")

    machine.thread(body)
    machine.run()
    assert not machine.kernel.is_paced
    assert not machine.kernel.open_reasons
    machine.kernel.close()
