"""The configuration of a run: defaults, the environment, and what is refused, in the user's words."""

from __future__ import annotations

import os
import re
from typing import Any

from .errors import FatalError

NS = 1_000_000_000
START_NS = 946_684_800 * NS  # 2000-01-01 00:00:00 UTC
DEFAULT_CPUS = 4
DEFAULT_QUANTUM_NS = 5_000
MAX_GOMAXPROCS = 1 << 16
MAX_INT32 = (1 << 31) - 1
DEFAULT_GOGC = 100
NO_MEMORY_LIMIT = (1 << 63) - 1
BYTE_UNITS = {"B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40}
CLOCKS = ("virtual", "real")
LATER_OPTIONS = ("image", "race", "hb", "trace")  # in the API, not built yet


class Config:
    """One run's configuration, checked. Times are integer nanoseconds here, seconds in `run`."""

    def __init__(self, given: tuple[str, ...] = ()) -> None:
        self.cpus = DEFAULT_CPUS
        self.gomaxprocs = DEFAULT_CPUS
        self.seed = 0
        self.clock = "virtual"
        self.quantum_ns = DEFAULT_QUANTUM_NS
        self.gogc = DEFAULT_GOGC  # percent; -1: off
        self.gomemlimit = NO_MEMORY_LIMIT  # bytes
        self.godebug: dict[str, str] = {}
        self.gotraceback = ""
        self.start_ns = START_NS
        self.max_time_ns = 0  # 0: none
        self.max_steps = 0
        self.strategy: Any = None
        self.events: Any = None
        self.checksum = False
        self.observers: tuple[Any, ...] = ()
        self.at_end: Any = None  # called with the scheduler when the program is over, before anything is taken down
        self.given = given  # which options the program itself set

    def debug_value(self, name: str) -> str:
        """One GODEBUG setting, "" if it is not set."""
        return self.godebug.get(name, "")

    def debug_int(self, name: str) -> int:
        """One GODEBUG setting as an integer; 0 if it is not set or no integer, as in Go."""
        try:
            return int(self.godebug.get(name, "0"))
        except ValueError:
            return 0


def parse_godebug(text: str) -> dict[str, str]:
    """`a=1,b=2` as a dict; later settings win, malformed ones are ignored, as in Go."""
    settings = {}
    for item in text.split(","):
        name, equals, value = item.partition("=")
        if equals and name.strip():
            settings[name.strip()] = value.strip()
    return settings


def seconds_to_ns(value: float, what: str) -> int:
    """Seconds as Python counts them, to integer nanoseconds, exactly where the float is.

    Raises: TypeError for what is no number, ValueError for NaN.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"{what} must be a number of seconds, not {type(value).__name__}")
    if isinstance(value, int):
        return value * NS
    ns = getattr(value, "ns", None)
    if isinstance(ns, int):
        return ns
    if value != value:
        raise ValueError(f"{what} must be a number of seconds, not nan")
    if abs(value) > 1e18:
        return (1 << 63) - 1 if value > 0 else -(1 << 63)
    return round(value * 1e9)


def environment_gomaxprocs() -> int | None:
    """$GOMAXPROCS if it is a positive integer; anything else is ignored, as in Go."""
    text = os.environ.get("GOMAXPROCS", "")
    if not (text.isascii() and text.isdigit() and len(text) < 20):
        return None
    number = int(text)
    return min(number, MAX_GOMAXPROCS) if 0 < number <= MAX_INT32 else None


def make_config(options: dict[str, Any], host_cpus: int, defaults: dict[str, Any] | None = None) -> Config:
    """Check the options of `run` and fill in defaults: the launcher's, the environment's, ours.

    Raises: TypeError for unknown options and wrong types, ValueError for values that cannot be.
    """
    config = Config(given=tuple(options))
    options = _filled_in(options, defaults or {})
    clock = options.pop("clock", "virtual")
    if clock not in CLOCKS:
        raise ValueError(f'clock must be "virtual" or "real", not {clock!r}')
    config.clock = clock
    default_cpus = host_cpus if clock == "real" else DEFAULT_CPUS
    config.cpus = _count(options.pop("cpus", None), "cpus", default_cpus)
    config.gomaxprocs = _count(
        options.pop("gomaxprocs", None), "gomaxprocs", environment_gomaxprocs() or config.cpus, MAX_GOMAXPROCS
    )
    seed = options.pop("seed", 0)
    if isinstance(seed, bool) or not isinstance(seed, int):
        raise TypeError(f"seed must be an integer, not {type(seed).__name__}")
    config.seed = seed
    quantum = options.pop("quantum", None)
    if quantum is not None:
        config.quantum_ns = seconds_to_ns(quantum, "quantum")
        if config.quantum_ns < 0:
            raise ValueError(f"quantum must not be negative: {quantum!r}")
    config.gogc = _gogc(options.pop("gogc", None))
    config.gomemlimit = _gomemlimit(options.pop("gomemlimit", None))
    config.godebug = parse_godebug(os.environ.get("GODEBUG", ""))
    godebug = options.pop("godebug", None)
    if godebug is not None:
        if not isinstance(godebug, str):
            raise TypeError(f'godebug must be a string such as "schedtrace=1000", not {type(godebug).__name__}')
        config.godebug.update(parse_godebug(godebug))
    config.gotraceback = os.environ.get("GOTRACEBACK", "")
    max_time = options.pop("max_time", None)
    if max_time is not None:
        config.max_time_ns = seconds_to_ns(max_time, "max_time")
        if config.max_time_ns <= 0:
            raise ValueError(f"max_time must be positive: {max_time!r}")
    config.max_steps = _count(options.pop("max_steps", None), "max_steps", 0)
    start = options.pop("start", None)
    if start is not None:
        config.start_ns = _start_ns(start)
    config.strategy = options.pop("strategy", None)
    if config.strategy is not None and not callable(getattr(config.strategy, "choose", None)):
        raise TypeError("strategy must be a chooser: an object with choose(kind, n) and checksum()")
    config.events = options.pop("events", None)
    config.checksum = bool(options.pop("checksum", False))
    observers = options.pop("observers", ())
    if not isinstance(observers, (tuple, list)):
        raise TypeError("observers must be a sequence of Observer objects")
    config.observers = tuple(observers)
    for name in options:
        if name in LATER_OPTIONS:
            raise TypeError(f"run: option {name!r} comes with a later version of goruntime")
        raise TypeError(f"run: unknown option {name!r}")
    return config


def _filled_in(options: dict[str, Any], defaults: dict[str, Any]) -> dict[str, Any]:
    """The options, with the launcher's where they leave the default; GODEBUG setting by setting."""
    merged = dict(options)
    for name, value in defaults.items():
        if merged.get(name) is None:
            merged[name] = value
        elif name == "godebug" and isinstance(merged[name], str):
            merged[name] = f"{value},{merged[name]}"
    return merged


def _count(value: Any, what: str, default: int, largest: int = 1 << 40) -> int:
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{what} must be a positive integer, not {value!r}")
    if value < 1:
        raise ValueError(f"{what} must be a positive integer, not {value!r}")
    if value > largest:
        raise ValueError(f"{what} must be at most {largest}, not {value!r}")
    return value


def _gogc(value: Any) -> int:
    """The option `gogc`, else $GOGC: what is no integer there counts as 100.

    Go: runtime/mgcpacer.go readGOGC.
    """
    if value is None:
        text = os.environ.get("GOGC", "")
        if text == "off":
            return -1
        percent = int(text) if text and re.fullmatch("[+-]?[0-9]{1,18}", text) else DEFAULT_GOGC
        return max(percent, -1) if -MAX_INT32 - 1 <= percent <= MAX_INT32 else DEFAULT_GOGC
    if value == "off":
        return -1
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f'gogc must be an integer or "off", not {value!r}')
    if not -MAX_INT32 - 1 <= value <= MAX_INT32:
        raise ValueError(f"gogc must be at most {MAX_INT32}, not {value!r}")
    return max(value, -1)


