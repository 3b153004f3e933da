"""Two goroutines ping-pong through runnext and share one slice; a third runs because the pair is preempted."""

from goruntime import chan, go, println, run, time


def main():
    a, b = chan(), chan()

    @go
    def func1():
        for v in a:
            b.send(v)

    @go
    def func2():
        a.send(0)
        for v in b:
            a.send(v)

    hit = False
    t = time.now()
    done = chan()

    @go
    def func3():
        nonlocal hit
        hit = True
        done.send(True)

    done.recv()
    d = time.since(t)
    println("bystander ran:", hit, "within 50ms:", d < 50 * time.millisecond)


if __name__ == "__main__":
    run(main)
