"""heap.mheap: spans from pages, growing, running out, giving back, and what each check finds."""

import inspect
import re

import pytest

from goruntime.base.errors import Throw
from goruntime.heap import arena, fixalloc, mheap, pagealloc, stats, sysmem
from goruntime.heap.arena import ARENA_BYTES, ARENA_START, PAGES_PER_ARENA, Arenas
from goruntime.heap.fixalloc import MCACHE_SIZE, MSPAN_SIZE, FixAlloc
from goruntime.heap.mheap import NO_GOAL, STACK, WORK_BUF, MHeap
from goruntime.heap.pallocbits import CHUNK_BYTES, CHUNK_PAGES
from goruntime.heap.sizeclass import PAGE_SIZE, make_span_class, small_span_class
from goruntime.heap.snapshot import CACHED, FREE, RELEASED, PageRun
from goruntime.heap.span import DEAD, IN_USE, MANUAL, Span
from goruntime.heap.stats import PageStats, SysMemStat
from goruntime.heap.sysmem import OutOfMemory, SysMem
from goruntime.kernel.memory import Memory

LARGE = make_span_class(0, True)
SMALL = small_span_class(48, True)
MIB = 1 << 20


class World:
    """A page heap and one P."""

    def __init__(self):
        self.heap = MHeap()
        self.p = self.heap.new_local()

    def large(self, npages):
        """The index of the first page of a large object."""
        return self.index(self.heap.alloc(npages, LARGE, self.p))

    def span(self, npages=1, spanclass=SMALL):
        return self.heap.alloc(npages, spanclass, self.p)

    @staticmethod
    def index(span):
        return (span.base - ARENA_START) // PAGE_SIZE

    def free(self, index):
        self.heap.free_span(self.heap.span_of(ARENA_START + index * PAGE_SIZE), self.p)


@pytest.fixture
def w():
    world = World()
    yield world
    world.heap.check()


# Where spans are. The rows of the oracle page_order, from an empty heap.


def test_fewer_than_sixteen_pages_come_from_the_sixty_four_of_the_p(w):
    assert [w.large(1) for _ in range(3)] == [0, 1, 2]
    assert [w.large(4) for _ in range(3)] == [3, 7, 11]
    assert w.large(16) == 64  # not from the cache: behind it
    assert w.large(15) == 15
    assert w.large(17) == 80
    assert [w.large(1) for _ in range(35)] == [*range(30, 64), 97]  # then the next 64 that have any
    assert w.large(100) == 128


def test_holes_are_filled_from_below(w):
    for i in range(64):
        assert w.large(1) == i
    w.large(1)  # the second 64
    for i in (40, 20, 30, 31):
        w.free(i)
    for i in range(65, 128):
        assert w.large(1) == i
    assert [w.large(1) for _ in range(4)] == [20, 30, 31, 40]
    assert w.large(1) == 128


def test_what_does_not_fit_into_a_hole_goes_behind(w):
    first = [w.large(16) for _ in range(8)]
    assert first == [16 * i for i in range(8)]
    w.free(32)
    assert w.large(20) == 128
    assert w.large(16) == 32


def test_neighbours_that_are_free_are_one_run(w):
    for i in range(4):
        assert w.large(16) == 16 * i
    w.free(16)
    w.free(32)
    assert w.large(32) == 16


def test_two_ps_take_different_pages(w):
    other = w.heap.new_local()
    mine = [w.index(w.heap.alloc(1, SMALL, w.p)) for _ in range(2)]
    theirs = [w.index(w.heap.alloc(1, SMALL, other)) for _ in range(2)]
    assert (mine, theirs) == ([0, 1], [64, 65])
    w.heap.check()
    w.heap.free_local(other)
    assert w.index(w.heap.alloc_manual(16)) == 66


def test_without_a_p_pages_come_from_all(w):
    # The very first one finds nothing to put into the P's cache, and takes its page from the growth.
    assert [w.large(1), w.index(w.heap.alloc(1, SMALL))] == [0, 1]
    assert w.large(1) == 2
    assert w.index(w.heap.alloc(1, SMALL)) == 64


# What a span is.


