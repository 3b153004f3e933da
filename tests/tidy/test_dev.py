"""./dev says clearly what it cannot do. (What it can do, CI does with it.)"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

DEV = Path(__file__).resolve().parents[2] / "dev"
pytestmark = pytest.mark.skipif(os.name == "nt", reason="the stand-ins for a Python are shell scripts")


def dev(folder, *arguments, python=sys.executable):
    """Run ./dev from some other folder; (status, stdout, stderr)."""
    environment = {**os.environ, "PYTHON": str(python)}
    command = [sys.executable, DEV, *arguments]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def stand_in(folder, script):
    """A program in place of a Python."""
    path = folder / "python"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize("arguments", [(), ("help",), ("--help",)])
def test_help_names_every_command(arguments, tmp_path):
    status, out, err = dev(tmp_path, *arguments)
    assert (status, err) == (0, "")
    for command in "run test check tidy bench docs sim replay setup".split():
        assert f"\n    ./dev {command} " in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("frobnicate",), "there is no command 'frobnicate'; there are: run, test, "),
        (("check", "everything"), "check takes no arguments, but got: everything"),
        (("sim",), "sim needs a seed"),
        (("sim", "abc"), "sim needs a seed"),
    ],
)
def test_misuse(arguments, message, tmp_path):
    status, out, err = dev(tmp_path, *arguments)
    assert (status, out) == (2, "")
    assert err.startswith(f"./dev: {message}")


def test_a_python_that_does_not_exist(tmp_path):
    status, out, err = dev(tmp_path, "tidy", python="python3.999")
    assert (status, out, err) == (1, "", "./dev: PYTHON=python3.999: no such command\n")


def test_a_python_that_does_not_work(tmp_path):
    status, out, err = dev(tmp_path, "tidy", python=stand_in(tmp_path, "echo it is broken; exit 1"))
    assert (status, out) == (1, "")
    assert "is not a Python that works:\nit is broken\n" in err


@pytest.mark.parametrize("version", ["CPython 3.10.13", "PyPy 3.11.9"])
def test_a_python_that_is_too_old(version, tmp_path):
    implementation, number = version.split()
    major, minor, _ = number.split(".")
    words = " ".join([implementation, major, minor, number, f"py{major}{minor}", "python"])
    status, out, err = dev(tmp_path, "tidy", python=stand_in(tmp_path, f"printf '%s\\n' {words}"))
    assert (status, out) == (1, "")
    assert f"goruntime needs CPython 3.11 or newer; {tmp_path / 'python'} is {version}." in err
    assert "PYTHON=python3.12 ./dev" in err
