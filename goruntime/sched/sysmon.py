"""sysmon: the thread without a P that watches the others.

It sleeps 20 us a round while it is productive; after 50 idle rounds twice as long each time, up to 10 ms. A round takes
Ps from threads that block in system calls, asks goroutines that ran too long to give way, and prints schedtrace lines.
When every P is idle it sleeps until the next timer or until a system call wakes it.

Because the loop itself sleeps 10 ms by then, and a slice is counted from when sysmon first saw it, a CPU-bound
goroutine gets about 20 ms, not 10.

Go: runtime/proc.go sysmon, retake.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..base.events import PROC_RETAKE
from ..kernel import costs
from .netpoll import SYSMON_POLL_NS
from .preempt import preemptone
from .spin import handoffp
from .status import PRUNNING, SYSCALL
from .syscall import take_syscall_p
from .timers import MAX_WHEN, wake_time

if TYPE_CHECKING:
    from .m import M
    from .p import P
    from .sched import Sched

MICROSECOND = 1_000
FIRST_SLEEP = 20 * MICROSECOND
LONGEST_SLEEP = 10_000 * MICROSECOND
IDLE_ROUNDS = 50
FORCE_PREEMPT_NS = 10_000_000  # Go: forcePreemptNS
SYSCALL_GRACE_NS = 10_000_000
DEEP_SLEEP_NS = 60_000_000_000  # half of forcegcperiod


def sysmon(m: M) -> None:
    """The life of the sysmon thread.

    Go: runtime/proc.go sysmon.
    """
    sched = m.sched
    idle = 0
    delay_ns = 0
    last_trace_ns = 0
    while True:
        if idle == 0:
            delay_ns = FIRST_SLEEP
        elif idle > IDLE_ROUNDS:
            delay_ns *= 2
        delay_ns = min(delay_ns, LONGEST_SLEEP)
        sched.kernel.sleep(m, delay_ns + costs.USLEEP_OVERSLEEP)
        if sched.schedtrace_ms <= 0 and (sched.gcwaiting or sched.npidle == sched.gomaxprocs) and _deep_sleep(m):
            idle = 0
            delay_ns = FIRST_SLEEP
        if sched.lastpoll_ns and sched.lastpoll_ns + SYSMON_POLL_NS < m.clock:
            sched.lastpoll_ns = m.clock
            sched.poll_for_all(m)
        for tick in sched.ticks:
            tick(m)
        idle = 0 if retake(m) else idle + 1
        if sched.schedtrace_ms > 0 and (
            not last_trace_ns or last_trace_ns + sched.schedtrace_ms * 1_000_000 <= m.clock
        ):
            last_trace_ns = m.clock
            sched.print_schedtrace(m)


def _deep_sleep(m: M) -> bool:
    """Nothing runs: sleep until the next timer or a system call; True if a system call ended it.

    Go: runtime/proc.go sysmon, "sysmonwait".
    """
    sched = m.sched
    next_ns = time_sleep_until(sched)
    if next_ns <= m.clock:
        return False
    sched.sysmonwait = True
    # Nobody can wake up before the next timer: a look around every minute would only make a year's sleep slow.
    has_reason = sched.ticks or sched.netpoll_waiters or sched.kernel.is_real
    until = m.clock + min(DEEP_SLEEP_NS if has_reason else MAX_WHEN, next_ns - m.clock)
    if next_ns == MAX_WHEN and not sched.kernel.is_real:
        # Nothing is due ever: only a system call or the start of the world can end this sleep.
        sched.kernel.futex_sleep(m)
    else:
        sched.kernel.sleep(m, until - m.clock)
    was_woken = not sched.sysmonwait
    sched.sysmonwait = False
    return was_woken


def time_sleep_until(sched: Sched) -> int:
    """When the earliest timer of all Ps is due.

    Go: runtime/time.go timeSleepUntil.
    """
    return min((when for pp in sched.allp if (when := wake_time(pp))), default=MAX_WHEN)


def retake(m: M) -> int:
    """Take Ps back from system calls, ask long-running goroutines to give way; returns how many Ps were taken.

    Go: runtime/proc.go retake.
    """
    sched = m.sched
    now_ns = m.clock
    taken = 0
    for pp in sched.allp:
        if pp.status != PRUNNING:
            continue
        is_overdue = False
        if pp.sysmon_schedtick != pp.schedtick:
            pp.sysmon_schedtick = pp.schedtick
            pp.sysmon_schedwhen_ns = now_ns
        elif pp.sysmon_schedwhen_ns + FORCE_PREEMPT_NS <= now_ns:
            preemptone(m, pp)
            is_overdue = True
        if not _is_in_syscall(pp):
            continue
        if not is_overdue and pp.sysmon_syscalltick != pp.syscalltick:
            pp.sysmon_syscalltick = pp.syscalltick
            pp.sysmon_syscallwhen_ns = now_ns
            continue
        if (
            pp.is_runq_empty()
            and sched.nmspinning + sched.npidle > 0
            and pp.sysmon_syscallwhen_ns + SYSCALL_GRACE_NS > now_ns
        ):
            continue
        take_syscall_p(pp)
        taken += 1
        if m.watch is not None:
            m.emit(PROC_RETAKE, pp.id)
        handoffp(m, pp)
    return taken


def _is_in_syscall(pp: P) -> bool:
    owner = pp.m
    return owner is not None and owner.curg is not None and owner.curg.status == SYSCALL
