"""The simulated threads, for the ports: Go's ask the kernel, by syscall.Gettid, os.Getpid and files in /proc."""

from greenlet import getcurrent


def gettid():
    """The thread that runs this goroutine: the number of its M."""
    return getcurrent().m.id


def getpid():
    """The main thread, whose number is that of the process."""
    return 0


def exists(tid):
    """Is the thread alive? Those that are not are no longer in the scheduler's list."""
    return any(m.id == tid for m in getcurrent().m.sched.allm)
