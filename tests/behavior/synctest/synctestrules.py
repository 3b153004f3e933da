"""More rules of bubbles: who runs when, timers, who may touch what."""

import fmt
from gotime import duration
from testing import synctest_test

from goruntime import chan, coro, default, go, nilchan, panic, runtime, select, sync, time
from goruntime.testing import synctest

__name__ = "synctestoracle"  # the package, which in Go is two files


def TestOrder(t):
    def func1(t):
        s = time.now()

        def say(what):
            fmt.println(duration(time.since(s)), what)

        c = chan(0, str)
        for i in range(1, 4):

            @go
            def func2(i=i):
                time.sleep(i * time.second)
                say(fmt.sprint("worker ", i))
                c.send(fmt.sprint("from ", i))

        def func3():
            say("after func")
            go(say, "its goroutine")
            runtime.gosched()
            say("after func again")

        time.after_func(1500 * time.millisecond, func3)
        synctest.wait()
        say("all are asleep")
        for _ in range(3):
            say(c.recv())
        time.sleep(0)
        time.sleep(-1)
        say("no sleep")
        synctest.wait()
        say("end")

    synctest_test(t, func1)


def TestTimers(t):
    def func1(t):
        s = time.now()
        tm = time.Timer(2 * time.second)
        fmt.println("stop", tm.stop(), tm.stop())
        fmt.println("reset", tm.reset(time.second), tm.reset(3 * time.second))
        time.sleep(4 * time.second)
        fmt.println("reset of one that is due, not received", tm.reset(time.second))
        fmt.println(duration(tm.c.recv() - s), duration(time.since(s)))
        fmt.println("stop of one that was received", tm.stop())
        now = time.Timer(0)
        match select(now.c.recv, default):
            case 0, v:
                fmt.println("zero timer at once", duration(v - s))
            case _:
                fmt.println("zero timer not yet")
        n = 0

        def func2():
            nonlocal n
            n += 1

        f = time.after_func(0, func2)
        fmt.println("started, not run", n)
        runtime.gosched()
        fmt.println("run", n, f.stop())
        f.reset(time.second)
        fmt.println("stopped", f.stop(), f.stop())
        f.reset(-time.second)
        synctest.wait()
        fmt.println("run again", n)
        tick = time.Ticker(time.second)
        for _ in range(2):
            fmt.println("tick", duration(tick.c.recv() - s))
        time.sleep(2500 * time.millisecond)
        fmt.println("late tick", duration(tick.c.recv() - s), duration(time.since(s)))
        tick.reset(10 * time.second)
        fmt.println("next tick", duration(tick.c.recv() - s))
        tick.stop()
        match select(tick.c.recv, time.after(time.minute).recv):
            case 0, _:
                fmt.println("tick after stop")
            case _:
                fmt.println("no tick for a minute", duration(time.since(s)))

    synctest_test(t, func1)


def TestWaiter(t):
    def func1(t):
        s = time.now()

        def say(what):
            fmt.println(duration(time.since(s)), what)

        mu = sync.Mutex()
        cond = sync.Cond(mu)
        for i in range(3):

            @go
            def func2(i=i):
                mu.lock()
                cond.wait()
                mu.unlock()
                say(fmt.sprint("waiter ", i))

        synctest.wait()
        cond.signal()
        say("signalled")
        synctest.wait()
        cond.broadcast()
        say("broadcast")
        synctest.wait()
        wg = sync.WaitGroup()
        for i in range(3):

            @wg.go
            def func3(i=i):
                time.sleep((3 - i) * time.second)
                say(fmt.sprint("task ", i))

        @go
        def func4():
            wg.wait()
            say("the other waits as well")

        wg.wait()
        say("tasks are done")
        synctest.wait()

        def func5(yield_):
            i = 0
            while yield_(i):
                time.sleep(time.second)
                i += 1

        next_, stop = coro.pull(func5)
        for _ in range(3):
            v, ok = next_()
            say(fmt.sprint(v, ok))
        stop()
        say("end")

    synctest_test(t, func1)


def TestMainHasExited(t):
    def func1(t):
        c = chan(0, int)

        @go
        def func2():
            fmt.println("one runs on", c.recv())
            c.send(2)

        @go
        def func3():
            c.send(1)
            fmt.println("the other too", c.recv())

        time.after_func(0, lambda: fmt.println("a timer that is due"))

    synctest_test(t, func1)
    fmt.println("all have ended")


def TestSleeperIsLeft(t):
    def func1(t):
        go(time.sleep, time.second)

    synctest_test(t, func1)


def TestPanicInBubble(t):
    def func1(t):
        @go
        def func2():
            panic("boom")

        synctest.wait()

    synctest_test(t, func1)


def TestReasons(t):
    out = chan(0, int)

    def func1(t):
        own = chan(0, int)

        @go
        def func1():
            select()

        @go
        def func2():
            c = nilchan
            c.send(1)

        @go
        def func3():
            own.send(1)

        @go
        def func4():
            select(own.recv, time.after(time.hour).recv)

        @go
        def func5():
            def func1(yield_):
                yield_(1)
                own.send(1)

            next_, _ = coro.pull(func1)
            next_()
            next_()

        runtime.gosched()

        @go
        def func6():
            select(chan(0, int).recv, out.recv)

        @go
        def func7():
            out.send(1)

        @go
        def func8():
            mu = sync.RWMutex()
            mu.rlock()
            mu.lock()

        for _ in range(100):
            runtime.gosched()
        panic("dump")

    synctest_test(t, func1)


def made_inside(t, make):
    """What a bubble leaves in a variable of the outside."""
    box = []
    synctest_test(t, lambda t: box.append(make()))
    return box[0]


def TestCloseOutside(t):
    c = made_inside(t, lambda: chan(0, int))
    c.close()


def TestReceiveInAnother(t):
    def func1():
        c = chan(1, int)
        c.send(1)
        return c

    c = made_inside(t, func1)

    def func2(t):
        c.recv()

    synctest_test(t, func2)


def TestSelectOutside(t):
    c = made_inside(t, lambda: chan(1, int))
    select(c.recv, chan(0, int).recv)


def TestStopOutside(t):
    tm = made_inside(t, lambda: time.Timer(time.second))
    tm.stop()


def TestResetOutside(t):
    tm = made_inside(t, lambda: time.after_func(time.second, lambda: None))
    tm.reset(time.second)


def TestAddOutside(t):
    wg = sync.WaitGroup()
    synctest_test(t, lambda t: wg.add(1))
    wg.add(1)


def TestAddInTwo(t):
    wg = sync.WaitGroup()
    synctest_test(t, lambda t: wg.add(1))
    synctest_test(t, lambda t: wg.add(1))


def TestSignalOutside(t):
    mu = sync.Mutex()
    cond = sync.Cond(mu)

    @go
    def func1():
        time.sleep(time.millisecond)
        cond.signal()

    def func2(t):
        @go
        def func1():
            mu.lock()
            cond.wait()

        while True:
            runtime.gosched()

    synctest_test(t, func2)


def TestWaitTwice(t):
    def func1(t):
        go(synctest.wait)
        synctest.wait()

    synctest_test(t, func1)


def TestWaitOutside(t):
    synctest.wait()


TESTS = {name: f for name, f in list(globals().items()) if name.startswith("Test")}
