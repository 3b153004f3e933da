"""One oracle: NAME.go, NAME.out (what real Go printed) and NAME.py (its port), read and run.

Lines of NAME.go that say how it was run: `//o env K=V ...`, `//o timeout S`, `//o signal SIGQUIT S`.
"""

from __future__ import annotations

import ast
import functools
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

from .normalise import normalise

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
TIMEOUT = "TIMEOUT"
TIMEOUT_STATUS = 124  # how a port says that it ran to max_time
PATIENCE_SECONDS = 60.0

ROWS = {  # what a row of a program's output is, and its name, where it is not the line itself
    "deadlock_many": r"(?P<name>goroutine \d+) \[",
    "exit_codes": r"(?P<name>.*) -> ",
    "fatal_errors": r"== (?P<name>.*) -> ",
    "panic_values": r"(?P<name>\S+) -> ",
    "runtime_errors": r"(?P<name>.*?) +\| ",
    "strings_alloc": r"(?P<name>.*?) +mallocs/op=",
    "struct_layout": r"(?P<name>.*?) +(?:size=|16 error)",
    "wait_reasons": r"(?P<name>goroutine \d+) \[",
}
TEST = re.compile(r"^func (Test\w+)", re.MULTILINE)
STREAM = re.compile(r"^--- (stdout|stderr)\n(.*?)(?=^--- std(?:out|err)$|\Z)", re.MULTILINE | re.DOTALL)
OS_PACKAGES = {
    "fmt",
    "net",
    "os",
    "os/exec",
    "runtime/debug",
    "runtime/pprof",
}  # what the oracles import that links `os`


class Outcome(NamedTuple):
    """How one run of a program ended and what it printed."""

    status: int | str
    stdout: str
    stderr: str

    def normalised(self, system: int) -> Outcome:
        return Outcome(self.status, normalise(self.stdout, system), normalise(self.stderr, system))


class Oracle:
    """Everything known about one program of Go."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.source = (HERE / f"{name}.go").read_text()
        self.recorded = (HERE / f"{name}.out").read_text()
        self.program = HERE / f"{name}.py"

    @functools.cached_property
    def environment(self) -> dict[str, str]:
        words = re.search(r"  env: (.*?)  runs: ", self.recorded)
        assert words is not None
        return dict(word.split("=", 1) for word in words[1].split() if "=" in word)

    @functools.cached_property
    def variants(self) -> list[Outcome]:
        """The different outputs that Go gave over its runs."""
        found = []
        for block in re.split(r"^# variant \d+: seen \d+x  exit status: ", self.recorded, flags=re.MULTILINE)[1:]:
            status, _, text = block.partition("\n")
            streams = dict(
                re.findall(r"^--- (stdout|stderr)\n(.*?)(?=^--- std(?:out|err)$|\Z)", text, re.MULTILINE | re.DOTALL)
            )
            found.append(
                Outcome(
                    int(status) if status != TIMEOUT else status, streams.get("stdout", ""), streams.get("stderr", "")
                )
            )
        return found

    @functools.cached_property
    def system(self) -> int:
        """How many system goroutines Go starts: four, one more for `os` (finalizers), one more for `net` (cleanups)."""
        imports = set(re.findall(r'^(?:import )?\s*"([a-z/]+)"$', self.source, re.MULTILINE))
        return 4 + bool(imports & OS_PACKAGES) + ("net" in imports)

    @functools.cached_property
    def omissions(self) -> dict[str, list[str]]:
        """The port's own lists: OMITTED (rows by name) and OMITTED_TEXT (patterns within rows)."""
        lists: dict[str, list[str]] = {"OMITTED": [], "OMITTED_TEXT": []}
        for node in ast.parse(self.program.read_text()).body:
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id in lists:
                lists[node.targets[0].id] = ast.literal_eval(node.value)
        return lists

    def option(self, name: str) -> list[str]:
        """The words of the line `//o name ...`; empty without one."""
        line = re.search(rf"^//o {name} (.*)$", self.source, re.MULTILINE)
        return line[1].split() if line else []

    def expected(self) -> list[Outcome]:
        return [self.without_omissions(variant.normalised(self.system)) for variant in self.variants]

    def without_omissions(self, outcome: Outcome) -> Outcome:
        return outcome._replace(stdout=self._project(outcome.stdout), stderr=self._project(outcome.stderr))

    def unknown_omissions(self) -> list[str]:
        """Entries of the port's lists that are not in Go's output: a list that says so has rotted."""
        text = "\n".join(part for variant in self.variants for part in variant.normalised(self.system)[1:])
        names = {name for name, _ in self._rows(text)}
        rows = [name for name in self.omissions["OMITTED"] if name not in names]
        return rows + [pattern for pattern in self.omissions["OMITTED_TEXT"] if not re.search(pattern, text)]

    def _project(self, text: str) -> str:
        kept = "".join(row for name, row in self._rows(text) if name not in self.omissions["OMITTED"])
        for pattern in self.omissions["OMITTED_TEXT"]:
            kept = re.sub(pattern, "", kept)
        return kept.rstrip("\n")

    def _rows(self, text: str) -> list[tuple[str, str]]:
        """(name, lines) of each row; what stands before the first row has no name."""
        start = re.compile(ROWS.get(self.name, r"(?P<name>.*)"))
        rows = [("", "")]
        for line in text.rstrip("\n").splitlines(keepends=True):
            match = start.match(line)
            if match:
                rows.append((match["name"].rstrip("\n"), line if line.endswith("\n") else line + "\n"))
            else:
                rows[-1] = (rows[-1][0], rows[-1][1] + line)
        return rows

    def run(self) -> Outcome:
        """Run the port as Go's program was run."""
        hangs = all(variant.status == TIMEOUT for variant in self.variants)
        patience = float(self.option("timeout")[0]) if hangs else PATIENCE_SECONDS
        return run_program(self.program, self.environment, patience, self.option("signal"))


