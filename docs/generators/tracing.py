"""docs/tracing.md: what each column of schedtrace and each field of an event means.

The kinds of events and their fields come from base/events.py; what they mean, and an example of each, stands here.
"""

# ruff: noqa: E501  the tables are pages, not code
from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from goruntime.base.events import FIELDS, NAMES, SCHEMA_VERSION, as_record

TARGET = "tracing.md"

INTRODUCTION = f"""\
# Reading what a run tells

Made by `./dev docs`: change it in docs/generators/tracing.py.

Four ways to watch a program, from the coarse to the fine:

| what | how |
|---|---|
| a table at the end | `goruntime run --stats PROG.py` |
| the scheduler's state, every so many milliseconds | `GODEBUG=schedtrace=10 goruntime run PROG.py`, and `scheddetail=1` |
| every event, as a file | `goruntime run --events OUT.jsonl PROG.py`, or `run(main, events="out.jsonl")` |
| every event, in Python | `run(main, events=a_list)`, or `run(main, observers=(MyObserver(),))` |

None of them changes what happens: virtual time, choices and checksums are the same, watched or not. All times are
virtual nanoseconds since the start of the run (`clock="real"`: since the process started it).

## schedtrace

`GODEBUG=schedtrace=X` prints a line every X milliseconds, on stderr, in the format of Go 1.27:

```
SCHED 106ms: gomaxprocs=2 idleprocs=0 threads=4 spinningthreads=0 needspinning=1 idlethreads=1 runqueue=3 [ 3 2 ] schedticks=[ 6 6 ]
```

| column | meaning |
|---|---|
| `SCHED 106ms` | time since the first line. sysmon prints, when it happens to be awake: X milliseconds and a bit more |
| `gomaxprocs` | Ps: how many goroutines can run at once |
| `idleprocs` | Ps that nobody runs on |
| `threads` | Ms that exist, sysmon and the idle ones included |
| `spinningthreads` | Ms that have no work and look for some before they go to sleep |
| `needspinning` | 1: work came up when no P was idle; the next M that is out of work is to spin |
| `idlethreads` | Ms asleep, without a P. One more may sleep in the poller until the next timer; it is not counted |
| `runqueue` | goroutines in the global queue only |
| `[ 3 2 ]` | goroutines in the ring of each P; the one in its `runnext` is not counted |
| `schedticks=[ 6 6 ]` | time slices each P has begun; a goroutine that runs from `runnext` goes on with the slice of the one before |

With `scheddetail=1` the line ends after `runqueue` with

| column | meaning |
|---|---|
| `gcwaiting` | the world is being stopped |
| `nmidlelocked` | Ms asleep because they wait for the one goroutine that is locked to them |
| `stopwait` | Ps that have yet to stop |
| `sysmonwait` | sysmon is in deep sleep (never while it prints) |

and a line for each P, M (the newest first) and G follows:

| line | column | meaning |
|---|---|---|
| `P0:` | `status` | 0 idle, 1 running, 3 stopped, 4 dead |
| | `schedtick`, `syscalltick` | time slices begun; system calls that ended, or lost the P |
| | `m` | the M that runs on it, or `nil` |
| | `runqsize`, `gfreecnt`, `timerslen` | its ring without `runnext`, its dead goroutines kept for reuse, its timers, stopped ones included until they are cleaned up |
| `M0:` | `p`, `curg` | its P and the goroutine on it. In a system call it may have a goroutine and no P |
| | `mallocing`, `throwing`, `dying` | 1 on the M the program dies on; `throwing` is 0 for a panic, 1 for a fatal error of the program's, 2 for one of the runtime's |
| | `preemptoff`, `locks` | nothing, and 0; 32 on the M that prints, which holds the scheduler's lock, 48 after a fatal error |
| | `spinning`, `blocked` | looking for work; asleep |
| | `lockedg` | the goroutine that is locked to it |
| `G1:` | `status` | 1 runnable, 2 running, 3 in a system call, 4 waiting, 6 dead; then the reason of its last wait, in parentheses |
| | `m`, `lockedm` | the M it runs on, the M it is locked to |

G2 to G5 are the runtime's own. While either setting is on, a panic or a fatal error also prints all this once, as in Go.

## Events

`--events OUT.jsonl` records one JSON object a line. The first is the header, with the schema's version ({SCHEMA_VERSION}), the program and
its configuration; the last is the trailer, `{{"end": ...}}`: how the run ended, how many events there were, the checksums
of events and choices, and why the run is open, if it is. A file without a trailer belongs to a process that was killed
or had no room left. Two recordings of a closed run are equal byte for byte.

`events=` with anything that has `append` (a list), and the method `on_event` of an observer, get the same as tuples:
`(kind, ns, m, p, g, *fields)`; `goruntime.base.events.as_record` makes the dict of it that a line of the file holds.

Every event has `ns`, the virtual time, and where it happened: `m`, `p` and `g` are the numbers of the M, P and
goroutine, -1 for none (a thread that looks for work has no goroutine, one that sleeps has no P).

An observer is any object with some of the methods `on_event(event)`, `on_output(text, goid)` and `on_end(summary)`.
`goruntime.Observer` is a base class that says what they get; nothing has to derive from it.
One that raises is removed, with a line on stderr; the run goes on.

### Why a goroutine runs

Each `go_start` says from which queue it was taken and why that queue was looked at; the `go_create`, `go_ready` or
`go_yield` before it says who put it there. Together they explain every start, which is tested: a reader that knows
nothing but the events rebuilds all run queues from them (tests/unit/observe/queues.py).

| `queue` | `why` | meaning |
|---|---|---|
| `runnext` | `park`, `goexit` | the goroutine before it on this P parked or ended; this one was put into `runnext` last, and goes on with its time slice |
| `ring` | `park`, `goexit` | the same, with nothing in `runnext`: the head of the P's ring begins a slice |
| `runnext`, `ring` | `local` | the same, found by the scheduler on its own stack: the P had just become idle, was asked to yield, or something else was due |
| `runnext` | `timer of another P` | a thread out of work ran the timers of a busy P, and one of them readied it |
| `global` | `every 61st slice` | the global queue comes first in every 61st slice, so that it never starves |
| `global` | `local queue is empty` | a batch was taken from the global queue: this is the first, the others went to the ring |
| `global` | `before going idle`, `last look` | the same, noticed while giving up the P, or just after |
| `direct` | `main goroutine` | the start of the program |
| `direct` | `stolen` | the last of what the `proc_steal` before it took from another P; the others went to the ring |
| `direct` | `locked to this thread` | another M had picked it (`go_hand_over`) and gave its P to the M it is locked to |
| `direct` | `found an idle P` | it came back from a system call without a P, and one had become idle |

### Every kind of event

| event | meaning, and its own fields |
|---|---|
"""

