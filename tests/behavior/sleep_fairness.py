"""time.sleep parks at once: two sleepers on one P interleave by their wake-up times."""

from goruntime import chan, go, print_, println, run, time


def main():
    done = chan()

    @go
    def func1():
        for i in range(3):
            print_("A", i, " ")
            time.sleep(20 * time.millisecond)
        done.send(True)

    @go
    def func2():
        time.sleep(10 * time.millisecond)
        for i in range(3):
            print_("B", i, " ")
            time.sleep(20 * time.millisecond)
        done.send(True)

    done.recv()
    done.recv()
    println()


if __name__ == "__main__":
    run(main)
