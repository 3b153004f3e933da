"""FD: a descriptor that goroutines share, and that somebody may close at any time.

Protocol.
1. Reads exclude one another, and so do writes: a message that is written in several parts is not mixed with another.
   Who comes second waits in order. Everybody inside counts as a user.
2. I/O empties its slot in the PollDesc, tries, and on EAGAIN waits for the poller; then it tries again.
3. Closing marks the FD, so that nobody gets in any more, sends everybody who waits away with the closing error, and
   waits until the last user has left. Only then the host gets its number back, and may give it to somebody else.

As long as nothing has to wait, an operation is one step of the simulation, in which nobody else can look. So the common
path takes no lock at all: nobody is inside, nothing is closed, no deadline has passed, the host has something.

Errors are returned to the frame that made the operation, and raised there: what leaves an operation half-way otherwise
ends the run (sched/park.py).

Go: internal/poll/fd_mutex.go fdMutex; internal/poll/fd_unix.go FD; internal/poll/fd_poll_runtime.go convertErr.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from greenlet import getcurrent

from ..base.config import seconds_to_ns
from ..base.errors import throw
from ..base.events import FD_CLOSE, FD_OPEN, FD_READ, FD_WRITE
from ..kernel import costs
from ..kernel.sockets import NO_SIGNAL
from ..lang.owner import belong, current_m, outside, unbroken
from ..lang.panic import panic
from ..sched import netpoll
from ..sched.netpoll import NO_ERROR, READ, WRITE, PollDesc
from ..sched.ops import OP_IO
from ..sched.preempt import end_again, safepoint
from ..sched.sema import Sema
from ..sched.timers import MAX_WHEN, abandon
from .errno import DeadlineExceededError, ErrFileClosing, ErrNetClosing, ErrNotPollable

if TYPE_CHECKING:
    from ..sched.g import G
    from ..sched.m import M

MAX_USERS = (1 << 20) - 1
TOO_MANY = "too many concurrent operations on a single file or socket (max 1048575)"
CALL_COST = costs.SOCKET_CALL
# What a call of the host raises: nothing is half done then.
HOST_ERRORS = (OSError, MemoryError, OverflowError, ValueError)
ROOM = 24  # Python frames that an operation needs that makes, closes or changes a descriptor


class FD:
    """One descriptor. Owned by the run in which it was opened."""

    __slots__ = (
        "__weakref__", "closed", "csema", "is_file", "pd", "receive", "receive_into", "rlocked", "rsema", "rwaiting",
        "sched", "shut", "sysfd", "transmit", "users", "what", "wlocked", "wsema", "wwaiting",
    )  # fmt: skip

    def __init__(self, m: M, sysfd: int, kind: str, what: str, shut: Callable[[], Any]) -> None:
        """Open: the poller watches it from here on, and the run closes it at the latest.

        Raises: OSError if the host cannot poll it; it is still open then.
        """
        self.closed = True  # until it is in the poller
        self.sched = m.sched
        self.sysfd = sysfd
        self.what = what
        self.is_file = kind == "pipe"
        self.shut = shut
        self.pd: PollDesc = netpoll.poll_open(m, sysfd, kind, shut)
        self.closed = False
        self.users = 0
        self.rlocked = False
        self.wlocked = False
        self.rwaiting = 0
        self.wwaiting = 0
        self.rsema: Sema | None = None  # made when somebody has to wait
        self.wsema: Sema | None = None
        self.csema: Sema | None = None
        self.receive: Callable[[int], bytes]
        self.receive_into: Callable[[Any], int]
        self.transmit: Callable[[Any, int], int]
        if m.watch is not None:
            m.emit(FD_OPEN, self.pd.event_name(), what)

    def __del__(self) -> None:
        """Nobody refers to it any more: the host gets it back.

        Go: net/fd_posix.go netFD.setAddr.
        """
        if not self.closed and not self.sched.is_ending:
            self.closed = True
            if self.sched.poll_descs.get(self.sysfd) is self.pd:
                self.pd.closing = True
                self.pd.rseq += 1
                self.pd.wseq += 1
                for timer in (self.pd.rt, self.pd.wt):
                    if timer is not None:
                        abandon(timer)
                netpoll.poll_close(self.sched, self.pd)
                self.shut()

    # Reading and writing.

    def read(self, n: int) -> bytes:  # hot: echo
        """At most n bytes, waiting for the first; b"" at the end of the stream.

        Raises: OSError, the host's own or one of internal.errno; RuntimeError outside a goroutine.
        Go: internal/poll/fd_unix.go FD.Read.
        """
        g: G = getcurrent()  # type: ignore[assignment]
        try:
            m = g.m
            m.clock = clock = m.clock + CALL_COST
        except AttributeError:
            raise outside(f"{self.what}.read") from None
        sched = m.sched
        if self.sched is not sched:
            belong(self, sched)
        pd = self.pd
        has_tried = False
        # Unoptimised form: the call at the end. This is the same for one who finds nobody inside and nothing closed.
        if clock < m.horizon and not self.rlocked and not pd.read_error and n:
            if sched.sysmonwait:
                sched.wake_sysmon(m)
            pd.rg = None
            try:
                data = self.receive(n)
            except BlockingIOError:
                has_tried = True
            else:
                if sched.io_ns > clock:
                    m.clock = sched.io_ns
                if m.watch is not None:
                    m.emit(FD_READ, pd.event_name(), len(data))
                return data
        outcome = unbroken(m, g, self._operate, READ, self.receive if n else _receive_nothing, n, has_tried)
        if type(outcome) is Failure:
            raise outcome.error
        return outcome  # type: ignore[no-any-return]

    def read_into(self, buffer: Any) -> int:
        """The same, into a buffer; how many bytes came.

        Go: internal/poll/fd_unix.go FD.Read.
        """
        return self._do("readinto", READ, self.receive_into, buffer)  # type: ignore[no-any-return]

    def write(self, data: Any) -> int:  # hot: echo
        """Write everything (bytes, or a flat view of them), waiting for room; returns how much that was.

        Raises: OSError, the host's own or one of internal.errno, `.written` of which says how much was written before;
        RuntimeError outside a goroutine.
        Go: internal/poll/fd_unix.go FD.Write.
        """
        g: G = getcurrent()  # type: ignore[assignment]
        try:
            m = g.m
            m.clock = clock = m.clock + CALL_COST
        except AttributeError:
            raise outside(f"{self.what}.write") from None
        sched = m.sched
        if self.sched is not sched:
            belong(self, sched)
        pd = self.pd
        written = 0
        has_tried = False
        if clock < m.horizon and not self.wlocked and not pd.write_error:
            if sched.sysmonwait:
                sched.wake_sysmon(m)
            pd.wg = None
            if sched.io_ns < clock:
                sched.io_ns = clock
            try:
                written = self.transmit(data, NO_SIGNAL)
            except BlockingIOError:
                has_tried = True
            else:
                if m.watch is not None:
                    m.emit(FD_WRITE, pd.event_name(), written)
                if written == len(data):
                    return written
        rest = Rest(self, memoryview(data), written)
        outcome = unbroken(m, g, self._operate, WRITE, rest.send, None, has_tried)
        if type(outcome) is Failure:
            outcome.error.written = rest.written
            raise outcome.error
        m = g.m
        if m.watch is not None:
            m.emit(FD_WRITE, pd.event_name(), len(data) - written)
        return len(data)

    def accept(self, attempt: Callable[[None], Any]) -> Any:
        """What attempt(None) returns, waiting for a connection.

        Go: internal/poll/fd_unix.go FD.Accept.
        """
        return self._do("accept", READ, attempt, None)

    def wait_write(self) -> None:
        """Wait until it can be written. For who connects: nobody else knows it yet.

        Go: internal/poll/fd_unix.go FD.WaitWrite.
        """
        self._do("dial", WRITE, _nothing, None, has_tried=True)

    def _do(self, name: str, mode: int, attempt: Callable[[Any], Any], argument: Any, has_tried: bool = False) -> Any:
        """An operation that is not as frequent."""
        g: G = getcurrent()  # type: ignore[assignment]
        m = getattr(g, "m", None)
        if m is None:
            raise outside(f"{self.what}.{name}")
        if self.sched is not m.sched:
            belong(self, m.sched)
        m.clock += CALL_COST
        if m.sched.sysmonwait:
            m.sched.wake_sysmon(m)
        outcome = unbroken(m, g, self._operate, mode, attempt, argument, has_tried)
        if type(outcome) is Failure:
            raise outcome.error
        return outcome

    def _operate(self, m: M, g: G, mode: int, attempt: Callable[[Any], Any], argument: Any, has_tried: bool) -> Any:
        """The safepoint, and what follows it."""
        if not has_tried and m.clock >= m.horizon:
            sched = m.sched
            if safepoint(m, g, OP_IO, None) is None:
                if mode == READ:
                    end_again(sched)
                return None  # in a `finally` of an abandoned goroutine: nothing is written any more
            if sched.controller is not None:
                return sched.controller.perform(g, self._perform, g, mode, attempt, argument, has_tried)
        return self._perform(g, mode, attempt, argument, has_tried)

    def _perform(self, g: G, mode: int, attempt: Callable[[Any], Any], argument: Any, has_tried: bool) -> Any:
        """Lock, try, wait, try again, unlock. Returns what attempt(argument) does, or a Failure.

        has_tried: the host has just said EAGAIN, since the slot was emptied.
        """
        if not self._lock(g.m, g, mode):
            return Failure(self._closing())
        pd = self.pd
        outcome: Any = None
        code = pd.read_error if mode == READ else pd.write_error
        if attempt is _receive_nothing:
            code = NO_ERROR  # it does not wait, so no deadline ends it
        if not code and not has_tried:
            if mode == READ:
                pd.rg = None
            else:
                pd.wg = None
        while not code:
            if has_tried:
                code = netpoll.poll_wait(g.m, g, pd, mode)
                if code:
                    break
            has_tried = True
            try:
                outcome = attempt(argument)
            except BlockingIOError:
                continue
            except HOST_ERRORS as error:  # the caller gets it, once the lock is given back
                outcome = Failure(error)
            break
        if code:
            outcome = Failure(self._error(code))
        m = g.m
        sched = m.sched
        if mode == READ:
            if sched.io_ns > m.clock:
                m.clock = sched.io_ns
            if m.watch is not None and type(outcome) is not Failure:
                m.emit(FD_READ, pd.event_name(), count_of(outcome))
        elif sched.io_ns < m.clock:
            sched.io_ns = m.clock
        # Unoptimised form: self._unlock(m, g, mode).
        if self.rwaiting or self.wwaiting or self.closed:
            self._unlock(m, g, mode)
        else:
            self.users -= 1
            if mode == READ:
                self.rlocked = False
            else:
                self.wlocked = False
        return outcome

    # Closing.

    def close(self) -> None:
        """Send everybody away who waits, and give the descriptor back to the host when the last one has left.

        Raises: OSError, the host's own or one of internal.errno; RuntimeError outside a goroutine.
        Go: internal/poll/fd_unix.go FD.Close.
        """
        need_room(ROOM)
        g: G = getcurrent()  # type: ignore[assignment]
        m = getattr(g, "m", None)
        if m is None:
            raise outside(f"{self.what}.close")
        if self.sched is not m.sched:
            belong(self, m.sched)
        m.clock += CALL_COST
        error = unbroken(m, g, self._close)
        if error is not None:
            raise error

    def _close(self, m: M, g: G) -> OSError | None:
        sched = m.sched
        if m.clock >= m.horizon:
            if safepoint(m, g, OP_IO, None) is None:
                return None  # the run is over, and closes everything
            if sched.controller is not None:
                return sched.controller.perform(g, self._close_now, g)  # type: ignore[no-any-return]
        return self._close_now(g)

    def _close_now(self, g: G) -> OSError | None:
        """The rest of `close`: fdMutex.increfAndClose, evict, decref, wait."""
        if self.closed:
            return self._closing()
        m = g.m
        self.closed = True
        self._use()
        for sema, count in ((self.rsema, self.rwaiting), (self.wsema, self.wwaiting)):
            for _ in range(count):
                assert sema is not None
                sema.release(m, g, is_handoff=False)
        self.rwaiting = self.wwaiting = 0
        netpoll.poll_unblock(m, self.pd)
        self.csema = Sema()
        error = self._leave(m, g)
        self.csema.acquire(m, g)
        return error

    def _leave(self, m: M, g: G) -> OSError | None:
        """One user less; the last one after closing gives the descriptor back.

        Go: internal/poll/fd_mutex.go FD.decref; internal/poll/fd_unix.go FD.destroy.
        """
        self.users -= 1
        if self.users < 0:
            throw("inconsistent poll.fdMutex")
        if self.users or not self.closed:
            return None
        error = None
        netpoll.poll_close(m.sched, self.pd)
        try:
            self.shut()
        except OSError as failed:
            error = failed
        if m.watch is not None:
            m.emit(FD_CLOSE, self.pd.event_name())
        assert self.csema is not None
        self.csema.release(m, g, is_handoff=False)
        return error

    # What is neither.

    def set_deadline(self, t: float | None, mode: int, name: str = "set_deadline") -> None:
        """I/O in these directions fails from t on, an instant as `time.now()` gives it; None for never.

        Raises: OSError (internal.errno) if it is closed; TypeError if t is no number; RuntimeError outside a goroutine.
        Go: internal/poll/fd_poll_runtime.go setDeadlineImpl.
        """
        t_ns = None if t is None else seconds_to_ns(t, f"{self.what}.{name}: t")
        self.control(name, self._set_deadline, t_ns, mode)

    def set_timeout(self, delay_ns: int, mode: int) -> None:
        """The same, delay_ns from now.

        Raises: OSError (internal.errno) if it is closed; RuntimeError outside a goroutine.
        """
        self.control("set_deadline", self._set_timeout, delay_ns, mode)

    def _set_deadline(self, m: M, t_ns: int | None, mode: int) -> None:
        if t_ns is None:
            netpoll.poll_set_deadline(m, self.pd, 0, mode)
            return
        bubble = m.curg.bubble
        now_ns = m.sched.start_ns + m.sched.kernel.catch_up(m) if bubble is None else bubble.now_ns
        self._set_timeout(m, t_ns - now_ns, mode)

    def _set_timeout(self, m: M, delay_ns: int, mode: int) -> None:
        when_ns = min(m.sched.kernel.catch_up(m) + delay_ns, MAX_WHEN) if delay_ns > 0 else -1
        netpoll.poll_set_deadline(m, self.pd, when_ns, mode)

    def control(self, name: str, operation: Callable[..., Any], *args: Any) -> Any:
        """operation(m, *args) on a descriptor that nobody closes meanwhile; it does not block.

        Go: internal/poll/sockopt.go FD.SetsockoptInt.
        """
        need_room(ROOM)
        g: G = getcurrent()  # type: ignore[assignment]
        m = getattr(g, "m", None)
        if m is None:
            raise outside(f"{self.what}.{name}")
        if self.sched is not m.sched:
            belong(self, m.sched)
        m.clock += CALL_COST
        outcome = unbroken(m, g, self._control, operation, args)
        if type(outcome) is Failure:
            raise outcome.error
        return outcome

    def _control(self, m: M, g: G, operation: Callable[..., Any], args: tuple[Any, ...]) -> Any:
        sched = m.sched
        if m.clock >= m.horizon:
            if safepoint(m, g, OP_IO, None) is None:
                return None
            if sched.controller is not None:
                return sched.controller.perform(g, self._control_now, g, operation, args)
        return self._control_now(g, operation, args)

    def _control_now(self, g: G, operation: Callable[..., Any], args: tuple[Any, ...]) -> Any:
        if self.closed:
            return Failure(self._closing())
        try:
            return operation(g.m, *args)
        except HOST_ERRORS as error:
            return Failure(error)

    # The lock. Go: internal/poll/fd_mutex.go fdMutex.

    def _lock(self, m: M, g: G, mode: int) -> bool:
        """Be the only one inside in this direction; False if it is closed.

        Go: internal/poll/fd_mutex.go fdMutex.rwlock.
        """
        while not self.closed:
            if mode == READ:
                if not self.rlocked:
                    self._use()
                    self.rlocked = True
                    return True
                sema = self.rsema = self.rsema or Sema()
                self.rwaiting += 1
            else:
                if not self.wlocked:
                    self._use()
                    self.wlocked = True
                    return True
                sema = self.wsema = self.wsema or Sema()
                self.wwaiting += 1
            m = sema.acquire(m, g)  # who wakes this one has taken it off the count
        return False

    def _unlock(self, m: M, g: G, mode: int) -> None:
        """Leave, and let the next one in.

        Go: internal/poll/fd_mutex.go fdMutex.rwunlock.
        """
        if mode == READ:
            self.rlocked = False
            if self.rwaiting:
                assert self.rsema is not None
                self.rwaiting -= 1
                self.rsema.release(m, g, is_handoff=False)
        else:
            self.wlocked = False
            if self.wwaiting:
                assert self.wsema is not None
                self.wwaiting -= 1
                self.wsema.release(m, g, is_handoff=False)
        self._leave(m, g)

    def _use(self) -> None:
        if self.users >= MAX_USERS:
            panic(TOO_MANY)
        self.users += 1

    def check(self) -> None:
        """Its users are those who hold a lock, and who waits for a lock is counted."""
        if self.users < self.rlocked + self.wlocked:
            throw("check: a lock without a user")
        for sema, waiting, is_locked in (
            (self.rsema, self.rwaiting, self.rlocked),
            (self.wsema, self.wwaiting, self.wlocked),
        ):
            if waiting and not is_locked and (sema is None or not sema.count):
                throw("check: somebody waits for a lock that nobody holds")
            if self.closed and waiting:
                throw("check: somebody waits for what is closed")

    # Errors.

    def _closing(self) -> OSError:
        """Go: internal/poll/fd.go errClosing."""
        return ErrFileClosing() if self.is_file else ErrNetClosing()

    def _error(self, code: int) -> OSError:
        """Go: internal/poll/fd_poll_runtime.go convertErr."""
        if code == netpoll.CLOSING:
            return self._closing()
        return DeadlineExceededError() if code == netpoll.TIMED_OUT else ErrNotPollable()

    def __repr__(self) -> str:
        return f"<{self.what} {self.pd.event_name()}>"

    @property
    def made_at(self) -> str:
        """For who is told that it belongs to another run."""
        return ""


def need_room(frames: int) -> None:
    """Raises: RecursionError if there are not so many Python frames left, before anything has happened."""
    if frames:
        need_room(frames - 1)


class Failure:
    """What an operation returns instead of raising."""

    __slots__ = ("error",)

    def __init__(self, error: Any) -> None:
        self.error = error


class Rest:
    """What is still to be written."""

    __slots__ = ("_fd", "_view", "written")

    def __init__(self, fd: FD, view: memoryview, written: int) -> None:
        self._fd = fd
        self._view = view[written:]
        self.written = written

    def send(self, _: None) -> None:
        """Everything, or raise BlockingIOError."""
        while True:
            count = self._fd.transmit(self._view, NO_SIGNAL)
            self.written += count
            self._view = self._view[count:]
            if not self._view:
                return


def count_of(outcome: Any) -> int:
    """What an event says that was read: bytes, or one connection."""
    if isinstance(outcome, bytes):
        return len(outcome)
    return outcome if isinstance(outcome, int) else 1


def _receive_nothing(_: int) -> bytes:
    """A read of no bytes asks the host for nothing.

    Go: internal/poll/fd_unix.go FD.Read.
    """
    return b""


def _nothing(_: None) -> None:
    return


# What is asked of arguments.


def as_bytes(what: str, data: Any) -> Any:
    """Data to write as something whose `len` is its size in bytes.

    Raises: TypeError.
    """
    if isinstance(data, bytearray):
        return bytes(data)  # the program may change it while it is written
    try:
        return memoryview(data).cast("B")
    except TypeError:
        raise TypeError(f"{what}: data must be bytes, not {type(data).__name__}") from None


def as_buffer(what: str, buffer: Any) -> memoryview:
    """A buffer to read into.

    Raises: TypeError if it is none, or cannot be written to.
    """
    try:
        view = memoryview(buffer).cast("B")
    except TypeError:
        raise TypeError(f"{what}: buffer must be a bytearray or the like, not {type(buffer).__name__}") from None
    if view.readonly:
        raise TypeError(f"{what}: the buffer is read-only")
    return view


def check_count(what: str, n: Any) -> None:
    """Raises: TypeError unless n is an integer; ValueError if it is negative."""
    if isinstance(n, bool) or not isinstance(n, int):
        raise TypeError(f"{what} must be an integer, not {type(n).__name__}")
    if n < 0:
        raise ValueError(f"{what} must not be negative: {n}")


# What makes one.


def current_thread(what: str = "net") -> M:
    """The M of the running goroutine.

    Raises: RuntimeError outside a goroutine.
    """
    m, _ = current_m(what)
    return m


def now_ns() -> int:
    """Virtual time, which follows the wall clock while there is a descriptor."""
    m = current_thread()
    return m.sched.kernel.catch_up(m)


def make_fd(what: str, make: Callable[..., Any], *args: Any) -> Any:
    """make(m, *args) as one step of the running goroutine; it makes a descriptor, say, and does not block.

    Raises: OSError, as make does; RuntimeError outside a goroutine.
    """
    need_room(ROOM)
    m, g = current_m(what)
    m.clock += costs.SOCKET_OPEN
    outcome = unbroken(m, g, _make, make, args)
    if type(outcome) is Failure:
        raise outcome.error
    return outcome


def _make(m: M, g: G, make: Callable[..., Any], args: tuple[Any, ...]) -> Any:
    if m.clock >= m.horizon:
        sched = m.sched
        if safepoint(m, g, OP_IO, None) is None:
            end_again(sched)
        if sched.controller is not None:
            return sched.controller.perform(g, _make_now, g, make, args)
    return _make_now(g, make, args)


def _make_now(g: G, make: Callable[..., Any], args: tuple[Any, ...]) -> Any:
    try:
        return make(g.m, *args)
    except HOST_ERRORS as error:  # the caller gets it, from where nothing is half done
        return Failure(error)
