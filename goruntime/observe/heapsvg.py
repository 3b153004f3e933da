"""The arena as a picture file: SVG alone, or a page with the tables beside it. Both need nothing but a browser.

Pages are cells; a span is as wide as its pages, and filled from the bottom as far as its slots are taken. Whoever
points at one reads what it is.
"""

from __future__ import annotations

from html import escape

from ..heap.sizeclass import PAGE_SIZE
from ..heap.snapshot import CACHED, FREE, LARGE, NOSCAN, RELEASED, SCAN, STACK, HeapShot
from .heapmap import MEANINGS, Area, areas, pages_per_cell, size_text, strips
from .heaptext import cache_table, class_table, run_table, totals

PITCH = 11  # from one cell to the next, in pixels
GAP = 1
LABEL_WIDTH = 106
MARGIN = 12
HEAD = 28
LEGEND_ROW = 18
CHUNK = 512  # pages: between two of them there is some room
CHUNK_GAP = 6
NARROW, WIDE = 64, 128  # cells in a row
NARROW_UP_TO = 2_048  # cells
MOST_CELLS = 1 << 15
# The tint of what is empty, and the colour of what is full.
TINTS = {
    SCAN: ("#cfe0f7", "#2f6fc0"),
    NOSCAN: ("#d3ecd3", "#3a9447"),
    LARGE: ("#fbdcb8", "#e2831c"),
    STACK: ("#e5d3f0", "#8c4fb0"),
    CACHED: ("#cdeeee", "#cdeeee"),
    FREE: ("#dcdcdc", "#dcdcdc"),
    RELEASED: ("#f1f1ee", "#f1f1ee"),
}
STYLE = (
    "text{font:11px ui-monospace,Menlo,Consolas,monospace;fill:#444}"
    ".t{font-size:13px;fill:#111}g:hover>rect{stroke:#111;stroke-width:1}"
)


class _Canvas:
    """Where cells go: rows of one width, with some room between chunks."""

    def __init__(self, width: int, per_cell: int) -> None:
        self.width = width
        self.per_cell = per_cell
        self.shapes: list[str] = []
        self.top = HEAD

    def strip(self, base: int, pieces: list[tuple[int, Area]]) -> None:
        """Draw a stretch: (cells, what it is), one behind the other."""
        per_chunk = max(CHUNK // self.per_cell, self.width)
        place = 0
        for count, area in pieces:
            parts = []
            while count:
                column = place % self.width
                if column == 0:
                    if place and place % per_chunk == 0:
                        self.top += CHUNK_GAP
                    self._label(base + place * self.per_cell * PAGE_SIZE)
                now = min(count, self.width - column)
                parts.append(self._rects(column, now, area))
                place += now
                count -= now
                if place % self.width == 0:
                    self.top += PITCH
            self.shapes.append(f"<g><title>{escape(area.text)}</title>{''.join(parts)}</g>")
        self.top += PITCH + CHUNK_GAP if place % self.width else CHUNK_GAP

    def _label(self, address: int) -> None:
        self.shapes.append(f'<text x="{MARGIN}" y="{self.top + PITCH - 2}">{address:#x}</text>')

    def _rects(self, column: int, count: int, area: Area) -> str:
        """One piece in one row: the tint, and over it how full it is."""
        tint, full = TINTS[area.kind]
        left, side = MARGIN + LABEL_WIDTH + column * PITCH, PITCH - GAP
        width = count * PITCH - GAP
        text = f'<rect x="{left}" y="{self.top}" width="{width}" height="{side}" fill="{tint}"/>'
        height = side * area.percent // 100 or min(area.percent, 1)
        if height and full != tint:
            top = self.top + side - height
            text += f'<rect x="{left}" y="{top}" width="{width}" height="{height}" fill="{full}"/>'
        return text

    def legend(self, kinds: set[str]) -> None:
        """What the colours mean."""
        self.top += 4
        for place, kind in enumerate(kind for kind in MEANINGS if kind in kinds):
            tint, full = TINTS[kind]
            left = MARGIN + LABEL_WIDTH + place % 2 * (self.width * PITCH // 2)
            if place and place % 2 == 0:
                self.top += LEGEND_ROW
            self.shapes.append(
                f'<rect x="{left}" y="{self.top}" width="10" height="10" fill="{tint}"/>'
                f'<rect x="{left}" y="{self.top + 4}" width="10" height="6" fill="{full}"/>'
                f'<text x="{left + 16}" y="{self.top + 9}">{MEANINGS[kind]}</text>'
            )
        self.top += LEGEND_ROW

    def text(self, title: str) -> str:
        """The file."""
        width = 2 * MARGIN + LABEL_WIDTH + self.width * PITCH
        height = self.top + MARGIN
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}">'
            f"<style>{STYLE}</style>"
            f'<rect width="{width}" height="{height}" rx="6" fill="#ffffff"/>'
            f'<text class="t" x="{MARGIN}" y="18">{escape(title)}</text>\n' + "\n".join(self.shapes) + "\n</svg>\n"
        )


def svg(shot: HeapShot, title: str = "") -> str:
    """The arena as an SVG file."""
    per_cell = pages_per_cell(shot, MOST_CELLS)
    cell_count = sum(area.page_count for area in areas(shot)) // per_cell
    canvas = _Canvas(NARROW if cell_count <= NARROW_UP_TO else WIDE, per_cell)
    drawn = 0
    for base, pieces in _pieces(shot, per_cell):
        canvas.strip(base, pieces)
        drawn += 1
    if drawn:
        canvas.legend({area.kind for area in areas(shot)})
    row = size_text(canvas.width * per_cell * PAGE_SIZE)
    each = "a page" if per_cell == 1 else f"{per_cell} pages"
    return canvas.text(f"{title + ': ' if title else ''}{row} a row, a cell is {each}")


def _pieces(shot: HeapShot, per_cell: int) -> list[tuple[int, list[tuple[int, Area]]]]:
    """The strips, each as pieces: spans and runs as they are, or cells that stand for several pages."""
    if per_cell > 1:
        return [
            (strip.base, [(1, Area(0, per_cell, cell.kind, cell.percent, cell.text)) for cell in strip.cells])
            for strip in strips(shot, per_cell)
        ]
    found: list[tuple[int, list[tuple[int, Area]]]] = []
    end = -1
    for area in areas(shot):
        if area.base != end:
            found.append((area.base, []))
        found[-1][1].append((area.page_count, area))
        end = area.base + area.page_count * PAGE_SIZE
    return found


PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>{title}</title>
<style>
body{{font:14px system-ui,sans-serif;margin:24px;color:#222;background:#fafaf8}}
h1{{font-size:18px}}
pre{{font:12px ui-monospace,Menlo,Consolas,monospace;background:#fff;padding:12px;border-radius:6px}}
pre{{overflow-x:auto;display:inline-block;margin:0 12px 12px 0;vertical-align:top}}
svg{{max-width:100%;height:auto;display:block;margin-bottom:16px}}
</style>
<h1>{title}</h1>
{svg}
{tables}
</html>
"""


def html(shot: HeapShot, title: str) -> str:
    """The arena and the tables as one page."""
    tables = [totals(shot), class_table(shot), cache_table(shot), run_table(shot)]
    return PAGE.format(
        title=escape(title),
        svg=svg(shot),
        tables="\n".join(f"<pre>{escape(text)}</pre>" for text in tables if text),
    )
