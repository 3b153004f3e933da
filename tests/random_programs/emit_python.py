"""The Python text of random programs: the statements of the Go text, one for one."""

from . import syntax
from .emit_go import TYPES, quoted

WAYS = {
    "cancel": "with_cancel",
    "cancel_cause": "with_cancel_cause",
    "timeout": "with_timeout",
    "value": "with_value",
    "without": "without_cancel",
}
CLASSES = TYPES | {"int64": "atomic.Int64"}

HEADER = """from goruntime import atomic, cap, chan, context, debug, default, defer, errors, func, go, nilchan, os
from goruntime import panic, println, recover, run, runtime, select, sync, time


def show(value):
    return "nil" if value is None else str(value)


def compute(milliseconds):
    runtime.gosched()
    runtime.work(milliseconds / 1000)


def probe():
    go(lambda: panic("probe"))
    runtime.gosched()
"""


def emit(programs: list[syntax.Program]) -> str:
    """Return the source of a module with all the programs."""
    text = [HEADER]
    for program in programs:
        text += ["", "", *emit_program(program)]
    return "\n".join(text) + "\n"


def emit_script(program: syntax.Program) -> str:
    """Return a program that runs by itself."""
    return emit([program]) + f'\n\nif __name__ == "__main__":\n    run(p{program.number}, gomaxprocs=1)\n'


def emit_program(program: syntax.Program) -> list[str]:
    """Return the lines of one program's function."""
    return [f"def p{program.number}():", "    time.sleep(0.005)", *_block(program.body)]


def _block(block: list[syntax.Statement]) -> list[str]:
    return ["    " + line for statement in block for line in _statement(statement)] or ["    pass"]


def _statement(statement: syntax.Statement) -> list[str]:
    match statement:
        case syntax.Print(label, values):
            return [f"println({', '.join([quoted(label), *map(str, values)])})"]
        case syntax.Write(label):
            return [f'os.stdout.write("{label}\\n")']
        case syntax.Exit(code):
            return [f"os.exit({code})"]
        case syntax.ShowAllGoroutines():
            return ['debug.set_traceback("all")']
        case syntax.CountGoroutines(label):
            return [f'println("{label}", runtime.num_goroutine())']
        case syntax.MakeChannel(name, capacity):
            return [f"{name} = nilchan" if capacity is None else f"{name} = chan({capacity}, int)"]
        case syntax.Send(channel, sent):
            return [f"{channel}.send({sent})"]
        case syntax.Receive(channel, value, ok):
            got = f"{value}, {ok} = " if ok else f"{value} = " if value else ""
            return [f"{got}{channel}.recv{'_' if ok else ''}()"]
        case syntax.Close(channel, deferred):
            return [f"defer({channel}.close)" if deferred else f"{channel}.close()"]
        case syntax.LengthAndCapacity(label, channel):
            return [f'println("{label}", len({channel}), cap({channel}))']
        case syntax.Select() | syntax.RangeChannel() | syntax.Repeat() | syntax.If():
            return _compound(statement)
        case syntax.Break():
            return ["break"]
        case syntax.Return():
            return ["return"]
        case syntax.Yield():
            return ["runtime.gosched()"]
        case syntax.Goexit():
            return ["runtime.goexit()"]
        case syntax.Sleep(milliseconds):
            return [f"time.sleep({milliseconds / 1000})"]
        case syntax.After(name, milliseconds):
            return [f"{name} = time.after({milliseconds / 1000})"]
        case syntax.AfterFunc(name, milliseconds, function):
            called = f"time.after_func({milliseconds / 1000}, {_name(function)})"
            return [*_definition(function, decorated=False), f"{name} = {called}"]
        case syntax.StopTimer(label, name):
            return [f'println("{label}", {name}.stop())']
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
            name, texts = _name(function), list(map(str, arguments))
            called = f"{name}({', '.join(texts)})" if how == "call" else f"{how}({', '.join([name, *texts])})"
            return [*_definition(function, decorated=how != "go"), called]
        case syntax.DeferRecover():
            return ["defer(recover)"]
        case syntax.Panic(value):
            return [f"panic({None if value is None else quoted(value)})"]
        case syntax.Recover(label, name, repanic):
            again = [f"if {name} is not None:", f"    panic({name})"] if repanic else []
            return [f"{name} = recover()", f'println("{label}", show({name}))', *again]
    raise TypeError(statement)


