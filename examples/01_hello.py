"""Four goroutines send one square each into a channel; main takes out four values and adds up.
Try: print each value as it arrives. With `-p 1` the goroutine started last comes first."""

from goruntime import chan, go, run


def main():
    squares = chan()
    for n in range(4):
        go(squares.send, n * n)
    print("0 + 1 + 4 + 9 =", sum(squares.recv() for _ in range(4)))


run(main)
