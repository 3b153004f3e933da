"""Goroutines that wait for one ctx.done(): the order is that of a close; after_func gets a goroutine of its own."""

from goruntime import chan, context, go, print_, println, run, runtime, time


def main():
    ctx, cancel = context.with_cancel(context.background())
    done = chan(8)
    for i in range(4):

        @go
        def func1(i=i):
            ctx.done().recv()
            print_("w", i, " ")
            done.send(True)

        runtime.gosched()

    def func2():
        print_("after ")
        done.send(True)

    context.after_func(ctx, func2)
    time.sleep(time.millisecond)
    cancel()
    print_("cancel-returned ")
    for _ in range(5):
        done.recv()
    println()


if __name__ == "__main__":
    run(main)
