"""Package os: how a process ends, and its streams."""

from __future__ import annotations

import io
import os as host_os
import sys

import pytest

from goruntime import chan, defer, func, go, os, run, runtime, select, time

from .running import OUTSIDE, current_sched, execute


@pytest.mark.parametrize(("code", "status"), [(0, 0), (3, 3), (255, 255), (256 + 5, 5), (-1, 255)])
def test_exit(code, status):
    with pytest.raises(SystemExit) as caught:
        run(os.exit, code)
    assert caught.value.code == status


def test_exit_from_any_goroutine():
    def main():
        go(os.exit, 7)
        select()

    with pytest.raises(SystemExit) as caught:
        run(main)
    assert caught.value.code == 7


def test_exit_runs_no_deferred_call_and_nothing_can_stop_it():
    ran = []

    @func
    def main():
        defer(ran.append, "deferred")
        try:
            os.exit(3)
        except BaseException as error:
            ran.append(type(error).__name__)
            raise
        finally:
            ran.append("finally")

    with pytest.raises(SystemExit):
        run(main)
    assert ran == ["AbandonUnwind", "finally"]


def test_exit_while_the_run_ends_changes_nothing():
    def worker():
        try:
            select()
        finally:
            os.exit(5)

    def main():
        go(worker)
        runtime.gosched()
        return "main"

    assert run(main) == "main"


@pytest.mark.parametrize("code", ["1", None, 1.5, True])
def test_exit_wants_an_integer(code):
    def main():
        with pytest.raises(TypeError, match=r"os\.exit: code must be an integer"):
            os.exit(code)

    run(main)


def test_write(capsys):
    def main():
        return os.stdout.write("grüße\n"), os.stdout.write(b"bytes\n"), os.stderr.write("oops\n"), os.stdout.write("")

    assert run(main) == (6, 6, 5, 0)
    assert capsys.readouterr() == ("grüße\nbytes\n", "oops\n")


def test_write_is_in_order_with_print(capfd):
    def main():
        print("one")
        os.stdout.write(b"two\n")
        print("three")
        os.stdout.write("four\n")

    run(main)
    assert capfd.readouterr().out == "one\ntwo\nthree\nfour\n"


def test_write_to_a_stream_of_text(monkeypatch):
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stdout", stream)
    assert run(lambda: os.stdout.write(b"caf\xc3\xa9 ") + os.stdout.write("x")) == 7
    assert stream.getvalue() == "café x"


def test_write_without_a_stream(monkeypatch):
    monkeypatch.setattr(sys, "stderr", None)
    assert run(os.stderr.write, "x") == 1


def test_write_is_a_system_call(monkeypatch, capsys):
    finished = execute(monkeypatch, lambda: os.stdout.write("text"))
    assert finished.named("output")[0][-2:] == ("stdout", "text")
    assert [event[-1] for event in finished.named("go_syscall")] == ["write"]
    assert [event[-1] for event in finished.named("go_sysexit")] == ["kept its P"]
    capsys.readouterr()


def test_write_costs_time_and_keeps_order_across_goroutines(capsys):
    def main():
        done = chan()
        for name in "ab":
            go(lambda name=name: ([os.stdout.write(f"{name}{i} ") for i in range(3)], done.send(True)))
        start = time.now()
        done.recv()
        done.recv()
        return time.since(start)

    assert run(main, gomaxprocs=1) > 6 * 500e-9
    assert capsys.readouterr().out == "b0 b1 b2 a0 a1 a2 "


@pytest.mark.parametrize("data", [1, None, ["x"]])
def test_write_wants_text_or_bytes(data):
    def main():
        with pytest.raises(TypeError, match=r"os\.stdout\.write: data must be str or bytes"):
            os.stdout.write(data)

    run(main)


def test_a_broken_pipe_raises(monkeypatch):
    reader, writer = host_os.pipe()
    host_os.close(reader)
    stream = host_os.fdopen(writer, "w")

    def main():
        monkeypatch.setattr(sys, "stdout", stream)
        try:
            with pytest.raises(BrokenPipeError):
                os.stdout.write("x")
            assert current_sched().allp[0].status == 1  # the goroutine is back from its system call
            time.sleep(1)
        finally:
            monkeypatch.undo()
        return True

    assert run(main, gomaxprocs=1)
    with pytest.raises(BrokenPipeError):
        stream.close()


def test_write_in_a_finally_at_the_end_of_the_run_does_nothing(capsys):
    def worker():
        try:
            select()
        finally:
            assert os.stdout.write("late") == 4

    def main():
        go(worker)
        runtime.gosched()

    run(main)
    assert capsys.readouterr().out == ""


def test_args_and_pid(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["prog", "x"])
    assert os.args == ["prog", "x"]
    assert os.getpid() == host_os.getpid()
    with pytest.raises(AttributeError, match="nothing"):
        os.nothing  # noqa: B018


@pytest.mark.parametrize("call", [lambda: os.exit(0), lambda: os.stdout.write("x"), lambda: os.stderr.write("x")])
def test_outside_a_run(call):
    with pytest.raises(RuntimeError, match=OUTSIDE):
        call()
