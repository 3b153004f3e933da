"""Package sync and package atomic: what holds for all of their objects."""

from __future__ import annotations

import copy
import pickle
import re
import sys
from pathlib import Path

import pytest

from goruntime import FatalError, GoPanic, atomic, chan, go, run, runtime, sync, time
from goruntime.base.events import as_record

from .running import OUTSIDE

THIS = re.escape(str(Path(__file__)))
INTEGERS = (atomic.Int32, atomic.Int64, atomic.Uint32, atomic.Uint64, atomic.Uintptr)


def nothing(*_):
    return None


def cond():
    return sync.Cond(sync.Mutex())


def held(make, *operations):
    """An object on which these operations were done."""

    def made():
        obj = make()
        for operation in operations:
            operation(obj)
        return obj

    return made


# name -> (how to make the object, the operation); none of them waits
OPERATIONS = {
    "sync.Mutex.lock": (sync.Mutex, sync.Mutex.lock),
    "sync.Mutex.unlock": (held(sync.Mutex, sync.Mutex.lock), sync.Mutex.unlock),
    "sync.Mutex.try_lock": (sync.Mutex, sync.Mutex.try_lock),
    "sync.RWMutex.lock": (sync.RWMutex, sync.RWMutex.lock),
    "sync.RWMutex.unlock": (held(sync.RWMutex, sync.RWMutex.lock), sync.RWMutex.unlock),
    "sync.RWMutex.try_lock": (sync.RWMutex, sync.RWMutex.try_lock),
    "sync.RWMutex.rlock": (sync.RWMutex, sync.RWMutex.rlock),
    "sync.RWMutex.runlock": (held(sync.RWMutex, sync.RWMutex.rlock), sync.RWMutex.runlock),
    "sync.RWMutex.try_rlock": (sync.RWMutex, sync.RWMutex.try_rlock),
    "sync.WaitGroup.add": (sync.WaitGroup, lambda wg: wg.add(1)),
    "sync.WaitGroup.done": (held(sync.WaitGroup, lambda wg: wg.add(2)), sync.WaitGroup.done),
    "sync.WaitGroup.wait": (sync.WaitGroup, sync.WaitGroup.wait),
    "sync.Once.do": (sync.Once, lambda once: once.do(nothing)),
    "sync.Cond.signal": (cond, sync.Cond.signal),
    "sync.Cond.broadcast": (cond, sync.Cond.broadcast),
    "sync.Pool.get": (held(sync.Pool, lambda pool: pool.put(1)), sync.Pool.get),
    "sync.Pool.put": (sync.Pool, lambda pool: pool.put(1)),
    "sync.Map.load": (sync.Map, lambda m: m.load(1)),
    "sync.Map.store": (sync.Map, lambda m: m.store(1, 1)),
    "sync.Map.load_or_store": (sync.Map, lambda m: m.load_or_store(1, 1)),
    "sync.Map.load_and_delete": (sync.Map, lambda m: m.load_and_delete(1)),
    "sync.Map.delete": (sync.Map, lambda m: m.delete(1)),
    "sync.Map.swap": (sync.Map, lambda m: m.swap(1, 1)),
    "sync.Map.range": (sync.Map, lambda m: m.range(nothing)),
    "sync.Map.clear": (sync.Map, lambda m: m.clear()),
    **{f"atomic.{kind.__name__}.load": (kind, kind.load) for kind in (*INTEGERS, atomic.Bool, atomic.Pointer)},
    **{f"atomic.{kind.__name__}.store": (kind, lambda word: word.store(1)) for kind in INTEGERS},
    "atomic.Int64.add": (atomic.Int64, lambda word: word.add(1)),
    "atomic.Int64.swap": (atomic.Int64, lambda word: word.swap(1)),
    "atomic.Int64.compare_and_swap": (atomic.Int64, lambda word: word.compare_and_swap(0, 1)),
    "atomic.Int64.and_": (atomic.Int64, lambda word: word.and_(1)),
    "atomic.Int64.or_": (atomic.Int64, lambda word: word.or_(1)),
    "atomic.Bool.store": (atomic.Bool, lambda word: word.store(True)),
    "atomic.Bool.swap": (atomic.Bool, lambda word: word.swap(True)),
    "atomic.Bool.compare_and_swap": (atomic.Bool, lambda word: word.compare_and_swap(False, True)),
    "atomic.Pointer.store": (atomic.Pointer, lambda word: word.store(word)),
    "atomic.Pointer.swap": (atomic.Pointer, lambda word: word.swap(word)),
    "atomic.Pointer.compare_and_swap": (atomic.Pointer, lambda word: word.compare_and_swap(None, word)),
    "atomic.Value.load": (atomic.Value, atomic.Value.load),
    "atomic.Value.store": (atomic.Value, lambda word: word.store(1)),
    "atomic.Value.swap": (atomic.Value, lambda word: word.swap(1)),
}
ALSO = {
    "sync.WaitGroup.go": (sync.WaitGroup, lambda wg: wg.go(nothing)),
    "sync.Map.load": (sync.Map, lambda m: m.compare_and_swap(1, 1, 2)),
    "atomic.Value.load": (atomic.Value, lambda word: word.compare_and_swap(None, 1)),
}
EVERY = [*OPERATIONS.items(), *ALSO.items(), ("sync.Cond.wait", (cond, sync.Cond.wait))]
every_operation = pytest.mark.parametrize(
    ("name", "make", "operation"), [(name, make, operation) for name, (make, operation) in OPERATIONS.items()]
)
MAKERS = {
    **{kind.__name__: kind for kind in (sync.Mutex, sync.RWMutex, sync.WaitGroup, sync.Once, sync.Pool, sync.Map)},
    **{kind.__name__: kind for kind in (*INTEGERS, atomic.Bool, atomic.Pointer, atomic.Value)},
}


