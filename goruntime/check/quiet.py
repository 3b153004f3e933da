"""Quiet segments: plain Python between two operations of which it can be seen that it touches nothing shared.

Problem. A segment of plain Python may read and write any object, so the order of two segments must always be tried.
But most segments are `done.recv(); done.recv()` or the end of a function: they load local variables and make the next
call. Trying them in every order multiplies the schedules by hundreds and finds nothing.

Here the bytecode from one operation to the next is followed, on every path. It is quiet when it does nothing but move
local variables, constants and new objects about, and ends in a call of one of our operations or in the end of the
goroutine. Such a segment commutes with every step of everybody else, so it is run at once and is no choice. What is not
known to be harmless is not quiet; an opcode that this file has not heard of, for example.

Taken as never changing, because nobody rebinds them while goroutines run: a global name bound to a function, a class or
a module, and a variable of an enclosing function that has one assignment, outside every loop.
Known limits: `__del__` of an object whose last reference a quiet segment drops runs there. The end of a goroutine
shows in `runtime.num_goroutine()`: it is taken as part of its last operation.
"""

from __future__ import annotations

import os
from types import BuiltinFunctionType, CodeType, FrameType, FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

from .. import atomic, errgroup, runtime, sync, time
from ..lang.bubblechan import bubbled
from ..lang.chan import RecvOnly, SendOnly, chan, nilchan
from ..lang.go import go
from ..lang.panic import WRAPPER_CODE
from ..lang.select import default, select
from ..lang.timerchan import TimerChan
from ..sched.g import G
from ..sync import waitgroup
from ..sync.rwmutex import RLocker
from .bytecode import Code, Need, is_assigned_once

if TYPE_CHECKING:
    from ..sched.g import G as Goroutine

PACKAGE_DIR = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
ENTRY = G.live.__code__
CALLS = (go, select, runtime.gosched, time.sleep)  # reach a point, or start a goroutine, before they touch anything
CHANNEL = frozenset({"send", "recv", "recv_", "close"})
LOCK = frozenset({"lock", "unlock", "try_lock", "__enter__", "__exit__"})
INTEGER = frozenset({"load", "store", "add", "swap", "compare_and_swap", "and_", "or_"})
CELL = frozenset({"load", "store", "swap", "compare_and_swap"})
CHANNELS: tuple[type, ...] = (chan, type(chan(0, int)), TimerChan)
METHODS: dict[type, frozenset[str]] = {
    **dict.fromkeys((*CHANNELS, *map(bubbled, CHANNELS), type(nilchan), SendOnly, RecvOnly), CHANNEL),
    **dict.fromkeys((sync.Mutex, RLocker), LOCK),
    sync.RWMutex: LOCK | {"rlock", "runlock", "try_rlock"},
    sync.WaitGroup: frozenset({"add", "done", "wait", "go"}),
    errgroup.Group: frozenset({"go", "wait"}),
    sync.Cond: frozenset({"wait", "signal", "broadcast"}),
    **dict.fromkeys((atomic.Int32, atomic.Int64, atomic.Uint32, atomic.Uint64, atomic.Uintptr), INTEGER),
    **dict.fromkeys((atomic.Bool, atomic.Pointer), CELL),
}
NO_METHODS: frozenset[str] = frozenset()
TASK = waitgroup._task.__code__  # what runs the function given to WaitGroup.go
DONE = sync.WaitGroup.done.__code__  # how it ends
COND_WAIT = sync.Cond.wait.__code__
# Calls of several operations: between those a function of ours makes, nothing shared is touched.
BEFORE_GO = {  # what starts a goroutine, and what it does before
    sync.WaitGroup.go.__code__: (sync.WaitGroup.add.__code__,),
    errgroup.Group.go.__code__: (sync.WaitGroup.add.__code__, chan.send.__code__),
}
GROUP_TASK = errgroup._task.__code__  # the same of errgroup.Group.go
TASKS = (TASK, GROUP_TASK)


