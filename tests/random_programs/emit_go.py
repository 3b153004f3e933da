"""The Go text of random programs: one binary holds a whole batch, its environment says which program is to run."""

from . import syntax

HEADER = """package main

import (
	"context"
	"errors"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

func show(value any) string {
	switch value := value.(type) {
	case nil:
		return "nil"
	case int:
		return strconv.Itoa(value)
	case string:
		return value
	case error:
		return value.Error()
	}
	return "?"
}

var (
	_ = runtime.Gosched
	_ = debug.SetTraceback
	_ sync.Mutex
	_ = context.Cause
	_ = errors.New
)

// atomicInt64 is an atomic.Int64 for variables of type int.
type atomicInt64 struct{ word atomic.Int64 }

func (x *atomicInt64) Load() int                        { return int(x.word.Load()) }
func (x *atomicInt64) Store(value int)                  { x.word.Store(int64(value)) }
func (x *atomicInt64) Add(delta int) int                { return int(x.word.Add(int64(delta))) }
func (x *atomicInt64) Swap(value int) int               { return int(x.word.Swap(int64(value))) }
func (x *atomicInt64) And(mask int) int                 { return int(x.word.And(int64(mask))) }
func (x *atomicInt64) Or(mask int) int                  { return int(x.word.Or(int64(mask))) }
func (x *atomicInt64) CompareAndSwap(old, new int) bool { return x.word.CompareAndSwap(int64(old), int64(new)) }

// compute works for as long as it should; a process that the machine has kept from it shows nothing, and is run again.
func compute(milliseconds time.Duration) {
	runtime.Gosched()
	start := time.Now()
	for time.Since(start) < milliseconds*time.Millisecond {
	}
	if time.Since(start) > (milliseconds+SLACK_MS)*time.Millisecond {
		os.Exit(DISTURBED)
	}
}

// probe tells how many goroutines the runtime has of its own.
func probe() {
	go func() { panic("probe") }()
	runtime.Gosched()
}

func main() {
	number, _ := strconv.Atoi(os.Getenv("RANDOM_PROGRAM"))
	time.Sleep(5 * time.Millisecond)
	programs[number]()
}
"""


SLACK_MS = 2
DISTURBED = 77  # exit status of a run that says nothing about Go

TYPES = {
    "mutex": "sync.Mutex",
    "rwmutex": "sync.RWMutex",
    "wait_group": "sync.WaitGroup",
    "once": "sync.Once",
    "pool": "sync.Pool",
    "map": "sync.Map",
    "int64": "atomicInt64",
}
WAYS = {
    "cancel": "WithCancel",
    "cancel_cause": "WithCancelCause",
    "timeout": "WithTimeout",
    "value": "WithValue",
    "without": "WithoutCancel",
}
SPECIAL_METHODS = {"rlock": "RLock", "runlock": "RUnlock", "try_rlock": "TryRLock"}


def emit(programs: list[syntax.Program]) -> str:
    """Return the source of one Go file with all the programs."""
    header = HEADER.replace("SLACK_MS", str(SLACK_MS)).replace("DISTURBED", str(DISTURBED))
    lines = [header, "var programs = map[int]func(){", "\t-1: probe,"]
    lines += [f"\t{program.number}: p{program.number}," for program in programs]
    lines.append("}")
    for program in programs:
        lines += ["", *emit_program(program)]
    return "\n".join(lines) + "\n"


def emit_program(program: syntax.Program) -> list[str]:
    """Return the lines of one program's function."""
    return [f"func p{program.number}() {{", *_block(program.body, 1, ()), "}"]


def quoted(value: syntax.Expression | str) -> str:
    """Return the text of a string literal or of an expression."""
    return f'"{value}"' if isinstance(value, str) else str(value)


def _block(block: list[syntax.Statement], depth: int, labels: tuple[str, ...]) -> list[str]:
    indent = "\t" * depth
    return [indent + line for statement in block for line in _statement(statement, labels)]


