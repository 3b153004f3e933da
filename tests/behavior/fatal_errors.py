"""Errors that recover() cannot stop, each in a process of its own."""

import os as host
import signal
import sys

import fmt
import osexec

from goruntime import debug, defer, func, os, panic, println, recover, run, select, sync

OMITTED = [
    "go nil func",  # go(None) is a TypeError here: it is what go(f()) hands over by mistake
]
OMITTED_TEXT = [
    r"   \.\.\.\n",  # the program's mark for what it cut off: the runtime's own frames
]


def rec(n):
    return rec(n + 1) + 1


def stack_overflow():
    debug.set_max_stack(1 << 16)
    rec(0)


@func
def exit_skips_defers():
    defer(println, "deferred")
    os.exit(3)


def sigterm():
    host.kill(host.getpid(), signal.SIGTERM)
    select()


@func
def fatal_while_panicking():
    @defer
    def func1():
        m = sync.Mutex()
        m.unlock()

    panic("p")


@func
def negative_wg():
    @defer
    def func1():
        w = sync.WaitGroup()
        w.done()

    panic("p")


def wg_go_panics():
    w = sync.WaitGroup()
    w.go(lambda: panic("in Go"))
    w.wait()


CASES = [
    ("unlock of unlocked", lambda: sync.Mutex().unlock()),
    ("runlock of unlocked", lambda: sync.RWMutex().runlock()),
    ("rw unlock of unlocked", lambda: sync.RWMutex().unlock()),
    ("stack overflow", stack_overflow),
    ("os.Exit(3) skips defers", exit_skips_defers),
    ("SetMaxThreads(1)", lambda: debug.set_max_threads(1)),
    ("SIGTERM", sigterm),
    ("fatal while panicking", fatal_while_panicking),
    ("negative wg in defer of panic", negative_wg),
    ("wg.Go panics", wg_go_panics),
]


def main():
    if len(sys.argv) > 1:

        @defer
        def func1():
            recover()

        _, f = CASES[int(sys.argv[1])]
        f()
        return
    for i, (name, _) in enumerate(CASES):
        err, b = osexec.combined_output(__file__, i, GOTRACEBACK="none")
        fmt.print_(f"== {name} -> {fmt.text(err)}\n{osexec.head(b)}")


if __name__ == "__main__":
    run(main)
