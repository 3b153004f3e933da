"""The smallest deadlock: main receives from a channel that nobody sends to."""

from goruntime import chan, run


def main():
    c = chan()
    c.recv()


if __name__ == "__main__":
    run(main)
