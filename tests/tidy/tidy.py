"""House-style checks that a reviewer should never have to make by hand.

Standard library only; every finding is one line `path:line: rule: message`. `./dev tidy` runs it over the package and
the texts of the repository; `python tests/tidy/tidy.py PACKAGE_DIR` runs it over any package and the folder it is in.

Rules
    layer      a module imports only its own folder and lower rows of LAYERS, also for type checkers only
    lazy       no import of ours inside a function: that is how a cycle hides
    cycle      no import cycle between modules
    length     a file is at most FILE_MAX lines, a function at most FUNCTION_MAX; what ALLOW excuses may only shrink
    ambient    no clock, randomness, thread, signal, id() or hash() order except where AMBIENT_OK says so
    order      nothing iterates over a set: its order differs from run to run
    header     every module opens with a docstring
    goref      each `Go: path/file.go symbol` names something that Go's source declares (when that source is there)
    path       no absolute path of somebody's machine
    todo       no TODO without an issue number, as in TODO(#12), and no FIXME
"""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
GO_VERSION = "go1.27.3"

# Go's packages may use one another, as in Go, as long as there is no cycle.
PACKAGES = (
    *("atomic", "context", "coro", "debug", "errgroup", "errors", "internal", "metrics", "net", "os", "rand", "rate"),
    *("runtime", "semaphore", "signal", "singleflight", "sync", "time", "unique", "weak"),
)
# Low to high. Names on one row are beside one another and never meet. "__init__" is the package's own face.
LAYERS = (
    ("base", "_version"),
    ("kernel",),
    ("sched", "heap"),
    ("gc",),
    ("lang",),
    PACKAGES,
    ("observe", "race"),
    ("boot",),
    ("check",),
    ("testing",),
    ("pytest_plugin",),
    ("pprof", "trace"),
    ("__init__",),
    ("cli",),
    ("__main__",),
)
RANK = {name: rank for rank, row in enumerate(LAYERS) for name in row}

FILE_MAX = 700  # lines
FUNCTION_MAX = 70  # lines, docstring included
# "sched/schedule.py" or "sched/schedule.py:Class.method" -> lines. Lower it when the thing shrinks; never raise it.
ALLOW: dict[str, int] = {}

# Modules through which the host, or chance, gets into a run.
AMBIENT = frozenset(
    "_thread asyncio concurrent datetime multiprocessing platform psutil random secrets select selectors signal socket"
    " subprocess threading time uuid".split()
)
AMBIENT_OS = frozenset("cpu_count fork getloadavg getpid kill sched_getaffinity times urandom".split())
AMBIENT_CALLS = frozenset({"id", "hash"})
ANYTHING = AMBIENT | AMBIENT_OS | AMBIENT_CALLS
# File -> what it may use after all. kernel/host.py is the only one that looks at the host.
AMBIENT_OK: dict[str, frozenset[str]] = {
    "kernel/host.py": ANYTHING,
    "kernel/poller.py": frozenset({"select"}),  # the poller itself: docs/decisions/0006
    "kernel/sockets.py": frozenset({"socket"}),
    "base/rng.py": frozenset({"random"}),  # the generator itself, always seeded
    "base/config.py": frozenset({"datetime"}),  # the type of `start`; the clock is never asked
}

TEXT_SUFFIXES = frozenset({".py", ".go", ".md", ".toml"})
TEXT_FILES = ("dev", ".ci/run")
SKIPPED_FOLDERS = frozenset({"__pycache__", "build", "dist", "htmlcov", "node_modules"})
OWN_FOLDER = "tests/tidy/"  # holds what the rules look for, as patterns and as bad examples
ABSOLUTE_PATH = re.compile(r"(?<![\w.~)}\]/])/(?:Users|home|mnt|opt|private|root|tmp|usr|var|work)/\w")
TODO = re.compile(r"(?<![\w.])(?<!\.go )(?:TODO(?!\(#\d+\))|FIXME)\b")

GO_REFERENCE = re.compile(r"\bGo: (\S.*)")
GO_FILE = re.compile(r"([\w./-]+\.(?:go|s))(:\d+)?,?\s*(.*)")
GO_SYMBOLS = re.compile(r"[\w.*()]+(?:(?:, | and )[\w.*()]+(?=[,.:;]| and |\s*$))*")  # then prose may follow

Report = Callable[[str, int, str, str], None]


