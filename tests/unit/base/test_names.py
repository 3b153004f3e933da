"""base.names: functions as dumps show them."""

import functools

from goruntime.base.names import function_name, qualified


def outer():
    def inner():
        return None

    return inner


class Thing:
    def method(self):
        return None

    def __call__(self):
        return None


def test_names_have_module_and_no_locals():
    module = __name__
    assert function_name(outer) == f"{module}.outer"
    assert function_name(outer()) == f"{module}.outer.inner"
    assert function_name(Thing().method) == f"{module}.Thing.method"
    assert function_name(lambda: 0).endswith(".<lambda>")
    assert function_name(len) == "builtins.len"


def test_partials_and_callables_are_named_after_what_they_call():
    assert function_name(functools.partial(functools.partial(outer, 1), 2)) == f"{__name__}.outer"
    assert function_name(Thing()) == f"{__name__}.Thing"


def test_main_is_main():
    assert qualified("__main__", "main.<locals>.f") == "main.main.f"
    assert qualified("", "f") == "f"
