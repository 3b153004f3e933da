"""The normaliser takes out what is listed in docs/fidelity.md, and leaves everything else to be compared."""

import pytest

from .normalise import normalise

GO = """\
panic: boom

goroutine 7 [chan receive, locked to thread]:
main.main.func1(0x1, {0xc000, 0x2})
\t./prog.go:9 +0x1d
main.main.func2(...)
\t./prog.go:12
created by main.main in goroutine 1
\t./prog.go:7 +0x25

goroutine 2 gp=0xc0001 m=nil [force gc (idle)]:
runtime.gopark(0x0?)
\truntime/proc.go:474 +0xce fp=0x1 sp=0x2 pc=0x3
created by runtime.init.7 in goroutine 1
\truntime/proc.go:375 +0x1a

goroutine 6 gp=0xc0002 m=nil [finalizer wait]:
runtime.runFinalizers()
\truntime/mfinal.go:210 +0x107
created by runtime.createfing in goroutine 1
\truntime/mfinal.go:172 +0x3d

rax    0x4
cs     0x33
"""
NORMAL = """\
panic: boom

goroutine 2 [chan receive, locked to thread]:
created by main.main in goroutine 1

goroutine system gp=0xX m=nil [force gc (idle)]:"""


def test_takes_out_frames_addresses_registers_and_system_goids():
    assert normalise(GO, system=5) == NORMAL


@pytest.mark.parametrize("extension", ["go", "py", "s"])
def test_frames_of_both_languages_go(extension):
    text = f"goroutine 1 [running]:\nmain.f()\n\t/a dir/prog.{extension}:3 +0x1\n"
    assert normalise(text, 4) == "goroutine 1 [running]:"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("panic: boom", "panic: bang"),
        ("chan receive", "chan send"),
        (", locked to thread", ""),
        ("created by main.main in", "created by main.other in"),
        ("in goroutine 1\n\t./prog.go:7", "in goroutine 8\n\t./prog.go:7"),
        ("goroutine 7 [", "goroutine 8 ["),
        ("force gc (idle)", "GC sweep wait"),
        ("panic: boom\n\n", "panic: boom\n"),
    ],
)
def test_leaves_the_rest_to_be_compared(old, new):
    assert old in GO
    assert normalise(GO.replace(old, new), system=5) != NORMAL


def test_goids_are_shifted_not_renumbered():
    assert normalise("goroutine 1 [a]:\ngoroutine 9 [b]:\ngoroutine 8 [c]:", 6) == (
        "goroutine 1 [a]:\ngoroutine 3 [b]:\ngoroutine 2 [c]:"
    )
    assert normalise("NumGoroutine 9 goid 9\nuser goids: 12 10", 5) == "NumGoroutine 9 goid 4\nuser goids: 7 5"


def test_chained_panics_are_no_frames():
    text = "panic: first [recovered]\n\tpanic: second\n\tpanic: third 3\n"
    assert normalise(text, 4) == text.rstrip("\n")
