"""The same loop with GODEBUG=asyncpreemptoff=1: nothing interrupts it, and main never resumes."""

from goruntime import go, println, run, time


def main():
    @go
    def func1():
        while True:
            pass

    time.sleep(time.millisecond)
    println("main resumed")


if __name__ == "__main__":
    run(main)
