"""A goroutine started by a timer has no parent goroutine in its "created by" line."""

from goruntime import panic, run, select, time


def main():
    def func1():
        panic("in AfterFunc")

    time.after_func(time.millisecond, func1)
    select()


if __name__ == "__main__":
    run(main)
