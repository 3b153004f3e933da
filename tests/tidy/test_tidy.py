"""The package is tidy; and the checker is no rubber stamp: for each rule, a package that breaks it is reported."""

from pathlib import Path

import pytest

from . import tidy

HEADER = '"""A module."""\n'
PACKAGE = Path(__file__).resolve().parents[2] / "goruntime"


def make_package(root: Path, files: dict[str, str]) -> Path:
    package = root / "fake"
    for name, text in {"__init__.py": HEADER, **files}.items():
        path = package / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return package


def make_go(root: Path) -> Path:
    source = root / "go" / "src" / "runtime" / "proc.go"
    source.parent.mkdir(parents=True)
    source.write_text(
        "package runtime\n\nconst (\n\t_Gidle = iota // 0\n\t_Grunnable\n)\n\n"
        "func schedule() {\n\tgone()\n\tlocal := 1\n}\n\nfunc (h *mheap) alloc(n uintptr) *mspan {\n}\n\n"
        "type schedt struct {\n\tmidle muintptr\n}\n\nvar allm *m\n",
        encoding="utf-8",
    )
    return root / "go"


def test_the_package_is_tidy():
    assert tidy.tidy(PACKAGE, tidy.go_root()) == []


def test_it_reads_every_module():
    assert {module.rel for module in tidy.load(PACKAGE)} == {
        path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py")
    }


GOOD = {
    "an almost empty package": {"base/__init__.py": ""},
    "a lower row": {
        "base/rng.py": HEADER,
        "kernel/m.py": HEADER + "from ..base import rng\nfrom ..base.rng import x\n",
    },
    "its own folder": {"sched/g.py": HEADER, "sched/m.py": HEADER + "from . import g\n"},
    "our own module called time": {
        "time.py": HEADER,
        "context.py": HEADER + "from . import time\nfrom fake import time as clock\nfrom fake.time import now\n",
    },
    "Go's packages beside one another": {"errors.py": HEADER, "sync.py": HEADER + "from . import errors\n"},
    "the clock in kernel/host.py": {"kernel/host.py": HEADER + "import os, signal, time\nos.urandom(8)\n"},
    "the host's clock for type checkers only": {
        "boot.py": HEADER + "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from datetime import datetime\n"
    },
    "id() in __repr__": {"base/a.py": HEADER + "class A:\n    def __repr__(self):\n        return hex(id(self))\n"},
    "a cycle for type checkers only": {
        "sched/g.py": HEADER + "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from .m import M\n",
        "sched/m.py": HEADER + "from .g import G\n",
    },
    "a sorted set": {"base/a.py": HEADER + "for x in sorted({1, 2}): pass\n"},
    "a TODO with its issue": {"base/a.py": HEADER + "# TODO(#12): faster\n"},
    "context.TODO": {"context.py": HEADER + "# Go: context/context.go TODO; context.TODO() here\n"},
    "relative paths": {"base/a.py": HEADER + "a = 'docs/root/x', f'{a}/tmp/x'\n"},
}


@pytest.mark.parametrize("files", GOOD.values(), ids=GOOD)
def test_what_is_allowed(files, tmp_path):
    assert tidy.tidy(make_package(tmp_path, files)) == []


