"""The heap for a terminal: tables, and a picture of the arena in characters.

With colours a character shows two rows of pages, one above the other: `▀` has two colours. The darker a page, the
emptier. Without, a page is a letter; a small one is half empty or more.
"""

from __future__ import annotations

from itertools import groupby

from ..heap.sizeclass import PAGE_SIZE
from ..heap.snapshot import CACHED, FREE, LARGE, NOSCAN, RELEASED, SCAN, STACK, HeapShot
from .heapmap import (
    MEANINGS,
    Cell,
    ClassRow,
    cache_rows,
    class_rows,
    pages_per_cell,
    run_rows,
    size_text,
    strips,
    total_row,
)

WIDTH = 64  # cells in a row
MOST_ROWS = 64
LIKE_ROWS = 3  # that look the same, one below the other: more are not written out
LETTERS = {SCAN: "S", NOSCAN: "N", LARGE: "L", STACK: "K", CACHED: "c", FREE: "-", RELEASED: "."}
# Numbers of the 256 colours that terminals have: from almost empty to full.
COLOURS = {
    SCAN: (18, 20, 26, 33, 39),
    NOSCAN: (22, 28, 34, 40, 46),
    LARGE: (130, 172, 208, 214, 214),
    STACK: (97, 97, 134, 134, 134),
    CACHED: (30,),
    FREE: (243,),
    RELEASED: (236,),
}
NOTHING = 0  # behind the last cell: black


def report(shot: HeapShot, is_coloured: bool) -> str:
    """Everything about a heap: what there is, who holds it, what is free, and the picture."""
    parts = [class_table(shot), cache_table(shot), run_table(shot), totals(shot), picture(shot, is_coloured)]
    return "\n".join(part for part in parts if part)


