"""What Go programs look like: patterns that random statements alone would hardly ever form."""

from copy import deepcopy
from typing import TYPE_CHECKING

from .syntax import (
    After,
    AfterFunc,
    Break,
    Case,
    Close,
    Condition,
    Expression,
    Function,
    Goexit,
    If,
    Invoke,
    MakeChannel,
    Panic,
    Print,
    RangeChannel,
    Receive,
    Recover,
    Repeat,
    Select,
    Send,
    Sleep,
    Statement,
    StopTimer,
    Yield,
)

if TYPE_CHECKING:
    from .generate import Scope, Writer

Block = list[Statement]


def draw(writer: "Writer", scope: "Scope") -> Block:
    """Draw one of the scenes."""
    scenes = [producer, workers, crowd, generations, tower, tower, ping_pong, waiters, listener, both_ways, stuck]
    return writer.random.choice([*scenes, alarm, timeout] if writer.has_timers else scenes)(writer, scope)


def producer(writer: "Writer", scope: "Scope") -> Block:
    """One goroutine sends and closes; another, or main, ranges."""
    made = writer.make_channel(scope)
    value, got = writer.name("v"), writer.name("v")
    sending: Block = [Send(made.name, Expression(value)), _print(writer, value)]
    if writer.chance(0.3):
        sending.insert(writer.random.randrange(3), Yield())
    close = [Close(made.name)] if writer.chance(0.85) else []
    source = _go([Repeat(writer.random.randrange(1, 9), value, sending), *close])
    inner = scope.inner(in_loop=True)
    inner.integers.append(got)
    if writer.chance(0.5):
        body: Block = [writer.print(inner), *(writer.block(inner, 2) if writer.chance(0.4) else [])]
        return [made, source, RangeChannel(made.name, got, body)]
    sink = _go([RangeChannel(made.name, got, [_print(writer, got)]), _print(writer)])
    return [made, *([source, sink] if writer.chance(0.7) else [sink, source])]


def workers(writer: "Writer", scope: "Scope") -> Block:
    """Several goroutines range over one channel of jobs and answer on another."""
    jobs, answers = writer.make_channel(scope), writer.make_channel(scope)
    worker, job, sent, got, index, turn = (writer.name("v") for _ in range(6))
    count = writer.random.randrange(1, 9)
    reply = Send(answers.name, Expression(job, writer.random.randrange(3)))
    yields: Block = [Yield()] if writer.chance(0.3) else []
    inside = RangeChannel(jobs.name, job, [_print(writer, worker, job), *yields, reply])
    start = _go([inside, _print(writer, worker)], worker, Expression(index))
    feeding: Statement = Repeat(count, sent, [Send(jobs.name, Expression(sent))])
    if writer.chance(0.7):
        feeding = _go([feeding, *([Close(jobs.name)] if writer.chance(0.8) else [])])
    collecting = Repeat(count, turn, [Receive(answers.name, got), _print(writer, got)])
    return [jobs, answers, Repeat(writer.random.randrange(1, 5), index, [start]), feeding, collecting]


