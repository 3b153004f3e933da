"""A goroutine in "IO wait" keeps an M in netpoll, so no deadlock report."""

import sys

from goruntime import Timeout, go, net, run, select


def main():
    listener = net.listen("tcp", "127.0.0.1:0")
    go(listener.accept)
    select()


if __name__ == "__main__":
    try:
        run(main, max_time=1.5)
    except Timeout:
        sys.exit(124)  # the status of timeout(1)
