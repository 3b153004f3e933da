"""The poller: where one idle thread sleeps until the next timer, or until I/O is ready.

There is no file descriptor to wait for yet, so what is left is the sleep itself, with the granularity that epoll_wait
has: whole milliseconds, at least one.

Go: runtime/netpoll_epoll.go netpoll, netpollBreak.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..base.events import THREAD_WAKE
from ..kernel import costs

if TYPE_CHECKING:
    from .g import G
    from .m import M

MILLISECOND = 1_000_000
LONGEST_WAIT = 1_000_000_000 * MILLISECOND  # epoll_wait takes at most so much


def poll_timeout_ns(delay_ns: int) -> int:
    """How long epoll_wait really sleeps when asked to for delay_ns > 0.

    Go: runtime/netpoll_epoll.go netpoll.
    """
    if delay_ns < MILLISECOND:
        return MILLISECOND
    if delay_ns < 1_000_000_000_000_000:
        return delay_ns // MILLISECOND * MILLISECOND
    return LONGEST_WAIT


def netpoll_block(m: M, until_ns: int) -> list[G]:
    """Sleep in the poller until an instant (0: until broken); returns the goroutines whose I/O is ready.

    Caller: m has no P and is the only thread in the poller.
    """
    sched = m.sched
    sched.lastpoll_ns = 0
    sched.poll_until_ns = until_ns
    sched.poller = m
    m.blocked = True
    m.clock += costs.NETPOLL
    if until_ns == 0:
        sched.kernel.futex_sleep(m)
    elif until_ns > m.clock:
        sched.kernel.sleep(m, poll_timeout_ns(until_ns - m.clock) + costs.EPOLL_OVERSLEEP)
    m.blocked = False
    sched.poller = None
    sched.poll_until_ns = 0
    sched.lastpoll_ns = m.clock or 1
    return []


def netpoll_break(m: M) -> None:
    """Wake the thread that sleeps in the poller.

    Go: runtime/netpoll_epoll.go netpollBreak.
    """
    sleeper = m.sched.poller
    if sleeper is not None:
        if m.watch is not None:
            m.emit(THREAD_WAKE, sleeper.id, "poller")
        m.sched.poller = None  # one wake-up is enough, however many ask
        m.sched.kernel.futex_wake(m, sleeper)
