"""panic, recover, Goexit, and how they meet: the rules of Go's language and of runtime/panic.go."""

import functools

import pytest

from goruntime import Deadlock, FatalError, GoPanic, chan, defer, func, go, panic, recover, run, runtime, sync, time
from goruntime.lang.error import GoPlainError, Panic, PanicNilError


def inside(main):
    """Run the test's body as goroutine 1."""

    @functools.wraps(main)
    def test(*args, **kwargs):
        return run(functools.partial(main, *args, **kwargs))

    return test


def catcher(log):
    """A function to defer: logs what it recovers."""

    def deferred():
        log.append(recover())

    return deferred


# recover.


@pytest.mark.parametrize("value", [1, 0, "x", "", False, (), [], 0.0, ValueError("x")], ids=repr)
@inside
def test_the_value_comes_back(value):
    log = []

    @func
    def f():
        defer(catcher(log))
        panic(value)

    f()
    assert len(log) == 1
    assert log[0] is value or log[0] == value


@inside
def test_an_exception_comes_back_itself():
    log = []
    error = KeyError("k")

    @func
    def f():
        defer(catcher(log))
        raise error

    f()
    assert log == [error]
    assert log[0] is error


@inside
def test_without_a_panic():
    log = []

    @func
    def f():
        defer(catcher(log))

    f()
    assert recover() is None
    assert log == [None]


@inside
def test_only_once():
    log = []

    @func
    def f():
        defer(catcher(log))
        defer(catcher(log))
        defer(lambda: log.extend([recover(), recover()]))
        panic(1)

    f()
    assert log == [1, None, None, None]


@inside
def test_only_called_directly():
    log = []

    def helper():
        log.append(recover())

    @func
    def func_helper():
        log.append(recover())

    def deferred():
        helper()
        func_helper()
        (lambda: log.append(recover()))()

    @func
    def f():
        defer(catcher(log))
        defer(deferred)
        panic(1)

    f()
    assert log == [None, None, None, 1]


@inside
def test_a_deferred_func_counts_as_direct():
    log = []

    @func
    def deferred():
        log.append(recover())

    @func
    def f():
        defer(deferred)
        panic(1)

    f()
    assert log == [1]


@inside
def test_deferred_itself_it_does_nothing():
    """In Go `defer recover()` recovers nothing: it is not called by a deferred function."""

    @func
    def f():
        defer(recover)
        panic(1)

    with pytest.raises(Panic):
        f()


@inside
def test_in_a_deferred_call_of_a_deferred_func():
    """It belongs to the func that panics, not to one below it."""
    log = []

    @func
    def inner():
        defer(catcher(log))

    @func
    def f():
        defer(catcher(log))
        defer(inner)
        panic(1)

    f()
    assert log == [None, 1]


@inside
def test_a_func_that_panics_and_recovers_during_a_panic():
    log = []

    @func
    def inner():
        defer(catcher(log))
        panic("inner")

    @func
    def f():
        defer(catcher(log))
        defer(inner)
        panic("outer")

    f()
    assert log == ["inner", "outer"]


@inside
def test_one_that_is_caught_by_except_during_a_panic():
    """What a deferred function caught with `except` does not stand in the way of its recover."""
    log = []

    @func
    def inner():
        panic("inner")

    def deferred():
        with pytest.raises(Panic):
            inner()
        log.append(recover())

    @func
    def f():
        defer(deferred)
        panic("outer")

    f()
    assert log == ["outer"]


@inside
def test_of_another_goroutine():
    """Two goroutines panic at the same time; each recovers its own."""
    log, there, back = [], chan(), chan()

    @func
    def work():
        def deferred():
            there.send(1)
            back.recv()
            log.append(recover())

        defer(deferred)
        panic("theirs")

    go(work)
    there.recv()

    @func
    def mine():
        defer(catcher(log))
        panic("mine")

    mine()
    assert recover() is None
    back.send(1)
    time.sleep(0.001)
    assert log == ["mine", "theirs"]


@inside
def test_after_recovery_the_caller_goes_on():
    log = []

    @func
    def inner():
        defer(catcher(log))
        panic(1)
        log.append("never")

    @func
    def outer():
        defer(log.append, "outer's deferred")
        inner()
        log.append("went on")
        return 5

    assert outer() == 5
    assert log == [1, "went on", "outer's deferred"]