def _statement(statement: syntax.Statement, labels: tuple[str, ...]) -> list[str]:
    match statement:
        case syntax.Print(label, values):
            return [f"println({', '.join([quoted(label), *map(str, values)])})"]
        case syntax.Write(label):
            return [f'os.Stdout.WriteString("{label}\\n")']
        case syntax.Exit(code):
            return [f"os.Exit({code})"]
        case syntax.ShowAllGoroutines():
            return ['debug.SetTraceback("all")']
        case syntax.CountGoroutines(label):
            return [f'println("{label}", runtime.NumGoroutine())']
        case syntax.MakeChannel(name, capacity):
            made = f"var {name} chan int" if capacity is None else f"{name} := make(chan int, {capacity})"
            return [made, f"_ = {name}"]
        case syntax.Send() | syntax.Receive():
            return [_operation(statement), *_use(statement)]
        case syntax.Close(channel, deferred):
            return [f"{'defer ' if deferred else ''}close({channel})"]
        case syntax.LengthAndCapacity(label, channel):
            return [f'println("{label}", len({channel}), cap({channel}))']
        case syntax.Select() | syntax.RangeChannel() | syntax.Repeat() | syntax.If():
            return _compound(statement, labels)
        case syntax.Break():
            return [f"break {labels[-1]}"]
        case syntax.Return():
            return ["return"]
        case syntax.Yield():
            return ["runtime.Gosched()"]
        case syntax.Goexit():
            return ["runtime.Goexit()"]
        case syntax.Sleep(milliseconds):
            return [f"time.Sleep({milliseconds} * time.Millisecond)"]
        case syntax.After(name, milliseconds):
            return [f"{name} := time.After({milliseconds} * time.Millisecond)", f"_ = {name}"]
        case syntax.AfterFunc(name, milliseconds, function):
            made = f"{name} := time.AfterFunc({milliseconds} * time.Millisecond, {_literal(function)[0]}"
            return [made, *_literal(function)[1:-1], "})", f"_ = {name}"]
        case syntax.StopTimer(label, name):
            return [f'println("{label}", {name}.Stop())']
        case syntax.Compute(milliseconds):
            return [f"compute({milliseconds})"]
        case syntax.Make() | syntax.Do() | syntax.Ask() | syntax.Pass():
            return _object_statement(statement)
        case (
            syntax.MakeContext()
            | syntax.Cancel()
            | syntax.ShowContext()
            | syntax.ContextAfterFunc()
            | syntax.StopAfterFunc()
        ):
            return _context_statement(statement)
        case syntax.Invoke(how, function, arguments):
            first, *body, last = _literal(function)
            word = "" if how == "call" else how + " "
            return [word + first, *body, f"{last}({', '.join(map(str, arguments))})"]
        case syntax.DeferRecover():
            return ["defer recover()"]
        case syntax.Panic(value):
            return [f"panic({'nil' if value is None else quoted(value)})"]
        case syntax.Recover(label, name, repanic):
            again = [f"if {name} != nil {{", f"\tpanic({name})", "}"] if repanic else []
            return [f"{name} := recover()", f'println("{label}", show({name}))', *again]
    raise TypeError(statement)


def _object_statement(statement: syntax.Make | syntax.Do | syntax.Ask | syntax.Pass) -> list[str]:
    match statement:
        case syntax.Make((kind, name), None):
            return [f"var {name} {TYPES[kind]}", f"_ = &{name}"]
        case syntax.Make((_, name), lock, reads):
            assert lock is not None
            locker = f"{lock.name}.RLocker()" if reads else f"&{lock.name}"
            return [f"{name} := sync.NewCond({locker})", f"_ = {name}"]
        case syntax.Do(on, method, arguments, deferred):
            called = f"{on.name}.{_method(method)}({', '.join(map(str, arguments))})"
            return [f"defer {called}" if deferred else called]
        case syntax.Ask(label, on, method, arguments, results):
            shown = [
                f"show({result})" if t is object else result for result, t in zip(results, statement.types, strict=True)
            ]
            called = f"{', '.join(results)} := {on.name}.{_method(method)}({', '.join(map(str, arguments))})"
            return [called, f'println("{label}", {", ".join(shown)})']
        case syntax.Pass(on, method, function):
            first, *body, last = _literal(function)
            return [f"{on.name}.{_method(method)}({first}", *body, f"{last})"]
    raise TypeError(statement)


