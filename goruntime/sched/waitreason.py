"""Why a goroutine waits: Go's texts, as small integers for the hot paths.

Go: runtime/runtime2.go waitReasonStrings, isIdleInSynctest. Never reuse a reason; add one.
"""

from __future__ import annotations

WAIT_REASONS = (
    "",
    "GC assist marking",
    "IO wait",
    "dumping heap",
    "garbage collection",
    "garbage collection scan",
    "panicwait",
    "GC assist wait",
    "GC sweep wait",
    "GC scavenge wait",
    "finalizer wait",
    "force gc (idle)",
    "GOMAXPROCS updater (idle)",
    "semacquire",
    "sleep",
    "chan receive (nil chan)",
    "chan send (nil chan)",
    "select (no cases)",
    "select",
    "chan receive",
    "chan send",
    "sync.Cond.Wait",
    "sync.Mutex.Lock",
    "sync.RWMutex.RLock",
    "sync.RWMutex.Lock",
    "sync.WaitGroup.Wait",
    "trace reader (blocked)",
    "wait for GC cycle",
    "GC worker (idle)",
    "GC worker (active)",
    "preempted",
    "debug call",
    "GC mark termination",
    "stopping the world",
    "flushing proc caches",
    "trace goroutine status",
    "trace proc status",
    "page trace flush",
    "coroutine",
    "GC weak to strong wait",
    "synctest.Run",
    "synctest.Wait",
    "chan receive (durable)",
    "chan send (durable)",
    "select (durable)",
    "sync.WaitGroup.Wait (durable)",
    "cleanup wait",
)

NONE = 0
IO_WAIT = WAIT_REASONS.index("IO wait")
PANICWAIT = WAIT_REASONS.index("panicwait")
GC_SWEEP_WAIT = WAIT_REASONS.index("GC sweep wait")
GC_SCAVENGE_WAIT = WAIT_REASONS.index("GC scavenge wait")
FINALIZER_WAIT = WAIT_REASONS.index("finalizer wait")
FORCE_GC_IDLE = WAIT_REASONS.index("force gc (idle)")
GOMAXPROCS_UPDATER_IDLE = WAIT_REASONS.index("GOMAXPROCS updater (idle)")
SEMACQUIRE = WAIT_REASONS.index("semacquire")
SLEEP = WAIT_REASONS.index("sleep")
CHAN_RECEIVE_NIL = WAIT_REASONS.index("chan receive (nil chan)")
CHAN_SEND_NIL = WAIT_REASONS.index("chan send (nil chan)")
SELECT_NO_CASES = WAIT_REASONS.index("select (no cases)")
SELECT = WAIT_REASONS.index("select")
CHAN_RECEIVE = WAIT_REASONS.index("chan receive")
CHAN_SEND = WAIT_REASONS.index("chan send")
SYNC_COND_WAIT = WAIT_REASONS.index("sync.Cond.Wait")
SYNC_MUTEX_LOCK = WAIT_REASONS.index("sync.Mutex.Lock")
SYNC_RWMUTEX_RLOCK = WAIT_REASONS.index("sync.RWMutex.RLock")
SYNC_RWMUTEX_LOCK = WAIT_REASONS.index("sync.RWMutex.Lock")
SYNC_WAITGROUP_WAIT = WAIT_REASONS.index("sync.WaitGroup.Wait")
PREEMPTED = WAIT_REASONS.index("preempted")
STOPPING_THE_WORLD = WAIT_REASONS.index("stopping the world")
COROUTINE = WAIT_REASONS.index("coroutine")
SYNCTEST_RUN = WAIT_REASONS.index("synctest.Run")
SYNCTEST_WAIT = WAIT_REASONS.index("synctest.Wait")


def is_mutex_wait(reason: int) -> bool:
    """Whether it is a wait for a mutex: what `/sync/mutex/wait/total:seconds` adds up.

    Go: runtime/runtime2.go waitReason.isMutexWait.
    """
    return SYNC_MUTEX_LOCK <= reason <= SYNC_RWMUTEX_LOCK


# What a goroutine in a synctest bubble waits for durably. Channels and wait groups count when they are the bubble's
# own; the wait has a reason of its own then.
DURABLE_FORM = {
    WAIT_REASONS.index(text.removesuffix(" (durable)")): number
    for number, text in enumerate(WAIT_REASONS)
    if text.endswith(" (durable)")
}
IS_IDLE_IN_SYNCTEST = tuple(
    text.endswith(" (durable)")
    or text
    in (
        "chan receive (nil chan)", "chan send (nil chan)", "select (no cases)", "sleep", "sync.Cond.Wait", "coroutine",
        "synctest.Run", "synctest.Wait",
    )
    for text in WAIT_REASONS
)  # fmt: skip
