"""What goruntime prints: the programs run in this process, one after the other."""

import contextlib
import io
from typing import Any

from goruntime import run
from goruntime.base.errors import RuntimeFailure

from . import emit_python, syntax
from .reference import Outcome
from .transcript import system_goroutines, transcript

MAXIMUM_S = 60  # of virtual time; no program takes a second


class Module:
    """A batch of programs, compiled as one module that calls itself `__main__`."""

    def __init__(self, programs: list[syntax.Program]) -> None:
        self.namespace: dict[str, Any] = {"__name__": "__main__"}
        exec(compile(emit_python.emit(programs), "programs.py", "exec"), self.namespace)
        self.system = system_goroutines(self._output("probe")[0])

    def run(self, number: int) -> Outcome:
        """Run one program."""
        return self.outcome(*self._output(f"p{number}"))

    def outcome(self, text: str, status: int) -> Outcome:
        """Normalise what a run printed."""
        return Outcome(transcript(text, self.system), status)

    def _output(self, name: str) -> tuple[str, int]:
        text, status = io.StringIO(), 0
        with contextlib.redirect_stdout(text), contextlib.redirect_stderr(text):
            try:
                run(self.namespace[name], gomaxprocs=1, max_time=MAXIMUM_S)
            except RuntimeFailure as failure:
                text.write(str(failure))
                status = failure.status
            except SystemExit as end:
                status = int(end.code or 0)
        return text.getvalue(), status
