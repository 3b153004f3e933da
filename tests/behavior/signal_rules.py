"""os/signal: who gets a signal, what is dropped, what Stop, Ignore and Reset leave behind, and dying of one."""

import os as host

import fmt

from goruntime import chan, defer, func, nilchan, os, recover, run, runtime, select, signal, time


def send(s):
    host.kill(host.getpid(), s)


def get(c):
    i, s = select(c.recv, time.after(300 * time.millisecond).recv)
    return s if i == 0 else "nothing"


def main():
    a, b = chan(1), chan(4)

    fmt.println("goroutines", runtime.num_goroutine())
    signal.notify(a, signal.SIGUSR1)
    fmt.println("goroutines", runtime.num_goroutine())
    signal.notify(b, signal.SIGUSR1, os.interrupt)
    signal.notify(b, signal.SIGUSR2)
    fmt.println("goroutines", runtime.num_goroutine())

    send(signal.SIGUSR1)
    fmt.println("both:", get(a), "and", get(b))
    send(signal.SIGUSR2)
    fmt.println("one:", get(b), "and", get(a))
    send(signal.SIGINT)
    fmt.println("interrupt:", get(b))

    send(signal.SIGUSR1)
    fmt.println("first:", get(b))
    send(signal.SIGUSR1)
    fmt.println("second:", get(b))
    fmt.println("dropped without room:", get(a), "then", get(a))

    signal.stop(a)
    send(signal.SIGUSR1)
    fmt.println("stopped:", get(b), "and", get(a))
    signal.stop(b)
    signal.stop(b)
    send(signal.SIGUSR1)
    fmt.println("nobody:", get(b), "and", get(a))

    signal.notify(a, signal.SIGUSR2)
    fmt.println("ignored", signal.ignored(signal.SIGUSR2))
    signal.ignore(signal.SIGUSR2)
    fmt.println("ignored", signal.ignored(signal.SIGUSR2))
    send(signal.SIGUSR2)
    fmt.println("ignored:", get(a))
    signal.reset(signal.SIGUSR2)
    fmt.println("reset", signal.ignored(signal.SIGUSR2))
    signal.notify(a, signal.SIGUSR2)
    fmt.println("notify", signal.ignored(signal.SIGUSR2))
    send(signal.SIGUSR2)
    fmt.println("again:", get(a))
    signal.reset()
    send(signal.SIGUSR2)
    fmt.println("reset:", get(a))

    signal.notify(a, os.kill, signal.SIGSEGV, signal.Signal(33))
    fmt.println("uncatchable", signal.ignored(os.kill))
    signal.ignore(os.kill)
    fmt.println("uncatchable", signal.ignored(os.kill))

    @func
    def func1():
        @defer
        def func1():
            fmt.println("recovered:", recover())

        signal.notify(nilchan, os.interrupt)

    func1()

    signal.notify(a)
    for s in map(signal.Signal, [1, 3, 6, 13, 14, 15, 17, 18, 23, 28, 40]):
        send(s)
        fmt.println(int(s), get(a))
    closed = chan()
    signal.stop(closed)
    signal.reset()
    fmt.println("to be killed")
    send(signal.SIGTERM)
    time.sleep(time.second)


if __name__ == "__main__":
    run(main)
