"""The channel of a timer.

Since Go 1.23 such a channel has room for one value inside but looks unbuffered: `len` and `cap` are 0, so that
stopping and resetting can take back a value that nobody has received. Its timer is in a heap only while somebody is
blocked on the channel; whoever looks at it otherwise runs the timer first, if it is due. So a timer that nobody waits
for costs nothing, hides no deadlock, and goes away with its last reference.

The channel holds its timer, the timer holds only a proxy of the channel: while it is in a heap, those who are blocked
on the channel hold that.

Go: runtime/time.go maybeRunChan, blockTimerChan; runtime/chan.go chanlen, timerchandrain.
"""

from __future__ import annotations

from typing import Any, NoReturn
from weakref import proxy

from greenlet import getcurrent

from ..base.events import CHAN_RECV, CHAN_SEND
from ..sched import timers
from ..sched.g import G
from ..sched.m import M
from ..sched.ops import OP_RECV
from ..sched.park import park, ready, struck_m
from ..sched.preempt import safepoint
from ..sched.sudog import acquire_sudog
from .bubblechan import BubbledTimer
from .chan import CHAN_RECEIVE, OP_COST, chan
from .error import SURVIVABLE
from .owner import belong, outside


class TimerChan(chan):  # type: ignore[type-arg]
    """A channel that only its timer sends to. `fire` is what the timer calls, on g0."""

    __slots__ = ("timer",)

    inside = BubbledTimer

    def __init__(self, fire: timers.TimerFunc) -> None:
        chan.__init__(self, 1)
        me = proxy(self)
        self.timer = timers.Timer(fire, me, me)

    def recv(self) -> Any:
        """Receive the timer's value, waiting for it.

        Raises: RuntimeError outside a goroutine.
        Go: runtime/chan.go chanrecv.
        """
        g: G = getcurrent()  # type: ignore[assignment]
        try:
            m = g.m
            clock = m.clock + OP_COST
        except AttributeError:
            raise outside("chan.recv") from None
        if self.sched is not m.sched:
            belong(self, m.sched)
        if self.ns > clock:
            clock = self.ns
        m.clock = clock
        try:
            if clock < m.horizon:
                self.ns = clock
            elif m.sched.controller is None:
                following = safepoint(m, g, OP_RECV, self)
                if following is None:
                    return self.zero
                m = following
            else:
                return self._recv_controlled(m, g)
            self.look(m)
            if self.buf:
                if m.watch is not None:
                    m.emit(CHAN_RECV, self.event_name(), "from the buffer", 0)
                return self.buf.popleft()
            sg = g.sudog or acquire_sudog(m, g)
            sg.success = False
            self.recvq.enqueue(sg)
            self.block(m)
            m = park(m, g, CHAN_RECEIVE, self)
            self.unblock(m)
            value = sg.elem
            sg.elem = None
            return value
        except SURVIVABLE:
            raise
        except BaseException as exc:
            m = g.m or m
            m.curg, m.mcall, g.param = g, struck_m, exc
            m.g0.switch()

    def _recv_controlled(self, m: M, g: G) -> Any:
        """Held before the receive, g already waits: the timer may fire, and that makes it ready."""
        controller = m.sched.controller
        assert controller is not None
        self.block(m)
        safepoint(m, g, OP_RECV, self)
        self.unblock(g.m)
        return controller.perform(g, TimerChan.recv, self)

    def look(self, m: M) -> None:
        """Run the timer if it is due and in no heap."""
        m.sched.kernel.catch_up(m)
        timers.maybe_run_chan(m, self.timer)

    def block(self, m: M) -> None:
        """Somebody waits from now on: the timer goes into the heap of m's P."""
        timers.block_timer_chan(m, self.timer)

    def unblock(self, m: M) -> None:
        """Somebody no longer waits; with the last one the timer leaves its heap."""
        timers.unblock_timer_chan(self.timer)

    def drain_timer(self) -> bool:
        """Take back the value that nobody has received; True if there was one.

        Go: runtime/chan.go timerchandrain.
        """
        if not self.buf:
            return False
        self.buf.clear()
        return True

    def ready(self, op: int, g: G) -> bool:
        """Would a receive complete now?"""
        if self.buf:
            return True
        running = self.sched.kernel.running if self.sched is not None else None
        timer = self.timer
        return running is not None and timer.pp is None and 0 < timer.when_ns <= running.clock

    def capacity(self) -> int:
        """What `cap` says."""
        return 0

    def __len__(self) -> int:
        """What `len` says: the channel looks unbuffered."""
        return 0

    def __repr__(self) -> str:
        return f"<chan of {self.timer.event_name()}>"

    def _refuse_send(self, *_: Any) -> NoReturn:
        raise TypeError("invalid operation: cannot send to receive-only channel")

    def _refuse_close(self, *_: Any) -> NoReturn:
        raise TypeError("invalid operation: cannot close receive-only channel")

    send = send_only = property(_refuse_send)
    close = property(_refuse_close)


def offer(m: M, ch: chan[Any], value: Any) -> None:
    """On g0: `select` with one send and a default."""
    if ch.ns > m.clock:
        m.clock = ch.ns
    else:
        ch.ns = m.clock
    sg = ch.recvq.dequeue()
    if sg is not None:
        sg.elem = value
        sg.success = True
        if m.watch is not None:
            m.emit(CHAN_SEND, ch.event_name(), "handed over", sg.g.goid)
        ready(m, sg.g, ch)
    elif len(ch.buf) < ch.size:
        ch.buf.append(value)
        if m.watch is not None:
            m.emit(CHAN_SEND, ch.event_name(), "buffered", 0)
