"""Contexts that can be canceled, and how a cancellation goes down the tree.

Protocol.
1. A context that is derived hangs itself among the children of the nearest one above it that can be canceled, if it can
   find that (`parent_cancel`). Under somebody's own kind of context it registers with that one's `after_func`, or else
   a goroutine waits for the two of them.
2. To cancel: note error and cause, close the channel, then cancel the children, each in the same way. Only the first
   cancellation of a context counts.
3. The context that was canceled by itself leaves its parent; those that went down with it need not.

In Go a mutex holds all this together. Here each operation is one step, so nobody can come in between; but a goroutine
on another P may see a parent canceled whose children are not yet. So in exploration each child is an inner point, and
whoever cancels or derives from a context whose children are still being canceled waits until they are, as at Go's
mutex.

The children are a map in Go, whose order is open. Here they are in the order they came in, and where the walk begins
is a choice.

Go: context/context.go cancelCtx, timerCtx, afterFuncCtx, propagateCancel, removeChild.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from types import CodeType
from typing import TYPE_CHECKING, Any, cast

from greenlet import getcurrent

from ..base.choose import MAP_ITERATION
from ..base.errors import throw
from ..base.events import CONTEXT_CANCEL, CONTEXT_MAKE, GO_CREATE, RUNNEXT
from ..base.names import function_name
from ..kernel import costs
from ..lang.bubblechan import check_inside
from ..lang.chan import RecvOnly, chan
from ..lang.owner import Owned, belong, current_m, unbroken
from ..lang.select import default, select
from ..sched import timers
from ..sched.inner import inner_point
from ..sched.ops import OP_CANCEL, OP_CONTEXT_ERR, OP_DERIVE
from ..sched.preempt import safepoint
from ..sched.spin import wakep
from ..time import Time, Timer
from .base import (
    CANCEL_KEY,
    Context,
    Node,
    ValueContext,
    canceled,
    channel_of,
    context_name,
    deadline_exceeded,
    error_of,
    handed_out,
    value,
)
from .text import duration_text, time_text

if TYPE_CHECKING:
    from ..sched.g import G
    from ..sched.m import M


class CancelContext(Owned, Node):
    """A context that can be canceled.

    Differs: its channel is made with it, in Go when `Done` is first called; this shows in nothing but the synctest
    bubble that it belongs to.
    Go: context/context.go cancelCtx.
    """

    __slots__ = ("_cause", "_err", "attached_to", "channel", "children", "is_busy", "parent", "stop_waiting", "view")
    KIND = "context"

    def __init__(self, parent: Context) -> None:
        Owned.__init__(self)
        self.parent = parent
        self.channel: chan[Any] = chan()
        self.view = RecvOnly(self.channel)
        self.children: dict[CancelContext, None] = {}  # in the order they came
        self._err: BaseException | None = None  # set by the first cancellation, with the cause
        self._cause: BaseException | None = None
        self.is_busy = False  # its children are being canceled
        self.attached_to: CancelContext | None = None  # whose child it is
        self.stop_waiting: Callable[[], Any] | None = None  # undoes the `after_func` of somebody's own kind of parent

    def done(self) -> Any:
        """A channel that is closed when it is canceled."""
        return self.view

    def err(self) -> BaseException | None:
        """None until it is canceled; then `canceled` or `deadline_exceeded`."""
        m = getattr(getcurrent(), "m", None)
        if m is not None and self.sched is m.sched:
            m.clock += costs.CONTEXT_ERR
            if m.clock >= m.horizon or self.ns > m.clock:
                return unbroken(m, cast("G", getcurrent()), _read_err, self)
        return None if self._err is None else handed_out(self._err)

    def answer(self, key: Any) -> tuple[Any, Any]:
        """Itself for the key of those that can be canceled."""
        return (self, None) if key is CANCEL_KEY else (None, self.parent)

    def deadline(self) -> Time | None:
        """That of the nearest above that knows one."""
        ctx = self.parent
        while isinstance(ctx, (ValueContext, CancelContext)) and not isinstance(ctx, TimerContext):
            ctx = ctx.parent
        return ctx.deadline()

    # What kinds of it do otherwise.

    def ended(self, m: M, g: G) -> None:
        """It has been canceled, in the same step: let go of what would have canceled it, do what waited for it."""

    # For the controller and displays.

    def ready(self, op: int, g: G) -> bool:
        """Would the operation complete now?"""
        return op == OP_CONTEXT_ERR or not self.is_busy

    def check(self) -> None:
        """The invariants of the tree hold here."""
        if self.channel.closed != (self._err is not None):
            throw("check: context is canceled, or its channel closed, but not both")
        if self._err is not None and self.children:
            throw("check: canceled context has children")
        for child in self.children:
            if child.attached_to is not self or child._err is not None:
                throw("check: child of a context is canceled, or has another parent")

    def __str__(self) -> str:
        return context_name(self.parent) + ".WithCancel"


class TimerContext(CancelContext):
    """A context with a deadline.

    Differs: its text has no reading of the monotonic clock (`m=+0.1`): there is only one clock.
    Go: context/context.go timerCtx.
    """

    __slots__ = ("timer", "when")

    def __init__(self, parent: Context, when: Time) -> None:
        CancelContext.__init__(self, parent)
        self.when = when
        self.timer: Timer | None = None

    def deadline(self) -> Time | None:
        """When it will be canceled."""
        return self.when

    def ended(self, m: M, g: G) -> None:
        """Its timer is not needed any more."""
        timer, self.timer = self.timer, None
        if timer is not None:
            assert timer._timer is not None
            timers.stop(m, timer._timer)

    def __str__(self) -> str:
        g: Any = getcurrent()
        m = getattr(g, "m", None)  # the clock is looked at without an operation: this is for display
        left = ""
        if m is not None:
            now_ns = m.sched.start_ns + m.clock if g.bubble is None else g.bubble.now_ns
            left = f" [{duration_text(self.when.ns - now_ns)}]"
        return f"{context_name(self.parent)}.WithDeadline({time_text(self.when.ns)}{left})"


class AfterFuncContext(CancelContext):
    """What `after_func` hangs into the tree: it starts its function when it is canceled, unless that was stopped.

    Go: context/context.go afterFuncCtx.
    """

    __slots__ = ("call", "is_decided")

    def __init__(self, parent: Context, f: Callable[..., Any], args: tuple[Any, ...]) -> None:
        CancelContext.__init__(self, parent)
        self.call: tuple[Callable[..., Any], tuple[Any, ...]] | None = (f, args)
        self.is_decided = False  # f was started, or stopped from being

    def ended(self, m: M, g: G) -> None:
        """The function is started."""
        call, self.call = self.call, None
        if not self.is_decided:
            self.is_decided = True
            assert call is not None
            start(m, g, *call, _CANCEL_CODE)


# Being derived.


def derive(child: CancelContext, what: str) -> None:
    """Let child be canceled when its parent is.

    Go: context/context.go propagateCancel.
    """
    m, g = current_m(what) if child.sched is not None else (None, None)
    parent = child.parent
    done = channel_of(parent.done())
    if not done:
        if m is not None:
            m.clock += costs.CONTEXT_NEW
            _made(m, child, None)
        return
    above = parent_cancel(parent, done)
    if above is not None:
        if m is None or g is None:
            _hang(above, child)
            return
        if above.sched is not m.sched:
            belong(above, m.sched)
        m.clock += costs.CONTEXT_NEW
        unbroken(m, g, _derive, above, child)
        return
    _derive_from_own_kind(child, parent, done)


def parent_cancel(parent: Context, done: chan[Any]) -> CancelContext | None:
    """The nearest context above that can be canceled, if parent is canceled exactly when that one is.

    Go: context/context.go parentCancelCtx.
    """
    above = parent.value(CANCEL_KEY)
    return above if isinstance(above, CancelContext) and above.channel is done else None


def _derive(m: M, g: G, above: CancelContext, child: CancelContext) -> None:
    if m.clock >= m.horizon:
        following = safepoint(m, g, OP_DERIVE, above)
        if following is None:
            return
        m = following
        if m.sched.controller is not None:
            m.sched.controller.perform(g, _derive_now, m, g, above, child)
            return
    _derive_now(m, g, above, child)


def _derive_now(m: M, g: G, above: CancelContext, child: CancelContext) -> None:
    if above.ns > m.clock:
        m.clock = above.ns
    _made(m, child, above)
    if above._err is not None:
        cancel_now(m, g, child, above._err, above._cause)
    else:
        above.ns = m.clock
        _hang(above, child)


def _hang(above: CancelContext, child: CancelContext) -> None:
    if above._err is not None:
        raise RuntimeError(f"{above!r} was canceled in another run: make a new one for every run")
    above.children[child] = None
    child.attached_to = above


def _made(m: M, child: CancelContext, above: CancelContext | None) -> None:
    if m.watch is not None:
        m.emit(CONTEXT_MAKE, child.event_name(), "" if above is None else above.event_name())


def _derive_from_own_kind(child: CancelContext, parent: Context, done: chan[Any]) -> None:
    """The parent is no context of this module, or wraps one with a channel of its own."""
    m, g = current_m("context")
    m.clock += costs.CONTEXT_NEW
    _made(m, child, None)

    def follow() -> None:
        cancel(child, error_of(parent), cause(parent))

    index, _ = select(done.recv, default)
    if index == 0:
        follow()
    elif callable(after := getattr(parent, "after_func", None)):
        child.stop_waiting = after(follow)
    else:
        m, g = current_m("context")
        unbroken(m, g, start, _wait_for_either, (done, child, follow), _PROPAGATE_CODE)
        if m.sched.controller is not None:
            m.sched.controller.after(g.m, g)


def _wait_for_either(done: chan[Any], child: CancelContext, follow: Callable[[], None]) -> None:
    index, _ = select(done.recv, child.channel.recv)
    if index == 0:
        follow()


# Being canceled.


def cancel(ctx: CancelContext, error: BaseException, why: BaseException | None, leaves: bool = False) -> None:
    """Cancel ctx and all below it; leaves: take it away from its parent.

    Go: context/context.go cancelCtx.
    """
    m, g = current_m("context: cancel")
    if ctx.sched is not m.sched:
        belong(ctx, m.sched)
    m.clock += costs.CONTEXT_CANCEL
    unbroken(m, g, _cancel, ctx, error, why, leaves)
    if leaves:
        stop_waiting_for_parent(ctx)


def leave(ctx: CancelContext) -> None:
    """Its parent forgets it.

    Go: context/context.go removeChild.
    """
    above, ctx.attached_to = ctx.attached_to, None
    if above is not None:
        above.children.pop(ctx, None)


def stop_waiting_for_parent(ctx: CancelContext) -> None:
    """The same where the parent is of somebody's own kind, whose code is called."""
    stop_waiting, ctx.stop_waiting = ctx.stop_waiting, None
    if stop_waiting is not None:
        stop_waiting()


