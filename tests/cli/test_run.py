"""`goruntime run`: what the program sees, how it ends, which flags count."""

import json
import signal
import subprocess
import sys

import pytest

from .command import ROOT, goruntime

POSIX = pytest.mark.skipif(not hasattr(signal, "SIGPIPE"), reason="signals of POSIX")


# What the program sees.


def test_the_program_is_main_with_its_own_argv_and_path(folder):
    folder.write("value = 3\n", "beside.py")
    done = folder.run(
        """\
        import sys

        import beside
        from goruntime import run

        def main(n):
            print(sys.argv, sys.path[0], __name__, __file__, __spec__, sys.modules["__main__"].beside is beside, n)
            return "returned"

        if __name__ == "__main__":
            print(run(main, beside.value))
        """,
        "-p",
        "x y",
        "--help",
        flags=["-p", "2"],
    )
    expected = f"['prog.py', '-p', 'x y', '--help'] {folder.path} __main__ {folder.path / 'prog.py'} None True 3\n"
    assert done == (0, expected + "returned\n", "")


def test_a_module_runs_as_with_python_m(folder):
    folder.write("", "pack/__init__.py")
    folder.write("print('main of the package')\n", "pack/__main__.py")
    folder.write(
        """\
        import sys
        from . import __name__ as package

        def main():
            print(sys.argv[1:], sys.argv[0] == __file__, sys.path[0], package, __spec__.name)
        """,
        "pack/mod.py",
    )
    done = goruntime("run", "--seed", "3", "-m", "pack.mod", "a", "-m", cwd=folder.path)
    assert done == (0, f"['a', '-m'] True {folder.path} pack pack.mod\n", "")
    assert goruntime("run", "-m", "pack", cwd=folder.path) == (0, "main of the package\n", "")
    done = goruntime("run", "-m", "pack.missing", cwd=folder.path)
    assert done == (1, "", "goruntime: no module named pack.missing\n")


def test_a_file_that_only_defines_main_has_it_run(folder):
    source = """\
        from goruntime import chan, go

        def main():
            ch = chan()
            go(ch.send, "from a goroutine")
            print(ch.recv())
        """
    assert folder.run(source) == (0, "from a goroutine\n", "")


def test_a_file_that_runs_something_itself_has_only_that_run(folder):
    done = folder.run("from goruntime import run\ndef main(): print(1)\nrun(lambda: print(2))\nrun(lambda: print(3))\n")
    assert done == (0, "2\n3\n", "")
    assert folder.run("print('no goroutine anywhere')\nmain = 3\n") == (0, "no goroutine anywhere\n", "")


# How it ends.


ENDS = """\
import os
import signal
import sys

from goruntime import chan, default, go, panic, run, select
from goruntime.base.errors import Deadlock

def interrupt(number):
    os.kill(os.getpid(), number)
    while True:
        select(default)

def main(how):
    print("out")
    match how:
        case "return": return 7
        case "panic": go(panic, "oh"); chan().recv()
        case "raise": raise ValueError("two\\nlines")
        case "deadlock": chan().recv()
        case "exit": go(sys.exit, 9); chan().recv()
        case "exit text": sys.exit("said at the end")
        case "interrupt": interrupt(signal.SIGINT)
        case "quit": interrupt(signal.SIGQUIT)
        case "caught": chan().recv()
        case "steps": interrupt(0)

if __name__ == "__main__":
    how = sys.argv[1]
    if how == "caught":
        try:
            run(main, how)
        except Deadlock as error:
            sys.exit(str(error).splitlines()[0])
    if how == "module":
        {}["missing"]
    run(main, how, max_steps=1 if how == "steps" else None)
"""


@pytest.mark.parametrize(
    ("how", "status", "err"),
    [
        ("return", 0, ""),
        ("panic", 2, "panic: oh\n\ngoroutine 7 [running]:\n"),
        ("raise", 2, "panic: ValueError: two\n\tlines\n\ngoroutine 1 [running]:\nmain.main(...)\n"),
        ("deadlock", 2, "fatal error: all goroutines are asleep - deadlock!\n\ngoroutine 1 [chan receive]:\n"),
        ("exit", 9, ""),
        ("exit text", 1, "said at the end\n"),
        ("caught", 1, "fatal error: all goroutines are asleep - deadlock!\n"),
        ("steps", 1, "timeout: 1 scheduling steps are over (max_steps)\n\ngoroutine 1 ["),
        pytest.param("interrupt", -signal.SIGINT, "", marks=POSIX),
        pytest.param("quit", 2, "SIGQUIT: quit\n", marks=POSIX),
    ],
)
def test_the_end_is_the_programs(how, status, err, folder):
    folder.write(ENDS)
    done = goruntime("run", "prog.py", how, cwd=folder.path)
    assert (done.status, done.out) == (status, "out\n")
    assert done.err.startswith(err) if "\n\ngoroutine " in done.err else done.err == err


