"""base.errors: what `run` raises, and what unwinds."""

import pytest

from goruntime.base import errors


def test_failures_are_exceptions_and_unwinds_are_not():
    for failure in (errors.GoPanic, errors.FatalError, errors.Deadlock, errors.Timeout):
        assert issubclass(failure, errors.RuntimeFailure)
        assert issubclass(failure, Exception)
    for unwind in (errors.GoexitUnwind, errors.AbandonUnwind, errors.Throw):
        assert issubclass(unwind, errors.Unwind)
        assert not issubclass(unwind, Exception)
    assert issubclass(errors.Deadlock, errors.FatalError)


def test_a_failure_is_its_text_with_go_s_status():
    failure = errors.GoPanic("panic: x\n", "x", 7, ("record",))
    assert (str(failure), failure.status, failure.value, failure.goroutine) == ("panic: x\n", 2, "x", 7)
    assert failure.goroutines == ("record",)
    assert errors.FatalError("fatal error: y\n").status == 2
    assert errors.Timeout("late").status == 1
    assert errors.Deadlock("d").goroutines == ()


def test_throw():
    with pytest.raises(errors.Throw, match=r"^broken$"):
        errors.throw("broken")