def _cancel(m: M, g: G, ctx: CancelContext, error: BaseException, why: BaseException | None, leaves: bool) -> None:
    if m.clock >= m.horizon:
        following = safepoint(m, g, OP_CANCEL, ctx)
        if following is None:
            return
        m = following
        if m.sched.controller is not None:
            m.sched.controller.perform(g, _cancel_now, m, g, ctx, error, why, leaves)
            return
    _cancel_now(m, g, ctx, error, why, leaves)


def _cancel_now(m: M, g: G, ctx: CancelContext, error: BaseException, why: BaseException | None, leaves: bool) -> None:
    if leaves:
        leave(ctx)
    cancel_now(m, g, ctx, error, why)


def cancel_now(m: M, g: G, ctx: CancelContext, error: BaseException, why: BaseException | None) -> M:
    """In the middle of an operation: cancel ctx and all below it, depth first; returns the M that g is on.

    Not by recursion, which a chain of a thousand contexts would bring to its limit.
    Go: context/context.go cancelCtx.
    """
    why = error if why is None else why
    if not _cancel_one(m, ctx, error, why, None):
        return m
    path = [(ctx, _children_of(m, ctx))]
    while path:
        above, children = path[-1]
        child = next(children, None)
        if child is None:
            path.pop()
            above.is_busy = False
            above.ended(m, g)
            continue
        m = inner_point(m, g, OP_CANCEL, child)
        m.clock += costs.CONTEXT_CANCEL
        if _cancel_one(m, child, error, why, above):
            path.append((child, _children_of(m, child)))
    return m


