"""A full buffer of 2 with four blocked senders: values arrive in strict FIFO order, the buffer stays full."""

from goruntime import cap, chan, go, print_, println, run, runtime, time


def main():
    c = chan(2)
    for i in range(6):

        @go
        def func1(i=i):
            c.send(i)

        runtime.gosched()
    time.sleep(time.millisecond)
    println("len", len(c), "cap", cap(c))
    for _ in range(6):
        print_(c.recv(), " len=", len(c), "; ")
    println()


if __name__ == "__main__":
    run(main)