class Quiet:
    """Remembers what was found about the code of one exploration's program."""

    def __init__(self) -> None:
        self._codes: dict[CodeType, Code] = {}
        self._parents: dict[CodeType, CodeType] = {}

    def know(self, function: Any) -> None:
        """The program's main: which functions are nested in it."""
        code = getattr(function, "__code__", None)
        if code is not None:
            self._adopt(code)

    def _adopt(self, code: CodeType) -> None:
        for inner in code.co_consts:
            if isinstance(inner, CodeType) and inner not in self._parents:
                self._parents[inner] = code
                self._adopt(inner)

    def code(self, code: CodeType, names: dict[str, Any]) -> Code:
        """What is known of a code object; names are its globals."""
        found = self._codes.get(code)
        if found is None:
            found = self._codes[code] = Code(code, self._constant_cells(code, names))
        return found

    def _constant_cells(self, code: CodeType, names: dict[str, Any]) -> frozenset[str]:
        if code.co_freevars and code not in self._parents:
            outermost: Any = names.get(code.co_qualname.split(".", 1)[0])
            while hasattr(outermost, "__wrapped__"):
                outermost = outermost.__wrapped__
            self.know(outermost)
        constant = {name for name in code.co_cellvars if is_assigned_once(code, name)}
        for name in code.co_freevars:
            owner = self._parents.get(code)
            while owner is not None and name not in owner.co_cellvars:
                owner = self._parents.get(owner)
            if owner is not None and is_assigned_once(owner, name):
                constant.add(name)
        return frozenset(constant)

    # The questions.

    def is_start_quiet(self, gp: Goroutine) -> bool:
        """The first segment of a goroutine that has not begun."""
        fn, args, kwargs = gp.fn, gp.args, gp.kwargs
        code = getattr(fn, "__code__", None)
        is_task = code in TASKS
        if is_task:
            _, fn, args, kwargs = args
            code = getattr(fn, "__code__", None)
        if not isinstance(fn, FunctionType) or code is None or kwargs or len(args) != code.co_argcount:
            return False
        if code.co_flags & 0x0C or code.co_kwonlyargcount:  # *args, **kwargs
            return False
        needs = self.code(code, fn.__globals__).needs(-1)
        if needs is None:
            return False
        values = dict(zip(code.co_varnames, args, strict=False))
        for name, cell in zip(code.co_freevars, fn.__closure__ or (), strict=True):
            try:
                values[name] = cell.cell_contents
            except ValueError:
                return False
        return holds(needs, lambda: values, fn.__globals__, is_task or gp.goid != 1)

    def is_quiet(self, gp: Goroutine, frame: FrameType | None) -> bool:
        """What gp does when the operation is done in which its innermost frame is."""
        code = None
        while frame is not None and frame.f_code.co_filename.startswith(PACKAGE_DIR):
            inner, code = code, frame.f_code
            if code is ENTRY:
                return False
            if (code is TASK and inner is DONE) or code is GROUP_TASK or inner in BEFORE_GO.get(code, ()):
                return True  # what follows is an operation, the end of the goroutine, or a go statement
            if code is COND_WAIT and type(frame.f_locals["self"].l) not in METHODS:
                return False  # a lock of the user's: its code comes first
            frame = frame.f_back
        if frame is None:
            return False
        needs = self.code(frame.f_code, frame.f_globals).needs(frame.f_lasti)
        if needs is None:
            return False
        here = frame
        return holds(needs, lambda: here.f_locals, frame.f_globals, ends_quietly(gp, frame))


def ends_quietly(gp: Goroutine, frame: FrameType) -> bool:
    """When this function returns, its goroutine ends, or comes to the operation that ends its task."""
    back = frame.f_back
    if back is None:
        return False
    if back.f_code is WRAPPER_CODE:
        task = back.f_back
        return task is not None and task.f_code in TASKS and not gp.frames.calls
    return back.f_code is ENTRY and gp.frames is None and gp.goid != 1


def holds(needs: frozenset[Need], values: Any, names: dict[str, Any], ends_goroutine: bool) -> bool:
    """Is everything so that a segment needs to be quiet?"""
    local: dict[str, Any] | None = None
    for what, name, attribute in needs:
        if what == "fact":
            continue
        if what == "exit":
            if not ends_goroutine:
                return False
        elif what in ("object", "variable"):
            if local is None:
                local = values()
            if name not in local or (what == "object" and attribute not in METHODS.get(type(local[name]), NO_METHODS)):
                return False
        elif not _holds_global(what, global_value(names, name), attribute):
            return False
    return True


def _holds_global(what: str, value: Any, attribute: str) -> bool:
    if what == "builtin":
        return value is range
    if what == "length":
        return value is len
    if attribute:
        is_ours = isinstance(value, ModuleType) and (value.__file__ or "").startswith(PACKAGE_DIR)
        value = getattr(value, attribute, None) if is_ours else None
    if what == "call":
        return any(value is call for call in CALLS)
    return value is default or isinstance(value, (FunctionType, BuiltinFunctionType, ModuleType, type))


def global_value(names: dict[str, Any], name: str) -> Any:
    """What a global or builtin name is bound to now; None if to nothing."""
    if name in names:
        return names[name]
    builtins = names.get("__builtins__", {})
    return builtins.get(name) if isinstance(builtins, dict) else getattr(builtins, name, None)