@inside
def test_across_many_funcs_and_plain_frames():
    log = []

    @func
    def level(n):
        defer(log.append, n)
        try:
            if n:
                (lambda: level(n - 1))()
            else:
                raise ValueError("deep")
        finally:
            log.append(f"finally {n}")

    @func
    def top():
        defer(catcher(log))
        level(3)

    top()
    *rest, error = log
    assert str(error) == "deep"
    assert rest == ["finally 0", 0, "finally 1", 1, "finally 2", 2, "finally 3", 3]


@inside
def test_an_except_between():
    """Python code between two funcs may catch a panic, change it, or raise it again."""
    log = []

    @func
    def inner():
        defer(log.append, "inner's")
        panic("first")

    @func
    def changes():
        defer(log.append, "changes'")
        try:
            inner()
        except Panic as error:
            raise ValueError("second") from error

    @func
    def raises_again():
        defer(log.append, "raises_again's")
        try:
            changes()
        except ValueError:
            log.append("seen")
            raise

    @func
    def top():
        defer(catcher(log))
        raises_again()

    top()
    assert log[:4] == ["inner's", "changes'", "seen", "raises_again's"]
    assert str(log[4]) == "second"
    assert log[4].__cause__.value == "first"


@pytest.mark.parametrize("shape", ["caught", "recovered", "nested", "repanicked", "goexit"])
@inside
def test_nothing_keeps_a_panic_that_is_over(shape):
    """CPython's collector is off while a run runs, so no cycle may hold what a panic carried."""
    import weakref

    class Carried:
        pass

    carried = Carried()
    ref = weakref.ref(carried)

    @func
    def fails(value):
        panic(value)

    @func
    def nested(value):
        defer(lambda: recover() and None)
        defer(panic, value)
        panic("first")

    @func
    def repanics(value):
        def again():
            panic(recover())

        defer(lambda: recover() and None)
        defer(again)
        fails(value)

    def in_another(body, value):
        done = chan()

        def work(value):
            defer(done.send, 1)
            body(value)

        go(work, value)
        done.recv()
        time.sleep(0.001)

    def caught(value):
        with pytest.raises(Panic):
            fails(value)

    if shape == "caught":  # in a goroutine of its own: until it ends or panics again, it remembers the last one
        in_another(caught, carried)
    elif shape == "recovered":
        in_another(lambda value: defer_in_func(fails, value), carried)
    elif shape == "nested":
        nested(carried)
    elif shape == "repanicked":
        repanics(carried)
    else:
        in_another(lambda value: runtime.goexit(), carried)
    del carried
    assert ref() is None


@func
def defer_in_func(body, value):
    defer(lambda: recover() and None)
    body(value)


# Nil.


def test_panic_nil():
    with pytest.raises(GoPanic, match="^panic: runtime error: panic called with nil argument\n\ngoroutine 1 "):
        run(lambda: panic(None))


@inside
def test_panic_nil_recovered():
    log = []

    @func
    def f():
        defer(catcher(log))
        panic(None)

    f()
    assert isinstance(log[0], PanicNilError)


def test_panic_nil_as_it_was():
    def main():
        log = []

        @func
        def f():
            defer(catcher(log))
            panic(None)
            log.append("never")

        f()
        return log

    assert run(main, godebug="panicnil=1") == [None]


# Chains.


def lines_of(main):
    with pytest.raises(GoPanic) as caught:
        run(main)
    return str(caught.value).partition("\n\ngoroutine")[0].split("\n")


def test_a_panic_in_a_deferred_call():
    def main():
        defer(panic, 2)
        panic(1)

    assert lines_of(main) == ["panic: 1", "\tpanic: 2"]


def test_three_in_a_row():
    def main():
        defer(panic, 3)
        defer(panic, 2)
        panic(1)

    assert lines_of(main) == ["panic: 1", "\tpanic: 2", "\tpanic: 3"]


def test_recovered_and_new():
    def main():
        def deferred():
            recover()
            panic(2)

        defer(deferred)
        panic(1)

    assert lines_of(main) == ["panic: 1 [recovered]", "\tpanic: 2"]


def test_recovered_and_repanicked():
    def main():
        def deferred():
            panic(recover())

        defer(deferred)
        panic("same")

    assert lines_of(main) == ["panic: same [recovered, repanicked]"]


def test_a_recovered_one_stays_in_the_chain():
    def main():
        def deferred():
            recover()
            panic(9)

        defer(panic, 3)
        defer(panic, 2)
        defer(deferred)
        panic(1)

    assert lines_of(main) == ["panic: 1 [recovered]", "\tpanic: 9", "\tpanic: 2", "\tpanic: 3"]