def test_any_other_exception_is_pythons(folder):
    folder.write(ENDS)
    done = goruntime("run", "prog.py", "module", cwd=folder.path)
    assert (done.status, done.out) == (1, "")
    first, second, *_, last = done.err.splitlines()
    assert (first, last) == ("Traceback (most recent call last):", "KeyError: 'missing'")
    assert second == f'  File "{folder.path / "prog.py"}", line 35, in <module>'


def test_plain_python_gets_the_exception(folder):
    folder.write(ENDS)
    done = goruntime("prog.py", "deadlock", cwd=folder.path, python=())
    assert (done.status, done.out) == (1, "out\n")
    assert "Deadlock: fatal error: all goroutines are asleep - deadlock!\n" in done.err


@pytest.mark.parametrize(
    ("level", "status", "shown"),
    [
        ("none", 2, 0),
        ("0", 2, 0),
        ("bogus", 2, 0),
        ("single", 2, 1),
        (None, 2, 1),
        ("all", 2, 2),
        ("system", 2, 7),
        pytest.param("crash", -signal.SIGABRT, 7, marks=POSIX),
    ],
)
def test_traceback_levels(level, status, shown, folder):
    source = "from goruntime import *\ndef main():\n    go(chan().recv)\n    panic('x')\n"
    done = folder.run(source, GOTRACEBACK=level)
    assert (done.status, done.out) == (status, "")
    assert done.err.startswith("panic: x\n")
    assert done.err.count("\n\ngoroutine ") == shown


@POSIX
def test_a_reader_that_goes_away_ends_it_by_sigpipe(folder):
    folder.write("from goruntime import *\ndef main():\n    while True: print('more' * 100)\n")
    command = [sys.executable, "-m", "goruntime", "run", "prog.py"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=folder.path, env={"PYTHONPATH": str(ROOT)}, stdout=pipe, stderr=pipe) as child:
        child.stdout.read(10)
        child.stdout.close()
        assert child.stderr.read() == b""
        assert child.wait() == -signal.SIGPIPE


# What cannot be run.


@pytest.mark.parametrize(
    ("arguments", "status", "err"),
    [
        (["missing.py"], 2, "goruntime: cannot run 'missing.py': No such file or directory\n"),
        (["."], 2, "goruntime: cannot run '.': it is a directory\n"),
        (["bad.py"], 1, "SyntaxError: invalid syntax\n"),
        (["null.py"], 1, "SyntaxError: source code string cannot contain null bytes\n"),
        (["-m", "bad"], 1, "SyntaxError: invalid syntax\n"),
        ([], 2, "goruntime run: error: a program is missing: PROG.py, or -m PKG.MOD\n"),
        (["-m"], 2, "goruntime run: error: argument -m: a module is missing\n"),
        (["-p", "abc", "ok.py"], 2, "goruntime run: error: argument -p: invalid int value: 'abc'\n"),
        (["-p", "0", "ok.py"], 2, "goruntime run: error: gomaxprocs must be a positive integer, not 0\n"),
        (["--max-time", "-1", "ok.py"], 2, "goruntime run: error: max_time must be positive: -1.0\n"),
        (["--bogus", "ok.py"], 2, "goruntime: error: unrecognized arguments: --bogus\n"),
        (["--events", "no/x", "ok.py"], 2, "goruntime: cannot record to 'no/x': No such file or directory\n"),
    ],
)
def test_what_cannot_be_run(arguments, status, err, folder):
    folder.write("x = = 1\n", "bad.py")
    folder.write("x = 1\0\n", "null.py")
    folder.write("print('must not run')\n", "ok.py")
    done = goruntime("run", *arguments, cwd=folder.path)
    assert (done.status, done.out) == (status, "")
    assert done.err.endswith(err)
    assert "Traceback" not in done.err


def test_commands(folder):
    folder.write("", "prog.py")
    done = goruntime("--version", cwd=folder.path)
    assert done.status == 0
    assert done.out.startswith("goruntime 0.")
    done = goruntime(cwd=folder.path)
    assert (done.status, done.out) == (2, "")
    assert "  run  " in done.err
    done = goruntime("prog.py", cwd=folder.path)
    assert done.status == 2
    assert "there is no command 'prog.py': did you mean goruntime run prog.py?" in done.err
    done = goruntime("run", "--help", cwd=folder.path)
    assert (done.status, done.err) == (0, "")
    for flag in "-p -m --seed --clock --quantum --max-time --max-steps --godebug --events --stats".split():
        assert f"\n  {flag} " in done.out


# Flags, environment, program.


SHOW = """\
import sys

from goruntime import run
from goruntime.sched.pool import pool_of_this_thread
from greenlet import getcurrent

def main():
    config = getcurrent().m.sched.run_config
    print(config.gomaxprocs, config.seed, config.clock, config.quantum_ns, config.max_time_ns, config.max_steps)
    print(",".join(f"{name}={value}" for name, value in config.godebug.items()))

run(main, **eval(sys.argv[1]))
"""


