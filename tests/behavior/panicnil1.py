"""GODEBUG=panicnil=1: panic(None) really panics with nil, which recover() cannot tell from no panic."""

from goruntime import defer, panic, println, recover, run


def main():
    @defer
    def func1():
        println("recover() == nil:", recover() is None)
        panic(None)

    panic(None)


if __name__ == "__main__":
    run(main)
