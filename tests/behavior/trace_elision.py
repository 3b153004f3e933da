"""A panic deep in a recursion: the traceback shows the 50 innermost and the 50 outermost frames."""

from goruntime import panic, run


def rec(n):
    if n == 0:
        panic("deep")
    return rec(n - 1) + 1


def main():
    rec(200)


if __name__ == "__main__":
    run(main)