# name -> (meaning, example of (m, p, g), example of its fields)
KINDS: dict[str, tuple[str, tuple[int, int, int], tuple[Any, ...]]] = {
    "go_create": ("a `go` statement made `target`, which will call `function`, and put it into `queue` (`coroutine`: into none, its partner will switch to it). Without a goroutine: main, or a timer's function", (0, 0, 1), (6, "main.worker", "runnext")),
    "context_make": ("it made the context `object`, which can be canceled; `parent` is the nearest one above it that can", (0, 0, 1), ("context 2", "context 1")),
    "context_cancel": ("the context `object` is canceled, with `error`: canceled, deadline exceeded, or the class of another; `by` the parent it goes down with, if not by itself", (0, 0, 1), ("context 2", "canceled", "context 1")),
    "malloc": ("a new object at `address`, in a slot of so many bytes; 0: a tiny one, in a slot with others", (0, 0, 1), (0xC000000030, 48)),
    "malloc_large": ("a new object at `address` has a span of its own", (0, 0, 1), (0xC000400000, 12)),
    "span_refill": ("the P takes another span of its class for objects: `taken` of its `slots` slots are", (0, 0, 1), (11, 0xC000000000, 0, 168)),
    "span_sweep": ("the span at `address` was swept: `freed` slots of so many bytes are free again", (0, 0, 1), (0xC000000000, 1, 84, 48)),
    "critical": ("it did `operation` on `object`, a semaphore, rate limiter or singleflight group, in one step", (0, 0, 6), ("semaphore 1", "acquire")),
    "go_switch": ("a coroutine switch: `target`, which was blocked on it, runs on in its place; `how`: it is blocked from here on, or ends", (0, 0, 1), (6, "is blocked")),
    "go_start": ("a goroutine begins or goes on to run, taken from `queue`, because of `why` (see above)", (0, 0, 6), ("runnext", "park")),
    "go_park": ("it waits, for `reason` (Go's wait reasons), on `object` if that has a name", (0, 0, 1), ("chan receive", "chan 1")),
    "go_ready": ("it made `target` runnable, which waited for `reason` on `object`, and put it into `queue`. Without a goroutine: a timer did", (0, 0, 6), (1, "runnext", "chan receive", "chan 1")),
    "go_end": ("its function returned", (0, 0, 6), ()),
    "go_yield": ("it stays runnable and is put into `queue`, because of `why`: gosched, preempted, stop the world, goyield", (0, 0, 7), ("global", "preempted")),
    "go_syscall": ("it enters a system call, to call `function`; its P stays with the thread until sysmon wants it", (0, 0, 8), ("read",)),
    "go_sysexit": ("it is back; `how` it got a P: kept it, took it back, took an idle one, or none was free", (0, 0, 8), ("kept its P",)),
    "go_panic": ("it panics; `text` is the type of the value", (0, 0, 9), ("ValueError",)),
    "go_unwind": ("it ends by `why`: goexit", (0, 0, 9), ("goexit",)),
    "chan_make": ("it made the channel `object`", (0, 0, 1), ("chan 1", 0)),
    "chan_send": ("it sent on `object` without waiting; `how`: handed over to the waiting goroutine `peer`, or buffered (`peer` is 0)", (0, 0, 6), ("chan 1", "handed over", 1)),
    "chan_recv": ("it received from `object` without waiting; `how`: from the buffer, or from the waiting sender `peer`", (0, 0, 1), ("chan 2", "from the buffer", 0)),
    "chan_close": ("it closed `object`", (0, 0, 1), ("chan 2",)),
    "select_done": ("a select of `case_count` channels chose the case `index`", (0, 0, 1), (1, 2)),
    "timer_set": ("a timer is armed: due at `when_ns`, and again every `period_ns` unless that is 0", (0, 0, 1), ("timer 1", 1_000_000, 0)),
    "timer_stop": ("a timer is stopped; whether it `was_pending`", (0, 0, 1), ("timer 1", True)),
    "timer_fire": ("a timer that was due at `when_ns` fires", (0, 0, -1), ("timer 1", 1_000_000)),
    "proc_start": ("M `m` has P `p` from now on", (2, 1, -1), ()),
    "proc_stop": ("M `m` gives P `p` up, because of `why`", (2, 1, -1), ("idle",)),
    "proc_steal": ("it took `count` goroutines from `what` (ring, runnext) of the P `victim`", (2, 1, -1), (0, 3, "ring")),
    "proc_retake": ("sysmon took the P `victim` from a thread in a system call", (1, -1, -1), (0,)),
    "proc_preempt": ("the goroutine on the P `victim` is asked to give way", (1, -1, -1), (0,)),
    "thread_new": ("it started the M `thread`", (0, 0, 1), (2,)),
    "thread_park": ("M `m` goes to sleep", (2, -1, -1), ()),
    "thread_wake": ("it woke the M `thread`, to `why`: spin, run, sysmon, poller, start the world", (0, 0, 1), (2, "spin")),
    "thread_spin": ("M `m` begins (`on`) to look for work, or stops to", (2, 1, -1), (True,)),
    "thread_exit": ("M `m` ends with the goroutine that was locked to it", (3, 0, -1), ()),
    "stw_begin": ("it stops the world, for `reason`", (0, 0, 1), ("GOMAXPROCS",)),
    "stw_stopped": ("nothing runs any more; it took `stopping_ns`", (0, 0, 1), (4_000,)),
    "stw_end": ("the world goes on; it stood or stopped for `total_ns`", (0, 0, 1), (5_000,)),
    "maxprocs": ("the number of Ps changes, while the world is stopped", (0, 0, 1), (4, 2)),
    "output": ("it printed `text` to `stream`: a line, or as much of it as came before something else happened", (0, 0, 1), ("stdout", "hello\n")),
    "host_call_late": ("the host call of `function` was so late that others ran meanwhile: the run is open from here on", (0, 0, 8), ("read",)),
    "run_end": ("the run is over; `why`: main returned, or the class of what `run` raises", (-1, -1, -1), ("main returned",)),
    "go_hand_over": ("it picked `target` from `queue` (`why` as for go_start), which is locked to the M `thread`, and gives that its P", (0, 0, -1), (7, "runnext", "local", 3)),
    "sync_lock": ("it locked `object`; `how`: free, after spinning, after waiting, handed over (by the one that unlocked it), tried, or was refused; readers' locks begin with read", (0, 0, 6), ("mutex 1", "after waiting")),
    "sync_unlock": ("it unlocks `object`; `how`: free, wakes a waiter, hands over, read, or lets so many readers in", (0, 0, 6), ("mutex 1", "wakes a waiter")),
    "waitgroup_add": ("it added `delta` to `object`, whose counter is `count` now", (0, 0, 6), ("waitgroup 1", -1, 0)),
    "waitgroup_wait": ("it waits for `object`, whose counter is `count`: 0 is no wait", (0, 0, 1), ("waitgroup 1", 3)),
    "cond_wait": ("it begins a wait on `object`, with the number `ticket`", (0, 0, 6), ("cond 1", 0)),
    "cond_notify": ("it notifies `object`; `how`: signal or broadcast; `count` goroutines had begun to wait", (0, 0, 1), ("cond 1", "signal", 2)),
    "bubble_begin": ("it called `synctest.test`: `object` begins with the goroutine `target`", (0, 0, 1), ("synctest bubble 1", 7)),
    "bubble_time": ("everybody in `object` is durably blocked: its clock jumps to `now_ns`, nanoseconds since 1970", (0, 0, 1), ("synctest bubble 1", 946684805000000000)),
    "bubble_end": ("`object` is over; `why` is empty unless goroutines were left that are blocked for ever", (0, 0, 1), ("synctest bubble 1", "")),
    "run_open": ("it opened the first descriptor of its kind, network or pipe, or the first signal for the program arrived: the run is open from here on", (0, 0, 1), ("network",)),
    "signal": ("signal `number` has arrived; the goroutine of os/signal sends it to whoever wants it", (0, 0, 8), (15,)),
    "fd_open": ("it opened `object`, which is a `what`", (0, 0, 1), ("socket 1", "net.Listener")),
    "fd_read": ("it read `count` bytes from `object`, or accepted a connection", (0, 0, 6), ("socket 2", 64)),
    "fd_write": ("it wrote `count` bytes to `object`", (0, 0, 6), ("socket 2", 64)),
    "fd_close": ("it was the last to use the closed `object`, which the host has back now", (0, 0, 6), ("socket 2",)),
    "once_do": ("it called `do` of `object`; `how`: first (it does it now), done (it has), done before", (0, 0, 6), ("once 1", "first")),
    "atomic": ("it did `operation` on the atomic `object`", (0, 0, 6), ("atomic 1", "add")),
    "pool_get": ("it took an item from `object`; `where`: private or shared of this P, stolen from another, victim (of the collection before), made by `new`, or none", (0, 0, 6), ("pool 1", "private")),
    "pool_put": ("it gave an item to `object`; `where`: private or shared", (0, 0, 6), ("pool 1", "private")),
    "map_access": ("it did `operation` on the map `object`; whether the key was `found`", (0, 0, 6), ("map 1", "load_or_store", False)),
}  # fmt: skip


def row(kind: int, name: str) -> str:
    """The rows of one kind."""
    meaning, (m, p, g), example = KINDS[name]
    fields = ", ".join(f"`{field}`" for field in FIELDS[kind])
    line = json.dumps(as_record((kind, 12_125, m, p, g, *example)))
    return f"| `{name}`{': ' if fields else ''}{fields} | {meaning}<br>`{line}` |\n"


def generate(package: Path) -> str:
    """The page."""
    assert set(KINDS) == set(NAMES), set(KINDS) ^ set(NAMES)
    return INTRODUCTION + "".join(row(kind, name) for kind, name in enumerate(NAMES))
