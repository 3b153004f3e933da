"""What real Go prints: one binary for many programs, one process for each run."""

import os
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from . import emit_go, syntax
from .reference import Outcome
from .transcript import system_goroutines, transcript

# With schedtrace on, sysmon never sleeps until the next timer. Where it does, it wakes up together with the goroutine,
# may find the P still in a schedtick of more than 10 ms ago, and preempts what has only begun to run.
ENVIRONMENT = {"GOMAXPROCS": "1", "GODEBUG": "asyncpreemptoff=1,schedtrace=2147483647", "GOGC": "off"}
TIMEOUT_S = 20
PROBE = -1
RUNS = 5
ATTEMPTS = 30


def toolchain() -> str | None:
    """Return the go command: $GORUNTIME_GO, or `go` on PATH."""
    return os.environ.get("GORUNTIME_GO") or shutil.which("go")


def version() -> str | None:
    """Return the toolchain's version, like `go1.27.3`."""
    command = toolchain()
    if command is None:
        return None
    environment = os.environ | {"GOTOOLCHAIN": "local"}
    done = subprocess.run([command, "env", "GOVERSION"], env=environment, capture_output=True, text=True, check=False)
    return done.stdout.strip()


class Binary:
    """A batch of programs, built by real Go without inlining (which would change the names of functions)."""

    def __init__(self, programs: list[syntax.Program], directory: Path) -> None:
        command = toolchain()
        assert command is not None, "no Go toolchain"
        # Without a go.mod the GODEBUG defaults are old Go's: panic(nil) is nil, and a system goroutine is missing.
        (directory / "go.mod").write_text("module main\n\ngo 1.27\n")
        (directory / "main.go").write_text(emit_go.emit(programs))
        build = [command, "build", "-gcflags=-l", "-o", "programs", "."]
        environment = os.environ | {"GOTOOLCHAIN": "local", "GOFLAGS": "", "GOWORK": "off"}
        done = subprocess.run(build, cwd=directory, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"go build: {done.stdout}{done.stderr}")
        self.path = directory / "programs"
        self.system = system_goroutines(self._output(PROBE)[0])

    def run(self, number: int) -> Outcome:
        """Run one program once, undisturbed."""
        status = emit_go.DISTURBED
        for _ in range(ATTEMPTS):
            text, status = self._output(number)
            if status != emit_go.DISTURBED:
                break
        return Outcome(transcript(text, self.system), status)

    def run_all(self, numbers: list[int], runs: int, parallel: int = 4) -> dict[int, list[Outcome]]:
        """Run each program several times."""
        with ThreadPoolExecutor(parallel) as pool:
            outcomes = list(pool.map(self.run, numbers * runs))
        return {number: outcomes[index :: len(numbers)] for index, number in enumerate(numbers)}

    def _output(self, number: int) -> tuple[str, int]:
        environment = ENVIRONMENT | {"RANDOM_PROGRAM": str(number)}
        done = subprocess.run(
            [self.path],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=TIMEOUT_S,
            text=True,
            check=False,
        )
        return done.stdout, done.returncode
