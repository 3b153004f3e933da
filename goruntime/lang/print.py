"""Go's builtin print, and how a panic value is printed.

Go: runtime/print.go printfloat64, printcomplex128; runtime/error.go printpanicval.
"""

from __future__ import annotations

import math
from typing import Any

SHORTEST_PRECISION = 6  # strconv's %g: decimal exponents from here on are written as one
BASIC = {bool: "bool", int: "int", float: "float64", complex: "complex128", str: "string", bytes: "[]uint8"}


def go_float(value: float) -> str:
    """A float as the builtin print shows it.

    Go: runtime/print.go printfloat64. Since Go 1.26 this is the shortest form that reads back the same.
    """
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    digits, _, exponent_text = f"{value!r}".partition("e")
    if exponent_text:
        exponent = int(exponent_text)
    else:
        exponent = 0
    mantissa = digits.replace("-", "")
    whole, _, fraction = mantissa.partition(".")
    if fraction == "0":
        fraction = ""
    number = (whole + fraction).lstrip("0") or "0"
    # The decimal exponent of the first digit.
    if number == "0":
        return ("-" if math.copysign(1, value) < 0 else "") + "0"
    point = len(whole) if whole.strip("0") else -(len(fraction) - len(fraction.lstrip("0")))
    decimal = exponent + point - 1
    number = number.rstrip("0") or "0"
    sign = "-" if value < 0 else ""
    if decimal < -4 or decimal >= SHORTEST_PRECISION:
        tail = "." + number[1:] if len(number) > 1 else ""
        return f"{sign}{number[0]}{tail}e{'-' if decimal < 0 else '+'}{abs(decimal):02d}"
    if decimal < 0:
        return f"{sign}0.{'0' * (-decimal - 1)}{number}"
    if len(number) <= decimal + 1:
        return sign + number + "0" * (decimal + 1 - len(number))
    return f"{sign}{number[: decimal + 1]}.{number[decimal + 1 :]}"


def go_complex(value: complex) -> str:
    """A complex number as the builtin print shows it."""
    real, imag = go_float(value.real), go_float(value.imag)
    return f"({real}{'' if imag[0] in '+-' else '+'}{imag}i)"


def basic_text(value: Any) -> str | None:
    """A value of a basic type (or of a type derived from one) as the builtin print shows it; None for others."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return int.__repr__(value)
    if isinstance(value, float):
        return go_float(float(value))
    if isinstance(value, complex):
        return go_complex(complex(value))
    if isinstance(value, str):
        return str.__str__(value)
    return None


def print_text(value: Any) -> str:
    """One argument of the builtin print: basic types as Go shows them, nil, and an address for the rest."""
    if value is None:
        return "0x0"
    text = basic_text(value)
    return address_text(value) if text is None else text


def indented(text: str) -> str:
    """Go: runtime/error.go printindented."""
    return text.replace("\n", "\n\t")


def type_name(value: Any) -> str:
    """The type of a value, in Go's spelling."""
    if value is None:
        return "nil"
    kind = type(value)
    if kind in BASIC:
        return BASIC[kind]
    if kind in (list, tuple, set, frozenset):
        names = sorted({type_name(item) for item in value})
        return "[]" + (names[0] if len(names) == 1 else "interface {}")
    if kind is dict:
        keys = sorted({type_name(item) for item in value})
        values = sorted({type_name(item) for item in value.values()})
        key = keys[0] if len(keys) == 1 else "interface {}"
        return f"map[{key}]" + (values[0] if len(values) == 1 else "interface {}")
    name = getattr(kind, "_go_name", None)
    if isinstance(name, str):
        return name  # a pointer to an object of the emulated heap
    module = "main" if kind.__module__ == "__main__" else kind.__module__
    return f"{module}.{kind.__qualname__.replace('<locals>.', '')}"


def address_text(value: Any) -> str:
    """A stand-in for an address, the same in every run: Python objects have none that is."""
    address = getattr(value, "__go_address__", None)
    return hex(address() if address is not None else 0xC000012340)


def says_itself(value: Any) -> bool:
    """The value has a text of its own: an error, or a Stringer (its class defines `__str__`, `error` or `string`)."""
    kind = type(value)
    if isinstance(value, BaseException) or hasattr(kind, "error") or hasattr(kind, "string"):
        return True
    owner = next((base for base in kind.__mro__ if "__str__" in base.__dict__), object)
    return owner not in (object, int, float, complex, str, bool, list, dict, tuple, set, frozenset, bytes)


def own_text(value: Any) -> str:
    """The value's own text; may raise whatever the user's method raises."""
    kind = type(value)
    if hasattr(kind, "error"):
        return str(value.error())
    if hasattr(kind, "string"):
        return str(value.string())
    return str(value)


def exception_text(error: BaseException) -> str:
    """A Python exception as a panic shows it: `ValueError: text`. One with a method `error` is Go's: its text alone."""
    kind = type(error)
    if hasattr(kind, "error"):
        return own_text(error)
    name = kind.__qualname__.replace("<locals>.", "")
    if kind.__module__ not in ("builtins", "__main__"):
        name = f"{kind.__module__}.{name}"
    text = str(error)
    return f"{name}: {text}" if text else name


def panic_value_text(value: Any) -> str:
    """What follows `panic: `. A value's own text must have been taken before (`own_text`).

    Go: runtime/error.go printpanicval, printanycustomtype.
    """
    if value is None:
        return "nil"
    text = basic_text(value)
    if text is None:
        return f"({type_name(value)}) {address_text(value)}"
    kind = type(value)
    if kind in BASIC:
        return indented(text)
    if isinstance(value, str):
        return f'{type_name(value)}("{indented(text)}")'
    return f"{type_name(value)}{text}" if isinstance(value, complex) else f"{type_name(value)}({text})"