MANY_LINES = HEADER + "x = 1\n" * tidy.FILE_MAX
LONG_FUNCTION = HEADER + "class A:\n    def f(self):\n" + "        x = 1\n" * tidy.FUNCTION_MAX
FOR_TYPES = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    "
BAD = [
    ("layer: base may not import kernel", {"kernel/m.py": HEADER, "base/a.py": HEADER + "from fake.kernel import m\n"}),
    ("layer: base may not import kernel", {"kernel/m.py": HEADER, "base/a.py": HEADER + "from ..kernel.m import M\n"}),
    ("layer: sched may not import heap", {"heap/a.py": HEADER, "sched/b.py": HEADER + "import fake.heap.a\n"}),
    ("layer: lang may not import __init__", {"lang/a.py": HEADER + "from fake import run\n"}),
    ("layer: lang may not import __init__", {"lang/a.py": HEADER + "from .. import run\n"}),
    ("layer: lang may not import time", {"time.py": HEADER, "lang/a.py": HEADER + "from .. import time\n"}),
    ("layer: sched may not import gc", {"gc/a.py": HEADER, "sched/b.py": HEADER + FOR_TYPES + "from ..gc import a\n"}),
    ("layer: utils has no row", {"utils/a.py": HEADER}),
    ("lazy: fake.base.a imported", {"base/a.py": HEADER, "gc/b.py": HEADER + "def f():\n    from ..base import a\n"}),
    ("lazy: imports by name", {"gc/b.py": HEADER + "import importlib\nimportlib.import_module('fake.base.a')\n"}),
    ("lazy: imports by name", {"gc/b.py": HEADER + "__import__('fake.base.a')\n"}),
    (
        "cycle: 2 modules import one another: fake.gc.a, fake.gc.b",
        {"gc/a.py": HEADER + "from . import b\n", "gc/b.py": HEADER + "from .a import A\n"},
    ),
    ("cycle: 2 modules", {"os.py": HEADER + "from . import time\n", "time.py": HEADER + "from . import os\n"}),
    ("length: base/a.py has 701 lines", {"base/a.py": MANY_LINES}),
    ("length: base/a.py:A.f has 71 lines", {"base/a.py": LONG_FUNCTION}),
    ("ambient: import time", {"sched/a.py": HEADER + "import time\n"}),
    ("ambient: import time", {"kernel/blocking.py": HEADER + "def f():\n    from time import monotonic\n"}),
    ("ambient: import threading", {"kernel/blocking.py": HEADER + "import os, threading\n"}),
    ("ambient: import concurrent", {"gc/a.py": HEADER + "import concurrent.futures\n"}),
    ("ambient: import time", {"base/rng.py": HEADER + "import random, time\n"}),
    ("ambient: import os.urandom", {"sched/a.py": HEADER + "from os import urandom\n"}),
    ("ambient: os.getpid()", {"sched/a.py": HEADER + "import os\nos.getpid()\n"}),
    ("ambient: id()", {"sched/a.py": HEADER + "x = id(3)\n"}),
    ("ambient: id()", {"sched/a.py": HEADER + "sorted([], key=id)\n"}),
    ("ambient: hash()", {"sched/a.py": HEADER + "x = hash('a')\n"}),
    ("order: iterates over a set", {"sched/a.py": HEADER + "for x in {1, 2}: pass\n"}),
    ("order: iterates over a set", {"sched/a.py": HEADER + "y = [x for x in set(z)]\n"}),
    ("header: no module docstring", {"sched/a.py": "x = 1\n"}),
    ("goref: runtime/proc.go declares no gone", {"sched/a.py": HEADER + "# Go: runtime/proc.go gone\n"}),
    ("goref: runtime/proc.go declares no local", {"sched/a.py": HEADER + "# Go: runtime/proc.go schedule, local.\n"}),
    ("goref: Go has no file runtime/gone.go", {"sched/a.py": HEADER + "# Go: runtime/gone.go schedule (go1.27).\n"}),
    ("goref: runtime/proc.go: name a symbol", {"sched/a.py": HEADER + "# Go: runtime/proc.go:12 schedule\n"}),
    ("goref: runtime/proc.go: name a symbol", {"sched/a.py": HEADER + "# Go: runtime/proc.go\n"}),
    ("path: an absolute path", {"sched/a.py": HEADER + "x = '/home/someone/x'\n"}),
    ("path: an absolute path", {"../docs/a.md": "Look into /opt/x/y.\n"}),
    ("todo: a TODO names its issue", {"sched/a.py": HEADER + "# TODO: later\n"}),
    ("todo: a TODO names its issue", {"../tests/a.go": "// FIXME\n"}),
]


@pytest.mark.parametrize(("expected", "files"), BAD)
def test_what_is_reported(expected, files, tmp_path):
    found = tidy.tidy(make_package(tmp_path, files), make_go(tmp_path / "toolchain"))
    assert len(found) == 1, found
    assert f": {expected}" in found[0]


def test_references_that_exist(tmp_path):
    lines = (
        "Go: runtime/proc.go schedule (go1.27).",
        "Go: runtime/proc.go (*mheap).alloc, mheap.alloc and _Gidle; runtime/proc.go _Grunnable.",
        "Go: runtime/proc.go schedt.midle, allm: in the form of 1.27.",
        'Go: runtime/proc.go schedule, from "take a P" on',
        "Go: golang.org/x/sync/errgroup/errgroup.go Group",
        "Go: the memory model.",
    )
    package = make_package(tmp_path, {"sched/a.py": HEADER + "".join(f"# {line}\n" for line in lines)})
    assert tidy.tidy(package, make_go(tmp_path / "toolchain")) == []


def test_references_are_left_alone_without_go(tmp_path):
    package = make_package(tmp_path, {"sched/a.py": HEADER + "# Go: runtime/gone.go gone\n"})
    assert tidy.tidy(package, None) == []


@pytest.mark.parametrize(
    ("allowed", "expected"),
    [(71, 0), (72, 1), (70, 1)],
    ids=["exact", "has shrunk", "has grown"],
)
def test_an_allowance_may_only_shrink(allowed, expected, tmp_path, monkeypatch):
    monkeypatch.setitem(tidy.ALLOW, "base/a.py:A.f", allowed)
    found = tidy.tidy(make_package(tmp_path, {"base/a.py": LONG_FUNCTION}))
    assert len(found) == expected
    assert all("it may only shrink" in text for text in found)


def test_an_allowance_for_nothing_is_reported(tmp_path, monkeypatch):
    monkeypatch.setitem(tidy.ALLOW, "base/gone.py:f", 80)
    assert "does not exist" in tidy.tidy(make_package(tmp_path, {}))[0]


def test_the_command(tmp_path, capsys):
    package = make_package(tmp_path, {"sched/a.py": HEADER + "import time\n"})
    assert tidy.main([str(package)]) == 1
    assert capsys.readouterr().out.startswith("fake/sched/a.py:2: ambient: ")
    (package / "sched/a.py").unlink()
    assert tidy.main([str(package)]) == 0
    assert tidy.main([str(tmp_path / "nowhere")]) == 2
