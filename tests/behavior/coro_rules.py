"""What coro.pull allows and what it does not; threads and coroutines, each in a process of its own.

`next` gives None where Go's gives the zero of its type: `shown` puts that in.
"""

import sys

import fmt
import osexec

from goruntime import chan, coro, defer, func, go, panic, println, recover, run, runtime


def simple(yield_):
    for _ in range(3):
        if not yield_(5):
            return


@func
def nested(yield_):
    next_, stop = coro.pull(simple)
    defer(stop)
    v, ok = next_()
    while ok:
        if not yield_(v):
            return
        v, ok = next_()


def locks(yield_):
    for _ in range(3):
        runtime.lock_os_thread()
        runtime.unlock_os_thread()
        if not yield_(5):
            return


def locks_around(yield_):
    runtime.lock_os_thread()
    yield_(5)
    runtime.unlock_os_thread()


def from_another(yield_):
    done = chan()

    @go
    def func1():
        done.send(yield_(5))

    done.recv()


def exhaust(seq):
    next_, _ = coro.pull(seq)
    total = 0
    v, ok = next_()
    while ok:
        total += v
        v, ok = next_()
    println("sum", total)


def locked(f):
    def func1(seq):
        runtime.lock_os_thread()
        f(seq)
        runtime.unlock_os_thread()

    return func1


def shown(values, *zeros):
    """next's values, the zeros of their types in place of None."""
    *values, ok = values
    return [*(zero if value is None else value for value, zero in zip(values, zeros, strict=True)), ok]


def lock_after_pull(seq):
    next_, _ = coro.pull(seq)
    runtime.lock_os_thread()
    println(*shown(next_(), 0))


def stop_early(seq):
    next_, stop = coro.pull(seq)
    println(*shown(next_(), 0))
    stop()
    println(*shown(next_(), 0))


@func
def in_another_goroutine(seq):
    next_, stop = coro.pull(seq)
    defer(stop)
    println(*shown(next_(), 0))
    done = chan()

    @go
    def func1():
        println(*shown(next_(), 0))
        done.send(True)

    done.recv()
    println(*shown(next_(), 0))


THREADS = [
    ("lock and unlock in the iterator", exhaust, locks),
    ("locked over a yield", exhaust, locks_around),
    ("locked caller", locked(exhaust), simple),
    ("locked caller, nested", locked(exhaust), nested),
    ("locked caller, locks deeper", locked(exhaust), locks),
    ("locked caller, locked deeper over a yield", locked(exhaust), locks_around),
    ("locked caller, yield in another goroutine", locked(exhaust), from_another),
    ("lock after pull", lock_after_pull, simple),
    ("locked caller stops", locked(stop_early), simple),
    ("locked caller stops, nested", locked(stop_early), nested),
    ("yield in another goroutine", stop_early, from_another),
    ("next in another goroutine", in_another_goroutine, simple),
    ("next in another goroutine, locked", locked(in_another_goroutine), simple),
]


@func
def try_(name, f):
    @defer
    def func1():
        r = recover()
        if r is not None:
            fmt.println(name, "| panic:", r)

    f()
    fmt.println(name, "| ok", runtime.num_goroutine())


def next_in_the_iterator():
    next_, _ = coro.pull(lambda yield_: next_())
    next_()


@func
def yield_out_of_turn():
    kept = None

    def seq(yield_):
        nonlocal kept
        kept = yield_
        yield_(1)

    next_, stop = coro.pull(seq)
    defer(stop)
    next_()
    kept(2)


def yield_after_the_end():
    kept = None

    def seq(yield_):
        nonlocal kept
        kept = yield_

    next_, _ = coro.pull(seq)
    next_()
    fmt.println(kept(1))


def panic_then_next_and_stop():
    next_, stop = coro.pull(lambda yield_: panic("boom"))

    @func
    def func1():
        @defer
        def func1_1():
            fmt.println("recovered", recover())

        next_()

    func1()
    fmt.println(*shown(next_(), 0))
    stop()


def panic_at_stop():
    def seq(yield_):
        while yield_(55):
            pass
        panic("at the end")

    next_, stop = coro.pull(seq)
    fmt.println(*shown(next_(), 0))
    stop()


def stop_before_next():
    ran = False

    def seq(yield_):
        nonlocal ran
        ran = True

    next_, stop = coro.pull(seq)
    stop()
    stop()
    fmt.println(*shown(next_(), 0))
    fmt.println(ran)


def deaf_iterator():
    heard = []

    def seq(yield_):
        for i in range(3):
            heard.append(yield_(i))

    next_, stop = coro.pull(seq)
    fmt.println(*shown(next_(), 0))
    stop()
    fmt.println("[" + " ".join(map(fmt.text, heard)) + "]")


def goexit():
    done = chan()

    @go
    def func1():
        @defer
        def func1_1():
            done.send(fmt.sprint("deferred ", recover()))

        next_, _ = coro.pull(lambda yield_: runtime.goexit())
        next_()
        done.send("not reached")

    fmt.println(done.recv())
    runtime.gosched()


@func
def pairs():
    next_, stop = coro.pull2(lambda yield_: yield_("a", 1) and yield_("b", 2))
    defer(stop)
    fmt.println(*shown(next_(), "", 0))
    fmt.println(*shown(next_(), "", 0))
    fmt.println(*shown(next_(), "", 0))


def pairs_next_in_the_iterator():
    next_, _ = coro.pull2(lambda yield_: next_())
    next_()


def rules():
    try_("next in the iterator", next_in_the_iterator)
    try_("yield out of turn", yield_out_of_turn)
    try_("yield after the end", yield_after_the_end)
    try_("panic, then next and stop", panic_then_next_and_stop)
    try_("panic at stop", panic_at_stop)
    try_("stop before next", stop_before_next)
    try_("deaf iterator", deaf_iterator)
    try_("goexit", goexit)
    try_("pairs", pairs)
    try_("pairs: next in the iterator", pairs_next_in_the_iterator)


def main():
    if len(sys.argv) > 1:
        _, caller, seq = THREADS[int(sys.argv[1])]
        caller(seq)
        return
    rules()
    for i, (name, _, _) in enumerate(THREADS):
        err, b = osexec.combined_output(__file__, i, GOTRACEBACK="none")
        kept = b.rstrip("\n").partition("\n\n")[0]
        fmt.print_(f"== {name} -> {fmt.text(err)}\n{kept}\n")


if __name__ == "__main__":
    run(main)