def frames_of(main):
    """The functions that the dump of a panic shows, innermost first."""
    with pytest.raises(GoPanic) as caught:
        run(main)
    functions = [frame.function for frame in caught.value.goroutines[0].frames]
    return [name.rpartition(".")[2] for name in functions]


def work():
    raise ValueError("same")


def panic_again():
    panic(recover())


def raise_again():
    raise recover()


@pytest.mark.parametrize(
    ("deferred", "shown"),
    [
        (panic_again, ["panic_again", "work", "f", "main"]),  # as Go's dump shows them
        (raise_again, ["work", "f", "raise_again", "main"]),  # one exception: in Python's order
    ],
    ids=["panic", "raise"],
)
def test_the_frames_of_what_panics_again_stand_on_those_of_the_first(deferred, shown):
    @func
    def f():
        defer(deferred)
        work()

    def main():
        f()

    assert frames_of(main) == shown


def test_the_frames_of_a_panic_in_each_of_four_deferred_calls():
    def third():
        panic("three")

    def helper():
        third()

    @func
    def inner():
        defer(panic, "two")
        work()

    @func
    def outer():
        defer(helper)
        inner()

    def clean():
        @func
        def quiet():
            defer(panic, "four")

        quiet()

    def main():
        defer(clean)
        outer()

    # As Go's dump shows them, but for `panic` itself.
    assert frames_of(main) == ["clean", "third", "helper", "work", "inner", "outer", "main"]


def test_the_frames_of_a_task_of_a_wait_group():
    def main():
        wg = sync.WaitGroup()
        wg.go(work)
        wg.wait()

    assert frames_of(main) == ["work"]


def test_an_exception_recovered_and_raised_again():
    def main():
        def deferred():
            raise recover()

        defer(deferred)
        raise ValueError("same")

    assert lines_of(main) == ["panic: ValueError: same [recovered, repanicked]"]


def test_an_exception_in_a_deferred_call():
    def main():
        defer(lambda: {}["missing"])
        raise ValueError("first")

    assert lines_of(main) == ["panic: ValueError: first", "\tpanic: KeyError: 'missing'"]


def test_a_chain_that_was_recovered_leaves_nothing():
    def main():
        log = []

        @func
        def f():
            defer(catcher(log))
            defer(panic, 2)
            panic(1)

        f()
        assert log == [2]
        panic(3)

    assert lines_of(main) == ["panic: 3"]


def test_equal_constants_are_the_same_value():
    """The compiler gives them one place."""

    def strings():
        defer(lambda: panic("of two words"))
        panic("of two words")

    def integers():
        defer(lambda: panic(7777))
        panic(7777)

    assert lines_of(strings) == ["panic: of two words"]
    assert lines_of(integers) == ["panic: 7777"]


def test_what_was_computed_is_a_value_of_its_own():
    def main():
        defer(panic, "".join(["b", "oom"]))
        panic("".join(["b", "oom"]))

    assert lines_of(main) == ["panic: boom", "\tpanic: boom"]


def test_a_run_time_error_with_a_fixed_text_is_always_the_same():
    def main():
        ch = chan()
        defer(ch.send, 1)
        defer(ch.close)
        defer(ch.close)
        ch.close()

    assert lines_of(main) == ["panic: close of closed channel", "\tpanic: send on closed channel"]


def test_through_funcs():
    @func
    def inner():
        defer(panic, 2)
        panic(1)

    @func
    def outer():
        defer(panic, 3)
        inner()

    def main():
        outer()

    assert lines_of(main) == ["panic: 1", "\tpanic: 2", "\tpanic: 3"]


def test_the_trace_shows_where_the_last_one_came_from():
    def second():
        panic(2)

    def main():
        defer(second)
        panic(1)

    with pytest.raises(GoPanic) as caught:
        run(main)
    frames = [frame.function.rpartition(".")[2] for frame in caught.value.goroutines[0].frames]
    assert frames[0] == "second"


# Goexit.


def test_goexit_in_a_deferred_call_of_main_that_returned():
    def main():
        defer(runtime.goexit)

    with pytest.raises(Deadlock, match="no goroutines"):
        run(main)


def test_goexit_in_a_deferred_call_of_a_goroutine_that_returned():
    log = []

    def child():
        defer(log.append, "first")
        defer(runtime.goexit)

    def main():
        go(child)
        runtime.gosched()
        log.append("main")

    run(main)
    assert log == ["first", "main"]


