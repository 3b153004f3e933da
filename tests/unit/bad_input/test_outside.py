"""Primitives where no goroutine runs: each raises, and nothing happens."""

import threading

import pytest
from greenlet import greenlet

from goruntime import (
    chan,
    default,
    defer,
    func,
    go,
    nilchan,
    panic,
    print_,
    println,
    recover,
    returned,
    returns,
    run,
    runtime,
    select,
    time,
)
from goruntime.lang.error import Panic, PanicNilError

CALLS = {
    "chan.send": lambda ch: ch.send(1),
    "chan.recv": lambda ch: ch.recv(),
    "chan.close": lambda ch: ch.close(),
    "select": lambda ch: select(ch.recv),
    "go": lambda ch: go(print),
    "defer": lambda ch: defer(print),
    "recover": lambda ch: recover(),
    "returns": lambda ch: returns(1),
    "returned": lambda ch: returned(),
    "println": lambda ch: println(1),
    "print_": lambda ch: print_(1),
    "runtime.goexit": lambda ch: runtime.goexit(),
    "runtime.gosched": lambda ch: runtime.gosched(),
    "time.sleep": lambda ch: time.sleep(1),
    "time.now": lambda ch: time.now(),
}
ALSO = {
    "chan.recv": [lambda ch: ch.recv_(), lambda ch: list(ch), lambda ch: nilchan.recv(), lambda ch: nilchan.recv_()],
    "chan.send": [lambda ch: nilchan.send(1), lambda ch: ch.send_only().send(1)],
    "chan.close": [lambda ch: nilchan.close()],
    "select": [lambda ch: select(), lambda ch: select(default), lambda ch: select((ch.send, 1))],
}
EVERY_CALL = list(CALLS.items()) + [(name, call) for name, calls in ALSO.items() for call in calls]
every_call = pytest.mark.parametrize(
    ("name", "call"), EVERY_CALL, ids=[f"{name}-{i}" for i, (name, _) in enumerate(EVERY_CALL)]
)


def message(name):
    return f"^{name} must be called from a goroutine: start the program with goruntime.run"


@every_call
def test_outside_run(name, call, capsys):
    ch = chan(1)
    with pytest.raises(RuntimeError, match=message(name)):
        call(ch)
    assert ch.sched is None  # it still belongs to no run
    assert len(ch) == 0
    assert capsys.readouterr() == ("", "")


@every_call
def test_in_another_thread(name, call):
    caught = []

    def elsewhere(ch):
        try:
            call(ch)
        except RuntimeError as error:
            caught.append(error)

    def main():
        ch = chan(1)
        thread = threading.Thread(target=elsewhere, args=(ch,))
        thread.start()
        thread.join()
        ch.send(1)
        return ch.recv()

    assert run(main) == 1
    with pytest.raises(RuntimeError, match=message(name)):
        raise caught[0]


@every_call
def test_in_a_greenlet_that_is_no_goroutine(name, call):
    def main():
        ch = chan(1)
        with pytest.raises(RuntimeError, match=message(name)):
            greenlet(call).switch(ch)
        ch.send(1)
        return ch.recv()

    assert run(main) == 1


def test_panic_needs_no_goroutine():
    with pytest.raises(Panic) as caught:
        panic(5)
    assert caught.value.value == 5
    with pytest.raises(PanicNilError):
        panic(None)


def test_a_func_is_a_plain_function_outside():
    @func
    def add(a, b=2):
        return a + b

    @func
    def defers():
        defer(print)

    assert add(1) == 3
    assert add(1, b=5) == 6
    with pytest.raises(RuntimeError, match=message("defer")):
        defers()


def test_looking_at_a_channel_needs_no_goroutine():
    from goruntime import cap

    ch = chan(3, int)
    assert (len(ch), cap(ch), bool(ch), repr(ch)) == (0, 3, True, "<chan[int] 0/3>")


def test_another_thread_that_never_stops_trying():
    def spam(ch, refused):
        for _ in range(200):
            try:
                ch.send("from outside")
            except RuntimeError:
                refused.append(1)

    def main():
        ch, refused = chan(1), []
        threads = [threading.Thread(target=spam, args=(ch, refused)) for _ in range(3)]
        for thread in threads:
            thread.start()
        for number in range(500):
            ch.send(number)
            assert ch.recv() == number
        for thread in threads:
            thread.join()
        return len(refused)

    assert run(main) == 600
