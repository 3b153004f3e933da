"""Channels.

Invariants: at least one of the two wait queues is empty, but for a select that waits on both ends; a buffered channel
with elements has no waiting receiver, one with room has no waiting sender. Waiting goroutines are woken first in,
first out, and always get the value directly: a woken receiver never looks at the buffer again.

The operations below are the hot path of every program, so each is flat: one safepoint compare, one compare for
listeners, and no call that could fail after something was changed.

Go: runtime/chan.go hchan, chansend, chanrecv, closechan.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Generic, NoReturn, TypeVar

from greenlet import getcurrent

from ..base.events import CHAN_CLOSE, CHAN_MAKE, CHAN_RECV, CHAN_SEND
from ..kernel import costs
from ..sched import waitreason
from ..sched.g import G
from ..sched.m import M
from ..sched.ops import OP_BLOCK, OP_CLOSE, OP_LEN, OP_RECV, OP_SEND
from ..sched.park import park, ready, struck, struck_m
from ..sched.preempt import safepoint
from ..sched.sudog import Sudog, WaitQ, acquire_sudog, shed_sudog
from .bubblechan import Bubbled, bubbled
from .error import SURVIVABLE, GoPlainError
from .owner import belong, current_m, outside, where_made

if TYPE_CHECKING:
    from ..sched.bubble import Bubble
    from ..sched.sched import Sched

T = TypeVar("T")

OP_COST = costs.CHAN_OP
CHAN_RECEIVE = waitreason.CHAN_RECEIVE
CHAN_SEND_REASON = waitreason.CHAN_SEND
MAX_SIZE = 1 << 47  # a buffer that no address space holds

ZERO: dict[type, Any] = {int: 0, float: 0.0, bool: False, str: "", bytes: b"", complex: 0j}


class chan(Generic[T]):
    """`chan(size=0, dtype=object)`: a channel of capacity size.

    dtype is what the elements are: a receive from a closed channel yields its zero (`int` 0, `str` "", `object` None),
    and sending another type is a TypeError. `chan[int](3)` is `chan(3, int)`.
    Raises: Panic "makechan: size out of range" for a negative or absurd size; TypeError if size is no integer.
    Go: runtime/chan.go makechan.
    """

    __slots__ = (
        "__weakref__", "bubble", "buf", "closed", "dtype", "ident", "made_at", "ns", "recvq", "sched", "sendq", "size",
        "zero",
    )  # fmt: skip

    inside: Any = Bubbled  # what a channel is as well that is made in a synctest bubble

    def __new__(cls, size: int = 0, dtype: Any = object) -> chan[T]:
        """Typed channels are a class of their own, so that untyped ones never check."""
        return object.__new__(_TypedChan if dtype is not object and cls is chan else cls)

    def __init__(self, size: int = 0, dtype: Any = object) -> None:
        if type(size) is not int:
            if isinstance(size, bool) or not hasattr(size, "__index__"):
                raise TypeError(f"chan: size must be an integer, not {type(size).__name__}")
            size = size.__index__()
        if not 0 <= size < MAX_SIZE:
            raise GoPlainError("makechan: size out of range")
        self.size = size
        self.dtype = dtype
        self.zero: Any = None if dtype is object else zero_of(dtype)
        self.buf: Any = deque() if size else ()
        self.closed = False
        self.ns = 0  # its Lamport clock
        self.recvq = WaitQ()
        self.sendq = WaitQ()
        self.ident = 0
        self.bubble: Bubble | None = None
        g: Any = getcurrent()
        m = getattr(g, "m", None)
        if m is None:
            self.sched: Sched | None = None  # the first run that operates on it
            self.made_at = where_made()
        else:
            self.sched = m.sched
            self.made_at = ""
            if g.bubble is not None:
                self.bubble = g.bubble
                self.__class__ = bubbled(type(self))  # type: ignore[arg-type]
            if m.watch is not None:
                m.emit(CHAN_MAKE, self.event_name(), size)

    def __class_getitem__(cls, dtype: Any) -> Any:
        """`chan[int]` makes channels of int."""
        return _ChanOf(dtype)

    def send(self, value: T) -> None:  # hot: unbuffered, buffered
        """Send value, waiting for a receiver or for room.

        Raises: Panic "send on closed channel"; RuntimeError outside a goroutine.
        Go: runtime/chan.go chansend.
        """
        g: G = getcurrent()  # type: ignore[assignment]
        try:
            m = g.m
            clock = m.clock + OP_COST
        except AttributeError:
            raise outside("chan.send") from None
        if self.sched is not m.sched:
            belong(self, m.sched)
        if self.ns > clock:
            clock = self.ns
        m.clock = clock
        try:
            if clock < m.horizon:
                self.ns = clock
            else:
                m = safepoint(m, g, OP_SEND, self)  # type: ignore[assignment]
                if m is None:
                    return None
                if m.sched.controller is not None:
                    return m.sched.controller.perform(g, chan.send, self, value)  # type: ignore[no-any-return]
            if self.closed:
                raise GoPlainError("send on closed channel")
            recvq = self.recvq
            sg = recvq.first
            if sg is not None:
                # Unoptimised form: sg = recvq.dequeue(). This is its outcome for a lone waiter that is in no select.
                if sg.is_select or sg.next is not None:
                    sg = recvq.dequeue()
                else:
                    recvq.first = recvq.last = None
                if sg is not None:
                    sg.elem = value
                    sg.success = True
                    if m.watch is not None:
                        m.emit(CHAN_SEND, self.event_name(), "handed over", sg.g.goid)
                    ready(m, sg.g, self)
                    return None
            if len(self.buf) < self.size:
                self.buf.append(value)
                if m.watch is not None:
                    m.emit(CHAN_SEND, self.event_name(), "buffered", 0)
                return None
            sg = g.sudog or acquire_sudog(m, g)
            sg.elem = value
            sg.success = False
            self.sendq.enqueue(sg)
            park(m, g, CHAN_SEND_REASON, self)
            if not sg.success:
                raise GoPlainError("send on closed channel")
        except SURVIVABLE:
            raise
        except BaseException as exc:  # see sched/park.py: something may be half done
            m = g.m or m
            m.curg, m.mcall, g.param = g, struck_m, exc
            m.g0.switch()

    def recv(self) -> T:  # hot: unbuffered, buffered
        """Receive a value, waiting for a sender; the zero value once the channel is closed and empty.

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
            else:
                m = safepoint(m, g, OP_RECV, self)  # type: ignore[assignment]
                if m is None:
                    g.recv_ok = False
                    return self.zero
                if m.sched.controller is not None:
                    return m.sched.controller.perform(g, chan.recv, self)  # type: ignore[no-any-return]
            sendq = self.sendq
            sg = sendq.first
            if sg is None:
                if self.buf:
                    if m.watch is not None:
                        m.emit(CHAN_RECV, self.event_name(), "from the buffer", 0)
                    return self.buf.popleft()  # type: ignore[no-any-return]
            else:
                sg = sendq.dequeue()
                if sg is not None:
                    value = sg.elem
                    sg.elem = None
                    if self.size:
                        # The buffer is full: take its head, and put the sender's value at its tail.
                        self.buf.append(value)
                        value = self.buf.popleft()
                    sg.success = True
                    if m.watch is not None:
                        m.emit(CHAN_RECV, self.event_name(), "from a sender", sg.g.goid)
                    ready(m, sg.g, self)
                    return value  # type: ignore[no-any-return]
                if self.buf:
                    return self.buf.popleft()  # type: ignore[no-any-return]
            if self.closed:
                g.recv_ok = False
                return self.zero  # type: ignore[no-any-return]
            sg = g.sudog or acquire_sudog(m, g)
            sg.success = False
            self.recvq.enqueue(sg)
            park(m, g, CHAN_RECEIVE, self)
            value = sg.elem
            if sg.success:
                sg.elem = None
                return value  # type: ignore[no-any-return]
            g.recv_ok = False
            return self.zero  # type: ignore[no-any-return]
        except SURVIVABLE:
            raise
        except BaseException as exc:  # see sched/park.py: something may be half done
            m = g.m or m
            m.curg, m.mcall, g.param = g, struck_m, exc
            m.g0.switch()
            raise

    def recv_(self) -> tuple[T, bool]:
        """Receive as `recv`; the second value is False when it came from the close, not from a sender.

        Go: runtime/chan.go chanrecv2.
        """
        g: G = getcurrent()  # type: ignore[assignment]
        g.recv_ok = True
        value = self.recv()
        return value, g.recv_ok

    def __iter__(self) -> Iterator[T]:
        """Receive until the channel is closed: Go's `for v := range ch`."""
        while True:
            value, ok = self.recv_()
            if not ok:
                return
            yield value

    def close(self) -> None:
        """Close: receivers get what is buffered and then zeros, senders panic.

        All waiters are collected first, newest readied last into runnext, as Go does.
        Raises: Panic "close of closed channel"; RuntimeError outside a goroutine.
        Go: runtime/chan.go closechan.
        """
        m, g = current_m("chan.close")
        if self.sched is not m.sched:
            belong(self, m.sched)
        m.clock += costs.CHAN_CLOSE
        if self.ns > m.clock:
            m.clock = self.ns
        try:
            if m.clock < m.horizon:
                self.ns = m.clock
            else:
                following = safepoint(m, g, OP_CLOSE, self)
                if following is None:
                    return None
                m = following
                if m.sched.controller is not None:
                    return m.sched.controller.perform(g, chan.close, self)  # type: ignore[no-any-return]
            if self.closed:
                raise GoPlainError("close of closed channel")
            self.shut(m)
        except SURVIVABLE:
            raise
        except BaseException as exc:
            m = g.m or m
            m.curg, m.mcall, g.param = g, struck_m, exc
            m.g0.switch()

    def shut(self, m: M) -> None:
        """Close it, in the middle of an operation: what a context's end does too."""
        self.closed = True
        if m.watch is not None:
            m.emit(CHAN_CLOSE, self.event_name())
        if m.sched.controller is not None:
            m.sched.controller.touches(m.curg, self, True)
        waiters: list[Sudog] = []
        for queue in (self.recvq, self.sendq):
            while (sg := queue.dequeue()) is not None:
                sg.elem = None
                sg.success = False
                waiters.append(sg)
        while waiters:  # Go's gList is a stack
            ready(m, waiters.pop().g, self)

    def __len__(self) -> int:
        """Elements in the buffer."""
        m = getattr(getcurrent(), "m", None)
        if m is not None and self.sched is m.sched:
            m.clock += costs.CHAN_LEN
            g = m.curg
            try:
                if m.clock >= m.horizon:
                    following = safepoint(m, g, OP_LEN, self)
                    controller = following.sched.controller if following is not None else None
                    if controller is not None:
                        return int(controller.perform(g, len, self.buf))
            except SURVIVABLE:
                raise
            except BaseException as exc:
                struck(m, g, exc)
                raise
        return len(self.buf)

    def __bool__(self) -> bool:
        """A channel is true even when it is empty; only nilchan is false."""
        return True

    def send_only(self) -> SendOnly[T]:
        """A view that can only send (and close)."""
        return SendOnly(self)

    def recv_only(self) -> RecvOnly[T]:
        """A view that can only receive."""
        return RecvOnly(self)

    # For select, the controller and displays. A timer's channel overrides the first three.

    def look(self, m: M) -> None:
        """Somebody is about to look whether a receive would succeed."""

    def block(self, m: M) -> None:
        """Somebody is about to wait for a value."""

    def unblock(self, m: M) -> None:
        """Somebody no longer waits."""

    def accept(self, value: Any) -> Any:
        """What is stored when value is sent; raises TypeError if it may not be."""
        return value

    def ready(self, op: int, g: G) -> bool:
        """Would the operation complete now?"""
        if self.closed:
            return True
        if op == OP_SEND:
            return self.recvq.is_waiting() or len(self.buf) < self.size
        if op == OP_RECV:
            return self.sendq.is_waiting() or bool(self.buf)
        return True

    def event_name(self) -> str:
        """For display in events: its number in the run."""
        if self.ident == 0 and self.sched is not None:
            self.ident = self.sched.next_object_id("chan")
        return f"chan {self.ident}"

    def check(self) -> None:
        """The channel's invariants hold."""
        self.recvq.check()
        self.sendq.check()
        assert len(self.buf) <= self.size
        if self.buf:
            assert not self.recvq.is_waiting()
        if len(self.buf) < self.size or self.closed:
            assert not self.sendq.is_waiting()

    def __repr__(self) -> str:
        kind = "" if self.dtype is object else f"[{getattr(self.dtype, '__name__', self.dtype)}]"
        state = ", closed" if self.closed else ""
        return f"<chan{kind} {len(self.buf)}/{self.size}{state}>"

    def _refuse_copy(self, *_: Any) -> NoReturn:
        raise TypeError("chan: a channel cannot be copied; share it")

    __copy__ = __deepcopy__ = __reduce__ = _refuse_copy


