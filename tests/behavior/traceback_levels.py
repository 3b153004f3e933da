"""The same panic under each GOTRACEBACK level: whose stacks are shown, and how the process ends."""

import sys

import fmt
import osexec

from goruntime import chan, go, panic, run, runtime


def boom():
    panic("x")


def main():
    if len(sys.argv) > 1:
        c = chan()

        @go
        def func1():
            c.recv()

        runtime.gosched()
        boom()
    for lv in ["none", "single", "", "all", "system", "crash", "0", "1", "2", "bogus"]:
        err, b = osexec.combined_output(__file__, "x", GOTRACEBACK=lv)
        fmt.print_(f'==== GOTRACEBACK="{lv}" -> {fmt.text(err)}\n{b}')


if __name__ == "__main__":
    run(main)
