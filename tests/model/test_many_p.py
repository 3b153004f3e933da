"""Random programs on several Ps: nothing is lost, doubled, out of order or received before it was sent."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goruntime.base.events import GO_PARK, GO_START
from tests.model.invariants import checked_at_every_step, doors
from tests.model.programs import MILLISECOND, Log, Machine, Program, strategy

DURATIONS = st.one_of(st.integers(0, 100_000), st.integers(0, 30 * MILLISECOND))
SLEEPS = st.one_of(st.integers(0, 100_000), st.integers(1, 30).map(lambda n: n * MILLISECOND))
CONFIGURATIONS = st.fixed_dictionaries(
    {
        "gomaxprocs": st.integers(1, 5),
        "quantum": st.sampled_from([0, 1e-6, 5e-6, 50e-6]),
        "seed": st.integers(0, 1 << 20),
    }
)


def check_log(program: Program, log: Log) -> None:
    """The conservation laws of channels, and that time passes."""
    sent: dict[Any, tuple[int, int]] = {}
    received: dict[Any, tuple[int, int]] = {}
    order: dict[tuple[int, int], list[Any]] = defaultdict(list)  # (channel, receiver) -> values, as it got them
    last_ns: Counter[int] = Counter()
    for entry in log.entries:
        assert last_ns[entry.who] <= entry.began_ns <= entry.ended_ns
        last_ns[entry.who] = entry.ended_ns
        if entry.value is None or entry.chan < 0:
            continue
        what, value = entry.value
        if what == "sent":
            assert value not in sent
            sent[value] = (entry.chan, entry.began_ns)
        elif what == "got":
            assert value not in received
            received[value] = (entry.chan, entry.ended_ns)
            order[entry.chan, entry.who].append(value)
    for who, (kind, chans, sends, value) in log.blocked.items():
        # A send that is still under way may have been received: its goroutine just has not run again.
        if value in received:
            assert kind == "send" or any(sends)
            assert received[value][0] in chans
            assert who == value[0]
        else:
            assert value not in sent
    for value, (channel, ended_ns) in received.items():
        if value in sent:
            assert sent[value][0] == channel
            assert sent[value][1] <= ended_ns
    for values in order.values():
        by_sender: dict[int, list[int]] = defaultdict(list)
        for who, number in values:
            by_sender[who].append(number)
        assert all(numbers == sorted(numbers) for numbers in by_sender.values())
    for index, ch in enumerate(log.channels):
        ch.check()
        left = [value for value, (channel, _) in sent.items() if channel == index and value not in received]
        assert sorted(left) == sorted(value for value in ch.buf if value in sent)
        assert len(ch.buf) <= program.capacities[index]


def check_ending(log: Log) -> None:
    """A deadlock is reported if and only if nobody who is blocked could go on."""
    if not log.is_deadlock:
        assert log.finished == set(range(log.started))
        assert log.result == log.started
        return
    assert len(log.finished) < log.started
    assert set(log.blocked) | log.finished == set(range(log.started))
    senders: Counter[int] = Counter()
    receivers: Counter[int] = Counter()
    for who, (kind, chans, sends, _) in log.blocked.items():
        assert kind in ("send", "recv", "select"), (who, kind)
        assert min(chans) >= 0  # no default
        for channel, is_send in zip(chans, sends or (kind == "send",), strict=True):
            ch = log.channels[channel]
            assert not ch.closed
            if is_send:
                senders[channel] += 1
                assert len(ch.buf) == ch.size
            else:
                receivers[channel] += 1
                assert not ch.buf
    for channel in senders:
        if receivers[channel]:
            # Only one goroutine's own select may wait on both ends.
            both = {who for who, (_, chans, sends, _) in log.blocked.items() if channel in chans}
            assert len(both) == 1


@given(strategy(durations=DURATIONS, sleeps=SLEEPS), CONFIGURATIONS)
@settings(max_examples=150)
@pytest.mark.slow
def test_every_structure_is_sound_at_every_step(program, configuration):
    with checked_at_every_step() as rounds:
        log = Machine(program).run(**configuration)
    assert rounds[0] > 1
    check_log(program, log)
    check_ending(log)


@given(strategy(durations=DURATIONS, sleeps=SLEEPS), CONFIGURATIONS)
@settings(max_examples=300)
@pytest.mark.slow
def test_fast_paths_lose_nothing_either(program, configuration):
    with doors(is_open=False):
        log = Machine(program).run(**configuration)
    check_log(program, log)
    check_ending(log)


@given(strategy(durations=DURATIONS, sleeps=SLEEPS), CONFIGURATIONS)
@settings(max_examples=60)
@pytest.mark.slow
def test_the_same_seed_runs_the_same_way_and_being_watched_changes_nothing(program, configuration):
    events: list[tuple[Any, ...]] = []
    again: list[tuple[Any, ...]] = []
    first = Machine(program).run(events=events, **configuration)
    second = Machine(program).run(events=again, **configuration)
    unwatched = Machine(program).run(**configuration)
    assert events == again
    assert first.entries == second.entries == unwatched.entries


@given(strategy(durations=DURATIONS, sleeps=SLEEPS), CONFIGURATIONS)
@settings(max_examples=100)
@pytest.mark.slow
def test_checked_doors_and_fast_paths_are_the_same_scheduler(program, configuration):
    """Event for event; only why a goroutine was taken from a queue says who took it."""
    runs = []
    for is_open in (True, False):
        events: list[tuple[Any, ...]] = []
        with doors(is_open):
            Machine(program).run(events=events, **configuration)
        runs.append([event[:6] if event[0] == GO_START else event for event in events])
    assert runs[0] == runs[1]


@given(strategy(durations=DURATIONS, sleeps=SLEEPS, has_system=True), CONFIGURATIONS, st.booleans())
@settings(max_examples=100)
@pytest.mark.slow
def test_system_calls_locked_threads_and_changes_of_gomaxprocs(program, configuration, is_open):
    with doors(is_open), checked_at_every_step():
        log = Machine(program).run(**configuration)
    check_log(program, log)
    check_ending(log)


def test_the_programs_reach_what_they_are_for():
    """Both endings, every kind of step, and parking for each reason occur among the drawn programs."""
    seen: Counter[str] = Counter()

    @given(strategy(durations=DURATIONS, sleeps=SLEEPS), CONFIGURATIONS)
    @settings(max_examples=100)
    def look(program, configuration):
        events: list[tuple[Any, ...]] = []
        log = Machine(program).run(events=events, **configuration)
        seen["deadlock" if log.is_deadlock else "finished"] += 1
        seen.update(entry.kind for entry in log.entries)
        seen.update(entry.value[0] for entry in log.entries if isinstance(entry.value, tuple))
        seen.update(entry.value for entry in log.entries if isinstance(entry.value, str))
        seen.update(f"park: {event[5]}" for event in events if event[0] == GO_PARK)

    look()
    for what in (
        *("deadlock", "finished", "send", "recv", "close", "select", "gosched", "work", "sleep", "go", "closed"),
        *("send on closed channel", "close of closed channel"),
        *("park: chan send", "park: chan receive", "park: select", "park: sleep"),
    ):
        assert seen[what] >= 5, (what, seen)
