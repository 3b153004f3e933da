"""The goid of the first goroutine that main starts: two more than the runtime has system goroutines."""

from goruntime import chan, go, println, run, runtime


def main():
    done = chan()

    @go
    def func1():
        println(runtime.goid())
        done.send(True)

    done.recv()


if __name__ == "__main__":
    run(main)
