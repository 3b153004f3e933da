"""Five goroutines wait for I/O; data comes for 0 to 4 in turn: 4 runs first, the poller's list being a stack."""

import fmt

from goruntime import chan, go, net, run, time


def main():
    listener = net.listen("tcp", "127.0.0.1:0")
    near, far = [], []
    for _ in range(5):
        near.append(net.dial("tcp", str(listener.addr())))
        far.append(listener.accept())
    done = chan(5)
    for _ in range(2):
        for i in range(5):

            @go
            def func1(i=i):
                far[i].read(10)
                fmt.println("read", i)
                done.send(i)

        time.sleep(2 * time.millisecond)
        for i in range(5):
            near[i].write(b"x")
        for _ in near:
            done.recv()
    # A closed connection's reader goes into runnext, at once.
    for i in range(5):

        @go
        def func2(i=i):
            try:
                err = None
                far[i].read(1)
            except OSError as error:
                err = error
            fmt.println("closed", i, err is not None)
            done.send(i)

    time.sleep(2 * time.millisecond)
    for i in range(5):
        far[i].close()
    for _ in far:
        done.recv()


if __name__ == "__main__":
    run(main)
