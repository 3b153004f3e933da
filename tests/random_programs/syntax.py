"""The syntax of a random program: what Go and Python can both say, statement for statement.

A program is the body of one function. Function literals nest; they capture channels, and get integers as arguments only
(Python binds a captured loop variable late, Go per iteration). Every variable has a name of its own.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple


@dataclass(slots=True)
class Expression:
    """An integer: a constant, a variable, or a variable plus a constant. Its text is the same in both languages."""

    variable: str | None = None
    constant: int = 0

    def __str__(self) -> str:
        if self.variable is None:
            return str(self.constant)
        return f"{self.variable} + {self.constant}" if self.constant else self.variable


@dataclass(slots=True)
class Condition:
    """`variable`, its negation, or, with a bound, `variable > bound`."""

    variable: str
    negated: bool = False
    bound: int | None = None


@dataclass(slots=True)
class Function:
    """A function literal. `name` is Go's name for it, as created-by lines show it; `name_functions` fills it in."""

    parameters: list[str]
    body: list["Statement"]
    name: str = ""


@dataclass(slots=True)
class Print:
    """The builtin println of a label and values (integers or booleans): stderr, no scheduling point."""

    label: str
    values: list[Expression] = field(default_factory=list)


@dataclass(slots=True)
class Write:
    """One line on stdout: a system call."""

    label: str


@dataclass(slots=True)
class Exit:
    """os.Exit."""

    code: int


@dataclass(slots=True)
class ShowAllGoroutines:
    """debug.SetTraceback("all"): a panic then dumps every goroutine."""


@dataclass(slots=True)
class CountGoroutines:
    """Print runtime.NumGoroutine()."""

    label: str


@dataclass(slots=True)
class MakeChannel:
    """Declare a channel of integers; no capacity means the nil channel."""

    name: str
    capacity: int | None


@dataclass(slots=True)
class Send:
    """channel <- value"""

    channel: str
    value: Expression


@dataclass(slots=True)
class Receive:
    """value, ok := <-channel; either name may be missing, ok only together with value."""

    channel: str
    value: str | None = None
    ok: str | None = None


@dataclass(slots=True)
class Close:
    """close(channel), at once or deferred."""

    channel: str
    deferred: bool = False


@dataclass(slots=True)
class LengthAndCapacity:
    """Print len(channel) and cap(channel)."""

    label: str
    channel: str


@dataclass(slots=True)
class Case:
    """One case of a select: a receive or a send, and what follows."""

    operation: Send | Receive
    body: list["Statement"]


@dataclass(slots=True)
class Select:
    """A select; `default` is None where there is no default case."""

    cases: list[Case]
    default: list["Statement"] | None = None


@dataclass(slots=True)
class RangeChannel:
    """for value := range channel"""

    channel: str
    value: str
    body: list["Statement"]


@dataclass(slots=True)
class Repeat:
    """for value := range count"""

    count: int
    value: str
    body: list["Statement"]


@dataclass(slots=True)
class If:
    """if condition, else"""

    condition: Condition
    then: list["Statement"]
    otherwise: list["Statement"]


@dataclass(slots=True)
class Break:
    """Leave the innermost loop (in Go by a label, so that it also leaves a select)."""


@dataclass(slots=True)
class Return:
    """Leave the function."""


@dataclass(slots=True)
class Yield:
    """runtime.Gosched()"""


@dataclass(slots=True)
class Goexit:
    """runtime.Goexit()"""


@dataclass(slots=True)
class Sleep:
    """time.Sleep"""

    milliseconds: int


@dataclass(slots=True)
class After:
    """name := time.After(...): a channel that only Receive (without value) and Select use."""

    name: str
    milliseconds: int


@dataclass(slots=True)
class AfterFunc:
    """name := time.AfterFunc(..., function)"""

    name: str
    milliseconds: int
    function: Function


@dataclass(slots=True)
class StopTimer:
    """Print name.Stop() of an AfterFunc."""

    label: str
    name: str


@dataclass(slots=True)
class Compute:
    """runtime.Gosched(), then work on the CPU: with a new time slice nothing preempts it."""

    milliseconds: int


class Object(NamedTuple):
    """Something of package sync or atomic: its kind, a key of `RESULTS`, and the variable's name."""

    kind: str
    name: str


# What the methods with results give: a truth value, an integer, or anything, which only `show` can print.
RESULTS: dict[str, dict[str, tuple[type, ...]]] = {
    "mutex": {"try_lock": (bool,)},
    "rwmutex": {"try_lock": (bool,), "try_rlock": (bool,)},
    "wait_group": {},
    "cond": {},
    "once": {},
    "pool": {"get": (object,)},
    "map": {
        "load": (object, bool),
        "load_or_store": (object, bool),
        "load_and_delete": (object, bool),
        "swap": (object, bool),
        "compare_and_swap": (bool,),
        "compare_and_delete": (bool,),
    },
    "int64": {
        "load": (int,),
        "add": (int,),
        "swap": (int,),
        "compare_and_swap": (bool,),
        "and_": (int,),
        "or_": (int,),
    },
}


