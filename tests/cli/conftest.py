"""A folder with a program in it."""

import textwrap

import pytest

from .command import goruntime


class Folder:
    """A folder in which programs are written and run."""

    def __init__(self, path):
        self.path = path

    def write(self, source, name="prog.py"):
        path = self.path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(textwrap.dedent(source), encoding="utf-8")
        return path

    def run(self, source, *arguments, flags=(), **environment):
        """`goruntime run FLAGS prog.py ARGUMENTS`."""
        self.write(source)
        return goruntime("run", *flags, "prog.py", *arguments, cwd=self.path, **environment)


@pytest.fixture
def folder(tmp_path):
    return Folder(tmp_path)
