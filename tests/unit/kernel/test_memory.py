"""kernel.memory: address space, its states, what is resident, and what the kernel refuses."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goruntime.base.errors import Throw
from goruntime.kernel.memory import ADDRESS_LIMIT, BLOCK_SHIFT, MMAP_TOP, PHYS_PAGE_SIZE, Memory

PAGE = PHYS_PAGE_SIZE
HEAP = 0xC000000000
MIB = 1 << 20


def ready(size=64 * MIB, hint=HEAP):
    """Memory with a region that is ready to use."""
    memory = Memory()
    assert memory.reserve(hint, size) == hint
    assert memory.map(hint, size)
    assert memory.used(hint, size) == size
    memory.check()
    return memory


def test_a_region_goes_through_all_states():
    memory = Memory()
    assert memory.reserve(HEAP, 64 * MIB) == HEAP
    assert (memory.vm_size, memory.ready_bytes, memory.rss) == (64 * MIB, 0, 0)
    assert memory.map(HEAP, 4 * MIB)
    assert (memory.vm_size, memory.ready_bytes, memory.rss) == (64 * MIB, 0, 0)
    assert memory.used(HEAP, 2 * PAGE) == 2 * PAGE
    assert (memory.ready_bytes, memory.rss) == (2 * PAGE, 0)
    memory.touch(HEAP + 100, 1)
    assert memory.rss == PAGE
    memory.check()
    memory.unused(HEAP, 2 * PAGE)
    assert (memory.vm_size, memory.ready_bytes, memory.rss) == (64 * MIB, 0, 0)
    memory.free(HEAP, 64 * MIB)
    assert (memory.vm_size, memory.regions, memory.prepared) == (0, [], [])
    memory.check()


def test_only_pages_that_are_touched_are_resident():
    memory = ready()
    memory.touch(HEAP + PAGE - 1, 2)  # across a boundary
    assert memory.rss == 2 * PAGE
    memory.touch(HEAP, 2 * PAGE)
    assert memory.rss == 2 * PAGE
    edge = HEAP + (1 << BLOCK_SHIFT) - PAGE
    memory.touch(edge, 2 * PAGE)
    assert memory.rss == 4 * PAGE
    assert memory.resident_bytes(edge, 2 * PAGE) == 2 * PAGE
    memory.touch(HEAP, 0)
    memory.check()


def test_what_is_given_back_leaves_at_once_and_comes_back_when_touched():
    memory = ready()
    memory.touch(HEAP, 10 * PAGE)
    memory.unused(HEAP + 2 * PAGE, 3 * PAGE)
    assert memory.rss == 7 * PAGE
    # Only what was given back is new, though all is asked for.
    assert memory.used(HEAP, 10 * PAGE) == 3 * PAGE
    assert memory.rss == 7 * PAGE
    memory.touch(HEAP, 10 * PAGE)
    assert memory.rss == 10 * PAGE
    memory.check()


def test_an_untouched_gigabyte_takes_nothing():
    memory = Memory()
    base = memory.alloc(1 << 30)
    assert memory.vm_size == memory.ready_bytes == 1 << 30
    assert memory.rss == 0
    assert memory.is_ready(base, 1 << 30)
    assert not memory.is_ready(base - PAGE, 2 * PAGE)
    memory.free(base, 1 << 30)
    assert memory.ready == {}


def test_the_kernel_places_what_nobody_placed_from_the_top_down():
    memory = Memory()
    first, second, third = (memory.reserve(0, size) for size in (PAGE, 3 * PAGE, 1))
    assert (first, second, third) == (MMAP_TOP - PAGE, MMAP_TOP - 4 * PAGE, MMAP_TOP - 5 * PAGE)
    memory.free(second, 3 * PAGE)
    assert memory.reserve(0, 4 * PAGE) == MMAP_TOP - 9 * PAGE  # does not fit between
    assert memory.reserve(0, 2 * PAGE) == MMAP_TOP - 3 * PAGE  # does
    memory.check()


def test_several_regions_side_by_side():
    memory = Memory()
    base = memory.alloc(PAGE + 1, count=3)
    assert memory.vm_size == 6 * PAGE
    assert memory.is_ready(base, 6 * PAGE)


def test_a_hint_that_is_taken_or_no_address_is_not_followed():
    memory = ready()
    assert memory.reserve(HEAP + MIB, MIB) == MMAP_TOP - MIB
    assert memory.reserve(ADDRESS_LIMIT - PAGE, 2 * PAGE) < MMAP_TOP
    assert memory.reserve(HEAP + 64 * MIB + 1, PAGE) < MMAP_TOP
    assert memory.reserve(HEAP + 64 * MIB, MIB) == HEAP + 64 * MIB
    memory.check()


def test_the_bound_of_the_address_space():
    memory = Memory(limit_bytes=MIB)
    base = memory.reserve(0, MIB)
    assert base
    assert memory.reserve(0, 1) == memory.alloc(1) == 0
    memory.free(base, MIB)
    assert memory.reserve(HEAP, MIB) == HEAP


def test_nothing_fits_beyond_47_bits():
    memory = Memory()
    assert memory.reserve(0, 1 << 47) == 0
    assert memory.reserve(HEAP, 1 << 46) == HEAP


def test_more_than_the_machine_has_is_not_mapped():
    memory = Memory(machine_bytes=MIB)
    assert memory.alloc(2 * MIB) == 0
    memory.reserve(HEAP, 64 * MIB)
    assert not memory.map(HEAP, 2 * MIB)
    assert memory.map(HEAP, MIB)
    assert memory.map(HEAP + MIB, MIB)  # each is small enough: Linux promises more than it has
    memory.check()


@pytest.mark.parametrize(
    ("operate", "text"),
    [
        (lambda m: m.reserve(0, 0), "nothing to reserve"),
        (lambda m: m.map(HEAP + 64 * MIB, PAGE), "maps what is not reserved"),
        (lambda m: m.map(HEAP, PAGE), "maps what is mapped"),
        (lambda m: m.used(HEAP + 64 * MIB, PAGE), "uses what is not mapped"),
        (lambda m: m.unused(HEAP + 64 * MIB, PAGE), "gives back what is not in use"),
        (lambda m: m.used(HEAP + 1, PAGE), "not whole pages"),
        (lambda m: m.unused(HEAP, 1), "not whole pages"),
        (lambda m: m.map(HEAP, 0), "not whole pages"),
        (lambda m: m.touch(HEAP + 64 * MIB - 1, 2), "touches what is not in use"),
        (lambda m: m.free(HEAP, PAGE), "frees what is not a region"),
    ],
)
def test_a_wrong_transition_throws(operate, text):
    with pytest.raises(Throw, match=text):
        operate(ready())


def test_giving_back_twice_throws():
    memory = ready()
    memory.unused(HEAP, PAGE)
    with pytest.raises(Throw, match="gives back what is not in use"):
        memory.unused(HEAP, PAGE)


@pytest.mark.parametrize(
    ("spoil", "text"),
    [
        (lambda m: m.regions.append((HEAP, HEAP + PAGE)), "ranges overlap"),
        (lambda m: setattr(m, "vm_size", 1), "vm_size"),
        (lambda m: m.prepared.append((HEAP + 65 * MIB, HEAP + 66 * MIB)), "mapped but not reserved"),
        (lambda m: m.ready.update({1: 1}), "ready but not mapped"),
        (lambda m: m.touched.update({1: 1}), "resident but not ready"),
        (lambda m: setattr(m, "rss_pages", 1), "rss is not"),
    ],
)
def test_check_finds_what_is_broken(spoil, text):
    memory = ready()
    spoil(memory)
    with pytest.raises(Throw, match=text):
        memory.check()


REGION = 3 << BLOCK_SHIFT - 1  # a block and a half
PAGES = REGION // PAGE
steps = st.lists(
    st.tuples(
        st.sampled_from(["used", "touch", "unused"]),
        st.sampled_from([0, 1, 5, 1020, 1023, 1024, 1030, 1500]),
        st.sampled_from([1, 2, 3, 10, 36]),
    ),
    max_size=20,
)


@given(steps)
@settings(max_examples=100, deadline=None)
def test_any_sequence_against_sets_of_pages(sequence):
    memory = Memory()
    memory.reserve(HEAP, REGION)
    memory.map(HEAP, REGION)
    is_ready: set[int] = set()
    is_touched: set[int] = set()
    for what, first, count in sequence:
        pages = set(range(first, first + count))
        base, size = HEAP + first * PAGE, count * PAGE
        if what == "used":
            assert memory.used(base, size) == len(pages - is_ready) * PAGE
            is_ready |= pages
        elif not pages <= is_ready:
            continue
        elif what == "touch":
            memory.touch(base + 1, size - 1)
            is_touched |= pages
        else:
            memory.unused(base, size)
            is_ready -= pages
            is_touched -= pages
        assert memory.rss == len(is_touched) * PAGE
        assert memory.ready_bytes == len(is_ready) * PAGE
        memory.check()
