"""Blocking calls on real threads of the host.

A goroutine's system call that may block runs on a daemon thread of its own here, while the simulated thread waits in
the kernel. The threads belong to the run: they are kept for its next calls, and end with it. One whose call never
returns is lost, which is all that can be done about it.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import copy_context
from typing import Any

from . import host
from .poller import Poller

MAX_IDLE_WORKERS = 32
END_PATIENCE = 1.0  # s a thread without a call gets to end


class Doorbell:
    """What a host thread rings when a call is done, and what the kernel waits for, here or in the poller."""

    __slots__ = ("_event", "_lock", "_poller")

    def __init__(self) -> None:
        self._event = host.new_event()
        self._lock = host.new_lock()
        self._poller: Poller | None = None

    def ring_in(self, poller: Poller | None) -> None:
        """The kernel waits in a poller from now on, or no longer."""
        with self._lock:
            self._poller = poller

    def set(self) -> None:
        """Ring."""
        self._event.set()
        with self._lock:  # the poller is not shut meanwhile
            if self._poller is not None:
                self._poller.wake()

    def clear(self) -> None:
        """Silence it: the kernel looks at what is done."""
        self._event.clear()

    def is_set(self) -> bool:
        """It has rung since."""
        return self._event.is_set()

    def wait(self, timeout: float) -> bool:
        """Sleep until it rings, at most so many seconds."""
        return self._event.wait(timeout)


class HostCall:
    """One call in flight: `result` or `error` is valid once `done`."""

    __slots__ = ("args", "context", "done", "error", "fn", "kwargs", "name", "result")

    def __init__(self, fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.fn: Callable[..., Any] | None = fn
        self.args = args
        self.kwargs = kwargs
        self.context = copy_context()  # the goroutine's, as asyncio.to_thread does it
        self.name = getattr(fn, "__qualname__", None) or type(fn).__qualname__
        self.result: Any = None
        self.error: BaseException | None = None
        self.done = False

    def perform(self) -> None:
        """Run the call on this host thread; whatever it raises is its result."""
        assert self.fn is not None
        try:
            self.result = self.context.run(self.fn, *self.args, **self.kwargs)
        except BaseException as error:  # the goroutine gets it, whatever it is
            self.error = error
        self.fn, self.args, self.kwargs = None, (), {}
        self.done = True


class Workers:
    """The host threads of one run."""

    def __init__(self, doorbell: Doorbell) -> None:
        self._doorbell = doorbell  # the kernel waits for it
        self._lock = host.new_lock()
        self._all: list[_Worker] = []
        self._idle: list[_Worker] = []
        self._is_closed = False

    def start(self, call: HostCall) -> None:
        """Hand a call to an idle thread, or to a new one.

        Raises: RuntimeError if the host has no more threads.
        """
        with self._lock:
            worker = self._idle.pop() if self._idle else None
        if worker is not None:
            worker.call = call
            worker.wake.set()
            return
        worker = _Worker(self, call)
        with self._lock:
            worker.thread = host.new_thread(worker.loop, "goruntime-syscall")
            self._all.append(worker)

    def finished(self, worker: _Worker) -> bool:
        """The worker's call is done: wake the kernel. False when the thread should end."""
        with self._lock:
            worker.call = None
            keeps = not self._is_closed and len(self._idle) < MAX_IDLE_WORKERS
            if keeps:
                self._idle.append(worker)
            elif not self._is_closed:
                self._all.remove(worker)
        self._doorbell.set()
        return keeps

    def close(self) -> None:
        """End every thread that is not in a call, and wait for it; one in a call ends when that returns."""
        with self._lock:
            self._is_closed = True
            ending = [worker for worker in self._all if worker.call is None or worker.call.done]
            self._idle.clear()
        for worker in ending:
            worker.wake.set()
        for worker in ending:
            if worker.thread is not None:
                worker.thread.join(END_PATIENCE)


class _Worker:
    """One host thread."""

    def __init__(self, workers: Workers, call: HostCall) -> None:
        self._workers = workers
        self.wake = host.new_event()
        self.call: HostCall | None = call
        self.thread: host.HostThread | None = None

    def loop(self) -> None:
        """Make one call after another."""
        _here.is_worker = True
        while self.call is not None:
            self.call.perform()
            if not self._workers.finished(self):
                return
            self.wake.wait()
            self.wake.clear()


class _Here(host.ThreadLocal):
    """What a host thread is for."""

    is_worker = False


_here = _Here()


def is_worker_thread() -> bool:
    """The calling host thread makes a blocking call for a goroutine."""
    return _here.is_worker
