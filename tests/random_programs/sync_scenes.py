"""How Go programs use package sync: patterns in which goroutines meet at locks, wait groups and conditions."""

from copy import deepcopy
from typing import TYPE_CHECKING

from .syntax import (
    RESULTS,
    Ask,
    Break,
    Compute,
    Condition,
    Do,
    Expression,
    Function,
    Goexit,
    If,
    Invoke,
    Make,
    Object,
    Panic,
    Pass,
    Print,
    Recover,
    Repeat,
    Sleep,
    Statement,
    Yield,
)

if TYPE_CHECKING:
    from .generate import Scope, Writer

Block = list[Statement]

COMPUTE_MS = 3  # clear of the 1 ms after which a mutex is starving, and of the 10 ms of a time slice
METHODS = {
    "mutex": ("lock", "lock", "unlock"),
    "rwmutex": ("rlock", "rlock", "runlock", "lock", "unlock"),
    "wait_group": ("add", "done", "wait", "go"),
    "cond": ("wait", "signal", "broadcast"),
    "once": ("do",),
    "pool": ("put",),
    "map": ("store", "delete"),
    "int64": ("store",),
}
ARGUMENTS = {
    "put": 1, "store": 2, "delete": 1, "load": 1, "load_or_store": 2, "load_and_delete": 1, "swap": 2,
    "compare_and_swap": 3, "compare_and_delete": 2, "add": 1, "and_": 1, "or_": 1,
}  # fmt: skip


def draw(writer: "Writer", scope: "Scope") -> Block:
    """Draw one of the scenes."""
    scenes = [contenders, contenders, contenders, readers, readers, team, team, gathering, queue, first, hoard, tally]
    scenes += [misuse, misuse, embrace, embrace, hand_over, hand_over, hand_over, reuse, stuck, stuck]
    return writer.random.choice(scenes)(writer, scope)


def make(writer: "Writer", scope: "Scope", kind: str) -> Block:
    """Declare an object; a condition with its lock."""
    before: Block = []
    lock: Object | None = None
    if kind == "cond":
        locks = [known for known in scope.objects if known.kind in ("mutex", "rwmutex")]
        lock = writer.random.choice(locks) if locks else None
        if lock is None:
            before = make(writer, scope, writer.random.choice(("mutex", "mutex", "rwmutex")))
            lock = scope.objects[-1]
    made = Object(kind, writer.name("o"))
    scope.objects.append(made)
    return [*before, Make(made, lock, lock is not None and lock.kind == "rwmutex" and writer.chance(0.5))]


def use(writer: "Writer", scope: "Scope") -> Block:
    """Use some object in any way."""
    on = writer.random.choice(scope.objects)
    ways = [*METHODS[on.kind], *RESULTS[on.kind]]
    method = writer.random.choice(ways)
    if method in ("go", "do"):
        return [Pass(on, method, writer.function(scope, []))]
    if method in RESULTS[on.kind]:
        return [ask(writer, scope, on, method)]
    if on.kind == "mutex" or method in ("rlock", "lock"):
        return critical(writer, scope, on)
    if on.kind == "cond" and method == "wait" and writer.chance(0.8):
        return [Print(writer.name("p"))]
    if method == "add":
        return [Do(on, method, [Expression(None, writer.random.choice((1, 1, 2, 3, -1)))])]
    return [Do(on, method, _arguments(writer, scope, on, method), writer.chance(0.1)), writer.print(scope)]


def ask(writer: "Writer", scope: "Scope", on: Object, method: str) -> Ask:
    """Call a method with results; those that are integers or truth values can be used later."""
    known = {bool: ("k", scope.booleans), int: ("v", scope.integers), object: ("r", [])}
    arguments = _arguments(writer, scope, on, method)
    results = [writer.new(*known[t]) for t in RESULTS[on.kind][method]]
    return Ask(writer.name("p"), on, method, arguments, results)


def critical(writer: "Writer", scope: "Scope", on: Object) -> Block:
    """Lock, do something, and unlock; now and then it goes wrong."""
    reads = on.kind == "rwmutex" and writer.chance(0.6)
    lock, unlock = Do(on, "rlock" if reads else "lock"), Do(on, "runlock" if reads else "unlock")
    body: Block = [*writer.block(scope.inner(), 1), _print(writer)]
    if writer.chance(0.05):
        return [writer.random.choice((lock, unlock))]
    if writer.chance(0.2):
        unlock.deferred = True
        return [lock, unlock, *body]
    if writer.chance(0.2):
        name = writer.new("k", scope.booleans)
        tried = Ask(writer.name("p"), on, "try_rlock" if reads else "try_lock", [], [name])
        return [tried, If(Condition(name), [*body, unlock], [_print(writer)])]
    return [lock, *body, unlock]


