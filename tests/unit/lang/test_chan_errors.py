"""What channels refuse: closed ones, the nil channel, the wrong direction; texts and states."""

import pytest

from goruntime import Deadlock, GoPanic, cap, chan, default, defer, go, nilchan, recover, run, select, time
from goruntime.lang.error import Error, GoPlainError, Panic

ERRORS = {
    "send": (lambda ch: ch.send(1), "send on closed channel"),
    "select send": (lambda ch: select((ch.send, 1)), "send on closed channel"),
    "select send, default": (lambda ch: select((ch.send, 1), default), "send on closed channel"),
    "select send of two": (lambda ch: select((ch.send, 1), chan().recv), "send on closed channel"),
    "close": (lambda ch: ch.close(), "close of closed channel"),
    "close a view": (lambda ch: ch.send_only().close(), "close of closed channel"),
    "send through a view": (lambda ch: ch.send_only().send(1), "send on closed channel"),
}
every_error = pytest.mark.parametrize(("operation", "text"), ERRORS.values(), ids=ERRORS)


@every_error
@pytest.mark.parametrize("size", [0, 1])
def test_on_a_closed_channel(operation, text, size):
    def main():
        ch = chan(size)
        ch.close()
        with pytest.raises(GoPlainError) as caught:
            operation(ch)
        assert (str(caught.value), caught.value.error()) == (text, text)
        assert isinstance(caught.value, Error)
        assert isinstance(caught.value, Panic)
        assert caught.value.value is caught.value
        ch.check()
        return ch.recv_()

    assert run(main) == (None, False)


@every_error
def test_nobody_recovers(operation, text):
    def main():
        ch = chan(1)
        ch.close()
        operation(ch)

    with pytest.raises(GoPanic) as caught:
        run(main)
    assert str(caught.value).startswith(f"panic: {text}\n\ngoroutine 1 [running]:\n")
    assert isinstance(caught.value.value, GoPlainError)


@every_error
def test_somebody_recovers(operation, text):
    def main():
        defer(lambda: recovered.append(recover()))
        ch = chan(1)
        ch.close()
        operation(ch)

    recovered = []
    run(main)
    assert str(recovered[0]) == text


@pytest.mark.parametrize("is_select", [False, True], ids=["send", "select"])
def test_a_sender_that_waits_when_the_channel_is_closed(is_select):
    def main():
        ch, texts = chan(), chan()

        def send():
            try:
                if is_select:
                    select((ch.send, 1), chan().recv)
                else:
                    ch.send(1)
            except Panic as error:
                texts.send(str(error))

        for _ in range(3):
            go(send)
        time.sleep(0.001)
        ch.close()
        ch.check()
        return [texts.recv() for _ in range(3)], ch.recv_()

    assert run(main) == (["send on closed channel"] * 3, (None, False))


def test_receivers_that_wait_when_the_channel_is_closed():
    def main():
        ch, results = chan(0, int), chan(10)
        go(lambda: results.send(("recv", ch.recv())))
        go(lambda: results.send(("recv_", ch.recv_())))
        go(lambda: results.send(("select", select(ch.recv_, chan().recv))))
        go(lambda: results.send(("range", list(ch))))
        time.sleep(0.001)
        ch.close()
        time.sleep(0.001)
        results.close()
        return dict(results)

    assert run(main) == {"recv": 0, "recv_": (0, False), "select": (0, (0, False)), "range": []}


def test_a_closed_channel_gives_what_was_buffered_first():
    def main():
        ch = chan[str](3)
        ch.send("a")
        ch.send("b")
        ch.close()
        return (
            len(ch),
            ch.recv(),
            ch.recv_(),
            ch.recv_(),
            ch.recv(),
            select(ch.recv),
            select(ch.recv_, default),
            len(ch),
        )

    assert run(main) == (2, "a", ("b", True), ("", False), "", (0, ""), (0, ("", False)), 0)


# The nil channel.


@pytest.mark.parametrize("close", [nilchan.close, nilchan.send_only().close], ids=["itself", "a view"])
def test_closing_nil(close):
    def main():
        with pytest.raises(GoPlainError, match="^close of nil channel$"):
            close()

    run(main)
    with pytest.raises(GoPanic, match="^panic: close of nil channel\n"):
        run(close)


