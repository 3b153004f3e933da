"""Bubbles: their clock, Wait, deadlocks, a mutex that is not durable, isolation, and the headers in dumps."""

import fmt
from gotime import duration, utc
from testing import synctest_test

from goruntime import chan, context, go, net, panic, select, sync, time
from goruntime.testing import synctest

nanosecond = 1e-9


def TestClock(t):
    def func1(t):
        fmt.println("start", utc(time.now()), "unix", int(time.now()))
        s = time.now()
        time.sleep(24 * time.hour)
        fmt.println("slept", duration(time.since(s)))
        tm = time.Timer(5 * time.second)
        tm.c.recv()
        fmt.println("timer at", duration(time.since(s)))

    synctest_test(t, func1)


def TestWait(t):
    def func1(t):
        n = 0

        @go
        def func1():
            nonlocal n
            n += 1
            time.sleep(time.second)
            n += 1

        synctest.wait()
        fmt.println("after Wait n =", n)
        time.sleep(time.second)
        synctest.wait()
        fmt.println("after 1s n =", n)
        synctest.sleep(3 * time.second)
        fmt.println("synctest.Sleep = Sleep then Wait")

    synctest_test(t, func1)


def TestCtxDeadline(t):
    def func1(t):
        ctx, cancel = context.with_timeout(t.context(), 5 * time.second)
        try:
            time.sleep(5 * time.second - nanosecond)
            synctest.wait()
            fmt.println("before:", ctx.err())
            time.sleep(nanosecond)
            synctest.wait()
            fmt.println("after:", ctx.err())
        finally:
            cancel()

    synctest_test(t, func1)


def TestDeadlockAll(t):
    def func1(t):
        c = chan(0, int)

        @go
        def func1():
            c.recv()

        wg = sync.WaitGroup()
        wg.add(1)

        @go
        def func2():
            wg.wait()

        select()

    synctest_test(t, func1)


def TestDeadlockMainExited(t):
    def func1(t):
        c = chan(0, int)

        @go
        def func1():
            c.recv()

    synctest_test(t, func1)


def TestMutexNotDurable(t):
    # A goroutine blocked on a Mutex is not durably blocked: time does not advance until it is released by someone.
    def func1(t):
        mu = sync.Mutex()
        mu.lock()

        @go
        def func1():
            time.sleep(time.second)
            mu.unlock()

        mu.lock()
        fmt.println("never")

    synctest_test(t, func1)


def TestOutsideChannel(t):
    c = None

    def func1(t):
        nonlocal c
        c = chan(1, int)

    synctest_test(t, func1)
    c.send(1)


def TestNetIO(t):
    def func1(t):
        a, b = net.pipe()  # net.Pipe is channel based: durable

        @go
        def func1():
            time.sleep(time.second)
            b.write(b"x")
            b.close()

        s = time.now()
        a.read(1)
        fmt.println("net.Pipe read after fake", duration(time.since(s)))

    synctest_test(t, func1)


def TestNested(t):
    def func1(t):
        def func1(t):
            pass

        synctest_test(t, func1)

    synctest_test(t, func1)


def TestTickerLeftRunning(t):
    def func1(t):
        time.Ticker(time.second)
        n = 0

        def func1():
            nonlocal n
            n += 1

        time.after_func(time.hour, func1)
        fmt.println("main done; pending timers are dropped", n)

    synctest_test(t, func1)


def TestSameInstant(t):
    seen = {}
    for _ in range(300):

        def func1(t):
            s = ""

            def add(x):
                nonlocal s
                s += x

            for x in "abc":
                time.after_func(time.second, add, x)
            time.sleep(2 * time.second)
            seen[s] = True

        synctest_test(t, func1)
    fmt.println("orders seen for 3 timers at one fake instant:", len(seen), "of 6")


def TestHeader(t):
    def func1(t):
        @go
        def func1():
            time.sleep(time.hour)

        c = chan(0, int)

        @go
        def func2():
            c.recv()

        o = sync.Cond(sync.Mutex())

        @go
        def func3():
            o.l.lock()
            o.wait()

        synctest.wait()
        panic("dump")

    synctest_test(t, func1)


TESTS = {name: f for name, f in list(globals().items()) if name.startswith("Test")}
