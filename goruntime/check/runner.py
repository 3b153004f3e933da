"""explore and replay: the same program again and again, and once more.

One session holds what the runs share: the host thread's pool of greenlets, the signals, CPython's collector. Each run
is a runtime of its own, from boot to the last stack taken down, so nothing of one schedule is left in the next.

Every way to fail is looked at twice. The schedule that led there is followed again, with a recorder: that gives the
steps to show, and tells whether the failure repeats. Every so many schedules that pass are followed again too, and
depth-first search sees at once when a prefix it has run before goes another way.
"""

from __future__ import annotations

import gc
import io
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from hashlib import blake2b
from typing import Any

from ..base.choose import SeededChooser
from ..base.config import Config, make_config
from ..base.errors import FatalError, RuntimeFailure, Throw
from ..boot import Runtime, Session, run_with
from ..kernel import host
from ..lang.panic import refuse_generators
from ..sched import signals
from ..sched.ops import OP_BITS, OP_NAMES
from .controller import DRAIN_STEPS, Controller, Pruned
from .failure import LIVELOCK, Failure, headline, kind_of, signature
from .names import Names
from .quiet import Quiet
from .record import Recorder
from .report import FAILED, INCONCLUSIVE, PASSED, PROVED, Report
from .schedule import ReplayDiverged, Schedule, Step
from .strategy import DepthFirst, NotDeterministic, Strategy, make_strategy
from .strategy.follow import Diverged, Follow

MAX_STEPS = 10_000  # of one schedule, unless the caller says otherwise
RECHECK_EVERY = 64  # schedules
COLLECT_EVERY = 20_000  # objects that may be garbage
MAX_RESULTS = 10_000  # different values of main that are counted
MAX_TRACES = 1_000_000  # that are told apart
MAX_FAILURES = 100  # different ones
OP_MASK = (1 << OP_BITS) - 1  # of a token: the operation


def explore(
    main: Callable[..., Any],
    strategy: str = "random",
    schedules: int = 1_000,
    *,
    args: tuple[Any, ...] = (),
    seed: int = 0,
    max_steps: int = MAX_STEPS,
    preemption_bound: int | None = None,
    leaks: bool = True,
    stop_on_failure: bool = True,
    output: bool = False,
    **config: Any,
) -> Report:
    """Run main(*args) under many schedules; report what went wrong in which, and what was tried.

    strategy: "random" (independent walks), "dfs" (every schedule, but for those that differ only in the order of steps
    that commute; preemption_bound: only those with at most so many preemptions).
    schedules: at most so many. max_steps: of one schedule; one that goes on is a suspected livelock.
    leaks: whether goroutines that are blocked for ever when main has returned are a failure. Programs that leave their
    workers behind on purpose say leaks=False.
    stop_on_failure: stop at the first failure, else collect one of each kind.
    output: let through what the program prints; once for every schedule.
    config: as for `run`, but for what has no meaning here (clock, events, observers, checksum, strategy).
    Raises: TypeError and ValueError for arguments that cannot be; RuntimeError inside a run.
    """
    checked = check_arguments(main, args, schedules, max_steps, seed, config)
    chooser = make_strategy(strategy, seed, preemption_bound)
    return Exploration(main, args, checked, chooser, Report(strategy, seed), max_steps, leaks).run(
        schedules, stop_on_failure, output
    )


def replay(main: Callable[..., Any], schedule: Schedule | str, *, args: tuple[Any, ...] = (), **config: Any) -> Any:
    """Run main(*args) once, exactly as the schedule says: return what main returns, raise how it fails.

    Goroutines that main leaves blocked are a failure if the schedule was found as one, that is, if it goes on to where
    nothing can happen any more.
    Raises: what `run` raises; Leak; ReplayDiverged when the program does something else, naming the first step that
    differs; ValueError for a text that is no schedule.
    """
    if not isinstance(schedule, Schedule):
        schedule = Schedule.parse(schedule)
    config.setdefault("seed", schedule.seed)
    max_steps = config.pop("max_steps", None) or schedule.max_steps or MAX_STEPS
    checked = check_arguments(main, args, 1, max_steps, config.pop("seed"), config, is_replay=True)
    follow = Follow(schedule)
    controller = Controller(follow, Names(), max_steps)
    try:
        result = run_with(main, args, checked, controller)
        follow.check_end()
    except Diverged as diverged:
        raise ReplayDiverged(f"replay diverged: {diverged}\n") from None
    except RuntimeFailure:
        if follow.position < len(schedule):
            missing = schedule.steps[follow.position]
            where = f"step {follow.position + 1}, which is {missing} in the schedule"
            raise ReplayDiverged(f"replay diverged: the program died before {where}\n") from sys.exception()
        raise
    return result


