"""runtime.procPin for the heap's ports: it has no word in Python."""

import contextlib

from greenlet import getcurrent

from goruntime.sched.preempt import horizon_of

NEVER = 1 << 62  # ns


@contextlib.contextmanager
def pinned():
    """The goroutine stays on its P, whose number this is, until the end of the block."""
    m = getcurrent().m
    m.horizon = NEVER
    yield m.p.id
    m.horizon = horizon_of(m)