def hold(writer: "Writer") -> Block:
    """Do something for a while, or for no time at all."""
    ways: list[Block] = [[], [], [Yield()], [Yield()], [Yield(), Yield()], [Compute(COMPUTE_MS)], [Compute(COMPUTE_MS)]]
    if writer.has_timers:
        ways += [[Sleep(writer.delay())], [Sleep(writer.delay())]]
    return writer.random.choice(ways)


def contenders(writer: "Writer", scope: "Scope") -> Block:
    """Several goroutines lock a mutex again and again, for different times: who overtakes whom, and who starves?"""
    made = make(writer, scope, writer.random.choice(("mutex", "mutex", "mutex", "rwmutex")))
    lock = scope.objects[-1]
    body: Block = list(made)
    for _ in range(writer.random.randrange(1, 4)):
        turn = writer.name("v")
        inner = scope.function([], is_deferred=False)
        inside = [_print(writer, turn), *hold(writer), *(writer.block(inner, 1) if writer.chance(0.2) else [])]
        rounds: Block = [Do(lock, "lock"), *inside, Do(lock, "unlock")]
        if writer.chance(0.2):
            name = writer.name("k")
            rounds = [
                Ask(writer.name("p"), lock, "try_lock", [], [name]),
                If(Condition(name), [*inside, Do(lock, "unlock")], [_print(writer), Yield()]),
            ]
        rounds += writer.random.choice(([], [], [Yield()], [_print(writer, turn)], hold(writer)))
        starter = Repeat(writer.random.randrange(1, 4), turn, rounds)
        count, index = writer.random.choice((1, 1, 2, 3)), writer.name("v")
        body.append(Repeat(count, index, [_go([starter, _print(writer)])]))
    if writer.chance(0.6):
        body += [Do(lock, "lock"), _print(writer), *hold(writer), Do(lock, "unlock"), *hold(writer)]
        body += [Do(lock, "lock"), _print(writer), *hold(writer), Do(lock, "unlock")]
    return body


def readers(writer: "Writer", scope: "Scope") -> Block:
    """Readers and writers of one lock."""
    made = make(writer, scope, "rwmutex")
    lock = scope.objects[-1]
    body: Block = list(made)
    for _ in range(writer.random.randrange(2, 5)):
        reads = writer.chance(0.65)
        turn, index, parameter = writer.name("v"), writer.name("v"), writer.name("v")
        before, after = ("rlock", "runlock") if reads else ("lock", "unlock")
        if writer.chance(0.15):
            name = writer.name("k")
            tried = Ask(writer.name("p"), lock, f"try_{before}", [], [name])
            inside: Block = [tried, If(Condition(name), [*hold(writer), Do(lock, after)], [Yield()])]
        else:
            inside = [Do(lock, before), _print(writer, parameter, turn), *hold(writer), Do(lock, after)]
        rounds = Repeat(writer.random.randrange(1, 4), turn, [*inside, *writer.random.choice(([], [], [Yield()]))])
        start = _go([rounds, _print(writer, parameter)], parameter, Expression(index))
        body.append(Repeat(writer.random.choice((1, 2, 3)), index, [start]))
        body += hold(writer) if writer.chance(0.3) else []
    return body


