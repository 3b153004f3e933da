"""`--stats`: a run in a few lines, on stderr when everything else has been said."""

from __future__ import annotations

from ..base import events
from ..base.events import Event
from ..observe.heapmap import size_text
from ..observe.observer import RunSummary

COLUMN = 14


class Stats:
    """An observer that counts."""

    def __init__(self) -> None:
        self.counts = [0] * len(events.NAMES)
        self.preempted_count = 0
        self.summary: RunSummary | None = None

    def on_event(self, event: Event) -> None:
        """Count an event by its kind."""
        kind = event[0]
        self.counts[kind] += 1
        if kind == events.GO_YIELD and event[6] == "preempted":
            self.preempted_count += 1

    def on_end(self, summary: RunSummary) -> None:
        """Keep what is shown later."""
        self.summary = summary

    def table(self) -> str:
        """The table; one line if there was no run."""
        summary = self.summary
        if summary is None:
            return "goruntime: no run to tell about\n"
        count = self.counts
        rows = {
            "outcome": summary.outcome,
            "virtual time": duration(summary.virtual_ns),
            "host time": duration(summary.host_ns),
            "goroutines": f"{summary.goroutine_count:,} created, {count[events.GO_START]:,} times started, "
            f"{self.preempted_count:,} preempted",
            "channels": f"{count[events.CHAN_SEND]:,} sent, {count[events.CHAN_RECV]:,} received without waiting, "
            f"{count[events.SELECT_DONE]:,} selects",
            "timers": f"{count[events.TIMER_FIRE]:,} fired",
            "system calls": f"{count[events.GO_SYSCALL]:,}, {count[events.PROC_RETAKE]:,} Ps retaken",
            "threads": f"{summary.thread_count:,} created, {count[events.THREAD_WAKE]:,} wake-ups, "
            f"{count[events.PROC_STEAL]:,} steals",
            "scheduler": f"{summary.schedule_count:,} rounds on g0, {count[events.STW_BEGIN]:,} stops of the world",
            **heap_rows(summary),
            "run": f"open: {'; '.join(summary.open_reasons)}" if summary.open_reasons else "closed (it repeats)",
            "choices": f"checksum {summary.choice_checksum:08x}",
        }
        if summary.event_checksum is not None:
            rows["events"] = f"{summary.event_count:,}, checksum {summary.event_checksum:08x}"
        return "goruntime:\n" + "".join(f"  {name:{COLUMN}}{text}\n" for name, text in rows.items())


def heap_rows(summary: RunSummary) -> dict[str, str]:
    """What the program allocated, if anything."""
    stats = summary.mem_stats
    if stats is None or not stats.sys:
        return {}
    return {
        "heap": f"{stats.mallocs:,} objects allocated ({size_text(stats.total_alloc)}), {stats.frees:,} freed, "
        f"{stats.heap_objects:,} left ({size_text(stats.heap_alloc)}) in spans of {size_text(stats.heap_inuse)}",
        "memory": f"{size_text(stats.sys)} from the kernel, {size_text(stats.heap_released)} of that not backed; "
        f"{size_text(stats.stack_inuse)} for stacks",
    }


def duration(ns: int) -> str:
    """A duration in the unit in which it reads best."""
    for unit, name in ((1_000_000_000, "s"), (1_000_000, "ms"), (1_000, "µs")):
        if ns >= unit:
            return f"{ns / unit:.6g} {name}"
    return f"{ns} ns"
