"""Goroutine dumps and the texts of a program's death, in Go's format.

Go: runtime/traceback.go goroutineheader, printcreatedby, tracebackothers.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from types import CodeType, FrameType, TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple

from greenlet import getcurrent

from ..base.names import qualified
from ..lang.panic import is_running_for
from ..sched.g import G, SystemG
from ..sched.status import DEAD, DURABLE, IDLE, LEAKED, STATUS_NAMES, WAITING
from ..sched.waitreason import WAIT_REASONS

if TYPE_CHECKING:
    from ..lang.panic import PanicRecord
    from ..sched.bubble import Bubble
    from ..sched.sched import Sched

PACKAGE_DIR = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
INNERMOST = OUTERMOST = 50  # frames shown at each end of a deep stack


class FrameRecord(NamedTuple):
    """One frame: `main.f`, file, line."""

    function: str
    file: str
    line: int

    def text(self) -> str:
        """Two lines, as Go prints a frame; Python has no argument words and no offsets."""
        return f"{self.function}(...)\n\t{self.file}:{self.line}\n"


class GoroutineRecord(NamedTuple):
    """One goroutine in a dump."""

    goid: int
    status: str  # the wait reason while it waits
    frames: tuple[FrameRecord, ...]
    created_by: FrameRecord | None
    parent_goid: int
    is_system: bool
    is_locked: bool
    text: str  # as Go prints it


class Level(NamedTuple):
    """What GOTRACEBACK asks for."""

    level: int  # 0 nothing, 1 user frames, 2 also the runtime's
    is_all: bool
    is_crash: bool


def traceback_level(setting: str, at_least: str = "") -> Level:
    """GOTRACEBACK's value; any unknown word is `none`, as in Go.

    Go: runtime/runtime1.go setTraceback.
    """
    chosen = _level(setting)
    if at_least:
        floor = _level(at_least)
        chosen = Level(max(chosen.level, floor.level), chosen.is_all or floor.is_all, chosen.is_crash or floor.is_crash)
    return chosen


def _level(setting: str) -> Level:
    named = {
        "none": (0, False, False), "single": (1, False, False), "": (1, False, False), "all": (1, True, False),
        "system": (2, True, False), "crash": (2, True, True),
    }  # fmt: skip
    if setting in named:
        return Level(*named[setting])
    number = int(setting) if setting.isascii() and setting.isdigit() else 0
    if number == 0:
        return Level(0, False, False)
    return Level(min(number, 2), True, False)


def is_hidden(code: CodeType) -> bool:
    """A frame of the runtime's own."""
    return code.co_filename.startswith(PACKAGE_DIR)


def frames_of(frame: FrameType | None) -> Iterable[FrameRecord]:
    """The user's frames of a stack, innermost first, down to the goroutine's entry."""
    while frame is not None:
        code = frame.f_code
        if not is_hidden(code):
            yield frame_record(code, frame.f_lineno, frame.f_globals.get("__name__", ""))
        frame = frame.f_back


def frame_record(code: CodeType, line: int, module: str) -> FrameRecord:
    """A frame's record. A comprehension's frame carries its function's name."""
    return FrameRecord(qualified(module, code.co_qualname), code.co_filename, line)


def frames_of_traceback(trace: TracebackType | None) -> tuple[FrameRecord, ...]:
    """The user's frames of an exception, innermost first, as Go shows the panicking stack."""
    records = []
    while trace is not None:
        if not is_hidden(trace.tb_frame.f_code):
            records.append(_record_of(trace))
        trace = trace.tb_next
    return tuple(reversed(records))


def frames_of_panic(record: PanicRecord) -> tuple[FrameRecord, ...]:
    """The user's frames of a panic, innermost first.

    In Go the deferred call that panics again stands on the frames of the panic before it. Python has unwound those, but
    the exception before remembers them: they are put back where its deferred calls were made.
    """
    records = []
    above: list[TracebackType | None] = []  # what stands on the frames that are being put back
    exc, trace = record.exc, record.exc.__traceback__
    link = record.link
    while trace is not None or above:
        if trace is None:
            trace, link = above.pop(), None
            continue
        if link is not None and link.exc is not exc and is_running_for(link, trace.tb_frame):
            above.append(trace.tb_next)
            exc, trace = link.exc, link.exc.__traceback__
            link = link.link
            continue
        if not is_hidden(trace.tb_frame.f_code):
            records.append(_record_of(trace))
        trace = trace.tb_next
    return tuple(reversed(records))


def _record_of(trace: TracebackType) -> FrameRecord:
    return frame_record(trace.tb_frame.f_code, trace.tb_lineno, trace.tb_frame.f_globals.get("__name__", ""))


def stack_of(gp: G) -> tuple[FrameRecord, ...]:
    """The user's frames of a goroutine, running or not; of one that has not started, its function."""
    if gp is getcurrent():
        import sys

        return tuple(frames_of(sys._getframe(1)))
    return tuple(frames_of(gp.gr_frame)) or entry_of(gp)


def entry_of(gp: G) -> tuple[FrameRecord, ...]:
    """The function that a goroutine was given, as its only frame: it has not begun, or could not be called."""
    target: Any = gp.fn
    while hasattr(target, "__wrapped__"):
        target = target.__wrapped__
    code = getattr(target, "__code__", None)
    if code is None or is_hidden(code):
        return ()
    return (frame_record(code, code.co_firstlineno, getattr(target, "__module__", "") or ""),)


def line_of(code: CodeType, lasti: int) -> int:
    """The line of an instruction, looked up only when it is shown."""
    for start, end, line in code.co_lines():
        if start <= lasti < end and line is not None:
            return line
    return code.co_firstlineno


