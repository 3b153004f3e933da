"""The rules of contexts: trees, causes, deadlines, values, after_func, and parents of one's own kind."""

import fmt

from goruntime import chan, context, default, defer, errors, func, go, recover, run, runtime, select, time


class Key(str):
    __slots__ = ()

    def __str__(self):
        return "key " + str.__str__(self)


class Wrapped:
    """Has its parent's channel."""

    def __init__(self, parent):
        self.parent = parent

    def __getattr__(self, name):
        return getattr(self.parent, name)


class Own(Wrapped):
    """Has a channel of its own."""

    def __init__(self, parent):
        super().__init__(parent)
        self.channel = chan()
        self.error = None

    def done(self):
        return self.channel

    def err(self):
        return self.error

    def end(self, error):
        self.error = error
        self.channel.close()


class Registering(Own):
    """Also has after_func."""

    def __init__(self, parent):
        super().__init__(parent)
        self.calls = []
        self.stopped = 0

    def after_func(self, f):
        self.calls.append(f)

        def stop():
            self.stopped += 1
            return True

        return stop


@func
def try_(name, f):
    @defer
    def func1():
        r = recover()
        if r is not None:
            fmt.println(name, "| panic:", r)

    fmt.println("==", name)
    func(f)()


def said(ctx):
    return fmt.sprint(ctx.err(), " | ", context.cause(ctx))


def name(ctx):
    text = str(ctx)
    at = text.find("WithDeadline(")
    if at >= 0:
        end = text.index("])")
        text = text[:at] + "WithDeadline" + text[end + 2 :]
    return text


def is_done(ctx):
    i, _ = select(ctx.done().recv, default)
    return i == 0


bg = context.background()
first, second = errors.new("first"), errors.new("second")


def names():
    c, cancel = context.with_cancel(bg)
    defer(cancel)
    d, cancel2 = context.with_timeout(c, time.hour)
    defer(cancel2)
    v = context.with_value(d, Key("a"), "text")
    fmt.println(name(context.with_value(bg, Key("k"), None)))
    fmt.println(name(context.without_cancel(v)))
    fmt.println(name(context.with_value(context.without_cancel(context.todo()), Key("k"), Key("v"))))
    cc, cancel3 = context.with_cancel_cause(c)
    defer(cancel3, None)
    fmt.println(name(cc))


def a_tree():
    root, cancel_root = context.with_cancel(bg)
    left, cancel_left = context.with_cancel(root)
    right, cancel_right = context.with_cancel_cause(context.with_value(root, Key("side"), "right"))
    leaf, _ = context.with_cancel(left)

    def show():
        fmt.println(is_done(root), is_done(left), is_done(right), is_done(leaf))

    show()
    cancel_left()
    cancel_left()
    show()
    cancel_right(errors.new("the right one"))
    show()
    cancel_root()
    show()
    fmt.println(said(root), "|", said(left), "|", said(right), "|", said(leaf))
    late, _ = context.with_cancel(right)
    fmt.println(is_done(late), said(late))
    fmt.println(right.value(Key("side")), late.value(Key("side")), leaf.value(Key("side")))


def causes():
    p, cp = context.with_cancel_cause(bg)
    c, cc = context.with_cancel_cause(p)
    cp(first)
    cc(second)
    fmt.println(said(p), said(c))
    p, cp = context.with_cancel_cause(bg)
    c, cc = context.with_cancel_cause(p)
    cc(second)
    cp(first)
    fmt.println(said(p), said(c))
    p, cp = context.with_cancel_cause(bg)
    cp(None)
    cp(first)
    fmt.println(said(p), context.cause(p) is context.canceled)
    p, cp = context.with_cancel_cause(bg)
    w = context.without_cancel(p)
    below, cb = context.with_cancel(w)
    cp(first)
    fmt.println(w.err(), context.cause(w), not w.done(), said(below))
    cb()
    fmt.println(said(below))
    fmt.println(context.cause(bg), context.cause(context.with_value(p, Key("x"), 1)))


def deadlines():
    has = bg.deadline() is not None
    fmt.println(has)
    now = time.now()
    d, cancel = context.with_deadline(bg, now + time.second)
    at = d.deadline()
    fmt.println(at.ns == (now + time.second).ns)
    later, _ = context.with_timeout(d, time.hour)
    at2 = later.deadline()
    fmt.println(at2.ns == at.ns, name(later) == name(d) + ".WithCancel")
    sooner, _ = context.with_timeout_cause(d, time.millisecond, first)
    sooner.done().recv()
    fmt.println(said(sooner), d.err())
    cancel()
    fmt.println(said(d), said(later))
    over, stop = context.with_deadline_cause(bg, now, second)
    fmt.println(said(over))
    stop()
    fmt.println(said(over))
    stopped, stop = context.with_timeout_cause(bg, time.hour, first)
    stop()
    fmt.println(said(stopped))
    p, cp = context.with_cancel_cause(bg)
    t, _ = context.with_timeout(p, time.millisecond)
    t.done().recv()
    fmt.println(said(t), p.err())
    cp(first)
    fmt.println(said(t), said(p))
    fmt.println(
        errors.is_(t.err(), context.deadline_exceeded),
        errors.is_(t.err(), context.canceled),
        isinstance(t.err(), TimeoutError),
    )