SYNCTESTS = {  # the tests of synctest/, and the file of each
    name: path for path in sorted((HERE / "synctest").glob("*_test.go")) for name in TEST.findall(path.read_text())
}


class TestOracle(Oracle):
    """One test of synctest/: a `go test` program, whose tests run in a process each (see record_synctest.py)."""

    __test__ = False

    def __init__(self, name: str) -> None:
        self.name = name
        self.program = HERE / "synctest" / "main.py"
        self.source = "".join(path.read_text() for path in sorted((HERE / "synctest").glob("*_test.go")))
        recorded = (HERE / "synctest" / "synctest.out").read_text()
        self.recorded = next(text for text in re.split(r"^(?=# Test)", recorded, flags=re.M) if f" {name} " in text)

    def run(self) -> Outcome:
        """Run the port as Go's test was run."""
        return run_program(self.program, self.environment, PATIENCE_SECONDS, args=(self.name,))


def run_program(
    program: Path, env: dict[str, str], patience: float, signalled: list[str] | None = None, args: tuple[str, ...] = ()
) -> Outcome:
    """`goruntime run program` with Go's variables from `env` alone; killed after `patience` seconds."""
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("GO")}
    child = subprocess.Popen(
        [sys.executable, "-m", "goruntime", "run", str(program), *args],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=ROOT,
        env={**inherited, "PYTHONIOENCODING": "utf-8", **env},
        start_new_session=True,  # so that a port's own children die with it
    )
    try:
        if signalled:
            number = signal.Signals[signalled[0]]
            wait_handled(child.pid, number)
            time.sleep(float(signalled[1]))
            child.send_signal(number)
        stdout, stderr = child.communicate(timeout=patience)
        status: int | str = TIMEOUT if child.returncode == TIMEOUT_STATUS else child.returncode
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)
        stdout, stderr = child.communicate()
        status = TIMEOUT
    return Outcome(status, stdout.decode(), stderr.decode())


def wait_handled(pid: int, number: int) -> None:
    """Wait until the process has a handler for the signal: a slow start must not turn it into sudden death."""
    status = Path(f"/proc/{pid}/status")
    if not status.exists():
        time.sleep(2.0)
        return
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        caught = re.search(r"^SigCgt:\s*(\w+)", status.read_text(), re.MULTILINE)
        if caught is None or int(caught[1], 16) >> (number - 1) & 1:
            return
        time.sleep(0.01)
