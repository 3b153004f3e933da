"""sched.bubble: the accounts of a bubble, at every step, and what it costs."""

from __future__ import annotations

import pytest

from goruntime import Panic, chan, coro, go, rand, run, runtime, select, sync, syscall, time
from goruntime.base.errors import Throw
from goruntime.kernel import costs
from goruntime.sched import schedule
from goruntime.sched.bubble import START_NS, Bubble
from goruntime.sched.status import DURABLE
from goruntime.sched.waitreason import DURABLE_FORM, IS_IDLE_IN_SYNCTEST, WAIT_REASONS
from goruntime.testing import synctest

from .world import Still, here, records


@pytest.fixture
def checked(monkeypatch):
    """Every bubble's accounts are checked at each round of a g0."""
    one_round = schedule.schedule
    seen = []

    def check_and_schedule(m):
        for bubble in m.sched.bubbles:
            bubble.check()
            seen.append(bubble.running)
        one_round(m)

    monkeypatch.setattr(schedule, "schedule", check_and_schedule)
    return seen


def busy():
    """A bubble in which everything happens, in an order that the run's seed decides."""
    results, mu, wg = chan(0, int), sync.Mutex(), sync.WaitGroup()
    cond = sync.Cond(mu)
    stop = chan()

    def worker(number):
        for _ in range(4):
            what = rand.int_n(8)
            if what == 0:
                time.sleep(rand.int_n(3) * 1e-3)
            elif what == 1:
                with mu:
                    runtime.gosched()
            elif what == 2:
                runtime.work(5e-6)
            elif what == 3:
                select(time.after(1e-3).recv, stop.recv)
            elif what == 4:
                inner = sync.WaitGroup()
                inner.go(time.sleep, 1e-3)
                inner.wait()
            elif what == 5:
                syscall(abs, -1, takes=30e-6)
            elif what == 6:
                next_, end = coro.pull(lambda yield_: (yield_(1), time.sleep(1e-3), yield_(2)))
                next_()
                next_()
                end()
            else:
                with mu:
                    cond.broadcast()
        results.send(number)

    for number in range(6):
        wg.go(worker, number)
    go(lambda: (wg.wait(), results.close()))
    ticker = time.Ticker(1e-3)
    got = sorted(results)
    ticker.stop()
    synctest.wait()
    stop.close()
    return got


@pytest.mark.parametrize("procs", [1, 2, 4])
def test_the_accounts_are_right_at_every_step(checked, procs):
    for seed in range(40):
        assert run(synctest.test, busy, seed=seed, gomaxprocs=procs) == list(range(6))
    assert len(checked) > 1_000
    assert min(checked) == 1  # whoever parked last has woken somebody
    assert max(checked) >= 6


@pytest.mark.sim
@pytest.mark.parametrize("durable", [False, True])
def test_the_accounts_are_right_for_many_seeds(checked, sim_seed, durable):
    for seed in range(sim_seed, sim_seed + 60):
        got = run(lambda: synctest.test(busy, durable_mutexes=durable), seed=seed, gomaxprocs=4, quantum=1e-6)
        assert got == list(range(6))


def test_the_same_seed_is_the_same_run():
    def main():
        return [synctest.test(busy) for _ in range(3)]

    for procs in (1, 4):
        first, second = (records(main, gomaxprocs=procs, seed=9) for _ in range(2))
        assert first == second


def test_a_wrong_count_is_noticed():
    w = Still()
    root = w.running()
    bubble = Bubble(w.sched, root)
    root.bubble = bubble
    bubble.check()
    bubble.total = 2
    with pytest.raises(Throw, match="goroutines miscounted"):
        bubble.check()
    bubble.total, bubble.running = 1, 0
    with pytest.raises(Throw, match="running goroutines miscounted"):
        bubble.check()
    with pytest.raises(Throw, match="running < 0"):
        bubble.ended(w.m, root)


