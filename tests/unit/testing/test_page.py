"""docs/synctest.md: its examples are tests, and pass."""

import re
from pathlib import Path

from goruntime.sched.waitreason import IS_IDLE_IN_SYNCTEST, WAIT_REASONS

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "synctest.md").read_text()


def test_the_examples_of_the_page():
    names = {}
    for block in re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL):
        exec(block, names)
    tests = [name for name in names if name.startswith("test_")]
    assert len(tests) == 3
    for name in tests:
        names[name]()


def test_the_table_has_every_reason_that_is_durable():
    words = {
        "sleep": "time.sleep", "chan receive": "receive", "chan send": "send", "select": "select",
        "select (no cases)": "select()", "chan receive (nil chan)": "nilchan", "chan send (nil chan)": "nilchan",
        "sync.WaitGroup.Wait": "WaitGroup", "sync.Cond.Wait": "Cond", "coroutine": "coroutine",
        "synctest.Wait": "synctest.wait", "synctest.Run": "synctest.test",
    }  # fmt: skip
    rows = [line for line in PAGE.splitlines() if "| yes" in line]
    for reason, is_durable in zip(WAIT_REASONS, IS_IDLE_IN_SYNCTEST, strict=True):
        if is_durable:
            word = words[reason.removesuffix(" (durable)")]
            assert any(word in row for row in rows), reason