class _TypedChan(chan):  # type: ignore[type-arg]
    """A channel whose elements have a declared type."""

    __slots__ = ()

    def send(self, value: T) -> None:
        """Send value after checking its type."""
        chan.send(self, self.accept(value))

    def accept(self, value: Any) -> Any:
        """Reject what is not of the channel's type; an int may be sent where floats are expected."""
        dtype = self.dtype
        if isinstance(value, dtype) and (dtype is not int or (value is not True and value is not False)):
            return value
        if dtype is float and type(value) is int:
            return float(value)
        raise TypeError(f"chan[{dtype.__name__}]: cannot send {value!r} of type {type(value).__name__}")


class _ChanOf:
    """`chan[T]`: makes channels of T."""

    __slots__ = ("dtype",)

    def __init__(self, dtype: Any) -> None:
        self.dtype = dtype

    def __call__(self, size: int = 0) -> chan[Any]:
        return chan(size, self.dtype)

    def __repr__(self) -> str:
        return f"chan[{getattr(self.dtype, '__name__', self.dtype)}]"


def zero_of(dtype: Any) -> Any:
    """The zero value of an element type."""
    if not isinstance(dtype, type):
        raise TypeError(f"chan: dtype must be a type, not {dtype!r}")
    if dtype in ZERO:
        return ZERO[dtype]
    zero = getattr(dtype, "__go_zero__", None)
    return zero() if zero is not None else None


