"""What `goruntime heap` shows, as rows and cells: found here, drawn by heaptext and heapsvg.

A *class row* sums up the spans of one kind: how many slots they have, how many of these hold an object, what is left.
What is left is of two sorts. *Free* slots will serve the next objects of this class, and no others. The *tail* serves
nobody: what remains at the end of a span, and the span's own mark bits and pointer bits.

A *strip* is a stretch of the heap without a gap, as cells: each stands for one page, or for 2, 4, 8... when there would
be too many; then it shows what most of them are.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from ..heap.sizeclass import CLASS_TO_SIZE, PAGE_SIZE
from ..heap.snapshot import CACHED, FREE, LARGE, NOSCAN, RELEASED, SCAN, STACK, HeapShot, SpanShot

KINDS = (RELEASED, FREE, CACHED, SCAN, NOSCAN, LARGE, STACK)  # of cells
MEANINGS = {
    SCAN: "objects that may hold pointers",
    NOSCAN: "objects without pointers",
    LARGE: "a large object",
    STACK: "stacks",
    CACHED: "free, held by a P",
    FREE: "free",
    RELEASED: "given back",
}


class ClassRow(NamedTuple):
    """The spans of one class. Units: bytes, where it does not say count."""

    name: str  # "48 B noscan", "large"
    size_class: int  # 0: large objects, -1: stacks
    kind: str
    span_count: int
    page_count: int
    object_count: int
    slot_count: int
    object_bytes: int
    free_bytes: int  # in free slots
    tail_bytes: int
    held_count: int  # spans that are in the mcache of a P

    @property
    def percent(self) -> int:
        """How full its spans are, in slots."""
        return 100 * self.object_count // self.slot_count if self.slot_count else 100


def class_rows(shot: HeapShot) -> list[ClassRow]:
    """One row for each kind of span that there is: small ones by class, then large objects, then stacks."""
    groups: dict[tuple[int, str], list[SpanShot]] = {}
    for span in shot.spans:
        groups.setdefault((_rank(span), span.kind), []).append(span)
    return [_class_row(kind, spans) for (_, kind), spans in sorted(groups.items())]


def _rank(span: SpanShot) -> int:
    """Where its row stands."""
    if span.kind == STACK:
        return 1 << 9
    return 1 << 8 if span.kind == LARGE else span.span_class >> 1


def _class_row(kind: str, spans: list[SpanShot]) -> ClassRow:
    pages = sum(span.page_count for span in spans)
    slots = sum(span.slot_count for span in spans)
    objects = sum(span.object_count for span in spans)
    taken = sum(span.object_count * span.elem_size for span in spans)
    free = sum((span.slot_count - span.object_count) * span.elem_size for span in spans)
    size_class = -1 if kind == STACK else spans[0].span_class >> 1
    return ClassRow(
        name=f"{CLASS_TO_SIZE[size_class]} B {kind}" if size_class > 0 else kind,
        size_class=size_class,
        kind=kind,
        span_count=len(spans),
        page_count=pages,
        object_count=objects,
        slot_count=slots,
        object_bytes=taken,
        free_bytes=free,
        tail_bytes=0 if kind == STACK else pages * PAGE_SIZE - taken - free,
        held_count=sum(span.holder >= 0 for span in spans),
    )


class CacheRow(NamedTuple):
    """What one P holds for itself."""

    holder: int
    span_count: int
    page_count: int
    object_count: int
    free_slot_count: int
    free_bytes: int  # in these slots
    cached_page_count: int  # free pages in its page cache


def cache_rows(shot: HeapShot) -> list[CacheRow]:
    """One row for each P that holds anything."""
    spans: dict[int, list[SpanShot]] = {}
    pages: dict[int, int] = {}
    for span in shot.spans:
        if span.holder >= 0:
            spans.setdefault(span.holder, []).append(span)
    for run in shot.runs:
        if run.holder >= 0:
            pages[run.holder] = pages.get(run.holder, 0) + run.page_count
    return [
        CacheRow(
            holder=holder,
            span_count=len(held := spans.get(holder, [])),
            page_count=sum(span.page_count for span in held),
            object_count=sum(span.object_count for span in held),
            free_slot_count=sum(span.slot_count - span.object_count for span in held),
            free_bytes=sum((span.slot_count - span.object_count) * span.elem_size for span in held),
            cached_page_count=pages.get(holder, 0),
        )
        for holder in sorted(spans.keys() | pages.keys())
    ]


class RunRow(NamedTuple):
    """Runs of free pages of about one length: from `shortest` pages to less than twice as many."""

    shortest: int
    run_count: int
    page_count: int
    released_count: int  # of these pages, given back


def run_rows(shot: HeapShot) -> list[RunRow]:
    """The runs of free pages by their length in powers of two: what larger spans could still be made of."""
    rows: dict[int, RunRow] = {}
    for _, count, released in shot.free_runs():
        shortest = 1 << count.bit_length() - 1
        row = rows.get(shortest, RunRow(shortest, 0, 0, 0))
        rows[shortest] = RunRow(shortest, row.run_count + 1, row.page_count + count, row.released_count + released)
    return [rows[shortest] for shortest in sorted(rows)]


# The picture.


class Cell(NamedTuple):
    """Some pages side by side."""

    kind: str
    percent: int  # how full: of what is in use
    text: str  # what it is, in words


class Strip(NamedTuple):
    """A stretch of the heap."""

    base: int  # address
    cells: list[Cell]


class Area(NamedTuple):
    """A span, or a run of pages."""

    base: int
    page_count: int
    kind: str
    percent: int
    text: str


def areas(shot: HeapShot) -> list[Area]:
    """Everything that the heap consists of, in the order of the addresses."""
    found = [Area(s.base, s.page_count, s.kind, s.percent, span_text(s)) for s in shot.spans]
    for run in shot.runs:
        by = f" by P{run.holder}" if run.holder >= 0 else ""
        pages = f"{run.page_count} page{'s' if run.page_count > 1 else ''}"
        found.append(Area(run.base, run.page_count, run.state, 0, f"{run.base:#x}: {pages} {_state(run.state)}{by}"))
    found.sort()
    return found


def _state(state: str) -> str:
    return "free, held" if state == CACHED else MEANINGS[state]


def span_text(span: SpanShot) -> str:
    """A span in one line."""
    where = f"{span.base:#x}: {span.page_count} page{'s' if span.page_count > 1 else ''}"
    held = f", in the mcache of P{span.holder}" if span.holder >= 0 else ""
    if span.kind == STACK:
        return f"{where} for stacks"
    if span.kind == LARGE:
        return f"{where}, one object of {span.elem_size:,} bytes{held}"
    full = f"{span.object_count} of {span.slot_count} slots of {span.elem_size:,} bytes taken"
    return f"{where} {span.kind}, {full}{held}"


def pages_per_cell(shot: HeapShot, most_cells: int) -> int:
    """How many pages a cell stands for, that there may be no more than so many: a power of two."""
    count = sum(area.page_count for area in areas(shot))
    per_cell = 1
    while count > per_cell * most_cells:
        per_cell *= 2
    return per_cell


def strips(shot: HeapShot, per_cell: int = 1) -> list[Strip]:
    """The heap as cells: a new strip wherever addresses leap."""
    found: list[Strip] = []
    group: list[Area] = []
    end = -1
    for area in areas(shot):
        if group and area.base != end:
            found.append(_strip(group, per_cell))
            group = []
        group.append(area)
        end = area.base + area.page_count * PAGE_SIZE
    if group:
        found.append(_strip(group, per_cell))
    return found


def _strip(group: list[Area], per_cell: int) -> Strip:
    base = group[0].base
    if per_cell == 1:
        cells = [Cell(area.kind, area.percent, area.text) for area in group for _ in range(area.page_count)]
        return Strip(base, cells)
    pages = [area for area in group for _ in range(area.page_count)]
    return Strip(
        base,
        [_mixed(pages[start : start + per_cell], base + start * PAGE_SIZE) for start in range(0, len(pages), per_cell)],
    )


def _mixed(pages: list[Area], base: int) -> Cell:
    """A cell for several pages: what most of them are; of as many, what is in use."""
    count = dict.fromkeys(KINDS, 0)
    full = 0
    for page in pages:
        count[page.kind] += 1
    kind = max(KINDS, key=lambda kind: (count[kind], KINDS.index(kind)))
    full = sum(page.percent for page in pages if page.kind == kind) // count[kind]
    parts = ", ".join(f"{number} {MEANINGS[kind]}" for kind, number in count.items() if number)
    return Cell(kind, full, f"{base:#x}: {len(pages)} pages: {parts}")


def total_row(rows: Iterable[ClassRow]) -> ClassRow:
    """The sum of all rows."""
    listed = list(rows)
    return ClassRow(
        "total",
        0,
        "",
        *(sum(row[place] for row in listed) for place in range(3, len(ClassRow._fields))),  # type: ignore[misc]
    )


def size_text(count: int) -> str:
    """Bytes in the unit in which they read best."""
    for unit, name in ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")):
        if count >= unit:
            return f"{count / unit:.4g} {name}"
    return f"{count} B"
