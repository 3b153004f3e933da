"""What a run printed, as the lines that Go, goruntime and the reference must agree on."""

import re

from tests.behavior.normalise import normalise

SCHEDULER = re.compile(r"^(?:SCHED \d+ms|  [PMG]\d+): .*\n", re.MULTILINE)
UNNAMED = re.compile(r"\._(\d+)")
GOROUTINE = re.compile(r"^goroutine (\d+) \[", re.MULTILINE)


def transcript(text: str, system: int) -> tuple[str, ...]:
    """Return the normalised text as lines, without empty ones; `system` counts the system goroutines of its runtime.

    Go's second literal in a literal is called `2`, which is no name in Python: there it is `_2`.
    """
    lines = normalise(SCHEDULER.sub("", text), system).split("\n")
    return tuple(UNNAMED.sub(r".\1", line) for line in lines if line)


def system_goroutines(probe: str) -> int:
    """Read from the death of the first goroutine that main started how many the runtime has of its own."""
    header = GOROUTINE.search(probe)
    assert header is not None, probe
    return int(header[1]) - 2