def test_a_span_of_objects(w):
    span = w.span()
    assert (span.state, span.npages, span.elemsize, span.nelems, span.needzero) == (IN_USE, 1, 48, 168, False)
    assert w.heap.span_of(span.base) is w.heap.span_of(span.base + PAGE_SIZE - 1) is span
    assert w.heap.span_of(span.base + PAGE_SIZE) is None
    assert w.heap.span_of(0x5A0000) is None
    assert w.heap.arenas.uses_inline_mark_bits(span.base)
    assert not w.heap.arenas.uses_inline_mark_bits(w.span(3, LARGE).base)
    w.heap.free_span(span, w.p)
    assert span.state == DEAD
    assert w.heap.span_of(span.base) is None
    assert not w.heap.arenas.uses_inline_mark_bits(span.base)


def test_a_span_of_pages_only(w):
    stack, buffer = w.heap.alloc_manual(4, STACK, w.p), w.heap.alloc_manual(4, WORK_BUF, w.p)
    assert (stack.state, buffer.state) == (MANUAL, MANUAL)
    figures = w.heap.page_figures()
    assert (figures.in_stacks, figures.in_work_bufs, figures.heap_inuse) == (4 * PAGE_SIZE, 4 * PAGE_SIZE, 0)
    w.heap.check()
    w.heap.free_manual(stack, STACK, w.p)
    w.heap.free_manual(buffer, WORK_BUF, w.p)
    assert w.heap.page_figures().heap_free == 8 * PAGE_SIZE


def test_memory_that_was_used_needs_zeroing(w):
    first = w.span(16, LARGE)
    assert not first.needzero
    w.heap.free_span(first, w.p)
    again = w.span(16, LARGE)
    assert again.base == first.base
    assert again.needzero
    w.heap.free_span(again, w.p)
    assert w.heap.scavenge_all()
    assert not w.span(16, LARGE).needzero  # the kernel gives it back as zeros


def test_half_of_it_used_before(w):
    w.heap.free_span(w.span(16, LARGE), w.p)
    assert w.span(32, LARGE).needzero
    assert not w.span(16, LARGE).needzero


