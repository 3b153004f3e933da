"""The pages that are made from the source say what the source says now."""

import runpy
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_pages_are_current():
    command = [sys.executable, ROOT / "docs" / "generate.py", "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


SOURCE = '''"""A module.

Differs: in one way.
"""

class Timer:
    """A timer.

    Go: time/sleep.go Timer (go1.27).
    Differs: in a way that takes
    two lines.
    Caller: anyone.
    """

    def stop(self):
        """Not a word of Differs: here."""
        def inner():
            """Differs: deep down."""
'''


def test_deviations(tmp_path):
    package = tmp_path / "fake"
    (package / "sched").mkdir(parents=True)
    deviations = runpy.run_path(str(ROOT / "docs" / "generators" / "deviations.py"))
    (package / "sched" / "a.py").write_text('"""The same."""\n')
    assert deviations["generate"](package).endswith("Nothing so far.\n")
    (package / "sched" / "b.py").write_text(SOURCE)
    assert deviations["generate"](package).removeprefix(deviations["INTRODUCTION"]) == (
        "\n## [fake/sched/b.py](../fake/sched/b.py)\n\n"
        "* in one way.\n"
        "* `Timer` (time/sleep.go Timer): in a way that takes two lines.\n"
        "* `Timer.stop.inner`: deep down.\n"
    )
