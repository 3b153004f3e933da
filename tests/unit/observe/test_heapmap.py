"""The heap as rows and cells."""

from __future__ import annotations

import pytest

from goruntime.heap.sizeclass import PAGE_SIZE
from goruntime.heap.snapshot import CACHED, FREE, LARGE, NOSCAN, RELEASED, SCAN, STACK, PageRun
from goruntime.observe.heapmap import (
    CacheRow,
    RunRow,
    areas,
    cache_rows,
    class_rows,
    pages_per_cell,
    run_rows,
    size_text,
    span_text,
    strips,
    total_row,
)

from .heapshots import BASE, CHUNK, NOTHING, at, large, shot, small, stack, typical


def test_class_rows_by_size_large_ones_and_stacks_last():
    rows = class_rows(typical())
    assert [(row.name, row.span_count, row.page_count, row.object_count, row.slot_count) for row in rows] == [
        ("48 B noscan", 2, 2, 178, 336),
        ("48 B scan", 1, 1, 165, 165),
        ("4864 B scan", 1, 3, 2, 5),
        ("large", 1, 58, 1, 1),
        ("stack", 1, 4, 0, 0),
    ]
    assert [row.percent for row in rows] == [52, 100, 40, 100, 100]
    assert [row.held_count for row in rows] == [1, 0, 1, 0, 0]


def test_every_byte_of_a_span_is_object_free_slot_or_tail():
    for row in class_rows(typical()):
        if row.kind != STACK:
            assert row.object_bytes + row.free_bytes + row.tail_bytes == row.page_count * PAGE_SIZE
    first = class_rows(typical())[0]
    # 168 slots of 48 bytes in a page of 8,192, twice: 128 bytes are left, for the mark bits.
    assert (first.object_bytes, first.free_bytes, first.tail_bytes) == (178 * 48, 158 * 48, 2 * 128)


def test_the_total_is_the_sum():
    rows = class_rows(typical())
    total = total_row(rows)
    for place in range(3, len(total)):
        assert total[place] == sum(row[place] for row in rows)
    assert total.page_count == 68


def test_cache_rows():
    assert cache_rows(typical()) == [
        CacheRow(0, 1, 1, 168, 0, 0, 10),
        CacheRow(1, 1, 3, 2, 3, 3 * 4864, 0),
    ]
    assert cache_rows(NOTHING) == []


def test_free_runs_join_backed_and_released_pages_but_not_what_a_p_holds():
    assert typical().free_runs() == [(at(78), CHUNK - 78, CHUNK - 80)]
    heap = shot([small(4, 5, 1)], [PageRun(at(0), 2, FREE), PageRun(at(2), 2, CACHED, 1), PageRun(at(5), 1, RELEASED)])
    assert heap.free_runs() == [(at(0), 2, 0), (at(5), 1, 1)]


def test_run_rows_by_powers_of_two():
    runs = []
    page = 0
    for count in (1, 1, 2, 3, 4, 7, 8, 300):
        runs.append(PageRun(at(page), count, RELEASED if count == 7 else FREE))
        page += count + 1
    assert run_rows(shot([], runs)) == [
        RunRow(1, 2, 2, 0),
        RunRow(2, 2, 5, 0),
        RunRow(4, 2, 11, 7),
        RunRow(8, 1, 8, 0),
        RunRow(256, 1, 300, 0),
    ]


def test_a_strip_is_all_of_a_stretch():
    (strip,) = strips(typical())
    assert strip.base == BASE
    assert len(strip.cells) == CHUNK
    kinds = [cell.kind for cell in strip.cells]
    assert kinds[:8] == [NOSCAN, NOSCAN, SCAN, SCAN, SCAN, SCAN, LARGE, LARGE]
    assert kinds[63:81] == [LARGE, *[STACK] * 4, *[CACHED] * 10, FREE, FREE, RELEASED]
    assert [cell.percent for cell in strip.cells[:4]] == [100, 5, 100, 40]


def test_a_gap_makes_another_strip():
    heap = shot([large(0, 2), large(4, 1), large(8192, 1)], [PageRun(at(2), 2, FREE)])
    assert [(strip.base, len(strip.cells)) for strip in strips(heap)] == [(at(0), 5), (at(8192), 1)]


def test_cells_that_stand_for_several_pages():
    heap = shot(
        [small(0, 5, 168), small(1, 5, 84), small(2, 5, 10, SCAN), stack(4, 2), large(6, 3)],
        [PageRun(at(3), 1, FREE), PageRun(at(9), 1, RELEASED)],
    )
    (strip,) = strips(heap, 4)
    assert [(cell.kind, cell.percent) for cell in strip.cells] == [(NOSCAN, 75), (STACK, 100), (LARGE, 100)]
    assert strip.cells[0].text == (
        "0xc000000000: 4 pages: 1 free, 1 objects that may hold pointers, 2 objects without pointers"
    )
    # Of as many, what is in use. The last cell has what is left.
    assert strip.cells[2].text.startswith("0xc000010000: 2 pages: ")


@pytest.mark.parametrize(("most", "per_cell"), [(512, 1), (511, 2), (256, 2), (255, 4), (1, 512)])
def test_pages_per_cell(most, per_cell):
    assert pages_per_cell(typical(), most) == per_cell


def test_nothing():
    assert class_rows(NOTHING) == run_rows(NOTHING) == strips(NOTHING) == areas(NOTHING) == []
    assert pages_per_cell(NOTHING, 1) == 1


def test_what_an_area_is_in_words():
    assert span_text(small(3, 5, 7, SCAN, holder=2)) == (
        "0xc000006000: 1 page scan, 7 of 165 slots of 48 bytes taken, in the mcache of P2"
    )
    assert span_text(large(1, 5)) == "0xc000002000: 5 pages, one object of 40,960 bytes"
    assert span_text(stack(0)) == "0xc000000000: 4 pages for stacks"
    texts = [area.text for area in areas(typical()) if area.kind in (FREE, CACHED, RELEASED)]
    assert texts == [
        "0xc000088000: 10 pages free, held by P0",
        "0xc00009c000: 2 pages free",
        "0xc0000a0000: 48 pages given back",
        "0xc000100000: 384 pages given back",
    ]


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 B"), (1023, "1023 B"), (1024, "1 KiB"), (1536, "1.5 KiB"), (5 << 30, "5 GiB")]
)
def test_sizes(count, text):
    assert size_text(count) == text
