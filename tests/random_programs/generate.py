"""Write random programs: `program_for(seed)` is the only entry.

Each program draws its own weights (some kinds of statement are missing altogether, others frequent: programs that are
all alike find less), then strings scenes and random statements together. `reference` runs the draft; one whose output
the rules do not determine, or most of whose statements never ran, is thrown away and the next is drawn.
"""

from dataclasses import dataclass, field, replace
from functools import cache
from random import Random

from . import context_scenes, reference, scenes, sync_scenes
from .machine import Reject
from .syntax import (
    RESULTS,
    After,
    AfterFunc,
    Break,
    Case,
    Close,
    Compute,
    Condition,
    CountGoroutines,
    DeferRecover,
    Exit,
    Expression,
    Function,
    Goexit,
    If,
    Invoke,
    LengthAndCapacity,
    MakeChannel,
    MakeContext,
    Object,
    Panic,
    Print,
    Program,
    RangeChannel,
    Receive,
    Recover,
    Repeat,
    Return,
    Select,
    Send,
    ShowAllGoroutines,
    Sleep,
    Statement,
    StopTimer,
    Write,
    Yield,
    all_blocks,
    name_functions,
)

MAXIMUM_DEPTH = 5
SLEEP_UNIT_MS = 5

WEIGHTS = {
    "print": 6, "send": 8, "receive": 8, "close": 2, "measure": 1, "count": 1, "select": 6, "range": 2, "repeat": 3,
    "if": 2, "yield": 5, "sleep": 3, "after": 1, "after_func": 1, "stop": 1, "go": 8, "defer": 4, "call": 3,
    "recover": 2, "panic": 1, "goexit": 0.6, "return": 0.5, "break": 1, "exit": 0.1, "write": 0.3,
    "use": 12, "compute": 1, "context": 4,
}  # fmt: skip


@dataclass
class Scope:
    """What a statement may name here, and where it stands."""

    channels: list[str] = field(default_factory=list)
    alarms: list[str] = field(default_factory=list)
    timers: list[str] = field(default_factory=list)
    integers: list[str] = field(default_factory=list)
    booleans: list[str] = field(default_factory=list)
    objects: list[Object] = field(default_factory=list)
    contexts: list[MakeContext] = field(default_factory=list)
    depth: int = 0
    is_deferred: bool = False
    in_loop: bool = False

    def inner(self, in_loop: bool | None = None) -> "Scope":
        """Return the scope of a block inside."""
        return replace(
            self,
            channels=[*self.channels], alarms=[*self.alarms], timers=[*self.timers],
            integers=[*self.integers], booleans=[*self.booleans], objects=[*self.objects],
            contexts=[*self.contexts],
            depth=self.depth + 1, in_loop=self.in_loop if in_loop is None else in_loop,
        )  # fmt: skip

    def function(self, parameters: list[str], is_deferred: bool) -> "Scope":
        """Return the scope of a function literal inside: integers are not captured."""
        inner = self.inner(in_loop=False)
        return replace(inner, integers=[*parameters], booleans=[], alarms=[], timers=[], is_deferred=is_deferred)