def _context_statement(
    statement: syntax.MakeContext | syntax.Cancel | syntax.ShowContext | syntax.ContextAfterFunc | syntax.StopAfterFunc,
) -> list[str]:
    match statement:
        case syntax.MakeContext(name, way, parent, milliseconds):
            texts = {"timeout": f", {milliseconds}*time.Millisecond", "value": f', "{name}", 1'}
            called = f"context.{WAYS[way]}({parent or 'context.Background()'}{texts.get(way, '')})"
            names = [name, *([statement.cancel] if statement.cancel else [])]
            made = [f"{', '.join(names)} := {called}", f"{statement.done} := {name}.Done()"]
            return [*made, *(f"_ = {each}" for each in [*names, statement.done])]
        case syntax.Cancel(name, takes_cause, cause, deferred):
            argument = (f'errors.New("{cause}")' if cause else "nil") if takes_cause else ""
            return [f"{'defer ' if deferred else ''}{name}_cancel({argument})"]
        case syntax.ShowContext(label, name):
            return [f'println("{label}", show({name}.Err()), show(context.Cause({name})))']
        case syntax.ContextAfterFunc(name, context, function):
            first, *body, last = _literal(function)
            return [f"{name} := context.AfterFunc({context}, {first}", *body, f"{last})", f"_ = {name}"]
        case syntax.StopAfterFunc(label, name):
            return [f'println("{label}", {name}())']


def _method(name: str) -> str:
    """Return Go's name of a method."""
    return SPECIAL_METHODS.get(name) or "".join(part.capitalize() for part in name.split("_"))


def _literal(function: syntax.Function) -> list[str]:
    parameters = f"{', '.join(function.parameters)} int" if function.parameters else ""
    return [f"func({parameters}) {{", *_block(function.body, 1, ()), "}"]


def _operation(operation: syntax.Send | syntax.Receive) -> str:
    if isinstance(operation, syntax.Send):
        return f"{operation.channel} <- {operation.value}"
    names = ", ".join(name for name in (operation.value, operation.ok) if name)
    return f"{names} := <-{operation.channel}" if names else f"<-{operation.channel}"


def _use(operation: syntax.Send | syntax.Receive) -> list[str]:
    names = [name for name in (operation.value, operation.ok) if name] if isinstance(operation, syntax.Receive) else []
    return [f"_ = {name}" for name in names]


def _compound(
    statement: syntax.Select | syntax.RangeChannel | syntax.Repeat | syntax.If, labels: tuple[str, ...]
) -> list[str]:
    match statement:
        case syntax.Select(cases, default):
            lines = ["select {"]
            for case in cases:
                body = [f"\t{line}" for line in _use(case.operation)] + _block(case.body, 1, labels)
                lines += [f"case {_operation(case.operation)}:", *body]
            return [*lines, *(["default:", *_block(default, 1, labels)] if default is not None else []), "}"]
        case syntax.If(condition, then, otherwise):
            test = condition.variable if condition.bound is None else f"({condition.variable} > {condition.bound})"
            test = "!" * condition.negated + test
            orelse = ["} else {", *_block(otherwise, 1, labels)] if otherwise else []
            return [f"if {test} {{", *_block(then, 1, labels), *orelse, "}"]
        case syntax.RangeChannel(over, value, body) | syntax.Repeat(over, value, body):
            label = f"loop_{value}"
            target = [f"{label}:"] if any(isinstance(inner, syntax.Break) for inner in _own_statements(body)) else []
            return [
                *target,
                f"for {value} := range {over} {{",
                f"\t_ = {value}",
                *_block(body, 1, (*labels, label)),
                "}",
            ]


def _own_statements(body: list[syntax.Statement]) -> list[syntax.Statement]:
    """Return the statements of a loop's body that are not in an inner loop."""
    found = []
    for statement in body:
        found.append(statement)
        if not isinstance(statement, syntax.RangeChannel | syntax.Repeat):
            for block in syntax.blocks_of(statement):
                found += _own_statements(block)
    return found
