"""Go's os/exec for the ports that run themselves: a child of the same file, waited for in a system call."""

import os
import signal
import subprocess
import sys
from functools import partial

from goruntime import syscall

SIGNAL_TEXTS = {  # Go's, on Linux
    signal.SIGABRT: "aborted",
    signal.SIGHUP: "hangup",
    signal.SIGINT: "interrupt",
    signal.SIGKILL: "killed",
    signal.SIGPIPE: "broken pipe",
    signal.SIGTERM: "terminated",
}


def combined_output(program, *args, **env):
    """Run `goruntime run program args`: (what Go's `err` would say, or None; both streams as one text)."""
    command = [sys.executable, "-m", "goruntime", "run", program, *map(str, args)]
    streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    child = syscall(partial(subprocess.run, command, env={**os.environ, **env}, check=False, **streams))
    return _error(child.returncode), child.stdout.decode()


def head(output):
    """Keep the output up to the first blank line."""
    first, blank, _ = output.partition("\n\n")
    return first + "\n   ...\n" if blank else output


def _error(status):
    if status == 0:
        return None
    if status > 0:
        return f"exit status {status}"
    return f"signal: {SIGNAL_TEXTS.get(-status, -status)}"