def status_text(gp: G) -> str:
    """What stands in the brackets first: the wait reason while it waits, else the state."""
    if gp.status in (WAITING, DURABLE, LEAKED) and gp.waitreason:
        return WAIT_REASONS[gp.waitreason]
    return STATUS_NAMES[gp.status]


def label_text(labels: dict[str, str]) -> str:
    """` {k: v, "k 2": "v"}`: quoted only where it is needed."""

    def quoted(text: str) -> str:
        plain = text and all(c.isascii() and (c.isalnum() or c in "._/") for c in text)
        return text if plain else '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'

    return "{" + ", ".join(f"{quoted(key)}: {quoted(value)}" for key, value in sorted(labels.items())) + "}"


def header(gp: G, level: int = 1, status: str = "") -> str:
    """`goroutine 7 [chan receive, locked to thread]:`.

    Go: runtime/traceback.go goroutineheader.
    """
    detail = ""
    if level >= 2:
        thread = gp.m.id if gp.m is not None else "nil"
        pointer = f"0xc{gp.goid * 0x380 + 0x2000:09x}"
        detail = f" gp={pointer} m={thread}" + (f" mp=0x{0x500000 + gp.m.id * 0x700:x}" if gp.m is not None else "")
    inside = status or status_text(gp)
    if gp.status == LEAKED:
        inside += " (leaked)"
    if gp.bubble is not None and gp.bubble.is_durably_blocked(gp) and not inside.endswith("(durable)"):
        inside += " (durable)"
    if gp.lockedm is not None:
        inside += ", locked to thread"
    if gp.bubble is not None:
        inside += f", synctest bubble {gp.bubble.id}"
    labels = f" {label_text(gp.labels)}" if gp.labels else ""
    return f"goroutine {gp.goid}{detail} [{inside}]{labels}:\n"


def created_by(gp: G) -> FrameRecord | None:
    """The `go` statement that made it; None for goroutine 1."""
    if isinstance(gp, SystemG):
        return FrameRecord(gp.created_by, "runtime/proc.go", 0)
    _, code, lasti, module_globals = gp.origin
    if code is None:
        return None
    return frame_record(code, line_of(code, lasti), module_globals.get("__name__", ""))


def elided(frames: tuple[FrameRecord, ...]) -> str:
    """Frames as text: the 50 innermost and the 50 outermost.

    Go: runtime/traceback.go tracebackPCs.
    """
    if len(frames) <= INNERMOST + OUTERMOST:
        return "".join(frame.text() for frame in frames)
    hidden = len(frames) - INNERMOST - OUTERMOST
    return (
        "".join(frame.text() for frame in frames[:INNERMOST])
        + f"...{hidden} frames elided...\n"
        + "".join(frame.text() for frame in frames[-OUTERMOST:])
    )


def record_of(
    gp: G, level: int = 1, frames: tuple[FrameRecord, ...] | None = None, status: str = ""
) -> GoroutineRecord:
    """Everything a dump says about one goroutine."""
    if frames is None:
        frames = (FrameRecord(gp.function, "runtime/proc.go", 0),) if isinstance(gp, SystemG) else stack_of(gp)
    made = created_by(gp)
    text = header(gp, level, status) + elided(frames)
    if made is not None:
        parent = f" in goroutine {gp.origin[0]}" if gp.origin[0] else ""
        text += f"created by {made.function}{parent}\n\t{made.file}:{made.line}\n"
    if gp.ancestors:
        text += "".join(gp.ancestors)
    return GoroutineRecord(
        gp.goid, status or status_text(gp), frames, made, gp.origin[0], gp.is_system, gp.lockedm is not None, text
    )


def dump(
    sched: Sched, level: Level, first: GoroutineRecord | None = None, bubble: Bubble | None = None
) -> tuple[GoroutineRecord, ...]:
    """The goroutines a death shows, in Go's order: the one it happened on, the thread's, then allgs.

    When it is the deadlock of a synctest bubble and not all are asked for: those of the bubble.
    Go: runtime/traceback.go tracebackothers, tracebacksomeothers; runtime/panic.go dopanic_m.
    """
    records = [first] if first is not None else []
    if first is not None and not level.is_all and bubble is None:
        return tuple(records)
    seen = {record.goid for record in records}
    for gp in sched.allgs:
        if gp.status in (DEAD, IDLE) or gp.goid in seen or (gp.is_system and level.level < 2):
            continue
        if first is not None and not level.is_all and gp.bubble is not bubble:
            continue
        records.append(record_of(gp, level.level))
    return tuple(records)


def dump_text(records: Iterable[GoroutineRecord]) -> str:
    """Records as Go prints them: a blank line before each."""
    return "".join("\n" + record.text for record in records)


def stack_text(sched: Sched, gp: G, is_all: bool) -> str:
    """The stack of the goroutine that asks, or of all (the world is stopped then), always at level 1.

    Go: runtime/mprof.go Stack.
    """
    first = record_of(gp, status="running")
    records = dump(sched, Level(1, True, False), first) if is_all else (first,)
    return "\n".join(record.text for record in records)


def save_ancestors(creator: G, gp: G, frame: FrameType) -> None:
    """With GODEBUG=tracebackancestors=N: what a dump says about the goroutines that led to gp.

    Go: runtime/proc.go saveAncestors.
    """
    limit = creator.m.sched.tracks_ancestors
    text = f"[originating from goroutine {creator.goid}]:\n" + elided(tuple(frames_of(frame)))
    made = created_by(creator)
    if made is not None:
        text += f"created by {made.function}\n\t{made.file}:{made.line}\n"
    gp.ancestors = (text, *(creator.ancestors or ()))[:limit]
