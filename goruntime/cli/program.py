"""The user's program, as the command line runs it: found, compiled, and executed as `__main__`.

It sees what it would see when Python started it: its own sys.argv, sys.path[0] and `__main__`. Rejected: runpy, which
puts `__main__` back when the code ends, and shows its own frames.
"""

from __future__ import annotations

import builtins
import importlib.util
import io
import os
import sys
from argparse import Namespace
from collections.abc import Callable
from importlib.machinery import ModuleSpec, SourceFileLoader
from types import CodeType, ModuleType
from typing import Any, NoReturn

from .. import boot
from ..base.config import make_config
from ..kernel import host


class CannotRun(Exception):
    """There is no program to run; `str()` says why, in one line, `.status` is the exit status."""

    def __init__(self, text: str, status: int = 2) -> None:
        super().__init__(text)
        self.status = status


class Program:
    """A program, compiled."""

    def __init__(
        self, code: CodeType, name: str, file: str, path: str, loader: Any, spec: ModuleSpec | None = None
    ) -> None:
        self.code = code
        self.name = name  # what stands first in sys.argv
        self.file = file  # absolute
        self.path = path  # what stands first in sys.path
        self.loader = loader
        self.spec = spec

    def execute(self, arguments: list[str]) -> None:
        """Run the file as `__main__`; if it never calls `run` but defines `main`, run that.

        Raises: whatever leaves the program.
        """
        module = ModuleType("__main__")
        module.__file__ = self.file
        module.__loader__ = self.loader
        module.__spec__ = self.spec
        module.__package__ = None if self.spec is None else self.spec.parent
        namespace = module.__dict__
        namespace["__builtins__"] = builtins
        namespace["__cached__"] = None if self.spec is None else self.spec.cached
        sys.modules["__main__"] = module
        sys.argv[:] = [self.name, *arguments]
        if not sys.flags.safe_path:
            sys.path[0] = self.path
        exec(self.code, namespace)
        main = namespace.get("main")
        if callable(main) and not boot.is_launched():
            boot.run(main)


class Taken(BaseException):
    """The program has reached its first `run`: this is what it would have run. Not for the program to catch."""

    def __init__(self, main: Callable[..., Any], args: tuple[Any, ...], options: dict[str, Any]) -> None:
        super().__init__()
        self.main = main
        self.args_of_main = args
        self.options = options


def take_main(program: Program, arguments: list[str]) -> Taken:
    """Execute a program up to its first `run`, which is not executed.

    Raises: CannotRun when it never gets there; whatever leaves the program before.
    """

    def take(main: Callable[..., Any], args: tuple[Any, ...], options: dict[str, Any]) -> None:
        raise Taken(main, args, options)

    boot.launch_next(boot.Launch({}, take=take))
    try:
        program.execute(arguments)
    except Taken as taken:
        return taken
    raise CannotRun(f"{program.name} started no run")


CONFIGURATION = ("gomaxprocs", "seed", "clock", "quantum", "max_time", "max_steps", "godebug")


def configuration(options: Namespace) -> dict[str, Any]:
    """The flags that were given, as options of `run`, checked."""
    given = {name: getattr(options, name) for name in CONFIGURATION if getattr(options, name) is not None}
    try:
        make_config(given, host.cpu_count())
    except (TypeError, ValueError) as error:
        options.parser.error(str(error))
    return given


def words_of(options: Namespace) -> list[str]:
    """What the command line says after its own flags: [PROG.py, ARGS...] or ["-m", PKG.MOD, ARGS...]."""
    if options.module is not None:
        return ["-m", *options.module]
    words: list[str] = options.program
    return words[1:] if words[:1] == ["--"] else words


def load(words: list[str], refuse: Callable[[str], NoReturn]) -> tuple[Program, list[str]]:
    """The program that such words name, and its arguments. `refuse` says what is missing.

    Raises: CannotRun, and what compiling or importing raises.
    """
    if words[:1] == ["-m"]:
        if len(words) == 1:
            refuse("argument -m: a module is missing")
        return load_module(words[1]), words[2:]
    if not words:
        refuse("a program is missing: PROG.py, or -m PKG.MOD")
    return load_file(words[0]), words[1:]


def load_file(path: str) -> Program:
    """The program in a file.

    Raises: CannotRun when it cannot be read; SyntaxError when it does not compile.
    """
    try:
        with io.open_code(os.path.abspath(path)) as file:
            source = file.read()
    except IsADirectoryError:
        raise CannotRun(f"cannot run {path!r}: it is a directory") from None
    except OSError as error:
        raise CannotRun(f"cannot run {path!r}: {error.strerror or error}") from None
    file_name = os.path.abspath(path)
    code = compiled(source, file_name)
    folder = os.path.dirname(os.path.realpath(path))
    return Program(code, path, file_name, folder, SourceFileLoader("__main__", file_name))


def compiled(source: bytes, file_name: str) -> CodeType:
    """Compile a program.

    Raises: SyntaxError, also for null bytes, of which the first versions of CPython 3.11 say ValueError.
    """
    try:
        return compile(source, file_name, "exec", dont_inherit=True)
    except ValueError as error:
        raise SyntaxError(str(error), (file_name, 0, 0, "")) from None


def load_module(name: str) -> Program:
    """The program in a module, as `python -m` finds it; of a package, its `__main__`.

    Raises: CannotRun when there is none; whatever importing the packages around it raises.
    """
    if not sys.flags.safe_path:
        sys.path[0] = os.getcwd()
    spec = found(name)
    if spec is not None and spec.submodule_search_locations is not None:
        name += ".__main__"
        spec = found(name)
    get_code = getattr(spec.loader, "get_code", None) if spec is not None else None
    if spec is None or get_code is None:
        raise CannotRun(f"no module named {name}", status=1)
    try:
        code = get_code(name)
    except SyntaxError as error:
        raise error.with_traceback(None) from None  # the importer's frames say nothing
    if code is None or spec.origin is None:
        raise CannotRun(f"no Python code in module {name}", status=1)
    file_name = os.path.abspath(spec.origin)
    return Program(code, file_name, file_name, os.getcwd(), spec.loader, spec)


def found(name: str) -> ModuleSpec | None:
    """Where a module is; None if there is no such module, or no such package around it."""
    try:
        return importlib.util.find_spec(name)
    except ModuleNotFoundError as error:
        if error.name is not None and (name == error.name or name.startswith(error.name + ".")):
            return None
        raise
    except ValueError:  # an empty name, or a module that is half imported
        return None
