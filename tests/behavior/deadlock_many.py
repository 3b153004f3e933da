"""Every goroutine blocked on something else: the wait reasons in the headers of a deadlock's dump."""

from goruntime import chan, go, nilchan, run, select, sync


def main():
    c = chan()
    nilc = nilchan
    full = chan(1)
    full.send(1)
    mu = sync.Mutex()
    mu.lock()
    rw = sync.RWMutex()
    rw.lock()
    rr = sync.RWMutex()
    rr.rlock()
    wg = sync.WaitGroup()
    wg.add(1)
    cond = sync.Cond(sync.Mutex())

    @go
    def func1():
        c.recv()

    @go
    def func2():
        full.send(2)

    @go
    def func3():
        nilc.recv()

    @go
    def func4():
        nilc.send(1)

    @go
    def func5():
        select()

    @go
    def func6():
        select(c.recv, (full.send, 3))

    @go
    def func7():
        mu.lock()

    @go
    def func8():
        rw.rlock()

    @go
    def func9():
        rw.lock()

    @go
    def func10():
        rr.lock()

    @go
    def func11():
        wg.wait()

    @go
    def func12():
        cond.l.lock()
        cond.wait()

    mu.lock()


if __name__ == "__main__":
    run(main)
