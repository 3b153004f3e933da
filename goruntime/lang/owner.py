"""Who may use a primitive, and which run an object belongs to."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar, cast

from greenlet import getcurrent

from ..base.errors import OUTSIDE, throw
from ..kernel.blocking import is_worker_thread
from ..sched.park import struck
from ..sched.pool import G0
from .error import SURVIVABLE

if TYPE_CHECKING:
    from ..sched.g import G
    from ..sched.m import M
    from ..sched.sched import Sched


P = ParamSpec("P")
R = TypeVar("R")

IN_SYSCALL = "{} must be called from a goroutine: a function given to syscall runs on a thread of its own"


def outside(what: str) -> RuntimeError:
    """The error for a primitive that is called where no goroutine runs."""
    current = getcurrent()
    if isinstance(current, G0):
        throw("primitive called on g0")
    if is_worker_thread():
        return RuntimeError(IN_SYSCALL.format(what))
    return RuntimeError(OUTSIDE.format(what))


def current_m(what: str) -> tuple[M, G]:
    """The running goroutine and its M.

    Raises: RuntimeError outside a goroutine.
    """
    g = getcurrent()
    m = getattr(g, "m", None)
    if m is None:
        raise outside(what)
    return m, cast("G", g)


def unbroken(m: M, g: G, operation: Callable[Concatenate[M, G, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Do a primitive's work. An exception that strikes while something may be half done ends the run.

    For all but the hottest primitives, which do the same in their own frame; see sched/park.py.
    """
    try:
        return operation(m, g, *args, **kwargs)
    except SURVIVABLE:
        raise
    except BaseException as exc:
        struck(m, g, exc)
        raise


def belong(obj: Any, sched: Sched) -> None:
    """An object that was made outside any run belongs to the first that operates on it; a later one is refused."""
    if obj.sched is None:
        obj.sched = sched
        return
    made = f", made at {obj.made_at}," if obj.made_at else ""
    raise RuntimeError(f"{obj!r}{made} belongs to another run: make it inside main, or make a new one for every run")


def where_made() -> str:
    """`file:line` of the user's code that makes an object right now."""
    frame = sys._getframe(1)
    package = __name__.split(".", 1)[0] + "."
    while frame is not None:
        if not frame.f_globals.get("__name__", "").startswith(package):
            return f"{frame.f_code.co_filename}:{frame.f_lineno}"
        if frame.f_back is None:
            break
        frame = frame.f_back
    return ""