@dataclass(frozen=True)
class Module:
    """One file of the package, parsed."""

    rel: str  # path below the package
    name: str  # dotted
    is_package: bool
    text: str
    tree: ast.Module

    @property
    def layer(self) -> str:
        return layer_of(self.name)


def layer_of(name: str) -> str:
    """'goruntime.sched.park' -> 'sched'; the package itself is '__init__'."""
    parts = name.split(".")
    return parts[1] if len(parts) > 1 else "__init__"


def load(package: Path) -> list[Module]:
    """Every module of the package, in the order of their paths."""
    modules = []
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package.parent).with_suffix("").parts
        is_package = parts[-1] == "__init__"
        text = path.read_text(encoding="utf-8")
        name = ".".join(parts[:-1] if is_package else parts)
        modules.append(Module(path.relative_to(package).as_posix(), name, is_package, text, ast.parse(text, str(path))))
    return modules


# ---- rules about one module ----


def check_header(module: Module, report: Report) -> None:
    if module.text.strip() and not ast.get_docstring(module.tree):
        report(module.rel, 1, "header", "no module docstring")


def functions(tree: ast.AST, prefix: str = "") -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    """Every function below tree with its qualified name."""
    for node in ast.iter_child_nodes(tree):
        name = f"{prefix}{node.name}" if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) else ""
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield name, node
        yield from functions(node, f"{name}." if name else prefix)


def check_length(module: Module, report: Report) -> None:
    sizes = [(module.rel, 1, module.text.count("\n"), FILE_MAX)]
    for name, node in functions(module.tree):
        sizes.append((f"{module.rel}:{name}", node.lineno, (node.end_lineno or 0) - node.lineno + 1, FUNCTION_MAX))
    for what, line, length, limit in sizes:
        allowed = ALLOW.get(what)
        if allowed is None and length > limit:
            report(module.rel, line, "length", f"{what} has {length} lines, limit {limit}")
        elif allowed is not None and (length != allowed or length <= limit):
            report(module.rel, line, "length", f"{what} has {length} lines, ALLOW says {allowed}: it may only shrink")


def check_stale_allowances(modules: list[Module], report: Report) -> None:
    known = {module.rel for module in modules}
    known |= {f"{module.rel}:{name}" for module in modules for name, _ in functions(module.tree)}
    for what in sorted(ALLOW.keys() - known):
        report(what.partition(":")[0], 1, "length", f"ALLOW names {what}, which does not exist")