def test_what_counts_as_blocked_is_go_s_list():
    durable = [reason for reason, is_idle in zip(WAIT_REASONS, IS_IDLE_IN_SYNCTEST, strict=True) if is_idle]
    assert sorted(durable) == sorted(
        [
            "chan receive (nil chan)", "chan send (nil chan)", "select (no cases)", "sleep", "sync.Cond.Wait",
            "coroutine", "synctest.Run", "synctest.Wait", "chan receive (durable)", "chan send (durable)",
            "select (durable)", "sync.WaitGroup.Wait (durable)",
        ]
    )  # fmt: skip
    assert {WAIT_REASONS[plain]: WAIT_REASONS[form] for plain, form in DURABLE_FORM.items()} == {
        name: f"{name} (durable)" for name in ("chan receive", "chan send", "select", "sync.WaitGroup.Wait")
    }


def test_while_there_is_a_bubble_no_p_keeps_dead_goroutines():
    def main():
        for _ in range(5):
            go(runtime.gosched)
        time.sleep(1e-3)
        sched = here()[0].sched
        kept = sum(len(pp.gfree) for pp in sched.allp)

        def body():
            go(runtime.gosched)
            synctest.wait()
            return sum(len(pp.gfree) for pp in sched.allp), len(sched.allgs)

        before = len(sched.allgs)
        inside, after = synctest.test(body)
        go(runtime.gosched)
        return kept, inside, before == after

    assert run(main, gomaxprocs=1) == (5, 0, True)


def test_costs_are_go_s():
    """What a wait, a sleep and an empty bubble take on one P is what bench/calibrate measured."""

    def cost(operation, count=50):
        m, _ = here()
        start = m.clock
        for _ in range(count):
            operation()
        return (m.clock - start) / count

    def main():
        def inside():
            return cost(synctest.wait), cost(lambda: time.sleep(1e-9)), cost(time.now)

        return *synctest.test(inside), cost(lambda: synctest.test(int))

    wait, sleep, now, empty = run(main, gomaxprocs=1)
    assert wait == pytest.approx(128, abs=5)
    assert sleep == pytest.approx(357, abs=5)
    assert now == costs.SYNCTEST_NOW == 2
    assert empty == pytest.approx(367, abs=10)


def test_events_say_what_a_bubble_does():
    def main():
        synctest.test(time.sleep, 5)
        try:
            synctest.test(select)
        except Panic:
            return

    seen = records(main, "bubble_begin", "bubble_time", "bubble_end", gomaxprocs=1)
    assert [(record["event"], record["object"]) for record in seen] == [
        ("bubble_begin", "synctest bubble 1"),
        ("bubble_time", "synctest bubble 1"),
        ("bubble_end", "synctest bubble 1"),
        ("bubble_begin", "synctest bubble 2"),
        ("bubble_end", "synctest bubble 2"),
    ]
    assert seen[1]["now_ns"] == START_NS + 5 * 10**9
    assert [record["why"] for record in seen if "why" in record] == [
        "",
        "deadlock: all goroutines in bubble are blocked",
    ]
    parks = [record["reason"] for record in records(lambda: synctest.test(lambda: chan().recv), "go_park")]
    assert set(parks) <= set(WAIT_REASONS)
    reasons = {record["reason"] for record in records(main, "go_park", gomaxprocs=1)}
    assert reasons == {"synctest.Run", "sleep", "select (no cases)"}


def test_durable_is_a_wait():
    def main():
        def body():
            c = chan()
            go(c.recv)
            synctest.wait()
            sched = here()[0].sched
            assert [gp.status for gp in sched.allgs if gp.bubble is not None].count(DURABLE) == 2
            assert all(gp.status != DURABLE for gp in sched.allgs if gp.bubble is None)
            c.close()

        synctest.test(body)
        return True

    assert run(main)


def test_clocks_are_joined():
    """Who goes on because all others are blocked goes on no earlier than the last of them came."""

    def body():
        for _ in range(4):
            go(runtime.work, 1e-3)
        synctest.wait()
        return here()[0].clock

    for seed in range(5):
        assert run(synctest.test, body, gomaxprocs=4, quantum=5e-6, seed=seed) >= 1_000_000
