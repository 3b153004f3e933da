"""Package errgroup: goroutines that work on parts of one task, and the first error of any of them.

    group, ctx = errgroup.with_context(context.background())
    group.set_limit(4)
    for url in urls:
        group.go(fetch, ctx, url)
    group.wait()            # raises what the first one that failed raised

Go: cmd/vendor/golang.org/x/sync/errgroup/errgroup.go Group.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import errors
from .context import Context, with_cancel_cause
from .lang.chan import chan
from .lang.error import Panic
from .lang.go import starter
from .lang.owner import current_m
from .lang.panic import defer, forget_unwinding, panic, refuse_generators, with_defers
from .lang.select import default, select
from .sched.inner import own_step
from .sync import Once, WaitGroup


class Group:
    """Goroutines that work on parts of one task. Made by itself it cancels nothing; see `with_context`.

    A function fails by raising an exception, or by returning one. Go's panics (`goruntime.panic`, run-time errors of
    Go's) are no failures: they end the program, as in any goroutine.
    Go: cmd/vendor/golang.org/x/sync/errgroup/errgroup.go Group.
    """

    __slots__ = ("__weakref__", "_cancel", "_err_once", "_error", "_sem", "_wg")

    def __init__(self) -> None:
        self._cancel: Callable[[BaseException | None], None] | None = None
        self._wg = WaitGroup()
        self._sem: chan[None] | None = None  # as many as the limit fit in
        self._err_once = Once()
        self._error: BaseException | None = None

    def go(self, f: Callable[..., Any], /, *args: Any, **kwargs: Any) -> None:
        """Call f(*args, **kwargs) in a goroutine; waits first until the limit allows one more.

        The first that fails cancels the group's context; `wait` raises its exception. f has defer and recover.
        Differs: f may take arguments; it raises where Go's returns an error.
        Raises: TypeError if f is not callable, or is a generator or coroutine function; RuntimeError outside a
        goroutine.
        Go: cmd/vendor/golang.org/x/sync/errgroup/errgroup.go Go.
        """
        current_m("errgroup.Group.go")
        refuse_generators(f, "errgroup.Group.go")
        if self._sem is not None:
            self._sem.send(None)
        self._wg.add(1)
        _start(_task, self, f, args, kwargs)

    def try_go(self, f: Callable[..., Any], /, *args: Any, **kwargs: Any) -> bool:
        """As `go` if the limit allows it at once; says whether the goroutine was started.

        Raises: as `go`.
        Go: cmd/vendor/golang.org/x/sync/errgroup/errgroup.go TryGo.
        """
        current_m("errgroup.Group.try_go")
        refuse_generators(f, "errgroup.Group.try_go")
        if self._sem is not None and select((self._sem.send, None), default)[0]:
            return False
        self._wg.add(1)
        _start_if_allowed(_task, self, f, args, kwargs)
        return True

    def wait(self) -> None:
        """Wait until all goroutines of the group have ended; then cancel its context.

        Raises: the exception of the first that failed; RuntimeError outside a goroutine.
        Go: cmd/vendor/golang.org/x/sync/errgroup/errgroup.go Wait.
        """
        current_m("errgroup.Group.wait")
        self._wg.wait()
        if self._cancel is not None:
            self._cancel(self._error)
        if self._error is not None:
            own_step(*current_m("errgroup.Group.wait"))
            raise self._error

    def set_limit(self, n: int) -> None:
        """At most n goroutines at a time from here on; a negative n: as many as there are; 0: none can be started.

        Raises: Panic if goroutines are active under a limit; TypeError if n is no integer.
        Go: cmd/vendor/golang.org/x/sync/errgroup/errgroup.go SetLimit.
        """
        if isinstance(n, bool) or not isinstance(n, int):
            raise TypeError(f"errgroup.Group.set_limit: n must be an integer, not {type(n).__name__}")
        if n < 0:
            self._sem = None
            return
        active = 0 if self._sem is None else len(self._sem)
        if active:
            panic(errors.new(f"errgroup: modify limit while {active} goroutines in the group are still active"))
        self._sem = chan(n)

    def _done(self) -> None:
        if self._sem is not None:
            self._sem.recv()
        self._wg.done()

    def _fail(self, error: BaseException) -> None:
        self._error = error
        if self._cancel is not None:
            self._cancel(error)

    def __repr__(self) -> str:
        return f"<errgroup.Group{', failed' if self._error is not None else ''}>"


def with_context(ctx: Context) -> tuple[Group, Context]:
    """A group, and a context below ctx that is canceled when one of the group fails, or when `wait` is over.

    Its cause is then the exception of the first that failed, or `context.canceled`.
    Raises: as `context.with_cancel_cause`.
    Go: cmd/vendor/golang.org/x/sync/errgroup/errgroup.go WithContext.
    """
    below, cancel = with_cancel_cause(ctx)
    group = Group()
    group._cancel = cancel
    return group, below


_start = starter("golang.org/x/sync/errgroup", "(*Group).Go")
_start_if_allowed = starter("golang.org/x/sync/errgroup", "(*Group).TryGo")


def _task(group: Group, f: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """What a goroutine of the group runs."""
    defer(group._done)
    error: BaseException | None = None
    try:
        result = with_defers(f)(*args, **kwargs)
        if isinstance(result, BaseException):
            error = result
    except Panic:
        raise
    except Exception as failure:  # noqa: BLE001  whatever it is, `wait` raises it
        forget_unwinding(current_m("errgroup.Group.go")[1])
        error = failure
    if error is not None:
        group._err_once.do(lambda: group._fail(error))


__all__ = ["Group", "with_context"]
