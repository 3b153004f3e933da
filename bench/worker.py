"""The process behind one variant: ``worker.py CASE WHO ITEMS``.

It runs a round for each line on stdin and answers each with a line of JSON on stdout.
"""

from __future__ import annotations

import gc
import json
import sys

from cases import CASES
from harness import Reading


def main() -> None:
    """Answer every line on stdin with one round."""
    name, who, items = sys.argv[1:]
    (case,) = [case for case in CASES if case.name == name]
    (variant,) = [variant for variant in case.variants if variant.who == who]
    for _ in sys.stdin:
        gc.collect()
        try:
            reading = variant.measure(int(items))
            answer: dict[str, object] = {"value": reading}
            if isinstance(reading, Reading):
                answer = reading._asdict()
        except ModuleNotFoundError as error:
            answer = {"skip": f"not installed ({error})"}
        except Exception as error:  # noqa: BLE001  one variant that fails must not end the others
            first = str(error).strip().splitlines()
            answer = {"error": f"{type(error).__name__}: {first[0] if first else ''}"}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
