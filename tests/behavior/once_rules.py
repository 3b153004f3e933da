"""Once counts a call that panicked; once_value panics again on every call; what a pool and try_lock give."""

import fmt

from goruntime import defer, func, panic, recover, run, sync


def main():
    o = sync.Once()
    for i in range(3):

        @func
        def func1(i):
            @defer
            def func1_1():
                fmt.println("Do", i, "recovered", recover())

            o.do(lambda: panic("first call only"))

        func1(i)
    f = sync.once_value(lambda: panic("always repeated"))
    for i in range(2):

        @func
        def func3(i):
            @defer
            def func3_1():
                fmt.println("OnceValue", i, "recovered", recover())

            f()

        func3(i)
    n = 0

    def func4():
        nonlocal n
        n += 1

    g = sync.once_func(func4)
    g()
    g()
    fmt.println("OnceFunc ran", n)
    mu = sync.Mutex()
    fmt.println("TryLock", mu.try_lock(), mu.try_lock())
    p = sync.Pool()
    p.put("a")
    p.put("b")
    p.put("c")
    fmt.println("Pool private first, then shared LIFO:", p.get(), p.get(), p.get(), p.get())


if __name__ == "__main__":
    run(main)
