"""What the tests of bubbles share."""

from __future__ import annotations

import pytest
from greenlet import getcurrent

from goruntime import (
    Panic,
    run,
    time,
)
from goruntime.base.errors import FatalError
from goruntime.sched.bubble import START_NS
from goruntime.testing import synctest


def in_a_bubble(test):
    """The test function's body is run in a bubble, on one P and on four."""

    def call():
        for procs in (1, 4):
            run(synctest.test, checked(test), gomaxprocs=procs)

    call.__name__ = test.__name__
    return call


def checked(body):
    """The body, and the bubble's accounts when it is over."""

    def call():
        body()
        getcurrent().bubble.check()

    return call


def panic_of(call, *args):
    """What call(*args) panics with, as text."""
    try:
        call(*args)
    except Panic as error:
        return str(error.value)
    return "no panic"


def elapsed():
    """Seconds of the bubble's clock since it began."""
    return (time.now().ns - START_NS) / 1e9


def fatal(main):
    """How the program dies."""
    with pytest.raises(FatalError) as caught:
        run(main)
    return str(caught.value).partition("\n\n")[0]
