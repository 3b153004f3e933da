"""Running the command."""

import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]


class Done(NamedTuple):
    status: int
    out: str
    err: str


def goruntime(*arguments, cwd, python=("-m", "goruntime"), **environment):
    """`goruntime ARGUMENTS` in a folder; an environment variable that is None is taken away."""
    child = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8", **environment}
    child = {name: value for name, value in child.items() if value is not None}
    command = [sys.executable, *python, *map(str, arguments)]
    done = subprocess.run(
        command,
        cwd=cwd,
        env=child,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    return Done(done.returncode, done.stdout, done.stderr)
