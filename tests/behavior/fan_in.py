"""Three producers on one unbuffered channel, main consumes: order of arrival."""

from goruntime import chan, go, print_, println, run


def main():
    c = chan()
    for n in ["a", "b", "c"]:

        @go
        def func1(n=n):
            for i in range(4):
                c.send(n + str(i))

    for _ in range(12):
        print_(c.recv(), " ")
    println()


if __name__ == "__main__":
    run(main)
