"""The page heap: spans of whole pages, for objects, stacks and work buffers, out of memory from the operating system.

    alloc         fewer than 16 pages come from the 64 that the P holds, others from the page allocator: first fit,
                  lowest address. If there is no room, the heap grows.
    grow          by whole chunks of 4 MiB, in the current arena; when that is full, by another arena of 64 MiB, which
                  follows the last one if the kernel allows it. New memory counts as released until it is used.
    free          the pages' bits are cleared. Neighbours are neighbouring bits: nothing is joined.
    giving back   before a span is used, if the memory limit would be exceeded, or if the heap has just grown past the
                  goal that the collector has set, free pages go back to the operating system (synchronous scavenging).

Records of spans are used again; each P keeps up to 128 dead ones (`PLocal`), so that a small span needs no lock.

What the collector does here comes through slots and fields: `reclaim`, `is_limiting`, `on_scavenge_assist`,
`memory_limit`, `gc_percent_goal`, `sweepgen`.

Go: runtime/mheap.go mheap.allocSpan, initSpan, grow, freeSpanLocked, runtime/malloc.go mheap.sysAlloc (go1.27).
Differs: the pages of a span count as resident when it is made, not one by one as they are written; a large object's
when it is zeroed or first written.
Units: addresses and sizes in bytes, where they do not say pages. Invariant: check().
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence

from ..base.errors import throw
from ..kernel.memory import PHYS_PAGE_SHIFT, PHYS_PAGE_SIZE, Memory
from .arena import ARENA_BYTES, ARENA_RECORD_SIZE, ARENA_START, LOG_ARENA_BYTES, PAGE_MASK, Arenas
from .figures import PageFigures
from .fixalloc import ARENA_HINT_SIZE, MCACHE_SIZE, MSPAN_SIZE, FixAlloc
from .pagealloc import PageAlloc, chunk_base, chunk_index, chunk_page_index
from .pagecache import PAGE_CACHE_PAGES, PageCache
from .pallocbits import ALL, CHUNK_PAGES, align_up
from .sizeclass import PAGE_SHIFT, PAGE_SIZE
from .snapshot import CACHED, FREE, RELEASED, PageRun
from .span import DEAD, IN_USE, MANUAL, Span
from .stats import PageStats
from .sysmem import PageTables, PersistentAlloc, SysMem

HEAP, STACK, WORK_BUF = range(3)  # what a span is for; Go's spanAllocType
SPAN_CACHE_SIZE = 128
NO_GOAL = sys.maxsize

_ARENA_HINTS = 64  # addresses at which the heap may begin: 0xc0, 0x1c0, 0x2c0 ... << 32
_USER_ARENA_HINTS = 64  # as many for user arenas, which are not used
_ARENA_INDEX_BYTES = 32 << 20  # a pointer for each possible arena
_PTR_SIZE = 8
_FIRST_ALLSPANS = (64 << 10) // _PTR_SIZE
_FIRST_ARENA_LIST = PHYS_PAGE_SIZE // _PTR_SIZE
_RANGE_LIMIT = 1 << 48


class PLocal:
    """What a P has of the page heap. Owned by the M that runs it.

    Go: runtime/runtime2.go p: pcache, mspancache, palloc.
    """

    __slots__ = ("pcache", "persistent", "spans")

    def __init__(self) -> None:
        self.pcache = PageCache()
        self.spans: list[Span] = []  # dead, for the next small spans
        self.persistent = PersistentAlloc()


class MHeap:
    """The pages of one run.

    Go: runtime/mheap.go mheap.
    """

    __slots__ = (
        "allspans", "allspans_base", "allspans_capacity", "arena_hints", "arena_table", "arenas", "cachealloc",
        "cur_arena_base", "cur_arena_end", "free_records", "gc_percent_goal", "heap_arenas", "heap_arenas_capacity",
        "hintalloc", "is_limiting", "locals", "memory", "memory_limit", "memory_limit_goal", "on_scavenge_assist",
        "pages", "pages_in_use", "reclaim", "spanalloc", "stats", "sweepgen", "sysmem",
    )  # fmt: skip

    def __init__(self, memory: Memory | None = None) -> None:
        self.memory = Memory() if memory is None else memory
        self.stats = PageStats()
        self.sysmem = SysMem(self.memory, self.stats)
        self.spanalloc = FixAlloc(MSPAN_SIZE, self.sysmem, self.stats.mspan_sys)
        self.cachealloc = FixAlloc(MCACHE_SIZE, self.sysmem, self.stats.mcache_sys)
        self.hintalloc = FixAlloc(ARENA_HINT_SIZE, self.sysmem, self.stats.other_sys)
        self.pages = PageAlloc(PageTables(self.sysmem, self.stats.gc_misc_sys))
        self.pages.on_scavenge = self._give_back
        self.arenas = Arenas()
        self.arena_table = self.arenas.table
        self.heap_arenas: list[int] = []  # indices of all arenas, in the order in which they came
        self.heap_arenas_capacity = 0
        self.arena_hints = [(i << 40 | ARENA_START, False) for i in range(_ARENA_HINTS)]  # (address, downwards)
        self.hintalloc.alloc_first(_ARENA_HINTS + _USER_ARENA_HINTS)
        self.cur_arena_base = 0  # the heap grows into [cur_arena_base, cur_arena_end)
        self.cur_arena_end = 0
        self.allspans: list[Span] = []  # all there ever were
        self.allspans_base = 0  # Go's array of pointers to them
        self.allspans_capacity = 0
        self.free_records: list[Span] = []  # dead ones that no P keeps, next one last
        self.locals: list[PLocal] = []
        self.sweepgen = 0  # + 2 with each cycle of the collector
        self.pages_in_use = 0  # pages of spans of objects
        # What the collector sets.
        self.memory_limit = NO_GOAL  # bytes that may be Ready
        self.memory_limit_goal = NO_GOAL  # bytes that the scavenger leaves Ready on account of the limit
        self.gc_percent_goal = NO_GOAL  # bytes of the heap to retain
        self.is_limiting: Callable[[], bool] | None = None  # the collector has used too much CPU: do not help the limit
        self.reclaim: Callable[[int], None] | None = None  # before npages are taken: sweep until as many are free
        self.on_scavenge_assist: Callable[[int], None] | None = None  # an allocation gave bytes back: charge it

    # The Ps.

    def new_local(self) -> PLocal:
        """A P begins to use the heap: an mcache, pages and records of its own.

        Go: runtime/mcache.go allocmcache.
        """
        self.cachealloc.alloc()
        local = PLocal()
        self.locals.append(local)
        return local

    def free_local(self, local: PLocal) -> None:
        """A P is no more: what it held goes back.

        Go: runtime/proc.go p.destroy.
        """
        self.locals.remove(local)
        while local.spans:
            self._free_record(local.spans.pop(), None)
        self.pages.flush(local.pcache)
        self.cachealloc.free()

    # Taking.

    def alloc(self, npages: int, spanclass: int, pagecache: PLocal | None = None) -> Span | None:
        """A span for objects, in use, all slots free; None when the kernel gives no address space.

        Raises: OutOfMemory when it gives no memory behind it.
        Go: runtime/mheap.go mheap.alloc.
        """
        if self.reclaim is not None:
            self.reclaim(npages)
        return self._alloc_span(npages, HEAP, spanclass, pagecache)

    def alloc_manual(self, npages: int, kind: int = STACK, pagecache: PLocal | None = None) -> Span | None:
        """A span that its user manages; None when the kernel gives no address space.

        Raises: OutOfMemory when it gives no memory behind it.
        Go: runtime/mheap.go mheap.allocManual.
        """
        if kind == HEAP:
            throw("manual span allocation called with non-manually-managed type")
        return self._alloc_span(npages, kind, 0, pagecache)

    def _alloc_span(self, npages: int, kind: int, spanclass: int, local: PLocal | None) -> Span | None:
        """Go: runtime/mheap.go mheap.allocSpan."""
        if npages <= 0:
            throw("a span without pages")
        base = scavenged = growth = 0
        if local is not None and npages < PAGE_CACHE_PAGES // 4:
            if not local.pcache.cache:
                local.pcache = self.pages.alloc_to_cache()
            base, scavenged = local.pcache.alloc(npages)
        if not base:
            base, scavenged = self.pages.alloc(npages)
            if not base:
                growth = self.grow(npages)
                if not growth:
                    return None
                base, scavenged = self.pages.alloc(npages)
                if not base:
                    throw("grew heap, but no adequate free space found")
        span = self._alloc_record(local)
        if local is not None:
            self._scavenge_before_use(scavenged, growth)
        self._init_span(span, kind, spanclass, base, npages, scavenged)
        self._account_for(kind, npages * PAGE_SIZE, scavenged)
        if scavenged:
            self.sysmem.sys_used(base, npages * PAGE_SIZE, scavenged)
        if kind != HEAP or spanclass >= 2 or span.needzero:
            self.memory.touch(base, npages * PAGE_SIZE)
        return span

    def _init_span(self, span: Span, kind: int, spanclass: int, base: int, npages: int, scavenged: int) -> None:
        """Go: runtime/mheap.go mheap.initSpan."""
        span.init(base, npages)
        needs_zero = self.arenas.alloc_needs_zero(base, npages)
        # What the kernel had back comes as zeros, whatever it held before.
        span.needzero = needs_zero and scavenged != npages * PAGE_SIZE
        if kind == HEAP:
            span.init_heap(spanclass, self.sweepgen)
        else:
            span.init_manual()
        self.arenas.set_spans(base, npages, span)
        if kind == HEAP:
            self.arenas.set_in_use(span)
            self.pages_in_use += npages

    def _account_for(self, kind: int, nbytes: int, scavenged: int) -> None:
        stats = self.stats
        stats.heap_released.add(-scavenged)
        stats.heap_free.add(scavenged - nbytes)
        stats.committed += scavenged
        stats.released -= scavenged
        if kind == HEAP:
            stats.heap_in_use.add(nbytes)
            stats.in_heap += nbytes
        elif kind == STACK:
            stats.in_stacks += nbytes
        else:
            stats.in_work_bufs += nbytes

    def touch(self, address: int, size: int) -> None:
        """A large object's memory is written for the first time."""
        self.memory.touch(address, size)

    # Records of spans.

    def _alloc_record(self, local: PLocal | None) -> Span:
        """A dead span: from the P, or from all.

        Go: runtime/mheap.go mheap.tryAllocMSpan, mheap.allocMSpanLocked.
        """
        if local is None:
            return self._new_record(None)
        if not local.spans:
            # The last one that is filled in is the first one taken, as in Go.
            local.spans = [self._new_record(local.persistent) for _ in range(SPAN_CACHE_SIZE // 2)]
        return local.spans.pop()

    def _new_record(self, persistent: PersistentAlloc | None) -> Span:
        """Go: runtime/mheap.go recordspan."""
        if not self.spanalloc.alloc(persistent):
            return self.free_records.pop()
        if len(self.allspans) >= self.allspans_capacity:
            other_sys = self.stats.other_sys
            old_base, old_capacity = self.allspans_base, self.allspans_capacity
            self.allspans_capacity = max(_FIRST_ALLSPANS, old_capacity * 3 // 2)
            self.allspans_base = self.sysmem.sys_alloc(self.allspans_capacity * _PTR_SIZE, other_sys)
            if old_base:
                self.sysmem.sys_free(old_base, old_capacity * _PTR_SIZE, other_sys)
        span = Span()
        self.allspans.append(span)
        return span

    def _free_record(self, span: Span, local: PLocal | None) -> None:
        """Go: runtime/mheap.go mheap.freeMSpanLocked."""
        if local is not None and len(local.spans) < SPAN_CACHE_SIZE:
            local.spans.append(span)
            return
        self.spanalloc.free()
        self.free_records.append(span)

    # Growing.

    def grow(self, npages: int) -> int:
        """Get at least so many pages from the operating system; how many bytes it were, 0 if it refuses.

        Raises: OutOfMemory when there are addresses, but no memory.
        Go: runtime/mheap.go mheap.grow.
        """
        ask = align_up(npages, CHUNK_PAGES) * PAGE_SIZE
        growth = 0
        if self.cur_arena_base + ask > self.cur_arena_end:
            base, size = self._sys_alloc(ask)
            if not base:
                return 0
            if base == self.cur_arena_end:
                self.cur_arena_end = base + size
            else:
                # What is left of the arena before can be used by others.
                rest = self.cur_arena_end - self.cur_arena_base
                if rest:
                    self._add_pages(self.cur_arena_base, rest)
                    growth = rest
                self.cur_arena_base, self.cur_arena_end = base, base + size
        base = self.cur_arena_base
        self.cur_arena_base = base + ask
        self._add_pages(base, ask)
        return growth + ask

    def _add_pages(self, base: int, size: int) -> None:
        """Reserved memory becomes free pages, which count as released."""
        self.sysmem.sys_map(base, size, self.stats.heap_released)
        self.stats.released += size
        self.pages.grow(base, size)

    def _sys_alloc(self, nbytes: int) -> tuple[int, int]:
        """(address, size) of reserved space for arenas, of at least nbytes; (0, 0) if the kernel refuses.

        Go: runtime/malloc.go mheap.sysAlloc.
        """
        nbytes = align_up(nbytes, ARENA_BYTES)
        memory = self.memory
        base = 0
        while self.arena_hints:
            hint, is_down = self.arena_hints[0]
            wanted = hint - nbytes if is_down else hint
            base = memory.reserve(wanted, nbytes) if wanted > 0 and wanted + nbytes <= _RANGE_LIMIT else 0
            if base and base == wanted:
                self.arena_hints[0] = (wanted if is_down else wanted + nbytes), is_down
                break
            if base:
                memory.free(base, nbytes)
                base = 0
            self.arena_hints.pop(0)
            self.hintalloc.free()
        if not base:
            base = self._reserve_anywhere(nbytes)
            if not base:
                return 0, 0
            self.arena_hints[:0] = [(base + nbytes, False), (base, True)]
            self.hintalloc.alloc()
            self.hintalloc.alloc()
        self._add_arenas(base >> LOG_ARENA_BYTES, nbytes >> LOG_ARENA_BYTES)
        return base, nbytes

    def _reserve_anywhere(self, nbytes: int) -> int:
        """Go: runtime/mem.go sysReserveAligned."""
        base = self.memory.reserve(0, nbytes + ARENA_BYTES)
        if base:
            # The parts before and behind are not needed.
            self.memory.free(base, nbytes + ARENA_BYTES)
            base = self.memory.reserve(align_up(base, ARENA_BYTES), nbytes)
        return base

    def _add_arenas(self, first: int, count: int) -> None:
        """Go's records of these arenas; ours are made when they are needed."""
        gc_misc_sys = self.stats.gc_misc_sys
        if not self.heap_arenas:
            # No statistic has this table: it is huge, and hardly any of it is ever touched.
            self.memory.alloc(_ARENA_INDEX_BYTES)
        self.sysmem.sys_alloc(ARENA_RECORD_SIZE, gc_misc_sys, count)
        self.heap_arenas.extend(range(first, first + count))
        while self.heap_arenas_capacity < len(self.heap_arenas):
            self.heap_arenas_capacity = 2 * self.heap_arenas_capacity or _FIRST_ARENA_LIST
            self.sysmem.persistentalloc(self.heap_arenas_capacity * _PTR_SIZE, _PTR_SIZE, gc_misc_sys)

    # Freeing.

    def free_span(self, span: Span, pagecache: PLocal | None = None) -> None:
        """Take the pages of a span of objects back: it is swept, and no slot is taken.

        Go: runtime/mheap.go mheap.freeSpan.
        """
        if span.state != IN_USE:
            throw("mheap.freeSpanLocked - invalid span state")
        if span.alloc_count or span.sweepgen != self.sweepgen:
            throw("mheap.freeSpanLocked - invalid free")
        self._free_span(span, HEAP, pagecache)

    def free_manual(self, span: Span, kind: int = STACK, pagecache: PLocal | None = None) -> None:
        """Take a span back from its user. Never while the collector marks.

        Go: runtime/mheap.go mheap.freeManual.
        """
        if span.state != MANUAL:
            throw("mheap.freeSpanLocked - invalid span state")
        self._free_span(span, kind, pagecache)

    def _free_span(self, span: Span, kind: int, local: PLocal | None) -> None:
        """Go: runtime/mheap.go mheap.freeSpanLocked."""
        nbytes = span.npages * PAGE_SIZE
        stats = self.stats
        stats.heap_free.add(nbytes)
        if kind == HEAP:
            self.pages_in_use -= span.npages
            self.arenas.clear_in_use(span)
            stats.heap_in_use.add(-nbytes)
            stats.in_heap -= nbytes
        elif kind == STACK:
            stats.in_stacks -= nbytes
        else:
            stats.in_work_bufs -= nbytes
        self.pages.free(span.base, span.npages)
        self.arenas.set_spans(span.base, span.npages, None)
        span.set_state(DEAD)
        self._free_record(span, local)

    # Giving back to the operating system.

    def _scavenge_before_use(self, scavenged: int, growth: int) -> None:
        """Keep to the limit and the goal, before pages are used of which so many bytes must come from the system.

        Go: runtime/mheap.go mheap.allocSpan.
        """
        todo, is_forced = 0, False
        if self.is_limiting is None or not self.is_limiting():
            over = scavenged + self.stats.mapped_ready - self.memory_limit
            if over > 0:
                todo, is_forced = over, True
        if growth and self.gc_percent_goal != NO_GOAL:
            over = self.stats.heap_retained() + growth - self.gc_percent_goal
            if over > 0:
                todo = max(todo, min(growth, over))
        if todo:
            released = self.pages.scavenge(todo, self.is_limiting, is_forced)
            self.pages.released_eager += released
            if self.on_scavenge_assist is not None:
                self.on_scavenge_assist(released)

    def _give_back(self, address: int, npages: int) -> None:
        """Go: runtime/mgcscavenge.go pageAlloc.scavengeOne."""
        nbytes = npages * PAGE_SIZE
        self.sysmem.sys_unused(address, nbytes)
        stats = self.stats
        stats.heap_released.add(nbytes)
        stats.heap_free.add(-nbytes)
        stats.committed -= nbytes
        stats.released += nbytes

    def scavenge_all(self) -> int:
        """Give back whatever is free; how many bytes it were.

        Go: runtime/mheap.go mheap.scavengeAll.
        """
        return self.pages.scavenge(NO_GOAL, None, True)

    # What others ask.

    def span_of(self, address: int) -> Span | None:  # hot: mark
        """The live span that an address lies in, if any.

        Go: runtime/mheap.go spanOf, inHeapOrStack.
        """
        # Arenas.span_of, written out.
        arena = self.arena_table.get(address >> LOG_ARENA_BYTES)
        return None if arena is None else arena.spans[address >> PAGE_SHIFT & PAGE_MASK]

    def mapped_bytes(self) -> int:
        """All that came from the kernel for objects, whether it is in use or not."""
        return self.stats.heap_mapped()

    def page_figures(self) -> PageFigures:
        """What all pages are used for, and what is needed beside them."""
        stats = self.stats
        return PageFigures(
            heap_inuse=stats.heap_in_use.bytes,
            heap_free=stats.heap_free.bytes,
            heap_released=stats.heap_released.bytes,
            in_stacks=stats.in_stacks,
            in_work_bufs=stats.in_work_bufs,
            stacks_sys=stats.stacks_sys.bytes,
            mspan_inuse=self.spanalloc.inuse,
            mspan_sys=stats.mspan_sys.bytes,
            mcache_inuse=self.cachealloc.inuse,
            mcache_sys=stats.mcache_sys.bytes,
            buck_hash_sys=stats.buck_hash_sys.bytes,
            gc_misc_sys=stats.gc_misc_sys.bytes,
            other_sys=stats.other_sys.bytes,
            mapped_ready=stats.mapped_ready,
            resident=self.memory.rss,
        )

    def page_runs(self, pagecaches: Sequence[PLocal | None] = ()) -> list[PageRun]:
        """All pages that belong to no span, side by side in one state, in the order of their addresses.

        pagecaches: of the Ps, in the order by which a run names its holder.
        """
        cached: dict[int, list[tuple[int, int]]] = {}  # chunk -> (bits, holder)
        for holder, local in enumerate(pagecaches):
            if local is not None and local.pcache.cache:
                base = local.pcache.base
                bits = local.pcache.cache << chunk_page_index(base)
                cached.setdefault(chunk_index(base), []).append((bits, holder))
        runs: list[PageRun] = []
        for ci in self._heap_chunks():
            chunk = self.pages.chunks.get(ci)
            if chunk is None:
                free, scavenged = ALL, ALL
            else:
                free, scavenged = ~chunk.bits & ALL, chunk.scavenged
            parts = [(page, n, RELEASED, -1) for page, n in _bit_runs(free & scavenged)]
            parts += [(page, n, FREE, -1) for page, n in _bit_runs(free & ~scavenged)]
            for bits, holder in cached.get(ci, ()):
                parts += [(page, n, CACHED, holder) for page, n in _bit_runs(bits)]
            for page, n, state, holder in sorted(parts):
                _append_run(runs, PageRun(chunk_base(ci) + (page << PAGE_SHIFT), n, state, holder))
        return runs

    def _heap_chunks(self) -> Iterable[int]:
        for base, limit in self.pages.in_use.ranges:
            yield from range(chunk_index(base), chunk_index(limit - 1) + 1)

    # Proof.

    def check(self) -> None:
        """Pages in use, cached, free and released are all that came from the kernel, and each is only one of these."""
        self.pages.check()
        self.stats.check()
        self.memory.check()
        self.spanalloc.check()
        self.cachealloc.check()
        if len(self.locals) * MCACHE_SIZE != self.cachealloc.inuse:
            throw("mheap: mcaches do not add up")
        self._check_records()
        self._check_taken()
        self._check_kernel()

    def _check_records(self) -> None:
        kept = [span for local in self.locals for span in local.spans]
        dead = [span for span in self.allspans if span.state == DEAD]
        if len(kept) + len(self.free_records) != len(dead):
            throw("mheap: a record of a span is lost or doubled")
        if len(self.free_records) != self.spanalloc.free_count:
            throw("mheap: free records do not add up")
        for span in (*kept, *self.free_records):
            if span.state != DEAD:
                throw("mheap: the record of a live span is free")
        in_use = sum(span.npages for span in self.allspans if span.state == IN_USE)
        manual = sum(span.npages for span in self.allspans if span.state == MANUAL)
        if in_use != self.pages_in_use or in_use * PAGE_SIZE != self.stats.in_heap:
            throw("mheap: spans of objects do not add up")
        if manual * PAGE_SIZE != self.stats.in_stacks + self.stats.in_work_bufs:
            throw("mheap: manual spans do not add up")

    def _check_taken(self) -> None:
        """A page is taken in the bitmap exactly if one live span, or one P's cache, has it."""
        taken: dict[int, int] = {}
        pieces = [
            (ci, ((1 << n) - 1) << first)
            for span in self.allspans
            if span.state != DEAD
            for ci, first, n in self.pages.pieces(span.base, span.npages)
        ]
        for local in self.locals:
            local.pcache.check()
            if local.pcache.cache:
                base = local.pcache.base
                pieces.append((chunk_index(base), local.pcache.cache << chunk_page_index(base)))
        for ci, bits in pieces:
            if taken.get(ci, 0) & bits:
                throw("mheap: a page is taken twice")
            taken[ci] = taken.get(ci, 0) | bits
        for ci, chunk in self.pages.chunks.items():
            if chunk.bits != taken.pop(ci, 0):
                throw("mheap: a page is lost, or free and in use")
            if chunk.bits & chunk.scavenged:
                throw("mheap: a page in use is scavenged")
        if taken:
            throw("mheap: a page in use is not in the heap")

    def _check_kernel(self) -> None:
        """What the kernel says is Ready is what is committed here."""
        ready = 0
        for base, limit in self.pages.in_use.ranges:
            ready += self.memory.ready_count(base, limit - base)
        if ready << PHYS_PAGE_SHIFT != self.stats.committed:
            throw("mheap: committed is not what the kernel says")
        mapped = self.stats.heap_mapped() + self.stats.in_stacks + self.stats.in_work_bufs
        if mapped != self.pages.in_use.total_bytes:
            throw("mheap: pages are lost")


def _bit_runs(bits: int) -> list[tuple[int, int]]:
    """(first bit, length) of each run of ones."""
    runs = []
    first = 0
    while bits:
        skip = (bits & -bits).bit_length() - 1
        bits >>= skip
        length = (~bits & bits + 1).bit_length() - 1
        runs.append((first + skip, length))
        bits >>= length
        first += skip + length
    return runs


def _append_run(runs: list[PageRun], run: PageRun) -> None:
    """Append a run, or lengthen the last one by it."""
    if runs:
        last = runs[-1]
        if last.base + last.page_count * PAGE_SIZE == run.base and (last.state, last.holder) == (run.state, run.holder):
            runs[-1] = last._replace(page_count=last.page_count + run.page_count)
            return
    runs.append(run)
