"""The schema of the one event stream.

An event is a tuple `(kind, ns, m, p, g, *fields)`: what happened, the virtual time, the M, P and goroutine on which it
happened (-1 for none), and the fields that `FIELDS[kind]` names. Emitters write `if m.watch is not None:
m.watch((GO_PARK, ...))`, so that a run nobody watches pays one compare. Readers get tuples of integers and strings,
never live objects; recorded files carry `SCHEMA_VERSION`.

The *cause* is part of each event: GO_READY says who readied whom, through which object, and into which queue;
GO_START says from which queue the goroutine was taken and why that queue was looked at.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Any

SCHEMA_VERSION = 1

Event = tuple[Any, ...]
Watch = Callable[[Event], None]

_NAMES: list[str] = []
FIELDS: list[tuple[str, ...]] = []


def _kind(name: str, *fields: str) -> int:
    """Register one kind of event; its number is its position, so append and never reorder."""
    _NAMES.append(name)
    FIELDS.append(fields)
    return len(_NAMES) - 1


GO_CREATE = _kind("go_create", "target", "function", "queue")  # a `go` statement, or a timer's AfterFunc (g = -1)
GO_START = _kind("go_start", "queue", "why")  # a goroutine begins to run: from which queue it was taken, and why
GO_PARK = _kind("go_park", "reason", "object")
GO_READY = _kind("go_ready", "target", "queue", "reason", "object")  # g (or a timer, g = -1) readied target
GO_END = _kind("go_end")
GO_YIELD = _kind("go_yield", "queue", "why")  # gosched, preempted, stop-the-world, goyield
GO_SYSCALL = _kind("go_syscall", "function")
GO_SYSEXIT = _kind("go_sysexit", "how")  # kept its P, took it back, took an idle one, or none was free
GO_PANIC = _kind("go_panic", "text")
GO_UNWIND = _kind("go_unwind", "why")  # Goexit
CHAN_MAKE = _kind("chan_make", "object", "capacity")
CHAN_SEND = _kind("chan_send", "object", "how", "peer")  # handed to a waiting receiver (peer), or buffered
CHAN_RECV = _kind("chan_recv", "object", "how", "peer")
CHAN_CLOSE = _kind("chan_close", "object")
SELECT_DONE = _kind("select_done", "index", "case_count")
TIMER_SET = _kind("timer_set", "object", "when_ns", "period_ns")
TIMER_STOP = _kind("timer_stop", "object", "was_pending")
TIMER_FIRE = _kind("timer_fire", "object", "when_ns")
PROC_START = _kind("proc_start")  # M m acquired P p
PROC_STOP = _kind("proc_stop", "why")
PROC_STEAL = _kind("proc_steal", "victim", "count", "what")
PROC_RETAKE = _kind("proc_retake", "victim")  # sysmon took the P of a thread that blocks in a system call
PROC_PREEMPT = _kind("proc_preempt", "victim")  # sysmon asks for the P's goroutine to give way
THREAD_NEW = _kind("thread_new", "thread")
THREAD_PARK = _kind("thread_park")
THREAD_WAKE = _kind("thread_wake", "thread", "why")
THREAD_SPIN = _kind("thread_spin", "on")
THREAD_EXIT = _kind("thread_exit")
STW_BEGIN = _kind("stw_begin", "reason")
STW_STOPPED = _kind("stw_stopped", "stopping_ns")
STW_END = _kind("stw_end", "total_ns")
MAXPROCS = _kind("maxprocs", "old", "new")
OUTPUT = _kind("output", "stream", "text")
HOST_CALL_LATE = _kind("host_call_late", "function")  # the run is open from here on
RUN_END = _kind("run_end", "why")
GO_HAND_OVER = _kind("go_hand_over", "target", "queue", "why", "thread")  # picked, but locked to another thread
SYNC_LOCK = _kind("sync_lock", "object", "how")  # got: free, after waiting, handed over, for reading, tried, refused
SYNC_UNLOCK = _kind("sync_unlock", "object", "how")
WAITGROUP_ADD = _kind("waitgroup_add", "object", "delta", "count")
WAITGROUP_WAIT = _kind("waitgroup_wait", "object", "count")  # what is waited for; at 0 it is over
COND_WAIT = _kind("cond_wait", "object", "ticket")
COND_NOTIFY = _kind("cond_notify", "object", "how", "count")  # signal or broadcast, and how many waits it ended
ONCE_DO = _kind("once_do", "object", "how")  # first, done, or done before
GO_SWITCH = _kind("go_switch", "target", "how")  # a coroutine: target runs instead of g, which is blocked, or ends
BUBBLE_BEGIN = _kind("bubble_begin", "object", "target")  # synctest.test: target is the bubble's first goroutine
BUBBLE_TIME = _kind("bubble_time", "object", "now_ns")  # all are durably blocked: its clock jumps to the next timer
BUBBLE_END = _kind("bubble_end", "object", "why")
ATOMIC = _kind("atomic", "object", "operation")
POOL_GET = _kind("pool_get", "object", "where")  # private, shared, stolen, victim, made, or none
POOL_PUT = _kind("pool_put", "object", "where")  # private or shared
MAP_ACCESS = _kind("map_access", "object", "operation", "found")
RUN_OPEN = _kind("run_open", "why")  # a real socket or pipe: the run is open from here on
FD_OPEN = _kind("fd_open", "object", "what")
FD_READ = _kind("fd_read", "object", "count")  # bytes; of an accept, 1
FD_WRITE = _kind("fd_write", "object", "count")
FD_CLOSE = _kind("fd_close", "object")  # nobody uses it any more: the host has it back
CONTEXT_MAKE = _kind("context_make", "object", "parent")  # can be canceled; parent: the nearest above it that can
CONTEXT_CANCEL = _kind("context_cancel", "object", "error", "by")  # by itself, or with its parent
SIGNAL = _kind("signal", "number")  # it reaches the goroutine of os/signal: the run is open from here on
MALLOC = _kind("malloc", "address", "bytes")  # an object: bytes of its slot, 0 for one that shares a slot
MALLOC_LARGE = _kind("malloc_large", "address", "pages")  # it has a span of its own
SPAN_REFILL = _kind("span_refill", "span_class", "address", "taken", "slots")  # the P's next span of a class
SPAN_SWEEP = _kind("span_sweep", "address", "pages", "freed", "bytes")  # how many slots of so many bytes were freed
CRITICAL = _kind("critical", "object", "operation")  # in one step: a semaphore, a rate limiter, a singleflight group

NAMES = tuple(_NAMES)

# Queues a goroutine can land in or be taken from.
RUNNEXT, RING, GLOBAL, DIRECT = "runnext", "ring", "global", "direct"
COROUTINE = "coroutine"  # in none: made for a coroutine, and switched to by its partner


def as_record(event: Event) -> dict[str, Any]:
    """The event as a flat dict, the form of one line in a recorded file."""
    kind, ns, m, p, g, *values = event
    record: dict[str, Any] = {"ns": ns, "m": m, "p": p, "g": g, "event": NAMES[kind]}
    record.update(zip(FIELDS[kind], values, strict=True))
    return record


class EventChecksum:
    """CRC-32 over a stream of events: two runs with the same sum went the same way."""

    __slots__ = ("_crc", "count")

    def __init__(self) -> None:
        self._crc = 0
        self.count = 0

    def __call__(self, event: Event) -> None:
        """Fold one event in."""
        self.count += 1
        self._crc = zlib.crc32(repr(event).encode(), self._crc)

    def value(self) -> int:
        """The sum so far."""
        return self._crc


def fan_out(listeners: tuple[Watch, ...]) -> Watch | None:
    """One callable for all listeners; None when there is none, so that off stays free."""
    if len(listeners) < 2:
        return listeners[0] if listeners else None

    def emit(event: Event) -> None:
        for listener in listeners:
            listener(event)

    return emit