def team(writer: "Writer", scope: "Scope") -> Block:
    """A wait group counts goroutines; one or several wait for them."""
    made = make(writer, scope, "wait_group")
    group = scope.objects[-1]
    index, parameter = writer.name("v"), writer.name("v")
    count = writer.random.choice((1, 2, 3, 5, 8, 20))
    inner = scope.function([parameter], is_deferred=False)
    work: Block = [_print(writer), *hold(writer), *(writer.block(inner, 2) if writer.chance(0.3) else [])]
    work += writer.random.choice(([], [], [], [], [Goexit()], [Panic(writer.name("boom"))]))
    starts: Block
    if writer.chance(0.5):
        work = [statement for statement in work if not _names(statement, parameter)]
        starts = [Repeat(count, index, [Pass(group, "go", Function([], work))])]
    else:
        done = Do(group, "done", deferred=writer.chance(0.7))
        task = [done, *work] if done.deferred else [*work, done]
        start = _go(task, parameter, Expression(index))
        starts = [Do(group, "add", [Expression(None, count)]), Repeat(count, index, [start])]
    other = writer.name("v")
    waiters = Repeat(writer.random.choice((1, 2)), other, [_go([Do(group, "wait"), _print(writer)])])
    also: Block = [waiters] if writer.chance(0.4) else []
    mine: Block = [Do(group, "wait"), _print(writer)] if writer.chance(0.8) else []
    return [*made, *writer.random.choice(([*starts, *also], [*also, *starts])), *mine]


def gathering(writer: "Writer", scope: "Scope") -> Block:
    """Goroutines wait for a condition, one is signalled after the other, or all at once."""
    made = make(writer, scope, "cond")
    cond = scope.objects[-1]
    creation = next(statement for statement in made if isinstance(statement, Make) and statement.made == cond)
    assert creation.lock is not None
    lock, unlock = ("rlock", "runlock") if creation.reads else ("lock", "unlock")
    index, parameter, turn = writer.name("v"), writer.name("v"), writer.name("v")
    count = writer.random.choice((1, 2, 3, 5))
    inside: Block = [_print(writer, parameter), Do(cond, "wait"), _print(writer, parameter), *hold(writer)]
    waiting: Block = [Do(creation.lock, lock), *inside, Do(creation.lock, unlock)]
    if writer.chance(0.3):
        waiting = [Repeat(writer.random.randrange(2, 4), writer.name("v"), waiting)]
    start = Repeat(count, index, [_go(waiting, parameter, Expression(index))])
    call: Block = [Do(cond, "broadcast" if writer.chance(0.4) else "signal"), _print(writer, turn)]
    if writer.chance(0.5):
        call = [Do(creation.lock, "lock"), *call, *hold(writer), Do(creation.lock, "unlock")]
    calls = Repeat(writer.random.randrange(1, count + 2), turn, [*call, *writer.random.choice(([], [Yield()]))])
    return [*made, start, *writer.random.choice(([Yield()], [Yield()], [], hold(writer))), calls]


def queue(writer: "Writer", scope: "Scope") -> Block:
    """A bounded stock, under a mutex and two conditions, that some fill and others empty."""
    mutex = Object("mutex", writer.name("o"))
    filled, emptied = Object("cond", writer.name("o")), Object("cond", writer.name("o"))
    stock = Object("int64", writer.name("o"))
    made: Block = [Make(mutex), Make(filled, mutex), Make(emptied, mutex), Make(stock)]
    size, rounds = writer.random.randrange(1, 4), writer.random.randrange(2, 7)

    def side(is_full: bool) -> Block:
        level, turn, attempt, changed = (writer.name("v") for _ in range(4))
        waits, notifies = (emptied, filled) if is_full else (filled, emptied)
        unsuited = Condition(level, bound=size - 1) if is_full else Condition(level, negated=True, bound=0)
        look = Ask(writer.name("p"), stock, "load", [], [level])
        wait: Block = [look, If(unsuited, [Do(waits, "wait")], [Break()])]
        change = Ask(writer.name("p"), stock, "add", [Expression(None, 1 if is_full else -1)], [changed])
        note = Do(notifies, "broadcast" if writer.chance(0.2) else "signal")
        inside: Block = [Repeat(9, attempt, wait), change, *writer.random.choice(([], [], [Yield()])), note]
        whole: Block = [Do(mutex, "lock"), *inside, Do(mutex, "unlock")]
        return [_go([Repeat(rounds, turn, [*whole, *writer.random.choice(([], [], [Yield()]))]), _print(writer)])]

    sides = [side(writer.chance(0.5) if n > 1 else bool(n)) for n in range(writer.random.choice((2, 2, 3)))]
    writer.random.shuffle(sides)
    return [*made, *(statement for each in sides for statement in each)]