def _object_statement(statement: syntax.Make | syntax.Do | syntax.Ask | syntax.Pass) -> list[str]:
    match statement:
        case syntax.Make((kind, name), None):
            return [f"{name} = {CLASSES[kind]}()"]
        case syntax.Make((_, name), lock, reads):
            assert lock is not None
            return [f"{name} = sync.Cond({lock.name}{'.rlocker()' if reads else ''})"]
        case syntax.Do(on, method, arguments, deferred):
            texts, called = list(map(str, arguments)), f"{on.name}.{method}"
            return [f"defer({', '.join([called, *texts])})" if deferred else f"{called}({', '.join(texts)})"]
        case syntax.Ask(label, on, method, arguments, results):
            shown = [
                f"show({result})" if t is object else result for result, t in zip(results, statement.types, strict=True)
            ]
            called = f"{', '.join(results)} = {on.name}.{method}({', '.join(map(str, arguments))})"
            return [called, f'println("{label}", {", ".join(shown)})']
        case syntax.Pass(on, method, function):
            return [*_definition(function, decorated=False), f"{on.name}.{method}({_name(function)})"]
    raise TypeError(statement)


def _context_statement(
    statement: syntax.MakeContext | syntax.Cancel | syntax.ShowContext | syntax.ContextAfterFunc | syntax.StopAfterFunc,
) -> list[str]:
    match statement:
        case syntax.MakeContext(name, way, parent, milliseconds):
            texts = {"timeout": f", {milliseconds / 1000}", "value": f', "{name}", 1'}
            called = f"context.{WAYS[way]}({parent or 'context.background()'}{texts.get(way, '')})"
            names = [name, *([statement.cancel] if statement.cancel else [])]
            return [f"{', '.join(names)} = {called}", f"{statement.done} = {name}.done()"]
        case syntax.Cancel(name, takes_cause, cause, deferred):
            arguments = [f'errors.new("{cause}")' if cause else "None"] if takes_cause else []
            if deferred:
                return [f"defer({', '.join([f'{name}_cancel', *arguments])})"]
            return [f"{name}_cancel({', '.join(arguments)})"]
        case syntax.ShowContext(label, name):
            return [f'println("{label}", show({name}.err()), show(context.cause({name})))']
        case syntax.ContextAfterFunc(name, context, function):
            return [
                *_definition(function, decorated=False),
                f"{name} = context.after_func({context}, {_name(function)})",
            ]
        case syntax.StopAfterFunc(label, name):
            return [f'println("{label}", {name}())']


def _name(function: syntax.Function) -> str:
    """Return the last part of Go's name, made an identifier: `func2` stays, `2` becomes `_2`."""
    last = function.name.rpartition(".")[2]
    return last if last.startswith("func") else "_" + last


def _definition(function: syntax.Function, decorated: bool) -> list[str]:
    defers = any(
        isinstance(inner, syntax.DeferRecover)
        or (isinstance(inner, syntax.Close | syntax.Do | syntax.Cancel) and inner.deferred)
        or (isinstance(inner, syntax.Invoke) and inner.how == "defer")
        for inner in syntax.statements_in(function.body)
    )
    first = ["@func"] if decorated and defers else []
    return [*first, f"def {_name(function)}({', '.join(function.parameters)}):", *_block(function.body)]


def _case(operation: syntax.Send | syntax.Receive) -> str:
    if isinstance(operation, syntax.Send):
        return f"({operation.channel}.send, {operation.value})"
    return f"{operation.channel}.recv{'_' if operation.ok else ''}"


def _compound(statement: syntax.Select | syntax.RangeChannel | syntax.Repeat | syntax.If) -> list[str]:
    match statement:
        case syntax.Select(cases, default):
            texts = [_case(case.operation) for case in cases] + (["default"] if default is not None else [])
            lines = [f"chosen, got = select({', '.join(texts)})"]
            for index, case in enumerate(cases):
                names = [case.operation.value, case.operation.ok] if isinstance(case.operation, syntax.Receive) else []
                bound = ", ".join(name for name in names if name)
                word = "elif" if index else "if"
                lines += [f"{word} chosen == {index}:", *([f"    {bound} = got"] if bound else []), *_block(case.body)]
            return [*lines, *(["else:", *_block(default)] if default is not None else [])]
        case syntax.If(condition, then, otherwise):
            test = "not " * condition.negated + condition.variable
            test += f" > {condition.bound}" if condition.bound is not None else ""
            return [f"if {test}:", *_block(then), *(["else:", *_block(otherwise)] if otherwise else [])]
        case syntax.RangeChannel(channel, value, body):
            return [f"for {value} in {channel}:", *_block(body)]
        case syntax.Repeat(count, value, body):
            return [f"for {value} in range({count}):", *_block(body)]
