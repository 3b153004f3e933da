"""What a program must print, by the rules alone: a third implementation beside Go and goruntime.

Statements, calls, defers and panics, on `machine`'s scheduler and channels. A function runs as a generator.
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from . import syntax
from .contexts import CANCELED, Context, Contexts
from .locks import Once, WaitGroup, ask
from .machine import Channel, Finished, Goroutine, Misuse, Reject, Steps, Timer

TICKS = (5, 6, 7)
STEP_LIMIT = 20_000
GOSCHEDS_AT_EXIT = 1000
NIL_PANIC = "runtime error: panic called with nil argument"
Deferred = Callable[[int, "Unwind | None"], Steps]  # at which depth it runs, and for which panic
Operation = syntax.Send | syntax.Receive
Flow = Generator[None, None, str]  # how a block ended: "", "break" or "return"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a program prints, normalised, its exit status, and (for the generator) how many of its statements ran."""

    lines: tuple[str, ...]
    status: int
    ran: int = field(compare=False, default=0)


class Unwind(Exception):
    """A panic, or a Goexit, on its way (Go: _panic). `depth` is that of the stack where it began."""

    def __init__(self, value: int | str, depth: int, is_goexit: bool = False) -> None:
        self.value, self.depth, self.is_goexit = value, depth, is_goexit
        self.is_recovered = False


@dataclass(eq=False, slots=True)
class Environment:
    """The variables of one call, and those around it."""

    outer: "Environment | None"
    values: dict[str, Any]

    def __getitem__(self, name: str) -> Any:
        if name in self.values:
            return self.values[name]
        if self.outer is None:
            raise Reject(f"{name} is not defined")
        return self.outer[name]


@dataclass(eq=False, slots=True)
class Closure:
    """A function literal and what it captured."""

    function: syntax.Function
    environment: Environment


@dataclass(eq=False, slots=True)
class Frame:
    """A call in progress: `unwinds` are its goroutine's panics, `runner` the one that runs it as a deferred call."""

    goroutine: Goroutine
    name: str
    variables: Environment
    depth: int
    unwinds: list[Unwind]
    runner: Unwind | None
    defers: list[Deferred] = field(default_factory=list)

    def value_of(self, expression: syntax.Expression) -> int:
        """Evaluate an integer."""
        value: int = self.variables[expression.variable] if expression.variable else 0
        return value + expression.constant if expression.constant else value

    def holds(self, condition: syntax.Condition) -> bool:
        """Evaluate a condition."""
        value = self.variables[condition.variable]
        return bool(value if condition.bound is None else value > condition.bound) != condition.negated


def run(program: syntax.Program, first_tick: int) -> Outcome:
    """Return what the program prints; Reject if the rules leave that open."""
    return Reference(program, first_tick).run_program()