@dataclass(slots=True)
class Make:
    """Declare an object. `lock` is a condition's; for an RWMutex that is the write lock, or its reading side."""

    made: Object
    lock: Object | None = None
    reads: bool = False


@dataclass(slots=True)
class Do:
    """Call a method without a result, at once or deferred."""

    on: Object
    method: str
    arguments: list[Expression] = field(default_factory=list)
    deferred: bool = False


@dataclass(slots=True)
class Ask:
    """results := on.method(arguments), printed."""

    label: str
    on: Object
    method: str
    arguments: list[Expression]
    results: list[str]

    @property
    def types(self) -> tuple[type, ...]:
        """Return what each result is."""
        return RESULTS[self.on.kind][self.method]


@dataclass(slots=True)
class Pass:
    """Pass a function literal to a method: wait_group.Go, once.Do."""

    on: Object
    method: str
    function: Function


@dataclass(slots=True)
class MakeContext:
    """Derive a context from another, or from Background. The way is cancel, cancel_cause, timeout, value or without.

    It comes with a variable for its Done channel and, if it can be canceled, one for its cancel function.
    """

    name: str
    way: str
    parent: str | None
    milliseconds: int = 0

    @property
    def done(self) -> str:
        """Return the name of the variable for the Done channel."""
        return f"{self.name}_done"

    @property
    def cancel(self) -> str | None:
        """Return the name of the variable for the cancel function."""
        return f"{self.name}_cancel" if self.way in ("cancel", "cancel_cause", "timeout") else None


@dataclass(slots=True)
class Cancel:
    """Call a context's cancel function, at once or deferred; one of WithCancelCause takes a cause, None is nil."""

    context: str
    takes_cause: bool
    cause: str | None = None
    deferred: bool = False


@dataclass(slots=True)
class ShowContext:
    """Print Err() and Cause of a context."""

    label: str
    context: str


@dataclass(slots=True)
class ContextAfterFunc:
    """name := context.AfterFunc(context, function)"""

    name: str
    context: str
    function: Function


@dataclass(slots=True)
class StopAfterFunc:
    """Print name(), which stops a context.AfterFunc."""

    label: str
    name: str


@dataclass(slots=True)
class Invoke:
    """A function literal with arguments: started by `go`, deferred by `defer`, or called on the spot by `call`."""

    how: str
    function: Function
    arguments: list[Expression] = field(default_factory=list)


@dataclass(slots=True)
class DeferRecover:
    """defer recover(), which recovers nothing."""


@dataclass(slots=True)
class Panic:
    """panic(value); None is nil."""

    value: Expression | str | None


@dataclass(slots=True)
class Recover:
    """name := recover(), printed; panicked again if asked for and not nil."""

    label: str
    name: str
    repanic: bool = False


Statement = (
    Print | Write | Exit | ShowAllGoroutines | CountGoroutines | MakeChannel | Send | Receive | Close
    | LengthAndCapacity | Select | RangeChannel | Repeat | If | Break | Return | Yield | Goexit
    | Sleep | After | AfterFunc | StopTimer | Compute | Make | Do | Ask | Pass
    | MakeContext | Cancel | ShowContext | ContextAfterFunc | StopAfterFunc | Invoke | DeferRecover | Panic | Recover
)  # fmt: skip


@dataclass(slots=True)
class Program:
    """One program: `main.p<number>`, run as the main goroutine."""

    number: int
    body: list[Statement]

    @property
    def name(self) -> str:
        """The Go name of the program's function."""
        return f"main.p{self.number}"


def blocks_of(statement: Statement) -> list[list[Statement]]:
    """Return the statement's blocks, in source order; that of a function literal is not among them."""
    match statement:
        case Select(cases, default):
            return [case.body for case in cases] + ([default] if default is not None else [])
        case RangeChannel(body=body) | Repeat(body=body):
            return [body]
        case If(_, then, otherwise):
            return [then, otherwise]
    return []


def function_of(statement: Statement) -> Function | None:
    """Return the function literal in the statement."""
    return statement.function if isinstance(statement, Invoke | AfterFunc | Pass | ContextAfterFunc) else None


def statements_in(block: list[Statement]) -> Iterator[Statement]:
    """Yield the statements of a block and of the blocks in it, in source order, without entering function literals."""
    for statement in block:
        yield statement
        for inner in blocks_of(statement):
            yield from statements_in(inner)


def all_blocks(block: list[Statement]) -> Iterator[list[Statement]]:
    """Yield the block and every block in it, function literals included."""
    yield block
    for statement in block:
        literal = function_of(statement)
        for inner in [*blocks_of(statement), *([literal.body] if literal else [])]:
            yield from all_blocks(inner)


def name_functions(program: Program) -> None:
    """Give each function literal the name that Go gives it.

    The n-th literal of a declared function is `.funcN`, that of a literal `.N`.
    Go: cmd/compile/internal/ir/func.go closureName.
    """

    def visit(outer: str, prefix: str, body: list[Statement]) -> None:
        literals = [literal for statement in statements_in(body) if (literal := function_of(statement))]
        for number, literal in enumerate(literals, 1):
            literal.name = f"{outer}.{prefix}{number}"
            visit(literal.name, "", literal.body)

    visit(program.name, "func", program.body)
