"""Three goroutines that never yield, on one P: who gets to compute, and for how long? One letter is 1 ms.

Look at the first picture: nobody gives the P away, so sysmon takes it away. It asks a goroutine to stop that it
has seen for 10 ms; because it looks only every 10 ms by then, a turn lasts 20 ms, once sysmon has slowed down.
With gosched() after each millisecond the three take turns by themselves; where the pattern breaks, the scheduler
looked at the global queue first, which it does at every 61st turn so that nobody there is forgotten.
Try: GODEBUG=schedtrace=20; two Ps; one hog and one goroutine that sleeps 1 ms at a time.
"""

from goruntime import chan, go, run, runtime, time

MILLISECONDS = 50


def hog(letter, polite, timeline, done):
    for _ in range(MILLISECONDS):
        runtime.work(time.millisecond)
        timeline.append(letter)
        if polite:
            runtime.gosched()
    done.send(None)


def turns(polite):
    timeline, done = [], chan()
    for letter in "abc":
        go(hog, letter, polite, timeline, done)
    for _ in "abc":
        done.recv()
    return "".join(timeline)


def main():
    for title, polite in (("preempted:", False), ("polite:", True)):
        picture = turns(polite)
        print(title)
        for first in range(0, len(picture), 50):
            print("  ", picture[first : first + 50])


if __name__ == "__main__":
    run(main, gomaxprocs=1)
