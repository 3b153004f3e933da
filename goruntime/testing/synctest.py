"""Package testing/synctest: tests of concurrent code, with a clock of their own.

`test(fn)` calls fn in a *bubble*: a group of goroutines that began with fn's and takes in all that they start. In it
`time` goes by a fake clock, which stands at 2000-01-01 00:00:00 UTC and moves only when every goroutine of the bubble
is durably blocked: blocked so that nothing but the bubble itself could wake it. Then it jumps to the next instant at
which a timer of the bubble is due. `wait()` returns when all the others are durably blocked. docs/synctest.md has a
table of what is durable, and examples.

Go: testing/synctest/synctest.go Test, Wait, Sleep.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, ParamSpec, TypeVar, cast

from greenlet import getcurrent

from ..boot import run
from ..kernel import costs
from ..lang.owner import current_m, unbroken
from ..lang.panic import panic, refuse_generators, with_defers
from ..sched.bubble import Bubble, BubbleDeadlock
from ..sched.ops import OP_BUBBLE, OP_GO
from ..sched.preempt import end_again, safepoint
from ..time import sleep as time_sleep

if TYPE_CHECKING:
    from ..sched.g import G
    from ..sched.m import M

P = ParamSpec("P")
R = TypeVar("R")


def test(fn: Callable[..., R], *args: object, durable_mutexes: bool = False) -> R:  # noqa: PT028  no test of pytest's
    """Call fn(*args) in a new bubble and return what it returns, when every goroutine of the bubble has ended.

    What fn raises, `test` raises. Called outside any goroutine, it runs a program of its own around the bubble;
    `run(synctest.test, fn, seed=7)` is the same with a configuration.
    With durable_mutexes, waiting for a sync.Mutex or sync.RWMutex counts as durable while those who hold it are
    goroutines of the bubble: time goes on while one of them sleeps with a mutex in its hands, and a deadlock through
    mutexes is found.
    Raises: TypeError if fn is no plain function; Panic "synctest.Run called from within a synctest bubble"; Panic
    "deadlock: all goroutines in bubble are blocked", "deadlock: main bubble goroutine has exited but blocked goroutines
    remain"; outside a goroutine RuntimeFailure, as `run` does.
    Go: testing/synctest/synctest.go Test; runtime/synctest.go synctestRun.
    Differs: durable_mutexes; in Go time stands still, and the test hangs, where a goroutine waits for a mutex whose
    holder sleeps.
    Differs: there is no T. An exception that leaves fn is a failed test, as t.Fatal is: `test` raises it when the
    bubble is over, with a note if goroutines were left blocked. In Go a panic there ends the program at once; here one
    in any other goroutine of the bubble does.
    """
    refuse_generators(fn, "synctest.test")
    if getattr(getcurrent(), "m", None) is not None:
        return _test(fn, args, durable_mutexes).result()
    return run(_test, fn, args, durable_mutexes).result()  # type: ignore[no-any-return]


test.__test__ = False  # type: ignore[attr-defined]  # for pytest, where the name is imported


def wait() -> None:
    """Wait until every other goroutine of the bubble is durably blocked.

    Raises: Panic "goroutine is not in a bubble", "wait already in progress"; RuntimeError outside a goroutine.
    Go: testing/synctest/synctest.go Wait; runtime/synctest.go synctestWait.
    """
    m, g = current_m("synctest.wait")
    bubble = g.bubble
    if bubble is None:
        panic("goroutine is not in a bubble")
    unbroken(m, g, _wait, bubble)


def sleep(d: float) -> None:
    """Sleep for d seconds of the bubble's clock, then `wait`: whoever was due at that instant has run.

    Raises: TypeError if d is no number, ValueError for NaN; what `wait` raises.
    Go: testing/synctest/synctest.go Sleep.
    """
    time_sleep(d)
    wait()


class _Outcome:
    """What became of fn."""

    def __init__(self) -> None:
        self.value: object = None
        self.error: Exception | None = None

    def result(self) -> R:  # type: ignore[type-var]
        """Return it, or raise it."""
        if self.error is not None:
            try:
                raise self.error
            finally:
                self.error = None  # whose traceback holds this frame
        return cast(R, self.value)


def _test(fn: Callable[..., object], args: tuple[object, ...], durable_mutexes: bool) -> _Outcome:
    """`test` in a goroutine."""
    m, g = current_m("synctest.test")
    if g.bubble is not None:
        panic("synctest.Run called from within a synctest bubble")
    outcome = _Outcome()

    @wraps(fn)
    def testing_f() -> None:
        try:
            outcome.value = with_defers(fn)(*args)
        except Exception as error:  # noqa: BLE001  whatever it is, `test` raises it
            outcome.error = error

    bubble = Bubble(m.sched, g, durable_mutexes)
    why = unbroken(m, g, _run, bubble, testing_f)
    if why and outcome.error is not None:
        outcome.error.add_note(why)
    elif why:
        panic(BubbleDeadlock(why, bubble))
    return outcome


def _run(m: M, g: G, bubble: Bubble, fn: Callable[[], None]) -> str:
    """The life of a bubble; returns why it is deadlocked, or nothing.

    Go: runtime/synctest.go synctestRun.
    """
    if m.clock >= m.horizon:
        following = safepoint(m, g, OP_GO, None)
        if following is None:
            end_again(bubble.sched)
        m = following
    frame = sys._getframe()
    bubble.begin(m, fn, (g.goid, _TEST_CODE, frame.f_lasti, _TEST_GLOBALS), frame)
    bubble.run_to_its_end()
    return bubble.end()


# Dumps say `created by testing/synctest.Test`, as Go's do.
_TEST_CODE = _run.__code__.replace(co_name="Test", co_qualname="Test")
_TEST_GLOBALS = {"__name__": "testing/synctest"}


def _wait(m: M, g: G, bubble: Bubble) -> None:
    m.clock += costs.SYNCTEST_WAIT
    if m.clock >= m.horizon:
        following = safepoint(m, g, OP_BUBBLE, bubble)
        if following is None:
            end_again(bubble.sched)
        controller = following.sched.controller
        if controller is not None:
            controller.perform(g, _park, g, bubble)
            return
    _park(g, bubble)


def _park(g: G, bubble: Bubble) -> None:
    if bubble.is_waiting:
        panic("wait already in progress")
    bubble.wait(g)


__all__ = ["sleep", "test", "wait"]
