"""Go's packages under exploration: what independent walks come to, the exhaustive search has found too.

The walks know nothing of which steps commute, nor of segments that touch nothing shared; so an outcome that only they
find would be one that the search has wrongly taken for another. Each goroutine says what it is about to do before it
does it: so the order of two operations shows even when both were announced.
"""

from __future__ import annotations

import pytest

from goruntime import chan, context, coro, errgroup, errors, go, rate, runtime, select, semaphore, singleflight, sync
from goruntime.check import explore

BG = context.background()


def canceled_while_read():
    ctx, cancel = context.with_cancel(BG)
    child, _ = context.with_cancel(ctx)
    log, done = [], chan(1)

    def reads():
        log.append("reads")
        log.append(str(child.err()))
        log.append(str(ctx.err()))
        done.send(None)

    go(reads)
    log.append("cancels")
    cancel()
    log.append("canceled")
    done.recv()
    return log


def derived_while_canceled():
    ctx, cancel = context.with_cancel(BG)
    log, done = [], chan(1)

    def derives():
        log.append("derives")
        child, cancel_child = context.with_cancel_cause(ctx)
        log.append(str(child.err()))
        cancel_child(errors.new("own"))
        log.append(str(context.cause(child)))
        done.send(None)

    go(derives)
    log.append("cancels")
    cancel()
    log.append("canceled")
    done.recv()
    return log


def two_children():
    ctx, cancel = context.with_cancel(BG)
    log, done = [], chan(2)
    for n in range(2):
        child, _ = context.with_cancel(ctx)
        context.after_func(child, lambda n=n: (log.append(n), done.send(None)))
    cancel()
    log.append("canceled")
    done.recv()
    done.recv()
    return log


def stopped_or_started():
    ctx, cancel = context.with_cancel(BG)
    log, done = [], chan(1)

    def f():
        log.append("started")
        done.send(None)

    stop = context.after_func(ctx, f)

    def cancels():
        log.append("cancels")
        cancel()

    go(cancels)
    log.append("stops")
    if stop():
        log.append("stopped")
        done.send(None)
    done.recv()
    return log


def selects_on_a_context():
    ctx, cancel = context.with_cancel(BG)
    jobs, log = chan(1), []
    go(cancel)
    go(jobs.send, "job")
    for _ in range(2):
        index, value = select(jobs.recv, ctx.done().recv)
        log.append((index, value))
    return log


def semaphore_against_cancel():
    s = semaphore.Weighted(1)
    s.acquire(BG)
    ctx, cancel = context.with_cancel(BG)
    log, done = [], chan(1)

    def waits():
        log.append("waits")
        try:
            s.acquire(ctx)
            log.append("got it")
        except errors.ErrorString:
            log.append("canceled")
        done.send(None)

    go(waits)
    log.append("releases")
    s.release()
    log.append("cancels")
    cancel()
    done.recv()
    return log, repr(s)


def tries_a_semaphore():
    s = semaphore.Weighted(1)
    log, done = [], chan(1)

    def tries():
        log.append("tries")
        has_it = s.try_acquire()
        log.append(has_it)
        if has_it:
            s.release()
        done.send(None)

    go(tries)
    log.append("acquires")
    s.acquire(BG)
    log.append("releases")
    s.release()
    done.recv()
    return log


def group_that_fails():
    group = errgroup.Group()
    log = []

    def one():
        log.append("one")
        raise errors.new("first")

    group.go(one)
    log.append("main")
    try:
        group.wait()
    except errors.ErrorString:
        log.append("failed")
    return log


def group_with_a_limit():
    group = errgroup.Group()
    group.set_limit(1)
    log = []
    group.go(log.append, 1)
    log.append("started")
    log.append(group.try_go(log.append, 2))
    group.wait()
    return log


def shared_flight():
    flights = singleflight.Group()
    log, done = [], chan(1)

    def fetch():
        log.append("fetch")
        return len(log)

    def other():
        log.append("other")
        log.append(flights.do("key", fetch))
        done.send(None)

    go(other)
    log.append("main")
    log.append(flights.do("key", fetch))
    done.recv()
    return log


def limited():
    limiter = rate.Limiter(0, 1)
    log, done = [], chan(1)

    def asks():
        log.append("asks")
        log.append(limiter.allow())
        done.send(None)

    go(asks)
    log.append("main asks")
    log.append(limiter.allow())
    done.recv()
    return log


def pulled_by_two():
    ch = chan(2)
    log, done = [], chan(1)

    def seq(yield_):
        for value in ch:
            log.append(f"before {value}")
            yield_(value)

    next_, stop = coro.pull(seq)
    mu = sync.Mutex()

    def pulls():
        log.append("pulls")
        with mu:
            log.append(next_()[0])
        done.send(None)

    ch.send(1)
    ch.send(2)
    go(pulls)
    runtime.gosched()
    with mu:
        log.append(("main", next_()[0]))
    done.recv()
    ch.close()
    stop()
    return log


PROGRAMS = [
    *(canceled_while_read, derived_while_canceled, two_children, stopped_or_started, selects_on_a_context),
    *(semaphore_against_cancel, tries_a_semaphore, group_that_fails, group_with_a_limit, shared_flight),
    *(limited, pulled_by_two),
]


@pytest.mark.slow
@pytest.mark.parametrize("main", PROGRAMS, ids=lambda main: main.__name__)
def test_the_search_misses_nothing_that_walks_find(main):
    found = explore(main, "dfs", 30_000, leaks=False, stop_on_failure=False)
    walked = explore(main, "random", 1_500, leaks=False, stop_on_failure=False)
    assert found.verdict == "proved", str(found)
    assert walked.failures == []
    assert set(walked.results) <= set(found.results)
    assert len(found.results) > 1
