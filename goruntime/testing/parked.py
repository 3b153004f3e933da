"""Is a goroutine blocked? `assert_parks` and `wait_all_parked`.

Both look at goroutines from outside, and let the others run meanwhile by yielding, which takes a little virtual time.
Under exploration goroutines are held before they block, so neither can say anything there: they refuse. In a synctest
bubble `synctest.wait` asks a better question.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, overload

from greenlet import getcurrent

from ..base.events import GO_PARK, Event
from ..lang.go import go
from ..lang.owner import current_m
from ..lang.panic import refuse_generators
from ..runtime import gosched
from ..sched.preempt import end_again
from ..sched.status import DURABLE, RUNNABLE, RUNNING, SYSCALL, WAITING
from ..sched.waitreason import WAIT_REASONS
from ..time import sleep

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from ..sched.g import G
    from ..sched.sched import Sched

WAITERS_SLOT = "testing.wait_all_parked"  # of Sched.user: who waits there
PAUSE = 10e-6  # s of virtual time between two looks while others run on other Ps, or are in system calls
KNOWN = sorted({text.removesuffix(" (durable)") for text in WAIT_REASONS if text})


@overload
def assert_parks(*, reason: str | None = None) -> AbstractContextManager[list[str]]: ...


@overload
def assert_parks(fn: Callable[..., Any], /, *args: Any, reason: str | None = None) -> str: ...


def assert_parks(fn: Callable[..., Any] | None = None, /, *args: Any, reason: str | None = None) -> Any:
    """Assert that something blocks, in Go's words for why: "chan receive", "sleep", "sync.Mutex.Lock", ...

    `assert_parks(fn, *args)` calls fn(*args) in a goroutine of its own, waits until that is blocked, and returns why;
    the goroutine stays blocked until the test ends its wait. `with assert_parks():` asserts that the running goroutine
    was blocked meanwhile at least once; it gives a list, which has the reasons when the block is over.
    With reason it must be this one (of several, in a block: one of them). The " (durable)" of synctest is left off.
    Raises: AssertionError if it does not block, or for another reason; ValueError if there is no such reason; TypeError
    if fn is no plain function; RuntimeError outside a goroutine, and under exploration.
    """
    sched, g = _look("assert_parks")
    if reason is not None and reason not in KNOWN:
        raise ValueError(f"assert_parks: no goroutine ever waits for {reason!r}; the reasons are {', '.join(KNOWN)}")
    if fn is None:
        return _parks_here(sched, g, reason)
    refuse_generators(fn, "assert_parks")
    return _parks_there(sched, fn, args, reason)


def _parks_there(sched: Sched, fn: Callable[..., Any], args: tuple[Any, ...], reason: str | None) -> str:
    started: list[G] = []
    ended: list[bool] = []

    def call() -> None:
        started.append(getcurrent())  # type: ignore[arg-type]
        try:
            fn(*args)
        finally:
            ended.append(True)

    go(call)
    while not ended and not (started and started[0].status in (WAITING, DURABLE)):
        _yield(sched)
    name = getattr(fn, "__qualname__", repr(fn))
    if ended:
        raise AssertionError(f"{name} returned without blocking")
    seen = WAIT_REASONS[started[0].waitreason].removesuffix(" (durable)")
    if reason is not None and seen != reason:
        raise AssertionError(f"{name} blocks, but for {seen!r}, not {reason!r}")
    return seen


@contextmanager
def _parks_here(sched: Sched, g: G, reason: str | None) -> Iterator[list[str]]:
    seen: list[str] = []
    goid = g.goid

    def note(event: Event) -> None:
        if event[0] == GO_PARK and event[4] == goid:
            seen.append(event[5].removesuffix(" (durable)"))

    sched.listen(note)
    try:
        yield seen
    finally:
        sched.unlisten(note)
    if not seen:
        raise AssertionError("the goroutine was not blocked in this block")
    if reason is not None and reason not in seen:
        raise AssertionError(f"the goroutine was blocked, but for {', '.join(map(repr, seen))}, not {reason!r}")


def wait_all_parked() -> None:
    """Wait until every other goroutine of the program is blocked, in whatever way, or has ended.

    One that sleeps is blocked; one in a system call is not. Others that wait here count as blocked.
    Raises: RuntimeError outside a goroutine, and under exploration.
    """
    sched, g = _look("wait_all_parked")
    waiters = sched.user.setdefault(WAITERS_SLOT, [])
    waiters.append(g)
    while True:
        busy = [gp for gp in sched.allgs if _is_busy(gp) and gp not in waiters]
        if not busy:
            break
        if any(gp.status == RUNNABLE for gp in busy):
            _yield(sched)
        else:
            sleep(PAUSE)
    waiters.remove(g)


def _is_busy(gp: G) -> bool:
    return gp.status in (RUNNABLE, RUNNING, SYSCALL) and not gp.is_system


def _yield(sched: Sched) -> None:
    """Let others run; ends the goroutine again if the run is over, since then nobody does."""
    if sched.is_ending:
        end_again(sched)
    gosched()


def _look(what: str) -> tuple[Sched, G]:
    m, g = current_m(what)
    if m.sched.controller is not None:
        raise RuntimeError(
            f"{what}: under exploration goroutines are held before they block, so this would see nothing; "
            "synctest.wait works there"
        )
    return m.sched, g


__all__ = ["assert_parks", "wait_all_parked"]