def check_arguments(
    main: Any, args: Any, schedules: Any, max_steps: Any, seed: Any, config: dict[str, Any], is_replay: bool = False
) -> Config:
    """The configuration of every run, checked.

    Raises: TypeError and ValueError, in the user's words.
    """
    what = "replay" if is_replay else "explore"
    refuse_generators(main, what)
    if not isinstance(args, tuple):
        raise TypeError(f"{what}: args must be a tuple, not {type(args).__name__}")
    for name, value in (("schedules", schedules), ("max_steps", max_steps)):
        if isinstance(value, bool) or not isinstance(value, int):
            raise TypeError(f"{what}: {name} must be a positive integer, not {value!r}")
        if value < 1:
            raise ValueError(f"{what}: {name} must be a positive integer, not {value!r}")
    if config.get("clock", "virtual") != "virtual":
        raise ValueError(f"{what}: the clock is virtual")
    for name in ("strategy",) if is_replay else ("events", "observers", "checksum"):
        if config.get(name):
            raise TypeError(f"{what}: {name} has no meaning here" + ("" if is_replay else "; give it to replay"))
    try:
        return make_config({**config, "seed": seed}, host.cpu_count())
    except TypeError as error:
        raise TypeError(str(error).replace("run: unknown", f"{what}: unknown")) from None


class Exploration:
    """One call of `explore`."""

    def __init__(
        self,
        main: Callable[..., Any],
        args: tuple[Any, ...],
        config: Config,
        strategy: Strategy,
        report: Report,
        max_steps: int,
        leaks: bool,
    ) -> None:
        self.main = main
        self.args = args
        self.config = config
        self.strategy = strategy
        self.report = report
        self.max_steps = max_steps
        self.leaks = leaks
        self.names = Names()
        self.drawn = config.strategy = DrawnChoices(config.seed)
        quiet = None
        if strategy.sees_all:
            quiet = Quiet()
            quiet.know(main)
        self.controller = Controller(strategy, self.names, max_steps, leaks, quiet)
        self.traces: set[bytes] = set()
        self.known: dict[tuple[Any, ...], Failure] = {}
        self.cut_count = 0  # schedules in which somebody ran on and on after main had returned
        self.is_open = ""

    def run(self, schedules: int, stop_on_failure: bool, output: bool) -> Report:
        """Until there are no more schedules, or enough."""
        report = self.report
        with many_runs(output):
            try:
                report.why_stopped = self._loop(schedules, stop_on_failure)
            except NotDeterministic as different:
                self.is_open = f"the program is not deterministic: {different}"
                report.why_stopped = self.is_open
        report.distinct_traces = len(self.traces)
        report.verdict = self._verdict()
        return report

    def _loop(self, schedules: int, stop_on_failure: bool) -> str:
        """Returns why it stopped."""
        report, strategy = self.report, self.strategy
        while strategy.begin():
            if report.schedules == schedules:
                return f"{schedules:,} schedules were run"
            report.schedules += 1
            error = self.run_once(self.controller)
            self._count(error)
            if error is not None and not isinstance(error, Pruned) and self._failed(error) and stop_on_failure:
                return "a failure was found"
            if report.schedules % RECHECK_EVERY == 1 and error is None:
                self._recheck()
            if gc.get_count()[0] > COLLECT_EVERY:
                gc.collect(0 if report.schedules % 8 else 2)
        return self._exhausted()

    def _exhausted(self) -> str:
        strategy = self.strategy
        if isinstance(strategy, DepthFirst) and strategy.was_cut:
            return f"every schedule with at most {strategy.bound} preemptions was run"
        return "every schedule was run"

    def run_once(self, controller: Controller) -> BaseException | None:
        """One run; how it ended, None when main returned.

        Raises: what is no failure of the program: KeyboardInterrupt, what the strategy says, our own broken invariants.
        """
        controller.begin()
        self.drawn.begin()
        error = Runtime(self.config, controller).run_many(self.main, self.args).error
        if error is None or isinstance(error, (RuntimeFailure, Pruned)):
            return error
        if isinstance(error, Throw):
            raise FatalError(f"fatal error: {error}\n") from error
        if isinstance(error, SystemExit):
            return error if error.code else None
        raise error

    def _count(self, error: BaseException | None) -> None:
        report, controller = self.report, self.controller
        steps = controller.steps
        report.points += steps
        report.choices += controller.choices
        if steps > report.longest:
            report.longest = steps
        if isinstance(error, Pruned):
            report.pruned += 1
            return
        if len(self.traces) < MAX_TRACES:
            self.traces.add(blake2b(controller.log, digest_size=8).digest())
        if controller.was_cut:
            self.cut_count += 1
        if controller.open_reason:
            self.is_open = controller.open_reason
        if controller.has_returned:
            results = report.results
            if controller.returned in results or len(results) < MAX_RESULTS:
                results[controller.returned] = results.get(controller.returned, 0) + 1

    def schedule(self) -> Schedule:
        """The steps of the last run."""
        steps: list[Step] = []
        names = self.names.all
        for token in self.controller.log:
            if token < 0:
                steps[-1] = steps[-1]._replace(case=-1 - token)
            else:
                steps.append(Step(names[token >> OP_BITS].text, OP_NAMES[token & OP_MASK]))
        return Schedule(tuple(steps), self.config.seed, self.max_steps)

    def _failed(self, error: BaseException) -> bool:
        """Note a failure; True if it is one, and not only a suspicion."""
        report = self.report
        kind = kind_of(error)
        if kind != LIVELOCK:
            report.failed += 1
        key = signature(error)
        known = self.known.get(key)
        if known is not None:
            known.count += 1
        if (known is None and len(self.known) < MAX_FAILURES) or (
            known is not None and len(self.controller.log) < len(known.schedule)
        ):
            text = "" if isinstance(error, SystemExit) else str(error)
            count = known.count if known is not None else 1
            failure = Failure(kind, headline(error), text, error, self.schedule(), report.schedules, count)
            self._look_again(failure)
            self.known[key] = failure
            found = report.suspects if kind == LIVELOCK else report.failures
            if known is None:
                found.append(failure)
            else:
                found[found.index(known)] = failure
        return kind != LIVELOCK

    def _look_again(self, failure: Failure) -> None:
        """Follow the failure's schedule once more, and record what can be seen."""
        recorder = Recorder()
        error = self._follow(failure.schedule, recorder)
        failure.trace = tuple(recorder.trace)
        failure.names = recorder.names
        failure.functions = recorder.functions
        failure.waits = recorder.waits
        failure.is_reproducible = error is not None and str(error) == str(failure.exception)

    def _follow(self, schedule: Schedule, recorder: Recorder | None = None) -> BaseException | None:
        """Run a schedule again; how it ended."""
        follow = Follow(schedule)
        controller = Controller(follow, Names(), self.max_steps, self.leaks, recorder=recorder)
        try:
            error = self.run_once(controller)
            follow.check_end()
        except Diverged as diverged:
            return diverged
        self.followed = controller
        return error

    def _recheck(self) -> None:
        """Does the last schedule, which passed, go the same way again?

        Raises: NotDeterministic if it does not.
        """
        returned = self.controller.returned
        error = self._follow(self.schedule())
        self.report.rechecked += 1
        if isinstance(error, Diverged):
            raise NotDeterministic(f"run again under the same schedule, {error}")
        if error is not None or self.followed.returned != returned:
            raise NotDeterministic(
                f"run again under the same schedule, it {ended(error, self.followed.returned, returned)}"
            )

    def _verdict(self) -> str:
        report, strategy = self.report, self.strategy
        if self.cut_count:
            report.notes.append(
                f"in {self.cut_count:,} schedules goroutines ran on after main had returned: they were watched for"
                f" leaks for {DRAIN_STEPS:,} steps"
            )
        if self.is_open:
            report.notes.append(self.is_open)
        if self.drawn.count:
            report.notes.append(
                f"{self.drawn.count:,} values were drawn from the seed: other seeds give other schedules"
            )
        if any(not failure.is_reproducible for failure in report.failures):
            report.notes.append("not deterministic: a failure did not happen again under the same schedule")
        if report.failures:
            return FAILED
        if report.suspects:
            report.notes.append(f"{report.suspects[0].count:,} schedules did not end within {self.max_steps:,} steps")
        if report.suspects or self.is_open:
            return INCONCLUSIVE
        is_all = (
            isinstance(strategy, DepthFirst) and not strategy.was_cut and report.why_stopped == "every schedule was run"
        )
        return PROVED if is_all and not self.cut_count and not self.drawn.count else PASSED


