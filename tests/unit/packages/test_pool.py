"""sync.Pool: private, shared, stolen, victim, made."""

from __future__ import annotations

import pytest

from goruntime import chan, go, run, runtime, sync, time
from goruntime.base.errors import Throw
from goruntime.base.events import as_record
from goruntime.kernel import costs
from goruntime.sync.pool import pools_of
from tests.unit.sched.world import here, sched_here


def collect():
    """What the collector does at the beginning of a cycle."""
    cleanup = sched_here().pool_cleanup
    assert cleanup is not None
    cleanup()


@pytest.fixture(params=[{}, {"checksum": True}], ids=["flat", "listening"])
def config(request):
    return {"gomaxprocs": 1, **request.param}


def test_the_private_item_first_and_then_the_newest_shared_one(config):
    def main():
        pool = sync.Pool()
        assert pool.get() is None
        for item in "abcd":
            pool.put(item)
        pool.check()
        assert repr(pool) == "<sync.Pool, 4 items>"
        return [pool.get() for _ in range(5)]

    assert run(main, **config) == ["a", "d", "c", "b", None]


def test_none_is_no_item(config):
    def main():
        pool = sync.Pool()
        pool.put(None)
        pool.put(0)
        return pool.get(), pool.get()

    assert run(main, **config) == (0, None)


def test_new_makes_one_when_there_is_none(config):
    def main():
        made = []

        def new():
            made.append(len(made))
            return made[-1]

        pool = sync.Pool(new)
        assert [pool.get(), pool.get()] == [0, 1]
        pool.put("kept")
        return pool.get(), pool.get()

    assert run(main, **config) == ("kept", 2)


def test_new_may_be_set_later_and_may_use_the_pool():
    def main():
        pool = sync.Pool()

        def new():
            pool.put("another")
            return "new"

        pool.new = new
        return pool.get(), pool.get()

    assert run(main, gomaxprocs=1) == ("new", "another")


@pytest.mark.parametrize("wrong", [3, "new", ()])
def test_new_must_be_a_function(wrong):
    with pytest.raises(TypeError, match=r"^sync\.Pool: new must be a function that makes an item, not "):
        sync.Pool(wrong)


# ---- several Ps ----


def on_every_p(work, count):
    """Run work on each of so many Ps, at once; what they returned, by P."""
    found, arrived, done = {}, [0], chan(count)

    def spread():
        arrived[0] += 1
        while arrived[0] < count:
            runtime.work(1e-6)
        pid = here()[0].p.id
        found[pid] = work(pid)
        done.send(None)

    for _ in range(count):
        go(spread)
    for _ in range(count):
        done.recv()
    return found


def test_each_p_has_its_own(config):
    def main():
        pool = sync.Pool()
        on_every_p(pool.put, 3)
        assert [local.private for local in pool.local] == [0, 1, 2, None][: len(pool.local)]
        assert on_every_p(lambda pid: pool.get() == pid, 3) == {0: True, 1: True, 2: True}

    run(main, **{**config, "gomaxprocs": 3})


def test_items_of_others_are_stolen_oldest_first_but_not_their_private_one():
    def main():
        pool = sync.Pool()
        for item in "pabc":
            pool.put(item)
        me = here()[0].p.id
        other = (me + 1) % 3
        assert pool.get_slow(other) == ("a", "stolen")
        assert pool.get_slow(other) == ("b", "stolen")
        assert pool.get_slow(me) == ("c", "stolen")
        assert pool.get_slow(other) == (None, "none")
        assert pool.get() == "p"

    run(main, gomaxprocs=3)


def test_the_next_p_is_asked_first():
    def main():
        pool = sync.Pool()
        on_every_p(lambda pid: [pool.put(f"{pid}{item}") for item in "pa"], 4)
        return [pool.get_slow(pid)[0] for pid in (2, 2, 2, 2)]

    assert run(main, gomaxprocs=4) == ["3a", "0a", "1a", "2a"]


