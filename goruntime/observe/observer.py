"""Observers, and the one place where a run's events go out to whoever reads them.

Problem. Events are emitted in the middle of scheduling, on whatever stack is at hand: at the bottom of a goroutine's
recursion, on a thread's g0, while a goroutine is on its way from one queue to another. A reader that raises, recurses
or calls a primitive there would break the run it looks at.

Protocol.
1. What cannot fail is called directly: the checksum, `append` of a list.
2. Every other reader runs on a greenlet of its own, made on the shallow stack of `run`. It is no goroutine, so that a
   primitive called there raises, and its recursion is its own.
3. A reader that raises is removed, one line on stderr says so, and the run goes on.

What a goroutine prints reaches the same stream (observe/output.py). Pieces of one line are joined, and handed on before
the next event, so that the stream stays in order.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable
from contextvars import copy_context
from typing import TYPE_CHECKING, Any, NamedTuple

from greenlet import getcurrent, greenlet

from ..base.config import Config
from ..base.events import OUTPUT, Event, EventChecksum, Watch
from ..gc.memstats import MemStats
from ..kernel import host
from .jsonl import Recorder
from .output import taps

if TYPE_CHECKING:
    from ..sched.m import M


class RunSummary(NamedTuple):
    """How a run went, told when it is over."""

    outcome: str  # "main returned", or the class of what `run` raises
    text: str  # the first line of how it died
    virtual_ns: int
    host_ns: int
    goroutine_count: int  # created, main included, the runtime's own not
    schedule_count: int  # rounds of the scheduler on its own stack; a hand-over on the fast path is none
    thread_count: int  # created, sysmon included
    event_count: int  # 0 when nothing listened
    event_checksum: int | None  # None when nothing asked for it
    choice_checksum: int
    open_reasons: tuple[str, ...]  # why the run is not reproducible; empty for a closed one
    mem_stats: MemStats | None = None  # when the program was over, before its goroutines were taken down


class Observer:
    """Sees a run: `run(main, observers=(MyObserver(),))`. Every method is optional, and so is this base class.

    A method that raises ends the observer, not the run. Primitives raise RuntimeError in an observer.
    """

    def on_event(self, event: Event) -> None:
        """Something happened; `base.events.as_record` makes a dict of it."""

    def on_output(self, text: str, goid: int) -> None:
        """A goroutine printed: a line, or less if it did something else before the line was complete."""

    def on_end(self, summary: RunSummary) -> None:
        """The run is over."""


METHODS = ("on_event", "on_output", "on_end")


def method_of(observer: Any, name: str) -> Callable[..., Any] | None:
    """An observer's method, None if it has none of its own."""
    if getattr(type(observer), name, None) is getattr(Observer, name):
        return None
    method = getattr(observer, name, None)
    return method if callable(method) else None


