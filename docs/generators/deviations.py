"""docs/deviations.md: where goruntime differs from Go on purpose, from the `Differs:` lines of all docstrings."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

TARGET = "deviations.md"

Definition = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef

INTRODUCTION = """\
# Where goruntime differs from Go

Made from the `Differs:` lines of the source by `./dev docs`: change them there. Everything that is not listed here is
meant to be as in Go 1.27.3, and a difference is a bug.
"""

# The other labelled lines of a docstring, which end a `Differs:` paragraph.
LABEL = re.compile(r"^\s*(Go|Differs|Caller|Units|Invariant):")
GO_REFERENCE = re.compile(r"^\s*Go: (.+?)\.?\s*(?:\(go[\d.]+\)\.?)?$", re.MULTILINE)


def differences(docstring: str) -> Iterator[str]:
    """Each `Differs:` paragraph of a docstring, on one line."""
    lines = docstring.split("\n")
    for start, line in enumerate(lines):
        label, _, first = line.partition("Differs:")
        if label.strip() or not first.strip():
            continue
        paragraph = [first.strip()]
        for more in lines[start + 1 :]:
            if not more.strip() or LABEL.match(more):
                break
            paragraph.append(more.strip())
        yield " ".join(paragraph)


def definitions(node: ast.AST, prefix: str = "") -> Iterator[tuple[str, Definition]]:
    """Every class and function below node, with its qualified name."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, Definition):
            yield f"{prefix}{child.name}", child
            yield from definitions(child, f"{prefix}{child.name}.")
        else:
            yield from definitions(child, prefix)


def generate(package: Path) -> str:
    """The page."""
    page = [INTRODUCTION]
    for path in sorted(package.rglob("*.py")):
        entries = []
        tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
        for name, node in [("", tree), *definitions(tree)]:
            docstring = ast.get_docstring(node) or ""
            reference = GO_REFERENCE.search(docstring)
            source = f" ({reference[1]})" if reference else ""
            subject = f"`{name}`{source}: " if name else ""
            entries += [f"* {subject}{difference}" for difference in differences(docstring)]
        if entries:
            rel = path.relative_to(package.parent).as_posix()
            page.append(f"## [{rel}](../{rel})\n\n" + "\n".join(entries) + "\n")
    if len(page) == 1:
        page.append("Nothing so far.\n")
    return "\n".join(page)
