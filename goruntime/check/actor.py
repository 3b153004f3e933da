"""Actor: who can take a step. A goroutine, or the earliest timer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..lang.chan import chan
from ..lang.select import SEND, CaseList
from ..lang.timerchan import TimerChan
from ..sched.ops import OP_LEN, OP_RECV, OP_SELECT, OP_SEND, OP_SLEEP, OP_TIMER, OPERATIONS
from ..sched.timers import goroutine_ready
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
FIRST_CHANNEL = 3  # the object that is channel 0
WRITES = int("10" * 1024, 2)  # the writing bits of all objects
CLASS_MASKS = {"timer": CLOCK_WRITE, "host": HOST, "world": EVERYTHING, "none": 0}
CHANNEL_BITS = 1_000  # more channels than this share bits, which only makes them look dependent


def conflicts(mask: int) -> int:
    """What a step must touch for its order to matter beside one that touches mask."""
    if mask < 0:
        return EVERYTHING
    written = mask & WRITES
    return written | written >> 1 | (mask & ~WRITES) << 1


def bit_of(ch: chan[Any], access: int = WRITE) -> int:
    """The bit that stands for a channel; a timer's depends on the clock as well."""
    if not ch.ident:
        ch.event_name()
    bit = access << 2 * (FIRST_CHANNEL + ch.ident % CHANNEL_BITS)
    return bit | CLOCK_READ if isinstance(ch, TimerChan) else bit


def mask_of_timer(timer: Timer) -> int:
    """What a timer touches when it fires."""
    if timer.f is goroutine_ready or timer.f is _go_func:
        return CLOCK_WRITE
    if timer.f is _send_time:
        return CLOCK_WRITE | bit_of(timer.arg)
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
        return self.name.id << 5 | self.op

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
            return bit_of(obj, READ if self.op == OP_LEN else WRITE)
        if isinstance(obj, CaseList):
            mask = 0
            for _, (_, ch, _) in obj:
                mask |= bit_of(ch)
            return mask
        if self.op == OP_SLEEP:
            return CLOCK_READ
        return CLASS_MASKS.get(OPERATIONS[self.op].dependency, EVERYTHING)

    def ends(self) -> list[tuple[chan[Any], bool]]:
        """The unbuffered channels on which its operation meets a partner: (channel, it sends)."""
        op, obj = self.op, self.obj
        if op in (OP_SEND, OP_RECV):
            return [] if obj.size else [(obj, op == OP_SEND)]
        if op == OP_SELECT:
            return [(ch, kind == SEND) for _, (kind, ch, _) in obj if not ch.size]
        return []

    def __repr__(self) -> str:
        return f"<{self.name.text} {STATE_NAMES[self.state]}>"


def timer_actor(name: Name, timer: Timer) -> Actor:
    """A timer that may fire next."""
    return Actor(name, None, 0, OP_TIMER, timer)


assert len(OPERATIONS) <= 32
