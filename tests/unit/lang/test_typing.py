"""What type checkers make of structs: mypy, on a program whose bad lines say what it shall answer."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).with_name("typed_program.py")


@pytest.mark.slow
def test_mypy_sees_what_a_struct_is(tmp_path: Path) -> None:
    pytest.importorskip("mypy")
    # In a process of its own: mypy raises the recursion limit of the one it runs in.
    options = ["--strict", "--cache-dir", str(tmp_path), "--no-error-summary"]
    answer = subprocess.run([sys.executable, "-m", "mypy", *options, str(PROGRAM)], capture_output=True, text=True)
    out = answer.stdout
    assert not answer.stderr
    expected = {
        number: line.partition("# E: ")[2]
        for number, line in enumerate(PROGRAM.read_text().splitlines(), 1)
        if "# E: " in line
    }
    found = {}
    for line in out.splitlines():
        match = re.search(r"typed_program\.py:(\d+): error: (.*)", line)
        if match:
            found[int(match[1])] = match[2]
    assert found.keys() == expected.keys(), out
    for number, text in expected.items():
        assert text in found[number], found[number]
