"""Every port prints what real Go printed: exit status, stdout and stderr, after normalising both sides."""

import difflib
import re

import pytest

from .normalise import normalise
from .oracle import HERE, ROOT, SYNCTESTS, Oracle, Outcome, TestOracle, run_program
from .ranges import RANGES

PORTS = sorted(path.stem for path in HERE.glob("*.go"))
SLOW = {  # a process for each row, or real time by nature
    "exit_codes",
    "fatal_errors",
    "panic_nested",
    "panic_values",
    "preempt_off_hangs",
    "select_rules",
    "sigquit_dump",
    "sizeclass_probe",
    "span_layout",
    "syscall_handoff",
    "tiny_alloc",
    "traceback_levels",
    "wait_reasons",
}


def ports(names):
    return [pytest.param(name, marks=pytest.mark.slow if name in SLOW else ()) for name in names]


@pytest.fixture(scope="module")
def system():
    """How many system goroutines this runtime has: the first goroutine of main comes right after them."""
    outcome = run_program(HERE / "first_goid.py", {"GOMAXPROCS": "1"}, patience=60.0)
    assert (outcome.status, outcome.stdout) == (0, ""), outcome
    return int(outcome.stderr) - 2


@pytest.mark.parametrize("name", ports(name for name in PORTS if name not in RANGES))
def test_prints_what_go_prints(name, system):
    oracle = Oracle(name)
    outcome = oracle.without_omissions(oracle.run().normalised(system))
    expected = oracle.expected()
    assert outcome in expected, difference(expected[0], outcome)


@pytest.mark.parametrize("name", SYNCTESTS)
def test_prints_what_go_test_prints(name, system):
    oracle = TestOracle(name)
    outcome = oracle.run().normalised(system)
    expected = oracle.expected()
    assert outcome in expected, difference(expected[0], outcome)


@pytest.mark.parametrize("name", sorted(RANGES))
def test_figures_are_within_those_of_go(name):
    outcome = Oracle(name).run()
    try:
        RANGES[name](outcome)
    except AssertionError as error:
        raise AssertionError(f"{error}\nstatus {outcome.status}\n{outcome.stdout}{outcome.stderr}") from error


def test_elided_traceback_has_go_frames():
    """Only trace_elision is about the frames themselves: which are shown, and how many are left out."""
    oracle = Oracle("trace_elision")
    frames = shown_frames(oracle.run().stderr)
    assert frames == shown_frames(oracle.variants[0].stderr)
    assert frames == ["main.rec"] * 50 + ["...102 frames elided..."] + ["main.rec"] * 49 + ["main.main"]


def shown_frames(text):
    """The functions of a traceback, innermost first, without arguments and places."""
    lines = text.partition("goroutine 1 [running]:\n")[2].splitlines()
    return [re.sub(r"\(.*\)$", "", line) for line in lines if line and not line.startswith("\t")]


def difference(expected: Outcome, outcome: Outcome):
    def lines(side):
        return [
            f"exit status {side.status}",
            "--- stdout",
            *side.stdout.splitlines(),
            "--- stderr",
            *side.stderr.splitlines(),
        ]

    return "\n".join(difflib.unified_diff(lines(expected), lines(outcome), "Go", "goruntime", lineterm="", n=1000))


@pytest.mark.parametrize("name", PORTS)
def test_oracle_is_complete(name):
    oracle = Oracle(name)
    assert oracle.program.exists()
    assert oracle.variants
    assert oracle.unknown_omissions() == []
    assert all(any(outcome[1:]) or outcome.status == "TIMEOUT" for outcome in oracle.expected())


def test_fidelity_page_names_every_port_and_every_omission():
    page = (ROOT / "docs" / "fidelity.md").read_text()
    for name in PORTS:
        assert f"`{name}`" in page
        for row in Oracle(name).omissions["OMITTED"]:
            assert f"`{row}`" in page, (name, row)


def test_go_output_is_its_own_normal_form_but_for_what_is_documented():
    """Where no goroutine is shown and no address printed, the normaliser changes nothing."""
    for name in PORTS:
        for outcome in Oracle(name).variants:
            for text in outcome[1:]:
                if "goroutine " not in text and "goid" not in text and "0xX" not in text:
                    assert normalise(text, 4) == text.rstrip("\n"), name
