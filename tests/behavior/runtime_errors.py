"""The texts of run-time errors, as a program sees them that recovers."""

import copy

import fmt

from goruntime import chan, default, defer, func, go, nilchan, panic, recover, run, runtime, select, sync, time

OMITTED = [
    # Slices, strings and arrays are types of the emulated heap.
    "index",
    "index negative",
    "string index",
    "slice hi>cap",
    "string slice hi",
    "slice lo>hi",
    "slice lo>len",
    "slice3 max>cap",
    "slice3 hi>max",
    "to array",
    "makeslice",
    "makeslice cap",
    # So are maps and integers.
    "nil map write",
    "divide",
    "shift",
    # So are interfaces.
    "assert wrong",
    "assert nil",
    "assert iface",
    "assert T no N",
    "unhashable",
    "uncomparable",
    # No counterpart here.
    "nil func call",  # calling None is Python's TypeError
    "Timer zero Stop",  # a Timer is always initialised
    "range func",  # no range over functions
]
OMITTED_TEXT = [
    r"\| \*?[\w.<>]+ (?=\| runtime\.Error=)",  # the column of Go's dynamic types
]


@func
def try_(name, f):
    @defer
    def func1():
        r = recover()
        is_runtime_error = isinstance(r, runtime.Error)
        fmt.print_(f"{name:<20} | runtime.Error={fmt.text(is_runtime_error)} | {fmt.text(r)}\n")

    f()


def main():
    np = None
    pi = None
    i = None
    c = nilchan

    def func11():
        _ = np.x

    try_("nil deref", func11)

    def func12():
        p = None
        x = p
        x.M()

    try_("nil value method", func12)
    try_("nil iface call", lambda: i.M())
    try_("nil ptr to iface", lambda: pi.value.M())
    try_("makechan", lambda: chan(-1))
    try_("close nil", c.close)

    def func29():
        d = chan()
        d.close()
        d.close()

    try_("close twice", func29)

    def func30():
        d = chan(1)
        d.close()
        d.send(1)

    try_("send closed", func30)

    def func31():
        d = chan()
        d.close()
        select((d.send, 1), default)

    try_("select send closed", func31)
    try_("panic(nil)", lambda: panic(None))
    try_("wg negative", lambda: sync.WaitGroup().done())
    try_("NewTicker(0)", lambda: time.Ticker(0))
    try_("goexit not panic", recover)

    def func37():
        d = chan()

        @go
        def func37_1():
            runtime.gosched()
            d.close()

        d.send(1)

    try_("blocked sender", func37)

    def func38():
        c = sync.Cond(sync.Mutex())
        c.signal()
        d = copy.copy(c)
        d.signal()

    try_("cond copied", func38)


if __name__ == "__main__":
    run(main)
