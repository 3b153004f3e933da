"""How a program ends, and with which status: sixteen ways, each in a process of its own."""

import os as host
import signal
import sys

import fmt
import osexec

from goruntime import go, os, panic, run, runtime, select, time

OMITTED = [
    "SIGSEGV from user",  # a handler for it would turn a real fault of the interpreter into an endless loop
]


def kill(number):
    host.kill(host.getpid(), number)


def exit_in_goroutine():
    go(os.exit, 7)
    select()


def panic_while_main_sleeps():
    go(panic, 1)
    time.sleep(time.second)


def main_goexit():
    @go
    def func1():
        time.sleep(time.millisecond)
        os.exit(4)

    runtime.goexit()


def nil_deref():
    p = None
    p.value = 1


def sigquit():
    kill(signal.SIGQUIT)
    select()


def sigint():
    kill(signal.SIGINT)
    select()


def sigabrt():
    kill(signal.SIGABRT)
    time.sleep(time.second)


def sigkill():
    kill(signal.SIGKILL)
    select()


def sigusr1():
    kill(signal.SIGUSR1)
    time.sleep(50 * time.millisecond)


def sighup():
    kill(signal.SIGHUP)
    select()


def closed_stdout():
    r, w = host.pipe()
    host.close(r)
    host.dup2(w, 1)
    fmt.println("x")
    fmt.println("y")


CASES = [
    ("main returns", lambda: None),
    ("os.Exit(0)", lambda: os.exit(0)),
    ("os.Exit(7) in goroutine", exit_in_goroutine),
    ("os.Exit(256+5)", lambda: os.exit(261)),
    ("panic", lambda: panic(1)),
    ("panic in goroutine while main sleeps", panic_while_main_sleeps),
    ("deadlock", select),
    ("main Goexit, worker exits 4", main_goexit),
    ("nil deref", nil_deref),
    ("SIGQUIT to self", sigquit),
    ("SIGINT to self", sigint),
    ("SIGABRT to self", sigabrt),
    ("SIGKILL to self", sigkill),
    ("SIGUSR1 to self", sigusr1),
    ("SIGHUP to self", sighup),
    ("write to closed stdout pipe", closed_stdout),
]


def main():
    if len(sys.argv) > 1:
        _, f = CASES[int(sys.argv[1])]
        f()
        return
    for i, (name, _) in enumerate(CASES):
        err, _ = osexec.combined_output(__file__, i)
        if err is None:
            fmt.println(name, "-> exit status 0")
        else:
            fmt.println(name, "->", err)


if __name__ == "__main__":
    run(main)
