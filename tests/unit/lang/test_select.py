"""lang.select: which case is taken, and what the others are left with."""

from collections import Counter

import pytest

from goruntime import chan, default, go, nilchan, run, select
from goruntime.base.choose import SELECT, SeededChooser
from goruntime.base.errors import Deadlock
from goruntime.lang.error import GoPlainError
from goruntime.runtime import gosched, work
from goruntime.time import after
from tests.model.invariants import doors

EVERY_WAY = pytest.mark.parametrize("is_open", [True, False], ids=["checked", "fast"])


def settled(main, **config):
    def start():
        gosched()
        gosched()
        return main()

    return run(start, gomaxprocs=1, **config)


class Scripted:
    """A chooser whose answers to selects are given."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.asked = []
        self.others = SeededChooser(0)

    def choose(self, kind, n):
        if kind != SELECT:
            return self.others.choose(kind, n)
        self.asked.append(n)
        return self.answers.pop(0) if self.answers else 0

    def checksum(self):
        return 0


# One case is ready.


def test_each_kind_of_case():
    def main():
        full, empty, closed = chan(1), chan(1), chan()
        full.send("x")
        closed.close()
        return [
            select(full.recv, nilchan.recv),
            select(nilchan.recv, (empty.send, 5)),
            select(closed.recv_, nilchan.recv),
            select(nilchan.recv, closed.recv),
            select(empty.recv_, nilchan.recv),
            select(empty.recv, default),
        ]

    assert run(main) == [(0, "x"), (1, None), (0, (None, False)), (1, None), (0, (5, True)), (1, None)]


def test_default_is_taken_only_when_nothing_is_ready():
    def main():
        ch = chan(1)
        first = select(default, ch.recv)
        ch.send(1)
        return first, select(default, ch.recv), select((ch.send, 1), default), select((ch.send, 2), default), len(ch)

    assert run(main) == ((0, None), (1, 1), (0, None), (1, None), 1)


@EVERY_WAY
def test_a_waiting_partner_makes_a_case_ready(is_open):
    def main():
        to_send, to_receive, got = chan(), chan(), []
        go(to_receive.send, "value")
        go(lambda: got.append(to_send.recv()))
        gosched()
        first = select(to_receive.recv, nilchan.recv)
        second = select((to_send.send, 3), nilchan.recv)
        gosched()
        return first, second, got

    with doors(is_open):
        assert settled(main) == ((0, "value"), (0, None), [3])


def test_a_send_case_on_a_closed_channel_panics_when_it_is_taken():
    def main():
        closed = chan(1)
        closed.close()
        with pytest.raises(GoPlainError, match="send on closed channel"):
            select((closed.send, 1), nilchan.recv)
        waiting, failed = chan(), chan(1)

        def blocked():
            try:
                select((waiting.send, 1), nilchan.recv)
            except GoPlainError as panic:
                failed.send(str(panic))

        go(blocked)
        gosched()
        waiting.close()
        return failed.recv()

    assert settled(main) == "send on closed channel"


# Several are ready.


@pytest.mark.parametrize("count", [2, 3, 4, 7])
def test_ready_cases_are_equally_likely(count):
    def main():
        channels = [chan(1) for _ in range(count)]
        counts = Counter()
        for _ in range(400 * count):
            for ch in channels:
                if not len(ch):
                    ch.send(None)
            counts[select(*[ch.recv for ch in channels])[0]] += 1
        return counts

    counts = run(main, gomaxprocs=1)
    assert set(counts) == set(range(count))
    assert all(300 < each < 500 for each in counts.values())


def test_any_ready_case_can_be_forced():
    """Each further ready case takes the place of the one before when the answer is 0."""

    def main():
        channels = [chan(1) for _ in range(4)]
        for number, ch in enumerate(channels):
            if number != 1:
                ch.send(number)
        return select(*[ch.recv for ch in channels])

    for answers, taken in (((1, 1), 0), ((0, 1), 2), ((0, 0), 3), ((1, 0), 3)):
        chooser = Scripted(*answers)
        assert run(main, gomaxprocs=1, strategy=chooser) == (taken, taken)
        assert chooser.asked == [2, 3]


def test_nothing_is_asked_when_one_case_is_ready():
    def main():
        ch = chan(1)
        ch.send(1)
        select(ch.recv, chan().recv, nilchan.recv, default)

    chooser = Scripted()
    run(main, gomaxprocs=1, strategy=chooser)
    assert chooser.asked == []


# Waiting.


@EVERY_WAY
@pytest.mark.parametrize("winner", [0, 1, 2])
def test_the_first_partner_wins_and_the_other_queues_are_left(is_open, winner):
    def main():
        channels = [chan(), chan(), chan()]
        result = chan(1)
        go(lambda: result.send(select(channels[0].recv, channels[1].recv_, (channels[2].send, "mine"))))
        gosched()
        if winner == 2:
            assert channels[2].recv() == "mine"
        else:
            channels[winner].send("yours")
        got = result.recv()
        for ch in channels:
            ch.check()
            assert ch.recvq.first is None
            assert ch.sendq.first is None
        return got

    with doors(is_open):
        assert settled(main) == {0: (0, "yours"), 1: (1, ("yours", True)), 2: (2, None)}[winner]


def test_close_wakes_a_waiting_select():
    def main():
        ch, result = chan(0, int), chan(2)
        go(lambda: result.send(select(ch.recv, nilchan.recv)))
        go(lambda: result.send(select(nilchan.recv, ch.recv_)))
        gosched()
        ch.close()
        return sorted([result.recv(), result.recv()], key=str)

    assert settled(main) == [(0, 0), (1, (0, False))]


def test_a_select_that_was_won_is_skipped_by_the_other_channels():
    def main():
        first, second = chan(), chan()
        order = []
        go(lambda: order.append(select(first.recv, second.recv)))
        gosched()
        go(lambda: order.append(("late", second.recv())))
        gosched()
        first.send("a")
        second.send("b")  # the select still stands in this queue, won
        gosched()
        return order

    assert set(settled(main)) == {("late", "b"), (0, "a")}


def test_a_goroutine_does_not_meet_itself_in_one_select():
    def main():
        ch = chan()
        select((ch.send, 1), ch.recv)

    with pytest.raises(Deadlock, match=r"goroutine 1 \[select\]"):
        run(main)


def test_two_selects_meet():
    def main():
        ch, result = chan(), chan(2)
        for number in range(2):
            go(lambda number=number: result.send((number, select((ch.send, number), ch.recv))))
        return sorted([result.recv(), result.recv()])

    (_, first), (_, second) = run(main)
    assert {first[0], second[0]} == {0, 1}  # one sent, one received


def test_a_channel_may_stand_in_several_cases():
    def main():
        ch = chan(1)
        counts = Counter()
        for number in range(300):
            ch.send(number)
            index, value = select(ch.recv, ch.recv, ch.recv)
            assert value == number
            counts[index] += 1
        return counts

    counts = run(main, gomaxprocs=1)
    assert all(counts[index] > 60 for index in range(3))


@EVERY_WAY
@pytest.mark.parametrize("gomaxprocs", [1, 4])
def test_no_wake_up_is_lost_between_many_selects(is_open, gomaxprocs):
    def main():
        a, b, done = chan(), chan(), chan(4)
        got = []

        def play(number):
            for turn in range(60):
                if turn % 7 == number:
                    work(2e-6)
                index, value = select((a.send, (number, turn)), (b.send, (number, turn)), a.recv, b.recv)
                if index >= 2:
                    got.append(value)
            done.send(None)

        for number in range(4):
            go(play, number)
        finished = 0
        while finished < 4:
            index, value = select(done.recv, a.recv, after(1).recv)
            if index == 2:
                break
            if index == 1:
                got.append(value)
            finished += index == 0
        return got

    with doors(is_open):
        got = run(main, gomaxprocs=gomaxprocs)
    assert len(got) == len(set(got))
    assert len(got) > 100


def test_without_cases_it_blocks_for_ever():
    with pytest.raises(Deadlock, match=r"goroutine 1 \[select \(no cases\)\]"):
        run(select)


def test_with_nothing_but_nil_it_blocks_for_ever():
    with pytest.raises(Deadlock, match=r"goroutine 1 \[select\]"):
        run(lambda: select(nilchan.recv, (nilchan.send, 1)))


def test_a_single_case_is_the_plain_operation():
    """Go's compiler makes it one, and so its wait reason is that of the operation."""
    for cases, reason in (([lambda ch: ch.recv], "chan receive"), ([lambda ch: (ch.send, 1)], "chan send")):

        def main(cases=cases):
            ch = chan()
            select(*[case(ch) for case in cases])

        with pytest.raises(Deadlock, match=rf"goroutine 1 \[{reason}\]"):
            run(main)


# What is no case.


@pytest.mark.parametrize("case", [3, None, "x", (1, 2), chan(), lambda: 0, (chan().recv, 1), chan().send, chan().close])
def test_what_is_refused(case):
    def main():
        with pytest.raises(TypeError, match="select: "):
            select(case, nilchan.recv, default)

    run(main)


def test_two_defaults_are_refused():
    def main():
        with pytest.raises(TypeError, match="multiple defaults"):
            select(default, nilchan.recv, default)

    run(main)


def test_views_are_cases():
    def main():
        ch = chan(1)
        select((ch.send_only().send, 4), nilchan.recv)
        return select(ch.recv_only().recv_, nilchan.recv)

    assert run(main) == (0, (4, True))