@inside
def test_goexit_is_not_seen():
    log, done = [], chan()

    def work():
        defer(done.send, 1)
        defer(catcher(log))
        runtime.goexit()

    go(work)
    done.recv()
    assert log == [None]


@inside
def test_goexit_ends_only_its_goroutine():
    log, done = [], chan()

    @func
    def inner():
        defer(log.append, "inner's")
        runtime.goexit()

    def work():
        defer(done.send, 1)
        defer(log.append, "outer's")
        inner()
        log.append("never")

    go(work)
    done.recv()
    assert log == ["inner's", "outer's"]


@inside
def test_goexit_in_a_deferred_call_during_a_panic():
    """It takes over: the goroutine ends, the program does not die."""
    log, done = [], chan()

    def work():
        defer(done.send, 1)
        defer(log.append, "rest")
        defer(runtime.goexit)
        panic("forgotten")

    go(work)
    done.recv()
    assert log == ["rest"]


def test_a_panic_in_a_deferred_call_during_goexit():
    def main():
        go(work)
        chan().recv()

    def work():
        defer(panic, "new")
        runtime.goexit()

    assert lines_of(main) == ["panic: new"]


@inside
def test_a_panic_during_goexit_that_is_recovered():
    """The Goexit goes on."""
    log, done = [], chan()

    @func
    def inner():
        defer(catcher(log))
        defer(panic, "new")
        runtime.goexit()

    def work():
        defer(done.send, 1)
        inner()
        log.append("never")

    go(work)
    done.recv()
    assert log == ["new"]


@inside
def test_goexit_twice():
    log, done = [], chan()

    def work():
        defer(done.send, 1)
        defer(log.append, "last")
        defer(runtime.goexit)
        runtime.goexit()

    go(work)
    done.recv()
    assert log == ["last"]


def test_goexit_of_main():
    with pytest.raises(Deadlock, match=r"^fatal error: no goroutines \(main called runtime\.Goexit\) - deadlock!\n"):
        run(runtime.goexit)

    log = []

    def main():
        go(lambda: (time.sleep(1), log.append("the others finish")))
        defer(log.append, "main's")
        runtime.goexit()

    with pytest.raises(Deadlock):
        run(main)
    assert log == ["main's", "the others finish"]


# The end of a program.


def test_main_waits_for_a_panic_that_runs_its_deferred_calls():
    """In Go a panic that has started ends the program, even if main returns meanwhile."""

    def main():
        started = chan()

        def work():
            def deferred():
                started.send(1)
                for _ in range(5):
                    runtime.gosched()

            defer(deferred)
            panic("late")

        go(work)
        started.recv()

    with pytest.raises(GoPanic, match="^panic: late\n"):
        run(main, gomaxprocs=1)


def test_main_does_not_wait_for_one_that_was_caught():
    def main():
        @func
        def inner():
            panic("caught")

        def work():
            with pytest.raises(Panic):
                inner()
            chan().recv()

        go(work)
        time.sleep(0.001)
        with pytest.raises(Panic):
            inner()
        return "returned"

    assert run(main) == "returned"


def test_a_panic_kills_the_others():
    log = []

    def main():
        def other():
            try:
                chan().recv()
            finally:
                log.append("finally")

        defer(log.append, "main's deferred")
        go(other)
        time.sleep(0.001)
        go(panic, "x")
        chan().recv()

    with pytest.raises(GoPanic, match="^panic: x\n"):
        run(main)
    assert log == ["finally"]


def test_the_failure_tells_what_it_was():
    class Custom(Exception):
        pass

    def work():
        raise Custom("x")

    def main():
        go(work)
        chan().recv()

    with pytest.raises(GoPanic) as caught:
        run(main)
    failure = caught.value
    assert isinstance(failure.value, Custom)
    assert failure.__cause__ is failure.value
    assert failure.goroutine > 1
    assert [record.goid for record in failure.goroutines] == [failure.goroutine]


def test_a_panic_value_whose_text_panics():
    class Bad:
        def __str__(self):  # noqa: PLE0307  it never returns
            panic("in its text")

    class Worse:
        def error(self):
            raise ValueError("in its error")

    for value in (Bad(), Worse()):
        with pytest.raises(FatalError, match="fatal error: panic while printing panic value: "):
            run(panic, value)


def test_run_time_errors_are_errors():
    for kind in (GoPlainError, PanicNilError):
        assert issubclass(kind, Panic)
    error = GoPlainError("text")
    assert str(error) == error.error() == "text"
    assert error.value is error
