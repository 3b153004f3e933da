"""What every test stands on: transitions are checked, the environment is neutral, sweeps know their seed."""

from __future__ import annotations

import os
import signal
import sys

import pytest
from hypothesis import settings

# Read once, when goruntime is imported: from here on every state transition goes through its checked door.
if "goruntime" in sys.modules and not os.environ.get("GORUNTIME_DEBUG"):
    raise RuntimeError("goruntime was imported before the tests could set GORUNTIME_DEBUG=1: set it in the environment")
os.environ.setdefault("GORUNTIME_DEBUG", "1")

# What the developer's shell says to Go is not meant for the tests, nor for the programs they start.
for _name in ("GODEBUG", "GOGC", "GOMAXPROCS", "GOMEMLIMIT", "GOTRACEBACK"):
    os.environ.pop(_name, None)

# What the tests start would ignore a hang-up under nohup, and Ctrl-C and SIGQUIT in the background of a script, as in
# Go; the oracles were recorded without.
for _name, _handler in (
    ("SIGHUP", signal.SIG_DFL),
    ("SIGQUIT", signal.SIG_DFL),
    ("SIGINT", signal.default_int_handler),
):
    if signal.getsignal(getattr(signal, _name)) is signal.SIG_IGN:
        signal.signal(getattr(signal, _name), _handler)

# The same examples in every run: what a sweep over seeds is for, a test that fails only today is not.
settings.register_profile("goruntime", deadline=None, derandomize=True)
settings.load_profile("goruntime")


def sim_base() -> int:
    return int(os.environ.get("GORUNTIME_SIM_SEED", "0"))


@pytest.fixture
def sim_seed() -> int:
    """The seed from which a sweep counts up: `./dev sim SEED` sets it, CI takes it from the commit."""
    return sim_base()


def pytest_report_header() -> str:
    return f"goruntime: GORUNTIME_DEBUG={os.environ['GORUNTIME_DEBUG']}, sweeps start at seed {sim_base()}"
