"""Whatever a test here does, the process is as it was before, and can run again."""

import gc
import signal
import sys
import threading

import pytest

from goruntime import chan, go, run
from goruntime.sched.pool import pool_of_this_thread
from tests.model.invariants import doors


@pytest.fixture(params=[True, False], ids=["checked", "fast"])
def every_way(request):
    """The test runs twice: with every transition checked, and with the fast paths, as in production."""
    with doors(request.param):
        yield


def handlers():
    return [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGURG)]


@pytest.fixture(autouse=True)
def nothing_is_left():
    before = gc.isenabled(), sys.getrecursionlimit(), handlers()
    threads = set(threading.enumerate())
    yield
    assert (gc.isenabled(), sys.getrecursionlimit(), handlers()) == before
    left = {thread for thread in threading.enumerate() if thread not in threads and thread.is_alive()}
    assert {thread.name for thread in left} <= {"goruntime-watchdog"}
    assert not pool_of_this_thread().is_running
    assert run(hello) == "hello"


def hello():
    words = chan()
    go(words.send, "hello")
    return words.recv()
