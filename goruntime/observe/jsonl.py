"""Recording a run's events: a file with one JSON object a line.

The first line is the header: the schema's version, the program and its configuration. Then comes one line for each
event (`base.events.as_record`), and last the trailer, whose key is `end`: how the run ended, and its checksums. Nothing
in the file depends on the host's clock, so two recordings of one closed run are equal byte for byte. A file without a
trailer belongs to a process that was killed, or whose disk was full.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .._version import __version__
from ..base.config import Config
from ..base.events import FIELDS, NAMES, SCHEMA_VERSION, Event
from ..base.names import function_name

if TYPE_CHECKING:
    from .observer import RunSummary

BUFFER_BYTES = 1 << 16


class Recorder:
    """Writes one run to a file.

    Raises: OSError when the file cannot be opened.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        import json  # here, so that `import goruntime` does not pay for it

        self.path = os.fspath(path)
        self.has_begun = False
        self._encode: Callable[[Any], str] = json.JSONEncoder().encode
        self._file = open(self.path, "w", encoding="ascii", buffering=BUFFER_BYTES, newline="\n")  # noqa: SIM115

    def begin(self, main: Callable[..., Any], config: Config) -> None:
        """Write the header."""
        if self.has_begun:
            raise ValueError(f"events: {self.path} holds another run already")
        self.has_begun = True
        code = getattr(main, "__code__", None)
        header = {
            "schema": SCHEMA_VERSION,
            "goruntime": __version__,
            "python": ".".join(map(str, sys.version_info[:3])),
            "program": code.co_filename if code is not None else "",
            "main": function_name(main),
            "configuration": config_record(config),
        }
        self._file.write(self._encode(header) + "\n")

    def on_event(self, event: Event) -> None:
        """Write one event. Unoptimised form: `encode(as_record(event))`, which takes three times as long."""
        kind, ns, m, p, g, *values = event
        parts = [f'{{"ns": {ns}, "m": {m}, "p": {p}, "g": {g}, "event": "{NAMES[kind]}"']
        for name, value in zip(FIELDS[kind], values, strict=True):
            parts.append(f', "{name}": {value if type(value) is int else self._encode(value)}')
        parts.append("}\n")
        self._file.write("".join(parts))

    def on_end(self, summary: RunSummary) -> None:
        """Write the trailer and close the file."""
        trailer = {
            "outcome": summary.outcome,
            "text": summary.text,
            "ns": summary.virtual_ns,
            "events": summary.event_count,
            "event_checksum": summary.event_checksum,
            "choice_checksum": summary.choice_checksum,
            "open": summary.open_reasons,
        }
        self._file.write(self._encode({"end": trailer}) + "\n")
        self._file.close()

    def abandon(self) -> None:
        """Close the file as it is; one that is closed stays so."""
        try:
            self._file.close()
        except OSError:
            return  # what could not be written has been reported when it was noticed


def config_record(config: Config) -> dict[str, Any]:
    """A configuration as it stands in recorded files."""
    strategy = config.strategy
    return {
        "cpus": config.cpus,
        "gomaxprocs": config.gomaxprocs,
        "seed": config.seed,
        "clock": config.clock,
        "quantum_ns": config.quantum_ns,
        "godebug": config.godebug,
        "start_ns": config.start_ns,
        "max_time_ns": config.max_time_ns,
        "max_steps": config.max_steps,
        "strategy": None if strategy is None else type(strategy).__name__,
    }
