"""The deterministic sides of select: nil, closed and full channels, timeout, fairness, order of evaluation."""

import fmt

from goruntime import chan, default, nilchan, run, select, time


def main():
    nilc = nilchan
    closed = chan(0, int)
    closed.close()
    empty = chan(0, int)
    full = chan(1, int)
    full.send(1)
    i, _ = select(nilc.recv, default)
    match i:
        case 0:
            fmt.println("nil")
        case 1:
            fmt.println("nil channel never ready -> default")
    i, got = select(closed.recv_, default)
    match i:
        case 0:
            v, ok = got
            fmt.println("closed recv:", v, ok)
        case 1:
            fmt.println("default")
    i, _ = select((full.send, 2), empty.recv, default)
    match i:
        case 0:
            fmt.println("sent")
        case 2:
            fmt.println("full send blocks -> default")
    i, _ = select(empty.recv, time.after(5 * time.millisecond).recv)
    match i:
        case 1:
            fmt.println("timeout")
    c = chan(2, int)
    c.send(1)
    c.close()
    for _ in range(3):
        v, ok = c.recv_()
        fmt.println("drain closed:", v, ok)
    # Fairness: two always-ready cases.
    a, b = chan(), chan()
    a.close()
    b.close()
    na, nb = 0, 0
    for _ in range(100000):
        i, _ = select(a.recv, b.recv)
        match i:
            case 0:
                na += 1
            case 1:
                nb += 1
    fmt.println("fair within 2%:", na > 48000 and nb > 48000)

    # Order of evaluation of channel and value expressions: all, once, in source order.
    def ev(s, c):
        fmt.print_(s, " ")
        return c

    def val(s):
        fmt.print_(s, " ")
        return 1

    i, _ = select(
        (ev("ch1", nilc).send, val("v1")),
        ev("ch2", nilc).recv,
        (ev("ch3", nilc).send, val("v3")),
        default,
    )
    match i:
        case 3:
            fmt.println("default")


if __name__ == "__main__":
    run(main)
