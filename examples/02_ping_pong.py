"""Two players hit a ball to and fro over one channel until main takes the ball away.

Look at who begins: the goroutine started last runs first, because `go` puts it into the slot that the
scheduler looks at before its queue. The match takes 1.2 seconds of virtual time and none of yours.
Try: a third player (who waits longest gets the ball, so the turns stay in order); leave out the last
recv (main returns, and the program ends in the middle of the match); serve no ball at all.
"""

from goruntime import chan, go, run, time


def player(name, table):
    while True:
        hits = table.recv() + 1
        print(name, hits)
        time.sleep(0.15)
        table.send(hits)


def main():
    table = chan()
    go(player, "ping", table)
    go(player, "pong", table)
    start = time.now()
    table.send(0)
    time.sleep(1)
    hits = table.recv()
    print(f"main has the ball after {hits} hits in {time.since(start):.1f} s")


if __name__ == "__main__":
    run(main)
