"""heap.pallocbits: the tables of Go's own tests of a chunk's bits, and each trick against its plain form.

Go: runtime/mpallocbits_test.go TestPallocBitsAllocRange, TestMallocBitsPopcntRange, TestPallocBitsSummarize,
TestPallocBitsAlloc, TestPallocBitsFree, TestFindBitRange64, runtime/mgcscavenge_test.go TestFillAligned,
TestPallocDataFindScavengeCandidate.
"""

import random

import pytest

from goruntime.base.errors import Throw
from goruntime.heap.pallocbits import (
    ALL,
    ALL64,
    NOT_FOUND,
    PAGES_PER_HUGE_PAGE,
    PallocData,
    fill_aligned,
    find_bit_range,
    longest_run,
    pack_sum,
    trailing_zeros,
    unpack_sum,
)

from .pages import FULL, N, bits_of, data_of

# Ranges.


@pytest.mark.parametrize(
    ("i", "n", "words"),
    [
        (0, 1, {0: 1}),
        (N - 1, 1, {7: 1 << 63}),
        (129, 5, {2: 0x3E}),
        (128, 128, {2: ALL64, 3: ALL64}),
        (0, 321, {**dict.fromkeys(range(5), ALL64), 5: 1}),
        (N - 193, 193, {7: ALL64, 6: ALL64, 5: ALL64, 4: 1 << 63}),
        (0, N, dict.fromkeys(range(8), ALL64)),
    ],
)
def test_taking_a_range(i, n, words):
    data = data_of([(i, n)])
    assert [data.pages64(64 * k) for k in range(8)] == [words.get(k, 0) for k in range(8)]