@pytest.mark.parametrize(("name", "kinds"), EVERY, ids=[name for name, _ in EVERY])
def test_outside_a_goroutine(name, kinds):
    make, operation = kinds
    obj = make() if not hasattr(make, "__closure__") or make is cond else None
    if obj is None:  # it needs a run to get into the state
        obj = run(make)
    with pytest.raises(RuntimeError, match=f"^{name} {OUTSIDE}"):
        operation(obj)


@every_operation
def test_an_object_made_outside_belongs_to_the_first_run(name, make, operation):
    if getattr(make, "__closure__", None):
        pytest.skip("made inside")
    obj = make()
    line = sys._getframe().f_lineno - 1
    assert obj.sched is None
    run(operation, obj)
    with pytest.raises(GoPanic, match=r"panic: RuntimeError: <.*>, made at .*, belongs to another run") as caught:
        run(operation, obj)
    if make is not cond:
        assert f"{__file__}:{line}" in str(caught.value)


@every_operation
def test_an_object_made_in_another_run(name, make, operation):
    obj = run(make)
    with pytest.raises(GoPanic, match=r"RuntimeError: <.*> belongs to another run: make it inside main, or make"):
        run(operation, obj)


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
@pytest.mark.parametrize("way", [copy.copy, copy.deepcopy, pickle.dumps], ids=["copy", "deepcopy", "pickle"])
def test_copies_are_refused(make, way):
    with pytest.raises(TypeError, match=f"^{make.__name__}: it cannot be copied"):
        way(make())


@every_operation
def test_the_long_way_does_the_same_as_the_short_one(name, make, operation):
    """Events, and a horizon in the past, send an operation through `step`."""

    def shown(value):
        return re.sub(r" object at 0x\w+", "", repr(value))

    def main():
        obj = make()
        result = operation(obj)
        return shown(result), shown(obj)

    def late():
        obj = make()
        m = here()
        m.clock += 100_000
        m.horizon = 0
        result = operation(obj)
        return shown(result), shown(obj)

    short = run(main, gomaxprocs=1)
    assert run(main, gomaxprocs=1, events=[]) == short
    assert run(late, gomaxprocs=1) == short
    assert run(late, gomaxprocs=4) == short


def here():
    from greenlet import getcurrent

    return getcurrent().m


@every_operation
def test_an_operation_takes_virtual_time_and_joins_clocks(name, make, operation):
    def main():
        obj = make()
        before = here().clock
        operation(obj)
        after = here().clock
        obj.ns = after + 50_000
        if name.endswith("unlock"):  # it can be done once
            return after - before, 0
        if "lock" in name:
            return after - before, 0
        operation(obj)
        return after - before, here().clock - after

    took, joined = run(main, gomaxprocs=1)
    assert 0 < took < 1_000
    assert joined == 0 or joined >= 50_000


@every_operation
def test_in_a_finally_of_an_abandoned_goroutine_it_does_nothing(name, make, operation):
    log = []

    def left():
        obj = make()
        before = repr(obj)
        try:
            chan().recv()
        finally:
            operation(obj)
            log.append((repr(obj), before))

    def main():
        go(left)
        time.sleep(0.001)

    run(main)
    ((after, before),) = log
    assert after == before


