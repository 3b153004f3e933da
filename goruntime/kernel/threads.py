"""Simulated threads: a discrete-event kernel that always continues the thread that is furthest behind.

Problem. All Ms of a runtime share one thread of the host, yet four of them must overlap in virtual time, block, sleep
and wake one another, in an order that depends on nothing but the program and its choices.

Protocol.
1. Every thread has its own clock, in integer virtual nanoseconds. The running thread advances its own.
2. The kernel holds one heap of (due_ns, seq, thread): a runnable thread is due at its clock, a sleeping one when it
   wants to be woken. A thread that waits on a futex without a timeout is in no heap; `seq` makes an entry stale when
   its thread was woken earlier by other means.
3. A running thread may go on until its horizon: the due time of the next thread + quantum + 1. At quantum 0 that is
   exact order. Waking a thread pulls the horizon of the running one, nothing else looks at it.
4. To give way, a thread stores the greenlet that continues it, takes the earliest entry and switches straight there.
   There is no kernel greenlet: a step costs one heap operation and one switch.
5. Equal due times are a choice (`TIE`), because Linux promises nothing.

Host calls. Under the virtual clock a host call completes at an instant that its caller names, and the kernel waits for
the host there. When the host is 100 ms late and somebody else could run, the thread leaves the heap for `awaited`: it
becomes due when its call is done, and the run is open. With `clock="real"` every call is awaited like that.

Pacing. With `clock="real"`, while a call is awaited, and while there is a descriptor that the host polls, the same
loop keeps to the wall clock: it waits for the host until the next entry is due, and moves the clock of whoever it
continues up to the wall's. Every wait is cut into slices of 20 ms, between which `on_wait` may end the run.

Polling. The host's poller is made for the first descriptor (a socket, a pipe); the run is open from then on. At most
one thread blocks in it: `await_poll` takes it out of the heap but for its timeout, and it becomes due when the host
reports something. While others run the kernel asks the host now and then on its behalf, as a blocked epoll_wait would
return at any time; while it waits, it waits in the poller.

Signals. One thread can wait for something from outside, in no heap (`await_outside`). Whoever brings it, a signal
handler, sets `has_arrived` and pulls the horizon; the next look of the kernel makes the thread due. When nobody else
can ever run the kernel waits for the host, and the time that takes counts as virtual time.

Rejected: a real thread per M (no determinism, and greenlets cannot leave their thread); a kernel greenlet that every
step passes through (one more switch each time, 30 % of a hand-off).
"""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush
from typing import Any

from greenlet import getcurrent, greenlet

from ..base.choose import TIE
from ..base.errors import throw
from . import costs, host
from .blocking import Doorbell, HostCall, Workers
from .poller import Poller, Ready, make_poller

FOREVER = 1 << 64  # ns; later than any due time: those fit into 63 bits, as Go's do
PACED_SLICE = 20_000  # ns of virtual time that a thread runs under pacing, whoever else is due
LATE_AFTER_NS = 100_000_000  # of real time the kernel waits for a host call while others could run
WAIT_SLICE_NS = 20_000_000  # of real time between two looks at what signals have asked for
SHORTEST_WAIT_NS = 50_000  # the host cannot sleep for less: the kernel looks at the wall clock until then
POLL_EVERY_NS = 100_000  # of real time between two looks at the poller while there is always somebody to continue


class Thread:
    """A simulated OS thread. Owned by itself while it runs, by the kernel while it does not."""

    __slots__ = (
        "clock", "due_ns", "due_seq", "horizon", "host_call", "id", "is_computing", "is_daemon", "resume",
        "slice_end_ns",
    )  # fmt: skip

    def __init__(self, ident: int) -> None:
        self.id = ident
        self.clock = 0  # ns; its own virtual time
        self.horizon = 0  # ns; past this it must reach a safepoint's slow path
        self.due_seq = 0  # the heap entry that is valid, 0 for none
        self.due_ns = 0  # when that is due
        self.resume: greenlet | None = None  # what continues it
        self.host_call: HostCall | None = None  # the blocking call it waits for
        self.is_computing = False  # it runs code of the user's that has no effect before it is due again
        self.slice_end_ns = 0  # under pacing: how far it may run before the kernel looks at the wall clock again
        self.is_daemon = False  # sysmon: does not count as somebody who could run

    def first_run(self) -> greenlet:
        """The greenlet in which a thread that never ran begins."""
        throw("kernel: thread has no stack")

    def host_call_is_late(self) -> None:
        """The kernel no longer waits for its host call: the run is open from here on."""

    def run_is_open(self, why: str) -> None:
        """It has opened a descriptor of the host: the run is open from here on."""


