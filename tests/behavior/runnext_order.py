"""Ten goroutines: the last one started sits in runnext and runs first, whether main blocks or yields."""

from goruntime import chan, go, print_, println, run, runtime


def main():
    done = chan(10)
    for i in range(10):

        @go
        def func1(i=i):
            print_(i, " ")
            done.send(True)

    for _ in range(10):
        done.recv()
    println()
    for i in range(10):

        @go
        def func2(i=i):
            print_(i, " ")

    runtime.gosched()
    println("main")


if __name__ == "__main__":
    run(main)