SCATTERED = [
    (1, 3), (5, 1), (7, 1), (10, 2), (13, 1), (15, 4), (21, 1), (23, 1), (26, 2), (30, 5), (36, 2), (40, 3), (44, 6),
    (51, 1), (53, 2), (58, 3), (63, 1), (67, 2), (71, 10), (84, 1), (89, 7), (99, 2), (103, 1), (107, 2), (111, 1),
    (113, 1), (115, 1), (118, 1), (120, 2), (125, 5),
]  # fmt: skip
# set bits -> [(first, count, how many of them are set)]
COUNTS = [
    ([], [(0, 1, 0), (5, 3, 0), (2, 11, 0), (N // 4 + 1, N // 2, 0), (0, N, 0)]),
    (FULL, [(0, 1, 1), (5, 3, 3), (2, 11, 11), (N // 4 + 1, N // 2, N // 2), (0, N, N)]),
    (
        [(N // 2, N // 2)],
        [(0, 1, 0), (5, 3, 0), (2, 11, 0), (N // 2 - 1, 1, 0), (N // 2, 1, 1), (N // 2 + 10, 1, 1), (N // 2 - 1, 2, 1),
         (N // 4, N // 4, 0), (N // 4, N // 4 + 1, 1), (N // 4 + 1, N // 2, N // 4 + 1), (0, N, N // 2)],
    ),
    (
        [(0, 111)],
        [(0, 1, 1), (5, 3, 3), (2, 11, 11), (110, 2, 1), (99, 50, 12), (110, 1, 1), (111, 1, 0), (99, 1, 1),
         (120, 1, 0), (N // 2, N // 2, 0), (0, N, 111)],
    ),
    (SCATTERED, [(0, 11, 6), (0, 64, 39), (13, 64, 40), (64, 64, 34), (0, 128, 73), (1, 128, 74), (0, N, 75)]),
]  # fmt: skip


@pytest.mark.parametrize(("bits", "counts"), COUNTS)
def test_counting_in_a_range(bits, counts):
    data = data_of([], bits)
    for i, n, count in counts:
        assert data.scavenged_count(i, n) == count


# Summaries. free bits -> (at the start, most, at the end)
SUMMARIES = [
    ([], (0, 0, 0)),
    ([(0, 10)], (10, 10, 0)),
    ([(N - 40, 40)], (0, 40, 40)),
    ([(0, 11), (N - 23, 23)], (11, 23, 23)),
    ([(0, 4), (50, 100), (N - 4, 4)], (4, 100, 4)),
    ([(1, 20), (35, 241), (N - 50, 30)], (0, 241, 0)),
    ([(35, 2), (40, 5), (100, 5)], (0, 5, 0)),
    ([(2, 1)], (0, 1, 0)),
    (FULL, (N, N, N)),
]


def with_free(free):
    data = PallocData()
    data.bits = ALL & ~free
    return data


@pytest.mark.parametrize(("free", "summary"), SUMMARIES)
def test_summaries(free, summary):
    assert with_free(bits_of(free)).summarize() == pack_sum(*summary)


PATTERNS = [
    0, ALL64, 0xAA, 0xAAAAAAAAAAAAAAAA, 0x80000000AAAAAAAA, 0xAAAAAAAA00000001, 0xBBBBBBBBBBBBBBBB,
    0x80000000BBBBBBBB, 0xBBBBBBBB00000001, 0xCCCCCCCCCCCCCCCC, 0x4444444444444444, 0x4040404040404040,
    0x4000400040004000, 0x1000404044CCAAFF,
]  # fmt: skip


def plain_summary(bits):
    runs = f"{~bits & ALL:0{N}b}"[::-1].split("0")
    return len(runs[0]), max(map(len, runs)), len(runs[-1])


def random_bits(draw):
    """From dense to sparse, so that long runs of either come up."""
    bits = draw.getrandbits(N)
    for _ in range(draw.randrange(6)):
        bits = bits & draw.getrandbits(N) if draw.random() < 0.5 else bits | draw.getrandbits(N)
    return bits


def test_summaries_against_the_plain_form():
    draw = random.Random(4)
    patterns = [sum(pattern << 64 * k for k in range(8)) for pattern in PATTERNS]
    for bits in (*patterns, *(random_bits(draw) for _ in range(1000))):
        assert unpack_sum(with_free(ALL & ~bits).summarize()) == plain_summary(bits)


# Searching: name -> (taken before, pages, where each next one is found, taken after)
FIND = {
    "all free, 1": ([], 1, [0, 1, 2, 3, 4, 5], [(0, 6)]),
    "all free, 2": ([], 2, [0, 2, 4, 6, 8, 10], [(0, 12)]),
    "all free, 5": ([], 5, [0, 5, 10, 15, 20], [(0, 25)]),
    "none free, 1": (FULL, 1, [NOT_FOUND] * 2, FULL),
    "none free, 2": (FULL, 2, [NOT_FOUND] * 2, FULL),
    "none free, 5": (FULL, 5, [NOT_FOUND] * 2, FULL),
    "none free, 65": (FULL, 65, [NOT_FOUND] * 2, FULL),
    "fits, 1": ([(0, N // 2 - 3), (N // 2 - 2, N // 2 + 2)], 1, [N // 2 - 3, NOT_FOUND], FULL),
    "fits, 2": ([(0, N // 2 - 3), (N // 2 - 1, N // 2 + 1)], 2, [N // 2 - 3, NOT_FOUND], FULL),
    "fits, 5": ([(0, N // 2 - 3), (N // 2 + 2, N // 2 - 2)], 5, [N // 2 - 3, NOT_FOUND], FULL),
    "all free, 64": ([], 64, [0, 64, 128], [(0, 192)]),
    "all free, 65": ([], 65, [0, 65, 130], [(0, 195)]),
    "some free, 64": (
        [(0, 32), (64, 32), (100, N - 100)], 64, [NOT_FOUND], [(0, 32), (64, 32), (100, N - 100)],
    ),
    "fits, 65": ([(0, N // 2 - 31), (N // 2 + 34, N // 2 - 34)], 65, [N // 2 - 31, NOT_FOUND], FULL),
    "some free, 161": ([(0, 185), (331, 1)], 161, [332], [(0, 185), (331, 162)]),
}  # fmt: skip


@pytest.mark.parametrize("name", FIND)
def test_finding(name):
    before, npages, hits, after = FIND[name]
    data = data_of(before)
    for hit in hits:
        found = data.find(npages, 0)[0]
        assert found == hit
        if hit != NOT_FOUND:
            data.alloc_range(found, npages)
    assert data.bits == bits_of(after)
    data.check()


def words_find(bits, npages, search_idx):
    """Go's findSmallN and findLargeN: one word after the other, a run carried over from one to the next."""
    start, size, lowest = NOT_FOUND, 0, NOT_FOUND
    for i in range(search_idx // 64 * 64, N):
        if bits >> i & 1:
            size = 0
            continue
        lowest = i if lowest == NOT_FOUND else lowest
        start = i if not size else start
        size += 1
        if size >= npages:
            return start, lowest
    return NOT_FOUND, lowest


def test_finding_against_the_plain_form():
    draw = random.Random(5)
    for _ in range(600):
        data = PallocData()
        data.bits = random_bits(draw)
        npages, search_idx = draw.choice([1, 2, 3, 5, 16, 64, 65, 100, 300, N]), draw.randrange(N)
        found, lowest = data.find(npages, search_idx)
        wanted = words_find(data.bits, npages, search_idx)
        assert found == wanted[0]
        if found != NOT_FOUND:
            assert lowest == wanted[1]


@pytest.mark.parametrize(
    ("before", "npages", "frees", "after"),
    [
        ([], 1, [0, 1, 2, 3, 4, 5], [(0, 6)]),
        ([], 2, [0, 2, 4, 6, 8, 10], [(0, 12)]),
        ([], 5, [0, 5, 10, 15, 20], [(0, 25)]),
        ([(0, 32), (64, 32), (100, 1)], 1, [32], [(0, 33), (64, 32), (100, 1)]),
        ([], 64, [0, 64, 128], [(0, 192)]),
        ([], 65, [0, 65, 130], [(0, 195)]),
    ],
)
def test_freeing(before, npages, frees, after):
    data = with_free(bits_of(before))
    for i in frees:
        data.free(i, npages)
    assert data.bits == ALL & ~bits_of(after)


@pytest.mark.parametrize(
    ("ones", "length", "found"),
    [
        *((ALL64, n, 0) for n in range(1, 65)),
        *((0, n, NOT_FOUND) for n in range(1, 65)),
        (0x8000000000000000, 1, 63),
        (0xC000010001010000, 2, 62),
        (0xC000010001030000, 2, 16),
        (0xE000030001030000, 3, 61),
        (0xE000030001070000, 3, 16),
        (0xFFFF03FF01070000, 16, 48),
        (0xFFFF03FF0107FFFF, 16, 0),
        (0x0FFF03FF01079FFF, 16, NOT_FOUND),
    ],
)
def test_finding_a_run_of_ones(ones, length, found):
    assert find_bit_range(ones, length) == found


def test_the_longest_run_against_the_plain_form():
    draw = random.Random(6)
    for ones in (0, 1, ALL, *(random_bits(draw) for _ in range(500))):
        assert longest_run(ones) == max(map(len, f"{ones:b}".split("0")))
    assert [trailing_zeros(bits, 64) for bits in (0, 1, 8)] == [64, 0, 3]


# Groups.

FILLED = [
    0, 0xFFFFFFFF, 0xFFFFFFFF00000000, 0x8000000000000001, 0xF00000000000000F, 0xF00000010050000F, ALL64, 1, 2, 8,
    0xB02B9EFFCF137016, 0x3975A076A9FBFF18, 0x0F8C88EC3B81506E, 0x60F14D80EF2FA0E6, 0x0100A3,
]  # fmt: skip


def plain_fill(bits, m):
    group = (1 << m) - 1
    return sum(group << i for i in range(0, 64, m) if bits >> i & group)


@pytest.mark.parametrize("m", [1, 2, 4, 8, 16, 32, 64])
def test_filling_groups(m):
    draw = random.Random(m)
    cases = [*FILLED, 1 << m - 1, (1 << m) & ALL64, *(draw.getrandbits(64) for _ in range(200))]
    for _ in range(200):
        cases.append(sum(draw.getrandbits(m) << i for i in range(0, 64, m) if draw.random() < 0.5))
    for bits in cases:
        assert fill_aligned(bits, m) == plain_fill(bits, m)
    assert fill_aligned(0x0100A3, 8) == 0xFF00FF


def test_groups_of_other_sizes():
    with pytest.raises(Throw, match="bad m value"):
        fill_aligned(1, 3)


# What to give back: (taken, scavenged, minimum, maximum, (first, count))


def candidates():
    yield [(0, 40), (42, N - 42)], [(0, 41), (42, N - 42)], 1, N, (41, 1)
    yield [(0, 63), (65, 20), (87, N - 87)], [(86, 1)], 1, N, (85, 1)
    for m in (1, 2, 4, 8, 16, 32, 64):
        yield [], [], m, N, (0, N)
        yield [], FULL, m, N, (0, 0)
        yield FULL, [(N // 2, N // 2)], m, N, (0, 0)
        yield [(m, N - m)], [], m, N, (0, m)
        yield [(0, N - m)], [], m, N, (N - m, m)
        yield [(0, 64 - m), (64 + m, N - (64 + m))], [], m, 2 * m, (64 - m, 2 * m)
        yield [(64, 64), (128 + 3 * m, N - (128 + 3 * m))], [(1, 10)], m, 3 * m, (128, 3 * m)
        yield [(64, 62), (127, 1), (128 + 3 * m, N - (128 + 3 * m))], [(1, 10)], m, 3 * m, (128, 3 * m)
        yield [], [(0, N - m)], m, 0, (N - m, m)
        if m <= 8:
            yield [(0, 40), (40 + m, N - (40 + m))], [], m, N, (40, m)
            yield [(0, 40), (40 + m, N - (40 + m))], [(40, 1)], m, N, (0, 0)
        if m > 1:
            yield [], [(0, N - (2 * m - 1))], m, m - 2, (N - m, m)
            yield [(0, 64 - m), (64, 5), (70, 11), (82, N - 82)], [], m, m, (64 - m, m)
            yield [(0, 64 - m), (64, 63), (127 + m, N - (127 + m))], [], m, m, (64 - m, m)
            yield [], [(0, N - m)], m, 1, (N - m, m)
    # A huge page that is free as a whole is not broken up.
    huge = PAGES_PER_HUGE_PAGE
    yield [(huge + 2, N - (huge + 2))], [], 1, 3, (0, huge + 2)
    yield [(0, N - huge)], [], 1, 1, (N - huge, huge)


@pytest.mark.parametrize(("taken", "scavenged", "minimum", "maximum", "wanted"), list(candidates()))
def test_finding_what_to_give_back(taken, scavenged, minimum, maximum, wanted):
    data = PallocData()
    data.bits, data.scavenged = bits_of(taken), bits_of(scavenged)
    first, count = data.find_scavenge_candidate(N - 1, minimum, maximum)
    assert (first if count else 0, count) == wanted


def test_bad_minimums():
    for minimum in (0, 3, -4):
        with pytest.raises(Throw, match="non-zero power of 2"):
            PallocData().find_scavenge_candidate(0, minimum, 1)
    with pytest.raises(Throw, match="too large"):
        PallocData().find_scavenge_candidate(0, 128, 1)


def test_check_finds_bits_beyond_the_chunk():
    data = PallocData()
    data.bits = ALL + 1
    with pytest.raises(Throw, match="beyond the chunk"):
        data.check()
