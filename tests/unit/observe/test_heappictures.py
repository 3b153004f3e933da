"""The heap drawn: in characters, as SVG and as a page."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import pytest

from goruntime.heap.snapshot import FREE, NOSCAN, RELEASED, SCAN, PageRun
from goruntime.observe.heapmap import Cell
from goruntime.observe.heapsvg import GAP, MOST_CELLS, PITCH, html, svg
from goruntime.observe.heaptext import MOST_ROWS, WIDTH, colour, letter, picture, report

from .heapshots import CHUNK, NOTHING, at, large, shot, small, typical

SVG = "{http://www.w3.org/2000/svg}"

REPORT = """\
spans of     spans  pages  objects  slots  full  in objects  in free slots   tail  in mcaches
48 B noscan      2      2      178    336   52%   8.344 KiB      7.406 KiB  256 B           1
48 B scan        1      1      165    165  100%   7.734 KiB            0 B  272 B           0
4864 B scan      1      3        2      5   40%     9.5 KiB      14.25 KiB  256 B           1
large            1     58        1      1  100%     464 KiB            0 B    0 B           0
stack            1      4
total            6     68      346    507         489.6 KiB      21.66 KiB  784 B           2

mcache of  spans  pages  objects  free slots  in free slots  cached pages
P0             1      1      168           0            0 B            10
P1             1      3        2           3      14.25 KiB             0

free runs of      runs  pages  given back
256 to 511 pages     1    434         432

objects    489.6 KiB in spans of 512 KiB: 4% of these is free slots and tails
free       434 pages in 1 run, the longest of 434
the heap   4 MiB of addresses: 512 KiB for objects, 32 KiB for stacks, 96 KiB free, 3.375 MiB given back
resident   544 KiB had to be backed by the kernel

the arena, 512 KiB a row; a cell is a page
0x00c000000000 NnSssSLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLL
0x00c000080000 KKKKcccccccccc--................................................
0x00c000100000 ................................................................
               ... 5 more rows like this
               s S objects that may hold pointers: small letters are half empty
               n N objects without pointers: small letters are half empty
               L   a large object
               K   stacks
               c   free, held by a P
               -   free
               .   given back
"""


def test_the_report():
    assert report(typical(), is_coloured=False) == REPORT.replace("NnSssSL", "NnSsssL")


def test_a_heap_that_nobody_touched():
    assert report(NOTHING, is_coloured=True) == "The program allocated nothing.\n"


def test_colours_are_two_rows_in_one_and_reset_at_the_end_of_the_line():
    lines = [line for line in picture(typical(), is_coloured=True).splitlines() if "▀" in line]
    assert len(lines) == CHUNK // WIDTH // 2
    for line in lines:
        assert line.count("▀") == WIDTH
        assert line.endswith("\x1b[0m")
    assert re.sub(r"\x1b\[[0-9;]*m", "", lines[0]) == "0x00c000000000 " + "▀" * WIDTH
    # The first page is full of noscan objects, below it is a stack.
    assert "\x1b[38;5;46;48;5;134m▀" in lines[0]


def test_an_odd_number_of_rows_has_black_below():
    (line,) = [row for row in picture(shot([large(0, 3)], []), is_coloured=True).splitlines() if "▀" in row]
    assert line == "0x00c000000000 \x1b[38;5;214;48;5;0m▀▀▀\x1b[0m"


def test_full_is_brighter_and_a_capital():
    shades = [colour(Cell(SCAN, percent, "")) for percent in (0, 19, 20, 50, 99, 100)]
    assert shades == [18, 18, 20, 26, 39, 39]
    assert [letter(Cell(NOSCAN, percent, "")) for percent in (0, 50, 51, 100)] == ["n", "n", "N", "N"]


def test_a_large_heap_still_fits_a_screen():
    heap = shot([large(0, 1_000)], [PageRun(at(1_000), 100_000, FREE)])
    text = picture(heap, is_coloured=False)
    assert text.count("\n") <= MOST_ROWS + 10
    assert "a cell is 32 pages, as most of them are" in text.splitlines()[0]


# The picture file.


def test_svg_is_well_formed_and_says_what_each_area_is():
    root = ET.fromstring(svg(typical(), 'a "heap" & <more>'))
    titles = [title.text for title in root.iter(f"{SVG}title")]
    assert len(titles) == 10
    assert titles[0] == "0xc000000000: 1 page noscan, 168 of 168 slots of 48 bytes taken, in the mcache of P0"
    assert root.find(f"{SVG}text").text == 'a "heap" & <more>: 512 KiB a row, a cell is a page'


def test_svg_covers_every_page_once():
    root = ET.fromstring(svg(typical()))
    cells = 0
    places = set()
    for group in root.iter(f"{SVG}g"):
        by_place = {}
        for rect in group.iter(f"{SVG}rect"):
            by_place.setdefault((rect.get("x"), rect.get("width")), rect)
        # The first rectangle of a piece is its tint; what is full lies over it.
        for rect in group.iter(f"{SVG}rect"):
            if int(rect.get("height")) == PITCH - GAP and (rect.get("x"), rect.get("y")) not in places:
                places.add((rect.get("x"), rect.get("y")))
                cells += (int(rect.get("width")) + GAP) // PITCH
    assert cells == CHUNK


def test_a_span_is_filled_as_far_as_its_slots_are_taken():
    def heights(objects):
        root = ET.fromstring(svg(shot([small(0, 5, objects)], [])))
        return [int(rect.get("height")) for rect in next(root.iter(f"{SVG}g")).iter(f"{SVG}rect")]

    assert heights(168) == [10, 10]
    assert heights(84) == [10, 5]
    assert heights(2) == [10, 1]  # never nothing, as long as there is an object
    assert heights(0) == [10]


def test_svg_of_a_huge_heap_groups_pages():
    heap = shot([large(0, 4 * MOST_CELLS)], [])
    text = svg(heap)
    assert text.count("<title>") == MOST_CELLS
    assert "a cell is 4 pages" in text


@pytest.mark.parametrize("heap", [NOTHING, typical()], ids=["nothing", "typical"])
def test_the_page(heap):
    page = html(heap, "heap of <x>.py")
    assert page.startswith("<!doctype html>")
    assert "<title>heap of &lt;x&gt;.py</title>" in page
    assert page.count("<svg") == 1
    assert "http://" not in page.replace("http://www.w3.org/2000/svg", "")  # it needs nothing from elsewhere


def test_rows_that_look_the_same_are_not_all_written_out():
    heap = shot([], [PageRun(at(0), 3 * WIDTH, FREE), PageRun(at(3 * WIDTH), 4 * WIDTH, RELEASED)])
    rows = [line[15:] for line in picture(heap, is_coloured=False).splitlines()[1:6]]
    assert rows == ["-" * WIDTH] * 3 + ["." * WIDTH, "... 3 more rows like this"]
