"""Threads may be apart by a quantum, yet nothing arrives before it was sent and nobody's clock runs backwards."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from greenlet import getcurrent

from goruntime import chan, default, go, run, select
from goruntime.base.events import GO_PARK, GO_START, GO_YIELD
from goruntime.kernel import costs
from goruntime.runtime import gomaxprocs, gosched, lock_os_thread, work
from goruntime.time import after, now, sleep
from tests.model.invariants import doors

QUANTA = [0, 1e-6, 5e-6, 50e-6]
MESSAGES = 100_000
ROUTES = 8


def clock() -> int:
    """The clock of the thread that the calling goroutine is on, ns."""
    return getcurrent().m.clock  # type: ignore[attr-defined,no-any-return]


class Clocks:
    """Watches goroutines' clocks."""

    def __init__(self) -> None:
        self.last: dict[int, int] = defaultdict(int)

    def read(self, who: int) -> int:
        ns = clock()
        assert ns >= self.last[who], "a goroutine's clock ran backwards"
        self.last[who] = ns
        return ns


def stations(capacity: int, count: int) -> Callable[[], int]:
    """Senders and receivers that compute, each pair over a channel of its own and one that all share."""

    def main() -> int:
        clocks = Clocks()
        shared: Any = chan(capacity)
        done: Any = chan(2 * ROUTES)
        own = [chan(capacity) for _ in range(ROUTES)]

        def send(who: int) -> None:
            for number in range(count // ROUTES):
                if number % 5 == who % 5:
                    work((who * 37 + number * 11) % 9_000 / 1e9)
                (shared if number % 3 == 0 else own[who]).send(clocks.read(who))
                clocks.read(who)
            own[who].close()
            done.send(0)

        def receive(who: int) -> None:
            received = 0
            while True:
                _, (sent_ns, ok) = select(shared.recv_, own[who - ROUTES].recv_)
                if not ok:
                    break
                assert clocks.read(who) >= sent_ns, "received before it was sent"
                received += 1
                if received % 7 == who % 7:
                    gosched()
                    clocks.read(who)
            done.send(received)

        for who in range(ROUTES):
            go(send, who)
            go(receive, ROUTES + who)
        total = sum(done.recv() for _ in range(2 * ROUTES))
        while shared:
            index, _ = select(shared.recv_, after(0).recv)
            if index:
                break
            total += 1
        return total

    return main


@pytest.mark.slow
@pytest.mark.parametrize("quantum", QUANTA)
def test_no_message_of_100000_is_received_before_it_was_sent(quantum):
    with doors(is_open=False):
        unbuffered = run(stations(0, MESSAGES // 2), gomaxprocs=4, quantum=quantum)
        buffered = run(stations(3, MESSAGES // 2), gomaxprocs=4, quantum=quantum)
    assert unbuffered + buffered > MESSAGES // 2
    with doors(is_open=True):
        assert run(stations(0, 4_000), gomaxprocs=4, quantum=quantum) > 2_000


@pytest.mark.parametrize("quantum", QUANTA)
@pytest.mark.parametrize("by_select", [False, True])
def test_an_unbuffered_send_does_not_end_before_its_receive_began(quantum, by_select):
    """(Go's memory model: a receive is synchronized before the completion of its send.)

    Each side computes by many cheap operations: only between those may threads be apart by the quantum.
    """

    def main() -> None:
        ch: Any = chan()
        other: Any = chan()
        arrived: list[int] = []

        def receive() -> None:
            lock_os_thread()  # so that the two do not share a P
            private: Any = chan(1)
            for number in range(100):
                compute(private, number * 13_100 % 120_000)
                arrived.append(clock())
                if by_select:
                    select(other.recv, ch.recv)
                else:
                    ch.recv()

        go(receive)
        private: Any = chan(1)
        for number in range(100):
            compute(private, number * 17_300 % 120_000)
            ch.send(number)
            assert clock() >= arrived[number]

    run(main, gomaxprocs=4, quantum=quantum)


def compute(private: Any, duration_ns: int) -> None:
    """Many cheap operations, of about a microsecond each."""
    cases = (private.recv,) * (1_000 // costs.SELECT_CASE) + (default,)
    for _ in range(duration_ns // 1_000):
        select(*cases)


@pytest.mark.parametrize("quantum", QUANTA)
def test_close_go_and_timers_carry_the_time_along(quantum):
    def main() -> None:
        for number in range(100):
            gate: Any = chan()
            seen: Any = chan(4)

            def wait(gate: Any = gate, seen: Any = seen) -> None:
                gate.recv()
                seen.send(clock())

            for _ in range(3):
                before_ns = clock()
                go(lambda before_ns=before_ns, seen=seen: seen.send(clock() - before_ns))
                assert seen.recv() >= 0
                go(wait)
            work(number * 97 % 20_000 / 1e9)
            closed_ns = clock()
            gate.close()
            assert all(seen.recv() >= closed_ns for _ in range(3))
            due_ns = clock() + 20_000
            after(20e-6).recv()
            assert clock() >= due_ns
            sleep(5e-6)

    run(main, gomaxprocs=4, quantum=quantum)


@pytest.mark.parametrize("quantum", QUANTA)
def test_the_time_of_day_never_runs_backwards_for_anybody(quantum):
    def main() -> None:
        latest = [0]
        done: Any = chan(6)

        def look(who: int) -> None:
            for number in range(200):
                work((who * 61 + number * 17) % 3_000 / 1e9)
                ns = now().ns
                assert ns >= latest[0]
                latest[0] = ns
            done.send(None)

        for who in range(6):
            go(look, who)
        for _ in range(6):
            done.recv()

    run(main, gomaxprocs=4, quantum=quantum)


def spans(events: list[tuple[Any, ...]]) -> Iterator[tuple[int, int, int]]:
    """(goroutine, begin, end) of each stretch in which a goroutine ran."""
    began: dict[int, int] = {}
    for kind, ns, _, _, g, *_ in events:
        if kind == GO_START:
            began[g] = ns
        elif kind in (GO_PARK, GO_YIELD):
            yield g, began.pop(g), ns


@pytest.mark.parametrize("quantum", QUANTA)
def test_no_goroutine_runs_in_two_places_at_once(quantum):
    def main() -> None:
        ch: Any = chan(1)
        done: Any = chan()

        def play(who: int) -> None:
            for number in range(60):
                if who % 2:
                    ch.send(number)
                else:
                    ch.recv()
                work(number * 41 % 2_000 / 1e9)
                if number == 30 and who == 0:
                    gomaxprocs(3)
            done.send(None)

        for who in range(6):
            go(play, who)
        for _ in range(6):
            done.recv()

    events: list[tuple[Any, ...]] = []
    run(main, gomaxprocs=4, quantum=quantum, events=events)
    last: dict[int, int] = defaultdict(int)
    count = 0
    for g, began, ended in spans(events):
        assert last[g] <= began <= ended
        last[g] = ended
        count += 1
    assert count > 100
