"""Gosched puts the caller on the global queue: round robin."""

from goruntime import chan, go, print_, println, run, runtime


def main():
    done = chan()
    for s in ["a", "b", "c"]:

        @go
        def func1(s=s):
            for i in range(4):
                print_(s, i, " ")
                runtime.gosched()
            done.send(True)

    for _ in range(3):
        done.recv()
    println()


if __name__ == "__main__":
    run(main)