def first(writer: "Writer", scope: "Scope") -> Block:
    """Several goroutines do the same once; it may panic, or call itself."""
    made = make(writer, scope, "once")
    once = scope.objects[-1]
    index, parameter = writer.name("v"), writer.name("v")
    ends: list[Block] = [[], [], [], [Goexit()], [Panic(writer.name("boom"))], [Pass(once, "do", Function([], []))]]
    end = writer.random.choice(ends)
    task: Block = [_print(writer), *hold(writer), *end]
    guard: Block = [Invoke("defer", Function([], [Recover(writer.name("p"), writer.name("r"))]))]
    does: Block = [Pass(once, "do", Function([], task)), _print(writer, parameter)]
    body: Block = [_print(writer, parameter), *(guard if writer.chance(0.6) else []), *does]
    return [*made, Repeat(writer.random.randrange(2, 5), index, [_go(body, parameter, Expression(index))])]


def hoard(writer: "Writer", scope: "Scope") -> Block:
    """Goroutines put into a pool and take out again."""
    made = make(writer, scope, "pool")
    pool = scope.objects[-1]
    index, parameter, turn = writer.name("v"), writer.name("v"), writer.name("v")
    inner = scope.inner()
    put = Repeat(writer.random.randrange(1, 5), turn, [Do(pool, "put", [Expression(turn, 1)])])
    gets = [ask(writer, inner, pool, "get") for _ in range(writer.random.randrange(1, 4))]
    body: Block = [put, *writer.random.choice(([], [Yield()])), *gets, Do(pool, "put", [Expression(parameter)])]
    start = _go(body, parameter, Expression(index))
    return [*made, Repeat(writer.random.randrange(1, 5), index, [start]), Yield(), ask(writer, inner, pool, "get")]


def tally(writer: "Writer", scope: "Scope") -> Block:
    """Goroutines share a map or a counter."""
    kind = writer.random.choice(("map", "int64"))
    made = make(writer, scope, kind)
    shared = scope.objects[-1]
    index, parameter = writer.name("v"), writer.name("v")
    inner = scope.function([parameter], is_deferred=False)
    body: Block = []
    for _ in range(writer.random.randrange(2, 6)):
        method = writer.random.choice([*METHODS[kind], *RESULTS[kind], *RESULTS[kind]])
        if method in RESULTS[kind]:
            body.append(ask(writer, inner, shared, method))
        else:
            body.append(Do(shared, method, _arguments(writer, inner, shared, method)))
        body += [Yield()] if writer.chance(0.2) else []
    return [*made, Repeat(writer.random.randrange(1, 5), index, [_go(body, parameter, Expression(index))])]


def misuse(writer: "Writer", scope: "Scope") -> Block:
    """What ends in a fatal error, or a panic."""
    kind, method = writer.random.choice((
        ("mutex", "unlock"), ("rwmutex", "unlock"), ("rwmutex", "runlock"), ("wait_group", "done"), ("cond", "wait"),
    ))  # fmt: skip
    made = make(writer, scope, kind)
    bad: Block = [Do(scope.objects[-1], method), _print(writer)]
    if writer.chance(0.5):
        guard = Invoke("defer", Function([], [Recover(writer.name("p"), writer.name("r"))]))
        bad = [Invoke(writer.random.choice(("go", "call")), Function([], [guard, *bad]))]
    return [*made, *([If(Condition(scope.booleans[-1]), bad, [])] if scope.booleans else bad), _print(writer)]


def embrace(writer: "Writer", scope: "Scope") -> Block:
    """Two goroutines take two locks, each in its own order, or one takes one twice."""
    made: Block = []
    for _ in range(2):
        made += make(writer, scope, writer.random.choice(("mutex", "mutex", "rwmutex")))
    locks = [statement.made for statement in made if isinstance(statement, Make)]
    body: Block = list(made)
    for _ in range(writer.random.randrange(1, 4)):
        order = [writer.random.choice(locks), writer.random.choice(locks)]
        ways = [("rlock", "runlock") if lock.kind == "rwmutex" and writer.chance(0.6) else ("lock", "unlock")
                for lock in order]  # fmt: skip
        inside: Block = []
        for lock, (before, _) in zip(order, ways, strict=True):
            inside += [Do(lock, before), _print(writer), *hold(writer)]
        inside += [Do(lock, after) for lock, (_, after) in zip(order[::-1], ways[::-1], strict=True)]
        body.append(_go([*inside, _print(writer)]))
    return body


