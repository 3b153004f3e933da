"""The range checks hold for everything that Go printed, and for nothing that is out of range."""

import re

import pytest

from .oracle import Oracle
from .ranges import RANGES

BROKEN = [  # (program, pattern in what Go printed, what makes it wrong)
    ("gomaxprocs_change", r"\b3 ", "2 "),
    ("gomaxprocs_change", "1 4", "4 1"),
    ("gomaxprocs_change", "now 2000", "now 4"),
    ("metrics_dump", "count 108", "count 107"),
    ("metrics_dump", "(?m)^/gc/heap/live:bytes.*\n", ""),
    ("metrics_dump", "/gc/gogc:percent,uint64,false", "/gc/gogc:percent,uint64,true"),
    ("metrics_dump", "buckets=69", "buckets=68"),
    ("metrics_dump", "panicnil:events,uint64,true,0", "panicnil:events,uint64,true,1"),
    ("metrics_dump", "classes/other:bytes,uint64,false,", "classes/other:bytes,uint64,false,1"),
    ("metrics_dump", "frees:objects,uint64,true,", "frees:objects,uint64,true,1"),
    ("metrics_dump", "goroutines/waiting:goroutines,uint64,false,", "goroutines/waiting:goroutines,uint64,false,1"),
    ("preempt_slices", "g0:20ms g1", "g0:40ms g1"),
    ("preempt_slices", "g2:15ms", "g2:25ms"),
    ("preempt_slices", "g0:20ms g1:20ms", "g1:20ms g0:20ms"),
    ("preempt_slices", "g1:20ms $", ""),
    ("runnext_chain", "wait_ms:10228", "wait_ms:60000"),
    ("runnext_chain", r"wait_ms:\d\d+", "wait_ms:0"),
    ("runnext_chain", "1000:true", "1000:false"),
    ("scheddetail", "idleprocs=2", "idleprocs=1"),
    ("scheddetail", "status=4.sleep.", "status=4(select)"),
    ("scheddetail", "lockedm=0", "lockedm=nil"),
    ("scheddetail", "timerslen=2", "timerslen=3"),
    ("scheddetail", "GC sweep wait", "GC scavenge wait"),
    ("scheddetail", "(?m)^  M4.*\n", ""),
    ("scheddetail", "SCHED 106ms", "SCHED 306ms"),
    ("scheddetail", "preemptoff= ", ""),
    ("schedtrace_busy", "gomaxprocs=2", "gomaxprocs=4"),
    ("schedtrace_busy", "runqueue=4", "runqueue=5"),
    ("schedtrace_busy", "idleprocs=0 threads=5", "idleprocs=1 threads=5"),
    ("schedtrace_busy", "(?m)^SCHED 142ms.*\n", ""),
    ("schedtrace_busy", "(schedticks=.) 7 10", r"\1 5 10"),
    ("schedtrace_idle", "runqueue=0", "runqueue=1"),
    ("schedtrace_idle", "spinningthreads=0 needspinning=0 ", "spinningthreads=0 "),
    ("schedtrace_idle", "(?m)^SCHED 308ms.*\n", ""),
    ("schedtrace_idle", r"(308ms.*)\[ 5 2 \]", r"\1[ 6 2 ]"),
    ("schedtrace_queues", r"\[ 9 \]", "[ 10 ]"),
    ("schedtrace_queues", r"129 \[ 170 \]", "0 [ 299 ]"),
    ("schedtrace_queues", r"schedticks=\[ 14 \]", "schedticks=[ 15 ]"),
    ("schedtrace_queues", r"runqueue=129 (\[ 170 \] schedticks=\[ )14", r"runqueue=0 \g<1>14"),
    ("sleep_granularity", "median 1.10ms", "median 0.10ms"),
    ("sleep_granularity", "median 2.19ms", "median 1.50ms"),
    ("sleep_granularity", "median 5.21ms", "median 6.21ms"),
    ("sleep_granularity", "median 1.06ms", "median 0.50ms"),
    ("sleep_granularity", "500µs", "600µs"),
]


@pytest.mark.parametrize("name", sorted(RANGES))
def test_holds_for_go(name):
    for outcome in Oracle(name).variants:
        RANGES[name](outcome)


@pytest.mark.parametrize(("name", "pattern", "wrong"), BROKEN)
def test_is_broken_by_figures_out_of_range(name, pattern, wrong):
    outcome = Oracle(name).variants[0]
    broken = outcome._replace(
        stdout=re.sub(pattern, wrong, outcome.stdout), stderr=re.sub(pattern, wrong, outcome.stderr)
    )
    assert broken != outcome
    with pytest.raises((AssertionError, ValueError)):
        RANGES[name](broken)


@pytest.mark.parametrize("name", sorted(RANGES))
def test_is_broken_by_another_status_or_an_empty_output(name):
    outcome = Oracle(name).variants[0]
    with pytest.raises((AssertionError, IndexError)):
        RANGES[name](outcome._replace(status=2))
    with pytest.raises((AssertionError, IndexError)):
        RANGES[name](outcome._replace(stdout="", stderr=""))


def test_every_range_is_broken_by_something():
    assert {name for name, _, _ in BROKEN} == set(RANGES)
