"""Timer channels since Go 1.23 look unbuffered; stop and reset never leave a stale value behind."""

import fmt

from goruntime import cap, default, defer, recover, run, select, time


def main():
    t = time.Timer(time.millisecond)
    fmt.println("len,cap:", len(t.c), cap(t.c))
    time.sleep(5 * time.millisecond)
    fmt.println("expired, nobody received: Stop =", t.stop())
    case, _ = select(t.c.recv, default)
    match case:
        case 0:
            fmt.println("stale value")
        case 1:
            fmt.println("no stale value")
    fmt.println("Stop again =", t.stop())
    fmt.println("Reset of stopped =", t.reset(time.millisecond))
    t.c.recv()
    fmt.println("Reset after receive =", t.reset(time.hour), " Reset of pending =", t.reset(time.hour))
    f = time.after_func(time.hour, lambda: None)
    fmt.println("AfterFunc Stop pending =", f.stop(), " again =", f.stop())
    f.reset(time.millisecond)
    time.sleep(5 * time.millisecond)
    fmt.println("AfterFunc Stop after run =", f.stop())
    tk = time.Ticker(2 * time.millisecond)
    time.sleep(11 * time.millisecond)
    n = 0
    while True:
        case, _ = select(tk.c.recv, default)
        match case:
            case 0:
                n += 1
                continue
        break
    fmt.println("ticks buffered by slow receiver:", n)

    @defer
    def func2():
        fmt.println("recovered:", recover())

    time.Ticker(0)


if __name__ == "__main__":
    run(main)
