"""Package errors: identity, chains, trees, and what Python's own exceptions bring into them."""

import copy
import pickle

import pytest

from goruntime import GoPanic, errors, panic, run


class Coded(Exception):
    """Equal to another of the same code, as a Go struct would be."""

    def __init__(self, code):
        super().__init__(code)
        self.code = code

    def __eq__(self, other):
        return isinstance(other, Coded) and other.code == self.code

    def __hash__(self):
        return hash(self.code)


class Wrapper(Exception):
    """Wraps by `unwrap`; what it wraps may be a list."""

    def __init__(self, inner):
        super().__init__("wrapper")
        self.inner = inner

    def unwrap(self):
        return self.inner


class Poser(Exception):
    """Says of itself that it is target, and stands for something else."""

    def __init__(self, target, stand_in=None):
        super().__init__("poser")
        self.target = target
        self.stand_in = stand_in

    def is_(self, target):
        return target is self.target

    def as_(self, cls):
        return self.stand_in if isinstance(self.stand_in, cls) else None


def caused(inner):
    """An error raised from another."""
    try:
        raise ValueError("outer") from inner
    except ValueError as error:
        return error


BASE = errors.new("base")
OTHER = errors.new("base")


def test_an_error_is_its_text():
    assert str(BASE) == "base"
    assert BASE.error() == "base"
    assert repr(BASE) == "ErrorString('base')"
    assert str(errors.new("")) == ""


def test_two_errors_with_the_same_text_differ():
    assert BASE != OTHER
    assert not errors.is_(BASE, OTHER)
    assert errors.is_(BASE, BASE)


def test_copies_and_pickles_are_other_errors_with_the_same_text():
    for other in (copy.copy(BASE), pickle.loads(pickle.dumps(BASE))):
        assert str(other) == "base"
        assert not errors.is_(other, BASE)


@pytest.mark.parametrize(
    ("err", "target", "expected"),
    [
        (None, None, True),
        (BASE, None, False),
        (None, BASE, False),
        (caused(BASE), BASE, True),
        (caused(caused(BASE)), BASE, True),
        (caused(OTHER), BASE, False),
        (Wrapper(BASE), BASE, True),
        (Wrapper(None), BASE, False),
        (Wrapper([]), BASE, False),
        (Wrapper([OTHER, None, Wrapper(BASE)]), BASE, True),
        (Wrapper([OTHER, OTHER]), BASE, False),
        (errors.join(OTHER, caused(BASE)), BASE, True),
        (ExceptionGroup("several", [OTHER, caused(BASE)]), BASE, True),
        (Coded(1), Coded(1), True),
        (caused(Coded(1)), Coded(2), False),
        (Poser(BASE), BASE, True),
        (caused(Poser(BASE)), BASE, True),
        (Poser(BASE), OTHER, False),
    ],
)
def test_is(err, target, expected):
    assert errors.is_(err, target) is expected


def test_unwrap_comes_before_the_cause():
    error = Wrapper(BASE)
    error.__cause__ = OTHER
    assert errors.unwrap(error) is BASE
    assert not errors.is_(error, OTHER)


def test_what_was_only_being_handled_is_no_part_of_the_chain():
    try:
        try:
            raise BASE
        except errors.ErrorString:
            raise ValueError("by the way")  # noqa: B904
    except ValueError as error:
        assert error.__context__ is BASE
        assert not errors.is_(error, BASE)


def test_a_chain_that_bites_its_tail():
    first, second = ValueError("first"), KeyError("second")
    first.__cause__, second.__cause__ = second, first
    assert errors.is_(first, second)
    assert not errors.is_(first, BASE)


def test_unwrap():
    assert errors.unwrap(None) is None
    assert errors.unwrap(BASE) is None
    assert errors.unwrap(caused(BASE)) is BASE
    assert errors.unwrap(Wrapper(BASE)) is BASE
    assert errors.unwrap(Wrapper([BASE])) is None
    assert errors.unwrap(errors.join(BASE)) is None
    assert errors.unwrap(ExceptionGroup("several", [BASE])) is None


def test_as_finds_the_first_of_a_class():
    inner, outer = KeyError("inner"), KeyError("outer")
    outer.__cause__ = inner
    assert errors.as_(caused(outer), KeyError) is outer
    assert errors.as_(caused(outer), (OSError, ValueError)).args == ("outer",)
    assert errors.as_(caused(outer), OSError) is None
    assert errors.as_(None, OSError) is None
    assert errors.as_(errors.join(BASE, caused(inner), outer), KeyError) is inner  # depth first


def test_as_takes_a_stand_in():
    stand_in = OSError("real")
    assert errors.as_(caused(Poser(None, stand_in)), OSError) is stand_in
    assert errors.as_(Poser(None, stand_in), KeyError) is None


def test_join():
    assert errors.join() is None
    assert errors.join(None, None) is None
    joined = errors.join(None, BASE, None, KeyError(1))
    assert str(joined) == "base\n1"
    assert joined.errors == tuple(joined.unwrap()) == (BASE, joined.errors[1])
    assert str(errors.join(joined, OTHER)) == "base\n1\nbase"


def test_python_matches_the_classes():
    with pytest.raises(errors.ErrorString):
        raise BASE
    with pytest.raises(errors.JoinError):
        raise errors.join(BASE)


def test_unsupported():
    assert str(errors.err_unsupported) == "unsupported operation"


@pytest.mark.parametrize("how", [panic, None], ids=["panic", "raise"])
def test_a_panic_with_one_prints_as_in_go(how):
    def main():
        if how:
            how(BASE)
        raise BASE

    with pytest.raises(GoPanic, match=r"^panic: base\n\ngoroutine 1 \[running\]:\n"):
        run(main)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: errors.new(5), "errors.new: text must be a str, not int"),
        (lambda: errors.is_("no", BASE), "errors.is_: 'no' is no error"),
        (lambda: errors.is_(BASE, "no"), "errors.is_: 'no' is no error"),
        (
            lambda: errors.is_(BASE, KeyError),
            "errors.is_: target must be an error, not the class KeyError; for that, use",
        ),
        (lambda: errors.as_(5, KeyError), "errors.as_: 5 is no error"),
        (lambda: errors.as_(BASE, BASE), "errors.as_: cls must be a class, not ErrorString"),
        (lambda: errors.as_(BASE, ()), r"errors.as_: cls must be a class, not \(\)"),
        (lambda: errors.unwrap(5), "errors.unwrap: 5 is no error"),
        (lambda: errors.join(BASE, 5), "errors.join: 5 is no error"),
    ],
)
def test_what_is_no_error_is_refused(call, text):
    with pytest.raises(TypeError, match=f"^{text}"):
        call()
