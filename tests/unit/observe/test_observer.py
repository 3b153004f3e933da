"""Observers see everything, and can break nothing."""

import sys
import threading
from collections import deque

import pytest

from goruntime import Observer, chan, go, panic, println, run
from goruntime.base.errors import Deadlock, GoPanic
from goruntime.base.events import GO_START, NAMES, OUTPUT, as_record


def two():
    """Two goroutines that print around a hand-over."""
    ch = chan()

    def other():
        print("other", 1)
        ch.send(7)
        println("later", 2)

    go(other)
    print("main", ch.recv())


class Everything(Observer):
    def __init__(self):
        self.events, self.output, self.ends = [], [], []

    def on_event(self, event):
        self.events.append(event)

    def on_output(self, text, goid):
        self.output.append((goid, text))

    def on_end(self, summary):
        self.ends.append(summary)


def test_an_observer_sees_what_a_list_gets(capsys):
    observer, listed, queue = Everything(), [], deque()
    run(two, observers=(observer,), events=listed)
    run(two, events=queue)
    assert observer.events == listed == list(queue)
    assert [NAMES[event[0]] for event in listed][-1] == "run_end"
    assert capsys.readouterr().out == "other 1\nmain 7\n" * 2


def test_output_has_its_goroutine(capsys):
    observer = Everything()
    run(two, observers=[observer], gomaxprocs=1)
    (other, _), *_ = observer.output
    assert other > 1
    assert observer.output == [(other, "other 1\n"), (other, "later 2\n"), (1, "main 7\n")]
    assert capsys.readouterr() == ("other 1\nmain 7\n", "later 2\n")


def test_lines_are_whole_and_in_order(capsys):
    def main():
        ch = chan(1)
        print("a", "b", end="")
        print("c", file=sys.stderr)
        print("d", end="")
        ch.send(1)
        print("", end="")
        sys.stdout.writelines(["e\n", "f"])

    events = []
    run(main, events=events)
    kept = [as_record(event) for event in events if event[0] == OUTPUT or NAMES[event[0]] in ("chan_send", "run_end")]
    assert [(r["event"], r.get("stream"), r.get("text")) for r in kept] == [
        ("output", "stdout", "a b"),
        ("output", "stderr", "c\n"),
        ("output", "stdout", "d"),
        ("chan_send", None, None),
        ("output", "stdout", "e\n"),
        ("output", "stdout", "f"),
        ("run_end", None, None),
    ]
    assert capsys.readouterr() == ("a bde\nf", "c\n")


def test_the_streams_are_the_programs_own_again():
    before = sys.stdout, sys.stderr

    def main():
        assert (sys.stdout, sys.stderr) != before
        assert sys.stdout.encoding == before[0].encoding
        chan().recv()

    with pytest.raises(Deadlock):
        run(main, events=[])
    assert (sys.stdout, sys.stderr) == before
    run(lambda: None)
    assert (sys.stdout, sys.stderr) == before


def test_a_program_may_replace_its_streams(capsys):
    import contextlib
    import io

    kept = io.StringIO()

    def main():
        with contextlib.redirect_stdout(kept):
            print("kept")
        print("shown")

    observer = Everything()
    run(main, observers=(observer,))
    assert kept.getvalue() == "kept\n"
    assert observer.output == [(1, "shown\n")]
    assert capsys.readouterr().out == "shown\n"


def test_the_end_is_told():
    observer = Everything()
    run(two, observers=(observer,), checksum=True, gomaxprocs=2)
    with pytest.raises(GoPanic):
        run(panic, "no", observers=(observer,))
    well, badly = observer.ends
    assert (well.outcome, well.text, well.goroutine_count, well.open_reasons) == ("main returned", "", 2, ())
    assert well.event_count > 10
    assert well.event_checksum is not None
    assert 0 < well.virtual_ns == observer.events[well.event_count - 1][1]
    assert (badly.outcome, badly.text, badly.event_checksum) == ("GoPanic", "panic: no", None)
    assert badly.host_ns > 0


