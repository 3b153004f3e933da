"""Random programs by hand.

show SEED [go|python]   print the program, and what it must print by the rules
compare SEED            run it in goruntime, and in real Go if there is one, and show what differs
shrink SEED             the smallest program on which goruntime still differs from the rules
sweep [SEED]            compare one seed after the other, from SEED on, until something differs
measure [COUNT]         how often real Go and the rules agree, over COUNT programs
"""

import sys
import tempfile
from collections import Counter
from itertools import count
from pathlib import Path

from . import emit_go, emit_python, reference, syntax
from .compare import report, text_of
from .generate import Sample, program_for
from .in_process import Module
from .real_go import RUNS, Binary, toolchain
from .shrink import shrink

BATCH = 200


def main(command: str = "", argument: str = "0", *rest: str) -> int:
    """Do what the command line says; return the exit status."""
    number = int(argument)
    match command:
        case "show":
            sample = program_for(number)
            emit = emit_go.emit_program if "go" in rest else emit_python.emit_program
            print("\n".join([*emit(sample.program), "", *text_of(sample.outcomes[0])]))
            return 0
        case "compare":
            return compare([number])
        case "shrink":
            smallest = shrink(program_for(number).program, differs)
            print(difference(smallest) or "no difference")
            return 0
        case "sweep":
            for start in count(number, BATCH):
                print(f"seeds {start} to {start + BATCH - 1}", flush=True)
                if compare(range(start, start + BATCH)):
                    return 1
        case "measure":
            return measure(number or 1000)
    print(__doc__)
    return 2


def difference(program: syntax.Program) -> str:
    """Return the report if goruntime does not print what the rules say."""
    expected = [reference.run(program, tick) for tick in reference.TICKS]
    got = Module([program]).run(program.number)
    return "" if got in expected else report(program, ("rules", "goruntime"), (expected[0], got))


def differs(program: syntax.Program) -> bool:
    """Say whether goruntime does not print what the rules say."""
    return bool(difference(program))


def compare(seeds: "range | list[int]") -> int:
    """Compare goruntime with the rules and with real Go; return how many programs differ."""
    samples = [program_for(seed) for seed in seeds]
    failures = 0
    for sample in samples:
        if text := difference(sample.program):
            print(text)
            failures += 1
    if toolchain() is not None:
        for sample, runs in real_outcomes(samples):
            unexpected = [run for run in runs if run not in sample.outcomes]
            if len(unexpected) == len(runs):
                print(report(sample.program, ("rules", "real Go"), (sample.outcomes[0], unexpected[0])))
                failures += 1
    return failures


def real_outcomes(samples: list[Sample]) -> list[tuple[Sample, list[reference.Outcome]]]:
    """Run the programs in real Go."""
    with tempfile.TemporaryDirectory() as directory:
        binary = Binary([sample.program for sample in samples], Path(directory))
        found = binary.run_all([sample.program.number for sample in samples], RUNS)
    return [(sample, found[sample.program.number]) for sample in samples]


def measure(total: int) -> int:
    """Print how often real Go prints what the rules say; return how many programs it never did."""
    counts: Counter[str] = Counter()
    for start in range(0, total, BATCH):
        samples = [program_for(seed) for seed in range(start, min(start + BATCH, total))]
        for sample, runs in real_outcomes(samples):
            hits = sum(run in sample.outcomes for run in runs)
            counts["programs"] += 1
            counts["runs"] += len(runs)
            counts["runs that differ"] += len(runs) - hits
            counts["programs that always differ"] += not hits
            counts["programs that sometimes differ"] += 0 < hits < len(runs)
            counts["programs in which the initial tick matters"] += len(sample.outcomes) > 1
            if hits < len(runs):
                print(f"seed {sample.program.number}: {hits} of {len(runs)} runs as the rules say")
    print("\n".join(f"{name}: {value}" for name, value in counts.items()))
    return counts["programs that always differ"]


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
