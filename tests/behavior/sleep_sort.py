"""Sleep sort: five sleepers report in the order of their deadlines."""

from goruntime import chan, go, print_, println, run, time


def main():
    c = chan()
    for n in [5, 1, 4, 2, 3]:

        @go
        def func1(n=n):
            time.sleep(n * 20 * time.millisecond)
            c.send(n)

    for _ in range(5):
        print_(c.recv(), " ")
    println()


if __name__ == "__main__":
    run(main)