class _NilChan(chan):  # type: ignore[type-arg]
    """The nil channel: blocks for ever; closing it panics."""

    __slots__ = ()

    def send(self, value: Any) -> None:
        """Block for ever."""
        _block_for_ever("chan.send", waitreason.CHAN_SEND_NIL)

    def recv(self) -> Any:
        """Block for ever."""
        _block_for_ever("chan.recv", waitreason.CHAN_RECEIVE_NIL)

    def recv_(self) -> Any:
        """Block for ever."""
        _block_for_ever("chan.recv", waitreason.CHAN_RECEIVE_NIL)

    def close(self) -> None:
        """Panic, as closing a nil channel does."""
        current_m("chan.close")
        raise GoPlainError("close of nil channel")

    def __len__(self) -> int:
        return 0

    def __bool__(self) -> bool:
        return False

    def ready(self, op: int, g: G) -> bool:
        """Never."""
        return False

    def __repr__(self) -> str:
        return "nilchan"

    def _itself(self, *_: Any) -> Any:
        return self

    def __reduce__(self) -> Any:
        """Copied or pickled it stays itself, as nil does."""
        return "nilchan"

    __copy__ = __deepcopy__ = _itself


class _Never:
    """What a goroutine waits for that nothing can wake. All runs share it, so it keeps no time."""

    ns = property(lambda self: 0, lambda self, value: None)

    @staticmethod
    def ready(op: int, g: G) -> bool:
        """Never."""
        return False


