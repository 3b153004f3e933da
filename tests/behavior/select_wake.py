"""Goroutines blocked in select on two channels: FIFO per channel, the losing channel forgets the waiter."""

from goruntime import chan, default, go, print_, println, run, runtime, select, time


def main():
    a, b = chan(), chan()
    done = chan()
    for i in range(4):

        @go
        def func1(i=i):
            case, v = select(a.recv, b.recv)
            match case:
                case 0:
                    print_("g", i, ":a", v, " ")
                case 1:
                    print_("g", i, ":b", v, " ")
            done.send(True)

        runtime.gosched()
    time.sleep(time.millisecond)
    for i in range(4):
        if i % 2 == 0:
            a.send(i)
        else:
            b.send(i)
        done.recv()
    case, _ = select((a.send, 9), default)
    match case:
        case 0:
            println("stale waiter!")
        case 1:
            println("no waiter left")


if __name__ == "__main__":
    run(main)
