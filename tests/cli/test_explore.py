"""`goruntime explore` and `goruntime replay`: the program's main is taken, not run, and a failure comes back."""

import json

from .command import goruntime

LOSES = """\
import sys

from goruntime import chan, go, run, runtime

print("module", sys.argv[1:])

def main(count):
    print("main")
    cell, done = [0], chan()

    def add():
        value = cell[0]
        runtime.gosched()
        cell[0] = value + 1
        done.send(None)

    for _ in range(count):
        go(add)
    for _ in range(count):
        done.recv()
    assert cell[0] == count, "lost update"

if __name__ == "__main__":
    run(main, 2, seed=3, clock="real", events=[], observers=[])
    print("not reached")
"""

PASSES = """\
from goruntime import chan, go

def main():
    ch = chan()
    go(ch.send, 1)
    return ch.recv()
"""


def test_a_failure_is_found_saved_and_replayed(folder):
    folder.write(LOSES)
    done = goruntime("explore", "--save", "f.json", "prog.py", "a", cwd=folder.path)
    assert (done.status, done.err) == (1, "")
    assert done.out.startswith("module ['a']\nfailed: a failure was found\n")
    assert "assertion: panic: AssertionError: lost update\n" in done.out
    assert done.out.endswith("Again: goruntime replay f.json\n")
    assert "main\n" not in done.out.splitlines(keepends=True)
    failure = json.loads((folder.path / "f.json").read_text())
    assert (failure["failure"], failure["kind"], failure["program"]) == (1, "assertion", ["prog.py", "a"])

    done = goruntime("replay", "--events", "out.jsonl", "f.json", cwd=folder.path)
    assert (done.status, done.out) == (2, "module ['a']\nmain\n")
    assert done.err.startswith("panic: AssertionError: lost update\n\ngoroutine 1 [running]:\n")
    assert json.loads((folder.path / "out.jsonl").read_text().splitlines()[-1])["end"]["outcome"] == "GoPanic"

    done = goruntime("replay", failure["schedule"], "-m", "prog", "b", cwd=folder.path)
    assert (done.status, done.out) == (2, "module ['b']\nmain\n")


def test_a_program_without_a_fault_is_proved(folder):
    folder.write(PASSES)
    done = goruntime("explore", "--strategy", "dfs", "prog.py", cwd=folder.path)
    assert (done.status, done.err) == (0, "")
    assert done.out.startswith("proved: every schedule was run\n")


def test_what_cannot_be_told_is_neither(folder):
    folder.write(PASSES)
    done = goruntime("explore", "--schedules", "5", "--max-steps", "3", "prog.py", cwd=folder.path)
    assert (done.status, done.err) == (3, "")
    assert done.out.startswith("inconclusive: ")


def test_a_schedule_of_another_program_diverges(folder):
    folder.write(LOSES)
    goruntime("explore", "--save", "f.json", "prog.py", cwd=folder.path)
    folder.write(PASSES, "other.py")
    done = goruntime("replay", "f.json", "other.py", cwd=folder.path)
    assert (done.status, done.out) == (1, "")
    assert done.err.startswith("replay diverged: ")


def test_what_cannot_be_explored_or_replayed(folder):
    folder.write("x = 1\n")
    (folder.path / "f.json").write_text('{"failure": 99}')
    for arguments, err in (
        (["explore", "prog.py"], "goruntime: prog.py started no run\n"),
        (["explore", "--schedules", "0", "-m", "json"], "goruntime: "),
        (["replay", "missing", "prog.py"], "goruntime: cannot read 'missing': No such file or directory\n"),
        (["replay", "prog.py"], "goruntime: 'prog.py' holds no failure of goruntime explore\n"),
        (["replay", "f.json"], "goruntime: 'f.json' has version 99, this is for version 1\n"),
        (["replay", "x1;s0;m0;1S;0000", "prog.py"], "goruntime: "),
    ):
        done = goruntime(*arguments, cwd=folder.path)
        assert done.status in (1, 2)
        assert done.out == ""
        assert done.err.startswith(err)
        assert "Traceback" not in done.err