def table(head: str, rows: list[list[str]], left: int = 1) -> str:
    """A table; the first `left` columns begin at their left edge, the others end at their right one."""
    lines = [head.split("|"), *rows]
    widths = [max(len(line[place]) for line in lines) for place in range(len(lines[0]))]
    return "".join(
        "  ".join(
            text.ljust(width) if place < left else text.rjust(width)
            for place, (text, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        + "\n"
        for line in lines
    )


def class_table(shot: HeapShot) -> str:
    """The spans by class."""
    rows = class_rows(shot)
    if not rows:
        return "The program allocated nothing.\n"
    lines = [_class_line(row) for row in rows]
    if len(rows) > 1:
        lines.append(_class_line(total_row(rows)))
    return table("spans of|spans|pages|objects|slots|full|in objects|in free slots|tail|in mcaches", lines)


def _class_line(row: ClassRow) -> list[str]:
    has_slots = row.slot_count > 0
    return [
        row.name,
        f"{row.span_count:,}",
        f"{row.page_count:,}",
        f"{row.object_count:,}" if has_slots else "",
        f"{row.slot_count:,}" if has_slots else "",
        f"{row.percent}%" if has_slots and row.name != "total" else "",
        size_text(row.object_bytes) if has_slots else "",
        size_text(row.free_bytes) if has_slots else "",
        size_text(row.tail_bytes) if has_slots else "",
        f"{row.held_count}" if has_slots else "",
    ]


def cache_table(shot: HeapShot) -> str:
    """What each P holds."""
    lines = [
        [
            f"P{row.holder}",
            f"{row.span_count}",
            f"{row.page_count}",
            f"{row.object_count:,}",
            f"{row.free_slot_count:,}",
            size_text(row.free_bytes),
            f"{row.cached_page_count}",
        ]
        for row in cache_rows(shot)
    ]
    return table("mcache of|spans|pages|objects|free slots|in free slots|cached pages", lines) if lines else ""


def run_table(shot: HeapShot) -> str:
    """The free pages by how many are side by side."""
    lines = []
    for row in run_rows(shot):
        longest = 2 * row.shortest - 1
        length = "1 page" if longest == 1 else f"{row.shortest:,} to {longest:,} pages"
        lines.append([length, f"{row.run_count:,}", f"{row.page_count:,}", f"{row.released_count:,}"])
    return table("free runs of|runs|pages|given back", lines) if lines else ""


def totals(shot: HeapShot) -> str:
    """A few sums in words."""
    pages = shot.figures.pages
    inside = sum(row.object_bytes for row in class_rows(shot))
    heap = pages.heap_inuse + pages.heap_free + pages.heap_released + pages.in_stacks + pages.in_work_bufs
    if not heap:
        return ""
    runs = shot.free_runs()
    longest = max((count for _, count, _ in runs), default=0)
    free = sum(count for _, count, _ in runs)
    waste = 100 * (pages.heap_inuse - inside) // pages.heap_inuse if pages.heap_inuse else 0
    return (
        f"objects    {size_text(inside)} in spans of {size_text(pages.heap_inuse)}: {waste}% of these is free slots"
        " and tails\n"
        f"free       {free:,} pages in {len(runs):,} run{'s' if len(runs) != 1 else ''}, the longest of {longest:,}\n"
        f"the heap   {size_text(heap)} of addresses: {size_text(pages.heap_inuse)} for objects,"
        f" {size_text(pages.in_stacks)} for stacks, {size_text(pages.heap_free)} free,"
        f" {size_text(pages.heap_released)} given back\n"
    ) + (f"resident   {size_text(pages.resident)} had to be backed by the kernel\n" if pages.resident else "")


# The picture.


def picture(shot: HeapShot, is_coloured: bool) -> str:
    """The arena, page by page, with a legend."""
    per_cell = pages_per_cell(shot, WIDTH * MOST_ROWS)
    drawn = strips(shot, per_cell)
    if not drawn:
        return ""
    each = "a page" if per_cell == 1 else f"{per_cell} pages, as most of them are"
    lines = [f"the arena, {size_text(WIDTH * per_cell * PAGE_SIZE)} a row; a cell is {each}"]
    kinds = {cell.kind for strip in drawn for cell in strip.cells}
    draw = _coloured_rows if is_coloured else _lettered_rows
    for strip in drawn:
        lines += _without_repeats(draw(strip.base, strip.cells, per_cell))
    return "\n".join([*lines, *_legend(kinds, is_coloured), ""])


def _without_repeats(rows: list[str]) -> list[str]:
    """Rows, the address first; of several that look the same only the first."""
    kept: list[str] = []
    for _, group in groupby(rows, key=lambda row: row.partition(" ")[2]):
        same = list(group)
        if len(same) <= LIKE_ROWS:
            kept += same
        else:
            kept += [same[0], f"{'':>14} ... {len(same) - 1} more rows like this"]
    return kept


def _lettered_rows(base: int, cells: list[Cell], per_cell: int) -> list[str]:
    return [
        f"{base + start * per_cell * PAGE_SIZE:#014x} {''.join(map(letter, cells[start : start + WIDTH]))}"
        for start in range(0, len(cells), WIDTH)
    ]


def letter(cell: Cell) -> str:
    """A cell as a letter."""
    text = LETTERS[cell.kind]
    return text.lower() if cell.kind in (SCAN, NOSCAN) and cell.percent <= 50 else text


def colour(cell: Cell) -> int:
    """The colour of a cell."""
    shades = COLOURS[cell.kind]
    return shades[min(cell.percent * len(shades) // 100, len(shades) - 1)]


def _coloured_rows(base: int, cells: list[Cell], per_cell: int) -> list[str]:
    lines = []
    for start in range(0, len(cells), 2 * WIDTH):
        upper = [colour(cell) for cell in cells[start : start + WIDTH]]
        lower = [colour(cell) for cell in cells[start + WIDTH : start + 2 * WIDTH]]
        lower += [NOTHING] * (len(upper) - len(lower))
        text = ""
        last = (-1, -1)
        for pair in zip(upper, lower, strict=True):
            if pair != last:
                text += f"\x1b[38;5;{pair[0]};48;5;{pair[1]}m"
                last = pair
            text += "▀"
        lines.append(f"{base + start * per_cell * PAGE_SIZE:#014x} {text}\x1b[0m")
    return lines


def _legend(kinds: set[str], is_coloured: bool) -> list[str]:
    lines = []
    for kind, meaning in MEANINGS.items():
        if kind not in kinds:
            continue
        shades = COLOURS[kind]
        if is_coloured:
            sample = "".join(f"\x1b[38;5;{shade}m█" for shade in dict.fromkeys(shades)) + "\x1b[0m"
            sample += " " * (5 - len(dict.fromkeys(shades)))
            more = ": darker is emptier" if len(set(shades)) > 2 and kind != LARGE else ""
        else:
            sample = f"{LETTERS[kind].lower()} {LETTERS[kind]}" if kind in (SCAN, NOSCAN) else f"{LETTERS[kind]}  "
            more = ": small letters are half empty" if kind in (SCAN, NOSCAN) else ""
        lines.append(f"{' ' * 15}{sample} {meaning}{more}")
    return lines
