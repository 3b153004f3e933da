"""Code that runs where no user's code is expected: greenlets that are no goroutines, `__del__`, weakref callbacks."""

import contextvars
import gc
import weakref

import pytest
from greenlet import getcurrent, greenlet

from goruntime import chan, default, defer, func, go, panic, recover, run, runtime, select, time
from goruntime.lang.error import Panic
from goruntime.sched.proc import check_goroutines
from goruntime.sched.runq import check_runq

pytestmark = pytest.mark.usefixtures("every_way")
SENT_BACK = "^a greenlet switched to a goroutine, or ended with one as its parent: only the scheduler may resume it$"


def still_works():
    ch, back = chan(), chan()

    def echo():
        for value in ch:
            back.send(value)

    go(echo)
    for value in range(10):
        ch.send(value)
        assert back.recv() == value
    sched = getcurrent().m.sched
    check_runq(sched)
    check_goroutines(sched)
    return "works"


# Greenlets.


def test_a_greenlet_inside_a_goroutine_works():
    def main():
        def inner(a):
            b = outer.switch(a + 1)
            return b * 2

        outer = getcurrent()
        other = greenlet(inner)
        assert other.switch(1) == 2
        assert other.switch(5) == 10
        with pytest.raises(KeyError):
            greenlet(lambda: {}["x"]).switch()
        return still_works()

    assert run(main) == "works"


def in_waiting(make):
    go(lambda: (make(), chan().recv()))
    time.sleep(0.001)


def in_ended(make):
    go(make)
    time.sleep(0.001)


def in_sleeping(make):
    go(lambda: (make(), time.sleep(1)))
    time.sleep(0.001)


def in_selecting(make):
    go(lambda: (make(), select(chan().recv, chan().recv)))
    time.sleep(0.001)


@pytest.mark.parametrize("place", [in_waiting, in_ended, in_sleeping, in_selecting], ids=lambda p: p.__name__)
@pytest.mark.parametrize("count", [1, 4])
def test_one_whose_parent_is_another_goroutine_ends(place, count):
    def main():
        made = []
        place(lambda: made.append(greenlet(lambda: "end")))
        for _ in range(2):
            with pytest.raises(RuntimeError, match=SENT_BACK):
                made[0].switch()
            place(lambda: made.insert(0, greenlet(lambda: "end")))
        return still_works()

    assert run(main, gomaxprocs=count) == "works"


def test_one_whose_parent_is_preempted():
    """It may end in the goroutine that made it, which goes on later as if nothing had been."""

    def main():
        made, log = [], []

        def parent():
            made.append(greenlet(lambda: "end"))
            runtime.gosched()
            log.append("went on")

        go(parent)
        while not made:
            runtime.gosched()
        try:
            made[0].switch()
        except RuntimeError as error:
            log.append(str(error)[:10])
        time.sleep(0.001)
        assert log.count("went on") == 1
        return still_works()

    for count in (1, 2, 4):
        assert run(main, gomaxprocs=count) == "works"


def test_one_that_was_made_outside_ends_inside():
    other = greenlet(lambda: "end")

    def main():
        with pytest.raises(RuntimeError, match=SENT_BACK):
            other.switch()
        return still_works()

    assert run(main) == "works"


def test_one_that_was_made_in_a_run_ends_outside_and_in_another_run():
    made = []

    def main():
        made.append(greenlet(lambda: "end"))

    run(main)
    with pytest.raises(RuntimeError, match=SENT_BACK):
        made[0].switch()
    run(main)

    def later():
        try:
            made[1].switch()
        except RuntimeError as error:
            assert str(error) == SENT_BACK[1:-1]
        return still_works()

    assert run(later) == "works"


def test_switching_to_goroutines_and_their_makers():
    def main():
        goroutines = []

        def waits():
            goroutines.append(getcurrent())
            chan().recv()

        go(waits)
        time.sleep(0.001)
        nursery = getcurrent().parent
        for target in (goroutines[0], nursery, nursery.parent):
            with pytest.raises(RuntimeError, match=SENT_BACK):
                target.switch()
        return still_works()

    assert run(main) == "works"


# Destructors. References end only where a goroutine may use primitives, so a `__del__` that blocks is harmless.


class Evil:
    """Uses a primitive when it dies."""

    def __init__(self, log, action):
        self.log = log
        self.action = action

    def __del__(self):
        self.action()
        self.log.append(1)


def in_a_channel(new):
    ch = chan(3)
    ch.send(new())
    ch.recv()
    ch.send(new())
    ch.send(new())


def in_a_handed_over_value(new):
    ch = chan()
    go(lambda: ch.send(new()))
    ch.recv()
    go(lambda: ch.recv())
    ch.send(new())


def in_a_channel_that_was_waited_on(new):
    def waits():
        ch = chan(2)

        def sends():
            time.sleep(0.0001)
            ch.send(1)  # noqa: F821  deleted below, but not yet when this runs
            ch.send(new())  # noqa: F821

        go(sends)
        ch.recv()
        del ch
        time.sleep(0.001)
        chan(1).send(new())

    go(waits)
    time.sleep(0.01)


