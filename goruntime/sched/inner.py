"""Inner points: where a second P could see an operation half done.

With several Ps, goroutines really overlap only between operations: an operation of ours is one step. Some of Go's are
several, each atomic by itself, and programs can be wrong in a way that shows only when somebody comes in between. In
exploration, which has to find such programs, the operation stops there; otherwise nothing happens.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..kernel.threads import FOREVER

if TYPE_CHECKING:
    from .g import G
    from .m import M


def inner_point(m: M, g: G, op: int, obj: Any) -> M:
    """Between two steps of an operation, the second of which is (op, obj); returns the M that g is on.

    Caller: performs the operation for the controller, if there is one.
    """
    controller = m.sched.controller
    if controller is not None and not m.sched.is_ending:
        controller.point(m, g, op, obj)
        m = g.m
        m.horizon = FOREVER
    return m


def own_step(m: M, g: G) -> None:
    """What follows is a step of its own in exploration: an exception that comes out of a call of several operations.

    The controller takes what follows an operation from the code behind the call, where an exception does not go.
    """
    controller = m.sched.controller
    if controller is not None and not m.sched.is_ending:
        controller.after(m, g, is_quiet=False)