def values():
    c = context.with_value(context.with_value(bg, Key("a"), 1), Key("b"), 2)
    c = context.with_value(c, Key("a"), 3)
    d, cancel = context.with_timeout(c, time.hour)
    defer(cancel)
    fmt.println(d.value(Key("a")), d.value(Key("b")), d.value(Key("c")), d.value("a"), d.value(None))


def after_func():
    c, cancel = context.with_cancel(bg)
    out = chan(4)
    stop = context.after_func(c, lambda: out.send(said(c)))
    never = context.after_func(c, lambda: out.send("never"))
    fmt.println(never(), never())
    runtime.gosched()
    fmt.println(len(out))
    cancel()
    fmt.println(out.recv(), stop())
    runtime.gosched()
    fmt.println(len(out))
    stop_bg = context.after_func(bg, lambda: out.send("never"))
    fmt.println(stop_bg(), stop_bg())
    n = runtime.num_goroutine()
    d, cancel_d = context.with_cancel_cause(bg)
    for i in range(3):
        context.after_func(d, lambda i=i: out.send(fmt.sprint(i)))
    fmt.println(runtime.num_goroutine() - n)
    cancel_d(first)
    got = {out.recv(): True, out.recv(): True, out.recv(): True}
    fmt.println(got["0"] and got["1"] and got["2"])


def a_wrapped_parent():
    n = runtime.num_goroutine()
    p, cancel = context.with_cancel(bg)
    c, _ = context.with_cancel(Wrapped(p))
    fmt.println(runtime.num_goroutine() - n)
    cancel()
    fmt.println(is_done(c), said(c))


def a_parent_of_ones_own_kind():
    n = runtime.num_goroutine()
    p = Own(bg)
    c, _ = context.with_cancel(p)
    grandchild, _ = context.with_cancel(c)
    gone, cancel_gone = context.with_cancel(p)
    fmt.println(runtime.num_goroutine() - n)
    cancel_gone()
    gone.done().recv()
    runtime.gosched()
    fmt.println(runtime.num_goroutine() - n)
    p.end(first)
    grandchild.done().recv()
    runtime.gosched()
    fmt.println(said(c), said(grandchild), runtime.num_goroutine() - n)
    late, _ = context.with_cancel(p)
    fmt.println(said(late), runtime.num_goroutine() - n)


def one_inside_a_context_that_can_be_canceled():
    n = runtime.num_goroutine()
    root, cancel_root = context.with_cancel_cause(bg)
    p = Own(root)
    c, _ = context.with_cancel(p)
    fmt.println(runtime.num_goroutine() - n)
    cancel_root(first)
    runtime.gosched()
    fmt.println(c.err())
    p.end(second)
    c.done().recv()
    fmt.println(said(c), "|", said(p))


def a_parent_with_after_func():
    n = runtime.num_goroutine()
    p = Registering(bg)
    c, _ = context.with_cancel(p)
    gone, cancel_gone = context.with_cancel(p)
    cancel_gone()
    fmt.println(runtime.num_goroutine() - n, len(p.calls), p.stopped, said(gone))
    p.end(first)
    for call in p.calls:
        call()
    fmt.println(said(c), said(gone))


def who_waits():
    c, cancel = context.with_cancel(bg)
    child, _ = context.with_timeout(c, time.hour)
    out = chan(6)
    for i in range(3):

        @go
        def func1(i=i):
            c.done().recv()
            out.send(i)

        @go
        def func2(i=i):
            if select(child.done().recv, time.after(time.hour).recv)[0] == 0:
                out.send(10 + i)

    time.sleep(time.millisecond)
    cancel()
    for _ in range(6):
        fmt.print_(out.recv(), " ")
    fmt.println()


def main():
    try_("names", names)
    try_("a tree", a_tree)
    try_("causes", causes)
    try_("deadlines", deadlines)
    try_("values", values)
    try_("nil parent", lambda: context.with_cancel(None))
    try_("nil parent", lambda: context.with_timeout(None, time.second))
    try_("nil parent", lambda: context.with_value(None, Key("k"), 1))
    try_("nil parent", lambda: context.without_cancel(None))
    try_("nil key", lambda: context.with_value(bg, None, 1))
    try_("no key", lambda: context.with_value(bg, [1], 1))
    try_("AfterFunc", after_func)
    try_("a wrapped parent", a_wrapped_parent)
    try_("a parent of one's own kind", a_parent_of_ones_own_kind)
    try_("one inside a context that can be canceled", one_inside_a_context_that_can_be_canceled)
    try_("a parent with AfterFunc", a_parent_with_after_func)
    try_("who waits", who_waits)


if __name__ == "__main__":
    run(main)
