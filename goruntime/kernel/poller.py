"""The host's readiness poller: which file descriptors can be read or written now.

Edge-triggered, as Go's: a descriptor is registered once, for both directions, and reported when its state changes;
whoever is told tries its operation until the host says EAGAIN before it waits again. A wait is ended early by `wake`,
from any host thread.

Go: runtime/netpoll_epoll.go netpoll, netpollopen, netpollclose, netpollBreak; runtime/netpoll_kqueue.go netpoll.
Differs: no solaris, aix or windows poller: a host without epoll and kqueue has no pollable descriptors.
"""

from __future__ import annotations

import os
import select
from itertools import combinations
from typing import Any, Protocol

MAX_EVENTS = 128  # of one call
SELECTABLE = 1024  # FD_SETSIZE: select takes descriptors below

# What a descriptor can be told to be ready for, as bits.
READABLE = 1
WRITABLE = 2
BROKEN = 4  # an error, and nothing else

Ready = tuple[int, int]  # descriptor, bits


class Poller(Protocol):
    """What the kernel needs of the host."""

    def open(self, fd: int) -> None:
        """Watch a descriptor, for both directions.

        Raises: OSError if the host cannot poll it.
        """
        ...

    def close(self, fd: int) -> None:
        """Watch it no longer."""
        ...

    def wait(self, timeout: float) -> list[Ready]:
        """What has become ready, waiting at most so many seconds for the first."""
        ...

    def wake(self) -> None:
        """End the wait that goes on, or else the next one. From any host thread."""
        ...

    def shut(self) -> None:
        """Give the poller's own descriptors back."""
        ...


class EpollPoller:
    """Linux."""

    __slots__ = ("_epoll", "_event_fd", "_fd", "_is_woken", "_poll")

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._fd = self._epoll.fileno()
        try:
            self._event_fd = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        except BaseException:
            self._epoll.close()
            raise
        self._epoll.register(self._event_fd, select.EPOLLIN)
        self._is_woken = False
        self._poll = self._epoll.poll

    def open(self, fd: int) -> None:
        """Watch a descriptor, for both directions."""
        self._epoll.register(fd, select.EPOLLIN | select.EPOLLOUT | select.EPOLLRDHUP | select.EPOLLET)

    def close(self, fd: int) -> None:
        """Watch it no longer."""
        try:
            self._epoll.unregister(fd)
        except OSError:
            return  # somebody else has closed it

    def wait(self, timeout: float) -> list[Ready]:
        """What has become ready.

        epoll_wait counts milliseconds, and Python rounds up: a shorter wait is select's, on the epoll descriptor.
        """
        if 0 < timeout < 1e-3 and self._fd < SELECTABLE:
            select.select((self._fd,), (), (), timeout)
            timeout = 0
        found = self._poll(timeout, MAX_EVENTS)
        if not found:
            return found
        bits = EPOLL_BITS
        ready = [(fd, bits[mask & EPOLL_MASK]) for fd, mask in found]
        if self._is_woken:
            ready = self._without_wake_up(ready)
        return ready

    def _without_wake_up(self, ready: list[Ready]) -> list[Ready]:
        woken = (self._event_fd, READABLE)
        if woken in ready:
            ready.remove(woken)
            os.eventfd_read(self._event_fd)
            self._is_woken = False  # last: who comes in between need not ring, for this wait is over
        return ready

    def wake(self) -> None:
        """End the wait that goes on, or else the next one."""
        if not self._is_woken:
            self._is_woken = True
            os.eventfd_write(self._event_fd, 1)

    def shut(self) -> None:
        """Give the poller's own descriptors back."""
        self._epoll.close()
        os.close(self._event_fd)


def epoll_bits(mask: int) -> int:
    """What a mask of epoll's says.

    Go: runtime/netpoll_epoll.go netpoll.
    """
    bits = 0
    if mask & (select.EPOLLIN | select.EPOLLRDHUP | select.EPOLLHUP | select.EPOLLERR):
        bits |= READABLE
    if mask & (select.EPOLLOUT | select.EPOLLHUP | select.EPOLLERR):
        bits |= WRITABLE
    if mask == select.EPOLLERR:
        bits |= BROKEN
    return bits


HAS_EPOLL = hasattr(select, "epoll") and hasattr(os, "eventfd")
if HAS_EPOLL:
    EPOLL_FLAGS = (select.EPOLLIN, select.EPOLLOUT, select.EPOLLRDHUP, select.EPOLLHUP, select.EPOLLERR)
    EPOLL_MASK = sum(EPOLL_FLAGS)
    EPOLL_BITS = {mask: epoll_bits(mask) for count in range(6) for mask in map(sum, combinations(EPOLL_FLAGS, count))}


class KqueuePoller:
    """macOS and the BSDs."""

    __slots__ = ("_host", "_is_woken", "_kqueue", "_reader", "_writer")

    def __init__(self, host: Any = select) -> None:
        self._host = host
        self._kqueue = host.kqueue()
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._reader, False)
        os.set_blocking(self._writer, False)
        self._is_woken = False
        self._kqueue.control([host.kevent(self._reader, host.KQ_FILTER_READ, host.KQ_EV_ADD)], 0)

    def open(self, fd: int) -> None:
        """Watch a descriptor, for both directions."""
        host = self._host
        flags = host.KQ_EV_ADD | host.KQ_EV_CLEAR
        changes = [host.kevent(fd, kind, flags) for kind in (host.KQ_FILTER_READ, host.KQ_FILTER_WRITE)]
        self._kqueue.control(changes, 0)

    def close(self, fd: int) -> None:
        """Watch it no longer: closing the descriptor does that."""

    def wait(self, timeout: float) -> list[Ready]:
        """What has become ready."""
        host = self._host
        ready: list[Ready] = []
        for event in self._kqueue.control(None, MAX_EVENTS, timeout):
            if event.ident == self._reader:
                self._is_woken = False
                os.read(self._reader, 16)
                continue
            bits = READABLE if event.filter == host.KQ_FILTER_READ else WRITABLE
            if event.flags & host.KQ_EV_EOF:
                bits |= WRITABLE  # for a pipe without a reader some hosts report nothing else
            if event.flags & host.KQ_EV_ERROR:
                bits |= BROKEN
            ready.append((event.ident, bits))
        return ready

    def wake(self) -> None:
        """End the wait that goes on, or else the next one."""
        if not self._is_woken:
            self._is_woken = True
            os.write(self._writer, b"\0")

    def shut(self) -> None:
        """Give the poller's own descriptors back."""
        self._kqueue.close()
        os.close(self._reader)
        os.close(self._writer)


def make_poller() -> Poller:
    """The host's poller.

    Raises: OSError if the host has none, or no descriptors left for it.
    """
    if HAS_EPOLL:
        return EpollPoller()
    if hasattr(select, "kqueue"):
        return KqueuePoller()
    raise OSError("this host has neither epoll nor kqueue: no sockets and pipes under goruntime")
