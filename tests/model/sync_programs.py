"""Random programs with locks, groups and conditions, and the naive rules that hold of them on any number of Ps.

A program is drawn from a seed. Every operation that gets or gives something is told to a `Witness`, which keeps plain
sets and counters: who is in which critical section, which tokens are where, what a group is waiting for. And when it
was, by the clock of the thread: nobody gets anything before it was given.
"""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

from goruntime import go, run
from goruntime.atomic import Int64
from goruntime.runtime import goid, gosched, work
from goruntime.sync import Cond, Map, Mutex, Once, Pool, RWMutex, WaitGroup
from goruntime.time import now, sleep
from tests.model.programs import now_ns

MUTEXES = 3
RWMUTEXES = 2
CAPACITY = 3  # of the store that is guarded by conditions


class Witness:
    """What must hold, in words of one syllable."""

    def __init__(self) -> None:
        self.owner: dict[Any, int] = {}  # lock -> who holds it alone
        self.readers: dict[Any, Counter[int]] = {}
        self.entered: Counter[Any] = Counter()
        self.made: set[int] = set()
        self.taken: set[int] = set()
        self.given_ns: Counter[Any] = Counter()  # what somebody gets -> the latest instant at which it was given

    def give(self, what: Any) -> None:
        """Others may get it from here on."""
        self.given_ns[what] = max(self.given_ns[what], now_ns())

    def get(self, what: Any) -> None:
        """It was given before."""
        assert now_ns() >= self.given_ns[what], "got before it was given"

    def enter(self, lock: Any) -> None:
        """Somebody has it alone."""
        assert lock not in self.owner, "two owners"
        assert not self.readers.get(lock), "a writer among readers"
        self.get(lock)
        self.get((lock, "read"))
        self.owner[lock] = goid()
        self.entered[lock] += 1

    def leave(self, lock: Any) -> None:
        assert self.owner.pop(lock) == goid()
        self.give(lock)

    def enter_read(self, lock: Any) -> None:
        assert lock not in self.owner, "a reader beside a writer"
        self.get(lock)
        self.readers.setdefault(lock, Counter())[goid()] += 1

    def leave_read(self, lock: Any) -> None:
        readers = self.readers[lock]
        readers[goid()] -= 1
        if not readers[goid()]:
            del readers[goid()]
        self.give((lock, "read"))


class World:
    """The objects of one run."""

    def __init__(self, draw: random.Random) -> None:
        self.draw = draw
        self.mutexes = [Mutex() for _ in range(MUTEXES)]
        self.rwmutexes = [RWMutex() for _ in range(RWMUTEXES)]
        self.guard = Mutex()
        self.not_full, self.not_empty = Cond(self.guard), Cond(self.guard)
        self.store: list[int] = []
        self.next_token = 0
        self.witness = Witness()
        self.once, self.once_calls = Once(), [0]
        self.count, self.expected = Int64(), [0]
        self.pool, self.map = Pool(), Map()
        self.in_hand: set[int] = set()

    def check(self) -> None:
        """Every structure is sound."""
        for obj in (*self.mutexes, *self.rwmutexes, self.guard, self.not_full, self.not_empty, self.once, self.pool):
            obj.check()


def pause(draw: random.Random) -> None:
    """Let time pass, or others run, or neither."""
    match draw.randrange(4):
        case 0:
            gosched()
        case 1:
            work(draw.choice((1e-6, 1e-5, 1e-4)))
        case 2 if draw.randrange(4) == 0:
            sleep(draw.choice((1e-5, 2e-3)))


def use_mutex(w: World, draw: random.Random, depth: int = 0) -> None:
    """Lock one mutex, and perhaps a later one inside; by turns with lock, try_lock and `with`."""
    index = draw.randrange(depth, MUTEXES)
    mu = w.mutexes[index]
    if draw.randrange(4) == 0:
        if not mu.try_lock():
            return
    else:
        mu.lock()
    w.witness.enter(mu)
    pause(draw)
    if index + 1 < MUTEXES and draw.randrange(3) == 0:
        use_mutex(w, draw, index + 1)
    w.witness.leave(mu)
    mu.unlock()


def use_rwmutex(w: World, draw: random.Random) -> None:
    """Read or write."""
    rw = draw.choice(w.rwmutexes)
    if draw.randrange(3):
        if draw.randrange(4) == 0:
            if not rw.try_rlock():
                return
        else:
            rw.rlock()
        w.witness.enter_read(rw)
        pause(draw)
        w.witness.leave_read(rw)
        rw.runlock()
        return
    if draw.randrange(4) == 0:
        if not rw.try_lock():
            return
    else:
        rw.lock()
    w.witness.enter(rw)
    pause(draw)
    w.witness.leave(rw)
    rw.unlock()