def test_goroutines_are_counted():
    def main(count):
        done = chan()
        for _ in range(count):
            go(done.send, 1)
        for _ in range(count):
            done.recv()

    observer = Everything()
    for count in (0, 1, 15, 16, 17, 300):
        for gomaxprocs in (1, 4):
            run(main, count, observers=(observer,), gomaxprocs=gomaxprocs)
            assert observer.ends[-1].goroutine_count == count + 1


class Raises:
    def __init__(self, error, after=3):
        self.error, self.left = error, after

    def on_event(self, event):
        self.left -= 1
        assert self.left >= 0, "called again after it was removed"
        if not self.left:
            raise self.error

    def on_end(self, summary):
        raise AssertionError("told the end after it was removed")


@pytest.mark.parametrize("error", [ValueError("oh no"), RecursionError(), KeyboardInterrupt(), SystemExit(3)])
def test_one_that_raises_is_removed_and_reported(error, capsys):
    observer = Everything()
    alone = []
    run(two, events=alone)
    capsys.readouterr()
    run(two, observers=(Raises(error), observer))
    said = f": {error}" if str(error) else ""
    assert capsys.readouterr().err == (f"goruntime: observer Raises removed: {type(error).__name__}{said}\nlater 2\n")
    assert observer.events == alone


def test_one_that_raises_at_the_end_is_reported(capsys):
    class AtTheEnd:
        def on_end(self, summary):
            raise LookupError

    assert run(lambda: 3, observers=(AtTheEnd(),)) == 3
    assert capsys.readouterr().err == "goruntime: observer AtTheEnd removed: LookupError\n"


def test_primitives_raise_in_an_observer(capsys):
    class Sends:
        def on_event(self, event):
            chan(1).send(event)

    run(two, observers=(Sends(),))
    assert (
        "observer Sends removed: RuntimeError: chan.send must be called from a goroutine: " in capsys.readouterr().err
    )


def test_the_goroutines_recursion_is_not_the_observers():
    """A goroutine at the bottom of its stack, and an observer that needs some: each has its own."""

    class Deep:
        deepest = 0

        def on_event(self, event):
            self.recurse(500)

        def recurse(self, depth):
            self.deepest = max(self.deepest, 500 - depth)
            if depth:
                self.recurse(depth - 1)

    def dive(depth, ch):
        if depth:
            return dive(depth - 1, ch)
        return ch.recv()

    def main():
        ch = chan()
        go(ch.send, 5)
        return dive(1_000, ch)

    observer = Deep()
    assert run(main, observers=(observer,)) == 5
    assert observer.deepest == 500


def test_what_is_no_observer():
    class Nothing(Observer):
        pass

    for wrong in (Nothing(), object(), 3):
        with pytest.raises(TypeError, match=f"observers: {type(wrong).__name__} has none of the methods on_event, "):
            run(two, observers=(wrong,))
    with pytest.raises(TypeError, match=r"events must be a path or have append\(event\), not int"):
        run(two, events=3)


def test_events_may_be_anything_that_appends(capsys):
    class Log:
        def __init__(self):
            self.count = 0

        def append(self, event):
            self.count += 1
            if self.count == 10:
                raise ValueError("full")

    log = Log()
    run(two, events=log)
    assert log.count == 10
    assert "goruntime: observer Log removed: ValueError: full\n" in capsys.readouterr().err


def test_nobody_watches_unless_asked():
    def main():
        return sys.stdout

    assert run(main) is sys.stdout
    assert run(main, observers=(type("End", (), {"on_end": lambda self, summary: None})(),)) is sys.stdout


def test_runs_in_several_threads_each_see_their_own():
    def main(name):
        ch = chan()
        go(ch.send, name)
        for _ in range(20):
            print(name)
        ch.recv()

    before = sys.stdout
    observers = [Everything() for _ in range(3)]
    threads = [
        threading.Thread(target=run, args=(main, f"run {n}"), kwargs={"observers": (observer,)})
        for n, observer in enumerate(observers)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for n, observer in enumerate(observers):
        assert observer.output == [(1, f"run {n}\n")] * 20
        assert sum(event[0] == GO_START for event in observer.events) >= 2
    assert sys.stdout is before