def stdlib_imports(module: Module) -> Iterator[tuple[int, str, str]]:
    """(line, top-level module, name taken from it or "") of each absolute import: `from . import time` is ours."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name.split(".")[0], ""
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            for alias in node.names:
                yield node.lineno, node.module.split(".")[0], alias.name


def check_ambient(module: Module, report: Report) -> None:
    allowed = AMBIENT_OK.get(module.rel, frozenset())
    type_only = nodes_for_type_checkers(module.tree)
    type_only_lines = {getattr(node, "lineno", 0) for node in type_only}
    has_os = False
    for line, top, name in stdlib_imports(module):
        has_os |= top == "os" and not name
        used = f"os.{name}" if top == "os" and name in AMBIENT_OS else top if top in AMBIENT else ""
        if used and used.removeprefix("os.") not in allowed and line not in type_only_lines:
            report(module.rel, line, "ambient", f"import {used}: take it from kernel/host.py or base/rng.py")
    for line, name in ambient_uses(module.tree, has_os):
        if name.removeprefix("os.") not in allowed:
            report(module.rel, line, "ambient", f"{name}() differs from run to run")


def ambient_uses(tree: ast.Module, has_os: bool) -> Iterator[tuple[int, str]]:
    """Uses of id, hash and os.urandom and the like; what `__repr__` shows and `__hash__` computes does not count."""
    excused = {
        id(node)
        for _, function in functions(tree)
        if function.name in ("__repr__", "__hash__")
        for node in ast.walk(function)
    }
    for node in ast.walk(tree):
        if id(node) in excused:
            continue
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in AMBIENT_CALLS:
            yield node.lineno, node.func.id
        elif isinstance(node, ast.keyword) and isinstance(node.value, ast.Name) and node.value.id in AMBIENT_CALLS:
            yield node.value.lineno, node.value.id  # sorted(key=id)
        elif has_os and isinstance(node, ast.Attribute) and node.attr in AMBIENT_OS:
            if isinstance(node.value, ast.Name) and node.value.id == "os":
                yield node.lineno, f"os.{node.attr}"


def check_order(module: Module, report: Report) -> None:
    for node in ast.walk(module.tree):
        if not isinstance(node, (ast.For, ast.comprehension)):
            continue
        source = node.iter
        made_by = source.func if isinstance(source, ast.Call) else None
        is_call = isinstance(made_by, ast.Name) and made_by.id in ("set", "frozenset")
        if is_call or isinstance(source, (ast.Set, ast.SetComp)):
            report(module.rel, source.lineno, "order", "iterates over a set: sort it first")


# ---- rules about imports ----


def nodes_for_type_checkers(tree: ast.Module) -> list[ast.AST]:
    """Everything below an `if TYPE_CHECKING`."""
    blocks = (node for node in ast.walk(tree) if isinstance(node, ast.If))
    return [
        inner
        for block in blocks
        if ast.unparse(block.test).endswith("TYPE_CHECKING")
        for statement in block.body
        for inner in ast.walk(statement)
    ]


def imported(node: ast.Import | ast.ImportFrom, module: Module, known: set[str]) -> set[str]:
    """Modules of ours that one import statement names, relative forms resolved."""
    if isinstance(node, ast.Import):
        names = [alias.name for alias in node.names]
    else:
        base = module.name.split(".") if module.is_package else module.name.split(".")[:-1]
        stem = base[: len(base) - node.level + 1] if node.level else []
        prefix = ".".join(stem + ([node.module] if node.module else []))
        # `from pkg import a, name`: a is a module, name makes it need pkg too.
        names = [f"{prefix}.{alias.name}" for alias in node.names]
        names = [name if name in known else prefix for name in names]
    return {name for name in names if name in known} - {module.name}


def check_imports(module: Module, known: set[str], graph: dict[str, set[str]], report: Report) -> None:
    """The layer and lazy rules; fills graph for the cycle rule."""
    if module.layer not in RANK:
        report(module.rel, 1, "layer", f"{module.layer} has no row in LAYERS")
    type_only = {id(node) for node in nodes_for_type_checkers(module.tree)}
    in_function = {id(inner) for _, function in functions(module.tree) for inner in ast.walk(function)}
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in ("import_module", "__import__"):
            report(module.rel, node.lineno, "lazy", "imports by name at run time")
        if not isinstance(node, (ast.Import, ast.ImportFrom)):
            continue
        for target in sorted(imported(node, module, known)):
            if id(node) in in_function:
                report(module.rel, node.lineno, "lazy", f"{target} imported inside a function")
            if id(node) not in type_only:
                graph.setdefault(module.name, set()).add(target)
            if not may_import(module.layer, layer_of(target)):
                report(module.rel, node.lineno, "layer", f"{module.layer} may not import {layer_of(target)} ({target})")


def may_import(here: str, there: str) -> bool:
    if here == there or (here in PACKAGES and there in PACKAGES):
        return True
    if here not in RANK or there not in RANK:
        return True  # reported once, as a folder without a row
    return RANK[there] < RANK[here]


def cycles(graph: dict[str, set[str]]) -> list[list[str]]:
    """Groups of modules that import one another (Tarjan's algorithm)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    groups: list[list[str]] = []

    def visit(module: str) -> None:
        index[module] = low[module] = len(index)
        stack.append(module)
        for target in sorted(graph.get(module, ())):
            if target not in index:
                visit(target)
                low[module] = min(low[module], low[target])
            elif target in stack:
                low[module] = min(low[module], index[target])
        if low[module] == index[module]:
            group = stack[stack.index(module) :]
            del stack[stack.index(module) :]
            if len(group) > 1:
                groups.append(sorted(group))

    for module in sorted(graph):
        if module not in index:
            visit(module)
    return groups


# ---- references to Go's source ----


@cache
def go_root() -> Path | None:
    """Go's own source of the version we follow, from $GOROOT or the `go` on PATH; None when there is none."""
    root = os.environ.get("GOROOT", "")
    go = shutil.which("go")
    if not root and go:
        root = subprocess.run([go, "env", "GOROOT"], capture_output=True, text=True, check=False).stdout.strip()
    version = Path(root, "VERSION")
    if not root or not version.is_file() or version.read_text(encoding="utf-8").split()[0] != GO_VERSION:
        return None
    return Path(root)


@cache
def go_source(root: Path, path: str) -> str | None:
    source = root / "src" / path
    return source.read_text(encoding="utf-8") if source.is_file() else None


def declares(source: str, symbol: str) -> bool:
    """Whether Go source declares symbol: a func, method, type, var, const or field; in assembly, a TEXT."""
    name = re.escape(symbol)
    return bool(
        re.search(
            rf"^(?:func (?:\([^)]*\) )?|type |var |const |TEXT .*·){name}\b"
            rf"|^\t+(?:\w+, )*{name}(?:,| [^:=(]| = |$)",
            source,
            re.MULTILINE,
        )
    )


def go_references(text: str) -> Iterator[tuple[int, str, str, str]]:
    """(line, file, line number in Go if one is given, symbols) of `Go: runtime/proc.go ready, goready (go1.27).`"""
    for number, line in enumerate(text.split("\n"), 1):
        for reference in GO_REFERENCE.findall(line):
            for part in re.sub(r"\([^)]*\d[^)]*\)", "", reference).split(";"):
                match = GO_FILE.match(part.strip())
                if match and not match[1].startswith("golang.org/"):
                    yield number, match[1], match[2] or "", match[3]


def check_go_references(module: Module, root: Path | None, report: Report) -> None:
    """A reference by symbol survives a new version of Go; one by line number does not."""
    for number, path, go_line, rest in go_references(module.text):
        symbols = GO_SYMBOLS.match(rest)
        if go_line or not symbols:
            report(module.rel, number, "goref", f"{path}: name a symbol, not a line and not the file alone")
            continue
        if root is None:
            continue
        source = go_source(root, path)
        if source is None:
            report(module.rel, number, "goref", f"Go has no file {path}")
            continue
        for symbol in re.split(r", | and ", symbols[0].rstrip(".,")):
            if not declares(source, symbol.rpartition(".")[2].strip("()*")):
                report(module.rel, number, "goref", f"{path} declares no {symbol}")


# ---- rules about every text of the repository ----


def texts(root: Path) -> Iterator[Path]:
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if name not in SKIPPED_FOLDERS and not name.startswith("."))
        yield from (Path(folder, name) for name in sorted(files) if Path(name).suffix in TEXT_SUFFIXES)
    yield from (root / name for name in TEXT_FILES if (root / name).is_file())