class Readers:
    """Everything that reads the events of one run. `watch` is what the runtime emits to, None when nobody reads."""

    def __init__(self, config: Config) -> None:
        self.checksum = EventChecksum() if config.checksum or config.events is not None else None
        self.recorder: Recorder | None = None
        self._direct: list[Watch] = [] if self.checksum is None else [self.checksum]
        self._guarded: list[tuple[Any, Watch]] = []
        self._at_end: list[tuple[Any, Callable[[RunSummary], Any]]] = []
        self._held: list[str] = []  # pieces of a line that is not complete
        self._held_at: tuple[Any, ...] = ()  # the event they will be, but for the text
        self._server: greenlet | None = None
        for observer in config.observers:
            self._add_observer(observer)
        self._add_events(config.events)
        self.watch: Watch | None = self.emit if self._direct or self._guarded else None
        if self._guarded:
            self._server = greenlet(self._serve)
            self._server.gr_context = copy_context()
            self._server.switch()
        self._is_tapping = False

    def _add_events(self, events: Any) -> None:
        """`run(main, events=...)`: a path is recorded to, anything else gets the events appended."""
        if events is None:
            return
        if isinstance(events, (str, os.PathLike)):
            events = Recorder(events)
        if isinstance(events, Recorder):
            self.recorder = events
            self._guarded.append((events, events.on_event))
            self._at_end.append((events, events.on_end))
        elif type(events) in (list, deque):
            self._direct.append(events.append)
        elif callable(getattr(events, "append", None)):
            self._guarded.append((events, events.append))
        else:
            raise TypeError(f"events must be a path or have append(event), not {type(events).__name__}")

    def _add_observer(self, observer: Any) -> None:
        on_event, on_output, on_end = (method_of(observer, name) for name in METHODS)
        if on_event is on_output is on_end is None:
            raise TypeError(f"observers: {type(observer).__name__} has none of the methods {', '.join(METHODS)}")
        if on_event is not None:
            self._guarded.append((observer, on_event))
        if on_output is not None:
            self._guarded.append((observer, output_only(on_output)))
        if on_end is not None:
            self._at_end.append((observer, on_end))

    # While the program runs.

    def begin(self, main: Callable[..., Any], config: Config) -> None:
        """The program is about to run."""
        if self.recorder is not None:
            self.recorder.begin(main, config)
        if self.watch is not None:
            self._is_tapping = True
            taps.install()

    def emit(self, event: Event) -> None:
        """Hand an event to all readers."""
        if self._held:
            self._release()
        self._hand_out(event)

    def _hand_out(self, event: Event) -> None:
        for listener in self._direct:
            listener(event)
        if self._guarded:
            assert self._server is not None
            self._server.switch(event, getcurrent())

    def note_output(self, m: M, stream: str, text: str) -> None:
        """The goroutine on m has printed text."""
        gp = m.curg
        if self._held and self._held_at[4:6] != (gp.goid, stream):
            self._release()
        if not self._held:
            self._held_at = (OUTPUT, m.clock, m.id, m.p.id if m.p is not None else -1, gp.goid, stream)
        self._held.append(text)
        if text.endswith("\n"):
            self._release()

    def _release(self) -> None:
        event = (*self._held_at, "".join(self._held))
        self._held.clear()
        self._hand_out(event)

    def _serve(self) -> None:
        """The loop of the greenlet on which guarded readers run."""
        parent = getcurrent().parent
        assert parent is not None
        event, customer = parent.switch()
        while event is not None:
            for pair in tuple(self._guarded):
                try:
                    pair[1](event)
                except BaseException as error:  # noqa: BLE001  whatever it is, the run is not to suffer
                    self._remove(pair[0], error)
            event, customer = customer.switch()

    def _remove(self, reader: Any, error: BaseException) -> None:
        """A reader raised: it gets nothing more."""
        self._guarded = [pair for pair in self._guarded if pair[0] is not reader]
        self._at_end = [pair for pair in self._at_end if pair[0] is not reader]
        if isinstance(reader, Recorder):
            reader.abandon()
            what = f"recording of events to {reader.path} stopped"
        else:
            what = f"observer {type(reader).__name__} removed"
        said = str(error)
        host.write_stderr(f"goruntime: {what}: {type(error).__name__}{': ' if said else ''}{said}\n")

    # When it is over.

    def wants_summary(self) -> bool:
        """Somebody will be told how it went."""
        return bool(self._at_end)

    def end(self, summary: RunSummary | None) -> None:
        """Nothing more will happen; without a summary the run never began, or the runtime itself broke."""
        if self._is_tapping:
            self._is_tapping = False
            taps.remove()
        if self._held:
            self._release()
        if self._server is not None:
            self._server.switch(None, getcurrent())
            self._server = None
        for reader, on_end in tuple(self._at_end):
            if summary is None:
                continue
            try:
                on_end(summary)
            except Exception as error:  # noqa: BLE001  reported, as everything an observer raises
                self._remove(reader, error)
        if self.recorder is not None:
            self.recorder.abandon()


def output_only(on_output: Callable[[str, int], Any]) -> Watch:
    """A reader that picks out what goroutines print."""

    def pick(event: Event) -> None:
        if event[0] == OUTPUT:
            on_output(event[6], event[4])

    return pick