NEVER = _Never()


def _block_for_ever(what: str, reason: int) -> NoReturn:
    m, g = current_m(what)
    try:
        block_for_ever(m, g, reason)
    except SURVIVABLE:
        raise
    except BaseException as exc:
        struck(m, g, exc)
        raise


def block_for_ever(m: M, g: G, reason: int) -> NoReturn:
    """Park without anybody who could ready."""
    m.clock += OP_COST
    if m.clock >= m.horizon:
        following = safepoint(m, g, OP_BLOCK, NEVER)
        assert following is not None
        m = following
    while True:
        shed_sudog(m, g)
        m = park(m, g, reason, None)


nilchan: chan[Any] = _NilChan()


class SendOnly(Generic[T]):
    """A channel seen from its senders: `chan<- T`. Receiving raises TypeError."""

    __slots__ = ("_ch",)

    def __init__(self, ch: chan[T]) -> None:
        self._ch = ch

    @property
    def send(self) -> Callable[[T], None]:
        """See chan.send."""
        return self._ch.send

    @property
    def close(self) -> Callable[[], None]:
        """See chan.close."""
        return self._ch.close

    def _refuse(self, *_: Any) -> NoReturn:
        raise TypeError("invalid operation: cannot receive from send-only channel")

    recv = recv_ = recv_only = property(_refuse)
    __iter__ = _refuse

    def send_only(self) -> SendOnly[T]:
        """Itself."""
        return self

    def __len__(self) -> int:
        return len(self._ch)

    def __bool__(self) -> bool:
        return bool(self._ch)

    def __eq__(self, other: object) -> bool:
        return self._ch is (other._ch if isinstance(other, (SendOnly, RecvOnly)) else other)

    def __hash__(self) -> int:
        return hash(self._ch)

    def __repr__(self) -> str:
        return f"<send-only {self._ch!r}>"