def check_text(rel: str, text: str, report: Report) -> None:
    for number, line in enumerate(text.split("\n"), 1):
        if ABSOLUTE_PATH.search(line) and not (number == 1 and line.startswith("#!")):
            report(rel, number, "path", "an absolute path")
        if TODO.search(line) and not rel.endswith(".md"):
            report(rel, number, "todo", "a TODO names its issue, as in TODO(#12); a FIXME is never left behind")


def tidy(package: Path, goroot: Path | None = None) -> list[str]:
    """All findings for one package and the texts beside it, sorted."""
    findings: set[tuple[str, int, str, str]] = set()
    prefix = f"{package.name}/"

    def report(rel: str, line: int, rule: str, message: str) -> None:
        findings.add((prefix + rel, line, rule, message))

    modules = load(package)
    graph: dict[str, set[str]] = {}
    for module in modules:
        for check in (check_header, check_length, check_ambient, check_order):
            check(module, report)
        check_imports(module, {each.name for each in modules}, graph, report)
        check_go_references(module, goroot, report)
    check_stale_allowances(modules, report)
    where = {module.name: module.rel for module in modules}
    for group in cycles(graph):
        report(where[group[0]], 1, "cycle", f"{len(group)} modules import one another: {', '.join(group)}")

    prefix = ""
    for path in texts(package.parent):
        rel = path.relative_to(package.parent).as_posix()
        if not rel.startswith(OWN_FOLDER):
            check_text(rel, path.read_text(encoding="utf-8", errors="replace"), report)
    return [f"{rel}:{line}: {rule}: {message}" for rel, line, rule, message in sorted(findings)]


def main(arguments: list[str]) -> int:
    package = Path(arguments[0]).resolve() if arguments else ROOT / "goruntime"
    if not package.is_dir():
        print(f"tidy: {package} is not a directory", file=sys.stderr)
        return 2
    found = tidy(package, go_root())
    for line in found:
        print(line)
    go = "checked" if go_root() else f"not checked: no source of {GO_VERSION}"
    print(f"tidy: {len(found)} findings; references to Go's source: {go}")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
