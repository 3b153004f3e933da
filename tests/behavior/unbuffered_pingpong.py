"""Producer and consumer on an unbuffered channel: direct hand-off and runnext give a pairwise pattern."""

from goruntime import chan, go, print_, println, run


def main():
    c = chan()
    done = chan()

    @go
    def func1():
        for v in c:
            print_("r", v, " ")
        done.send(True)

    for i in range(8):
        print_("s", i, " ")
        c.send(i)
    c.close()
    done.recv()
    println()


if __name__ == "__main__":
    run(main)
