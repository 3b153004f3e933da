"""Who may use a primitive, and which run an object belongs to."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, Concatenate, NoReturn, ParamSpec, TypeVar, cast

from greenlet import getcurrent

from ..base.errors import OUTSIDE, throw
from ..kernel.blocking import is_worker_thread
from ..sched.park import struck
from ..sched.pool import G0
from ..sched.preempt import safepoint
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


class Owned:
    """What goroutines share: it belongs to one run, carries a clock, and has a number there. It cannot be copied."""

    __slots__ = ("__weakref__", "ident", "made_at", "ns", "sched")
    KIND: ClassVar[str] = "object"  # for display: `mutex 3`

    def __init__(self) -> None:
        self.ns = 0  # its Lamport clock
        self.ident = 0  # its number among its kind in the run, given when it is first shown
        m = getattr(getcurrent(), "m", None)
        if m is None:
            self.sched: Sched | None = None  # the first run that operates on it
            self.made_at = where_made()
        else:
            self.sched = m.sched
            self.made_at = ""

    def quick(self, cost: int) -> bool:
        """Charge an operation, if it can be done without further ado. Else nothing was charged: `step` does it.

        Unoptimised form: `step`, always.
        """
        m = getattr(getcurrent(), "m", None)
        if m is None:
            return False
        clock = m.clock + cost
        if self.ns > clock:
            clock = self.ns
        if clock < m.horizon and self.sched is m.sched and m.watch is None:
            m.clock = self.ns = clock
            return True
        return False

    def step(self, what: str, cost: int, op: int, do: Callable[..., Any], *args: Any) -> Any:
        """One operation of this object: charge it, stop at its safepoint if somebody asks, and do(m, g, *args).

        In the `finally` of an abandoned goroutine nothing is done, and None returned. what is its name in errors.
        """
        m, g = current_m(what)
        if self.sched is not m.sched:
            belong(self, m.sched)
        m.clock += cost
        try:
            if m.clock >= m.horizon:
                m = safepoint(m, g, op, self)  # type: ignore[assignment]
                if m is None:
                    return None
                if m.sched.controller is not None:
                    return m.sched.controller.perform(g, do, m, g, *args)
            else:
                self.join(m)
            return do(m, g, *args)
        except SURVIVABLE:
            raise
        except BaseException as exc:  # see sched/park.py: something may be half done
            struck(m, g, exc)
            raise

    def join(self, m: M) -> None:
        """Set the clocks of the thread and of the object to the later of the two."""
        if self.ns > m.clock:
            m.clock = self.ns
        else:
            self.ns = m.clock

    def event_name(self) -> str:
        """For display in events: its kind and its number in the run."""
        if self.ident == 0 and self.sched is not None:
            self.ident = self.sched.next_object_id(self.KIND)
        return f"{self.KIND} {self.ident}"

    def ready(self, op: int, g: G) -> bool:
        """Would the operation complete now?"""
        return True

    def is_fatal(self, op: int) -> bool:
        """For exploration: would the operation end the program now? Then its order beside every other step matters."""
        return False

    def _refuse_copy(self, *_: Any) -> NoReturn:
        raise TypeError(f"{type(self).__name__}: it cannot be copied after its first use, nor before; share it")

    __copy__: Any = _refuse_copy
    __deepcopy__: Any = _refuse_copy
    __reduce__ = _refuse_copy
