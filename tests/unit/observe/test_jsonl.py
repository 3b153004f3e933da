"""Recordings: complete, parseable, equal for equal runs, and never the end of the program."""

import json
import os
import sys
from pathlib import Path

import pytest

from goruntime import chan, go, panic, run
from goruntime.base.errors import GoPanic
from goruntime.base.events import SCHEMA_VERSION, as_record
from goruntime.observe.jsonl import Recorder

FULL_DISK = Path("/dev/full")


def program(text="x"):
    ch = chan()
    go(ch.send, text)
    print(ch.recv())


def recorded(path):
    """(header, events, trailer) of a complete recording."""
    header, *events, trailer = [json.loads(line) for line in path.read_text("ascii").splitlines()]
    return header, events, trailer["end"]


def test_a_recording_is_the_events_between_header_and_trailer(tmp_path, capsys):
    listed = []
    run(program, events=listed, gomaxprocs=2, seed=5)
    run(program, events=tmp_path / "out.jsonl", gomaxprocs=2, seed=5)
    header, events, trailer = recorded(tmp_path / "out.jsonl")
    assert events == [as_record(event) for event in listed]
    assert (header["schema"], header["main"]) == (SCHEMA_VERSION, f"{__name__}.program")
    assert header["program"] == program.__code__.co_filename
    assert (header["configuration"]["seed"], header["configuration"]["gomaxprocs"]) == (5, 2)
    assert (trailer["outcome"], trailer["events"], trailer["open"]) == ("main returned", len(events), [])
    assert trailer["ns"] == events[-1]["ns"]


def test_equal_runs_have_equal_recordings(tmp_path):
    for name in "ab":
        run(program, events=str(tmp_path / name))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_program_that_dies_leaves_a_complete_recording(tmp_path):
    def main():
        go(panic, "oh")
        chan().recv()

    with pytest.raises(GoPanic):
        run(main, events=tmp_path / "out.jsonl")
    _, events, trailer = recorded(tmp_path / "out.jsonl")
    assert (trailer["outcome"], trailer["text"]) == ("GoPanic", "panic: oh")
    assert events[-1]["event"] == "run_end"
    assert events[-1]["why"] == "GoPanic"


def test_any_text_can_be_recorded(tmp_path, capsys):
    text = 'é "quoted" \\ \ud800 \x00 \u2028'
    run(lambda: sys.stdout.write(text.replace("\ud800", "")) and program(ascii(text)), events=tmp_path / "out.jsonl")
    _, events, _ = recorded(tmp_path / "out.jsonl")
    assert next(e["text"] for e in events if e["event"] == "output") == text.replace("\ud800", "")


def test_a_path_that_cannot_be_opened_fails_before_the_program_starts(tmp_path):
    before = sys.stdout
    started = []
    for path in (tmp_path / "missing" / "out.jsonl", tmp_path):
        with pytest.raises(OSError, match=r"\[Errno"):
            run(started.append, 1, events=path)
    assert started == []
    assert sys.stdout is before
    assert run(lambda: 3) == 3


@pytest.mark.skipif(not FULL_DISK.exists(), reason="no device that is always full")
@pytest.mark.parametrize("count", [1, 3_000])
def test_a_full_disk_ends_the_recording_and_nothing_else(count, capsys):
    def main():
        ch = chan()
        for n in range(count):
            go(ch.send, n)
        return sum(ch.recv() for _ in range(count))

    assert run(main, events=FULL_DISK) == sum(range(count))
    assert capsys.readouterr().err == (
        "goruntime: recording of events to /dev/full stopped: OSError: [Errno 28] No space left on device\n"
    )


def test_files_are_closed(tmp_path):
    folder = Path("/proc/self/fd")
    if not folder.exists():
        pytest.skip("nothing tells which files are open")
    before = len(os.listdir(folder))
    for _ in range(20):
        run(program, events=tmp_path / "out.jsonl")
        with pytest.raises(GoPanic):
            run(panic, 1, events=tmp_path / "out.jsonl")
        with pytest.raises(TypeError):
            run(program, events=tmp_path / "out.jsonl", observers=(3,))
    assert len(os.listdir(folder)) == before


def test_one_recorder_holds_one_run(tmp_path):
    recorder = Recorder(tmp_path / "out.jsonl")
    run(program, events=recorder)
    with pytest.raises(ValueError, match="holds another run already"):
        run(program, events=recorder)
    _, _, trailer = recorded(tmp_path / "out.jsonl")
    assert trailer["outcome"] == "main returned"
