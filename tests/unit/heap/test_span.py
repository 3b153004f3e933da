"""Spans: slots in address order, and Go's allocCache as what is left of a list."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goruntime.base.errors import Throw
from goruntime.heap.sizeclass import SPAN_CLASS_COUNT, SPAN_CLASS_TO_SLOTS, make_span_class, small_span_class
from goruntime.heap.span import DEAD, EMPTY_SPAN, IN_USE, LEGAL_EDGES, MANUAL, Span, SpanList

BASE = 0xC000000000
ALL_ONES = (1 << 64) - 1


def heap_span(spanclass: int, alloc_bits: int = 0) -> Span:
    span = Span()
    span.init(BASE, 10)
    span.init_heap(spanclass, sweepgen=2)
    span.put_bits(alloc_bits)
    return span


def take(span: Span) -> int:
    """nextFree: the next slot's index, -1 when all are taken."""
    if not span.window and not span.fill_window():
        return -1
    return span.object_index(span.window.pop())


class GoSpan:
    """nextFreeFast, nextFreeIndex and refillAllocCache of Go, line by line."""

    def __init__(self, nelems: int, alloc_bits: int) -> None:
        self.nelems = nelems
        self.alloc_bits = alloc_bits
        self.alloc_count = alloc_bits.bit_count()
        self.freeindex = 0
        self.refill_alloc_cache(0)

    def refill_alloc_cache(self, which_byte: int) -> None:
        self.alloc_cache = ~(self.alloc_bits >> which_byte * 8) & ALL_ONES

    @staticmethod
    def trailing_zeros(word: int) -> int:
        return 64 if word == 0 else (word & -word).bit_length() - 1

    def next_free_fast(self) -> int | None:
        bit = self.trailing_zeros(self.alloc_cache)
        if bit < 64:
            result = self.freeindex + bit
            if result < self.nelems:
                freeidx = result + 1
                if freeidx % 64 == 0 and freeidx != self.nelems:
                    return None
                self.alloc_cache >>= bit + 1
                self.freeindex = freeidx
                self.alloc_count += 1
                return result
        return None

    def next_free_index(self) -> int:
        index = self.freeindex
        if index == self.nelems:
            return index
        bit = self.trailing_zeros(self.alloc_cache)
        while bit == 64:
            index = (index + 64) & ~63
            if index >= self.nelems:
                self.freeindex = self.nelems
                return self.nelems
            self.refill_alloc_cache(index // 8)
            bit = self.trailing_zeros(self.alloc_cache)
        result = index + bit
        if result >= self.nelems:
            self.freeindex = self.nelems
            return self.nelems
        self.alloc_cache >>= bit + 1
        index = result + 1
        if index % 64 == 0 and index != self.nelems:
            self.refill_alloc_cache(index // 8)
        self.freeindex = index
        return result

    def take(self) -> int:
        result = self.next_free_fast()
        if result is not None:
            return result
        result = self.next_free_index()
        if result == self.nelems:
            assert self.alloc_count == self.nelems
            return -1
        self.alloc_count += 1
        return result


def assert_same(span: Span, go: GoSpan) -> None:
    span.check()
    assert span.alloc_count == go.alloc_count
    assert span.freeindex == go.freeindex
    assert span.alloc_cache == go.alloc_cache


@given(st.data())
def test_the_window_is_gos_alloc_cache(data: st.DataObject) -> None:
    """Whatever the last sweep left, each allocation takes Go's slot and leaves Go's freeindex, cache and count."""
    spanclass = data.draw(st.sampled_from([2, 3, 5, 9, 10, 11, 36, 37, 53, 54, 70, 134]))
    nelems = SPAN_CLASS_TO_SLOTS[spanclass]
    word = st.sampled_from([0, ALL_ONES, 1 << 63, 1, ALL_ONES >> 1]) | st.integers(0, ALL_ONES)
    words = data.draw(st.lists(word, min_size=(nelems + 63) // 64, max_size=(nelems + 63) // 64))
    bits = sum(word << 64 * place for place, word in enumerate(words)) & ((1 << nelems) - 1)
    span, go = heap_span(spanclass, bits), GoSpan(nelems, bits)
    assert_same(span, go)
    for _ in range(data.draw(st.integers(0, nelems + 1))):
        action = data.draw(st.integers(0, 19))
        if action == 0:
            span.cut_window()
        elif action == 1 and not span.window:
            span.fill_window(data.draw(st.integers(1, 5)))
        expected = go.take()
        assert take(span) == expected
        if expected == -1:
            assert span.freeindex == span.next_free_index() == nelems
            break
        assert_same(span, go)


@pytest.mark.parametrize("spanclass", range(2, SPAN_CLASS_COUNT))
def test_a_fresh_span_hands_out_all_its_slots_in_address_order(spanclass: int) -> None:
    span = heap_span(spanclass)
    taken = [take(span) for _ in range(SPAN_CLASS_TO_SLOTS[spanclass])]
    assert taken == list(range(SPAN_CLASS_TO_SLOTS[spanclass]))
    assert take(span) == -1
    assert span.alloc_count == span.nelems
    span.check()


def test_slots_with_a_header_are_addressed_behind_it() -> None:
    span = heap_span(small_span_class(1000, False))
    assert span.fill_window()
    assert span.window.pop() == BASE + 8
    assert span.window.pop() == BASE + span.elemsize + 8
    assert span.object_index(BASE + 8) == 0
    assert heap_span(small_span_class(1000, True)).object_address(0) == BASE


def test_a_window_may_be_shorter() -> None:
    span = heap_span(make_span_class(5, True))
    span.fill_window(limit=3)
    assert [span.object_index(address) for address in reversed(span.window)] == [0, 1, 2]
    span.window.pop()
    span.cut_window()
    assert (span.window, span.freeindex, span.alloc_count) == ([], 1, 1)
    span.check()


def test_a_large_object_is_one_slot_of_all_pages() -> None:
    span = Span()
    span.init(BASE, 7)
    span.init_heap(make_span_class(0, False), sweepgen=4)
    assert (span.elemsize, span.nelems, span.header_size, span.limit) == (7 * 8192, 1, 0, BASE + 7 * 8192)
    assert take(span) == 0
    assert take(span) == -1


def test_mark_bits_stand_in_spans_of_16_to_512_bytes() -> None:
    for size, inside in ((8, False), (16, True), (512, True), (1024, False)):
        span = heap_span(small_span_class(size, True))
        span.set_marked(3)
        assert span.is_marked(3)
        assert not span.is_marked(2)
        assert (span.inline_marks == 8) == inside
        span.move_inline_marks()
        assert span.gcmark_bits == 8
        assert span.inline_marks == 0


def test_the_collector_sees_new_objects_late_when_it_marks() -> None:
    span = heap_span(make_span_class(5, True), alloc_bits=0b100)
    take(span)
    take(span)
    assert [span.is_free(index) for index in range(4)] == [False, False, False, True]
    span.scan_index = 1
    assert [span.is_free(index) for index in range(4)] == [False, True, False, True]


def test_every_edge_of_a_spans_state() -> None:
    for old in (DEAD, IN_USE, MANUAL):
        for new in (DEAD, IN_USE, MANUAL):
            span = Span()
            if old != DEAD:
                span.set_state(old)
            if (old, new) in LEGAL_EDGES:
                span.set_state(new)
                assert span.state == new
            else:
                with pytest.raises(Throw, match="illegal change of state"):
                    span.set_state(new)


def test_the_empty_span_is_always_full() -> None:
    assert not EMPTY_SPAN.fill_window()
    assert (EMPTY_SPAN.window, EMPTY_SPAN.alloc_count, EMPTY_SPAN.nelems, EMPTY_SPAN.freeindex) == ([], 0, 0, 0)


def test_check_finds_what_is_wrong() -> None:
    span = heap_span(make_span_class(5, True))
    span.fill_window()
    span.window[-1] += 8
    with pytest.raises(Throw, match="no slot's address"):
        span.check()
    span.window[-1] += 40
    with pytest.raises(Throw, match="span: "):
        span.check()
    span = heap_span(make_span_class(5, True))
    span.taken_before += 1
    with pytest.raises(Throw, match="alloc_count"):
        span.check()
    span = heap_span(make_span_class(5, True))
    span.alloc_bits = 1 << 168
    with pytest.raises(Throw, match="behind the last slot"):
        span.check()


def test_span_list() -> None:
    spans, chain = [Span() for _ in range(3)], SpanList()
    for span in spans:
        chain.insert(span)
    assert (chain.first, chain.last) == (spans[2], spans[0])
    chain.remove(spans[1])
    assert spans[2].next is spans[0]
    assert spans[0].prev is spans[2]
    with pytest.raises(Throw, match="not in this list"):
        chain.remove(spans[1])
    with pytest.raises(Throw, match="is in a list"):
        chain.insert(spans[0])
    chain.remove(spans[2])
    chain.remove(spans[0])
    assert (chain.first, chain.last) == (None, None)
