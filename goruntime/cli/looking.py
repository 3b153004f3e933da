"""`goruntime heap` and `goruntime metrics`: run a program, and show what there is when it is over.

The run is looked at in the moment in which main has returned, or the program has died: every goroutine is still where
it was, and nothing has been given back.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .. import boot, metrics
from ..heap.snapshot import HeapShot, take_shot
from ..kernel import host
from ..observe.heapsvg import html, svg
from ..observe.heaptext import report
from ..sched.sched import Sched
from . import ending
from .program import CannotRun, configuration, load, words_of

COLOURS = ("auto", "always", "never")


def add_picture(parser: argparse.ArgumentParser) -> None:
    """The flags of `heap`."""
    add = parser.add_argument
    add("--svg", metavar="OUT.svg", help="draw the arena into a file: every page, with what is in it")
    add("--html", metavar="OUT.html", help="the same, with the tables, as a page for the browser")
    add("--color", choices=COLOURS, default="auto", help="of the picture in the terminal (auto: if it is one)")


def heap_program(options: argparse.Namespace) -> int:
    """Run a program, and show its heap as it is when the program is over: which spans there are and how full, what each
    P holds, which pages are free, and a picture of the arena. The exit status is the program's own."""
    for path in (options.svg, options.html):
        if path is not None and not os.path.isdir(os.path.dirname(os.path.abspath(path))):
            options.parser.error(f"cannot draw to {path!r}: there is no such folder")
    return look(options, (), lambda sched: take_shot(sched.heap), lambda shot: show_heap(options, shot))


def metrics_program(options: argparse.Namespace) -> int:
    """Run a program, and print every metric of runtime/metrics as it is in the end: its name, its kind, whether
    it only grows, and its value. The exit status is the program's own."""
    latencies = metrics.Latencies()

    def read(sched: Sched) -> dict[str, Any]:
        sched.user[metrics.LATENCIES_SLOT] = latencies
        return metrics.values(sched, [description.name for description in metrics.all()])

    return look(options, (latencies,), read, lambda values: show_metrics(options, values))


def look(
    options: argparse.Namespace,
    observers: tuple[Any, ...],
    take: Callable[[Sched], Any],
    show: Callable[[Any], None],
) -> int:
    """Run the program, take something from its first run when it is over, and show it; returns the exit status."""
    taken: list[Any] = []
    started: list[str] = []  # the program, once it has been found

    def execute() -> None:
        program, arguments = load(words_of(options), options.parser.error)
        boot.launch_next(boot.Launch(launched, observers, at_end=lambda sched: taken.append(take(sched))))
        started.append(program.name)
        program.execute(arguments)

    launched = configuration(options)
    try:
        return ending.status_of(execute)
    finally:
        ending.flush_stdout()
        if taken:
            ending.status_of(lambda: show(taken[0]))
        elif started and not boot.is_launched():
            host.write_stderr(f"goruntime: {started[0]} started no run\n")


def show_heap(options: argparse.Namespace, shot: HeapShot) -> None:
    """Print the tables and the picture, and draw the files that were asked for.

    Raises: CannotRun.
    """
    title = f"heap of {' '.join(words_of(options)[:2] if options.module is not None else words_of(options)[:1])}"
    sys.stdout.write(report(shot, is_coloured(options.color)))
    for path, text in ((options.svg, svg), (options.html, html)):
        if path is None:
            continue
        try:
            Path(path).write_text(text(shot, title), encoding="utf-8")
        except OSError as error:
            raise CannotRun(f"cannot draw to {path!r}: {error.strerror or error}") from None


def is_coloured(wanted: str) -> bool:
    """Whether to write colours: to a terminal that can show them, unless NO_COLOR or the flag says otherwise."""
    if wanted != "auto":
        return wanted == "always"
    if os.environ.get("NO_COLOR") or os.environ.get("TERM", "") in ("", "dumb"):
        return False
    return sys.stdout.isatty()


def show_metrics(options: argparse.Namespace, values: dict[str, Any]) -> None:
    """Print them, one a line."""
    for name, description, kind, is_cumulative in metrics.all():
        cumulative = "true" if is_cumulative else "false"
        sys.stdout.write(f"{name},{kind},{cumulative},{metrics.text_of(values[name])}\n")
        if options.describe:
            sys.stdout.write(f"    {description}\n")
