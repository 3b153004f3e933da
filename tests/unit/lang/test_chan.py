"""lang.chan: what channels do, by the rules of chan.go."""

import copy
import gc
import pickle
import weakref

import pytest

from goruntime import GoPanic, cap, chan, go, nilchan, run
from goruntime.base.errors import Deadlock
from goruntime.lang.error import GoPlainError
from goruntime.runtime import gosched, work
from tests.model.invariants import doors

EVERY_WAY = pytest.mark.parametrize("is_open", [True, False], ids=["checked", "fast"])


def on_one_p(main, **config):
    return run(main, gomaxprocs=1, **config)


def settled(main):
    """Run main on one P after the runtime's own goroutines have parked."""

    def start():
        gosched()
        gosched()
        return main()

    return on_one_p(start)


# Making.


@pytest.mark.parametrize("size", [0, 1, 7])
def test_make(size):
    def main():
        ch = chan(size)
        return cap(ch), len(ch), bool(ch), repr(ch)

    assert run(main) == (size, 0, True, f"<chan 0/{size}>")


@pytest.mark.parametrize(
    ("size", "error"), [(-1, GoPlainError), (1 << 62, GoPlainError), (1.5, TypeError), ("1", TypeError)]
)
def test_what_cannot_be_made(size, error):
    def main():
        with pytest.raises(error):
            chan(size)

    run(main)


def test_made_outside_it_belongs_to_the_first_run_that_uses_it():
    ch = chan(1)
    run(lambda: ch.send(1))
    with pytest.raises(GoPanic, match="belongs to another run"):
        run(lambda: ch.recv())


def test_a_channel_is_not_copied():
    ch = chan()
    for copier in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError, match="cannot be copied"):
            copier(ch)


# Sending and receiving.


@EVERY_WAY
@pytest.mark.parametrize("size", [0, 1, 3, 100])
@pytest.mark.parametrize("gomaxprocs", [1, 3])
def test_values_arrive_once_and_in_order(is_open, size, gomaxprocs):
    def main():
        ch = chan(size)
        go(lambda: [ch.send(number) for number in range(50)])
        got = [ch.recv() for _ in range(50)]
        ch.check()
        return got

    with doors(is_open):
        assert run(main, gomaxprocs=gomaxprocs) == list(range(50))


@EVERY_WAY
def test_the_order_of_an_unbuffered_ping_pong(is_open):
    def main():
        out, ch, done = [], chan(), chan()

        def receive():
            for value in ch:
                out.append(f"r{value}")
            done.send(None)

        go(receive)
        for number in range(8):
            out.append(f"s{number}")
            ch.send(number)
        ch.close()
        done.recv()
        return " ".join(out)

    with doors(is_open):
        assert settled(main) == "s0 r0 s1 s2 r1 r2 s3 s4 r3 r4 s5 s6 r5 r6 s7 r7"


def test_buffers_fill_before_senders_wait():
    def main():
        ch, sent = chan(2), []

        def send():
            for number in range(4):
                ch.send(number)
                sent.append(number)

        go(send)
        gosched()
        assert sent == [0, 1]
        assert len(ch) == 2
        lengths = []
        for expected in range(4):
            assert ch.recv() == expected
            lengths.append(len(ch))
            gosched()
        return lengths

    # The waiting sender's value takes the place of the one that was received.
    assert settled(main) == [2, 2, 1, 0]


def test_a_receive_from_a_full_buffer_takes_its_head_and_the_waiting_sender_s_value_goes_to_its_tail():
    def main():
        ch = chan(2)
        ch.send("a")
        ch.send("b")
        go(ch.send, "c")
        gosched()
        first = ch.recv()
        assert len(ch) == 2
        return first, ch.recv(), ch.recv()

    assert settled(main) == ("a", "b", "c")


def test_senders_wait_in_line():
    def main():
        ch = chan()
        for name in "abc":
            go(ch.send, name)
            gosched()
        return ch.recv() + ch.recv() + ch.recv()

    assert settled(main) == "abc"


def test_receivers_wait_in_line_but_the_last_woken_runs_first():
    def main():
        ch, order, done = chan(), [], chan(5)

        def receive(number):
            order.append((number, ch.recv()))
            done.send(None)

        for number in range(5):
            go(receive, number)
            gosched()
        for value in range(10, 15):
            ch.send(value)
        for _ in range(5):
            done.recv()
        return order

    assert settled(main) == [(4, 14), (0, 10), (1, 11), (2, 12), (3, 13)]


def test_len_and_cap():
    def main():
        ch = chan(3)
        ch.send(1)
        view = ch.recv_only()
        return len(ch), cap(ch), len(view), cap(view), cap(ch.send_only())

    assert run(main) == (1, 3, 1, 3, 3)


# Closing.


def test_a_closed_channel_gives_what_it_has_and_then_zeros():
    def main():
        ch = chan(3, int)
        ch.send(7)
        ch.send(8)
        ch.close()
        return [ch.recv_(), ch.recv_(), ch.recv_(), ch.recv(), list(ch), repr(ch)]

    assert run(main) == [(7, True), (8, True), (0, False), 0, [], "<chan[int] 0/3, closed>"]


