"""Recording a run step by step, for people: who did what, to which object, on which line."""

from __future__ import annotations

import linecache
import os
import sys
from dataclasses import dataclass, field
from types import FrameType
from typing import TYPE_CHECKING, Any

from greenlet import getcurrent

from ..base.names import function_name
from ..lang.select import CaseList
from ..observe.traceback import is_hidden
from ..observe.traceback import line_of as line_at
from ..sched.ops import OP_GOSCHED, OP_NAMES, OP_START, OP_WAKE
from .actor import Actor
from .quiet import TASKS

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..sched.g import G


@dataclass(slots=True)
class SeenStep:
    """One step, as it was seen; or, with op "go", a goroutine that was started in the step of that number."""

    number: int
    who: str  # the goroutine's name: its creation path
    op: str
    object: str  # "chan 2", or ""
    place: str  # file:line, of the user's code
    source: str  # that line
    option_count: int  # how many could have taken the step
    is_continued: bool  # whoever took the step before goes straight on
    case: int | None = None
    notes: list[str] = field(default_factory=list)

    def what(self) -> str:
        """In a few words."""
        text = {"wake": "goes on", "start": "starts"}.get(self.op, self.op)
        if self.op == "timer" and not self.place:
            text = "fires:"
        if self.op == "bubble":
            text = self.object if self.place else f"all are durably blocked: {self.object}"
        elif self.object:
            text += f" {self.object}"
        if self.case is not None:
            text += f", case {self.case}"
        return ", ".join([text, *self.notes])

    def is_worth_a_row(self) -> bool:
        """The plain Python right after an operation says nothing that the operation's row does not say."""
        return not (self.op == "wake" and self.is_continued and not self.notes)


class Recorder:
    """Sees one run."""

    def __init__(self) -> None:
        self.trace: list[SeenStep] = []
        self.names: dict[int, str] = {}
        self.functions: dict[str, str] = {}
        self.waits: dict[str, str] = {}  # who waits at the end, for what and where

    def step(self, actor: Actor, option_count: int) -> None:
        """actor takes a step that so many could have taken."""
        place, source = where(actor)
        who = actor.name.text
        is_continued = bool(self.trace) and self.trace[-1].who == who
        number = self.trace[-1].number + 1 if self.trace else 1
        seen = SeenStep(number, who, OP_NAMES[actor.op], shown(actor), place, source, option_count, is_continued)
        if actor.meets:
            seen.notes.append("waits")
        self.trace.append(seen)

    def took_case(self, index: int) -> None:
        """The select that is being done takes this case."""
        self.trace[-1].case = index

    def started(self, parent: Actor | None, child: Actor) -> None:
        """A goroutine came into being."""
        self.names[child.goid] = child.name.text
        self.functions[child.name.text] = function_name(started_with(child.g))
        if parent is None:
            return
        place, source = "", ""
        _, code, lasti, _ = child.g.origin
        if parent.g is not None and code is not None:
            place, source = where(parent) if is_hidden(code) else line_of(code.co_filename, line_at(code, lasti))
        number = self.trace[-1].number if self.trace else 0
        self.trace.append(SeenStep(number, parent.name.text, "go", child.name.text, place, source, 1, True))

    def left(self, actors: list[Actor]) -> None:
        """Nothing can happen any more, and these are left."""
        for actor in actors:
            place, source = where(actor)
            what = f"{OP_NAMES[actor.op]} {shown(actor)}".strip()
            self.waits[actor.name.text] = f"{what:<16} {place}  {source}".rstrip()


def shown(actor: Actor) -> str:
    """The object of a step."""
    if actor.op in (OP_WAKE, OP_START, OP_GOSCHED):
        return ""
    obj: Any = actor.timer if actor.timer is not None else actor.obj
    if isinstance(obj, CaseList):
        return obj.event_name()
    namer: Callable[[], str] | None = getattr(obj, "event_name", None)
    return namer() if namer is not None else ""


def started_with(gp: G) -> Any:
    """The function that a goroutine was started with; of a group's task the user's, not what runs it."""
    return gp.args[1] if getattr(gp.fn, "__code__", None) in TASKS else gp.fn


def where(actor: Actor) -> tuple[str, str]:
    """The line on which a goroutine stands: file:line, and its text."""
    gp = actor.g
    if gp is None:
        return "", ""
    frame: FrameType | None
    if actor.op == OP_START:
        fn = started_with(gp)
        while hasattr(fn, "__wrapped__"):
            fn = fn.__wrapped__
        code = getattr(fn, "__code__", None)
        return line_of(code.co_filename, code.co_firstlineno) if code is not None else ("", "")
    if gp is getcurrent():
        frame = sys._getframe(1)
    else:
        frame = gp.gr_frame
    while frame is not None and is_hidden(frame.f_code):
        frame = frame.f_back
    return line_of(frame.f_code.co_filename, frame.f_lineno) if frame is not None else ("", "")


def line_of(file: str, number: int) -> tuple[str, str]:
    """A place and its source, for a table."""
    return f"{os.path.basename(file)}:{number}", linecache.getline(file, number).strip()
