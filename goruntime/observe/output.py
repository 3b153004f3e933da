"""What goroutines print: while a watched run is on, sys.stdout and sys.stderr also tell its readers.

Python's `print` is no operation of the runtime: it has no safepoint and costs no virtual time, and nobody watching a
run should change that. So a tap stands in for each stream, passes everything on, and looks who is running. Runs in
several host threads share the taps; the last one to end takes them away.

Differs: what bypasses sys.stdout and sys.stderr (os.write, print(file=...) to a stream opened before) is not seen.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

from greenlet import getcurrent

from ..kernel import host

OUTPUT_SLOT = "output"  # in Sched.user: (m, stream, text) -> None


class Tap:
    """A stream that passes on what it gets. `untapped` is the stream itself."""

    def __init__(self, stream: Any, name: str) -> None:
        self.untapped = stream
        self.stream_name = name

    def write(self, text: str) -> Any:
        """Write, and tell the readers of the run whose goroutine wrote."""
        written = self.untapped.write(text)
        m = getattr(getcurrent(), "m", None)
        if m is not None and m.watch is not None and text:
            note = m.sched.user.get(OUTPUT_SLOT)
            if note is not None:
                note(m, self.stream_name, text)
        return written

    def writelines(self, lines: Iterable[str]) -> None:
        """Write each."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.untapped, name)

    def __repr__(self) -> str:
        return repr(self.untapped)


class Taps:
    """The taps of this process, there as long as a watched run is on."""

    def __init__(self) -> None:
        self._lock = host.new_lock()
        self._run_count = 0
        self._taps: list[Tap] = []

    def install(self) -> None:
        """One more watched run."""
        with self._lock:
            self._run_count += 1
            if self._run_count > 1:
                return
            for name in ("stdout", "stderr"):
                stream = getattr(sys, name)
                if stream is not None:
                    tap = Tap(stream, name)
                    self._taps.append(tap)
                    setattr(sys, name, tap)

    def remove(self) -> None:
        """One watched run less. A stream that the program has replaced since stays as it is."""
        with self._lock:
            self._run_count -= 1
            if self._run_count:
                return
            for tap in self._taps:
                if getattr(sys, tap.stream_name) is tap:
                    setattr(sys, tap.stream_name, tap.untapped)
            self._taps.clear()


taps = Taps()