def _cancel_one(m: M, ctx: CancelContext, error: BaseException, why: BaseException, by: CancelContext | None) -> bool:
    """Cancel ctx alone; False if it has been. by: the parent it goes down with."""
    done = ctx.channel
    for obj in (ctx, done):
        if obj.sched is not m.sched:
            belong(obj, m.sched)
        if obj.ns > m.clock:
            m.clock = obj.ns
    ctx.ns = m.clock
    if ctx._err is not None:
        return False
    if done.bubble is not None:
        check_inside(done, "close of")
    m.clock += costs.CHAN_CLOSE
    done.ns = m.clock
    ctx._err = error
    ctx._cause = why
    if m.watch is not None:
        m.emit(CONTEXT_CANCEL, ctx.event_name(), _shown(error), "" if by is None else by.event_name())
    done.shut(m)
    return True


def _children_of(m: M, ctx: CancelContext) -> Iterator[CancelContext]:
    """The children, in the order in which they are canceled; ctx has none any more."""
    children = list(ctx.children)
    if children:
        ctx.children = {}
        ctx.is_busy = True
    if len(children) > 1:
        controller = m.sched.controller
        count = len(children)
        first = m.choose(MAP_ITERATION, count) if controller is None else controller.choose_one(count)
        children = children[first:] + children[:first]
    return iter(children)


