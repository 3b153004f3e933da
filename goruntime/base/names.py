"""The names of functions, as dumps and events show them."""

from __future__ import annotations

from typing import Any


def function_name(fn: Any) -> str:
    """A function's name as dumps show it: module.qualname, `__main__` as main, without `<locals>`."""
    target = fn
    while hasattr(target, "func") and not hasattr(target, "__qualname__"):
        target = target.func  # functools.partial
    qualname = getattr(target, "__qualname__", None) or type(target).__qualname__
    module = getattr(target, "__module__", None) or ""
    return qualified(module, qualname)


def qualified(module: str, qualname: str) -> str:
    """module.qualname, in the form of dumps."""
    module = "main" if module == "__main__" else module
    name = qualname.replace(".<locals>", "")
    return f"{module}.{name}" if module else name
