"""Programs whose figures differ from run to run in Go too: what all of Go's runs have in common.

One function for each, over the whole outcome of a run. Each holds for every variant that Go gave, and is broken by
any figure outside the measured range (test_ranges.py). The ranges are listed in docs/fidelity.md.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import NamedTuple

from .oracle import HERE, Outcome

SCHED = re.compile(
    r"SCHED (?P<ms>\d+)ms: gomaxprocs=(?P<gomaxprocs>\d+) idleprocs=(?P<idleprocs>\d+) threads=(?P<threads>\d+)"
    r" spinningthreads=(?P<spinning>\d+) needspinning=(?P<needspinning>[01]) idlethreads=(?P<idlethreads>\d+)"
    r" runqueue=(?P<runqueue>\d+)"
)
QUEUES = re.compile(r" \[ (?P<rings>(?:\d+ )+)\] schedticks=\[ (?P<ticks>(?:\d+ )+)\]")
DETAIL = re.compile(
    r" gcwaiting=(?P<gcwaiting>true|false) nmidlelocked=(?P<nmidlelocked>\d+) stopwait=(?P<stopwait>\d+)"
    r" sysmonwait=(?P<sysmonwait>true|false)"
)
P_LINE = re.compile(
    r"  P(?P<id>\d+): status=(?P<status>\d+) schedtick=\d+ syscalltick=\d+ m=(?P<m>nil|\d+) runqsize=(?P<runqsize>\d+)"
    r" gfreecnt=\d+ timerslen=(?P<timerslen>\d+)"
)
M_LINE = re.compile(
    r"  M(?P<id>\d+): p=(?P<p>nil|\d+) curg=(?P<curg>nil|\d+) mallocing=\d+ throwing=\d+ preemptoff= locks=\d+ dying=0"
    r" spinning=(?P<spinning>true|false) blocked=(?P<blocked>true|false) lockedg=(?P<lockedg>nil|\d+)"
)
G_LINE = re.compile(
    r"  G(?P<id>\d+): status=(?P<status>\d+)\((?P<reason>.*)\) m=(?P<m>nil|\d+) lockedm=(?P<lockedm>nil|\d+)"
)


class Sched(NamedTuple):
    """One schedtrace line."""

    ms: int
    gomaxprocs: int
    idleprocs: int
    threads: int
    spinning: int
    needspinning: int
    idlethreads: int
    runqueue: int
    rings: list[int]
    ticks: list[int]


def sched_lines(outcome: Outcome, shortest_ms: int, longest_ms: int) -> list[Sched]:
    """The lines of a run that printed nothing else, at 0 ms and then every `shortest_ms` to `longest_ms`."""
    assert outcome.status == 0
    assert outcome.stdout == ""
    lines = []
    for line in outcome.stderr.splitlines():
        match = re.fullmatch(SCHED.pattern + QUEUES.pattern, line)
        assert match, line
        figures = {key: int(value) for key, value in match.groupdict().items() if key not in ("rings", "ticks")}
        lists = {key: [int(word) for word in match[key].split()] for key in ("rings", "ticks")}
        lines.append(Sched(**figures, **lists))
    assert lines[0].ms == 0
    for line, later in pairwise(lines):
        assert shortest_ms <= later.ms - line.ms <= longest_ms
    for line in lines:
        assert len(line.rings) == len(line.ticks) == line.gomaxprocs
    return lines


def schedtrace_idle(outcome: Outcome) -> None:
    lines = sched_lines(outcome, 100, 115)
    assert len(lines) == 4
    assert all(line.gomaxprocs == 2 and line.runqueue == 0 for line in lines)
    for line in lines[1:]:
        assert (line.idleprocs, line.spinning, line.needspinning, line.rings) == (2, 0, 0, [0, 0])
        assert line.threads - line.idlethreads == 2  # sysmon, and the one in netpoll
        assert line.threads in (4, 5)
        assert line.ticks == lines[1].ticks


def schedtrace_busy(outcome: Outcome) -> None:
    lines = sched_lines(outcome, 50, 100)
    assert len(lines) in (5, 6)
    assert all(line.gomaxprocs == 2 for line in lines)
    for line in lines[1:]:
        assert (line.idleprocs, line.spinning, line.needspinning) == (0, 0, 1)
        assert line.runqueue + sum(line.rings) == 8  # ten compute, two of them run
        assert line.threads - line.idlethreads == 3  # sysmon and two that run
    for line, later in pairwise(lines[1:]):
        assert all(tick < later_tick for tick, later_tick in zip(line.ticks, later.ticks, strict=True))


def schedtrace_queues(outcome: Outcome) -> None:
    first, *lines = sched_lines(outcome, 40, 60)
    assert (first.gomaxprocs, first.runqueue) == (1, 0)
    assert first.rings in ([0], [9])
    for line in lines:
        assert (line.gomaxprocs, line.idleprocs, line.spinning, line.needspinning) == (1, 0, 0, 1)
        assert line.threads - line.idlethreads == 2  # sysmon and main's
    ten = [line for line in lines if (line.runqueue, line.rings) == (0, [9])]
    many = [line for line in lines if (line.runqueue, line.rings) == (129, [170])]
    assert lines == ten + many
    assert len(ten) >= 3
    assert len(many) >= 3
    assert {line.ticks[0] for line in ten} == {first.ticks[0]}
    assert {line.ticks[0] for line in many} == {first.ticks[0] + 10}


def scheddetail(outcome: Outcome) -> None:
    assert outcome.status == 0
    assert outcome.stdout == ""
    dumps = [dump.splitlines() for dump in re.split(r"^(?=SCHED)", outcome.stderr, flags=re.MULTILINE)[1:]]
    assert len(dumps) == 2
    for dump in dumps:
        assert re.fullmatch(SCHED.pattern + DETAIL.pattern, dump[0]), dump[0]
        for line in dump[1:]:
            assert re.fullmatch(
                "|".join(re.sub(r"\?P<\w+>", "?:", kind.pattern) for kind in (P_LINE, M_LINE, G_LINE)), line
            ), line
        assert re.fullmatch("P{2}M{3,6}G{7,}", "".join(line[2] for line in dump[1:]))  # Ps, then Ms, then Gs
    assert dumps[0][0].startswith("SCHED 0ms: gomaxprocs=2 ")
    _scheddetail_idle(dumps[1])


def _scheddetail_idle(dump: list[str]) -> None:
    """The second dump: everybody sleeps or waits."""
    head = re.fullmatch(SCHED.pattern + DETAIL.pattern, dump[0])
    assert head is not None
    assert 100 <= int(head["ms"]) <= 115
    shown = ("gomaxprocs", "idleprocs", "spinning", "needspinning", "runqueue", "nmidlelocked", "gcwaiting", "stopwait")
    assert [head[key] for key in shown] == ["2", "2", "0", "0", "0", "1", "false", "0"]
    ps = [match for line in dump if (match := P_LINE.fullmatch(line))]
    ms = [match for line in dump if (match := M_LINE.fullmatch(line))]
    gs = [match for line in dump if (match := G_LINE.fullmatch(line))]
    assert [(p["id"], p["status"], p["m"], p["runqsize"]) for p in ps] == [
        ("0", "0", "nil", "0"),
        ("1", "0", "nil", "0"),
    ]
    assert sum(int(p["timerslen"]) for p in ps) == 2
    assert [int(m["id"]) for m in ms] == list(reversed(range(int(head["threads"]))))  # newest first
    assert all((m["p"], m["curg"], m["spinning"]) == ("nil", "nil", "false") for m in ms)
    assert [int(g["id"]) for g in gs] == sorted(int(g["id"]) for g in gs)
    assert all((g["status"], g["m"]) == ("4", "nil") for g in gs)
    idle = ["GC scavenge wait", "GC sweep wait", "GOMAXPROCS updater (idle)", "force gc (idle)"]
    reasons = sorted(g["reason"] for g in gs if g["reason"] != "finalizer wait")
    assert reasons == sorted([*idle, "chan receive", "sleep", "sleep"])
    assert gs[0]["id"] == "1"
    assert gs[0]["reason"] == "sleep"
    (locked,) = [g for g in gs if g["lockedm"] != "nil"]
    (thread,) = [m for m in ms if m["lockedg"] != "nil"]
    assert locked["reason"] == "sleep"
    assert (locked["id"], locked["lockedm"]) == (thread["lockedg"], thread["id"])
    assert thread["blocked"] == "true"


def preempt_slices(outcome: Outcome) -> None:
    assert outcome.status == 0
    assert outcome.stderr == ""
    assert re.fullmatch(r"(?:g[0-2]:\d+ms )+\n", outcome.stdout)
    slices = [(int(g), int(ms)) for g, ms in re.findall(r"g(\d):(\d+)ms ", outcome.stdout)]
    assert len(slices) in (6, 7)
    assert [g for g, _ in slices] == [2, 0, 1, 2, 0, 1, 2][: len(slices)]
    assert all(10 <= ms <= 20 for _, ms in slices[:2])
    assert all(19 <= ms <= 21 for _, ms in slices[2:])


def runnext_chain(outcome: Outcome) -> None:
    assert outcome.status == 0
    assert outcome.stdout == ""
    assert re.fullmatch(r"(?:links>1000:(?:true|false) wait_ms:\d+; ){4}\n", outcome.stderr)
    rounds = re.findall(r"links>1000:(\w+) wait_ms:(\d+); ", outcome.stderr)
    assert all(int(ms) <= 11_000 for _, ms in rounds)
    starved = [links for links, ms in rounds if int(ms) >= 10]
    assert len(starved) >= 3
    assert all(links == "true" for links in starved)


def sleep_granularity(outcome: Outcome) -> None:
    assert outcome.status == 0
    assert outcome.stderr == ""
    medians = re.findall(r"Sleep\((\S+)\) median (\d+\.\d\d)ms; ", outcome.stdout)
    assert "".join(f"Sleep({name}) median {ms}ms; " for name, ms in medians) + "\n" == outcome.stdout
    assert [name for name, _ in medians] == ["10µs", "100µs", "500µs", "1.5ms", "5ms"]
    shortest, *whole = [float(ms) for _, ms in medians]
    assert 0.01 <= shortest <= 0.10 or 1.00 <= shortest <= 1.15  # the M is still spinning, or is in epoll_wait
    for ms, (low, high) in zip(whole, [(1.0, 1.15), (1.0, 1.15), (2.0, 2.25), (5.0, 5.25)], strict=True):
        assert low <= ms <= high


def gomaxprocs_change(outcome: Outcome) -> None:
    assert outcome.status == 0
    assert outcome.stdout == "1 4\nset to 1, was 4\nset 2000, was 1 now 2000\n"
    assert re.fullmatch(r"(?:\d ){5}\n", outcome.stderr)
    assert sorted(outcome.stderr.split()) == ["0", "1", "2", "3", "4"]


METRIC = re.compile(r"(?P<name>/[^,]+),(?P<kind>\w+),(?P<cumulative>true|false),(?P<value>.*)")
SIZES = "buckets=69 first=1 second=9 last=+Inf"
TIMES = "buckets=163 first=-Inf second=0 last=+Inf"
EXACT_METRICS = {
    "/cgo/go-to-c-calls:calls": 0, "/gc/gogc:percent": 100, "/gc/gomemlimit:bytes": (1 << 63) - 1,
    "/gc/heap/goal:bytes": 4 << 20, "/gc/limiter/last-enabled:gc-cycle": 0, "/gc/stack/starting-size:bytes": 2048,
    "/memory/classes/os-stacks:bytes": 0, "/sched/gomaxprocs:threads": 2,
}  # fmt: skip


def metrics_dump(outcome: Outcome) -> None:
    assert (outcome.status, outcome.stderr) == (0, "")
    lines = outcome.stdout.splitlines()
    assert lines[:1] == [f"count {len(lines) - 1}"]
    del lines[0]
    figures: dict[str, int] = {}
    for line in lines:
        metric = METRIC.fullmatch(line)
        assert metric is not None, line
        name, value = metric["name"], metric["value"]
        if metric["kind"] == "float64histogram":
            assert value == (SIZES if "-by-size:" in name else TIMES)
        elif metric["kind"] == "float64":
            assert re.fullmatch(r"\d+\.\d{6}", value), line
        else:
            figures[name] = int(value)
    with open(HERE / "metrics.csv", encoding="utf-8") as rows:
        known = [row.strip() for row in rows][1:]
    shown = [line.rpartition(",")[0] if "buckets=" not in line else line.partition(",buckets")[0] for line in lines]
    assert [row for row in known if row not in shown] in ([], METRICS_LEFT_OUT)
    assert [row for row in shown if row not in known] == []
    for name, value in EXACT_METRICS.items():
        assert figures[name] == value, name
    assert all(value == 0 for name, value in figures.items() if name.startswith("/godebug/"))
    _metrics_add_up(figures)


METRICS_LEFT_OUT = ["/gc/scan/globals:bytes,uint64,false", "/gc/scan/total:bytes,uint64,false"]


def _metrics_add_up(figures: dict[str, int]) -> None:
    """Sums within one dump."""
    classes = {name: value for name, value in figures.items() if name.startswith("/memory/classes/")}
    assert classes.pop("/memory/classes/total:bytes") == sum(classes.values())
    objects = "/gc/heap/allocs:objects", "/gc/heap/frees:objects", "/gc/heap/objects:objects"
    allocs, frees, live = (figures[name] for name in objects)
    assert allocs - frees == live
    assert (
        figures["/gc/heap/allocs:bytes"] - figures["/gc/heap/frees:bytes"]
        == classes["/memory/classes/heap/objects:bytes"]
    )
    states = [
        figures[f"/sched/goroutines/{state}:goroutines"] for state in ("running", "runnable", "waiting", "not-in-go")
    ]
    assert sum(states) == figures["/sched/goroutines:goroutines"] <= figures["/sched/goroutines-created:goroutines"]
    assert 1 <= states[0] <= 2


RANGES = {
    check.__name__: check
    for check in (
        gomaxprocs_change,
        metrics_dump,
        preempt_slices,
        runnext_chain,
        scheddetail,
        schedtrace_busy,
        schedtrace_idle,
        schedtrace_queues,
        sleep_granularity,
    )
}