def stop_after_func(ctx: AfterFuncContext) -> bool:
    """Keep the function from being started; False if it has been, or was kept from it before."""
    m, g = current_m("context.after_func: stop")
    if ctx.sched is not m.sched:
        belong(ctx, m.sched)
    m.clock += costs.CONTEXT_CANCEL
    is_stopped = unbroken(m, g, _stop, ctx)
    if is_stopped:
        stop_waiting_for_parent(ctx)
    return is_stopped


def _stop(m: M, g: G, ctx: AfterFuncContext) -> bool:
    if m.clock >= m.horizon:
        following = safepoint(m, g, OP_CANCEL, ctx)
        if following is None:
            return False
        m = following
        if m.sched.controller is not None:
            return bool(m.sched.controller.perform(g, _stop_now, m, g, ctx))
    return _stop_now(m, g, ctx)


def _stop_now(m: M, g: G, ctx: AfterFuncContext) -> bool:
    if ctx.is_decided:
        return False
    ctx.is_decided = True
    leave(ctx)
    cancel_now(m, g, ctx, canceled, None)
    return True


# Reading.


def _read_err(m: M, g: G, ctx: CancelContext) -> BaseException | None:
    if m.clock >= m.horizon:
        following = safepoint(m, g, OP_CONTEXT_ERR, ctx)
        if following is not None:
            m = following
            if m.sched.controller is not None:
                return cast("BaseException | None", m.sched.controller.perform(g, _err_of, m, ctx))
    return _err_of(m, ctx)


def _err_of(m: M, ctx: CancelContext) -> BaseException | None:
    if ctx._err is None:
        return None
    if ctx.ns > m.clock:
        m.clock = ctx.ns
    return handed_out(ctx._err)


def cause(ctx: Context) -> BaseException | None:
    """Why ctx was canceled; see the package.

    Go: context/context.go Cause.
    """
    error = ctx.err()
    if error is None:
        return None
    above = value(ctx, CANCEL_KEY)
    if isinstance(above, CancelContext) and above._cause is not None:
        return handed_out(above._cause)
    return error


def _shown(error: BaseException) -> str:
    """For display in events: no text of the user's."""
    if error is canceled:
        return "canceled"
    return "deadline exceeded" if error is deadline_exceeded else type(error).__name__


def start(m: M, g: G, f: Callable[..., Any], args: tuple[Any, ...], code: CodeType) -> None:
    """In the middle of an operation: a goroutine, as by a `go` statement in the function that code is named after."""
    m.clock += costs.NEWPROC
    gp = m.sched.newproc1(m, f, args, {})
    m = g.m
    gp.origin = g.goid, code, 0, _CONTEXT_GLOBALS
    gp.labels = g.labels
    if m.sched.tracks_ancestors:
        m.sched.save_ancestors(g, gp, sys._getframe())
    if m.watch is not None:
        m.emit(GO_CREATE, gp.goid, function_name(f), RUNNEXT)
    m.sched.runqput_new(m, gp)
    wakep(m)


# Dumps say `created by context.(*afterFuncCtx).cancel.func1`, as Go's do.
def _named(name: str) -> CodeType:
    return start.__code__.replace(co_name=name, co_qualname=name)


_CANCEL_CODE = _named("(*afterFuncCtx).cancel.func1")
_PROPAGATE_CODE = _named("(*cancelCtx).propagateCancel")
_CONTEXT_GLOBALS = {"__name__": "context"}