@pytest.mark.parametrize(
    ("dtype", "zero"), [(object, None), (int, 0), (str, ""), (float, 0.0), (bool, False), (bytes, b""), (list, None)]
)
def test_zeros(dtype, zero):
    def main():
        ch = chan(0, dtype)
        ch.close()
        return ch.recv()

    assert run(main) == zero


def test_a_zero_that_was_sent_is_told_from_one_of_the_close():
    def main():
        ch = chan(2)
        ch.send(None)
        ch.close()
        return [ch.recv_(), ch.recv_()]

    assert run(main) == [(None, True), (None, False)]


def panics(operation):
    """The text with which an operation panics."""

    def main():
        with pytest.raises(GoPlainError) as caught:
            operation()
        return str(caught.value)

    return run(main)


def test_sending_on_a_closed_channel_panics():
    def operation():
        ch = chan(1)
        ch.close()
        ch.send(1)

    assert panics(operation) == "send on closed channel"


def test_closing_twice_or_closing_nil_panics():
    def twice():
        ch = chan()
        ch.close()
        ch.close()

    assert panics(twice) == "close of closed channel"
    assert panics(nilchan.close) == "close of nil channel"


def test_close_wakes_all_receivers_the_newest_last_so_that_it_runs_after_the_oldest():
    def main():
        ch, order, done = chan(), [], chan(5)

        def receive(number):
            ch.recv()
            order.append(number)
            done.send(None)

        for number in range(5):
            go(receive, number)
            gosched()
        ch.close()
        for _ in range(5):
            done.recv()
        return order

    assert settled(main) == [0, 4, 3, 2, 1]


def test_close_makes_waiting_senders_panic_and_drops_their_values():
    class Value:
        pass

    def main():
        ch, panicked, done = chan(), [], chan(2)
        gone = []

        def send():
            value = Value()
            gone.append(weakref.ref(value))
            try:
                ch.send(value)
            except GoPlainError as panic:
                panicked.append(str(panic))
            done.send(None)

        for _ in range(2):
            go(send)
        gosched()
        ch.close()
        for _ in range(2):
            done.recv()
        gc.collect()
        return panicked, [ref() for ref in gone], ch.recv_()

    assert settled(main) == (["send on closed channel"] * 2, [None, None], (None, False))


# nil.


@pytest.mark.parametrize(
    ("operation", "reason"),
    [(nilchan.recv, "chan receive (nil chan)"), (lambda: nilchan.send(1), "chan send (nil chan)")],
)
def test_nil_blocks_for_ever(operation, reason):
    with pytest.raises(Deadlock, match=rf"goroutine 1 \[{reason}\]".replace("(", r"\(").replace(")", r"\)")):
        run(operation)


def test_nil_is_false_empty_and_of_no_capacity():
    assert not nilchan
    assert (len(nilchan), repr(nilchan)) == (0, "nilchan")


# Views and types.


def test_views_go_one_way():
    def main():
        ch = chan(2)
        sender, receiver = ch.send_only(), ch.recv_only()
        sender.send(1)
        assert receiver.recv_() == (1, True)
        sender.send(2)
        sender.close()
        assert list(receiver) == [2]
        for wrong in (lambda: sender.recv, lambda: sender.recv_, lambda: iter(sender), lambda: sender.recv_only):
            with pytest.raises(TypeError, match="cannot receive from send-only channel"):
                wrong()
        with pytest.raises(TypeError, match="cannot send to receive-only channel"):
            receiver.send(1)
        with pytest.raises(TypeError, match="cannot close receive-only channel"):
            receiver.close()
        assert sender == receiver == ch
        assert len({ch, sender, receiver}) <= 2

    run(main)


def test_typed_channels_check_what_is_sent():
    def main():
        ints, floats = chan[int](3), chan(3, float)
        ints.send(1)
        floats.send(2)
        assert type(floats.recv()) is float
        for wrong in ("1", 1.0, True, None):
            with pytest.raises(TypeError, match=r"^chan\[int\]: cannot send "):
                ints.send(wrong)
        assert (len(ints), cap(ints), repr(chan[int])) == (1, 3, "chan[int]")

    run(main)


# Not leaving anything behind.


@EVERY_WAY
def test_received_values_are_not_kept(is_open):
    class Value:
        pass

    def main():
        ch = chan()
        kept = []

        def send():
            for _ in range(3):
                value = Value()
                kept.append(weakref.ref(value))
                ch.send(value)
                del value
            gosched()

        go(send)
        for _ in range(3):
            ch.recv()
        gosched()
        return [ref() for ref in kept]

    with doors(is_open):
        assert on_one_p(main) == [None, None, None]


def test_a_goroutine_that_goes_on_no_longer_waits_for_the_channel():
    def main():
        gone = []

        def use():
            ch = chan()
            gone.append(weakref.ref(ch))
            go(ch.send, 1)
            ch.recv()

        use()
        gosched()
        return gone[0]()

    assert on_one_p(main) is None


def test_whoever_is_computing_does_not_hold_the_others_up():
    def main():
        ch = chan()
        for number in range(4):
            go(lambda number=number: (work(1e-3), ch.send(number)))
        return sorted(ch.recv() for _ in range(4))

    assert run(main, gomaxprocs=2) == [0, 1, 2, 3]
