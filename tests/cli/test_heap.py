"""`goruntime heap` and `goruntime metrics`: a program runs, and what there is in the end is shown."""

from __future__ import annotations

import pytest

from .command import goruntime

PROGRAM = """\
import sys
from greenlet import getcurrent
from goruntime import go, os, panic, run, runtime
from goruntime.gc.malloc import mallocgc

def main():
    for _ in range(500):
        mallocgc(getcurrent().m, 48, 0)
    mallocgc(getcurrent().m, 100_000, 0)
    print("the program's own", sys.argv[1:])
    {end}

run(main, gomaxprocs=1)
"""


def written(folder, end="pass"):
    folder.write(PROGRAM.format(end=end))
    return folder


@pytest.fixture
def command(folder):
    """Runs a command of goruntime's on a program that ends in a certain way."""

    def perform(*words, end="pass", arguments=()):
        written(folder, end)
        return goruntime(*words, "prog.py", *arguments, cwd=folder.path)

    return perform


def test_the_report_follows_what_the_program_prints(command):
    status, out, err = command("heap", arguments=("a", "--svg"))
    assert (status, err) == (0, "")
    lines = out.splitlines()
    assert lines[0] == "the program's own ['a', '--svg']"
    assert lines[1].split("  ")[0] == "spans of"
    assert any(line.startswith("48 B noscan") and " 500 " in line for line in lines)
    assert any(line.startswith("large ") for line in lines)
    assert any(line.startswith("P0 ") for line in lines)
    assert any(line.startswith("0x00c000000000 ") for line in lines)
    assert "\x1b" not in out


def test_colours(command, monkeypatch):
    assert "\x1b[38;5;" in command("heap", "--color", "always")[1]
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in command("heap")[1]


def test_pictures_are_files(command, folder):
    status, _, err = command("heap", "--svg", "a.svg", "--html", "a.html")
    assert (status, err) == (0, "")
    svg, page = (folder.path / "a.svg").read_text(), (folder.path / "a.html").read_text()
    assert svg.startswith("<svg ")
    assert "heap of prog.py: 512 KiB a row" in svg
    assert "<title>heap of prog.py</title>" in page


def test_a_picture_that_cannot_be_written(command):
    status, out, err = command("heap", "--svg", "missing/a.svg")
    assert (status, out) == (2, "")
    assert err.endswith("error: cannot draw to 'missing/a.svg': there is no such folder\n")
    status, out, err = command("heap", "--html", ".")
    assert "spans of" in out
    assert err == "goruntime: cannot draw to '.': Is a directory\n"


@pytest.mark.parametrize(
    ("end", "status", "last"),
    [
        ("panic(3)", 2, "panic: 3"),
        ("os.exit(7)", 7, ""),
        ("sys.exit(3)", 3, ""),
        ("1 / 0", 2, "panic: ZeroDivisionError: division by zero"),
    ],
)
def test_the_heap_of_a_program_that_dies(command, end, status, last):
    done = command("heap", end=end)
    assert done[0] == status
    assert "48 B noscan" in done[1]
    assert done[2].startswith(last)


def test_a_program_that_starts_no_run(folder):
    folder.write("print('nothing')\n")
    assert goruntime("heap", "prog.py", cwd=folder.path) == (0, "nothing\n", "goruntime: prog.py started no run\n")


def test_a_program_that_is_not_there(folder):
    status, out, err = goruntime("heap", "prog.py", cwd=folder.path)
    assert (status, out) == (2, "")
    assert err == "goruntime: cannot run 'prog.py': No such file or directory\n"


def test_goroutines_that_still_run_are_seen_as_they_are(folder):
    folder.write("""\
        from greenlet import getcurrent
        from goruntime import go, run, runtime
        from goruntime.gc.malloc import mallocgc

        def other():
            try:
                runtime.work(1)
            finally:
                for _ in range(10_000):
                    mallocgc(getcurrent().m, 1024, 0)

        def main():
            go(other)
            runtime.gosched()
            mallocgc(getcurrent().m, 64, 0)
    """)
    out = goruntime("heap", "prog.py", cwd=folder.path)[1]
    assert "64 B noscan" in out
    assert "1024 B noscan" not in out  # what it does when it is taken down comes later


def test_metrics(command):
    status, out, err = command("metrics")
    assert (status, err) == (0, "")
    lines = out.splitlines()[1:]
    assert len(lines) == 106
    assert "/gc/heap/goal:bytes,uint64,false,4194304" in lines
    assert "/sched/gomaxprocs:threads,uint64,false,1" in lines
    latencies = next(line for line in lines if line.startswith("/sched/latencies:seconds,float64histogram,true,"))
    assert " from 0 to " in latencies  # counted from the start


def test_metrics_described(command):
    out = command("metrics", "--describe")[1]
    assert "/sched/gomaxprocs:threads,uint64,false,1\n    GOMAXPROCS: how many Ps there are.\n" in out


def test_stats_say_what_was_allocated(command):
    err = command("run", "--stats")[2]
    assert "  heap          50" in err
    assert " objects allocated (" in err
    # 4 MiB for the heap, the rest for the tables beside it.
    assert "  memory        5.773 MiB from the kernel, 3.875 MiB of that not backed; 0 B for stacks\n" in err