def ended(error: BaseException | None, returned: str, before: str) -> str:
    """How a second run differed from the first."""
    if error is not None:
        return f"failed: {headline(error)}"
    return f"returned {returned}, not {before}"


class DrawnChoices:
    """The chooser for what is not a question of who goes on: drawn from the seed, the same in every run."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._chooser: SeededChooser | None = None
        self.count = 0

    def begin(self) -> None:
        """A new run, which draws the same again."""
        self._chooser = None

    def choose(self, kind: int, n: int) -> int:
        """An integer in range(n)."""
        if self._chooser is None:
            self._chooser = SeededChooser(self._seed)
        self.count += 1
        return self._chooser.choose(kind, n)

    def checksum(self) -> int:
        """Over what was drawn in this run."""
        return self._chooser.checksum() if self._chooser is not None else 0


class _Nowhere(io.TextIOBase):
    """Swallows what the program prints."""

    def write(self, text: str) -> int:
        return len(text)

    def writable(self) -> bool:
        return True


@contextmanager
def many_runs(output: bool) -> Iterator[None]:
    """What the runs of one exploration share."""
    with Session():
        saved: signals.Saved = []
        try:
            signals.install(None, saved, may_preempt=False)
            if output:
                yield
            else:
                nowhere = _Nowhere()
                with redirect_stdout(nowhere), redirect_stderr(nowhere):
                    yield
        finally:
            signals.restore(saved)
            gc.collect(0)