def crowd(writer: "Writer", scope: "Scope") -> Block:
    """Many goroutines that all do the same."""
    index, parameter = writer.name("v"), writer.name("v")
    body: Block = [_print(writer, parameter)]
    if writer.chance(0.6):
        inner = scope.function([parameter], is_deferred=False)
        position = writer.random.randrange(2)
        body[position:] = [Yield(), *body] if writer.chance(0.5) else writer.block(inner, 2)
    count = writer.random.choice((3, 8, 20, 50, 70, 130, 257, 258, 300))
    start = _go(body, parameter, Expression(index))
    yields: Block = [If(Condition(index, bound=count // 2), [Yield()], [])] if writer.chance(0.2) else []
    return [Repeat(count, index, [start, *yields]), *([Yield()] if writer.chance(0.5) else [])]


def generations(writer: "Writer", scope: "Scope") -> Block:
    """Goroutines that end, one by one or all together, and then more that stay blocked: dead ones are reused."""
    made = MakeChannel(writer.new("c", scope.channels), writer.random.choice((0, 1)))
    first, second, parameter = writer.name("v"), writer.name("v"), writer.name("v")
    count = writer.random.choice((5, 40, 63, 64, 65, 100, 140, 200))
    is_upper = Condition(parameter, bound=writer.random.randrange(count))
    late: Block = [If(is_upper, [], [Yield()])] if writer.chance(0.7) else []
    dying = _go([*late, *([_print(writer, parameter)] if writer.chance(0.1) else [])], parameter, Expression(first))
    blocked = _go([Receive(made.name)])
    more = Repeat(writer.random.choice((3, 10, 33, 50, 70, 90, 120)), second, [blocked])
    yields = _yields(writer.random.choice((1, 2, 2, 3)))
    after: Block = [*([Yield()] if writer.chance(0.5) else []), *([Close(made.name)] if writer.chance(0.2) else [])]
    return [made, Repeat(count, first, [dying]), *yields, more, *after]


def tower(writer: "Writer", scope: "Scope") -> Block:
    """Nested calls with defers, and a panic or Goexit at the bottom, perhaps in a goroutine."""
    body = _storey(writer, scope.inner(), writer.random.randrange(1, 4))
    return [Invoke("go" if writer.chance(0.4) else "call", Function([], body)), _print(writer)]


def _storey(writer: "Writer", scope: "Scope", calls: int) -> Block:
    count = writer.random.choice((0, 1, 1, 2, 3))
    body: Block = [Invoke("defer", Function([], _deferred(writer, scope))) for _ in range(count)]
    if calls:
        body.append(Invoke("call", Function([], _storey(writer, scope.inner(), calls - 1))))
    else:
        body += [_collapse(writer, scope)]
    return [*body, _print(writer)]


def _collapse(writer: "Writer", scope: "Scope") -> Statement:
    panic = Panic(writer.random.choice((writer.name("boom"), Expression(None, 1), Expression(None, 1), None)))
    channel = writer.random.choice(scope.channels)
    return writer.random.choice((panic, panic, panic, Goexit(), Close(channel)))


def _deferred(writer: "Writer", scope: "Scope") -> Block:
    recover = Recover(writer.name("p"), writer.name("r"), writer.chance(0.3))
    body: Block = [_print(writer)]
    if writer.chance(0.2):
        body.append(writer.random.choice((Yield(), Yield(), Receive(scope.channels[0]))))
    if writer.chance(0.15):
        literal = Function([], [recover])
        body.append(Invoke(writer.random.choice(("defer", "call")), literal))
    elif writer.chance(0.5):
        body.append(recover)
    if writer.chance(0.25) and scope.depth < 5:
        body.append(Invoke("call", Function([], _storey(writer, scope.inner(), 0))))
    if writer.chance(0.3):
        body.append(_collapse(writer, scope))
    if writer.chance(0.1):
        body.append(Recover(writer.name("p"), writer.name("r")))
    return body


def last_words(writer: "Writer", scope: "Scope") -> Block:
    """Main returns while a goroutine runs the defers of its panic, or left them by Goexit; others have more to say."""
    turn = writer.name("v")
    talker = _go([Repeat(writer.random.randrange(1, 9), turn, [_print(writer, turn), Yield()])])
    deferred: Block = [_print(writer), *_yields(writer.random.randrange(4)), _print(writer)]
    deferred += writer.random.choice(([], [Recover(writer.name("p"), writer.name("r"))], [Goexit()], [Goexit()]))
    panic = Invoke("defer", Function([], deferred))
    victim = _go([panic, *_storey(writer, scope.inner(), writer.random.randrange(2))])
    return [*writer.random.choice(([victim, talker], [talker, victim])), *_yields(writer.random.randrange(1, 4))]


def ping_pong(writer: "Writer", scope: "Scope") -> Block:
    """Two goroutines take turns over two channels."""
    there, back = writer.make_channel(scope), writer.make_channel(scope)
    count = writer.random.randrange(2, 8)
    one, two, turn, other_turn = (writer.name("v") for _ in range(4))
    answering: Block = [
        Receive(there.name, one),
        _print(writer, other_turn),
        Send(back.name, Expression(one, 1)),
    ]
    asking: Block = [
        Send(there.name, Expression(turn)),
        _print(writer, turn),
        Receive(back.name, two),
    ]
    return [there, back, _go([Repeat(count, other_turn, answering)]), Repeat(count, turn, asking)]


def waiters(writer: "Writer", scope: "Scope") -> Block:
    """Several goroutines wait on one channel, perhaps in a select; then it is closed, or fed."""
    made = writer.make_channel(scope)
    index, parameter = writer.name("v"), writer.name("v")
    inner, other = scope.function([parameter], is_deferred=False), scope.function([parameter], is_deferred=False)
    operation = writer.communication(inner, made.name, sends=writer.chance(0.3))
    waiting: Statement = operation
    if writer.chance(0.5):
        second = writer.communication(other, writer.random.choice(scope.channels[:-1] or scope.channels), sends=False)
        if second.channel != made.name:
            waiting = Select([Case(operation, [writer.print(inner)]), Case(second, [writer.print(other)])])
    start = _go([waiting, _print(writer, parameter)], parameter, Expression(index))
    feed: Statement = Close(made.name)
    if writer.chance(0.5):
        feed = Repeat(writer.random.randrange(1, 6), writer.name("v"), [writer.communication(scope.inner(), made.name)])
    between: Block = [Sleep(writer.delay())] if writer.has_timers and writer.chance(0.5) else [Yield()]
    return [made, Repeat(writer.random.randrange(2, 7), index, [start]), *between, feed]


def both_ways(writer: "Writer", scope: "Scope") -> Block:
    """A goroutine selects a send and a receive on the same channel; what comes is a value, a receiver, or the end."""
    made = writer.make_channel(scope)
    sending, receiving = scope.inner(), scope.inner()
    cases = [
        Case(writer.communication(sending, made.name, sends=True), [_print(writer)]),
        Case(writer.communication(receiving, made.name, sends=False), [writer.print(receiving)]),
    ]
    select = _go([Select(cases if writer.chance(0.5) else cases[::-1]), _print(writer)])
    peer = Close(made.name) if writer.chance(0.5) else writer.communication(scope, made.name)
    return [made, select, Yield(), peer, _print(writer)]


def stuck(writer: "Writer", scope: "Scope") -> Block:
    """Goroutines that wait for ever, each in its own way."""
    names = [writer.name("c") for _ in range(3)]
    receiving, sending, nothing = names
    made = [MakeChannel(name, None if name == nothing else 0) for name in names]
    gets, puts = Case(Receive(receiving), [_print(writer)]), Case(Send(sending, Expression(None, 1)), [_print(writer)])
    never = [Case(Receive(nothing), [_print(writer)]), Case(Send(nothing, Expression(None, 2)), [_print(writer)])]
    ways: Block = [
        *(Select([]), Receive(receiving), Receive(nothing), Send(sending, Expression()), Send(nothing, Expression())),
        *(Select([gets]), Select([puts]), Select([gets, puts]), Select([gets, *never]), Select(never)),
        *(Select(never[:1]), Select(never[1:]), RangeChannel(nothing, writer.name("v"), [_print(writer)])),
    ]
    return [*made, *(_go([way]) for way in writer.random.sample(ways, writer.random.randrange(2, 6)))]


def listener(writer: "Writer", scope: "Scope") -> Block:
    """A goroutine that selects in a loop until it is told to stop."""
    data, stop = writer.make_channel(scope), writer.make_channel(scope)
    turn, value, sent = (writer.name("v") for _ in range(3))
    cases = [
        Case(Receive(data.name, value), [_print(writer, turn, value)]),
        Case(Receive(stop.name), [_print(writer, turn), Break()]),
    ]
    default: Block | None = [_print(writer), Yield()] if writer.chance(0.3) else None
    loop = Repeat(writer.random.randrange(3, 12), turn, [Select(cases, default)])
    feed = Repeat(
        writer.random.randrange(1, 6),
        sent,
        [Send(data.name, Expression(sent)), _print(writer, sent)],
    )
    end = Close(stop.name) if writer.chance(0.6) else Send(stop.name, Expression(None, 1))
    return [data, stop, _go([loop, _print(writer)]), feed, end]


def alarm(writer: "Writer", scope: "Scope") -> Block:
    """Functions that run later, some of them stopped before, some after."""
    body: Block = []
    for _ in range(writer.random.randrange(1, 3)):
        body.append(AfterFunc(writer.new("f", scope.timers), writer.delay(), writer.function(scope, [])))
    body += [Sleep(writer.delay()), _print(writer)] if writer.chance(0.7) else []
    return body + [StopTimer(writer.name("p"), name) for name in scope.timers if writer.chance(0.7)]


def timeout(writer: "Writer", scope: "Scope") -> Block:
    """Wait for a value, but not for ever."""
    made = writer.make_channel(scope)
    alarm_name = writer.new("t", scope.alarms)
    value, sent = writer.name("v"), writer.name("v")
    late: Block = [Sleep(writer.delay())] if writer.chance(0.7) else []
    sending = Repeat(writer.random.randrange(1, 4), sent, [Send(made.name, Expression(sent)), *deepcopy(late)])
    sender = _go([*late, sending])
    cases = [
        Case(Receive(made.name, value), [_print(writer, value)]),
        Case(Receive(alarm_name), [_print(writer), *([Break()] if writer.chance(0.7) else [])]),
    ]
    loop = Repeat(writer.random.randrange(1, 5), writer.name("v"), [Select(cases)])
    return [made, sender, After(alarm_name, writer.delay()), loop]


def _yields(count: int) -> Block:
    return [Yield() for _ in range(count)]


def _print(writer: "Writer", *names: str) -> Print:
    return Print(writer.name("p"), [Expression(name) for name in names])


def _go(body: Block, parameter: str | None = None, argument: Expression | None = None) -> Invoke:
    return Invoke("go", Function([parameter] if parameter else [], body), [argument] if argument else [])
