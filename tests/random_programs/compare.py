"""Tell how two implementations differ on a program."""

import difflib

from . import emit_go, emit_python, syntax
from .reference import Outcome


def text_of(outcome: Outcome) -> list[str]:
    """Return what was printed, and the status."""
    return [*outcome.lines, f"exit status {outcome.status}"]


def report(program: syntax.Program, names: tuple[str, str], outcomes: tuple[Outcome, Outcome]) -> str:
    """Return the program in both languages, the difference, and how to see it again."""
    left, right = map(text_of, outcomes)
    difference = difflib.unified_diff(left, right, *names, lineterm="")
    return "\n".join(
        [
            *emit_go.emit_program(program),
            "",
            *emit_python.emit_program(program),
            "",
            f"seed {program.number}: {names[0]} and {names[1]} differ",
            *difference,
            "",
            f"again: python -m tests.random_programs compare {program.number}",
            f"smaller: python -m tests.random_programs shrink {program.number}",
        ]
    )
