"""Package sync and its semaphores, by the rules: part of the machine for `reference`.

Every step between two yields is one that nobody else can see half-done: there is one P. Virtual time passes only by
timers and by computing, so a wait takes either no time or more than the 1 ms after which a mutex is starving; one in
which very much is printed raises `Reject`.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from .machine import Goroutine, Machine, Misuse, Reject, Steps

READERS_LIMIT = 1 << 30
STARVING_AFTER_MS = 1
PRINTED_LIMIT = 50
ADD_DURING_WAIT = "sync: WaitGroup misuse: Add called concurrently with Wait"
REUSED = "sync: WaitGroup is reused before previous Wait has returned"


@dataclass(eq=False, slots=True)
class Sleeper:
    """A goroutine in the queue of a semaphore; it need not compete once it was handed what was released."""

    goroutine: Goroutine
    was_handed: bool = False


@dataclass(eq=False, slots=True)
class Semaphore:
    """A count, and who waits for it."""

    count: int = 0
    queue: deque[Sleeper] = field(default_factory=deque)


@dataclass(eq=False, slots=True)
class Mutex:
    """Go's word of state, taken apart. A starving one that was unlocked is nobody's until the next owner runs."""

    is_locked: bool = False
    is_woken: bool = False
    is_starving: bool = False
    waiters: int = 0
    semaphore: Semaphore = field(default_factory=Semaphore)


@dataclass(eq=False, slots=True)
class RWMutex:
    """Readers and a writer; `readers` is negative as long as a writer holds it or waits."""

    writers: Mutex = field(default_factory=Mutex)
    readers: int = 0
    leaving: int = 0
    for_writer: Semaphore = field(default_factory=Semaphore)
    for_readers: Semaphore = field(default_factory=Semaphore)


@dataclass(eq=False, slots=True)
class WaitGroup:
    """How much is to be done, and how many wait for it."""

    counter: int = 0
    waiters: int = 0
    semaphore: Semaphore = field(default_factory=Semaphore)


@dataclass(eq=False, slots=True)
class Once:
    """Done or not."""

    mutex: Mutex = field(default_factory=Mutex)
    is_done: bool = False


@dataclass(eq=False, slots=True)
class Cond:
    """Tickets of waits that began, and of those notified; with the ways to lock and unlock."""

    lock: Callable[[Goroutine], Steps]
    unlock: Callable[[Goroutine], Steps]
    begun: int = 0
    notified: int = 0
    queue: deque[tuple[int, Goroutine]] = field(default_factory=deque)


@dataclass(eq=False, slots=True)
class Pool:
    """What one P keeps."""

    private: Any = None
    shared: list[Any] = field(default_factory=list)


class Locks(Machine):
    """A machine with locks."""

    def perform(self, goroutine: Goroutine, on: Any, method: str, arguments: list[int]) -> Steps:
        """Call a method without a result."""
        match on, method, arguments:
            case Mutex(), "lock", []:
                yield from self.lock(goroutine, on)
            case Mutex(), "unlock", []:
                yield from self.unlock(goroutine, on)
            case RWMutex(), "rlock", []:
                yield from self.read_lock(goroutine, on)
            case RWMutex(), "runlock", []:
                yield from self.read_unlock(goroutine, on)
            case RWMutex(), "lock", []:
                yield from self.write_lock(goroutine, on)
            case RWMutex(), "unlock", []:
                yield from self.write_unlock(goroutine, on)
            case WaitGroup(), "add", [delta]:
                yield from self.add(goroutine, on, delta)
            case WaitGroup(), "done", []:
                yield from self.add(goroutine, on, -1)
            case WaitGroup(), "wait", []:
                yield from self.wait_group(goroutine, on)
            case Cond(), "wait", []:
                yield from self.wait_notified(goroutine, on)
            case Cond(), "signal" | "broadcast", []:
                self.notify(on, method == "broadcast")
            case _:
                change(on, method, arguments)

    def fatal(self, goroutine: Goroutine, text: str) -> None:
        """Die of what cannot be recovered.

        Go: runtime/panic.go fatal.
        """
        self.die([f"fatal error: {text}"], goroutine, self.shows_all)

    # Semaphores.

    def acquire(self, goroutine: Goroutine, semaphore: Semaphore, reason: str, at_front: bool = False) -> Steps:
        """Take one.

        Go: runtime/sema.go semacquire1.
        """
        if semaphore.count:
            semaphore.count -= 1
            return
        sleeper = Sleeper(goroutine)
        while True:
            if at_front:
                semaphore.queue.appendleft(sleeper)
            else:
                semaphore.queue.append(sleeper)
            goroutine.status = reason
            yield
            if sleeper.was_handed:
                return
            if semaphore.count:
                semaphore.count -= 1
                return

    def release(self, goroutine: Goroutine, semaphore: Semaphore, hands_over: bool = False) -> Steps:
        """Give one back; hand it to the first who waits, and let that one run, if asked to.

        Go: runtime/sema.go semrelease1.
        """
        semaphore.count += 1
        if not semaphore.queue:
            return
        sleeper = semaphore.queue.popleft()
        if hands_over and semaphore.count:
            semaphore.count -= 1
            sleeper.was_handed = True
        self.put(sleeper.goroutine)
        if sleeper.was_handed:
            self.put_last(goroutine)
            yield

    # Mutexes.

    def lock(self, goroutine: Goroutine, mutex: Mutex) -> Steps:
        """Lock.

        Go: internal/sync/mutex.go lockSlow.
        """
        since: int | None = None
        is_starving = is_awake = False
        printed = len(self.lines)
        while True:
            is_free = not mutex.is_locked and not mutex.is_starving
            if is_starving and mutex.is_locked:
                mutex.is_starving = True
            elif not mutex.is_starving:
                mutex.is_locked = True
            if is_awake:
                assert mutex.is_woken
                mutex.is_woken = False
            if is_free:
                return
            mutex.waiters += 1
            has_waited = since is not None
            since = self.now if since is None else since
            yield from self.acquire(goroutine, mutex.semaphore, "sync.Mutex.Lock", at_front=has_waited)
            is_starving = is_starving or self.now - since > STARVING_AFTER_MS
            if not is_starving and len(self.lines) - printed > PRINTED_LIMIT:
                raise Reject("a wait for a mutex in which so much is printed that it may take 1 ms")
            if mutex.is_starving:
                assert mutex.waiters
                assert not mutex.is_locked
                assert not mutex.is_woken
                mutex.is_locked = True
                if not is_starving or mutex.waiters == 1:
                    mutex.is_starving = False
                mutex.waiters -= 1
                return
            is_awake = True

    def unlock(self, goroutine: Goroutine, mutex: Mutex) -> Steps:
        """Unlock.

        Go: internal/sync/mutex.go unlockSlow.
        """
        if not mutex.is_locked:
            self.fatal(goroutine, "sync: unlock of unlocked mutex")
        mutex.is_locked = False
        if mutex.is_starving:
            yield from self.release(goroutine, mutex.semaphore, hands_over=True)
        elif mutex.waiters and not mutex.is_woken:
            mutex.waiters -= 1
            mutex.is_woken = True
            yield from self.release(goroutine, mutex.semaphore)

    def read_lock(self, goroutine: Goroutine, rw: RWMutex) -> Steps:
        """Lock for reading.

        Go: sync/rwmutex.go RLock.
        """
        rw.readers += 1
        if rw.readers < 0:
            yield from self.acquire(goroutine, rw.for_readers, "sync.RWMutex.RLock")

    def read_unlock(self, goroutine: Goroutine, rw: RWMutex) -> Steps:
        """Unlock what was locked for reading.

        Go: sync/rwmutex.go RUnlock, rUnlockSlow.
        """
        rw.readers -= 1
        if rw.readers >= 0:
            return
        if rw.readers + 1 in (0, -READERS_LIMIT):
            self.fatal(goroutine, "sync: RUnlock of unlocked RWMutex")
        rw.leaving -= 1
        if rw.leaving == 0:
            yield from self.release(goroutine, rw.for_writer)

    def write_lock(self, goroutine: Goroutine, rw: RWMutex) -> Steps:
        """Lock for writing.

        Go: sync/rwmutex.go Lock.
        """
        yield from self.lock(goroutine, rw.writers)
        present = rw.readers
        rw.readers -= READERS_LIMIT
        if present:
            rw.leaving += present
            if rw.leaving:
                yield from self.acquire(goroutine, rw.for_writer, "sync.RWMutex.Lock")

    def write_unlock(self, goroutine: Goroutine, rw: RWMutex) -> Steps:
        """Unlock what was locked for writing.

        Go: sync/rwmutex.go Unlock.
        """
        rw.readers += READERS_LIMIT
        if rw.readers >= READERS_LIMIT:
            self.fatal(goroutine, "sync: Unlock of unlocked RWMutex")
        for _ in range(rw.readers):
            yield from self.release(goroutine, rw.for_readers)
        yield from self.unlock(goroutine, rw.writers)

    # Wait groups and conditions.

    def add(self, goroutine: Goroutine, group: WaitGroup, delta: int) -> Steps:
        """Change the counter.

        Go: sync/waitgroup.go Add.
        """
        group.counter += delta
        if group.counter < 0:
            raise Misuse("sync: negative WaitGroup counter")
        if group.waiters and delta > 0 and group.counter == delta:
            raise Misuse(ADD_DURING_WAIT)
        if group.counter == 0:
            waiters, group.waiters = group.waiters, 0
            for _ in range(waiters):
                yield from self.release(goroutine, group.semaphore)

    def wait_group(self, goroutine: Goroutine, group: WaitGroup) -> Steps:
        """Wait until the counter is zero.

        Go: sync/waitgroup.go Wait.
        """
        if not group.counter:
            return
        group.waiters += 1
        yield from self.acquire(goroutine, group.semaphore, "sync.WaitGroup.Wait")
        if group.counter or group.waiters:
            raise Misuse(REUSED)

    def wait_notified(self, goroutine: Goroutine, cond: Cond) -> Steps:
        """Wait for a notification.

        Go: sync/cond.go Wait; runtime/sema.go notifyListWait.
        """
        ticket = cond.begun
        cond.begun += 1
        yield from cond.unlock(goroutine)
        if ticket >= cond.notified:
            cond.queue.append((ticket, goroutine))
            goroutine.status = "sync.Cond.Wait"
            yield
        yield from cond.lock(goroutine)

    def notify(self, cond: Cond, everybody: bool) -> None:
        """Notify the first wait that has begun, or all.

        Go: runtime/sema.go notifyListNotifyOne, notifyListNotifyAll.
        """
        if cond.notified == cond.begun:
            return
        cond.notified = cond.begun if everybody else cond.notified + 1
        chosen = [entry for entry in cond.queue if entry[0] < cond.notified]
        for entry in chosen:
            cond.queue.remove(entry)
            self.put(entry[1])

    def make(self, kind: str, lock: Mutex | RWMutex | None, reads: bool) -> Any:
        """Make an object; `lock` is that of a condition."""
        match lock:
            case Mutex():
                return Cond(partial(self.lock, mutex=lock), partial(self.unlock, mutex=lock))
            case RWMutex() if reads:
                return Cond(partial(self.read_lock, rw=lock), partial(self.read_unlock, rw=lock))
            case RWMutex():
                return Cond(partial(self.write_lock, rw=lock), partial(self.write_unlock, rw=lock))
        kinds: dict[str, Callable[[], Any]] = {
            "mutex": Mutex, "rwmutex": RWMutex, "wait_group": WaitGroup, "once": Once, "pool": Pool, "map": dict,
            "int64": lambda: [0],
        }  # fmt: skip
        return kinds[kind]()


def ask(on: Any, method: str, arguments: list[int]) -> tuple[Any, ...]:
    """Call a method with results; none of them gives up the P."""
    match on, method:
        case Mutex(), "try_lock":
            is_free = not on.is_locked and not on.is_starving
            on.is_locked = on.is_locked or is_free
            return (is_free,)
        case RWMutex(), "try_rlock":
            on.readers += on.readers >= 0
            return (on.readers > 0,)
        case RWMutex(), "try_lock":
            if on.readers or on.writers.is_locked or on.writers.is_starving:
                return (False,)
            on.writers.is_locked = True
            on.readers = -READERS_LIMIT
            return (True,)
    return change(on, method, arguments)


def change(on: Any, method: str, arguments: list[int]) -> tuple[Any, ...]:
    """Do what nobody ever waits for: pools, maps, atomic integers."""
    match on:
        case Pool():
            return _change_pool(on, method, arguments)
        case dict():
            return _change_map(on, method, arguments)
        case list():
            before = on[0]
            is_swap = method == "compare_and_swap" and before == arguments[0]
            match method, arguments:
                case "add", [value]:
                    on[0] += value
                    return (on[0],)
                case "and_", [value]:
                    on[0] &= value
                case "or_", [value]:
                    on[0] |= value
                case "store" | "swap", [value]:
                    on[0] = value
                case "compare_and_swap", [_, value]:
                    on[0] = value if is_swap else before
                    return (is_swap,)
            return (before,)
    raise TypeError(method)


def _change_pool(pool: Pool, method: str, arguments: list[int]) -> tuple[Any, ...]:
    """Put or get: first the private place, then a stack.

    Go: sync/pool.go Put, Get.
    """
    if method == "put":
        if pool.private is None:
            pool.private = arguments[0]
        else:
            pool.shared.append(arguments[0])
        return ()
    got, pool.private = pool.private, None
    if got is None and pool.shared:
        got = pool.shared.pop()
    return (got,)


def _change_map(items: dict[int, int], method: str, arguments: list[int]) -> tuple[Any, ...]:
    """Go's methods of a map.

    Go: internal/sync/hashtriemap.go HashTrieMap.
    """
    if method == "clear":
        items.clear()
        return ()
    key, *values = arguments
    before, was_there = items.get(key), key in items
    match method:
        case "store" | "swap":
            items[key] = values[0]
        case "load_or_store":
            return items.setdefault(key, values[0]), was_there
        case "delete" | "load_and_delete":
            items.pop(key, None)
        case "compare_and_swap":
            matches = was_there and before == values[0]
            items |= {key: values[1]} if matches else {}
            return (matches,)
        case "compare_and_delete":
            matches = was_there and before == values[0]
            if matches:
                del items[key]
            return (matches,)
    return before, was_there
