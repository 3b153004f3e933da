"""Five philosophers, five forks, two forks to a meal. A fork on the table is a value in a channel of size 1.

Everybody takes the fork with the lower number first: one of them reaches for the right-hand fork before the
left-hand one, and that is enough to break the circle in which each waits for the next.
Look at `--greedy`, where all begin at their left: each holds a fork, and the runtime sees that nobody can ever
go on. It says who waits where and gives exit status 2 (run it as `goruntime run PROGRAM --greedy`).
Try: five seats but six forks in the greedy version; no pause between the forks.
"""

import sys

from goruntime import chan, go, run, time

SEATS = (("Plato", 1.0), ("Hypatia", 0.9), ("Kant", 1.3), ("Hume", 0.8), ("Laozi", 1.2))  # how slowly each moves
MEALS = 2


def philosopher(seat, forks, greedy, start, done):
    name, pace = SEATS[seat]
    left, right = seat, (seat + 1) % len(forks)
    first, second = (left, right) if greedy else sorted((left, right))
    time.sleep(seat * 0.1)
    for _ in range(MEALS):
        forks[first].recv()
        time.sleep(pace)
        forks[second].recv()
        print(f"{time.since(start):4.1f} s  {name} eats with forks {left} and {right}")
        time.sleep(2 * pace)
        forks[second].send("fork")
        forks[first].send("fork")
    done.send(seat)


def main(greedy):
    start = time.now()
    forks = [chan(1) for _ in SEATS]
    for fork in forks:
        fork.send("fork")
    done = chan()
    for seat in range(len(SEATS)):
        go(philosopher, seat, forks, greedy, start, done)
    for _ in SEATS:
        done.recv()
    print(f"{time.since(start):4.1f} s  everybody has eaten")


if __name__ == "__main__":
    run(main, "--greedy" in sys.argv[1:])
