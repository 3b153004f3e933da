"""Running a program so that the test can look at its runtime afterwards."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from greenlet import getcurrent

from goruntime.base.config import make_config
from goruntime.base.events import NAMES
from goruntime.boot import Runtime, run_with
from goruntime.sched.sched import Sched

OUTSIDE = "must be called from a goroutine: start the program with goruntime.run"


class Finished:
    """A run that is over: what main returned, and what was left."""

    def __init__(self, value: Any, runtime: Runtime, events: list[Any]) -> None:
        self.value = value
        self.runtime = runtime
        self.events = [(NAMES[event[0]], *event[1:]) for event in events]

    @property
    def open_reasons(self) -> list[str]:
        return self.runtime.kernel.open_reasons

    @property
    def virtual_s(self) -> float:
        return self.runtime.end_ns / 1e9

    def named(self, name: str) -> list[tuple[Any, ...]]:
        return [event for event in self.events if event[0] == name]


def execute(monkeypatch: pytest.MonkeyPatch, main: Callable[[], Any], **options: Any) -> Finished:
    """Run main as `run` does, listening to its events."""
    runtimes: list[Runtime] = []
    initialise = Runtime.__init__

    def remember(self: Runtime, *args: Any, **kwargs: Any) -> None:
        runtimes.append(self)
        initialise(self, *args, **kwargs)

    monkeypatch.setattr(Runtime, "__init__", remember)
    events: list[Any] = []
    try:
        value = run_with(main, (), make_config({"events": events, **options}, 4))
    except Exception as error:
        error.finished = Finished(None, runtimes[0], events)  # type: ignore[attr-defined]
        raise
    finally:
        monkeypatch.undo()
    return Finished(value, runtimes[0], events)


def raising(call: Callable[..., Any], *args: Any) -> None:
    """As main: let `run` raise what call(*args) raises, which would be a panic otherwise."""
    found = None
    try:
        call(*args)
    except Exception as error:  # noqa: BLE001  whatever the test expects
        found = error
    assert found is not None, "nothing was raised"
    current_sched().end_with(found)


def current_sched() -> Sched:
    """The scheduler of the goroutine that calls."""
    sched: Sched = getcurrent().m.sched  # type: ignore[attr-defined]
    return sched
