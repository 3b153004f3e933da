"""The network poller: goroutines that wait for I/O, and the one idle thread that waits for them.

Problem. A goroutine that waits for a socket must cost no thread, and whoever runs out of work must find the goroutines
whose I/O is ready. Readiness, deadlines and closing race for the same waiting goroutine.

Protocol.
1. Each descriptor has a PollDesc with one slot for each direction, `rg` and `wg`: None, READY, or the goroutine that
   waits. Whoever does I/O empties the slot, tries, and waits only when the host says EAGAIN; the poller is edge-
   triggered, so a change that comes in between is in the slot.
2. The host's report fills the slot with READY and takes out the goroutine (`_unblock`). A deadline and closing take it
   out, too, leaving None; they set the error first, which is what the goroutine finds.
3. `sched.netpoll_waiters` counts the goroutines in slots. While there are any, find_runnable polls before it steals,
   and an M that goes idle blocks in the poller, until the next timer: it counts as running, so that no deadlock is
   reported. sysmon polls when nobody has for 10 ms.
4. Who polls gets a list, the last report first. It runs the first and injects the rest.
5. A deadline is a timer of the runtime's. Its sequence number says for which setting it was armed.

A run without descriptors only sleeps here, with the granularity that epoll_wait has: whole milliseconds, at least one.

Differs: a change that is reported for a descriptor that was closed in between may reach its successor with the same
number, which then tries once in vain; Go counts descriptors for that.
Go: runtime/netpoll.go pollDesc; runtime/netpoll_epoll.go netpoll, netpollBreak.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..base.errors import throw
from ..base.events import GO_READY, THREAD_WAKE
from ..kernel import costs
from ..kernel.poller import BROKEN, READABLE, WRITABLE
from .park import name_of, park, ready
from .status import WAITING
from .sudog import shed_sudog
from .timers import Timer, modify, stop
from .waitreason import IO_WAIT, WAIT_REASONS

if TYPE_CHECKING:
    from ..kernel.poller import Ready
    from .g import G
    from .m import M
    from .sched import Sched

MILLISECOND = 1_000_000
LONGEST_WAIT = 1_000_000_000 * MILLISECOND  # epoll_wait takes at most so much
SYSMON_POLL_NS = 10 * MILLISECOND

READY: Any = "ready"  # in a slot: the host has reported it, and nobody has tried since
READ, WRITE = 1, 2  # directions, as bits

# What a wait can end with. Go: internal/poll/fd_poll_runtime.go pollErrClosing.
NO_ERROR, CLOSING, TIMED_OUT, NOT_POLLABLE = range(4)


class PollDesc:
    """One descriptor of the host. Owned by who polls and by those who do I/O on it.

    Go: runtime/netpoll.go pollDesc.
    """

    __slots__ = (
        "closing", "fd", "ident", "kind", "rd_ns", "read_error", "rg", "rseq", "rt", "shut", "wd_ns", "wg",
        "write_error", "wseq", "wt",
    )  # fmt: skip

    def __init__(self, fd: int, kind: str, ident: int, shut: Callable[[], Any]) -> None:
        self.fd = fd
        self.kind = kind
        self.ident = ident
        self.shut = shut  # gives the descriptor back to the host
        self.rg: Any = None
        self.wg: Any = None
        self.closing = False
        # Derived, like Go's atomicInfo: what a wait would end with at once.
        self.read_error = NO_ERROR
        self.write_error = NO_ERROR
        # Deadlines, ns of virtual time: 0 for none, -1 when it has passed.
        self.rd_ns = 0
        self.wd_ns = 0
        self.rseq = 0
        self.wseq = 0
        self.rt: Timer | None = None  # both timers are made with the first deadline
        self.wt: Timer | None = None

    def publish(self, is_broken: bool = False) -> None:
        """Derive the errors anew, after closing or a deadline.

        Go: runtime/netpoll.go pollDesc.publishInfo, netpollcheckerr.
        """
        was_broken = self.read_error == NOT_POLLABLE
        self.read_error = CLOSING if self.closing else TIMED_OUT if self.rd_ns < 0 else NO_ERROR
        self.write_error = CLOSING if self.closing else TIMED_OUT if self.wd_ns < 0 else NO_ERROR
        if (is_broken or was_broken) and not self.read_error:
            self.read_error = NOT_POLLABLE

    def event_name(self) -> str:
        """For display in events."""
        return f"{self.kind} {self.ident}"


# What I/O does.


def poll_open(m: M, fd: int, kind: str, shut: Callable[[], Any]) -> PollDesc:
    """Let the host poll a descriptor of the running goroutine's; the run is open from here on.

    Raises: OSError if the host cannot.
    Go: runtime/netpoll.go poll_runtime_pollOpen.
    """
    sched = m.sched
    why = "pipe" if kind == "pipe" else "network"
    sched.kernel.open_polled(m, fd, why, is_paced=sched.controller is None)
    pd = PollDesc(fd, kind, sched.next_object_id(kind), shut)
    sched.poll_descs[fd] = pd
    if sched.controller is not None:
        sched.controller.opened(kind)
    return pd


def poll_close(sched: Sched, pd: PollDesc) -> None:
    """Nobody uses the descriptor any more.

    Go: runtime/netpoll.go poll_runtime_pollClose.
    """
    if not pd.closing:
        throw("runtime: close polldesc w/o unblock")
    if pd.wg is not None and pd.wg is not READY:
        throw("runtime: blocked write on closing polldesc")
    if pd.rg is not None and pd.rg is not READY:
        throw("runtime: blocked read on closing polldesc")
    if sched.poll_descs.pop(pd.fd, None) is not None:
        sched.kernel.close_polled(pd.fd)


def poll_wait(m: M, g: G, pd: PollDesc, mode: int) -> int:
    """Wait until pd can be read or written (mode). Returns what the wait ended with; g may be on another M then.

    Go: runtime/netpoll.go poll_runtime_pollWait, netpollblock.
    """
    sched = m.sched
    while True:
        error = pd.read_error if mode == READ else pd.write_error
        if error:
            return error
        slot = pd.rg if mode == READ else pd.wg
        if slot is not None and slot is not READY:
            throw("runtime: double wait")
        if slot is None:
            if sched.controller is not None:
                sched.controller.wait_io(m, g, IOWait(sched, pd, mode))
            else:
                if mode == READ:
                    pd.rg = g
                else:
                    pd.wg = g
                sched.netpoll_waiters += 1
                shed_sudog(m, g)
                park(m, g, IO_WAIT, pd)
            m = g.m
            slot = pd.rg if mode == READ else pd.wg
        if mode == READ:
            pd.rg = None
        else:
            pd.wg = None
        if slot is READY:
            return NO_ERROR


def poll_unblock(m: M, pd: PollDesc) -> None:
    """pd is being closed: whoever waits finds that out, its timers stop.

    Go: runtime/netpoll.go poll_runtime_pollUnblock.
    """
    if pd.closing:
        throw("runtime: unblock on closing polldesc")
    pd.closing = True
    pd.rseq += 1
    pd.wseq += 1
    pd.publish()
    for timer in (pd.rt, pd.wt):
        if timer is not None and timer.when_ns:
            stop(m, timer)
    _wake(m, pd, READ | WRITE)


def poll_set_deadline(m: M, pd: PollDesc, when_ns: int, mode: int) -> None:
    """I/O in these directions (mode) fails from when_ns on; 0 for never, -1 for from now on.

    Go: runtime/netpoll.go poll_runtime_pollSetDeadline.
    """
    if pd.closing:
        return
    rd0_ns, wd0_ns = pd.rd_ns, pd.wd_ns
    was_one = rd0_ns > 0 and rd0_ns == wd0_ns
    if mode & READ:
        pd.rd_ns = when_ns
    if mode & WRITE:
        pd.wd_ns = when_ns
    pd.publish()
    is_one = pd.rd_ns > 0 and pd.rd_ns == pd.wd_ns  # one timer serves both
    if pd.rt is None and when_ns > 0:
        pd.rt = Timer(_read_deadline, pd)
        pd.wt = Timer(_write_deadline, pd)
    if pd.rt is not None:
        if pd.rd_ns != rd0_ns or is_one != was_one or not pd.rt.when_ns:
            pd.rseq += 1
            pd.rt.f = _both_deadlines if is_one else _read_deadline
            _set_timer(m, pd.rt, pd.rd_ns, pd.rseq)
        assert pd.wt is not None
        if pd.wd_ns != wd0_ns or is_one != was_one or not pd.wt.when_ns:
            pd.wseq += 1
            _set_timer(m, pd.wt, 0 if is_one else pd.wd_ns, pd.wseq)
    _wake(m, pd, (READ if pd.rd_ns < 0 else 0) | (WRITE if pd.wd_ns < 0 else 0))


def _set_timer(m: M, timer: Timer, when_ns: int, seq: int) -> None:
    """Arm, re-arm or stop."""
    if when_ns > 0:
        timer.seq = seq
        modify(m, timer, when_ns, 0)
    elif timer.when_ns:
        stop(m, timer)


def _deadline(m: M, pd: PollDesc, seq: int, mode: int) -> None:
    """On g0: a deadline has passed, unless it was set anew since.

    Go: runtime/netpoll.go netpolldeadlineimpl.
    """
    if seq != (pd.rseq if mode & READ else pd.wseq):
        return
    if mode & READ:
        if pd.rd_ns <= 0:
            throw("runtime: inconsistent read deadline")
        pd.rd_ns = -1
    if mode & WRITE:
        if pd.wd_ns <= 0:
            throw("runtime: inconsistent write deadline")
        pd.wd_ns = -1
    pd.publish()
    _wake(m, pd, mode)


def _both_deadlines(m: M, pd: Any, seq: int, _delay: int) -> None:
    _deadline(m, pd, seq, READ | WRITE)


def _read_deadline(m: M, pd: Any, seq: int, _delay: int) -> None:
    _deadline(m, pd, seq, READ)


def _write_deadline(m: M, pd: Any, seq: int, _delay: int) -> None:
    _deadline(m, pd, seq, WRITE)


def _wake(m: M, pd: PollDesc, mode: int) -> None:
    """A deadline or closing: those who wait in these directions go on, though nothing is ready."""
    woken: list[G] = []
    _unblock(m.sched, pd, mode, False, woken)
    for gp in woken:
        ready(m, gp, pd)


def _unblock(sched: Sched, pd: PollDesc, mode: int, is_io_ready: bool, woken: list[G]) -> None:
    """Empty the slots of these directions, or fill them with READY; who waited there is appended to woken.

    Go: runtime/netpoll.go netpollunblock.
    """
    if mode & READ:
        gp = pd.rg
        if gp is not READY and (gp is not None or is_io_ready):
            pd.rg = READY if is_io_ready else None
            if gp is not None:
                sched.netpoll_waiters -= 1
                woken.append(gp)
    if mode & WRITE:
        gp = pd.wg
        if gp is not READY and (gp is not None or is_io_ready):
            pd.wg = READY if is_io_ready else None
            if gp is not None:
                sched.netpoll_waiters -= 1
                woken.append(gp)


# What who polls does.


def netpollready(m: M, reported: list[Ready]) -> list[G]:  # hot: echo
    """Note what the host has reported; the goroutines that were waiting for it, the last report first.

    Go: runtime/netpoll.go netpollready.
    """
    sched = m.sched
    find = sched.poll_descs.get
    now_ns = m.clock
    woken: list[G] = []
    for fd, bits in reported:
        pd = find(fd)
        if pd is None:
            continue
        if bits & BROKEN or pd.read_error == NOT_POLLABLE:
            _set_broken(pd, bits & BROKEN != 0)
        # Unoptimised form: _unblock(sched, pd, bits, True, woken).
        if bits & READABLE:
            gp = pd.rg
            if gp is not READY:
                pd.rg = READY
                if gp is not None:
                    if gp.ns < now_ns:
                        gp.ns = now_ns
                    woken.append(gp)
        if bits & WRITABLE:
            gp = pd.wg
            if gp is not READY:
                pd.wg = READY
                if gp is not None:
                    if gp.ns < now_ns:
                        gp.ns = now_ns
                    woken.append(gp)
    sched.netpoll_waiters -= len(woken)
    woken.reverse()
    return woken


def _set_broken(pd: PollDesc, is_broken: bool) -> None:
    """The last report was an error and nothing else, or no longer.

    Go: runtime/netpoll.go pollDesc.setEventErr.
    """
    if pd.read_error == NOT_POLLABLE:
        pd.read_error = NO_ERROR
    pd.publish(is_broken)


def netpoll_check(m: M) -> list[G]:
    """Poll without blocking.

    Go: runtime/netpoll_epoll.go netpoll.
    """
    m.clock += costs.NETPOLL
    reported = m.sched.kernel.poll()
    return netpollready(m, reported) if reported else []


def emit_ready(m: M, gp: G, queue: str) -> None:
    """Tell who listens that I/O has readied gp."""
    m.emit(GO_READY, gp.goid, queue, WAIT_REASONS[gp.waitreason], name_of(gp.wait_object))


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
        reported = sched.kernel.await_poll(m, None)
    elif until_ns > m.clock:
        reported = sched.kernel.await_poll(m, poll_timeout_ns(until_ns - m.clock) + costs.EPOLL_OVERSLEEP)
    else:
        reported = sched.kernel.poll()
    m.blocked = False
    sched.poller = None
    sched.poll_until_ns = 0
    sched.lastpoll_ns = m.clock or 1
    return netpollready(m, reported) if reported else []


def poll_timeout_ns(delay_ns: int) -> int:
    """How long epoll_wait really sleeps when asked to for delay_ns > 0.

    Go: runtime/netpoll_epoll.go netpoll.
    """
    if delay_ns < MILLISECOND:
        return MILLISECOND
    if delay_ns < 1_000_000_000_000_000:
        return delay_ns // MILLISECOND * MILLISECOND
    return LONGEST_WAIT


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


def check_netpoll(sched: Sched) -> None:
    """The waiters are counted right and do wait; errors follow from closing and deadlines, timers from deadlines."""
    count = 0
    for fd, pd in sched.poll_descs.items():
        if pd.fd != fd:
            throw("check_netpoll: descriptor under another number")
        for gp in (pd.rg, pd.wg):
            if gp is None or gp is READY:
                continue
            count += 1
            if gp.status != WAITING or gp.waitreason != IO_WAIT or gp.wait_object is not pd:
                throw("check_netpoll: goroutine in a slot does not wait for it")
            if pd.closing:
                throw("check_netpoll: goroutine waits for a descriptor that is closing")
        for error, deadline_ns in ((pd.read_error, pd.rd_ns), (pd.write_error, pd.wd_ns)):
            if (error == CLOSING) != pd.closing or (error == TIMED_OUT) != (deadline_ns < 0 and not pd.closing):
                throw("check_netpoll: error and deadline disagree")
        if not pd.closing:
            _check_timers(pd)
    if count != sched.netpoll_waiters:
        throw("check_netpoll: waiters miscounted")


def _check_timers(pd: PollDesc) -> None:
    is_one = 0 < pd.rd_ns == pd.wd_ns
    for timer, deadline_ns in ((pd.rt, pd.rd_ns), (pd.wt, 0 if is_one else pd.wd_ns)):
        if (timer.when_ns if timer is not None else 0) != max(deadline_ns, 0):
            throw("check_netpoll: timer and deadline disagree")


class IOWait:
    """A wait for readiness as a controller sees it: a host call that is done when there is something.

    The goroutine is in no slot: whoever polls only notes that it could go on, and the controller decides when it does.
    """

    __slots__ = ("_mode", "_pd", "_sched", "name")

    def __init__(self, sched: Sched, pd: PollDesc, mode: int) -> None:
        self._sched = sched
        self._pd = pd
        self._mode = mode
        self.name = f"{'read' if mode == READ else 'write'} of {pd.event_name()}"

    def event_name(self) -> str:
        """For display in events."""
        return self._pd.event_name()

    @property
    def done(self) -> bool:
        """The wait would end now."""
        if not self._is_over():
            running: Any = self._sched.kernel.running
            netpollready(running, self._sched.kernel.poll())
        return self._is_over()

    def _is_over(self) -> bool:
        pd = self._pd
        if self._mode == READ:
            return pd.rg is READY or pd.read_error != NO_ERROR
        return pd.wg is READY or pd.write_error != NO_ERROR