class Kernel:
    """The simulated operating system of one run."""

    __slots__ = (
        "awaited", "base_ns", "choose", "could_run", "deadline_ns", "doorbell", "has_arrived", "horizon_of",
        "interrupted", "is_paced", "is_real", "is_waiting", "latest_ns", "on_timeout", "on_wait", "open_reasons",
        "outside", "polled", "polled_count", "polled_ns", "poller", "polling", "quantum", "queue", "running", "seq",
        "workers",
    )  # fmt: skip

    def __init__(self, choose: Callable[[int, int], int], quantum: int, is_real: bool = False) -> None:
        self.queue: list[tuple[int, int, Thread]] = []
        self.seq = 0
        self.quantum = quantum
        self.choose = choose
        self.running: Thread | None = None
        self.deadline_ns = FOREVER
        self.horizon_of: Callable[[Any], int] = self.natural_horizon
        self.on_timeout: Callable[[], None] = _no_timeout
        self.on_wait: Callable[[], None] = _nothing  # called before and while the kernel waits for the host
        self.is_real = is_real
        self.is_paced = is_real  # virtual time follows the wall clock
        self.could_run: Callable[[Thread], bool] = self._is_anybody_due  # without the thread whose call is not done
        self.base_ns = host.monotonic_ns() if is_real else 0  # wall = virtual + base, while paced
        self.latest_ns = 0  # the latest time of day that anybody has read
        self.awaited: list[Thread] = []  # threads that become due when their host call is done
        self.doorbell = Doorbell()  # rung by every host call that is done
        self.poller: Poller | None = None  # made for the first descriptor
        self.polled_count = 0  # descriptors in it
        self.polling: Thread | None = None  # blocks in the poller
        self.polled: list[Ready] = []  # what the host has reported, until a thread takes it
        self.polled_ns = 0  # when the kernel last asked, on the wall's clock
        self.workers: Workers | None = None  # made for the first host call
        self.outside: Thread | None = None  # waits for something from outside
        self.has_arrived = False  # something has come from there since the kernel looked
        self.open_reasons: list[str] = []  # why the run is not reproducible, in order
        self.interrupted = ""  # a signal asked for the end: "interrupt" or "quit"
        self.is_waiting = False  # the kernel waits for the host, so a clock that stands still is right

    # The running thread gives way.

    def yield_cpu(self, thread: Thread) -> None:
        """Go on at the thread's own clock, after everybody who is further behind."""
        self.enqueue(thread, thread.clock)
        self.switch_away(thread)

    def sleep(self, thread: Thread, duration_ns: int) -> None:
        """Block the running thread for duration_ns of virtual time (a futex wait with timeout, or usleep)."""
        self.enqueue(thread, thread.clock + duration_ns)
        self.switch_away(thread)

    def compute(self, thread: Thread, duration_ns: int) -> None:
        """Let the running thread compute for so long, or until `cut_short`; its clock says how far it came.

        Nobody can tell how far it is before it is due again, so this is a sleep; unlike one it can be interrupted.
        """
        thread.is_computing = True
        self.enqueue(thread, thread.clock + duration_ns)
        self.switch_away(thread)
        thread.is_computing = False

    def cut_short(self, thread: Thread, now_ns: int) -> None:
        """Somebody asks the thread to look around: if it computes, that happens now."""
        if thread.is_computing:
            self.hasten(thread, max(thread.clock, now_ns))

    def hasten(self, thread: Thread, due_ns: int) -> None:
        """Make a blocked thread due at an instant, unless its sleep ends before that anyway."""
        if not thread.due_seq or due_ns < thread.due_ns:
            self.enqueue(thread, due_ns)

    def switch_away(self, thread: Thread) -> None:
        """Continue whoever is due first; returns when `thread` is continued again.

        Flat on purpose: this may run at the bottom of a deep user stack, and the first call inside proves the room
        that the later ones need before anything was changed.
        """
        following = self.next_thread()
        self.running = following
        following.horizon = self.horizon_of(following)
        if following is not thread:
            thread.resume = getcurrent()
            (following.resume or following.first_run()).switch()
            while self.running is not thread:  # none of ours switched here: send it back, through the nursery
                nursery = getcurrent().parent
                assert nursery is not None
                nursery.switch(None)

    def enqueue(self, thread: Thread, due_ns: int) -> None:
        """Make the thread due at an instant, replacing any earlier entry; pull the running thread's horizon."""
        self.seq = thread.due_seq = seq = self.seq + 1
        thread.due_ns = due_ns
        heappush(self.queue, (due_ns, seq, thread))
        running = self.running
        if running is not None and running is not thread and due_ns + self.quantum < running.horizon:
            running.horizon = due_ns + self.quantum + 1

    def next_thread(self) -> Thread:
        """Take the thread that is due first out of the heap, its clock moved to the instant."""
        queue = self.queue
        now_ns = 0
        while True:
            if self.is_paced:
                now_ns = self._pace()
            if self.has_arrived or not queue:
                self._look_outside()
                continue
            due_ns, seq, thread = heappop(queue)
            if thread.due_seq != seq:
                continue  # woken by other means since
            if queue and queue[0][0] == due_ns:
                thread = self._break_tie(due_ns, thread)
            if due_ns > self.deadline_ns:
                self.on_timeout()
            if thread.host_call is not None and not self._is_call_done(thread, due_ns):
                continue
            thread.due_seq = 0
            if due_ns < now_ns:
                due_ns = now_ns
            if due_ns > thread.clock:
                thread.clock = due_ns
            thread.slice_end_ns = thread.clock + PACED_SLICE
            return thread

    def _break_tie(self, due_ns: int, first: Thread) -> Thread:
        """Choose among all threads that are due at the same instant."""
        queue = self.queue
        tied = [first]
        while queue and queue[0][0] == due_ns:
            _, seq, thread = heappop(queue)
            if thread.due_seq == seq:
                tied.append(thread)
        chosen = tied.pop(self.choose(TIE, len(tied))) if len(tied) > 1 else tied.pop()
        for thread in tied:
            heappush(queue, (due_ns, thread.due_seq, thread))
        return chosen

    def natural_horizon(self, thread: Thread) -> int:
        """How far the thread may run when nothing but the other threads limits it."""
        queue = self.queue
        due_ns = queue[0][0] + self.quantum if queue else FOREVER
        if self.has_arrived:
            return 0
        if due_ns > self.deadline_ns:
            due_ns = self.deadline_ns
        if self.is_paced:
            # Others may have been due since before the wall's now: without a slice of its own nobody would get on.
            due_ns = min(thread.slice_end_ns, self.deadline_ns)
        return due_ns + 1

    # Futexes. A note is a futex with one waiter: the thread itself.

    def futex_sleep(self, thread: Thread) -> None:
        """Block the running thread until somebody wakes it."""
        self.switch_away(thread)

    def futex_wake(self, waker: Thread, sleeper: Thread, latency_ns: int = costs.THREAD_WAKE) -> None:
        """Make the sleeper runnable: it goes on one wake-up latency after the waker's now."""
        waker.clock += costs.FUTEX_WAKE
        self.hasten(sleeper, waker.clock + latency_ns)

    # The time of day.

    def catch_up(self, thread: Thread) -> int:
        """Bring the running thread's clock up to the wall's, while that is what counts; returns it."""
        if self.is_paced:
            now_ns = host.monotonic_ns() - self.base_ns
            if now_ns > thread.clock:
                thread.clock = now_ns
        return thread.clock

    def read_clock(self, thread: Thread) -> int:
        """The time of day: never before one that was read earlier, on whatever thread.

        Threads may be apart by a quantum, so the clock is an object like others that they share: who reads it goes on
        at the latest time that was read.
        """
        now_ns = self.catch_up(thread)
        if now_ns < self.latest_ns:
            thread.clock = now_ns = self.latest_ns
        else:
            self.latest_ns = now_ns
        return now_ns

    # Host calls.

    def start_call(self, thread: Thread, call: HostCall) -> None:
        """Hand the running thread's call to a thread of the host.

        Raises: RuntimeError if the host has no more threads; nothing has happened then.
        """
        if self.workers is None:
            self.workers = Workers(self.doorbell)
        self.workers.start(call)
        thread.host_call = call

    def await_call(self, thread: Thread, takes_ns: int) -> None:
        """Block the running thread until its host call is done: after takes_ns, under the virtual clock."""
        if self.is_paced:
            self.awaited.append(thread)
        else:
            self.enqueue(thread, thread.clock + takes_ns)
        self.switch_away(thread)
        thread.host_call = None

    def close(self) -> None:
        """The run is over: end the threads of the host that are not stuck in a call."""
        if self.workers is not None:
            self.workers.close()
        if self.poller is not None:
            self.doorbell.ring_in(None)
            self.poller.shut()
            self.poller = None

    def _is_call_done(self, thread: Thread, due_ns: int) -> bool:
        """Wait for the host call whose virtual instant has come. False: others run first, it is awaited."""
        call = thread.host_call
        assert call is not None
        started_ns = host.monotonic_ns()
        while True:
            self.doorbell.clear()
            if call.done:
                return True
            waited_ns = host.monotonic_ns() - started_ns
            if self.is_paced or (waited_ns > LATE_AFTER_NS and self.could_run(thread)):
                break
            if due_ns + waited_ns > self.deadline_ns:
                self.on_timeout()
            self._wait(WAIT_SLICE_NS)
        thread.due_seq = 0
        if due_ns > thread.clock:
            thread.clock = due_ns
        if not self.is_paced:
            self._keep_pace(due_ns)
            self.open_reasons.append(f"late host call: {call.name}")
            thread.host_call_is_late()
        self.awaited.append(thread)
        return False

    def _is_anybody_due(self, thread: Thread) -> bool:
        return any(other.due_seq == seq and not other.is_daemon for _, seq, other in self.queue if other is not thread)

    def _pace(self) -> int:
        """Wait until the wall clock reaches the next entry, or an awaited call is done. Returns the wall's time.

        0 when the last late call has been done: virtual time runs freely again.
        """
        queue = self.queue
        while True:
            self.doorbell.clear()
            now_ns = host.monotonic_ns() - self.base_ns
            for thread in [thread for thread in self.awaited if thread.host_call is None or thread.host_call.done]:
                self.awaited.remove(thread)
                self.enqueue(thread, max(thread.clock, now_ns))
            if not (self.awaited or self.is_real or self.polled_count):
                self.is_paced = False
                return 0
            if now_ns > self.deadline_ns:
                self.on_timeout()
            if self.polling is not None and self.polled_count and now_ns - self.polled_ns >= POLL_EVERY_NS:
                self._ask_poller(0)
                self.polled_ns = now_ns
            while queue and queue[0][2].due_seq != queue[0][1]:
                heappop(queue)
            due_ns = min(queue[0][0] if queue else FOREVER, self.deadline_ns + 1)
            if due_ns <= now_ns or self.has_arrived:
                return now_ns
            if due_ns - now_ns > SHORTEST_WAIT_NS:
                self._wait(min(due_ns - now_ns, WAIT_SLICE_NS))

    # What comes from outside.

    def await_outside(self, thread: Thread) -> None:
        """Block the running thread until something arrives from outside; at once if something has."""
        if self.outside is not None:
            throw("kernel: two threads wait for the outside")
        self.outside = thread
        self.switch_away(thread)

    def _look_outside(self) -> None:
        """Something has arrived, or nobody can run before something does: wait for that. Its waiter is due now."""
        assert self.running is not None
        now_ns = self.running.clock
        if not self.has_arrived:
            if self.outside is None:
                throw("kernel: no thread can ever run")
            now_ns += self._wait_for_arrival(now_ns)
        self.has_arrived = False
        thread = self.outside
        if thread is not None:
            self.outside = None
            self.enqueue(thread, max(thread.clock, now_ns))

    def _wait_for_arrival(self, now_ns: int) -> int:
        """Wait for the host; how long that took, which counts towards the time limit of the run."""
        started_ns = host.monotonic_ns()
        waited_ns = 0
        while not self.has_arrived:
            self.doorbell.clear()
            if now_ns + waited_ns > self.deadline_ns:
                self.on_timeout()
            self._wait(WAIT_SLICE_NS)
            waited_ns = host.monotonic_ns() - started_ns
        return waited_ns

    def _wait(self, duration_ns: int) -> None:
        """Let the host thread sleep until the doorbell rings or the host reports I/O, at most so long."""
        self.is_waiting = True
        self.on_wait()
        if self.polling is None or not self.polled_count:
            self.doorbell.wait(duration_ns / 1e9)
        elif not self.doorbell.is_set():  # it rings in the poller, too
            self._ask_poller(duration_ns)
        self.is_waiting = False

    def _keep_pace(self, now_ns: int) -> None:
        """Virtual time, now_ns, follows the wall clock from here on."""
        self.is_paced = True
        self.base_ns = host.monotonic_ns() - now_ns

    # The poller.

    def open_polled(self, thread: Thread, fd: int, why: str, is_paced: bool = True) -> None:
        """Let the host poll a descriptor: the run is open, and paced (unless told not) until the last one is closed.

        Raises: OSError if the host cannot; nothing has happened then.
        """
        if self.poller is None:
            self.poller = make_poller()
            self.doorbell.ring_in(self.poller)
        self.poller.open(fd)
        self.polled_count += 1
        if is_paced and not self.is_paced:
            self._keep_pace(thread.clock)
            thread.slice_end_ns = thread.clock + PACED_SLICE
            thread.horizon = min(thread.horizon, thread.slice_end_ns)
        if why not in self.open_reasons:
            self.open_reasons.append(why)
            thread.run_is_open(why)

    def close_polled(self, fd: int) -> None:
        """The descriptor, still open, shall not be polled any more; what it was reported for is forgotten."""
        assert self.poller is not None
        self.poller.close(fd)
        self.polled_count -= 1
        if self.polled:
            self.polled = [ready for ready in self.polled if ready[0] != fd]

    def poll(self) -> list[Ready]:
        """What is ready now, for the running thread."""
        ready, self.polled = self.polled, []
        return ready or (self.poller.wait(0) if self.poller is not None else ready)

    def await_poll(self, thread: Thread, timeout_ns: int | None) -> list[Ready]:
        """Block the running thread until something is ready, for at most so long, or until a futex_wake."""
        if not self.polled:
            self.polling = thread
            if timeout_ns is not None:
                self.enqueue(thread, thread.clock + timeout_ns)
            self.switch_away(thread)
            self.polling = None
        ready, self.polled = self.polled, []
        return ready

    def _ask_poller(self, duration_ns: int) -> None:
        """Ask the host for the thread that blocks in the poller, which is due when there is something."""
        assert self.poller is not None
        assert self.polling is not None
        ready = self.poller.wait(duration_ns / 1e9)
        if ready:
            self.polled += ready
            self.hasten(self.polling, max(self.polling.clock, host.monotonic_ns() - self.base_ns))


def _no_timeout() -> None:
    throw("kernel: deadline without a handler")


def _nothing() -> None:
    return
