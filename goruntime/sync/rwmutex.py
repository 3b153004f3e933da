"""RWMutex: many readers or one writer; a writer that waits keeps new readers out.

`reader_count` is the number of readers, those who wait included; a writer that has announced itself takes MAX_READERS
off, so that it is negative while one is pending or holds the lock. `reader_wait` is how many readers the pending writer
still waits for. Writers compete through the Mutex `w`, so a second one shows as `sync.Mutex.Lock`.

An unlock lets in all readers that wait before the next writer gets its turn: readers and writers cannot starve one
another.

Go: sync/rwmutex.go RWMutex.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from greenlet import getcurrent

from ..base.errors import throw
from ..base.events import SYNC_LOCK, SYNC_UNLOCK
from ..kernel import costs
from ..lang.owner import Owned, outside
from ..sched import waitreason
from ..sched.inner import inner_point
from ..sched.ops import OP_ANNOUNCE, OP_DRAIN, OP_LOCK, OP_RLOCK, OP_RUNLOCK, OP_TRY_LOCK, OP_UNLOCK
from ..sched.sema import Sema
from .mutex import FREE, LOCKED, STARVING, WAITED, Mutex

if TYPE_CHECKING:
    from ..sched.bubble import Bubble
    from ..sched.g import G
    from ..sched.m import M

MAX_READERS = 1 << 30  # Go: rwmutexMaxReaders

READ_COST = costs.RWMUTEX_READ
WRITE_COST = costs.RWMUTEX_WRITE
READER_REASON = waitreason.SYNC_RWMUTEX_RLOCK
WRITER_REASON = waitreason.SYNC_RWMUTEX_LOCK


class RWMutex(Owned):
    """A lock that many readers or one writer hold. `with rw:` locks it for writing, `with rw.rlocker():` for reading.

    Read locks may not be nested: a writer that comes in between waits for the first and keeps the second out.
    Go: sync/rwmutex.go RWMutex.
    """

    __slots__ = ("read_in", "reader_count", "reader_sema", "reader_wait", "w", "writer_sema")
    KIND = "rwmutex"

    def __init__(self) -> None:
        Owned.__init__(self)
        self.w = Mutex()  # held by the pending or present writer
        self.writer_sema = Sema()
        self.reader_sema = Sema()
        self.reader_count = 0
        self.reader_wait = 0
        self.read_in: dict[Bubble, int] = {}  # readers by bubble; see Mutex.is_held_in

    def rlock(self) -> None:  # hot: rwmutex
        """Lock for reading, waiting while a writer holds it or waits for it.

        Raises: RuntimeError outside a goroutine.
        Go: sync/rwmutex.go RWMutex.RLock.
        """
        g: G = getcurrent()  # type: ignore[assignment]
        try:
            m = g.m
            clock = m.clock + READ_COST
        except AttributeError:
            raise outside("sync.RWMutex.rlock") from None
        if self.ns > clock:
            clock = self.ns
        # Unoptimised form: the call below, always.
        if self.reader_count >= 0 and clock < m.horizon and self.sched is m.sched and m.watch is None:
            m.clock = self.ns = clock
            self.reader_count += 1
        else:
            self.step("sync.RWMutex.rlock", READ_COST, OP_RLOCK, self._acquire_read)

    def runlock(self) -> None:  # hot: rwmutex
        """Undo one rlock; the last reader that a writer waits for lets it in.

        Raises: FatalError "sync: RUnlock of unlocked RWMutex", which cannot be recovered; RuntimeError outside a
        goroutine.
        Go: sync/rwmutex.go RWMutex.RUnlock.
        """
        g: G = getcurrent()  # type: ignore[assignment]
        try:
            m = g.m
            clock = m.clock + READ_COST
        except AttributeError:
            raise outside("sync.RWMutex.runlock") from None
        if self.ns > clock:
            clock = self.ns
        # Unoptimised form: the call below, always.
        if self.reader_count > 0 and clock < m.horizon and self.sched is m.sched and m.watch is None:
            m.clock = self.ns = clock
            self.reader_count -= 1
        else:
            self.step("sync.RWMutex.runlock", READ_COST, OP_RUNLOCK, self._release_read)

    def try_rlock(self) -> bool:
        """Lock for reading if no writer holds it or waits for it; says whether it did.

        Raises: RuntimeError outside a goroutine.
        Go: sync/rwmutex.go RWMutex.TryRLock.
        """
        return bool(self.step("sync.RWMutex.try_rlock", READ_COST, OP_TRY_LOCK, self._try_acquire_read))

    def lock(self) -> None:
        """Lock for writing: keep new readers out, and wait for those who are in.

        Raises: RuntimeError outside a goroutine.
        Go: sync/rwmutex.go RWMutex.Lock.
        """
        if not self.reader_count and not self.w.state and self.quick(WRITE_COST):
            self.w.state = LOCKED
            self.reader_count = -MAX_READERS
        else:
            self.step("sync.RWMutex.lock", WRITE_COST, OP_LOCK, self._acquire)

    def unlock(self) -> None:
        """Unlock for writing: all readers that wait get in, then the next writer has its turn.

        Raises: FatalError "sync: Unlock of unlocked RWMutex", which cannot be recovered; RuntimeError outside a
        goroutine.
        Go: sync/rwmutex.go RWMutex.Unlock.
        """
        if self.reader_count == -MAX_READERS and self.w.state == LOCKED and self.quick(WRITE_COST):
            self.reader_count = 0
            self.w.state = 0
        else:
            self.step("sync.RWMutex.unlock", WRITE_COST, OP_UNLOCK, self._release)

    def try_lock(self) -> bool:
        """Lock for writing if nobody holds it; says whether it did.

        Raises: RuntimeError outside a goroutine.
        Go: sync/rwmutex.go RWMutex.TryLock.
        """
        return bool(self.step("sync.RWMutex.try_lock", WRITE_COST, OP_TRY_LOCK, self._try_acquire))

    def rlocker(self) -> RLocker:
        """The readers' side as a lock of its own, for `with` and Cond.

        Go: sync/rwmutex.go RWMutex.RLocker.
        """
        return RLocker(self)

    def __enter__(self) -> None:
        self.lock()

    def __exit__(self, *_: object) -> None:
        self.unlock()

    # What the operations do.

    def _acquire_read(self, m: M, g: G) -> None:
        self.reader_count += 1
        how = "read"
        if self.reader_count < 0:
            m = self.reader_sema.acquire(m, g, READER_REASON, obj=self)
            self.join(m)
            how = "read after waiting"
        if g.bubble is not None:
            self._count_read(g.bubble, 1)
        if m.watch is not None:
            m.emit(SYNC_LOCK, self.event_name(), how)

    def _release_read(self, m: M, g: G) -> None:
        count = self.reader_count - 1
        if count + 1 in (0, -MAX_READERS):
            m.sched.fatal(m, g, "sync: RUnlock of unlocked RWMutex")
        self.reader_count = count
        if g.bubble is not None:
            self._count_read(g.bubble, -1)
        if m.watch is not None:
            m.emit(SYNC_UNLOCK, self.event_name(), "read")
        if count < 0:
            self.reader_wait -= 1
            if self.reader_wait == 0:
                self.writer_sema.release(m, g, obj=self)
            else:
                for bubble in self.read_in:  # the readers that are left may be all of one
                    bubble.look_again(m)

    def _try_acquire_read(self, m: M, g: G) -> bool:
        is_free = self.reader_count >= 0
        if is_free:
            self.reader_count += 1
            if g.bubble is not None:
                self._count_read(g.bubble, 1)
        if m.watch is not None:
            m.emit(SYNC_LOCK, self.event_name(), "read, tried" if is_free else "read, refused")
        return is_free

    def _acquire(self, m: M, g: G) -> None:
        how = FREE
        if self.w.state:
            how = self.w.lock_slow(m, g)
            m = g.m
        else:
            self.w.state = LOCKED
        self.w.held_in = g.bubble
        m = inner_point(m, g, OP_ANNOUNCE, self)
        self.join(m)
        readers = self.reader_count
        self.reader_count = readers - MAX_READERS
        self.reader_wait += readers
        if readers and self.reader_wait:
            m = inner_point(m, g, OP_DRAIN, self)
            m = self.writer_sema.acquire(m, g, WRITER_REASON, obj=self)
            self.join(m)
            how = WAITED
        if m.watch is not None:
            m.emit(SYNC_LOCK, self.event_name(), how)

    def _release(self, m: M, g: G) -> None:
        readers = self.reader_count + MAX_READERS
        if readers >= MAX_READERS:
            m.sched.fatal(m, g, "sync: Unlock of unlocked RWMutex")
        self.reader_count = readers
        if m.watch is not None:
            m.emit(SYNC_UNLOCK, self.event_name(), f"lets {readers} in" if readers else "free")
        for _ in range(readers):
            m = self.reader_sema.release(m, g, obj=self)
        self.w.unlock_now(m, g)

    def _try_acquire(self, m: M, g: G) -> bool:
        is_free = False
        if not self.w.state & (LOCKED | STARVING):
            self.w.state |= LOCKED
            self.w.held_in = g.bubble
            m = inner_point(m, g, OP_TRY_LOCK, self)
            is_free = self.reader_count == 0
            if is_free:
                self.reader_count = -MAX_READERS
            else:
                m = inner_point(m, g, OP_UNLOCK, self)
                m = self.w.unlock_now(m, g)
        if m.watch is not None:
            m.emit(SYNC_LOCK, self.event_name(), "tried" if is_free else "refused")
        return is_free

    def _count_read(self, bubble: Bubble, change: int) -> None:
        """One reader of a synctest bubble more, or less."""
        count = self.read_in.get(bubble, 0) + change
        if count > 0:
            self.read_in[bubble] = count
        else:
            self.read_in.pop(bubble, None)

    def is_fatal(self, op: int) -> bool:
        """Would the operation end the program now?"""
        if op == OP_RUNLOCK:
            return self.reader_count in (0, -MAX_READERS)
        return op == OP_UNLOCK and self.reader_count >= 0

    def is_held_in(self, bubble: Bubble, op: int) -> bool:
        """For a synctest bubble with durable mutexes: its goroutines hold what the operation waits for.

        A writer that has announced itself waits for readers, everybody else for the writer.
        """
        if op == OP_DRAIN:
            return self.read_in.get(bubble, 0) == self.reader_wait
        return self.w.is_held_in(bubble)

    def ready(self, op: int, g: G) -> bool:
        """Would the operation complete now?"""
        if op == OP_LOCK:
            return not self.w.state & (LOCKED | STARVING)
        if op == OP_RLOCK:  # after an unlock too many there may be one to take although a writer is pending
            return self.reader_count >= 0 or self.reader_sema.count > 0
        if op == OP_DRAIN:
            return self.writer_sema.count > 0
        return True

    def check(self) -> None:
        """The counts and the queues agree."""
        self.w.check()
        self.writer_sema.check()
        self.reader_sema.check()
        is_announced = self.reader_count < 0
        if not -MAX_READERS <= self.reader_count < MAX_READERS:
            throw("check: rwmutex has too many readers")
        if is_announced and not self.w.state & (LOCKED | STARVING):
            throw("check: rwmutex has a writer that does not hold w")
        if self.reader_sema.waiting() and not is_announced:
            throw("check: readers wait for no writer")
        if is_announced and len(self.reader_sema.waiting()) > self.reader_count + MAX_READERS:
            throw("check: readers wait that are not counted")
        if len(self.writer_sema.waiting()) > 1:
            throw("check: two writers wait for readers")
        if is_announced and not 0 <= self.reader_wait <= self.reader_count + MAX_READERS:
            throw("check: rwmutex waits for readers that are not there")

    def __repr__(self) -> str:
        count = self.reader_count
        if count >= 0:
            return f"<sync.RWMutex, {count} readers>" if count else "<sync.RWMutex>"
        waits = f" waits for {self.reader_wait} readers" if self.reader_wait else ", locked"
        return f"<sync.RWMutex{waits}>"


class RLocker:
    """The readers' side of an RWMutex: `lock` is its rlock, `unlock` its runlock."""

    __slots__ = ("rw",)

    def __init__(self, rw: RWMutex) -> None:
        self.rw = rw

    def lock(self) -> None:
        """Lock for reading."""
        self.rw.rlock()

    def unlock(self) -> None:
        """Undo one lock for reading."""
        self.rw.runlock()

    def __enter__(self) -> None:
        self.rw.rlock()

    def __exit__(self, *_: object) -> None:
        self.rw.runlock()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RLocker) and other.rw is self.rw

    def __hash__(self) -> int:
        return object.__hash__(self.rw)

    def __repr__(self) -> str:
        return f"<sync.RLocker of {self.rw!r}>"


__all__ = ["RLocker", "RWMutex"]