class Writer:
    """One draft of a program."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.names = 0
        self.budget = random.choice((12, 20, 30, 45, 60))
        self.has_timers = random.random() < 0.5
        self.has_sync = random.random() < 0.6
        self.has_contexts = random.random() < 0.25
        self.weights = {kind: weight * random.choice((0, 0.5, 1, 1, 2, 4)) for kind, weight in WEIGHTS.items()}
        self.weights["print"] = max(self.weights["print"], 3)
        self.weights["go"] = max(self.weights["go"], 3)

    def program(self, number: int) -> Program:
        """Draw the program."""
        scope = Scope()
        body: list[Statement] = [ShowAllGoroutines()] if self.chance(0.2) else []
        body += [self.make_channel(scope) for _ in range(self.random.randrange(1, 5))]
        for _ in range(self.random.randrange(0, 4) if self.has_sync else 0):
            body += sync_scenes.make(self, scope, self.random.choice(list(RESULTS)))
        for _ in range(self.random.randrange(1, 4)):
            draw = sync_scenes.draw if self.has_sync and self.chance(0.7) else scenes.draw
            draw = context_scenes.draw if self.has_contexts and self.chance(0.6) else draw
            body += draw(self, scope) if self.chance(0.6) else self.block(scope, self.random.randrange(2, 8))
        body += self.ending(scope)
        program = Program(number, body)
        name_functions(program)
        return program

    # Small draws.

    def chance(self, probability: float) -> bool:
        """Say yes with this probability."""
        return self.random.random() < probability

    def name(self, prefix: str) -> str:
        """Return a new name."""
        self.names += 1
        return f"{prefix}{self.names}"

    def new(self, prefix: str, names: list[str]) -> str:
        """Return a new name, declared from here on."""
        names.append(self.name(prefix))
        return names[-1]

    def expression(self, scope: Scope) -> Expression:
        """Draw an integer."""
        if scope.integers and self.chance(0.6):
            return Expression(self.random.choice(scope.integers), self.random.choice((0, 0, 1, 2)))
        return Expression(None, self.random.randrange(10))

    def print(self, scope: Scope) -> Print:
        """Print a label and up to three of the variables."""
        known = scope.integers + scope.booleans
        chosen = self.random.sample(known, min(len(known), self.random.randrange(4)))
        return Print(self.name("p"), [Expression(name) for name in chosen])

    def make_channel(self, scope: Scope) -> MakeChannel:
        """Declare a channel."""
        capacity = None if self.chance(0.06) else self.random.choice((0, 0, 0, 1, 1, 2, 3, 7))
        return MakeChannel(self.new("c", scope.channels), capacity)

    def delay(self) -> int:
        """Draw a duration in ms."""
        return SLEEP_UNIT_MS * self.random.randrange(1, 10)

    def function(self, scope: Scope, parameters: list[str], is_deferred: bool = False) -> Function:
        """Draw a function literal."""
        inner = scope.function(parameters, is_deferred)
        body: list[Statement] = [self.make_channel(inner)] if self.chance(0.15) else []
        body += self.block(inner, self.random.randrange(1, 6))
        return Function(list(parameters), body)

    def invoke(self, scope: Scope, how: str) -> Invoke:
        """Draw a go, defer or call of a literal."""
        parameters = [self.name("v") for _ in range(self.random.choice((0, 0, 1, 1, 2)))]
        arguments = [self.expression(scope) for _ in parameters]
        return Invoke(how, self.function(scope, parameters, how == "defer"), arguments)

    # Statements.

    def block(self, scope: Scope, count: int) -> list[Statement]:
        """Draw up to `count` statements; what they declare stays in the scope."""
        body: list[Statement] = []
        for _ in range(count):
            if self.budget <= 0:
                break
            self.budget -= 1
            body += self.statement(scope)
        return body or [self.print(scope)]

    def statement(self, scope: Scope) -> list[Statement]:
        """Draw a statement."""
        weights = dict(self.weights)
        if scope.depth >= MAXIMUM_DEPTH:
            weights |= dict.fromkeys(("select", "range", "repeat", "if", "go", "defer", "call", "after_func"), 0.0)
        weights["use"] *= bool(scope.objects)
        weights["context"] *= bool(scope.contexts)
        if not self.has_timers:
            weights |= dict.fromkeys(("sleep", "after", "after_func", "stop"), 0.0)
        weights["recover"] *= 12 if scope.is_deferred else 0.3
        weights["break"] *= scope.in_loop
        weights["defer"] *= not scope.in_loop or 0.3
        kind = self.random.choices(list(weights), list(weights.values()))[0]
        return self.compound(kind, scope) if kind in ("select", "range", "repeat", "if") else self.simple(kind, scope)

    def communication(self, scope: Scope, channel: str | None = None, sends: bool | None = None) -> Send | Receive:
        """Draw a send or a receive."""
        channel = channel or self.random.choice(scope.channels)
        if self.chance(0.45) if sends is None else sends:
            return Send(channel, self.expression(scope))
        value = self.new("v", scope.integers) if self.chance(0.8) else None
        ok = self.new("k", scope.booleans) if value and self.chance(0.4) else None
        return Receive(channel, value, ok)

    def simple(self, kind: str, scope: Scope) -> list[Statement]:
        """Draw a statement without blocks."""
        match kind:
            case "send" | "receive":
                if kind == "receive" and scope.alarms and self.chance(0.3):
                    return [Receive(scope.alarms[-1]), self.print(scope)]
                return [self.communication(scope, sends=kind == "send"), self.print(scope)]
            case "close":
                return [Close(self.random.choice(scope.channels), self.chance(0.2))]
            case "measure":
                return [LengthAndCapacity(self.name("p"), self.random.choice(scope.channels))]
            case "count":
                return [CountGoroutines(self.name("p"))]
            case "yield":
                return [*(Yield() for _ in range(self.random.choice((1, 1, 1, 2, 3)))), self.print(scope)]
            case "sleep":
                return [Sleep(0 if self.chance(0.05) else self.delay()), self.print(scope)]
            case "after":
                return [After(self.new("t", scope.alarms), self.delay())]
            case "after_func":
                function = self.function(scope, [])
                return [AfterFunc(self.new("f", scope.timers), self.delay(), function)]
            case "stop" if scope.timers:
                return [StopTimer(self.name("p"), self.random.choice(scope.timers))]
            case "go" | "call":
                return [self.invoke(scope, kind)]
            case "use" if scope.objects:
                return sync_scenes.use(self, scope)
            case "context" if scope.contexts:
                return context_scenes.use(self, scope)
            case "compute":
                return [Compute(sync_scenes.COMPUTE_MS), self.print(scope)]
            case "defer":
                return [DeferRecover() if self.chance(0.05) else self.invoke(scope, "defer")]
            case "recover":
                return [Recover(self.name("p"), self.name("r"), self.chance(0.3))]
            case "panic":
                number = Expression(None, self.random.randrange(3))
                return [Panic(self.random.choice((None, self.name("boom"), number)))]
            case "goexit":
                return [Goexit()]
            case "return":
                return [Return()]
            case "break":
                return [Break()]
            case "exit":
                return [Exit(self.random.randrange(6))]
            case "write":
                return [Write(self.name("w"))]
        return [self.print(scope)]

    def compound(self, kind: str, scope: Scope) -> list[Statement]:
        """Draw a statement with blocks."""
        inner = scope.inner()
        match kind:
            case "select":
                return self.select(scope)
            case "range":
                inner.in_loop = True
                value, channel = self.new("v", inner.integers), self.random.choice(scope.channels)
                return [RangeChannel(channel, value, [self.print(inner), *self.block(inner, 3)])]
            case "repeat":
                inner.in_loop = True
                value, count = self.new("v", inner.integers), self.random.choice((2, 3, 3, 4, 6))
                return [Repeat(count, value, self.block(inner, self.random.randrange(1, 4)))]
            case _ if scope.booleans + scope.integers:
                name = self.random.choice(scope.booleans + scope.integers)
                bound = self.random.randrange(4) if name in scope.integers else None
                condition = Condition(name, bound is None and self.chance(0.5), bound)
                otherwise = self.block(scope.inner(), 2) if self.chance(0.5) else []
                return [If(condition, self.block(inner, 2), otherwise)]
        return [self.print(scope)]

    def select(self, scope: Scope) -> list[Statement]:
        """Draw a select; the same operation on the same channel occurs once."""
        if self.chance(0.02):
            return [Select([])]
        operations = [(channel, sends) for channel in scope.channels for sends in (False, True)]
        operations += [(alarm, False) for alarm in scope.alarms]
        cases = []
        count = min(len(operations), self.random.choice((1, 2, 2, 2, 3, 3, 4)))
        for channel, sends in self.random.sample(operations, count):
            inner = scope.inner()
            is_alarm = channel in scope.alarms
            operation = Receive(channel) if is_alarm else self.communication(inner, channel, sends)
            cases.append(Case(operation, self.reaction(inner)))
        default = self.reaction(scope.inner())
        return [Select(cases, default if self.chance(0.35) else None)]

    def reaction(self, scope: Scope) -> list[Statement]:
        """Draw what follows a case of a select: a print, perhaps more."""
        return [self.print(scope), *(self.block(scope, 2) if self.chance(0.3) else [])]

    def ending(self, scope: Scope) -> list[Statement]:
        """End main: at once, after others have run, never, or by Goexit."""
        ends: list[list[Statement]] = [
            [],
            [Yield(), self.print(scope)],
            [Sleep(self.delay() + 30), self.print(scope)],
            [Sleep(self.delay() + 30), self.print(scope)],
            [self.communication(scope), self.print(scope)],
            [Select([])],
            [Goexit()],
        ]
        return scenes.last_words(self, scope) if self.chance(0.12) else self.random.choice(ends)


@dataclass(frozen=True, slots=True)
class Sample:
    """A program and what it must print, for each of `reference.TICKS`."""

    program: Program
    expected: dict[int, reference.Outcome]

    @property
    def outcomes(self) -> list[reference.Outcome]:
        """Return what it may print: one outcome, if the initial tick makes no difference."""
        return list(dict.fromkeys(self.expected.values()))


@cache
def program_for(seed: int) -> Sample:
    """Return the program of a seed."""
    attempt = 0
    while True:
        attempt += 1
        random = Random(f"goruntime {seed} {attempt}")
        program = Writer(random).program(seed)
        try:
            expected = {tick: reference.run(program, tick) for tick in reference.TICKS}
        except Reject:
            continue
        outcome = expected[reference.TICKS[0]]
        size = sum(len(block) for block in all_blocks(program.body))
        if outcome.ran >= random.uniform(0.3, 1) * size and len(outcome.lines) >= 3:
            return Sample(program, expected)
