"""The table of handles."""

from __future__ import annotations

import gc
import weakref

import pytest

from goruntime.base.errors import FatalError, Throw
from goruntime.heap.handles import Handles, freed_class

from .world import Thing


def test_nil_needs_no_test():
    assert Handles()[0] is None


def test_a_word_that_leads_nowhere_is_our_bug():
    with pytest.raises(Throw, match="found pointer to no object"):
        Handles()[0xC000000000]


def test_interior_words_go_with_the_object_around_them():
    mem = Handles()
    base, inner, other = Thing(1), Thing(2), Thing(3)
    mem[0x1000] = base
    mem.add_interior(0x1000, 0x1008 | 3 << 48, inner)
    mem.add_interior(0x2000, 0x2008 | 3 << 48, other)
    assert mem[0x1008 | 3 << 48] is inner
    mem.free_all([0x1000])
    assert list(mem) == [0, 0x2008 | 3 << 48]
    assert mem.dead == [base, inner] or len(mem.dead) == 2
    for gone in (base, inner):
        with pytest.raises(FatalError, match="use of freed object of type Thing"):
            _ = gone.value
    assert other.value == 3


def test_objects_without_a_handle_are_freed_too():
    mem = Handles()
    mem.free_all([0x1000])
    assert mem.dead == []


def test_bury_lets_go():
    mem = Handles()
    mem[0x1000] = Thing()
    ref = weakref.ref(mem[0x1000])
    mem.free_all([0x1000])
    assert ref() is not None
    mem.bury()
    assert ref() is None


def test_after_the_run_a_handle_keeps_its_fields_and_its_pointers_lead_nowhere():
    mem = Handles()
    held, dropped = Thing(5), Thing(6)
    mem[0x1000], mem[0x2000] = held, dropped
    ref = weakref.ref(dropped)
    del dropped
    mem.close()
    assert ref() is None
    assert held.value == 5
    assert mem[0] is None
    with pytest.raises(RuntimeError, match="pointer into the heap of a run that is over"):
        mem[0x1000]


def test_a_class_has_one_freed_form_and_subclasses_have_their_own():
    class Special(Thing):
        __slots__ = ()

    assert freed_class(Thing) is freed_class(Thing)
    assert freed_class(freed_class(Thing)) is freed_class(Thing)
    assert freed_class(Special) is not freed_class(Thing)


def test_an_object_of_any_layout_can_be_freed():
    class Plain:
        def __init__(self) -> None:
            self.anything = []

    mem = Handles()
    plain = mem[0x1000] = Plain()
    mem.free_all([0x1000])
    with pytest.raises(FatalError, match="type Plain"):
        plain.anything.append(1)
    mem.bury()
    del plain
    gc.collect()