def _gomemlimit(value: Any) -> int:
    """The option `gomemlimit`, else $GOMEMLIMIT.

    Go: runtime/mgcpacer.go readGOMEMLIMIT.
    """
    if value is None:
        text = os.environ.get("GOMEMLIMIT", "")
        limit = parse_bytes(text or "off")
        if limit is None:
            raise FatalError(
                f"GOMEMLIMIT={text}\nfatal error: malformed GOMEMLIMIT; see `go doc runtime/debug.SetMemoryLimit`\n"
            )
        return limit
    if isinstance(value, str):
        limit = parse_bytes(value)
        if limit is None:
            raise ValueError(f'gomemlimit must be a number of bytes, such as "64MiB", or "off", not {value!r}')
        return limit
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f'gomemlimit must be bytes, a string such as "64MiB", or "off", not {value!r}')
    if not 0 <= value <= NO_MEMORY_LIMIT:
        raise ValueError(f"gomemlimit must be from 0 to {NO_MEMORY_LIMIT}, not {value!r}")
    return value


def parse_bytes(text: str) -> int | None:
    """A number of bytes as Go writes it: `1024`, `1024B`, `64MiB`, or `off` for no limit. None if it is none.

    Go: runtime/string.go parseByteCount.
    """
    if text == "off":
        return NO_MEMORY_LIMIT
    parts = re.fullmatch(r"\+?([0-9]{1,40})([KMGT]iB|B)?", text)
    if parts is None:
        return None
    number = int(parts[1]) * BYTE_UNITS[parts[2] or "B"]
    return number if number <= NO_MEMORY_LIMIT else None


def _start_ns(start: Any) -> int:
    import datetime  # only here: it would be a tenth of what importing goruntime costs

    if not isinstance(start, datetime.datetime):
        raise TypeError(f"start must be a datetime, not {type(start).__name__}")
    if start.tzinfo is None:
        start = start.replace(tzinfo=datetime.UTC)
    delta = start - datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
    total: int = (delta.days * 86_400 + delta.seconds) * NS + delta.microseconds * 1_000
    return total