class RecvOnly(Generic[T]):
    """A channel seen from its receivers: `<-chan T`. Sending and closing raise TypeError."""

    __slots__ = ("_ch",)

    def __init__(self, ch: chan[T]) -> None:
        self._ch = ch

    @property
    def recv(self) -> Callable[[], T]:
        """See chan.recv."""
        return self._ch.recv

    @property
    def recv_(self) -> Callable[[], tuple[T, bool]]:
        """See chan.recv_."""
        return self._ch.recv_

    def __iter__(self) -> Iterator[T]:
        return iter(self._ch)

    def _refuse_send(self, *_: Any) -> NoReturn:
        raise TypeError("invalid operation: cannot send to receive-only channel")

    def _refuse_close(self, *_: Any) -> NoReturn:
        raise TypeError("invalid operation: cannot close receive-only channel")

    send = send_only = property(_refuse_send)
    close = property(_refuse_close)

    def recv_only(self) -> RecvOnly[T]:
        """Itself."""
        return self

    def __len__(self) -> int:
        return len(self._ch)

    def __bool__(self) -> bool:
        return bool(self._ch)

    __eq__ = SendOnly.__eq__
    __hash__ = SendOnly.__hash__

    def __repr__(self) -> str:
        return f"<receive-only {self._ch!r}>"


def cap(ch: Any) -> int:
    """The capacity of a channel, in elements."""
    if isinstance(ch, (SendOnly, RecvOnly)):
        ch = ch._ch
    if isinstance(ch, chan):
        return ch.capacity() if hasattr(ch, "capacity") else ch.size
    raise TypeError(f"invalid argument: cap of {type(ch).__name__}")
