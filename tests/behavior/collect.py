"""What stands for runtime.GC() in the ports until there is a collector: it is told who is dead, the sweep is real."""

from greenlet import getcurrent

from goruntime import addr
from goruntime.heap.sweep import sweep_all_but


def collect(dead):
    """Free these objects as a cycle would that finds them unreachable."""
    sweep_all_but(getcurrent().m.sched.heap, [addr(pointer) for pointer in dead])
