"""The one normaliser for both sides: takes out what a Python program cannot share with Go (docs/fidelity.md)."""

import re

ADDRESS = re.compile(r"0x[0-9a-f]+")
GOIDS = re.compile(r"(?<!\w)(?:goroutine \d+|goids?\b.*)")
DROPPED = (
    re.compile(r"^(?:r\w+|[cfg]s) +0xX\n", re.MULTILINE),  # the machine's registers, in a SIGQUIT dump
    re.compile(r"^(?!created by )\S.*\n\t.+\.(?:go|py|s):\d+.*\n", re.MULTILINE),  # a frame: call and place
    re.compile(r"^\t.+\.(?:go|py|s):\d+.*\n", re.MULTILINE),  # the place below a `created by` line
    re.compile(r"^created by runtime\..*\n", re.MULTILINE),  # who started a system goroutine
    re.compile(r"^goroutine .*\[finalizer wait\]:\n\n?", re.MULTILINE),  # Go has it only where `os` is linked
)


def normalise(text: str, system: int) -> str:
    """`text` without frames, addresses and Go's own lines; `system` is how many system goroutines its runtime has."""

    def user_goid(match: re.Match[str]) -> str:
        goid = int(match[0])
        if goid <= 1:  # 1 is main, 0 the scheduler's own stack
            return match[0]
        return "system" if goid <= system + 1 else str(goid - system)

    text = ADDRESS.sub("0xX", text)
    for pattern in DROPPED:
        text = pattern.sub("", text)
    text = GOIDS.sub(lambda match: re.sub(r"\d+", user_goid, match[0]), text)
    return text.rstrip("\n")
