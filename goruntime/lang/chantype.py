"""`chan[T]` as a type: of a field, an element, a variable.

A channel is one pointer, to what makechan has made; the channel object is what that word leads to. nil is `nilchan`. A
channel without an address, made outside the run, is kept as it is.

Go: internal/abi/type.go ChanType.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..heap.layout import POINTER
from . import types
from .any import Immediate
from .chan import _ChanOf, chan, nilchan
from .types import EXPRESSIONS, FORM_DECODE, PYTHON_TYPES, Scope, Type, derive, go_type, running_mem


class ChanType(Type):
    """`chan T`.

    Go: internal/abi/type.go ChanType.
    """

    __slots__ = ("elem",)

    kind = types.CHAN
    form = FORM_DECODE
    is_pointer = True
    zero = 0

    def __init__(self, elem: Type) -> None:
        Type.__init__(self, f"chan {elem.name}", POINTER)
        self.elem = elem

    def encode(self, value: Any, what: str) -> Any:
        """The channel's word."""
        if value is nilchan or value is None:
            return 0
        if not isinstance(value, chan) or go_type(value.dtype) is not self.elem:
            raise self.refuse(value, what)
        word = getattr(value, "go_addr", 0)
        mem = running_mem()
        return word if word and mem is not None and mem.get(word) is value else Immediate(value)

    def decode(self, mem: Any, raw: Any) -> Any:
        """The channel."""
        if type(raw) is Immediate:
            return raw.value
        return mem[raw] if raw else nilchan

    def pointers(self, cells: Any, offset: int) -> Iterable[int]:
        """The word, if there is one."""
        raw = cells[offset]
        return (raw if type(raw) is int else 0,)

    def show(self, mem: Any, cells: Any, offset: int) -> str:
        """Its address."""
        raw = cells[offset]
        if type(raw) is Immediate:
            return repr(raw.value)
        return f"{raw:#x}" if raw else "<nil>"


def chan_of(elem: Type) -> Type:
    """`chan elem`."""
    return derive(elem, "chan", lambda: ChanType(elem))


def _expression(expression: Any, scope: Scope | None) -> Type:
    return chan_of(go_type(expression.dtype, scope))


EXPRESSIONS[_ChanOf] = _expression
PYTHON_TYPES[chan] = chan_of(go_type(object))
