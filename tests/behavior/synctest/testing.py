"""Go's package testing for the ports of `go test` programs: what runs around a test function, goroutine by goroutine.

Go: testing/testing.go tRunner, T.Run, M.Run, testingSynctestTest.
"""

import fmt

from goruntime import chan, context, debug, defer, func, go, os, panic, recover, time
from goruntime.testing import synctest

running = {}


def go_name(name):
    """Let dumps show a function under its name in Go."""

    def rename(fn):
        fn.__code__ = fn.__code__.replace(co_name=name.rpartition(".")[2], co_qualname=name)
        return fn

    return rename


class T:
    def __init__(self, name, parent=None, is_synctest=False):
        self.name = name
        self.parent = parent
        self.is_synctest = is_synctest
        self.signal = chan(1, bool)
        self.ctx, self.cancel_ctx = context.with_cancel(context.background())
        self.start = 0
        self.failed = False
        self.finished = False

    def context(self):
        return self.ctx

    def fail(self):
        self.failed = True
        if self.parent is not None:
            self.parent.fail()

    @go_name("(*T).Run")
    def run(self, name, f):
        t = T(name, parent=self)
        running[name] = time.now()
        go(t_runner, t, f)
        t.signal.recv()
        return not t.failed


@func
def t_runner(t, fn):
    @defer
    def func1():
        err = recover()
        if err is not None:
            t.fail()
            root = t
            while not root.is_synctest and root.parent is not None:
                fmt.print_(f"--- FAIL: {root.name} ({time.since(root.start):.2f}s)\n")
                root = root.parent
            panic(err)
        running.pop(t.name, None)
        t.signal.send(True)

    @defer
    def func2():
        t.cancel_ctx()

    t.start = time.now()
    fn(t)
    t.finished = True


def testing_synctest_test(t, f):
    t2 = T(t.name, parent=t, is_synctest=True)
    go(t_runner, t2, f)
    t2.signal.recv()
    return not t2.failed


# It stands in package testing, and is linked into package testing/synctest.
testing_synctest_test = type(testing_synctest_test)(
    testing_synctest_test.__code__.replace(co_qualname="testingSynctestTest"),
    globals() | {"__name__": "testing/synctest"},
)


def synctest_test(t, f):
    """Go's synctest.Test, over ours."""
    synctest.test(testing_synctest_test, t, f)


class M:
    def __init__(self, tests, timeout):
        self.tests = tests
        self.timeout = timeout

    def run(self):
        def func1():
            debug.set_traceback("all")
            names = [f"{name} ({time.since(start):.0f}s)" for name, start in running.items()]
            panic(f"test timed out after {self.timeout}s\nrunning tests:" + "".join(f"\n\t{name}" for name in names))

        alarm = time.after_func(self.timeout, func1)
        t = T("main")

        def func2(t):
            for name, f in self.tests:
                t.run(name, f)

        t_runner(t, func2)
        alarm.stop()
        fmt.println("FAIL" if t.failed else "PASS")
        return int(t.failed)


def main(tests, pattern, timeout=3):
    """The main that `go test` writes."""
    os.exit(M([(name, f) for name, f in tests.items() if name == pattern], timeout).run())