BLOCKING = {
    "lock": (held(sync.Mutex, sync.Mutex.lock), sync.Mutex.lock),
    "with": (held(sync.Mutex, sync.Mutex.lock), lambda mu: mu.__enter__()),
    "rwmutex lock": (held(sync.RWMutex, sync.RWMutex.lock), sync.RWMutex.lock),
    "rwmutex lock, readers": (held(sync.RWMutex, sync.RWMutex.rlock), None),
    "rlock": (held(sync.RWMutex, sync.RWMutex.lock), sync.RWMutex.rlock),
    "wait": (held(sync.WaitGroup, lambda wg: wg.add(1)), sync.WaitGroup.wait),
    "cond": (lambda: held_cond(), sync.Cond.wait),
}


def held_cond():
    c = cond()
    c.l.lock()
    return c


@pytest.mark.parametrize(("make", "operation"), [pair for pair in BLOCKING.values() if pair[1]])
def test_in_a_finally_of_an_abandoned_goroutine_one_that_would_wait_ends_it_again(make, operation):
    log = []

    def left():
        obj = make()
        try:
            chan().recv()
        finally:
            try:
                log.append("finally")
                operation(obj)
                log.append("never")
            finally:
                log.append("inner finally")

    def main():
        go(left)
        time.sleep(0.001)
        return "main returned"

    assert run(main) == "main returned"
    assert log == ["finally", "inner finally"]


WAITS = {
    "sync.Mutex.Lock": BLOCKING["lock"],
    "sync.RWMutex.RLock": BLOCKING["rlock"],
    "sync.RWMutex.Lock": (held(sync.RWMutex, sync.RWMutex.rlock), sync.RWMutex.lock),
    "sync.WaitGroup.Wait": BLOCKING["wait"],
    "sync.Cond.Wait": BLOCKING["cond"],
}


@pytest.mark.parametrize("reason", WAITS)
def test_abandoned_while_it_waits(reason):
    """Its finally runs, and the object is not touched."""
    make, operation = WAITS[reason]
    log = []

    def left():
        try:
            operation(make())
        finally:
            log.append("finally")

    def main():
        go(left)
        time.sleep(0.001)
        return f"[{reason}]" in runtime.stack(all=True)

    assert run(main)
    assert log == ["finally"]


@pytest.mark.parametrize("reason", WAITS)
def test_waiting_for_ever_is_a_deadlock(reason):
    make, operation = WAITS[reason]
    with pytest.raises(FatalError, match=re.escape(f"all goroutines are asleep - deadlock!\n\ngoroutine 1 [{reason}]")):
        run(lambda: operation(make()))


def test_events_name_objects_by_kind_and_number():
    def main():
        a, b = sync.Mutex(), sync.Mutex()
        b.lock()
        a.lock()
        a.unlock()
        atomic.Int32().add(1)
        sync.WaitGroup().add(1)
        sync.Once().do(nothing)

    events = []
    run(main, events=events, gomaxprocs=1)
    found = [as_record(event) for event in events]
    named = [(record["event"], record["object"]) for record in found if "object" in record and record["g"] == 1]
    assert [(event, name) for event, name in named if not event.startswith("go_")] == [
        ("sync_lock", "mutex 1"),
        ("sync_lock", "mutex 2"),
        ("sync_unlock", "mutex 2"),
        ("atomic", "atomic 1"),
        ("waitgroup_add", "waitgroup 1"),
        ("sync_lock", "mutex 3"),
        ("once_do", "once 1"),
        ("once_do", "once 1"),
        ("sync_unlock", "mutex 3"),
    ]


@pytest.mark.parametrize("seed", range(3))
def test_the_same_seed_gives_the_same_run(seed):
    def main():
        mu, rw, wg, total = sync.Mutex(), sync.RWMutex(), sync.WaitGroup(), atomic.Int64()

        def work(number):
            for turn in range(5):
                with mu:
                    runtime.work((number + turn) % 3 * 1e-6)
                with rw if turn % 2 else rw.rlocker():
                    total.add(turn)

        for number in range(8):
            wg.go(work, number)
        wg.wait()
        return total.load()

    def record():
        events = []
        run(main, gomaxprocs=4, seed=seed, events=events)
        return events

    assert record() == record()
