"""The lines of schedtrace are Go's to the letter; what they say is what is there.

Programs whose output Go printed are in tests/behavior; here is what these do not reach.
"""

import re

import pytest

from goruntime import chan, go, panic, run, select
from goruntime.base.errors import Deadlock, FatalError, GoPanic

BRIEF = re.compile(
    r"SCHED \d+ms: gomaxprocs=2 idleprocs=\d threads=\d spinningthreads=\d needspinning=\d idlethreads=\d runqueue=\d+"
    r" \[ \d+ \d+ \] schedticks=\[ \d+ \d+ \]\n"
)


def busy(rounds=8_000):
    ch = chan()

    def send():
        for n in range(rounds):
            ch.send(n)

    go(send)
    for _ in range(rounds):
        ch.recv()


def test_sysmon_prints_a_line_every_so_often(capsys):
    run(busy, gomaxprocs=2, godebug="schedtrace=1")
    lines = capsys.readouterr().err.splitlines(keepends=True)
    assert len(lines) in (2, 3)
    assert all(BRIEF.fullmatch(line) for line in lines)
    assert lines[0].startswith("SCHED 0ms: ")


def test_it_is_off_by_default_and_with_nonsense(capsys):
    for godebug in ("", "schedtrace=0", "schedtrace=-1", "schedtrace=x", "scheddetail=1"):
        run(busy, 100, godebug=godebug)
    assert capsys.readouterr().err == ""


def test_watching_changes_nothing(capsys):
    """The virtual clock does not see who prints or records."""
    ends = []
    observer = type("End", (), {"on_end": lambda self, summary: ends.append(summary)})()
    for config in ({}, {"events": []}, {"godebug": "schedtrace=1"}):
        run(busy, 1_000, gomaxprocs=4, observers=(observer,), **config)
    first, second, third = [(end.choice_checksum, end.schedule_count, end.virtual_ns) for end in ends]
    assert first == second == third


HEAD = (
    r"SCHED \d+ms: gomaxprocs=2 idleprocs=\d threads=(\d) spinningthreads=\d needspinning=\d idlethreads=\d runqueue=\d"
    r" gcwaiting=false nmidlelocked=0 stopwait=0 sysmonwait=false"
)
DYING = (
    r"  M\d: p=(\d|nil) curg=(\d|nil) mallocing=1 throwing=%d preemptoff= locks=%d dying=1 spinning=false"
    r" blocked=false lockedg=nil"
)
OTHER = (
    r"  M\d: p=(\d|nil) curg=(\d|nil) mallocing=0 throwing=0 preemptoff= locks=0 dying=0 spinning=(true|false)"
    r" blocked=(true|false) lockedg=nil"
)


def check_dump(lines, dying, main):
    """A detailed dump, as a program prints it that dies: one M is marked. (Go 1.27.3's, read off four deaths.)"""
    head = re.fullmatch(HEAD, lines[0])
    assert head, lines[0]
    ms = [line for line in lines if line.startswith("  M")]
    assert len(ms) == int(head[1])
    assert [bool(re.fullmatch(dying, line)) for line in ms].count(True) == 1
    assert all(re.fullmatch(f"{dying}|{OTHER}", line) for line in ms)
    assert lines[1:3] == [line for line in lines if re.fullmatch(r"  P\d: status=[01] schedtick=\d+ .*", line)]
    assert lines[3 + len(ms)] == main
    assert "  G2: status=4(force gc (idle)) m=nil lockedm=nil" in lines


def test_a_panic_begins_with_the_state_of_the_scheduler():
    """Go prints it in startpanic_m: the M that panics is marked, and holds one lock."""
    with pytest.raises(GoPanic) as caught:
        run(panic, "x", gomaxprocs=2, godebug="scheddetail=1")
    dump, text = str(caught.value).split("panic: x\n", 1)
    check_dump(dump.splitlines(), DYING % (0, 32), "  G1: status=2() m=0 lockedm=nil")
    assert text.startswith("\ngoroutine 1 [running]:\n")


def test_a_deadlock_has_it_after_its_first_line():
    with pytest.raises(Deadlock) as caught:
        run(select, gomaxprocs=2, godebug="schedtrace=1000")
    text, *dumps = str(caught.value).split("\n\n")
    first, *lines = text.splitlines()
    assert first == "fatal error: all goroutines are asleep - deadlock!"
    check_dump(lines, DYING % (1, 48), "  G1: status=4(select (no cases)) m=nil lockedm=nil")
    assert [dump.splitlines()[0] for dump in dumps] == ["goroutine 1 [select (no cases)]:"]


def test_a_dead_goroutine_has_no_reason():
    def main():
        ch = chan()
        go(ch.send, 1)
        ch.recv()
        go(lambda: None)
        select((chan(1).send, 1))
        ch.recv()

    with pytest.raises(FatalError) as caught:
        run(main, gomaxprocs=1, godebug="scheddetail=1")
    assert re.search(r"^  G\d+: status=6\(\) m=nil lockedm=nil$", str(caught.value), re.MULTILINE)
    assert "gfreecnt=1" in str(caught.value)
