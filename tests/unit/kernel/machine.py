"""Threads of a bare kernel: each runs a function on a greenlet of its own."""

from __future__ import annotations

from collections.abc import Callable

from greenlet import getcurrent, greenlet

from goruntime.base.choose import SeededChooser
from goruntime.kernel.threads import Kernel, Thread


class Worker(Thread):
    """A thread that calls `body(self)` and is gone when that returns."""

    __slots__ = ("body", "kernel")

    def __init__(self, kernel: Kernel, ident: int, body: Callable[[Worker], None]) -> None:
        Thread.__init__(self, ident)
        self.kernel = kernel
        self.body = body

    def first_run(self) -> greenlet:
        def live() -> None:
            self.body(self)
            self.kernel.switch_away(self)

        return greenlet(live)

    def step(self, cost_ns: int) -> None:
        """Compute for so long, as an operation of the runtime does: give way only past the horizon."""
        self.clock += cost_ns
        if self.clock >= self.horizon:
            self.kernel.yield_cpu(self)


class Machine:
    """One kernel; the test itself is thread -1, which sleeps until all others are done."""

    def __init__(self, quantum_ns: int = 0, choose: Callable[[int, int], int] | None = None) -> None:
        self.kernel = Kernel(choose or SeededChooser(0).choose, quantum_ns)
        self.log: list[object] = []
        self.count = 0

    def thread(self, body: Callable[[Worker], None], at_ns: int = 0, is_due: bool = True) -> Worker:
        """A thread that begins at an instant, or when somebody wakes it."""
        worker = Worker(self.kernel, self.count, body)
        self.count += 1
        if is_due:
            self.kernel.enqueue(worker, at_ns)
        return worker

    def run(self, until_ns: int = 1 << 60) -> None:
        """Run everything that is due before an instant."""
        test = Thread(-1)
        test.resume = getcurrent()
        self.kernel.running = test
        self.kernel.sleep(test, until_ns)
