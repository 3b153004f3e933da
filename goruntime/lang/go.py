"""The go statement, and the builtin print.

Go: runtime/proc.go newproc; runtime/print.go.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FunctionType
from typing import Any

from greenlet import getcurrent

from ..base.events import GO_CREATE, OUTPUT, RUNNEXT
from ..base.names import function_name
from ..kernel import costs, host
from ..sched.g import G
from ..sched.ops import OP_GO
from ..sched.p import RING
from ..sched.park import struck_m
from ..sched.preempt import safepoint
from ..sched.proc import newproc1
from ..sched.runq import runqputslow
from ..sched.spin import wakep
from .error import SURVIVABLE
from .owner import current_m, outside
from .panic import NO_PLAIN_FUNCTION, refuse_generators
from .print import print_text

NEWPROC_COST = costs.NEWPROC


def go(fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> None:  # hot: spawn
    """Start a goroutine that calls fn(*args, **kwargs). With a function alone it is also a decorator.

    Raises: TypeError if fn is not callable, or is a generator or coroutine function; RuntimeError outside a goroutine.
    Go: runtime/proc.go newproc.
    """
    g: G = getcurrent()  # type: ignore[assignment]
    code = getattr(fn, "__code__", None)  # first: the user's `__getattr__` may use channels, and change g's M
    if code is None or code.co_flags & NO_PLAIN_FUNCTION:
        refuse_generators(fn, "go")
    try:
        m = g.m
        m.clock = clock = m.clock + NEWPROC_COST
    except AttributeError:
        raise outside("go") from None
    try:
        if clock >= m.horizon:
            m = safepoint(m, g, OP_GO, None)  # type: ignore[assignment]
            if m is None:
                return
        gp = newproc1(m, fn, args, kwargs)
        m = g.m  # the last goroutine's context ended there; a `__del__` in it may have parked this one
        frame = sys._getframe(1)
        gp.origin = g.goid, frame.f_code, frame.f_lasti, frame.f_globals
        gp.labels = g.labels
        if m.sched.tracks_ancestors:
            m.sched.save_ancestors(g, gp, frame)
        if m.watch is not None:
            m.emit(GO_CREATE, gp.goid, function_name(fn), RUNNEXT)
        # Unoptimised form: runqput(sched, p, gp, to_next=True); wakep(m).
        p = m.p
        kicked = p.runnext
        p.runnext = gp
        if kicked is not None:
            if len(p.runq) < RING:
                p.runq.append(kicked)
            else:
                runqputslow(m.sched, p, kicked)
        sched = m.sched
        if not sched.nmspinning:
            if sched.npidle:
                wakep(m)
            else:
                sched.needspinning = 1
        elif sched.controller is not None:  # which counts itself among the spinning, so that nobody else is woken
            sched.controller.after(m, g)
    except SURVIVABLE:
        raise
    except BaseException as exc:  # see sched/park.py: something may be half done
        m = g.m or m
        m.curg, m.mcall, g.param = g, struck_m, exc
        m.g0.switch()


def starter(package: str, name: str) -> Callable[..., None]:
    """`go`, as a statement of Go's function package.name: what goroutines it starts say `created by` that one."""
    caller = sys._getframe(1)
    start = lambda fn, *args: go(fn, *args)  # noqa: E731  on one line, which is then that of the caller
    code = start.__code__.replace(
        co_name=name, co_qualname=name, co_filename=caller.f_code.co_filename, co_firstlineno=caller.f_lineno
    )
    return FunctionType(code, {"__name__": package, "go": go})


def println(*args: Any) -> None:
    """Go's builtin println: to stderr, with spaces between and a newline after. No scheduling point.

    Raises: RuntimeError outside a goroutine.
    """
    _print("println", " ".join(map(print_text, args)) + "\n")


def print_(*args: Any) -> None:
    """Go's builtin print: to stderr, nothing between. No scheduling point.

    Raises: RuntimeError outside a goroutine.
    """
    _print("print_", "".join(map(print_text, args)))


def _print(what: str, text: str) -> None:
    m, _ = current_m(what)
    if m.sched.is_ending:
        return  # in a `finally` of an abandoned goroutine: in Go nothing of it would run
    m.clock += costs.PRINT
    if m.watch is not None:
        m.emit(OUTPUT, "stderr", text)
    host.write_stderr(text)
