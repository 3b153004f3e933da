"""Errors that recover() cannot stop, each in a process of its own."""

import os as host
import signal
import sys

import fmt
import osexec

from goruntime import debug, defer, func, os, println, recover, run, select

OMITTED = [
    "unlock of unlocked",  # sync.Mutex
    "runlock of unlocked",  # sync.RWMutex
    "rw unlock of unlocked",  # sync.RWMutex
    "go nil func",  # go(None) is a TypeError here: it is what go(f()) hands over by mistake
    "fatal while panicking",  # sync.Mutex
    "negative wg in defer of panic",  # sync.WaitGroup
    "wg.Go panics",  # sync.WaitGroup
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


CASES = [
    ("stack overflow", stack_overflow),
    ("os.Exit(3) skips defers", exit_skips_defers),
    ("SetMaxThreads(1)", lambda: debug.set_max_threads(1)),
    ("SIGTERM", sigterm),
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
