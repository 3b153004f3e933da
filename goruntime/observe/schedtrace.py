"""GODEBUG=schedtrace and scheddetail: what sysmon prints about the scheduler, in Go's format.

docs/tracing.md says what each column means. The figures are those of the instant at which the thread that prints looks,
so a thread on its way to sleep or a P that is being handed over shows as it is, as in Go.

Go: runtime/proc.go schedtrace.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..sched.status import DEAD
from ..sched.waitreason import WAIT_REASONS

if TYPE_CHECKING:
    from ..sched.g import G
    from ..sched.m import M
    from ..sched.p import P
    from ..sched.sched import Sched

LOCKS = 32  # what `m.locks` reads on the thread that prints: it holds sched.lock
LOCKS_DYING = 48  # and one more lock after a fatal error


class SchedTrace:
    """The trace of one run; its clock starts with its first line."""

    def __init__(self, sched: Sched, is_detailed: bool) -> None:
        self._sched = sched
        self._is_detailed = is_detailed
        self._start_ns = -1

    def text(self, m: M) -> str:
        """What m, the thread of sysmon, prints."""
        return self._text(m, self._is_detailed, LOCKS, "mallocing=0 throwing=0", 0)

    def death_text(self, m: M, throwing: int) -> str:
        """What m prints when the program dies on it: always detailed. throwing: 0 panic, 1 the user's fault, 2 ours.

        Go: runtime/panic.go startpanic_m.
        """
        return self._text(m, True, LOCKS_DYING if throwing else LOCKS, f"mallocing=1 throwing={throwing}", 1)

    def _text(self, m: M, is_detailed: bool, locks: int, state: str, dying: int) -> str:
        sched = self._sched
        if self._start_ns < 0:
            self._start_ns = m.clock
        head = (
            f"SCHED {(m.clock - self._start_ns) // 1_000_000}ms: gomaxprocs={sched.gomaxprocs}"
            f" idleprocs={sched.npidle} threads={sched.m_count - sched.nmfreed} spinningthreads={sched.nmspinning}"
            f" needspinning={sched.needspinning} idlethreads={len(sched.midle)} runqueue={len(sched.runq)}"
        )
        if not is_detailed:
            rings = " ".join(str(len(pp.runq)) for pp in sched.allp)
            ticks = " ".join(str(pp.schedtick) for pp in sched.allp)
            return f"{head} [ {rings} ] schedticks=[ {ticks} ]\n"
        lines = [
            f"{head} gcwaiting={go_bool(sched.gcwaiting)} nmidlelocked={sched.nmidlelocked}"
            f" stopwait={sched.stopwait} sysmonwait={go_bool(sched.sysmonwait)}\n"
        ]
        lines += [p_line(pp) for pp in sched.allp]
        quiet = "mallocing=0 throwing=0"
        for mp in reversed(sched.allm):  # the newest first
            lines.append(m_line(mp, locks, state, dying) if mp is m else m_line(mp, 0, quiet, 0))
        lines += [g_line(gp) for gp in sched.allgs]
        return "".join(lines)


def p_line(pp: P) -> str:
    """One P."""
    return (
        f"  P{pp.id}: status={pp.status} schedtick={pp.schedtick} syscalltick={pp.syscalltick} m={id_or_nil(pp.m)}"
        f" runqsize={len(pp.runq)} gfreecnt={len(pp.gfree)} timerslen={len(pp.timers)}\n"
    )


def m_line(mp: M, locks: int, state: str, dying: int) -> str:
    """One M."""
    return (
        f"  M{mp.id}: p={id_or_nil(mp.p)} curg={goid_or_nil(mp.curg)} {state} preemptoff= locks={locks} dying={dying}"
        f" spinning={go_bool(mp.spinning)} blocked={go_bool(mp.blocked)} lockedg={goid_or_nil(mp.lockedg)}\n"
    )


def g_line(gp: G) -> str:
    """One G. The reason is that of its last wait, also while it runs."""
    reason = "" if gp.status == DEAD else WAIT_REASONS[gp.waitreason]
    return f"  G{gp.goid}: status={gp.status}({reason}) m={id_or_nil(gp.m)} lockedm={id_or_nil(gp.lockedm)}\n"


def id_or_nil(thing: M | P | None) -> str:
    """The number of a P or M."""
    return "nil" if thing is None else str(thing.id)


def goid_or_nil(gp: G | None) -> str:
    """The number of a goroutine."""
    return "nil" if gp is None else str(gp.goid)


def go_bool(value: bool) -> str:
    """As Go prints it."""
    return "true" if value else "false"
