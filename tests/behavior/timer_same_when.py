"""after_func(0) runs in goroutines at the next scheduling point; a ticker drops ticks but keeps to its grid."""

import fmt

from goruntime import chan, run, select, time


def milliseconds(later, earlier):
    return round((later.ns - earlier.ns) / 1e6)


def main():
    done = chan(8)
    for i in range(4):

        def func1(i=i):
            fmt.print_("z", i, " ")
            done.send(True)

        time.after_func(0, func1)
    fmt.print_("main ")
    for _ in range(4):
        done.recv()
    fmt.println()
    time.sleep(0)
    time.sleep(-1 * time.nanosecond)
    tm = time.Timer(-5 * time.nanosecond)
    tm.c.recv()
    t = time.Ticker(3 * time.millisecond)
    a = t.c.recv()
    time.sleep(10 * time.millisecond)  # misses ~3 ticks
    b = t.c.recv()
    c = t.c.recv()
    fmt.println("ticker drops, then stays on the period grid:", milliseconds(c, a) % 3 == 0, milliseconds(b, a) == 3)
    t.stop()
    case, _ = select(t.c.recv, time.after(8 * time.millisecond).recv)
    match case:
        case 0:
            fmt.println("stale tick")
        case 1:
            fmt.println("stopped ticker is silent, channel not closed")


if __name__ == "__main__":
    run(main)
