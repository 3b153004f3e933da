"""How Go programs use package context: trees of contexts, and goroutines that wait for their end."""

from typing import TYPE_CHECKING

from .syntax import (
    Cancel,
    Case,
    ContextAfterFunc,
    Expression,
    Function,
    Invoke,
    MakeContext,
    Print,
    Receive,
    Repeat,
    Select,
    ShowContext,
    Sleep,
    Statement,
    StopAfterFunc,
    Yield,
)

if TYPE_CHECKING:
    from .generate import Scope, Writer

Block = list[Statement]


def draw(writer: "Writer", scope: "Scope") -> Block:
    """Draw one of the scenes."""
    return writer.random.choice([tree, tree, line, line, last_wishes])(writer, scope)


def make(writer: "Writer", scope: "Scope", parent: MakeContext | None = None) -> MakeContext:
    """Derive a context, from one that is known or from Background."""
    ways = ["cancel", "cancel", "cancel", "cancel_cause", "cancel_cause", "value", "without"]
    way = writer.random.choice([*ways, "timeout", "timeout", "timeout"] if writer.has_timers else ways)
    if parent is None and scope.contexts and writer.chance(0.7):
        parent = writer.random.choice(scope.contexts)
    delay = writer.delay() if way == "timeout" else 0
    made = MakeContext(writer.name("x"), way, parent.name if parent else None, delay)
    scope.contexts.append(made)
    return made


def use(writer: "Writer", scope: "Scope") -> Block:
    """Use some context in any way."""
    context = writer.random.choice(scope.contexts)
    match writer.random.randrange(6):
        case 0:
            return [_show(writer, context)]
        case 1 if context.cancel:
            return [_cancel(writer, context, deferred=writer.chance(0.3))]
        case 2:
            return [Receive(context.done), _show(writer, context)]
        case 3:
            name = writer.name("s")
            made = ContextAfterFunc(name, context.name, writer.function(scope, []))
            return [made, *([_stop(writer, name)] if writer.chance(0.3) else [])]
        case 4:
            cases = [
                Case(Receive(context.done), [_show(writer, context)]),
                Case(writer.communication(scope.inner(), sends=False), [_print(writer)]),
            ]
            return [Select(cases, [_print(writer)] if writer.chance(0.3) else None)]
    return [make(writer, scope), _show(writer, scope.contexts[-1])]


def tree(writer: "Writer", scope: "Scope") -> Block:
    """Contexts below contexts, some awaited; some are canceled, in any order, and then all are shown."""
    made = [make(writer, scope, writer.random.choice([*scope.contexts, None]) if scope.contexts else None)
            for _ in range(writer.random.randrange(2, 7))]  # fmt: skip
    awaited = [context for context in made if writer.chance(0.4)]
    ends: Block = [_cancel(writer, context) for context in made if context.cancel and writer.chance(0.6)]
    writer.random.shuffle(ends)
    pauses: list[Block] = [[], [Yield()]]
    pauses += [[Sleep(writer.delay())]] if writer.has_timers else []
    body: Block = [*made, *(_await(writer, context) for context in awaited), *writer.random.choice(pauses)]
    for end in ends:
        body += [end, *writer.random.choice(pauses)]
    return [*body, *(_show(writer, context) for context in made)]


def line(writer: "Writer", scope: "Scope") -> Block:
    """A line of contexts, each below the one before, that goroutines wait for; one is canceled."""
    made: list[MakeContext] = []
    for _ in range(writer.random.randrange(1, 5)):
        made.append(make(writer, scope, made[-1] if made else None))
    body: Block = [*made]
    index, parameter = writer.name("v"), writer.name("v")
    for context in made:
        if writer.chance(0.6):
            task = Function([parameter], [Receive(context.done), _print(writer, parameter), _show(writer, context)])
            start = Invoke("go", task, [Expression(index)])
            body.append(Repeat(writer.random.randrange(1, 4), index, [start]))
            index, parameter = writer.name("v"), writer.name("v")
    ends = [context for context in made if context.cancel]
    end: Block = [_cancel(writer, writer.random.choice(ends), writer.chance(0.2))] if ends else []
    return [*body, *([Yield()] if writer.chance(0.8) else []), *end, _show(writer, made[-1])]


def last_wishes(writer: "Writer", scope: "Scope") -> Block:
    """Functions that run when a context is done, some of them stopped before or after."""
    context = make(writer, scope)
    names = [writer.name("s") for _ in range(writer.random.choice((1, 1, 1, 2)))]
    wishes: Block = [
        ContextAfterFunc(name, context.name, Function([], [_print(writer), _show(writer, context)])) for name in names
    ]
    stops: Block = [_stop(writer, name) for name in names if writer.chance(0.5)]
    end: Block = [_cancel(writer, context)] if context.cancel and writer.chance(0.8) else []
    middle: list[Block] = [[*stops, *end], [*end, *stops], [*end, Yield(), *stops]]
    return [context, *wishes, *writer.random.choice(middle), Yield(), _show(writer, context)]


def _await(writer: "Writer", context: MakeContext) -> Statement:
    return Invoke("go", Function([], [Receive(context.done), _show(writer, context)]))


def _cancel(writer: "Writer", context: MakeContext, deferred: bool = False) -> Cancel:
    takes_cause = context.way == "cancel_cause"
    cause = writer.name("why") if takes_cause and writer.chance(0.7) else None
    return Cancel(context.name, takes_cause, cause, deferred)


def _stop(writer: "Writer", name: str) -> StopAfterFunc:
    return StopAfterFunc(writer.name("p"), name)


def _show(writer: "Writer", context: MakeContext) -> ShowContext:
    return ShowContext(writer.name("p"), context.name)


def _print(writer: "Writer", *names: str) -> Print:
    return Print(writer.name("p"), [Expression(name) for name in names])
