"""A page allocator in a given state, from ranges of bits by chunk: what the tables of these tests are written in."""

from __future__ import annotations

from goruntime.heap.arena import ARENA_START
from goruntime.heap.pagealloc import PageAlloc, chunk_base, chunk_index
from goruntime.heap.pallocbits import CHUNK_BYTES, CHUNK_PAGES, PallocData
from goruntime.heap.sizeclass import PAGE_SIZE

N = CHUNK_PAGES
BASE = chunk_index(ARENA_START)
BIG_JUMP = 0x100000  # chunks: terabytes
LAST_OF_PAGE = (BASE & -512) + 511 - BASE  # a chunk whose summary is the last one of a physical page

Bits = list[tuple[int, int]]  # (first, count)
Chunks = dict[int, Bits]  # by chunk, counted from BASE
FULL: Bits = [(0, N)]


def page(ci: int, i: int = 0) -> int:
    """The address of page i of a chunk, which is counted from BASE."""
    return chunk_base(BASE + ci) + i * PAGE_SIZE


def bits_of(ranges: Bits) -> int:
    bits = 0
    for i, n in ranges:
        bits |= ((1 << n) - 1) << i
    return bits


def data_of(taken: Bits, scavenged: Bits = []) -> PallocData:  # noqa: B006
    data = PallocData()
    for i, n in taken:
        data.alloc_range(i, n)
    for i, n in scavenged:
        data.set_scavenged(i, n)
    return data


def make(taken: Chunks, scavenged: Chunks | None = None) -> PageAlloc:
    """Chunks with these pages taken and these scavenged; of the index it looks as if all had been taken and freed.

    Go: runtime/export_test.go NewPageAlloc.
    """
    pages = PageAlloc()
    for offset, ranges in taken.items():
        ci = BASE + offset
        pages.grow(chunk_base(ci), CHUNK_BYTES)
        chunk = pages.chunk_of(ci)
        chunk.scavenged = 0
        pages.index.alloc(ci, N)
        pages.index.free(ci, 0, N)
        for i, n in (scavenged or {}).get(offset, []):
            chunk.set_scavenged(i, n)
        for i, n in ranges:
            chunk.alloc_range(i, n)
            if n:
                pages.index.alloc(ci, n)
        pages.update(chunk_base(ci), N, False, False)
    pages.check()
    return pages


def state(pages: PageAlloc) -> dict[int, tuple[int, int]]:
    """The bits of every chunk: what two allocators must have in common."""
    return {ci - BASE: (chunk.bits, chunk.scavenged) for ci, chunk in sorted(pages.chunks.items())}
