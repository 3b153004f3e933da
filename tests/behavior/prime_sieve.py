"""The prime sieve: a chain of filter goroutines over directional channels."""

import fmt

from goruntime import chan, go, run


def generate(ch):
    i = 2
    while True:
        ch.send(i)
        i += 1


def filter_(in_, out, prime):
    while True:
        i = in_.recv()
        if i % prime != 0:
            out.send(i)


def main():
    ch = chan()
    go(generate, ch.send_only())
    for _ in range(15):
        p = ch.recv()
        fmt.print_(p, " ")
        c1 = chan()
        go(filter_, ch.recv_only(), c1.send_only(), p)
        ch = c1
    fmt.println()


if __name__ == "__main__":
    run(main)
