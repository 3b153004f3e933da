"""Write the pages of docs/ that are made from the source, or see whether they are current: `./dev docs [--check]`.

Each module in docs/generators/ makes one page: TARGET is its name below docs/, `generate(package)` its text.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

DOCS = Path(__file__).resolve().parent
PACKAGE = DOCS.parent / "goruntime"


def generators() -> list[ModuleType]:
    """The modules in docs/generators/, loaded, by name."""
    modules = []
    for path in sorted((DOCS / "generators").glob("[!_]*.py")):
        spec = importlib.util.spec_from_file_location(f"docs_generator_{path.stem}", path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        modules.append(module)
    return modules


def outdated() -> dict[Path, str]:
    """Page -> new text, of the pages that are not what their generator makes now."""
    pages = {DOCS / module.TARGET: module.generate(PACKAGE) for module in generators()}
    return {
        page: text for page, text in pages.items() if not page.is_file() or page.read_text(encoding="utf-8") != text
    }


def main(arguments: list[str]) -> int:
    """Write, or with --check only name, what is out of date."""
    if arguments not in ([], ["--check"]):
        print("usage: ./dev docs [--check]", file=sys.stderr)
        return 2
    for page, text in outdated().items():
        name = page.relative_to(DOCS.parent).as_posix()
        if arguments:
            print(f"{name} is out of date: run ./dev docs")
        else:
            page.write_text(text, encoding="utf-8")
            print(f"wrote {name}")
    return int(bool(arguments and outdated()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
