"""Buffered channel of 3: where the producer blocks, and how the consumer drains."""

from goruntime import chan, go, print_, println, run


def main():
    c = chan(3)
    done = chan()

    @go
    def func1():
        for v in c:
            print_("r", v, " ")
        done.send(True)

    for i in range(12):
        c.send(i)
        print_("s", i, " ")
    c.close()
    done.recv()
    println()


if __name__ == "__main__":
    run(main)