@pytest.mark.parametrize(
    ("flags", "environment", "program", "shown"),
    [
        ([], {}, "{}", "4 0 virtual 5000 0 0\n\n"),
        ([], {"GOMAXPROCS": "2"}, "{}", "2 0 virtual 5000 0 0\n\n"),
        ([], {"GOMAXPROCS": "abc"}, "{}", "4 0 virtual 5000 0 0\n\n"),
        ([], {"GOMAXPROCS": "-3"}, "{'seed': 8}", "4 8 virtual 5000 0 0\n\n"),
        (
            "-p 3 --seed 5 --quantum 0 --max-time 2.5 --max-steps 90 --godebug a=1,b=1".split(),
            {"GOMAXPROCS": "2", "GODEBUG": "a=0,c=0"},
            "{}",
            "3 5 virtual 0 2500000000 90\na=1,c=0,b=1\n",
        ),
        (
            "-p 3 --seed 5 --clock real --godebug a=1,b=1".split(),
            {},
            "{'gomaxprocs': 6, 'seed': None, 'clock': 'virtual', 'godebug': 'b=2'}",
            "6 5 virtual 5000 0 0\na=1,b=2\n",
        ),
    ],
)
def test_flags_fill_in_what_the_program_leaves_at_its_default(flags, environment, program, shown, folder):
    assert folder.run(SHOW, program, flags=flags, **environment) == (0, shown, "")


def test_flags_are_for_the_first_run(folder):
    source = SHOW + "run(main)\n"
    assert folder.run(source, "{}", flags=["-p", "2"]).out == "2 0 virtual 5000 0 0\n\n4 0 virtual 5000 0 0\n\n"


def test_a_wrong_configuration_is_a_python_error(folder):
    done = folder.run(SHOW, "{'gomaxprocs': 'abc'}", flags=["-p", "2"])
    assert done.status == 1
    assert done.err.endswith("TypeError: gomaxprocs must be a positive integer, not 'abc'\n")


# Recording.


PANICS = """\
from goruntime import chan, go, panic, run

def main():
    ch = chan()
    go(ch.send, "text")
    print(ch.recv())
    panic("the end")

if __name__ == "__main__":
    run(main)
"""


def test_events_are_recorded_to_the_end_of_a_program_that_dies(folder):
    done = folder.run(PANICS, flags=["--events", "out.jsonl", "--seed", "4"])
    assert (done.status, done.out) == (2, "text\n")
    lines = [json.loads(line) for line in (folder.path / "out.jsonl").read_text().splitlines()]
    assert lines[0]["program"] == str(folder.path / "prog.py")
    assert (lines[0]["main"], lines[0]["configuration"]["seed"]) == ("main.main", 4)
    assert {"ns", "m", "p", "g", "event"} <= set.intersection(*(set(line) for line in lines[1:-1]))
    assert [line["text"] for line in lines[1:-1] if line["event"] == "output"] == ["text\n"]
    end = lines[-1]["end"]
    assert (end["outcome"], end["text"], end["events"]) == ("GoPanic", "panic: the end", len(lines) - 2)


def test_events_that_nobody_recorded(folder):
    done = folder.run("print(1)\n", flags=["--events", "out.jsonl"])
    assert done == (0, "1\n", "goruntime: nothing of this program was recorded to out.jsonl: it started no run\n")
    done = folder.run("from goruntime import *\nrun(print, 1, events=[])\n", flags=["--events", "out.jsonl"])
    assert done.err.endswith("recorded to out.jsonl: it has events= of its own\n")


def test_stats_come_last(folder):
    done = folder.run(PANICS, flags=["--stats"])
    assert (done.status, done.out) == (2, "text\n")
    assert done.err.startswith("panic: the end\n\ngoroutine 1 [running]:\n")
    table = done.err[done.err.index("\ngoruntime:\n") :]
    for row in (
        "outcome       GoPanic",
        "goroutines    2 created, 3 times started, 0 preempted",
        "run           closed",
        "events ",
    ):
        assert f"\n  {row}" in table
    again = folder.run(PANICS, flags=["--stats"]).err
    assert [line for line in again.splitlines() if "checksum" in line or "virtual" in line] == [
        line for line in done.err.splitlines() if "checksum" in line or "virtual" in line
    ]
    assert folder.run("print(1)\n", flags=["--stats"]) == (0, "1\n", "goruntime: no run to tell about\n")


def test_schedtrace_reaches_stderr(folder):
    done = folder.run(PANICS, flags=["-p", "2"], GODEBUG="schedtrace=1")
    assert done.status == 2
    assert done.err.startswith("SCHED 0ms: gomaxprocs=2 idleprocs=")


def test_importing_the_package_does_not_pay_for_the_command():
    code = "import goruntime, sys; print(*sorted({'argparse', 'json', 'asyncio', 'goruntime.cli'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("\n", "")