def test_a_span_of_several_arenas(w):
    span = w.span(2 * PAGES_PER_ARENA + 5, LARGE)
    end = span.base + span.npages * PAGE_SIZE
    assert all(w.heap.span_of(address) is span for address in range(span.base, end, ARENA_BYTES // 2))
    assert w.heap.span_of(end - 1) is span
    assert not span.needzero
    w.heap.check()
    w.heap.free_span(span, w.p)
    assert w.heap.span_of(end - 1) is None


def test_records_of_spans_are_used_again_and_kept_by_the_p(w):
    spans = [w.span() for _ in range(70)]
    assert len(w.heap.allspans) == 128  # 64 at a time
    assert len(w.p.spans) == 58
    for span in spans:
        w.heap.free_span(span, w.p)
    assert len(w.p.spans) == 128
    more = [w.span() for _ in range(130)]
    assert len(w.heap.allspans) == 192
    for span in more:
        w.heap.free_span(span, w.p)
    assert (len(w.p.spans), len(w.heap.free_records)) == (128, 64)
    assert w.heap.page_figures().mspan_inuse == 128 * MSPAN_SIZE
    w.heap.check()
    w.heap.free_local(w.p)
    assert w.heap.page_figures().mspan_inuse == 0
    assert w.heap.page_figures().mcache_inuse == 0
    w.p = w.heap.new_local()
    w.span()
    assert len(w.heap.allspans) == 192


@pytest.mark.parametrize(
    ("operate", "text"),
    [
        (lambda w: w.heap.alloc(0, LARGE, w.p), "a span without pages"),
        (lambda w: w.heap.alloc_manual(1, mheap.HEAP), "non-manually-managed"),
        (lambda w: w.heap.free_span(w.heap.alloc_manual(1)), "invalid span state"),
        (lambda w: w.heap.free_manual(w.span()), "invalid span state"),
    ],
)
def test_misuse_throws(w, operate, text):
    with pytest.raises(Throw, match=text):
        operate(w)


def test_a_span_that_is_in_use_or_not_swept_cannot_be_freed(w):
    span = w.span()
    span.fill_window()
    span.window.pop()
    with pytest.raises(Throw, match="invalid free"):
        w.heap.free_span(span)
    other = w.span()
    w.heap.sweepgen += 2
    with pytest.raises(Throw, match="invalid free"):
        w.heap.free_span(other)
    with pytest.raises(Throw, match="invalid span state"):
        w.heap.free_span(w.p.spans[0])


# Growing, and running out.


def test_the_heap_grows_by_chunks_within_an_arena(w):
    w.large(1)
    figures = w.heap.page_figures()
    assert (figures.heap_inuse, figures.heap_released) == (PAGE_SIZE, CHUNK_BYTES - PAGE_SIZE)
    assert w.heap.memory.vm_size > ARENA_BYTES
    w.large(2000)
    assert w.heap.mapped_bytes() == 5 * CHUNK_BYTES  # 4 chunks for 2000 pages, behind the first
    assert w.heap.cur_arena_end - w.heap.cur_arena_base == ARENA_BYTES - 5 * CHUNK_BYTES
    assert w.heap.heap_arenas == [ARENA_START // ARENA_BYTES]


def test_arenas_follow_one_another(w):
    for i in range(20):
        assert w.large(CHUNK_PAGES) == i * CHUNK_PAGES
    assert w.heap.heap_arenas == [ARENA_START // ARENA_BYTES, ARENA_START // ARENA_BYTES + 1]
    assert w.large(9000) == 20 * CHUNK_PAGES  # across a boundary


def test_where_the_kernel_puts_the_arena_elsewhere_the_rest_of_the_old_one_is_used(w):
    w.large(1)
    w.heap.memory.reserve(ARENA_START + ARENA_BYTES, PAGE_SIZE)  # somebody else's
    far = w.span(PAGES_PER_ARENA, LARGE)
    assert far.base == 0x1C000000000
    assert w.heap.mapped_bytes() == 2 * ARENA_BYTES
    w.heap.check()
    assert w.large(10 * CHUNK_PAGES) == 1  # not new, and below


def test_after_the_last_hint_any_place_will_do(w):
    for address, _ in w.heap.arena_hints:
        w.heap.memory.reserve(address, PAGE_SIZE)
    span = w.span(1, SMALL)
    assert span.base % ARENA_BYTES == 0
    assert span.base > 0x7F0000000000
    w.heap.check()
    assert w.span(PAGES_PER_ARENA, LARGE).base == span.base - ARENA_BYTES or w.heap.heap_arenas


def test_when_there_are_no_addresses_left(w):
    w.large(1)
    w.heap.memory.limit_bytes = w.heap.memory.vm_size
    assert w.large(15 * CHUNK_PAGES) == 1  # the arena is reserved already
    assert w.heap.alloc(CHUNK_PAGES, LARGE, w.p) is None
    assert w.large(CHUNK_PAGES - 1) == 15 * CHUNK_PAGES + 1


def test_addresses_without_memory_behind_them():
    world = World()
    with pytest.raises(OutOfMemory) as refused:
        world.span((1 << 46) // PAGE_SIZE, LARGE)
    assert refused.value.is_mapping
    assert refused.value.size == 1 << 46


def test_reclaiming_is_asked_for_first(w):
    asked = []
    w.heap.reclaim = asked.append
    w.span(3, LARGE)
    w.heap.alloc_manual(4)
    assert asked == [3]


# What is accounted.


def test_an_empty_heap_of_one_chunk_is_as_gos(w):
    w.large(1)
    figures = w.heap.page_figures()
    assert (figures.mspan_inuse, figures.mspan_sys) == (64 * 160, 16_320)
    assert (figures.mcache_inuse, figures.mcache_sys) == (2_296, 16_072)
    # Bits of 8,192 chunks, one record of an arena, a list of arenas, ranges, summaries of five levels, the index.
    assert figures.gc_misc_sys == (1 << 20) + 69_648 + 4_096 + 256 + 131_072 + 4 * 4_096 + 4_096
    assert figures.mapped_ready == figures.total_sys() - figures.heap_released


def test_the_array_of_all_spans_grows(w):
    before = w.heap.page_figures().other_sys
    spans = [w.span() for _ in range(8_300)]
    grown = w.heap.page_figures().other_sys - before
    assert w.heap.allspans_capacity == 8_192 * 3 // 2
    assert grown >= 8_192 * 12  # what it was before is given back
    assert len({span.base for span in spans}) == 8_300


def test_small_records_share_a_chunk():
    stats_ = PageStats()
    system = SysMem(Memory(), stats_)
    stat = stats_.gc_misc_sys
    first = system.persistentalloc(100, 0, stat)
    second = system.persistentalloc(100, 64, stat)
    assert second == first - 8 + 128
    assert (stat.bytes, stats_.other_sys.bytes) == (200, (256 << 10) - 200)
    system.persistentalloc(64 << 10, 0, stat)  # large enough for itself
    assert (stat.bytes, stats_.other_sys.bytes) == ((64 << 10) + 200, (256 << 10) - 200)
    local = sysmem.PersistentAlloc()
    assert system.persistentalloc(16, 0, stats_.other_sys, local) != second
    with pytest.raises(Throw, match="size == 0"):
        system.persistentalloc(0, 0, stat)
    full = SysMem(Memory(limit_bytes=4096), PageStats())
    with pytest.raises(OutOfMemory):
        full.persistentalloc(8, 0, stat)


def test_records_of_one_size():
    stats_ = PageStats()
    records = FixAlloc(160, SysMem(Memory(), stats_), stats_.mspan_sys)
    assert records.alloc()
    assert records.alloc()
    assert (records.inuse, stats_.mspan_sys.bytes) == (320, 16_320)
    records.free()
    assert not records.alloc()  # the one that was freed
    records.check()
    for _ in range(101):
        records.alloc()
    assert stats_.mspan_sys.bytes == 2 * 16_320
    records.check()
    for _ in range(103):
        records.free()
    with pytest.raises(Throw, match="more than was allocated"):
        records.free()
    with pytest.raises(Throw, match="too large"):
        FixAlloc(20_000, records.sysmem, stats_.mspan_sys)
    with pytest.raises(Throw, match="more than a chunk"):
        FixAlloc(160, records.sysmem, stats_.mspan_sys).alloc_first(200)


def test_a_statistic_is_never_negative():
    with pytest.raises(Throw, match="overflow"):
        SysMemStat().add(-1)


# What is resident, and giving back.


def test_what_is_resident(w):
    w.span()
    before = w.heap.memory.rss
    big = w.span(10_000, LARGE)
    tables = w.heap.memory.rss - before
    assert tables < MIB  # nothing of it was written
    w.heap.touch(big.base, PAGE_SIZE)
    assert w.heap.memory.rss == before + tables + PAGE_SIZE
    w.heap.touch(big.base, 10_000 * PAGE_SIZE)
    full = w.heap.memory.rss
    assert full == before + tables + 10_000 * PAGE_SIZE
    w.heap.free_span(big, w.p)
    assert w.heap.memory.rss == full
    assert w.heap.scavenge_all() == 10_000 * PAGE_SIZE
    assert w.heap.memory.rss == full - 10_000 * PAGE_SIZE
    again = w.span(10_000, LARGE)
    assert w.heap.memory.resident_bytes(again.base, 10_000 * PAGE_SIZE) == 0
    assert w.heap.memory.vm_size < 2 << 30


def test_a_used_page_is_zeroed_and_so_resident(w):
    w.heap.free_span(w.span(16, LARGE), w.p)
    span = w.span(16, LARGE)
    assert w.heap.memory.resident_bytes(span.base, 16 * PAGE_SIZE) == 16 * PAGE_SIZE


def test_giving_back_counts_as_released(w):
    w.heap.free_span(w.span(100, LARGE), w.p)
    before = w.heap.page_figures()
    assert (before.heap_free, before.heap_released) == (100 * PAGE_SIZE, CHUNK_BYTES - 100 * PAGE_SIZE)
    assert w.heap.scavenge_all() == 100 * PAGE_SIZE
    after = w.heap.page_figures()
    assert (after.heap_free, after.heap_released) == (0, CHUNK_BYTES)
    assert after.mapped_ready == before.mapped_ready - 100 * PAGE_SIZE
    assert after.total_sys() == before.total_sys()
    assert w.heap.scavenge_all() == 0


def test_what_a_p_holds_is_not_given_back(w):
    w.large(1)
    w.heap.free_span(w.span(16, LARGE), w.p)
    cached = w.p.pcache.cache
    w.heap.scavenge_all()
    assert w.p.pcache.cache == cached
    assert w.large(1) == 1


def holes(w, *sizes):
    """Runs of free pages, with a span behind each."""
    spans = [(w.span(npages, LARGE), w.span(16, LARGE)) for npages in sizes]
    for span, _ in spans:
        w.heap.free_span(span, w.p)


def test_the_memory_limit_is_kept_by_who_allocates(w):
    holes(w, 600, 600)
    w.heap.memory_limit = limit = w.heap.stats.mapped_ready
    given = []
    w.heap.on_scavenge_assist = given.append
    w.span(400, LARGE)  # backed: nothing to be paid
    assert given == []
    w.span(620, LARGE)  # not backed
    assert w.heap.stats.mapped_ready <= limit
    assert w.heap.pages.released_eager == sum(given) > 0
    w.span(1_200, LARGE)  # more than there is to be given
    assert w.heap.stats.mapped_ready > limit  # it is a soft one
    assert w.heap.page_figures().heap_free == 0


def test_a_collector_that_has_used_too_much_cpu_does_not_help(w):
    holes(w, 1_000)
    w.heap.memory_limit = 0
    w.heap.is_limiting = lambda: True
    w.span(2_000, LARGE)
    assert w.heap.pages.released_eager == 0


def test_growing_beyond_the_goal_gives_free_pages_back(w):
    small = [w.span(100, LARGE) for _ in range(5)]
    keep = w.span(600, LARGE)
    for span in small:
        w.heap.free_span(span, w.p)
    w.heap.pages.index.next_gen()
    w.heap.pages.index.next_gen()
    w.span(400, LARGE)  # fits: no growth, nothing is given back
    assert w.heap.pages.released_eager == 0
    w.heap.gc_percent_goal = w.heap.stats.heap_retained()
    w.span(5_000, LARGE)
    assert w.heap.pages.released_eager == 100 * PAGE_SIZE
    assert keep.state == IN_USE


def test_no_more_is_given_back_than_the_heap_grows_by(w):
    holes(w, 600, 600, 600)
    w.heap.pages.index.next_gen()
    w.heap.pages.index.next_gen()
    w.heap.gc_percent_goal = 0
    before = w.heap.mapped_bytes()
    w.span(620, LARGE)
    growth = w.heap.mapped_bytes() - before
    assert growth > 0
    assert growth <= w.heap.pages.released_eager < 1_800 * PAGE_SIZE


# For those who look.


def test_runs_of_free_pages(w):
    spans = [w.span(16, LARGE) for _ in range(4)]
    w.heap.free_span(spans[1], w.p)
    w.heap.free_span(spans[3], w.p)
    w.large(1)  # 16..31 and the rest of these 64 are the P's now
    runs = w.heap.page_runs([None, w.p])
    assert runs == [
        PageRun(ARENA_START + 17 * PAGE_SIZE, 15, CACHED, 1),
        PageRun(ARENA_START + 48 * PAGE_SIZE, 16, CACHED, 1),
        PageRun(ARENA_START + 64 * PAGE_SIZE, CHUNK_PAGES - 64, RELEASED),
    ]
    w.heap.free_span(spans[0], w.p)
    assert w.heap.page_runs()[0] == PageRun(ARENA_START, 16, FREE)


def test_chunks_that_nobody_touched_are_one_run(w):
    w.span(5_000, LARGE)
    w.heap.pages.free(ARENA_START, 1)
    assert len(w.heap.page_runs()) == 2
    w.heap.pages.alloc_range(ARENA_START, 1)


# What the checks find: complaint -> what is broken for it.

BREAKAGES = {}


def breaks(text, where=mheap):
    def add(spoil):
        BREAKAGES[spoil.__name__] = (spoil, text, where)
        return spoil

    return add


@breaks("mheap: mcaches do not add up")
def a_p_is_not_known(w):
    w.heap.locals.append(mheap.PLocal())


@breaks("mheap: a record of a span is lost or doubled")
def a_record_is_lost(w):
    w.p.spans.pop()


@breaks("mheap: free records do not add up")
def a_record_is_with_the_wrong_owner(w):
    w.heap.free_records.append(w.p.spans.pop())


@breaks("mheap: the record of a live span is free")
def a_live_record_is_free(w):
    w.p.spans[0] = w.live
    dead = [span for span in w.heap.allspans if span.state == DEAD and span not in w.p.spans]
    w.heap.allspans.remove(dead[0])
    w.heap.allspans.append(Span())


@breaks("mheap: spans of objects do not add up")
def pages_in_use_are_miscounted(w):
    w.heap.pages_in_use += 1


@breaks("mheap: manual spans do not add up")
def stacks_are_miscounted(w):
    w.stack.npages += 1


@breaks("mheap: a page is taken twice")
def a_page_has_two_owners(w):
    w.live.base = w.other.base


@breaks("mheap: a page is lost, or free and in use")
def a_page_is_lost(w):
    w.p.pcache.cache &= w.p.pcache.cache - 1


@breaks("mheap: a page in use is scavenged")
def a_page_in_use_is_scavenged(w):
    w.heap.pages.chunk_of(ARENA_START // CHUNK_BYTES).scavenged |= 1


@breaks("mheap: a page in use is not in the heap")
def a_span_is_elsewhere(w):
    w.live.base += 100 * CHUNK_BYTES
    w.heap.pages.chunk_of(ARENA_START // CHUNK_BYTES).bits &= ~1
    w.heap.pages.index.chunks[ARENA_START // CHUNK_BYTES].in_use -= 1
    w.heap.pages.search_addr = ARENA_START
    w.heap.pages.update(ARENA_START, 1, True, False)


@breaks("mheap: committed is not what the kernel says")
def the_kernel_has_less(w):
    w.heap.memory.unused(w.live.base, PAGE_SIZE)


@breaks("mheap: pages are lost")
def a_chunk_is_unaccounted(w):
    w.heap.stats.heap_released.add(PAGE_SIZE)
    w.heap.stats.released += PAGE_SIZE


@breaks("heapInUse and consistent stats are not equal", stats)
def in_use_is_miscounted(w):
    w.heap.stats.heap_in_use.add(1)


@breaks("heapReleased and consistent stats are not equal", stats)
def released_is_miscounted(w):
    w.heap.stats.heap_released.add(1)


@breaks("measures of the retained heap are not equal", stats)
def committed_is_miscounted(w):
    w.heap.stats.committed += 1


@breaks("mappedReady and other memstats are not equal", stats)
def ready_is_miscounted(w):
    w.heap.stats.mapped_ready += 1


@breaks("fixalloc: records do not add up", fixalloc)
def a_record_is_not_counted(w):
    w.heap.spanalloc.inuse -= MSPAN_SIZE


class Broken(World):
    """Something of everything."""

    def __init__(self):
        super().__init__()
        self.live, self.other = self.span(), self.span()
        self.stack = self.heap.alloc_manual(16)
        self.heap.check()


@pytest.mark.parametrize("name", BREAKAGES)
def test_check_finds(name):
    spoil, text, _ = BREAKAGES[name]
    broken = Broken()
    spoil(broken)
    with pytest.raises(Throw, match=re.escape(text)):
        broken.heap.check()


def test_nothing_is_checked_that_cannot_be_found():
    """Each complaint of these checks is heard in a test above."""
    checks = [
        *(getattr(MHeap, name) for name in ("check", "_check_records", "_check_taken", "_check_kernel")),
        PageStats.check,
        FixAlloc.check,
    ]
    complaints = {text for check in checks for text in re.findall(r'throw\("([^"]+)"\)', inspect.getsource(check))}
    assert complaints == {text for _, text, _ in BREAKAGES.values()}


def test_the_kernel_and_the_heap_disagree_about_what_was_given_back(w):
    with pytest.raises(Throw, match="the kernel disagrees"):
        w.heap.sysmem.sys_used(w.span().base, PAGE_SIZE, PAGE_SIZE)
    w.heap.stats.mapped_ready -= PAGE_SIZE


def test_no_span_begins_where_none_is(w):
    span = w.span()
    w.heap.arenas.clear_in_use(span)
    with pytest.raises(Throw, match="no span in use begins here"):
        w.heap.arenas.clear_in_use(span)
    w.heap.arenas.set_in_use(span)


def test_arenas_know_what_was_used():
    arenas = Arenas()
    assert not arenas.alloc_needs_zero(ARENA_START, 3)
    assert arenas.alloc_needs_zero(ARENA_START + 2 * PAGE_SIZE, 2)
    assert not arenas.alloc_needs_zero(ARENA_START + ARENA_BYTES - PAGE_SIZE, 2)
    assert [a.zeroed_base for a in arenas.table.values()] == [ARENA_BYTES, PAGE_SIZE]
    assert (arena.PAGES_PER_ARENA, NO_GOAL > 1 << 60, pagealloc.LEAF, MCACHE_SIZE) == (8192, True, 4, 2296)
