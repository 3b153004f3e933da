"""heap.addrrange: the tables of Go's own tests of ranges of addresses.

Go: runtime/mranges_test.go TestAddrRangesAdd, TestAddrRangesFindSucc, runtime/mranges.go addrRange.subtract.
"""

import pytest

from goruntime.base.errors import Throw
from goruntime.heap.addrrange import EMPTY, AddrRanges, range_size, subtract


def of(*ranges):
    made = AddrRanges()
    for r in ranges:
        made.add(r)
        made.check()
    return made


def holds(made, *ranges):
    made.check()
    assert made.ranges == list(ranges)
    assert made.total_bytes == sum(limit - base for base, limit in ranges)


def test_adding_joins_what_touches():
    a = of((512, 1024))
    holds(a, (512, 1024))
    a.add((1024, 2048))  # above
    holds(a, (512, 2048))
    a.add((4096, 8192))  # alone
    holds(a, (512, 2048), (4096, 8192))
    a.add((3776, 4096))  # below
    holds(a, (512, 2048), (3776, 8192))
    a.add((2048, 3776))  # both
    holds(a, (512, 8192))
    above = [(8192 + (i + 1) * 2048, 8192 + (i + 1) * 2048 + 10) for i in range(64)]
    for i, r in enumerate(above):
        a.add(r)
        holds(a, (512, 8192), *above[: i + 1])
    below = [(8 + i * 8, 8 + i * 8 + 4) for i in range(63)]
    for i, r in enumerate(below):
        a.add(r)
        holds(a, *below[: i + 1], (512, 8192), *above)


def test_an_empty_range_cannot_be_added():
    with pytest.raises(Throw, match="zero-sized"):
        of((8, 8))


TOP = (1 << 64) - 1
LARGE = [(5 + i * 5, 5 + i * 5 + 3) for i in range(100)]
THREE = [(6, 10), (12, 16), (19, 22)]


@pytest.mark.parametrize(
    ("address", "index", "ranges"),
    [
        (12, 0, []),
        (12, 0, [(14, 16)]),
        (14, 1, [(14, 16)]),
        (16, 1, [(14, 16)]),
        (17, 1, [(14, 16)]),
        (3, 0, THREE),
        (24, 3, THREE),
        (11, 1, THREE),
        (9, 1, THREE),
        (0, 1, [(0, 10)]),
        (TOP, 1, [(TOP - 5, TOP)]),
        (2, 0, LARGE),
        (5 + len(LARGE) * 5 + 30, len(LARGE), LARGE),
        (14, 2, LARGE),
        (249, 49, LARGE),
        (25, 5, LARGE),
        (396, 79, LARGE),
        (250, 50, LARGE),
    ],
)
def test_finding_the_range_behind(address, index, ranges):
    assert of(*ranges).find_succ(address) == index


def test_what_is_in_a_range():
    a = of(*THREE)
    assert [address for address in range(25) if a.contains(address)] == [*range(6, 10), *range(12, 16), *range(19, 22)]
    assert [a.find_addr_greater_equal(address) for address in (0, 6, 9, 10, 15, 16, 21)] == [6, 6, 9, 12, 15, 19, 21]
    assert a.find_addr_greater_equal(22) is None


@pytest.mark.parametrize(
    ("a", "b", "left"),
    [
        ((10, 20), (0, 10), (10, 20)),
        ((10, 20), (20, 30), (10, 20)),
        ((10, 20), (5, 15), (15, 20)),
        ((10, 20), (15, 25), (10, 15)),
        ((10, 20), (10, 15), (15, 20)),
        ((10, 20), (15, 20), (10, 15)),
        ((10, 20), (10, 20), EMPTY),
        ((10, 20), (5, 25), EMPTY),
    ],
)
def test_subtracting(a, b, left):
    assert subtract(a, b) == left
    assert range_size(left) == left[1] - left[0]


def test_a_range_is_not_split():
    with pytest.raises(Throw, match="bad prune"):
        subtract((10, 20), (12, 15))


def test_taking_the_last_bytes_away():
    a = of(*THREE)
    assert a.remove_last(2) == (20, 22)
    holds(a, (6, 10), (12, 16), (19, 20))
    assert a.remove_last(100) == (19, 20)
    holds(a, (6, 10), (12, 16))
    assert AddrRanges().remove_last(5) == EMPTY


@pytest.mark.parametrize(
    ("address", "left"),
    [(3, []), (6, []), (8, [(6, 8)]), (11, [(6, 10)]), (12, [(6, 10)]), (14, [(6, 10), (12, 14)]), (30, THREE)],
)
def test_taking_everything_from_an_address_on_away(address, left):
    a = of(*THREE)
    a.remove_greater_equal(address)
    holds(a, *left)


def test_check_finds_what_is_wrong():
    a = of(*THREE)
    a.total_bytes += 1
    with pytest.raises(Throw, match="wrong total"):
        a.check()
    a.ranges.reverse()
    with pytest.raises(Throw, match="not sorted"):
        a.check()
