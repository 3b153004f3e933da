"""`goruntime explore` and `goruntime replay`: the program's main under many schedules, and under one of them again.

Both execute the program up to its first `run(main, ...)`, take main with its arguments and its configuration, and leave
the module there. What belongs to one run only (the clock, recordings, observers) is left out of the configuration.
"""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from .._version import __version__
from ..check import Failure, Report, Schedule, explore, replay
from ..check.report import FAILED, INCONCLUSIVE
from . import ending
from .program import CannotRun, Taken, load, take_main, words_of

FILE_VERSION = 1
NOT_TAKEN = ("checksum", "clock", "events", "observers", "quantum", "race", "seed", "strategy", "trace")
STATUS_FAILED = 1
STATUS_INCONCLUSIVE = 3


def explore_program(options: argparse.Namespace) -> int:
    """Run main under many schedules, with any goroutine that can go on being next, and say what goes wrong in which.
    Exit status: 0 if nothing was found, 1 for a failure, 3 if it cannot be told."""
    return ending.status_of(lambda: explored(options))


def explored(options: argparse.Namespace) -> int:
    """Explore; returns the exit status."""
    words = words_of(options)
    program, arguments = load(words, options.parser.error)
    taken = take_main(program, arguments)
    config = configuration(taken, given(options))
    if options.max_steps is not None:
        config["max_steps"] = options.max_steps
    elif config.get("max_steps") is None:
        config.pop("max_steps", None)
    try:
        report = explore(
            taken.main,
            options.strategy,
            options.schedules,
            args=taken.args_of_main,
            seed=options.seed,
            preemption_bound=options.preemption_bound,
            leaks=not options.no_leaks,
            stop_on_failure=not options.all,
            output=options.output,
            **config,
        )
    except (TypeError, ValueError) as error:
        raise CannotRun(str(error)) from error
    tell(report)
    if report.failure is not None:
        again(report.failure, options, words)
    return {FAILED: STATUS_FAILED, INCONCLUSIVE: STATUS_INCONCLUSIVE}.get(report.verdict, 0)


def given(options: argparse.Namespace) -> dict[str, Any]:
    """The flags that stand for options of `run`."""
    return {name: value for name in ("gomaxprocs", "godebug") if (value := getattr(options, name)) is not None}


def configuration(taken: Taken, flags: dict[str, Any]) -> dict[str, Any]:
    """The program's configuration, with flags where it leaves the default, without what belongs to one run only."""
    config = {name: value for name, value in taken.options.items() if name not in NOT_TAKEN}
    for name, value in flags.items():
        if config.get(name) is None:
            config[name] = value
        elif name == "godebug":
            config[name] = f"{value},{config[name]}"
    return config


def tell(report: Report) -> None:
    """Print what was found, and how each failure came about."""
    print(report)
    for failure in (*report.failures, *report.suspects):
        print(f"\n{failure.explain()}", end="")


def again(failure: Failure, options: argparse.Namespace, words: list[str]) -> None:
    """Write the failure to the file that was asked for, and say how to see it again."""
    if options.save is None:
        print("\n`goruntime explore --save FILE.json` keeps a failure; `goruntime replay FILE.json` runs it again.")
        return
    record = {
        "failure": FILE_VERSION,
        "goruntime": __version__,
        "python": ".".join(map(str, sys.version_info[:3])),
        "program": words,
        "configuration": given(options),
        "kind": failure.kind,
        "message": failure.message,
        "schedule": str(failure.schedule),
    }
    try:
        with open(options.save, "w", encoding="utf-8") as file:
            json.dump(record, file, indent=2)
            file.write("\n")
    except OSError as error:
        raise CannotRun(f"cannot write {options.save!r}: {error.strerror or error}") from None
    print(f"\nAgain: goruntime replay {options.save}")


# Once more.


def replay_program(options: argparse.Namespace) -> int:
    """Run a failure that explore found once more, exactly: FAILURE is the file that it saved, which names the program,
    or the schedule that it printed. The exit status is the program's, 1 for a leak, or if it now does something else
    than the schedule says."""
    return ending.status_of(lambda: replayed(options))


def replayed(options: argparse.Namespace) -> int:
    """Replay; returns the exit status if the program does not fail.

    Raises: how it failed.
    """
    text, words, flags = read_failure(options.failure)
    words = words_of(options) or words
    program, arguments = load(words, options.parser.error)
    taken = take_main(program, arguments)
    config = configuration(taken, flags)
    config.pop("max_steps", None)
    if options.events is not None:
        config["events"] = ending.recorder(options.events)
    try:
        schedule = Schedule.parse(text)
    except ValueError as error:
        raise CannotRun(str(error)) from None
    try:
        replay(taken.main, schedule, args=taken.args_of_main, **config)
    except (TypeError, ValueError) as error:
        raise CannotRun(str(error)) from error
    ending.flush_stdout()
    print("goruntime: the schedule was followed to its end, and nothing failed", file=sys.stderr)
    return 0


def read_failure(failure: str) -> tuple[str, list[str], dict[str, Any]]:
    """(schedule, words of the command line that name the program, flags) of a file, or of a schedule's text.

    Raises: CannotRun for what is neither.
    """
    if failure.startswith(("x1;", "x1z;")):
        return failure, [], {}
    try:
        with open(failure, encoding="utf-8") as file:
            record = json.load(file)
        if record["failure"] != FILE_VERSION:
            raise CannotRun(f"{failure!r} has version {record['failure']}, this is for version {FILE_VERSION}")
        return str(record["schedule"]), list(record["program"]), dict(record["configuration"])
    except OSError as error:
        raise CannotRun(f"cannot read {failure!r}: {error.strerror or error}") from None
    except (ValueError, KeyError, TypeError):
        raise CannotRun(f"{failure!r} holds no failure of goruntime explore") from None