def test_more_ps_than_when_it_was_made_lose_what_it_held():
    def main():
        pool = sync.Pool()
        pool.put("lost")
        runtime.gomaxprocs(3)
        on_every_p(pool.put, 3)
        assert len(pool.local) == 3
        pool.check()
        return sorted(local.private for local in pool.local)

    assert run(main, gomaxprocs=1) == [0, 1, 2]


# ---- the victim ----


def test_an_item_survives_one_collection_and_not_two(config):
    def main():
        pool = sync.Pool()
        for item in "abc":
            pool.put(item)
        collect()
        pool.check()
        assert (pool.local, len(pool.victim)) == ([], 1)
        assert pool.get() == "a"
        assert pool.get() == "b"  # of the victim's shared ones the oldest
        collect()
        return pool.get()

    assert run(main, **config) is None


def test_one_that_is_used_between_collections_lives_on(config):
    def main():
        pool = sync.Pool()
        pool.put("x")
        for _ in range(5):
            collect()
            item = pool.get()
            assert item == "x"
            pool.put(item)
            pool.check()
        return pools_of(sched_here()).present == [pool]

    assert run(main, **config)


def test_present_items_come_before_the_victim():
    def main():
        pool = sync.Pool()
        pool.put("old")
        collect()
        pool.put("new")
        return pool.get(), pool.get(), pool.get(), pool.victim

    assert run(main, gomaxprocs=1) == ("new", "old", None, [])


def test_an_empty_pool_is_forgotten():
    def main():
        pool = sync.Pool()
        pool.put(1)
        collect()
        collect()
        pools = pools_of(sched_here())
        pool.check()
        return pools.present, pools.old, pool.local, pool.victim

    assert run(main) == ([], [], [], [])


def test_events_say_where_an_item_came_from():
    def main():
        pool = sync.Pool(lambda: "made")
        pool.put(1)
        pool.put(2)
        for _ in range(3):
            pool.get()
        pool.put(3)
        collect()
        pool.get()

    events = []
    run(main, gomaxprocs=1, events=events)
    records = [as_record(event) for event in events]
    ways = [(r["event"], r["where"]) for r in records if r["event"].startswith("pool_")]
    assert ways == [
        ("pool_put", "private"),
        ("pool_put", "shared"),
        ("pool_get", "private"),
        ("pool_get", "shared"),
        ("pool_get", "made"),
        ("pool_put", "private"),
        ("pool_get", "victim"),
    ]


def test_costs():
    def main():
        pool = sync.Pool()
        m, _ = here()
        before = m.clock
        pool.put(1)
        pool.get()
        middle = m.clock
        pool.put(1)
        pool.put(2)
        return middle - before, m.clock - middle

    assert run(main, gomaxprocs=1) == (2 * costs.POOL, 2 * costs.POOL + costs.POOL_SHARED)


@pytest.mark.parametrize("procs", [1, 4])
def test_hammer(procs):
    """In Go's words: many take and give; what was taken is in nobody else's hands."""

    def main():
        pool, wg, out = sync.Pool(), sync.WaitGroup(), set()

        def use(number):
            for turn in range(40):
                pool.put(f"{number}.{turn}")
                item = pool.get()
                if item is not None:
                    assert item not in out
                    out.add(item)
                    runtime.work((number + turn) % 3 * 1e-7)
                    if turn % 2:
                        out.remove(item)
                        pool.put(item)
                if turn % 16 == 0:
                    time.sleep(1e-6)

        for number in range(10):
            wg.go(use, number)
        wg.wait()
        pool.check()

    for seed in range(3):
        run(main, gomaxprocs=procs, seed=seed)


def test_check_finds_a_broken_pool():
    def main():
        pool = sync.Pool()
        pool.check()
        pool.put(1)
        pools_of(sched_here()).present.append(pool)
        with pytest.raises(Throw):
            pool.check()
        pools_of(sched_here()).present = []
        with pytest.raises(Throw):
            pool.check()

    run(main)
