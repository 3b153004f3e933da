"""One P and a Python loop without any call: the preemption signal lets main's timer fire."""

from goruntime import go, println, run, time


def main():
    @go
    def func1():
        while True:
            pass

    t = time.now()
    time.sleep(time.millisecond)
    d = time.since(t)
    println(
        *("main resumed; waited at least one 10ms slice:", d >= 8 * time.millisecond),
        *("and under 60ms:", d < 60 * time.millisecond),
    )


if __name__ == "__main__":
    run(main)