def make_token(w: World, draw: random.Random) -> None:
    """Put a token into the store, waiting for room."""
    with w.guard:
        while len(w.store) == CAPACITY:
            w.not_full.wait()
        w.witness.enter(w.guard)
        w.next_token += 1
        w.witness.made.add(w.next_token)
        w.store.append(w.next_token)
        w.witness.give(("token", w.next_token))
        w.witness.leave(w.guard)
        w.not_empty.signal() if draw.randrange(2) else w.not_empty.broadcast()


def take_token(w: World, draw: random.Random) -> None:
    """Take one, waiting for it."""
    with w.guard:
        while not w.store:
            w.not_empty.wait()
        w.witness.enter(w.guard)
        token = w.store.pop(0)
        w.witness.get(("token", token))
        assert token not in w.witness.taken
        w.witness.taken.add(token)
        w.witness.leave(w.guard)
        w.not_full.signal() if draw.randrange(2) else w.not_full.broadcast()


def use_rest(w: World, draw: random.Random) -> None:
    """Once, an atomic, the pool and the map."""

    def first() -> None:
        pause(draw)
        w.once_calls[0] += 1
        w.witness.give("once")

    w.once.do(first)
    w.witness.get("once")
    assert w.once_calls[0] == 1
    delta = draw.randrange(-3, 4)
    w.count.add(delta)
    w.expected[0] += delta
    item = w.pool.get()
    if item is None:
        item = w.next_token = w.next_token + 1
    assert item not in w.in_hand, "an item in two hands"
    w.witness.get(("item", item))
    w.in_hand.add(item)
    pause(draw)
    w.in_hand.remove(item)
    w.witness.give(("item", item))
    w.pool.put(item)
    key = draw.randrange(4)
    value, _ = w.map.load_or_store(key, 0)
    while not w.map.compare_and_swap(key, value, value + 1):
        value, _ = w.map.load(key)
    w.count.add(0)


def body(w: World, seed: int, turns: int, tokens: int) -> None:
    """One goroutine: so many turns, and among them an even number of tokens, made or taken."""
    draw = random.Random(seed)
    jobs = [lambda: use_mutex(w, draw), lambda: use_rwmutex(w, draw), lambda: use_rest(w, draw)]
    plan = [draw.choice(jobs) for _ in range(turns)]
    token_job = make_token if tokens > 0 else take_token
    for _ in range(abs(tokens)):
        plan.insert(draw.randrange(len(plan) + 1), lambda: token_job(w, draw))
    for job in plan:
        job()
        pause(draw)


def main(seed: int, turns: int = 15) -> tuple[int, int, int]:
    """The program of a seed: two rounds of goroutines that a group waits for. The time at its end tells runs apart."""
    draw = random.Random(seed)
    w = World(draw)
    increments = 0
    for _ in range(2):
        wg, running = WaitGroup(), [0]
        makers = draw.randrange(1, 5)
        shares = [draw.randrange(1, 5) for _ in range(makers)]
        takers = draw.randrange(1, 5)
        left = sum(shares)
        for number in range(takers):
            part = left if number == takers - 1 else draw.randrange(left + 1)
            left -= part
            shares.append(-part)

        def task(number: int, tokens: int, running: list[int] = running, wg: WaitGroup = wg) -> None:
            running[0] += 1
            body(w, seed * 1_000 + number, turns, tokens)
            running[0] -= 1
            w.witness.give(wg)

        for number, tokens in enumerate(shares):
            if draw.randrange(2):
                wg.go(task, number, tokens)
            else:
                wg.add(1)
                started = number, tokens
                spawn(wg, task, started)
        for _ in range(draw.randrange(3)):
            spawn_waiter(w, wg, running)
        wg.wait()
        w.witness.get(wg)
        assert running[0] == 0
        assert wg.counter == wg.waiters == 0
        assert w.witness.made == w.witness.taken
        assert not w.store
        assert not w.witness.owner
        assert not any(w.witness.readers.values())
        w.check()
        wg.check()
        increments += len(shares)
    assert w.count.load() == w.expected[0]
    for lock in (*w.mutexes, w.guard):
        assert lock.state == 0
    for rw in w.rwmutexes:
        assert (rw.reader_count, rw.reader_wait, rw.w.state) == (0, 0, 0)
    return increments, sum(w.witness.entered.values()), now().ns


def spawn(wg: WaitGroup, task: Any, arguments: tuple[int, int]) -> None:
    """The old way of starting a task."""
    go(lambda: (task(*arguments), wg.done()))


def spawn_waiter(w: World, wg: WaitGroup, running: list[int]) -> None:
    """Somebody else who waits for the group."""

    def wait() -> None:
        wg.wait()
        w.witness.get(wg)
        assert running[0] == 0

    go(wait)


def execute(seed: int, **config: Any) -> tuple[int, int, int]:
    """Run the program of a seed; a deadlock, a lost wake-up or a broken rule raises."""
    result: tuple[int, int, int] = run(main, seed, seed=seed, max_time=60, **config)
    return result
