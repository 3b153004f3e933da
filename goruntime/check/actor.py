"""Actor: who can take a step. A goroutine, or the earliest timer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..context.cancel import CancelContext
from ..lang.chan import chan
from ..lang.owner import Owned
from ..lang.select import SEND, CaseList
from ..lang.store import Place
from ..lang.timerchan import TimerChan
from ..sched.ops import (
    OP_ADD,
    OP_BITS,
    OP_CONTEXT_ERR,
    OP_LEN,
    OP_LOAD,
    OP_MAP_LOAD,
    OP_RECV,
    OP_SELECT,
    OP_SEND,
    OP_SLEEP,
    OP_TIMER,
    OP_WAIT,
    OPERATIONS,
)
from ..sched.park import goroutine_ready
from ..time import _go_func, _send_time

if TYPE_CHECKING:
    from ..sched.g import G
    from ..sched.timers import Timer
    from .names import Name

# What its next step is, if it has one.
SEGMENT = 0  # run on, in plain Python, up to the next point
OPERATION = 1  # do (op, obj), which it has come to
PARKED = 2  # none: it waits in a queue of the runtime for somebody to ready it
STEPPING = 3  # it is taking it
ENDED = 4
IN_HOST_CALL = 5  # go on when the host is done
STATE_NAMES = ("segment", "operation", "parked", "stepping", "ended", "host call")

# What a step touches, as bits: two for each object, for reading and for writing. Object 0 is plain Python memory:
# nobody can tell which objects of it, so all of them.
READ, WRITE = 1, 2
MEMORY = WRITE
CLOCK_READ, CLOCK_WRITE = READ << 2, WRITE << 2
HOST = WRITE << 4
EVERYTHING = -1
FIRST_OBJECT = 3  # the number of the first object that is none of these
# Objects of a kind are numbered on their own; kinds take turns. Those that share a place only look dependent.
KINDS = ("mutex", "rwmutex", "waitgroup", "cond", "once", "atomic", "chan")
KIND_PLACE = {kind: place for place, kind in enumerate(KINDS)}
OTHER_KINDS = len(KINDS)
WRITES = int("10" * 1024, 2)  # the writing bits of all objects
CLASS_MASKS = {"timer": CLOCK_WRITE, "host": HOST, "world": EVERYTHING, "none": 0}
OBJECT_BITS = 1_000  # more objects than this share bits too


def conflicts(mask: int) -> int:
    """What a step must touch for its order to matter beside one that touches mask."""
    if mask < 0:
        return EVERYTHING
    written = mask & WRITES
    return written | written >> 1 | (mask & ~WRITES) << 1


def bit_of(obj: Any, kind: str, access: int = WRITE) -> int:
    """The bit that stands for an object of the runtime."""
    if not obj.ident:
        obj.event_name()
    place: int = obj.ident * (OTHER_KINDS + 1) + KIND_PLACE.get(kind, OTHER_KINDS)
    return access << 2 * (FIRST_OBJECT + place % OBJECT_BITS)


def bit_of_chan(ch: chan[Any], access: int = WRITE) -> int:
    """The same for a channel; a timer's depends on the clock as well."""
    bit = bit_of(ch, "chan", access)
    return bit | CLOCK_READ if isinstance(ch, TimerChan) else bit


def bit_of_word(place: Place) -> int:
    """The bit that stands for a word of the emulated memory, for writing."""
    return WRITE << 2 * (FIRST_OBJECT + (place.address >> 3) % OBJECT_BITS)


def mask_of_timer(timer: Timer) -> int:
    """What a timer touches when it fires."""
    if timer.f is goroutine_ready or timer.f is _go_func:
        return CLOCK_WRITE
    if timer.f is _send_time:
        return CLOCK_WRITE | bit_of_chan(timer.arg)
    return EVERYTHING


class Actor:
    """One goroutine of the run, or one timer while it is among the earliest."""

    __slots__ = (
        "child_count",
        "g",
        "goid",
        "host_call",
        "is_late",
        "is_quiet",
        "meets",
        "name",
        "obj",
        "op",
        "state",
        "timer",
        "touched",
        "was_woken",
    )

    def __init__(self, name: Name, g: G | None, goid: int, op: int, timer: Timer | None = None) -> None:
        self.name = name
        self.g: G = g  # type: ignore[assignment]  # None for a timer
        self.goid = goid
        self.state = SEGMENT
        self.op = op  # of an OPERATION; why it can run on, of a SEGMENT
        self.obj: Any = None
        self.timer = timer
        self.child_count = 0
        self.was_woken = False  # parked inside its operation; going on was its own step
        self.host_call: Any = None
        self.is_late = False  # the host has not finished its call in time
        self.touched = 0  # beside what `mask` says: found while the step was taken
        self.is_quiet = False  # its segment touches nothing shared
        self.meets = False  # its step is to park: a partner has come for whom it must be there

    def token(self) -> int:
        """The step it would take, as one number."""
        return self.name.id << OP_BITS | self.op

    def mask(self) -> int:
        """What its step touches."""
        if self.timer is not None:
            return mask_of_timer(self.timer)
        if self.state == IN_HOST_CALL:
            return MEMORY | HOST
        if self.state == SEGMENT:
            return 0 if self.is_quiet else MEMORY
        obj = self.obj
        if isinstance(obj, chan):
            return bit_of_chan(obj, READ if self.op == OP_LEN else WRITE)
        if isinstance(obj, CaseList):
            mask = 0
            for _, (_, ch, _) in obj:
                mask |= bit_of_chan(ch)
            return mask
        if isinstance(obj, Place):
            return READ | bit_of_word(obj)  # plain Python may load it
        if isinstance(obj, CancelContext):
            return bit_of_chan(obj.channel, READ if self.op == OP_CONTEXT_ERR else WRITE)
        if isinstance(obj, Owned):
            if obj.is_fatal(self.op):
                return EVERYTHING
            return bit_of(obj, obj.KIND, READ if self.op in (OP_LOAD, OP_MAP_LOAD) else WRITE)
        if self.op == OP_SLEEP:
            return CLOCK_READ
        return CLASS_MASKS.get(OPERATIONS[self.op].dependency, EVERYTHING)

    def arrival_mask(self) -> int:
        """What its coming to its operation touches: on some objects it may enable others."""
        if isinstance(self.obj, Owned) and self.op not in (OP_WAIT, OP_ADD):
            return 0
        return self.mask()

    def ends(self) -> list[tuple[Any, bool]]:
        """The objects on which its operation meets a partner: (unbuffered channel, it sends), or what a wait has."""
        op, obj = self.op, self.obj
        if op in (OP_SEND, OP_RECV):
            return [] if obj.size else [(obj, op == OP_SEND)]
        if op == OP_SELECT:
            return [(ch, kind == SEND) for _, (kind, ch, _) in obj if not ch.size]
        if op in (OP_WAIT, OP_ADD):
            found: list[tuple[Any, bool]] = obj.ends(op, self.g)
            return found
        return []

    def __repr__(self) -> str:
        return f"<{self.name.text} {STATE_NAMES[self.state]}>"


def timer_actor(name: Name, timer: Timer) -> Actor:
    """A timer that may fire next."""
    return Actor(name, None, 0, OP_TIMER, timer)