@pytest.mark.parametrize(
    ("operation", "reason"),
    [
        (lambda: nilchan.send(1), "chan send (nil chan)"),
        (lambda: nilchan.recv(), "chan receive (nil chan)"),
        (lambda: nilchan.recv_(), "chan receive (nil chan)"),
        (lambda: list(nilchan), "chan receive (nil chan)"),
        (lambda: nilchan.send_only().send(1), "chan send (nil chan)"),
        (lambda: nilchan.recv_only().recv(), "chan receive (nil chan)"),
        (lambda: select(), "select (no cases)"),
        (lambda: chan().send(1), "chan send"),
        (lambda: chan().recv(), "chan receive"),
        (lambda: select(chan().recv, chan().recv), "select"),
    ],
)
def test_blocking_for_ever(operation, reason):
    with pytest.raises(Deadlock) as caught:
        run(operation)
    lines = str(caught.value).splitlines()
    assert lines[0] == "fatal error: all goroutines are asleep - deadlock!"
    assert lines[2] == f"goroutine 1 [{reason}]:"
    assert [record.status for record in caught.value.goroutines if record.goid == 1] == [reason]


def test_nil_in_a_select():
    def main():
        ch = chan(1)
        ch.send(5)
        return select(nilchan.recv, (nilchan.send, 1), ch.recv), select(nilchan.recv, nilchan.recv_, default)

    assert run(main) == ((2, 5), (2, None))


def test_nil_itself():
    assert (len(nilchan), cap(nilchan), bool(nilchan), repr(nilchan)) == (0, 0, False, "nilchan")


# Directions.

WRONG = {
    "send": (lambda ch: ch.recv_only().send(1), "cannot send to receive-only channel"),
    "send case": (lambda ch: select((ch.recv_only().send, 1), default), "cannot send to receive-only channel"),
    "close": (lambda ch: ch.recv_only().close(), "cannot close receive-only channel"),
    "to send-only": (lambda ch: ch.recv_only().send_only(), "cannot send to receive-only channel"),
    "recv": (lambda ch: ch.send_only().recv(), "cannot receive from send-only channel"),
    "recv_": (lambda ch: ch.send_only().recv_(), "cannot receive from send-only channel"),
    "recv case": (lambda ch: select(ch.send_only().recv, default), "cannot receive from send-only channel"),
    "range": (lambda ch: list(ch.send_only()), "cannot receive from send-only channel"),
    "to receive-only": (lambda ch: ch.send_only().recv_only(), "cannot receive from send-only channel"),
}


@pytest.mark.parametrize(("operation", "text"), WRONG.values(), ids=WRONG)
@pytest.mark.parametrize("make", [chan, lambda: chan(1), lambda: nilchan], ids=["unbuffered", "buffered", "nil"])
def test_the_wrong_direction(operation, text, make):
    def main():
        ch = make()
        with pytest.raises(TypeError, match=f"^invalid operation: {text}$"):
            operation(ch)
        assert not ch.closed
        assert len(ch) == 0

    run(main)


def test_views_are_their_channel():
    ch = chan(2)
    sends, receives = ch.send_only(), ch.recv_only()

    def main():
        sends.send(1)
        assert (len(sends), len(receives), cap(sends), cap(receives)) == (1, 1, 2, 2)
        assert select(receives.recv) == (0, 1)
        assert select((sends.send, 2), default) == (0, None)
        sends.close()
        return list(receives)

    assert run(main) == [2]
    assert sends == ch == receives == sends
    assert {ch: 1}[sends] == {sends: 1}[receives] == 1
    assert sends != chan(2)
    assert sends.send_only() == sends
    assert repr(sends) == "<send-only <chan 0/2, closed>>"
    assert repr(receives) == "<receive-only <chan 0/2, closed>>"


def test_what_has_no_capacity():
    for thing in (None, 5, [], chan):
        with pytest.raises(TypeError, match="^invalid argument: cap of "):
            cap(thing)
