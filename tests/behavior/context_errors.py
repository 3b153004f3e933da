"""What contexts say when they are canceled: errors, causes, deadlines, and their names."""

import fmt

from goruntime import context, defer, errors, run, time


def main():
    ctx, cancel = context.with_cancel(context.background())
    child, ccancel = context.with_timeout(ctx, time.hour)
    defer(ccancel)
    fmt.println(ctx.err(), child.err())
    cancel()
    fmt.println(ctx.err(), "|", child.err(), "|", context.cause(child))
    child.done().recv()
    d, dc = context.with_timeout(context.background(), time.millisecond)
    defer(dc)
    d.done().recv()
    fmt.println(d.err(), errors.is_(d.err(), context.deadline_exceeded), context.cause(d))
    c, cc = context.with_cancel_cause(context.background())
    cc(errors.new("my cause"))
    cc(errors.new("second ignored"))
    fmt.println(c.err(), "|", context.cause(c))
    t, tc = context.with_timeout_cause(context.background(), time.millisecond, errors.new("too slow"))
    defer(tc)
    t.done().recv()
    fmt.println(t.err(), "|", context.cause(t))
    w = context.without_cancel(ctx)
    fmt.println(w.err(), not w.done())

    def func1():
        fmt.println("AfterFunc on already cancelled ctx runs in its own goroutine")

    stop = context.after_func(ctx, func1)
    time.sleep(5 * time.millisecond)
    fmt.println("stop after run:", stop())
    fmt.println(context.background(), context.todo(), str(child)[:38])
    te = errors.as_(d.err(), TimeoutError)
    fmt.println(te is not None and te.timeout())


if __name__ == "__main__":
    run(main)
