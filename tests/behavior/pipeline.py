"""gen -> square -> main over unbuffered channels: the order of events."""

from goruntime import chan, go, print_, println, run


def main():
    a, b = chan(), chan()

    @go
    def func1():
        for i in range(1, 5):
            print_("g", i, " ")
            a.send(i)
        a.close()

    @go
    def func2():
        for v in a:
            print_("s", v, " ")
            b.send(v * v)
        b.close()

    for v in b:
        print_("m", v, " ")
    println()


if __name__ == "__main__":
    run(main)
