"""Each goroutine starts two children and prints: the order of runnext and the ring."""

from goruntime import defer, go, print_, println, run, sync


def main():
    wg = sync.WaitGroup()

    def node(id, depth):
        defer(wg.done)
        if depth > 0:
            wg.add(2)
            go(node, id + "L", depth - 1)
            go(node, id + "R", depth - 1)
        print_(id, " ")

    wg.add(1)
    go(node, "*", 3)
    wg.wait()
    println()


if __name__ == "__main__":
    run(main)
