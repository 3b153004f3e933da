"""Make a program that fails smaller, as long as it still fails."""

from collections.abc import Callable, Iterator
from copy import deepcopy

from . import reference, syntax
from .machine import Reject

Verdict = Callable[[syntax.Program], bool]


def shrink(program: syntax.Program, still_fails: Verdict) -> syntax.Program:
    """Remove statements and repetitions until nothing more can go."""
    progress = True
    while progress:
        progress = False
        for candidate in _smaller(program):
            if _is_determined(candidate) and still_fails(candidate):
                program, progress = candidate, True
                break
    return program


def _smaller(program: syntax.Program) -> Iterator[syntax.Program]:
    """Yield the program with one run of statements less, long runs first, then with fewer repetitions."""
    sizes = [len(block) for block in syntax.all_blocks(program.body)]
    length = max(sizes)
    while length:
        for position, size in enumerate(sizes):
            for start in range(0, size - length + 1, length):
                yield _changed(program, position, start, length)
        length //= 2
    for position, block in enumerate(syntax.all_blocks(program.body)):
        for index, statement in enumerate(block):
            if isinstance(statement, syntax.Repeat) and statement.count > 1:
                yield _changed(program, position, index, 0)


def _changed(program: syntax.Program, position: int, start: int, length: int) -> syntax.Program:
    """Return a copy without `length` statements of a block, or with half the repetitions of the statement there."""
    candidate = deepcopy(program)
    block = list(syntax.all_blocks(candidate.body))[position]
    statement = block[start]
    if length:
        del block[start : start + length]
    elif isinstance(statement, syntax.Repeat):
        statement.count //= 2
    syntax.name_functions(candidate)
    return candidate


def _is_determined(program: syntax.Program) -> bool:
    """Say whether the rules still tell what it prints."""
    try:
        outcomes = {reference.run(program, tick) for tick in reference.TICKS}
    except Reject:
        return False
    return len(outcomes) == 1