def stuck(writer: "Writer", scope: "Scope") -> Block:
    """Goroutines that wait for what never comes, each for something else; some before they had a chance to wait."""
    made: Block = []
    for kind in ("mutex", "rwmutex", "rwmutex", "wait_group", "cond", "once"):
        made += make(writer, scope, kind)
    creations = [statement for statement in made if isinstance(statement, Make)]
    mutex, held, read, group, cond, once = (creation.made for creation in creations)
    lock = creations[4].lock
    assert lock is not None
    again = Pass(once, "do", Function([], [_print(writer), Pass(once, "do", Function([], [_print(writer)]))]))
    wait: Block = [Do(lock, "rlock" if creations[4].reads else "lock"), Do(cond, "wait"), _print(writer)]
    take: Block = [Do(mutex, "lock"), Do(held, "lock"), Do(read, "rlock"), Do(group, "add", [Expression(None, 1)])]
    locks: Block = [Do(mutex, "lock"), Do(held, "lock"), Do(held, "rlock"), Do(read, "lock"), Do(read, "rlock")]
    others: Block = [Do(group, "wait"), Pass(group, "go", Function([], [Do(group, "wait")])), again, again]
    ways: list[Block] = [*([way] for way in [*locks, *others]), wait, wait]
    chosen = writer.random.sample(ways, writer.random.randrange(2, 7))
    return [*made, *take, *(_go(deepcopy(way)) for way in chosen)]


def hand_over(writer: "Writer", scope: "Scope") -> Block:
    """A goroutine waits long for a mutex, loses it again to one that comes by, and is handed it in the end."""
    made = make(writer, scope, "mutex")
    mutex = scope.objects[-1]
    greedy_turn, modest_turn, index = writer.name("v"), writer.name("v"), writer.name("v")
    wait = Compute(COMPUTE_MS) if not writer.has_timers or writer.chance(0.5) else Sleep(writer.delay())
    between = _perhaps(writer, 0.4, Yield())
    held: Block = [Do(mutex, "lock"), _print(writer, greedy_turn), wait, Do(mutex, "unlock"), *between]
    modest: Block = [Do(mutex, "lock"), _print(writer, modest_turn), *hold(writer), Do(mutex, "unlock")]
    greedy = _go([Repeat(writer.random.randrange(2, 5), greedy_turn, held), _print(writer)])
    start = Repeat(writer.random.randrange(1, 4), modest_turn, [*modest, *_perhaps(writer, 0.5, Yield())])
    others = Repeat(writer.random.randrange(1, 5), index, [_go([start, _print(writer)])])
    both: Block = [others, greedy] if writer.chance(0.5) else [greedy, others]
    return [*made, *both, *_perhaps(writer, 0.5, Yield())]


def reuse(writer: "Writer", scope: "Scope") -> Block:
    """A wait group is used again, perhaps before all have left."""
    made = make(writer, scope, "wait_group")
    group = scope.objects[-1]
    index, turn = writer.name("v"), writer.name("v")
    guard: Block = [Invoke("defer", Function([], [Recover(writer.name("p"), writer.name("r"))]))]
    waiter = _go([*(guard if writer.chance(0.5) else []), Do(group, "wait"), _print(writer)])
    waiters = Repeat(writer.random.randrange(1, 4), index, [waiter])
    finish: Block = [Do(group, "done"), *writer.random.choice(([], [Yield()]))]
    rounds = [Do(group, "add", [Expression(None, 1)]), waiters, *writer.random.choice(([Yield()], [])), *finish]
    return [*made, Repeat(writer.random.randrange(1, 4), turn, rounds), _print(writer)]


def _arguments(writer: "Writer", scope: "Scope", on: Object, method: str) -> list[Expression]:
    count = ARGUMENTS.get(method, 0)
    if on.kind == "int64":
        count = {"compare_and_swap": 2, "load": 0}.get(method, 1)
    return [
        Expression(None, writer.random.randrange(3)) if writer.chance(0.7) else writer.expression(scope)
        for _ in range(count)
    ]


def _perhaps(writer: "Writer", probability: float, statement: Statement) -> Block:
    return [statement] if writer.chance(probability) else []


def _names(statement: Statement, variable: str) -> bool:
    return variable in repr(statement)


def _print(writer: "Writer", *names: str) -> Print:
    return Print(writer.name("p"), [Expression(name) for name in names])


def _go(body: Block, parameter: str | None = None, argument: Expression | None = None) -> Invoke:
    return Invoke("go", Function([parameter] if parameter else [], body), [argument] if argument else [])