def in_arguments(new):
    for _ in range(3):
        go(lambda value: None, new())
        go(lambda value, key: None, 1, key=new())
    time.sleep(0.001)


def in_contexts(new):
    variable = contextvars.ContextVar("variable")
    for _ in range(4):
        go(lambda: variable.set(new()))
        go(lambda: None)
        time.sleep(0.001)


def in_panics(new):
    @func
    def inner():
        local = new()
        defer(lambda value: recover(), new())
        panic((local, new()))

    inner()

    def swallows():
        @func
        def fails():
            panic(new())

        with pytest.raises(Panic):
            fails()

    go(swallows)
    go(func(inner))
    time.sleep(0.001)


def in_exceptions(new):
    def fails():
        local = new()
        raise ValueError(local)

    try:
        fails()
    except ValueError:
        local = new()
    del local


def in_selects(new):
    a, b = chan(1), chan(1)
    select((a.send, new()), b.recv)
    select(a.recv, b.recv)
    go(lambda: (time.sleep(0.001), a.recv()))
    b.send(1)
    select((a.send, new()), (b.send, new()))
    select((a.send, new()), (b.send, new()))


def in_results(new):
    @func
    def result():
        defer(print, end="")
        return new()

    result()
    go(lambda: new())
    time.sleep(0.001)


PLACES = [
    in_a_channel,
    in_a_handed_over_value,
    in_a_channel_that_was_waited_on,
    in_arguments,
    in_contexts,
    in_panics,
    in_exceptions,
    in_selects,
    in_results,
]
ACTIONS = ["receive", "send and receive", "spawn", "close", "panic", "select", "sleep"]


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.__name__)
@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("count", [1, 4])
def test_a_destructor_that_uses_primitives(place, action, count, monkeypatch):
    unraisable = []
    monkeypatch.setattr("sys.unraisablehook", lambda caught: unraisable.append(caught.exc_type.__name__))
    made = []

    def main():
        numbers, other = chan(), chan(5)

        def counter():
            number = 0
            while True:
                numbers.send(number)
                number += 1

        go(counter)
        actions = {
            "receive": lambda: (numbers.recv(), numbers.recv()),
            "send and receive": lambda: (other.send(1), other.recv()),
            "spawn": lambda: go(numbers.recv),
            "close": lambda: chan().close(),
            "panic": lambda: panic("in a destructor"),
            "select": lambda: select(numbers.recv, other.recv),
            "sleep": lambda: time.sleep(1e-6),
        }
        log = []

        def new():
            value = Evil(log, actions[action])
            made.append(weakref.ref(value))
            return value

        place(new)
        time.sleep(0.01)
        assert still_works() == "works"
        return log

    log = run(main, gomaxprocs=count)
    gc.collect()
    assert made
    assert [ref for ref in made if ref() is not None] == []
    if action == "panic":
        assert set(unraisable) <= {"Panic", "RuntimeError"}
        assert "Panic" in unraisable
    else:
        # Only those that died with the run could not do it.
        assert len(log) + len(unraisable) == len(made)
        assert set(unraisable) <= {"RuntimeError", "AbandonUnwind"}


def test_a_weakref_callback_that_uses_primitives():
    def main():
        ch, log = chan(10), []

        class Value:
            pass

        def callback(_):
            ch.send(1)
            go(ch.send, 2)
            log.append(select(chan().recv, default))

        carrier = chan(1)
        refs = []
        for _ in range(3):
            value = Value()
            refs.append(weakref.ref(value, callback))
            carrier.send(value)
            del value
            carrier.recv()
        time.sleep(0.001)
        assert len(ch) == 6
        assert len(log) == 3
        return still_works()

    assert run(main) == "works"


def test_a_collection_of_cycles_in_a_goroutine():
    def main():
        ch = chan(100)

        class Cycle:
            def __init__(self):
                self.me = self

            def __del__(self):
                ch.send(1)
                runtime.gosched()

        for _ in range(20):
            Cycle()
        gc.collect()
        assert len(ch) == 20
        return still_works()

    assert run(main) == "works"


def test_a_callable_whose_attributes_use_primitives():
    """`go` looks at what it is given, which may be an object with a `__getattr__` that blocks."""

    class Proxy:
        def __init__(self, ch, done):
            self.ch = ch
            self.done = done

        def __getattr__(self, name):
            self.ch.recv()
            raise AttributeError(name)

        def __call__(self):
            self.done.send("called")

    def main():
        ch, done = chan(), chan()
        go(lambda: [ch.send(number) for number in iter(int, 1)])
        for _ in range(5):
            go(Proxy(ch, done))
            assert done.recv() == "called"
        return still_works()

    for count in (1, 4):
        assert run(main, gomaxprocs=count) == "works"
