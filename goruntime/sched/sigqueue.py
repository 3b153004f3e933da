"""Signals on their way from the host to the program.

Problem. A handler of Python's runs between any two bytecodes, on whatever greenlet that happens to be, so it may use
no primitive and change no structure that somebody is in the middle of. It leaves the signal's number in a queue and
tells the kernel; one goroutine receives what is there.

Protocol.
1. `signal_enable` installs the handler. What was there before comes back with `signal_disable`, and at the end of the
   run.
2. The handler, `sigsend`: a number that is in the queue already is dropped, as one bit holds it in Go; else it goes
   there, `has_arrived` is set, and the running thread's horizon is pulled.
3. `signal_recv`, on the goroutine of os/signal: serve what was taken, in the order of the numbers; else take what is in
   the queue; else block, as in a system call, without a P, until the kernel finds `has_arrived` set.

The run is open from the first signal that arrives. Under a controller none does: handlers are not installed.

Go: runtime/sigqueue.go sigsend, signal_recv, signal_enable, signal_disable, signal_ignore, signalWaitUntilIdle.
"""

from __future__ import annotations

from collections import deque
from types import FrameType
from typing import TYPE_CHECKING, Any

from ..base.events import SIGNAL
from ..kernel import host
from .ops import OP_SYSCALL
from .preempt import end_again, safepoint
from .syscall import entersyscallblock, exitsyscall
from .system import add_record
from .waitreason import SELECT

if TYPE_CHECKING:
    from .g import G
    from .m import M
    from .sched import Sched

# What cannot be caught, or is the program's own fault and kills it. Go: runtime/sigtab_linux_generic.go sigtable.
NOT_FOR_THE_PROGRAM = frozenset(
    host.signal_number(name)
    for name in (
        "SIGKILL", "SIGSTOP", "SIGSEGV", "SIGBUS", "SIGFPE", "SIGILL", "SIGTRAP", "SIGSYS", "SIGSTKFLT", "SIGPROF",
    )
) | {0, 32, 33, 34}  # fmt: skip
INHERITED = (host.signal_number("SIGHUP"), host.INTERRUPT_SIGNAL)  # of these Go respects that they were ignored
IDLE, RECEIVING = range(2)  # of the goroutine that receives
OPEN_REASON = "signal for the program"


class SigQueue:
    """The signals of one run. `arrived` is shared with the handler; the rest is the program's."""

    __slots__ = ("arrived", "before", "chained", "has_sig_m", "ignored", "is_deaf", "kernel", "received", "state")

    def __init__(self, sched: Sched, is_deaf: bool) -> None:
        self.kernel = sched.kernel
        self.is_deaf = is_deaf  # no handler is installed, nothing ever comes
        self.has_sig_m = False
        self.arrived: deque[int] = deque()
        self.received: list[int] = []  # taken, and not served yet; ascending
        self.ignored: dict[int, bool] = {}
        self.before: dict[int, Any] = {}  # for each signal that was changed: the disposition to go back to
        self.chained: dict[int, Any] = {}  # signals for which the handler before is called too
        self.state = IDLE

    def sigsend(self, number: int, frame: FrameType | None) -> None:
        """The handler. It may run between any two bytecodes."""
        kernel = self.kernel
        if number not in self.arrived:
            self.arrived.append(number)
        kernel.has_arrived = True
        if kernel.running is not None:
            kernel.running.horizon = 0
        if number in self.chained:
            self.chained[number](number, frame)

    def enable(self, m: M, number: int) -> None:
        """Send this signal to the program from now on, whatever it did before.

        Go: runtime/sigqueue.go signal_enable.
        """
        self._ensure_sig_m(m)
        self.ignored[number] = False
        self._set(number, self.sigsend)

    def disable(self, m: M, number: int) -> None:
        """Let the signal do what it did before the program asked for it. One that is ignored stays so.

        Go: runtime/sigqueue.go signal_disable.
        """
        self._ensure_sig_m(m)
        if number in self.before and host.get_handler(number) == self.sigsend:
            host.set_handler(number, self.before.pop(number))

    def ignore(self, m: M, number: int) -> None:
        """Let nothing happen when the signal comes.

        Go: runtime/sigqueue.go signal_ignore.
        """
        self.ignored[number] = True  # also one that cannot be, as in Go
        self._set(number, host.IGNORE)

    def is_ignored(self, number: int) -> bool:
        """Does nothing happen when the signal comes, because the program or who started it said so?

        Go: runtime/sigqueue.go signal_ignored.
        """
        inherited = number in INHERITED and host.is_ignored(number)
        return self.ignored.get(number, inherited)

    def _set(self, number: int, disposition: Any) -> None:
        """Change what a signal does, if it is for the program."""
        if number in NOT_FOR_THE_PROGRAM or self.is_deaf:
            return
        try:
            was = host.set_handler(number, disposition)
        except OSError:
            return  # a number without a signal
        self.before.setdefault(number, was)
        if number == host.PREEMPT_SIGNAL and callable(was) and was != self.sigsend:
            self.chained[number] = was

    def _ensure_sig_m(self, m: M) -> None:
        """The goroutine that changes the signal mask of its thread in Go: here a record, locked to one, that waits.

        Go: runtime/signal_unix.go ensureSigM.
        """
        if self.has_sig_m or self.is_deaf:
            return
        self.has_sig_m = True
        sched = m.sched
        sched.start_template_thread(m)
        mp = sched.add_m(m.main)
        mp.blocked = True
        sched.nmidlelocked += 1
        gp = add_record(m, "runtime.ensureSigM.func1", SELECT, "runtime.ensureSigM")
        mp.lockedg = gp
        gp.lockedm = mp

    def restore(self) -> None:
        """The run is over: every signal does what it did before, but where the program has set a handler itself."""
        for number, before in self.before.items():
            if host.get_handler(number) in (self.sigsend, host.IGNORE):
                host.set_handler(number, before)
        self.before.clear()


def signal_recv(m: M, g: G) -> int:
    """The next signal for the program, waiting for one. Only one goroutine may call this.

    Go: runtime/sigqueue.go signal_recv.
    """
    sched = m.sched
    queue = sched.sigqueue
    assert queue is not None
    while True:
        if m.clock >= m.horizon:
            following = safepoint(m, g, OP_SYSCALL, None)
            if following is None:
                end_again(sched)
            m = following
        if queue.received:
            number = queue.received.pop(0)
            if m.watch is not None:
                m.emit(SIGNAL, number)
            return number
        if not queue.arrived:
            queue.state = RECEIVING
            entersyscallblock(m, g, "os/signal.signal_recv")
            sched.kernel.await_outside(m)
            m = exitsyscall(m, g)
        queue.state = IDLE
        taken = []
        while queue.arrived:
            taken.append(queue.arrived.popleft())
        queue.received = sorted(taken)
        if taken and OPEN_REASON not in sched.kernel.open_reasons:
            sched.kernel.open_reasons.append(OPEN_REASON)
            m.run_is_open(OPEN_REASON)
