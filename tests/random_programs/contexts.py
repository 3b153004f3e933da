"""Package context, by the rules: part of the machine for `reference`.

Go keeps the children of a context in a map, so their order is open: a cancellation that shows in more than one child
raises `Reject`.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from .locks import Locks
from .machine import DUE_GAP_MS, Channel, Goroutine, Reject, Steps, Timer

CANCELED = "context canceled"
DEADLINE_EXCEEDED = "context deadline exceeded"


@dataclass(eq=False, slots=True)
class Context:
    """A context that can be canceled; `function` is that of AfterFunc, which starts then, unless it was stopped."""

    parent: "Context | None" = None
    done: Channel = field(default_factory=lambda: Channel(0))
    children: "list[Context]" = field(default_factory=list)
    error: str | None = None
    cause: str | None = None
    deadline: int | None = None
    timer: Timer | None = None
    function: "Callable[[Goroutine], Steps] | None" = None

    def shows(self) -> bool:
        """Say whether a cancellation would be seen at once: somebody waits for it, here or below."""
        is_awaited = any(not waiter.won[0] for waiter in self.done.receivers)
        return is_awaited or self.function is not None or any(child.shows() for child in self.children)


class Contexts(Locks):
    """A machine with contexts; None is one that is never canceled."""

    def derive(self, goroutine: Goroutine, parent: Context | None, child: Context) -> Context:
        """Put a context below another.

        Go: context/context.go propagateCancel.
        """
        child.parent = parent
        if child.deadline is None:
            child.deadline = parent.deadline if parent else None
        if parent is None:
            return child
        if parent.error is None:
            parent.children.append(child)
        else:
            self.cancel(goroutine, child, parent.error, parent.cause)
        return child

    def with_timeout(self, goroutine: Goroutine, parent: Context | None, milliseconds: int) -> Context:
        """Put a context below another that is canceled after so many ms.

        Go: context/context.go WithDeadlineCause.
        """
        deadline = self.now + milliseconds
        earlier = parent.deadline if parent else None
        if earlier is not None:
            if abs(earlier - deadline) < DUE_GAP_MS + self.computed:
                raise Reject("two deadlines are due together")
            if earlier < deadline:
                return self.derive(goroutine, parent, Context())
        context = self.derive(goroutine, parent, Context(deadline=deadline))
        if context.error is None:

            def expire(goroutine: Goroutine) -> Steps:
                self.cancel(goroutine, context, DEADLINE_EXCEEDED)
                yield from ()

            context.timer = self.add_timer(milliseconds, expire)
        return context

    def after(self, goroutine: Goroutine, parent: Context | None, start: Callable[[Goroutine], Steps]) -> Context:
        """Call a function in a goroutine of its own when the context is done.

        Go: context/context.go AfterFunc.
        """
        return self.derive(goroutine, parent, Context(function=start))

    def stop_after(self, goroutine: Goroutine, after: Context) -> bool:
        """Do not call it; return whether it has not been called."""
        is_first, after.function = after.function is not None, None
        if is_first:
            self.cancel(goroutine, after, CANCELED)
        return is_first

    def cancel(self, goroutine: Goroutine, context: Context, error: str, cause: str | None = None) -> None:
        """Cancel a context and all below it.

        Go: context/context.go cancelCtx.cancel, timerCtx.cancel, afterFuncCtx.cancel.
        """
        if context.error is None:
            context.error, context.cause = error, cause or error
            if sum(child.shows() for child in context.children) > 1:
                raise Reject("several children of a context are awaited")
            self.close(context.done)
            children, context.children = context.children, []
            for child in children:
                self.cancel(goroutine, child, error, context.cause)
            if context.parent is not None and context in context.parent.children:
                context.parent.children.remove(context)
        if context.timer is not None:
            self.timers = [timer for timer in self.timers if timer is not context.timer]
        if context.function is not None:
            start, context.function = context.function, None
            self.spawn(start, f"created by context.(*afterFuncCtx).cancel.func1 in goroutine {goroutine.id}")