class Reference(Contexts):
    """One run of one program."""

    def __init__(self, program: syntax.Program, first_tick: int) -> None:
        super().__init__(first_tick)
        self.steps = self.panics_running = 0
        self.ran: set[int] = set()
        self.main = Closure(syntax.Function([], program.body, program.name), Environment(None, {}))

    def run_program(self) -> Outcome:
        """Run main as the first goroutine."""
        self.spawn(partial(self.entry, closure=self.main, arguments=[]), "")
        status = self.run()
        return Outcome(tuple(self.lines), status, len(self.ran))

    # Calls, defers, panics.

    def entry(self, goroutine: Goroutine, closure: Closure, arguments: list[int]) -> Steps:
        """Run a whole goroutine; when main returns, let panics in progress end.

        Go: runtime/proc.go main, goexit1.
        """
        unwinds: list[Unwind] = []
        is_whole = yield from self.ended(goroutine, unwinds, self.call(goroutine, closure, arguments, 0, unwinds, None))
        if is_whole and closure is self.main:
            for _ in range(GOSCHEDS_AT_EXIT):
                if not self.panics_running:
                    break
                yield from self.gosched(goroutine)
            raise Finished(0)

    def ended(self, goroutine: Goroutine, unwinds: list[Unwind], body: Steps) -> Generator[None, None, bool]:
        """Run what a goroutine consists of; return whether it returned. A panic that is left ends the process."""
        try:
            yield from body
        except Unwind as unwind:
            if not unwind.is_goexit:
                self.die(describe_panics(unwinds), goroutine, self.shows_all)
            return False
        return True

    def call(
        self,
        goroutine: Goroutine,
        closure: Closure,
        arguments: list[int],
        depth: int,
        unwinds: list[Unwind],
        runner: Unwind | None,
    ) -> Steps:
        """Run a function, then its defers."""
        variables = Environment(closure.environment, dict(zip(closure.function.parameters, arguments, strict=True)))
        frame = Frame(goroutine, closure.function.name, variables, depth, unwinds, runner)
        yield from self.finish(frame, self.block(frame, closure.function.body))

    def finish(self, frame: Frame, body: Generator[None, None, Any]) -> Steps:
        """Run the body of a call, then its defers."""
        unwinding: Unwind | None = None
        try:
            yield from body
        except Unwind as unwind:
            unwinding = unwind
        while frame.defers:
            deferred = frame.defers.pop()
            try:
                yield from deferred((unwinding.depth if unwinding else frame.depth) + 1, unwinding)
            except Unwind as unwind:
                unwinding = unwind
            if unwinding and unwinding.is_recovered:
                unwinding = self.recovery(frame)
        if unwinding:
            raise unwinding

    def panic(self, frame: Frame, value: int | str) -> None:
        """Start a panic.

        Go: runtime/panic.go gopanic.
        """
        self.panics_running += 1
        frame.unwinds.append(Unwind(value, frame.depth))
        raise frame.unwinds[-1]

    def recovery(self, frame: Frame) -> Unwind | None:
        """The frame has recovered: drop every panic that began in it or below, up to a Goexit, which goes on.

        Go: runtime/panic.go recovery.
        """
        while frame.unwinds and frame.unwinds[-1].depth >= frame.depth:
            if frame.unwinds[-1].is_goexit:
                return frame.unwinds[-1]
            frame.unwinds.pop()
            self.panics_running -= 1
        return None

    def recover(self, frame: Frame) -> int | str | None:
        """Stop the panic for which the frame runs.

        Go: runtime/panic.go gorecover.
        """
        top = frame.unwinds[-1] if frame.unwinds else None
        if top is None or top is not frame.runner or top.is_goexit or top.is_recovered:
            return None
        top.is_recovered = True
        return top.value

    def close_or_panic(self, frame: Frame, channel: Channel) -> None:
        """Close a channel."""
        try:
            self.close(channel)
        except Misuse as error:
            self.panic(frame, str(error))

    # What `defer` remembers.

    def deferred_call(self, frame: Frame, closure: Closure, arguments: list[int]) -> Deferred:
        """Call a function literal."""
        return lambda depth, unwinding: self.call(frame.goroutine, closure, arguments, depth, frame.unwinds, unwinding)

    def deferred_close(self, frame: Frame, channel: Channel) -> Deferred:
        """Close a channel."""

        def close(_depth: int, _unwinding: Unwind | None) -> Steps:
            self.close_or_panic(frame, channel)
            yield from ()

        return close

    def deferred_method(self, frame: Frame, on: Any, method: str, arguments: list[int]) -> Deferred:
        """Call a method of package sync."""
        return lambda depth, _unwinding: self.perform_or_panic(replace(frame, depth=depth), on, method, arguments)

    def deferred_cancel(self, frame: Frame, context: Context, cause: str | None) -> Deferred:
        """Cancel a context."""

        def cancel(_depth: int, _unwinding: Unwind | None) -> Steps:
            self.cancel(frame.goroutine, context, CANCELED, cause)
            yield from ()

        return cancel

    # Package sync.

    def perform_or_panic(self, frame: Frame, on: Any, method: str, arguments: list[int]) -> Steps:
        """Call a method of package sync."""
        try:
            yield from self.perform(frame.goroutine, on, method, arguments)
        except Misuse as error:
            self.panic(frame, str(error))

    def do_once(self, frame: Frame, once: Once, closure: Closure) -> Steps:
        """Call a function unless one has been called.

        Go: sync/once.go doSlow.
        """
        if once.is_done:
            return
        inner = replace(frame, depth=frame.depth + 1, defers=[])

        def unlock(_depth: int, _unwinding: Unwind | None) -> Steps:
            yield from self.unlock(frame.goroutine, once.mutex)

        def set_done(_depth: int, _unwinding: Unwind | None) -> Steps:
            once.is_done = True
            yield from ()

        def slow() -> Steps:
            yield from self.lock(frame.goroutine, once.mutex)
            inner.defers.append(unlock)
            if not once.is_done:
                inner.defers.append(set_done)
                yield from self.call(frame.goroutine, closure, [], inner.depth + 1, frame.unwinds, None)

        yield from self.finish(inner, slow())

    def start_task(self, frame: Frame, group: WaitGroup, closure: Closure) -> Steps:
        """Start a goroutine that a wait group counts.

        Go: sync/waitgroup.go Go.
        """

        def task(goroutine: Goroutine) -> Steps:
            outer = Frame(goroutine, "sync.(*WaitGroup).Go.func1", closure.environment, 0, [], None)

            def end(depth: int, unwinding: Unwind | None) -> Steps:
                inner = replace(outer, depth=depth, runner=unwinding, defers=[])
                value = self.recover(inner)
                if value is not None:
                    self.panic(inner, value)
                yield from self.perform_or_panic(inner, group, "done", [])

            outer.defers.append(end)
            call = self.call(goroutine, closure, [], 1, outer.unwinds, None)
            yield from self.ended(goroutine, outer.unwinds, self.finish(outer, call))

        yield from self.perform_or_panic(frame, group, "add", [1])
        self.spawn(task, f"created by sync.(*WaitGroup).Go in goroutine {frame.goroutine.id}")

    # Statements.

    def block(self, frame: Frame, block: list[syntax.Statement]) -> Flow:
        """Run statements until one leaves the block."""
        for statement in block:
            self.steps += 1
            self.ran.add(id(statement))
            if self.steps > STEP_LIMIT:
                raise Reject("too many steps")
            flow = yield from self.statement(frame, statement)
            if flow:
                return flow
        return ""

    def statement(self, frame: Frame, statement: syntax.Statement) -> Flow:
        """Run one statement."""
        variables = frame.variables
        match statement:
            case syntax.Send() | syntax.Receive():
                yield from self.operation(frame, [statement], False)
            case syntax.Select(cases, default):
                chosen = yield from self.operation(frame, [case.operation for case in cases], default is not None)
                return (yield from self.block(frame, [*(case.body for case in cases), default or []][chosen]))
            case syntax.RangeChannel(channel, value, body):
                while True:
                    _, got, ok = yield from self.communicate(frame.goroutine, [(variables[channel], None)])
                    variables.values[value] = got
                    flow = (yield from self.block(frame, body)) if ok else "break"
                    if flow:
                        return flow if flow == "return" else ""
            case syntax.Repeat(count, value, body):
                for index in range(count):
                    variables.values[value] = index
                    flow = yield from self.block(frame, body)
                    if flow:
                        return flow if flow == "return" else ""
            case syntax.If(condition, then, otherwise):
                return (yield from self.block(frame, then if frame.holds(condition) else otherwise))
            case syntax.Break():
                return "break"
            case syntax.Return():
                return "return"
            case syntax.Yield():
                yield from self.gosched(frame.goroutine)
            case syntax.Sleep(milliseconds):
                if milliseconds:
                    self.add_timer(milliseconds, frame.goroutine)
                    frame.goroutine.status = "sleep"
                    yield
            case syntax.Compute(milliseconds):
                yield from self.gosched(frame.goroutine)
                self.compute(milliseconds)
            case syntax.Do((_, name), method, arguments, False):
                values = [frame.value_of(argument) for argument in arguments]
                yield from self.perform_or_panic(frame, variables[name], method, values)
            case syntax.Pass((_, name), "do", function):
                yield from self.do_once(frame, variables[name], Closure(function, variables))
            case syntax.Pass((_, name), "go", function):
                yield from self.start_task(frame, variables[name], Closure(function, variables))
            case syntax.Invoke("call", function, arguments):
                values = [frame.value_of(argument) for argument in arguments]
                closure = Closure(function, variables)
                yield from self.call(frame.goroutine, closure, values, frame.depth + 1, frame.unwinds, None)
            case _:
                self.simple_statement(frame, statement)
        return ""

    def operation(self, frame: Frame, operations: list[Operation], has_default: bool) -> Generator[None, None, int]:
        """Do one of the operations, store what it received, and return which."""
        values = [frame.value_of(each.value) if isinstance(each, syntax.Send) else None for each in operations]
        cases = [(frame.variables[each.channel], value) for each, value in zip(operations, values, strict=True)]
        try:
            chosen, value, ok = yield from self.communicate(frame.goroutine, cases, has_default)
        except Misuse as error:
            self.panic(frame, str(error))
            raise
        done = operations[chosen] if chosen < len(operations) else None
        if isinstance(done, syntax.Receive):
            frame.variables.values |= {name: got for name, got in ((done.value, value), (done.ok, ok)) if name}
        return chosen

    def simple_statement(self, frame: Frame, statement: syntax.Statement) -> None:
        """Run a statement that never gives up the P."""
        variables = frame.variables
        match statement:
            case syntax.Print(label, values):
                self.say(label, *map(frame.value_of, values))
            case syntax.Write(label):
                if self.runnext or self.ring or self.globals:
                    raise Reject("a system call while others can run")
                self.say(label)
            case syntax.CountGoroutines(label):
                self.say(label, max(1, len(self.live)))
            case syntax.LengthAndCapacity(label, channel):
                self.say(label, len(variables[channel].buffer), variables[channel].capacity or 0)
            case syntax.StopTimer(label, name):
                timer: Timer = variables[name]
                self.say(label, timer in self.timers)
                self.timers = [other for other in self.timers if other is not timer]
            case syntax.Exit(code):
                raise Finished(code)
            case syntax.ShowAllGoroutines():
                self.shows_all = True
            case syntax.MakeChannel(name, capacity):
                variables.values[name] = Channel(capacity)
            case syntax.After(name, milliseconds):
                made = variables.values[name] = Channel(1)
                made.due = self.add_timer(milliseconds, made).due
            case syntax.AfterFunc(name, milliseconds, function):
                start = partial(self.entry, closure=Closure(function, variables), arguments=[])
                variables.values[name] = self.add_timer(milliseconds, start)
            case syntax.Close(channel, deferred):
                if deferred:
                    frame.defers.append(self.deferred_close(frame, variables[channel]))
                else:
                    self.close_or_panic(frame, variables[channel])
            case syntax.Make((kind, name), lock, reads):
                variables.values[name] = self.make(kind, variables[lock.name] if lock else None, reads)
            case syntax.Do((_, name), method, arguments, True):
                passed = [frame.value_of(argument) for argument in arguments]
                frame.defers.append(self.deferred_method(frame, variables[name], method, passed))
            case syntax.Ask(label, (_, name), method, arguments, results):
                got = ask(variables[name], method, [frame.value_of(argument) for argument in arguments])
                variables.values |= dict(zip(results, got, strict=True))
                self.say(label, *("nil" if value is None else value for value in got))
            case (
                syntax.MakeContext()
                | syntax.Cancel()
                | syntax.ShowContext()
                | syntax.ContextAfterFunc()
                | syntax.StopAfterFunc()
            ):
                self.context_statement(frame, statement)
            case syntax.Invoke(how, function, arguments):
                closure, passed = Closure(function, variables), [frame.value_of(argument) for argument in arguments]
                if how == "defer":
                    frame.defers.append(self.deferred_call(frame, closure, passed))
                else:
                    created_by = f"created by {frame.name} in goroutine {frame.goroutine.id}"
                    self.spawn(partial(self.entry, closure=closure, arguments=passed), created_by)
            case syntax.DeferRecover():
                frame.defers.append(lambda _depth, _unwinding: iter(()))  # type: ignore[arg-type, return-value]
            case syntax.Goexit():
                frame.unwinds.append(Unwind("", frame.depth, is_goexit=True))
                raise frame.unwinds[-1]
            case syntax.Panic(value):
                number = frame.value_of(value) if isinstance(value, syntax.Expression) else value
                self.panic(frame, NIL_PANIC if number is None else number)
            case syntax.Recover(label, name, repanic):
                recovered = variables.values[name] = self.recover(frame)
                self.say(label, "nil" if recovered is None else recovered)
                if repanic and recovered is not None:
                    self.panic(frame, recovered)
            case _:
                raise TypeError(statement)

    def context_statement(
        self,
        frame: Frame,
        statement: syntax.MakeContext
        | syntax.Cancel
        | syntax.ShowContext
        | syntax.ContextAfterFunc
        | syntax.StopAfterFunc,
    ) -> None:
        """Run a statement of package context."""
        variables, goroutine = frame.variables, frame.goroutine
        match statement:
            case syntax.MakeContext(name, way, parent, milliseconds):
                above: Context | None = variables[parent] if parent else None
                made = above if way == "value" else None
                if way == "timeout":
                    made = self.with_timeout(goroutine, above, milliseconds)
                elif way in ("cancel", "cancel_cause"):
                    made = self.derive(goroutine, above, Context())
                variables.values |= {name: made, statement.done: made.done if made else Channel(None)}
            case syntax.Cancel(name, _, cause, deferred):
                if deferred:
                    frame.defers.append(self.deferred_cancel(frame, variables[name], cause))
                else:
                    self.cancel(goroutine, variables[name], CANCELED, cause)
            case syntax.ShowContext(label, name):
                shown: Context | None = variables[name]
                self.say(label, *((shown and each) or "nil" for each in (shown and shown.error, shown and shown.cause)))
            case syntax.ContextAfterFunc(name, parent, function):
                start = partial(self.entry, closure=Closure(function, variables), arguments=[])
                variables.values[name] = self.after(goroutine, variables[parent], start)
            case syntax.StopAfterFunc(label, name):
                self.say(label, self.stop_after(goroutine, variables[name]))

    def say(self, *values: int | str) -> None:
        """Print a line."""
        self.lines.append(" ".join(str(value).lower() if isinstance(value, bool) else str(value) for value in values))


def describe_panics(unwinds: list[Unwind]) -> list[str]:
    """Return the `panic:` lines, oldest first; a value that is panicked again shows once.

    Go: runtime/panic.go preprintpanics, printpanics.
    """
    text, older, is_repeated = "", None, False
    for unwind, newer in zip(unwinds, [*unwinds[1:], None], strict=True):
        indent = "\t" if older and not older.is_goexit and not is_repeated else ""
        is_repeat, is_repeated = (
            is_repeated,
            newer is not None and (newer.value, newer.is_goexit) == (unwind.value, unwind.is_goexit),
        )
        suffix = " [recovered, repanicked]" if is_repeated else " [recovered]"
        line = f"panic: {unwind.value}{suffix * unwind.is_recovered}\n"
        text += "" if is_repeat else indent + line * (not unwind.is_goexit)
        older = unwind
    return text.splitlines()
