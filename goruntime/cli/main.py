"""The command `goruntime`: what it understands, and the order in which a run begins and ends.

`main` reads the arguments and calls one function for the subcommand; that returns an exit status, or the process ends
by a signal as the program would have in Go (ending.py).
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from typing import Any

from .. import boot
from .._version import __version__
from ..base.config import CLOCKS
from ..check.strategy import NAMES as STRATEGIES
from ..kernel import host
from . import ending
from .exploring import explore_program, replay_program
from .looking import add_picture, heap_program, metrics_program
from .program import configuration, load, words_of
from .stats import Stats

DESCRIPTION = "Run programs of goroutines on Go's runtime, rebuilt in Python as a glass box."
EPILOG = """\
environment: GOMAXPROCS, GOGC, GOMEMLIMIT, GODEBUG and GOTRACEBACK, as in Go. Flags and environment fill in what the
program leaves at its default: what it passes to run() itself stands.
"""
VERSION = f"goruntime {__version__} (after Go 1.27.3, Python {sys.version.split()[0]})"


def main(arguments: list[str] | None = None) -> int:
    """The command line; returns the exit status."""
    parser, commands = make_parser()
    given = sys.argv[1:] if arguments is None else arguments
    if given and given[0] not in commands and not given[0].startswith("-"):
        hint = f": did you mean goruntime run {given[0]}?" if os.path.exists(given[0]) else ""
        parser.error(f"there is no command {given[0]!r}{hint}; there are: {', '.join(commands)}")
    options = parser.parse_args(given)
    if options.command is None:
        parser.print_help(sys.stderr)
        return 2
    ending.guard_standard_streams()
    host.ignore_what_go_ignores()
    perform: Callable[[argparse.Namespace], int] = options.perform
    return ending.end(perform(options))


# What there is to say.


def make_parser() -> tuple[argparse.ArgumentParser, dict[str, argparse.ArgumentParser]]:
    """The parser, and those of the commands by name."""
    parser = argparse.ArgumentParser("goruntime", description=DESCRIPTION, epilog=EPILOG, allow_abbrev=False)
    parser.add_argument("--version", action="version", version=VERSION)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")
    run = add_command(commands, "run", "run a program", run_program)
    add_configuration(run)
    run.add_argument("--events", metavar="OUT.jsonl", help="record every event of the run, one JSON object a line")
    run.add_argument("--stats", action="store_true", help="show what the run did, on stderr, when it is over")
    explore = add_command(commands, "explore", "look for what breaks a program, in many schedules", explore_program)
    add_exploration(explore)
    replay = add_command(commands, "replay", "run a failure that explore found once more", replay_program, "FAILURE ")
    add_replay(replay)
    heap = add_command(commands, "heap", "run a program, and draw its heap", heap_program)
    add_picture(heap)
    add_configuration(heap)
    metrics = add_command(commands, "metrics", "run a program, and print its metrics", metrics_program)
    add_configuration(metrics)
    metrics.add_argument("--describe", action="store_true", help="say what each of them counts")
    return parser, commands.choices


def add_command(
    commands: Any, name: str, what: str, perform: Callable[[argparse.Namespace], int], before: str = ""
) -> argparse.ArgumentParser:
    """A command that takes a program: everything after PROG.py or -m PKG.MOD belongs to it."""
    parser: argparse.ArgumentParser = commands.add_parser(
        name,
        help=what,
        description=perform.__doc__,
        epilog=EPILOG,
        allow_abbrev=False,
        usage=f"goruntime {name} [FLAGS] {before}(PROG.py | -m PKG.MOD) [ARGS]",
    )
    parser.set_defaults(parser=parser, perform=perform)
    if before:
        parser.add_argument("failure", metavar="FAILURE", help="the file that explore --save wrote, or a schedule")
    add = parser.add_argument
    add("-m", dest="module", metavar="PKG.MOD", nargs=argparse.REMAINDER, help="a module, found as python -m does")
    add("program", metavar="PROG.py", nargs=argparse.REMAINDER, help="the program, and its own arguments")
    return parser


def add_configuration(parser: argparse.ArgumentParser) -> None:
    """The flags that stand for options of `run`."""
    group = parser.add_argument_group("configuration, where the program leaves the default")
    add = group.add_argument
    add("-p", dest="gomaxprocs", type=int, metavar="N", help="GOMAXPROCS: the number of Ps")
    add("--seed", type=int, metavar="S", help="the seed of every choice that Go leaves open (0)")
    add("--clock", choices=CLOCKS, help="simulated time, or the wall clock (virtual)")
    add("--quantum", type=float, metavar="SECONDS", help="how far a thread may run ahead; 0 is exact order")
    add("--max-time", type=float, metavar="SECONDS", help="end the run after so much virtual time, with status 1")
    add("--max-steps", type=int, metavar="N", help="end the run after so many scheduling steps, with status 1")
    add("--godebug", metavar="NAME=VALUE,...", help="settings beside $GODEBUG: schedtrace=X, scheddetail=1, ...")


def add_exploration(parser: argparse.ArgumentParser) -> None:
    """The flags of `explore`."""
    add = parser.add_argument
    add("--strategy", choices=STRATEGIES, default=STRATEGIES[0], help="random walks, or depth-first search (random)")
    add("--schedules", type=int, default=1_000, metavar="N", help="run at most so many (1,000)")
    add("--preemption-bound", type=int, metavar="N", help="dfs: only schedules with at most so many preemptions")
    add("--max-steps", type=int, metavar="N", help="steps of one schedule; one that goes on is a suspicion (10,000)")
    add("--seed", type=int, default=0, metavar="S", help="the seed of random walks, and of what the program draws (0)")
    add(
        "-p", dest="gomaxprocs", type=int, metavar="N", help="what gomaxprocs() reports, where the program says nothing"
    )
    add("--godebug", metavar="NAME=VALUE,...", help="settings beside $GODEBUG")
    add("--no-leaks", action="store_true", help="goroutines that main leaves blocked are no failure")
    add("--all", action="store_true", help="go on after a failure, and show one of each kind")
    add("--output", action="store_true", help="let through what the program prints, once for every schedule")
    add("--save", metavar="FILE.json", help="write the first failure to a file, for goruntime replay")


def add_replay(parser: argparse.ArgumentParser) -> None:
    """The flags of `replay`."""
    parser.add_argument("--events", metavar="OUT.jsonl", help="record every event of the run, one JSON object a line")


# What it does.


def run_program(options: argparse.Namespace) -> int:
    """Run a program. The first run(main) it reaches is executed with these flags filling in what it leaves at the
    default; a file that never calls run() but defines main() has it run. The exit status is the program's own: 2 when
    it panics or dies of a fatal error, 1 for any other exception."""
    launched = configuration(options)
    stats = Stats() if options.stats else None
    if stats is not None:
        launched["checksum"] = True
    return ending.status_of(lambda: execute(options, launched, stats))


def execute(options: argparse.Namespace, launched: dict[str, Any], stats: Stats | None) -> int:
    """Load and execute the program.

    Raises: CannotRun, and whatever leaves the program.
    """
    program, arguments = load(words_of(options), options.parser.error)
    recorder = None
    if options.events is not None:
        recorder = launched["events"] = ending.recorder(options.events)
    boot.launch_next(boot.Launch(launched, () if stats is None else (stats,)))
    try:
        return ending.status_of(lambda: program.execute(arguments))
    finally:
        ending.flush_stdout()
        if recorder is not None and not recorder.has_begun:
            recorder.abandon()
            why = "it has events= of its own" if boot.is_launched() else "it started no run"
            host.write_stderr(f"goruntime: nothing of this program was recorded to {recorder.path}: {why}\n")
        if stats is not None:
            host.write_stderr(stats.table())
