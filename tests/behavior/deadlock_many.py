"""Every goroutine blocked on something else: the wait reasons in the headers of a deadlock's dump.

Main itself waits in a select without cases here, where Go's waits for a mutex. Goids below are counted without
the system's goroutines: main 1, the first that it starts 2.
"""

from goruntime import chan, go, nilchan, run, select

OMITTED = [
    "goroutine 1",  # main: sync.Mutex.Lock
    "goroutine 8",  # sync.Mutex.Lock
    "goroutine 9",  # sync.RWMutex.RLock
    "goroutine 10",  # sync.RWMutex.Lock, behind a writer: shown as sync.Mutex.Lock
    "goroutine 11",  # sync.RWMutex.Lock
    "goroutine 12",  # sync.WaitGroup.Wait
    "goroutine 13",  # sync.Cond.Wait
]


def main():
    c = chan()
    nilc = nilchan
    full = chan(1)
    full.send(1)

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

    select()


if __name__ == "__main__":
    run(main)
