"""Small channel rules: nil, closed and drained channels, no meeting inside one select, senders caught by close."""

import fmt

from goruntime import cap, chan, default, defer, go, nilchan, recover, run, select, time

OMITTED = [
    "[1 2]",  # an array is copied when it is sent: arrays are types of the emulated heap
]


def main():
    nilc = nilchan
    fmt.println("nil chan len/cap:", len(nilc), cap(nilc))
    c = chan(3, int)
    c.send(1)
    fmt.println("len/cap:", len(c), cap(c))
    c.close()
    v, ok = c.recv_()
    fmt.println(v, ok)
    v, ok = c.recv_()
    fmt.println(v, ok, "len", len(c))
    for _ in c:
        fmt.println("unreachable")
    # Same channel send+recv in one select on unbuffered: never self-matches.
    u = chan(0, int)
    i, _ = select((u.send, 1), u.recv, default)
    match i:
        case 0:
            fmt.println("self send")
        case 1:
            fmt.println("self recv")
        case 2:
            fmt.println("no self rendezvous")
    # Multiple waiting senders on a closed channel all panic.
    res = chan(3)
    d = chan(0, int)
    for i in range(3):

        @go
        def func1(i=i):
            @defer
            def func1_1():
                res.send(f"{i}{recover()}")

            d.send(i)

    time.sleep(2 * time.millisecond)
    d.close()  # all three are blocked senders
    for _ in range(3):
        fmt.println(res.recv())


if __name__ == "__main__":
    run(main)
